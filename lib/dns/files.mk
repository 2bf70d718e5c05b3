# What answers queries. The parser of zone files runs on the host (host.mk), and so does the builder unless
# the guest makes zones of what another server sends it.
dns-core-srcs := $(addprefix lib/dns/,answer.c image.c lookup.c message.c name.c \
	plain.c query.c reply.c)
dns-dnssec-srcs := $(addprefix lib/dns/,denial.c sha1.c)
dns-edns-srcs := $(addprefix lib/dns/,chaos.c edns.c)
dns-xfr-srcs := $(addprefix lib/dns/,access.c algorithm.c transfer.c)
dns-prefix-srcs := lib/dns/prefix.c
dns-ixfr-srcs := $(addprefix lib/dns/,compare.c history.c)
dns-tsig-srcs := lib/dns/tsig.c
dns-limit-srcs := lib/dns/limit.c
dns-counters-srcs := lib/dns/counters.c
dns-answer-srcs := $(dns-core-srcs) $(dns-dnssec-srcs) $(dns-edns-srcs) $(dns-limit-srcs) $(dns-prefix-srcs) \
	$(dns-counters-srcs)
dns-make-srcs := $(addprefix lib/dns/,build.c chain.c rdata_ok.c render.c rrtype.c same.c sort.c store.c \
	svcparams.c writer.c)
dns-build-srcs := $(dns-make-srcs) $(addprefix lib/dns/,compile.c directive.c field.c field_key.c field_loc.c \
	field_rare.c field_svcb.c field_wks.c generate.c lexer.c rdata.c zonefile.c)
dns-secondary-srcs := $(addprefix lib/dns/,entry.c fetch.c secondary.c secondary_list.c unpack.c)
dns-notify-srcs := lib/dns/notifier.c
dns-zonemd-srcs := lib/dns/zonemd.c

obj-$(CONFIG_DNS) += $(dns-core-srcs)
obj-$(CONFIG_DNS_DNSSEC) += $(dns-dnssec-srcs)
obj-$(CONFIG_DNS_EDNS) += $(dns-edns-srcs)
obj-$(CONFIG_DNS_XFR) += $(dns-xfr-srcs)
obj-$(CONFIG_DNS_IXFR) += $(dns-ixfr-srcs)
obj-$(CONFIG_DNS_TSIG) += $(dns-tsig-srcs)
obj-$(CONFIG_DNS_COUNTERS) += $(dns-counters-srcs)
obj-$(CONFIG_DNS_LIMIT) += $(dns-limit-srcs)
obj-$(or $(CONFIG_DNS_XFR),$(CONFIG_DNS_LIMIT)) += $(dns-prefix-srcs)
obj-$(CONFIG_DNS_NOTIFY) += $(dns-notify-srcs)
obj-$(CONFIG_DNS_ZONEMD) += $(dns-zonemd-srcs)
obj-$(CONFIG_DNS_SECONDARY) += $(dns-secondary-srcs) $(dns-make-srcs)

# All that is known of a query is on the stack, once: with all options a little more than usual.
cflags-lib/dns/message.c := -Wframe-larger-than=2304

# The host's programs and tests can do everything but what needs mbedTLS, which some of them have, too.
dns-server-srcs := $(dns-answer-srcs) $(dns-xfr-srcs) $(dns-ixfr-srcs) $(dns-tsig-srcs) \
	$(dns-secondary-srcs) $(dns-notify-srcs) $(dns-zonemd-srcs) lib/crypto/hmac.c lib/crypto/sha512.c
dns-server-options := -DCONFIG_DNS_XFR=1 -DCONFIG_DNS_TSIG=1 -DCONFIG_DNS_TSIG_ALGORITHMS=1 \
	-DCONFIG_HMAC_ALL=1 -DCONFIG_DNS_SECONDARY=1 -DCONFIG_DNS_ZONEMD=1 -DCONFIG_SHA512=1 -DCONFIG_DNS_IXFR=1 -DCONFIG_DNS_IXFR_VERSIONS=4 \
	-DCONFIG_DNS_IXFR_KIB=64
dns-all-options := -DCONFIG_DNS_DNAME=1 -DCONFIG_DNS_DNSSEC=1 -DCONFIG_DNS_EDNS=1 -DCONFIG_DNS_LIMIT=1 -DCONFIG_DNS_COUNTERS=1
