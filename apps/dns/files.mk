obj-y += apps/dns/main.c apps/dns/zones.S
obj-$(CONFIG_DNS_TCP) += apps/dns/tcp.c
obj-$(CONFIG_DNS_XFR) += apps/dns/access.c
obj-$(CONFIG_DNS_LIMIT) += apps/dns/limit.c

# Master files to serve: ZONE="a.zone b.zone", each FILE or ORIGIN=FILE.
ZONE ?= apps/dns/example.org.zone

ifeq ($(strip $(ZONE)),)
$(error ZONE=: name at least one zone file)
endif

include lib/dns/host.mk

# A zone that needs an option which is off is an error now rather than at boot.
zone-limits := $(if $(CONFIG_DNS_DNAME),,-w dname) $(if $(CONFIG_DNS_DNSSEC),,-w dnssec)

# The files as one word of the shell's.
zone-text := $(subst ','\'',$(ZONE))

cflags-apps/dns/zones.S := -Wa,-I$(O)/gen
$(O)/apps/dns/zones.S.o: $(O)/gen/zones.img

$(O)/gen/zones.img: $(H)/zonec $(O)/gen/zones
	$(call say,ZONEC,$(zone-text))
	$(Q)$(H)/zonec $(zone-limits) -M $(O)/gen/zones.d -o $@ $(foreach zone,$(ZONE),'$(subst ','\'',$(zone))') \
		> $(O)/gen/served
	@cat $(O)/gen/served
-include $(O)/gen/zones.d

# The list of files, so that another ZONE= makes another image.
$(O)/gen/zones: FORCE
	@mkdir -p $(@D)
	@echo '$(zone-limits) $(zone-text)' | cmp -s - $@ || echo '$(zone-limits) $(zone-text)' > $@
