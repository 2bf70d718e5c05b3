# What answers queries. The parser of zone files and the builder run on the host (host.mk).
dns-core-srcs := $(addprefix lib/dns/,answer.c image.c lookup.c message.c name.c \
	query.c reply.c)
dns-dnssec-srcs := $(addprefix lib/dns/,denial.c sha1.c)
dns-edns-srcs := $(addprefix lib/dns/,chaos.c edns.c)
dns-answer-srcs := $(dns-core-srcs) $(dns-dnssec-srcs) $(dns-edns-srcs)
dns-build-srcs := $(addprefix lib/dns/,build.c chain.c directive.c field.c field_loc.c \
	field_rare.c field_svcb.c generate.c lexer.c rdata.c render.c rrtype.c sort.c \
	store.c writer.c zonefile.c)

obj-$(CONFIG_DNS) += $(dns-core-srcs)
obj-$(CONFIG_DNS_DNSSEC) += $(dns-dnssec-srcs)
obj-$(CONFIG_DNS_EDNS) += $(dns-edns-srcs)

# The host's programs and tests can do everything.
dns-all-options := -DCONFIG_DNS_DNAME=1 -DCONFIG_DNS_DNSSEC=1 -DCONFIG_DNS_EDNS=1
