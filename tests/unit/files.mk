# Unit tests: one line each, `unit-X-srcs := tests/unit/test_X.c and the sources it tests`.
# unit-X-cflags and unit-X-libs add flags (options of the configuration as -DCONFIG_Y=1);
# $(unit-lwip) is lwIP's source directory and $(unit-lwip-cflags) what its headers need.
# A test is a program of Check (srunner_run_all(..., CK_ENV)); config/unit.mk has the rules.

# The network driver with the pages and packet buffers it works on, and its backend.
unit-netback = tests/unit/fake_netback.c tests/unit/fake_netback_rings.c \
	tests/unit/fake_grants.c tests/unit/fake_net_mem.c tests/unit/fake_kernel.c $(addprefix drivers/netfront_,bare.c page.c piece.c push.c rx.c store.c tx.c) \
	lib/net/netpage.c lib/net/published.c \
	$(addprefix $(unit-lwip)/src/core/,def.c mem.c memp.c pbuf.c)

unit-byte_ring-srcs := tests/unit/test_byte_ring.c
unit-clock-srcs := tests/unit/test_clock.c
unit-cmdline-srcs := tests/unit/test_cmdline.c kernel/cmdline.c
unit-errno-srcs := tests/unit/test_errno.c kernel/errno.c kernel/fmt.c
unit-evtchn-srcs := tests/unit/test_evtchn.c
unit-fmt-srcs := tests/unit/test_fmt.c kernel/fmt.c
unit-gnttab-srcs := tests/unit/test_gnttab.c
unit-iperf_json-srcs := tests/unit/test_iperf_json.c apps/iperf3/json.c
unit-lending-srcs := tests/unit/test_lending.c tests/unit/fake_grants.c tests/unit/fake_net_mem.c tests/unit/fake_kernel.c \
	xen/lending.c
unit-gso-srcs := tests/unit/test_gso.c tests/unit/fake_kernel.c lib/net/gso.c lib/net/netpage.c \
	$(addprefix $(unit-lwip)/src/core/,def.c mem.c memp.c pbuf.c)
unit-gso-cflags = $(unit-lwip-cflags) -DCONFIG_NET_GSO=1 -DCONFIG_IPV4=1 -DCONFIG_IPV6=1
unit-echo_sockets-srcs := tests/unit/test_echo_sockets.c
unit-headers-srcs := tests/unit/test_headers.c
unit-heap-srcs := tests/unit/test_heap.c
unit-libc_console-srcs := tests/unit/test_libc_console.c
unit-libc_console-cflags := -DCONFIG_CONSOLE_INPUT=1
unit-libc_file-srcs := tests/unit/test_libc_file.c
unit-libc_file-cflags := -DCONFIG_LIBC_FILES=64
unit-log-srcs := tests/unit/test_log.c kernel/log.c kernel/fmt.c kernel/timer.c
unit-loop-srcs := tests/unit/test_loop.c kernel/timer.c
unit-net_stack-srcs := tests/unit/test_net_stack.c tests/unit/fake_net_kernel.c tests/unit/fake_kernel.c \
	$(addprefix lib/net/,$(addsuffix .c,address announce checksum connections deliver filter frame gso guard lwipaddr mem net \
		netpage parse reply report serve tcp timeouts)) \
	$(addprefix $(unit-lwip)/src/,$(addprefix core/,altcp.c altcp_alloc.c altcp_tcp.c def.c \
		inet_chksum.c init.c ip.c mem.c memp.c netif.c pbuf.c tcp.c tcp_in.c tcp_out.c udp.c) \
		$(addprefix core/ipv4/,dhcp.c etharp.c icmp.c igmp.c ip4.c ip4_addr.c ip4_frag.c) \
		$(addprefix core/ipv6/,ethip6.c icmp6.c inet6.c ip6.c ip6_addr.c ip6_frag.c mld6.c nd6.c) \
		netif/ethernet.c)
unit-net_stack-cflags = $(unit-lwip-cflags) -include lib/net/include/lwipaddr.h -DCONFIG_NET_GSO=1 \
	-DCONFIG_IPV4=1 -DCONFIG_IGMP=1 -DCONFIG_MULTICAST=1 -DCONFIG_IPV6=1 \
	-DCONFIG_IP_REASSEMBLY=1 -DCONFIG_DHCP=1 -DCONFIG_TCP=1 -DCONFIG_NET_TCP_OOSEQ=1 -DCONFIG_NET_TCP_SACK=1 -DCONFIG_NET_TCP_WINDOW_KIB=256 \
	-DCONFIG_NET_TCP_SPARING=1 -DCONFIG_NET_TIME_WAIT_MAX=256
unit-net_whole-srcs = tests/unit/test_net_whole.c $(unit-net-objects)
unit-net_whole-cflags = $(filter-out -DCONFIG_IP_REASSEMBLY=1,$(unit-net_stack-cflags)) -DCONFIG_NET_CHECKS=1
unit-net_tso-srcs := tests/unit/test_net_tso.c lib/net/tso.c \
	$(filter-out tests/unit/test_net_stack.c,$(unit-net_stack-srcs))
unit-net_tso-cflags = $(unit-net_stack-cflags) -DCONFIG_NET_TSO=1 -DCONFIG_NET_CHECKS=1
# The same over an allocator that lets ASan see each object.
unit-net-objects = tests/unit/fake_net_mem.c $(filter-out tests/unit/test_net_stack.c lib/net/mem.c,$(unit-net_stack-srcs))
unit-net_ack-srcs = tests/unit/test_net_ack.c lib/net/ack.c $(unit-net-objects)
unit-net_ack-cflags = $(unit-net_stack-cflags) -DCONFIG_NET_TCP_ACKS_TOGETHER=1 -DCONFIG_NET_CHECKS=1
unit-net_ack_ends-srcs = tests/unit/test_net_ack_ends.c lib/net/ack.c $(unit-net-objects)
unit-net_ack_ends-cflags = $(unit-net_ack-cflags)
unit-net_forward_uncut-srcs = tests/unit/test_net_forward.c apps/echo/main.c lib/net/ack.c lib/net/forward.c $(unit-net-objects)
unit-net_forward_uncut-cflags = $(unit-net_ack-cflags) -DCONFIG_NET_TCP_FORWARD=1
unit-net_forward-srcs = $(unit-net_forward_uncut-srcs) lib/net/tso.c
unit-net_forward-cflags = $(unit-net_forward_uncut-cflags) -DCONFIG_NET_TSO=1
unit-page-srcs := tests/unit/test_page.c kernel/page.c
unit-page-cflags := -DCONFIG_DEBUG_CHECKS=1
unit-random-srcs := tests/unit/test_random.c kernel/random.c kernel/chacha.c
unit-string-srcs := tests/unit/test_string.c
unit-symbols-srcs := tests/unit/test_symbols.c lib/symbols.c
unit-symbols-cflags := -DCONFIG_SYMBOLS=1
unit-timer-srcs := tests/unit/test_timer.c kernel/timer.c
unit-console-srcs := tests/unit/test_console.c tests/unit/fake_kernel.c
unit-console-cflags := -DCONFIG_CONSOLE_INPUT=1
# The same as in most images: nobody reads.
unit-console_deaf-srcs := $(unit-console-srcs)
unit-ring-srcs := tests/unit/test_ring.c
unit-ring-cflags := -DCONFIG_DEBUG_CHECKS=1
unit-netfront-srcs := tests/unit/test_netfront.c $(unit-netback)
unit-netfront-cflags = $(unit-lwip-cflags) -DCONFIG_NET_GSO=1 -DCONFIG_NET_PUBLISH=1 -DCONFIG_IPV4=1
unit-netfront_published-srcs := tests/unit/test_netfront_published.c $(unit-netback)
unit-netfront_published-cflags = $(unit-netfront-cflags)
unit-netfront_forwarded-srcs := tests/unit/test_netfront_forwarded.c lib/net/forward.c $(unit-netback)
unit-netfront_forwarded-cflags = $(unit-netfront-cflags) -DCONFIG_TCP=1 -DCONFIG_NET_TCP_WINDOW_KIB=256 -DCONFIG_NET_TCP_FORWARD=1
unit-netfront_push-srcs := tests/unit/test_netfront_push.c $(unit-netback)
unit-netfront_push-cflags = $(unit-netfront-cflags)
unit-netfront_rings-srcs := tests/unit/test_netfront_rings.c $(unit-netback)
unit-netfront_rings-cflags = $(unit-netfront-cflags)
unit-netfront_walk-srcs := tests/unit/test_netfront_walk.c $(unit-netback)
unit-netfront_walk-cflags = $(unit-netfront-cflags)
unit-shutdown-srcs := tests/unit/test_shutdown.c tests/unit/fake_kernel.c kernel/errno.c \
	tests/unit/fake_xenstored.c kernel/control.c kernel/publish.c xen/xenstore.c \
	xen/xenstore_reply.c xen/xenstore_ops.c xen/xenstore_silence.c xen/xenstore_watch.c
unit-shutdown-cflags := -DCONFIG_SYSRQ=1 -DCONFIG_XENSTORE=1
unit-xenbus-srcs := tests/unit/test_xenbus.c tests/unit/fake_kernel.c kernel/errno.c \
	tests/unit/fake_xenstored.c xen/xenbus.c xen/xenbus_state.c xen/xenstore.c xen/xenstore_reply.c xen/xenstore_ops.c \
	xen/xenstore_silence.c xen/xenstore_watch.c
unit-xenbus-cflags := -fno-pie
unit-xenbus-libs := -no-pie
unit-xenstore-srcs := tests/unit/test_xenstore.c tests/unit/fake_kernel.c kernel/errno.c \
	tests/unit/fake_xenstored.c xen/xenstore.c xen/xenstore_reply.c xen/xenstore_ops.c \
	xen/xenstore_silence.c xen/xenstore_watch.c

include lib/dns/files.mk
unit-dns_zonefile-srcs := tests/unit/test_dns_zonefile.c $(dns-answer-srcs) $(dns-build-srcs)
unit-dns_answer-srcs := tests/unit/test_dns_answer.c $(dns-answer-srcs) $(dns-build-srcs)
unit-dns_zonefile-cflags := $(dns-all-options)
unit-dns_long-srcs := tests/unit/test_dns_long.c $(dns-answer-srcs) $(dns-build-srcs)
unit-dns_long-cflags := $(dns-all-options)
unit-dns_plain-srcs := tests/unit/test_dns_plain.c $(dns-answer-srcs) $(dns-build-srcs)
unit-dns_plain-cflags := $(dns-all-options)
# The same without any option, as most images are: there EDNS options are ignored.
unit-dns_plain_bare-srcs := $(unit-dns_plain-srcs)
unit-dns_damage-srcs := tests/unit/test_dns_damage.c $(dns-answer-srcs) $(dns-build-srcs)
unit-dns_damage-cflags := $(dns-all-options)
unit-dns_answer-cflags := $(dns-all-options)
unit-dns_vacant-srcs := tests/unit/test_dns_vacant.c $(dns-answer-srcs) $(dns-build-srcs)
unit-dns_vacant-cflags := $(dns-all-options) -DCONFIG_DNS_SECONDARY=1

include lib/crypto/host.mk
unit-dns_transfer-srcs = tests/unit/test_dns_transfer.c $(dns-server-srcs) $(dns-build-srcs) $(host-mbedtls-srcs)
unit-dns_transfer-cflags = $(dns-all-options) $(dns-server-options) $(host-mbedtls-cflags)
unit-dns_secondary-srcs = tests/unit/test_dns_secondary.c $(dns-server-srcs) $(dns-build-srcs) $(host-mbedtls-srcs)
unit-dns_secondary-cflags = $(dns-all-options) $(dns-server-options) $(host-mbedtls-cflags) \
	-include tests/unit/dns_memory.h
unit-dns_secondary-libs := -Wl,--wrap=dns_rdata_compare,--wrap=dns_name_equal,--wrap=dns_zone_match
unit-dns_ixfr-srcs = tests/unit/test_dns_ixfr.c $(dns-server-srcs) $(dns-build-srcs) $(host-mbedtls-srcs)
unit-dns_ixfr-cflags = $(unit-dns_secondary-cflags)
unit-dns_notifier-srcs = tests/unit/test_dns_notifier.c lib/dns/notifier.c lib/dns/access.c lib/dns/algorithm.c lib/dns/prefix.c lib/dns/name.c \
	lib/dns/tsig.c lib/crypto/hmac.c $(host-mbedtls-srcs)
unit-dns_notifier-cflags = $(dns-server-options) $(host-mbedtls-cflags) -include tests/unit/dns_memory.h
unit-dns_access-srcs = tests/unit/test_dns_access.c lib/dns/access.c lib/dns/algorithm.c lib/dns/prefix.c lib/dns/name.c lib/crypto/hmac.c $(host-mbedtls-srcs)
unit-dns_access-cflags = $(dns-server-options) $(host-mbedtls-cflags)
unit-dns_edns-srcs := tests/unit/test_dns_edns.c lib/dns/edns.c
unit-dns_limit-srcs := tests/unit/test_dns_limit.c $(dns-answer-srcs) $(dns-build-srcs)
unit-dns_limit-cflags := $(dns-all-options)
unit-dns_tcp-srcs = tests/unit/test_dns_tcp.c apps/dns/clients.c $(filter-out tests/unit/test_net_stack.c,$(unit-net_stack-srcs)) \
	$(dns-answer-srcs) $(dns-xfr-srcs) $(dns-build-srcs)
unit-dns_tcp-cflags = $(unit-net_stack-cflags) $(dns-all-options) -DCONFIG_DNS_TCP_CONNECTIONS=10000 \
	-DCONFIG_DNS_TCP_IDLE_SECONDS=10 -DCONFIG_DNS_TCP_CLIENTS=1 -DCONFIG_DNS_TCP_CLIENT_CONNECTIONS=16 -DCONFIG_DNS_XFR=1
unit-dns_tcp-libs := -Wl,--wrap=net_mem_alloc,--wrap=net_mem_calloc,--wrap=net_mem_free
unit-dns_counters-srcs := tests/unit/test_dns_counters.c apps/dns/counters.c $(dns-answer-srcs) $(dns-build-srcs)
unit-dns_counters-cflags = $(unit-net_stack-cflags) $(dns-all-options)
