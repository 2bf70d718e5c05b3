# Fuzz targets: `fuzz-X-srcs := the target and the sources it tests`, and in fuzz-X-what one line that
# says what is fuzzed. fuzz-X-cflags and fuzz-X-libs add flags. Sources outside tests/ are measured for
# coverage; so are those in fuzz-measured, which include some. config/fuzz.mk has the rules.

fuzz-measured := tests/fuzz/disk.c tests/fuzz/netfront.c tests/fuzz/console.c tests/fuzz/dns_tcp.c
# What gives every case a clean state, and what runs the guest's code.
fuzz-host := tests/fuzz/fuzz.c tests/fuzz/input.c
fuzz-kernel := $(fuzz-host) tests/unit/fake_kernel.c
fuzz-peer := tests/fuzz/peer.c tests/fuzz/sync_store.c
fuzz-pbufs = $(addprefix $(fuzz-lwip)/src/core/,def.c mem.c memp.c pbuf.c)

fuzz-netfront-what := a netback and a toolstack: states, responses, indices, grants, events
fuzz-netfront-srcs = $(fuzz-kernel) tests/fuzz/netfront.c $(fuzz-peer) \
	tests/unit/fake_grants.c tests/unit/fake_net_mem.c tests/unit/fake_netback_rings.c kernel/errno.c \
	$(addprefix drivers/netfront_,bare.c page.c piece.c push.c rx.c store.c tx.c) \
	lib/net/netpage.c lib/net/published.c \
	xen/xenbus.c xen/xenbus_state.c xen/xenstore_ops.c $(fuzz-pbufs)
# What is compared here is no input's: to have libFuzzer note it costs a sixth of the time.
fuzz-netfront-cflags = $(fuzz-lwip-cflags) -DCONFIG_NET_GSO=1 -DCONFIG_NET_PUBLISH=1 -DCONFIG_IPV4=1 \
	-fno-sanitize-coverage=trace-cmp

fuzz-disk-what := a blkback and a toolstack: states, responses, indices, grants, restarts in traffic
fuzz-disk-srcs := $(fuzz-kernel) tests/fuzz/disk.c $(fuzz-peer) tests/unit/fake_grants.c \
	tests/unit/fake_net_mem.c kernel/errno.c apps/ringtest/disk_ring.c xen/lending.c \
	xen/xenbus.c xen/xenbus_state.c xen/xenstore_ops.c
fuzz-disk-cflags := -fno-sanitize-coverage=trace-cmp

fuzz-vchan-what := the other end of a vchan: indices, octets, bits, liveness, orders, grants, keys
fuzz-vchan-srcs := $(fuzz-kernel) tests/fuzz/vchan.c $(fuzz-peer) tests/unit/fake_grants.c \
	tests/unit/fake_net_mem.c kernel/errno.c apps/ringtest/vchan.c apps/ringtest/vchan_ends.c \
	xen/lending.c xen/xenstore_ops.c
fuzz-vchan-cflags := -D_GNU_SOURCE -fno-sanitize-coverage=trace-cmp

fuzz-console-what := a console backend: what it types and reads, indices, the ring's octets
fuzz-console-srcs := $(fuzz-kernel) tests/fuzz/console.c

fuzz-cmdline-what := the guest's command line, and the addresses, keys and servers on it
fuzz-cmdline-srcs = $(fuzz-host) tests/fuzz/cmdline.c kernel/cmdline.c lib/net/parse.c \
	lib/dns/access.c lib/dns/algorithm.c lib/dns/prefix.c lib/dns/name.c \
	$(addprefix $(fuzz-lwip)/src/core/,def.c ipv4/ip4_addr.c ipv6/ip6_addr.c)
fuzz-cmdline-cflags = $(fuzz-lwip-cflags) -DCONFIG_IPV4=1 -DCONFIG_IPV6=1

include lib/dns/files.mk lib/crypto/host.mk
fuzz-dns = tests/fuzz/dns_zone.c $(dns-server-srcs) $(dns-build-srcs) $(host-mbedtls-srcs)
fuzz-dns-cflags = $(dns-all-options) $(dns-server-options) $(host-mbedtls-cflags)
fuzz-dns_query-what := a DNS query, a zone transfer's among them
fuzz-dns_query-srcs = tests/fuzz/dns_query.c $(fuzz-dns)
fuzz-dns_query-cflags = $(fuzz-dns-cflags)
fuzz-dns_zonefile-what := a zone file, and questions about what becomes a zone
fuzz-dns_zonefile-srcs = tests/fuzz/dns_zonefile.c $(fuzz-dns)
fuzz-dns_zonefile-cflags = $(fuzz-dns-cflags)
fuzz-dns_transfer-what := zone transfers, and signed questions for them: who gets what
fuzz-dns_transfer-srcs = tests/fuzz/dns_transfer.c tests/fuzz/dns_sign.c tests/fuzz/input.c $(fuzz-dns)
fuzz-dns_transfer-cflags = $(fuzz-dns-cflags)
fuzz-dns_fetch-what := a primary whose zone is fetched: messages, pieces, signatures, versions, NOTIFY
fuzz-dns_fetch-srcs = tests/fuzz/dns_fetch.c tests/fuzz/input.c $(fuzz-dns)
fuzz-dns_fetch-cflags = $(fuzz-dns-cflags)
fuzz-dns_notify-what := the servers that are told of changes: answers, right ones and others, and time
fuzz-dns_notify-srcs = tests/fuzz/dns_notify.c tests/fuzz/input.c $(dns-notify-srcs) \
	$(addprefix lib/dns/,access.c algorithm.c name.c prefix.c tsig.c) lib/crypto/hmac.c $(host-mbedtls-srcs)
fuzz-dns_notify-cflags = $(fuzz-dns-cflags)
fuzz-dns_tcp-what := clients of DNS over TCP: segments, acknowledgements, time, memory
fuzz-dns_tcp-srcs = $(fuzz-kernel) tests/fuzz/dns_tcp.c apps/dns/clients.c tests/fuzz/dns_sign.c tests/unit/fake_net_mem.c \
	lib/net/netpage.c $(fuzz-pbufs) $(fuzz-dns)
fuzz-dns_tcp-cflags = $(fuzz-dns-cflags) $(fuzz-lwip-cflags) -DCONFIG_IPV4=1 -DCONFIG_TCP=1 -DCONFIG_NET_TCP_OOSEQ=1 -DCONFIG_NET_TCP_SACK=1 \
	-DCONFIG_DNS_TCP_CONNECTIONS=3 -DCONFIG_DNS_TCP_IDLE_SECONDS=10 -DCONFIG_DNS_TCP_CLIENTS=1 \
	-DCONFIG_DNS_TCP_CLIENT_CONNECTIONS=2

fuzz-frames-what := frames into the stack with TCP, UDP, DHCP and DNS clients and the echo app
fuzz-frames-srcs = $(fuzz-kernel) tests/fuzz/frames.c tests/fuzz/frame.c \
	tests/unit/fake_net_kernel.c tests/unit/fake_net_mem.c \
	apps/echo/main.c \
	$(addprefix lib/net/,$(addsuffix .c,ack address announce checksum connections deliver filter forward frame gso guard net \
		netpage parse reply report serve tcp timeouts tso)) \
	$(addprefix $(fuzz-lwip)/src/,$(addprefix core/,def.c dns.c inet_chksum.c init.c ip.c mem.c \
			memp.c netif.c pbuf.c tcp.c tcp_in.c tcp_out.c udp.c) \
		$(addprefix core/ipv4/,dhcp.c etharp.c icmp.c igmp.c ip4.c ip4_addr.c ip4_frag.c) \
		$(addprefix core/ipv6/,ethip6.c icmp6.c inet6.c ip6.c ip6_addr.c ip6_frag.c mld6.c nd6.c) \
		netif/ethernet.c)
fuzz-frames-cflags = $(fuzz-lwip-cflags) -DCONFIG_IP_REASSEMBLY=1 -DCONFIG_NET_GSO=1 -DCONFIG_IPV4=1 -DCONFIG_IPV6=1 \
	-DCONFIG_TCP=1 -DCONFIG_NET_TCP_OOSEQ=1 -DCONFIG_NET_TCP_SACK=1 -DCONFIG_NET_TCP_SPARING=1 -DCONFIG_DHCP=1 -DCONFIG_RESOLVER=1 -DCONFIG_NET_CHECKS=1 \
	-DCONFIG_NET_TCP_WINDOW_KIB=256 -DCONFIG_NET_TIME_WAIT_MAX=16 \
	-DCONFIG_NET_TSO=1 -DCONFIG_NET_TCP_FORWARD=1 -DCONFIG_NET_TCP_ACKS_TOGETHER=1

fuzz-xenstore-what := a xenstored: replies, errors, events, lengths, indices; with xenbus above
fuzz-xenstore-srcs := $(fuzz-kernel) tests/fuzz/xenstore.c tests/unit/fake_xenstored.c \
	kernel/errno.c xen/xenbus.c xen/xenbus_state.c xen/xenstore.c xen/xenstore_reply.c \
	xen/xenstore_ops.c xen/xenstore_silence.c xen/xenstore_watch.c
