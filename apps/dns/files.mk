obj-y += apps/dns/main.c apps/dns/zones.S
obj-$(CONFIG_DNS_TCP) += apps/dns/tcp.c

# Master files to serve: ZONE="a.zone b.zone", each FILE or ORIGIN=FILE.
ZONE ?= apps/dns/example.org.zone

include lib/dns/host.mk

cflags-apps/dns/zones.S := -Wa,-I$(O)/gen
$(O)/apps/dns/zones.S.o: $(O)/gen/zones.img

$(O)/gen/zones.img: $(H)/zonec $(O)/gen/zones
	$(call say,ZONEC,$(ZONE))
	$(Q)$(H)/zonec -M $(O)/gen/zones.d -o $@ $(ZONE)
-include $(O)/gen/zones.d

# The list of files, so that another ZONE= makes another image.
$(O)/gen/zones: FORCE
	@mkdir -p $(@D)
	@echo '$(ZONE)' | cmp -s - $@ || echo '$(ZONE)' > $@
