# The network: lwIP's files (paths below its src/) and our port of it.
ifdef CONFIG_NET
# What the driver needs: pages, packet buffers, and the objects that describe them.
obj-y += lib/net/netdev.c
obj-y += lib/net/netpage.c
obj-$(CONFIG_NET_PUBLISH) += lib/net/published.c
obj-y += lib/net/mem.c
obj-$(and $(CONFIG_IPV4),$(CONFIG_IPV6)) += lib/net/lwipaddr.c
lwip-y += core/def.c core/mem.c core/memp.c core/pbuf.c

ifndef CONFIG_NET_BARE
obj-y += lib/net/net.c
obj-y += lib/net/frame.c
obj-y += lib/net/guard.c
obj-y += lib/net/deliver.c
obj-y += lib/net/reply.c
obj-y += lib/net/serve.c
obj-$(CONFIG_MULTICAST) += lib/net/filter.c
obj-$(CONFIG_NET_GSO) += lib/net/gso.c
obj-$(CONFIG_NET_TSO) += lib/net/tso.c
obj-y += lib/net/address.c
obj-y += lib/net/parse.c
obj-y += lib/net/report.c
obj-y += lib/net/announce.c
obj-y += lib/net/checksum.c
obj-y += lib/net/timeouts.c
obj-y += lib/net/tcp.c
obj-$(CONFIG_TCP) += lib/net/connections.c
obj-$(CONFIG_NET_TCP_FORWARD) += lib/net/forward.c
obj-$(CONFIG_NET_TCP_ACKS_TOGETHER) += lib/net/ack.c
obj-$(CONFIG_SOCKETS) += lib/net/sys.c
obj-$(CONFIG_SOCKETS) += lib/net/sockets.c

lwip-y += core/init.c core/inet_chksum.c core/ip.c core/netif.c core/udp.c netif/ethernet.c
lwip-$(CONFIG_TCP) += core/tcp.c core/tcp_in.c core/tcp_out.c core/altcp.c core/altcp_alloc.c
lwip-$(CONFIG_TCP) += core/altcp_tcp.c
lwip-$(CONFIG_IPV4) += core/ipv4/etharp.c core/ipv4/icmp.c core/ipv4/ip4.c
lwip-$(CONFIG_IGMP) += core/ipv4/igmp.c
lwip-$(CONFIG_IPV4) += core/ipv4/ip4_addr.c core/ipv4/ip4_frag.c
lwip-$(CONFIG_DHCP) += core/ipv4/dhcp.c
lwip-$(CONFIG_IPV6) += core/ipv6/ethip6.c core/ipv6/icmp6.c core/ipv6/inet6.c core/ipv6/ip6.c
lwip-$(CONFIG_IPV6) += core/ipv6/ip6_addr.c core/ipv6/ip6_frag.c core/ipv6/mld6.c core/ipv6/nd6.c
lwip-$(CONFIG_SOCKETS) += api/api_lib.c api/api_msg.c api/err.c api/if_api.c api/netbuf.c
lwip-$(CONFIG_SOCKETS) += api/sockets.c
lwip-$(CONFIG_RESOLVER) += api/netdb.c core/dns.c
endif
endif
