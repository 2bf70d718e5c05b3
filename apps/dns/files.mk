obj-y += apps/dns/main.c apps/dns/zones.S
obj-$(CONFIG_DNS_TCP) += apps/dns/tcp.c
obj-$(CONFIG_DNS_TCP_CLIENTS) += apps/dns/clients.c
obj-$(CONFIG_DNS_XFR) += apps/dns/access.c
obj-$(CONFIG_DNS_SECONDARY) += apps/dns/fetch.c apps/dns/secondary.c
obj-$(CONFIG_DNS_NOTIFY) += apps/dns/notify.c
obj-$(or $(CONFIG_DNS_SECONDARY),$(CONFIG_DNS_NOTIFY)) += apps/dns/peer.c
obj-$(CONFIG_DNS_COUNTERS) += apps/dns/counters.c
obj-$(CONFIG_DNS_LIMIT) += apps/dns/limit.c
obj-$(or $(CONFIG_DNS_XFR),$(CONFIG_DNS_LIMIT)) += apps/dns/address.c

# Master files to serve: ZONE="a.zone b.zone", each FILE or ORIGIN=FILE.
ZONE ?= apps/dns/example.org.zone

ifeq ($(strip $(ZONE))$(CONFIG_DNS_SECONDARY),)
$(error ZONE=: name at least one zone file)
endif

# Not every shell expands the ~ of ZONE=~/a.zone, and none that of a second file.
zones := $(patsubst ~/%,$(HOME)/%,$(subst =~/,=$(HOME)/,$(ZONE)))
zone-words := $(foreach zone,$(zones),'$(subst ','\'',$(zone))')

# What cannot be read is refused before anything is built; head tells the reason.
zone-files := $(foreach zone,$(zones),'$(subst ','\'',$(or $(word 2,$(subst =, ,$(zone))),$(zone)))')
zones-amiss := $(if $(zones),$(shell head -qc 1 $(zone-files) 2>&1 >/dev/null | sed -n '1s/^head: //p'))
ifneq ($(zones-amiss),)
$(error ZONE=: $(zones-amiss))
endif

include lib/dns/host.mk

# A zone that needs an option which is off is an error now rather than at boot.
zone-limits := $(if $(CONFIG_DNS_DNAME),,-w dname) $(if $(CONFIG_DNS_DNSSEC),,-w dnssec)

# The files as one word of the shell's.
zone-text := $(subst ','\'',$(zones))

# Mistakes in a zone are reported before anything of the guest is compiled.
first += $(O)/gen/zones.img

cflags-apps/dns/zones.S := -Wa,-I$(O)/gen
$(O)/apps/dns/zones.S.o: $(O)/gen/zones.img

$(O)/gen/zones.img: $(H)/zonec $(O)/gen/zones
	$(call say,ZONEC,$(zone-text))
	$(Q)$(H)/zonec $(zone-limits) -M $(O)/gen/zones.d -o $@ $(zone-words) \
		> $(O)/gen/served
	@cat $(O)/gen/served
-include $(O)/gen/zones.d

# The list of files, so that another ZONE= makes another image.
$(O)/gen/zones: FORCE
	@mkdir -p $(@D)
	@echo '$(zone-limits) $(zone-text)' | cmp -s - $@ || echo '$(zone-limits) $(zone-text)' > $@
