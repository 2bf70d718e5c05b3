# Host programs of lib/dns: zonec, the zone compiler (apps/dns needs it), and hostserver, the name
# server on the host's sockets (tests/dns needs it; under ASan and UBSan).

include lib/dns/files.mk

HOST_CC ?= gcc
H := $(OUT)/host

dns-host-headers := $(wildcard lib/dns/*.h lib/crypto/*.h) lib/util.h lib/siphash.h
dns-host-cflags := -std=gnu11 -g -Wall -Wextra -Werror -iquote . $(dns-all-options)
dns-sanitize := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all

# Another compiler or other flags compile again.
$(H)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(HOST_CC) $(dns-host-cflags) $(dns-sanitize)' | cmp -s - $@ || \
		echo '$(HOST_CC) $(dns-host-cflags) $(dns-sanitize)' > $@

# What those that serve need of mbedTLS; zonec needs nothing (hosthash.c).
include lib/crypto/host.mk

.PHONY: host-dns
host-dns: $(H)/zonec $(H)/hostserver

$(H)/zonec: $(addprefix lib/dns/,zonec.c filesource.c hosthash.c) $(dns-answer-srcs) $(dns-build-srcs) \
		$(dns-zonemd-srcs) $(dns-host-headers) $(H)/flags
	$(call say,HOSTCC,$@)
	$(Q)$(HOST_CC) $(dns-host-cflags) -DCONFIG_DNS_ZONEMD=1 -O2 -o $@ $(filter %.c,$^)

$(H)/hostserver: tests/dns/hostserver.c tests/dns/hostfetch.c $(dns-server-srcs) $(dns-make-srcs) \
		$(dns-host-headers) $(wildcard tests/dns/*.h) $(H)/flags
	$(call say,HOSTCC,$@)
	$(Q)$(HOST_CC) $(dns-host-cflags) $(dns-server-options) $(host-mbedtls-cflags) $(dns-sanitize) -o $@ \
		$(filter %.c,$^) $(host-mbedtls-srcs)
