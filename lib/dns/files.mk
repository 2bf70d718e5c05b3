# What answers queries. The parser of zone files and the builder run on the host (host.mk).
dns-answer-srcs := $(addprefix lib/dns/,answer.c image.c lookup.c name.c query.c reply.c)
dns-build-srcs := $(addprefix lib/dns/,build.c directive.c field.c field_loc.c \
	field_rare.c field_svcb.c generate.c lexer.c rdata.c render.c rrtype.c sort.c writer.c zonefile.c)

obj-$(CONFIG_DNS) += $(dns-answer-srcs)

# The host's programs and tests can do everything.
dns-all-options := -DCONFIG_DNS_DNAME=1
