# SPDX-License-Identifier: ISC
# What single files of lwIP need, whoever compiles them: the guest, the unit tests, the fuzz targets.

# Those who cut packets into fragments take the chains of buffers apart that they are given, also TCP's, which it
# will send again. With this they copy.
lwip-own-frag := -DLWIP_NETIF_TX_SINGLE_PBUF=1
# Its lists of connections are ours.
lwip-own-tcp := -include lib/net/include/lwiptcp.h -DNET_LWIP_TCP
lwip-own-tcp_in := -include lib/net/include/lwiptcp.h -DNET_LWIP_TCP_IN
# What is in messages of neighbour discovery is looked at before it is believed.
lwip-own-icmp6 := -include lib/net/include/lwipnd6.h -DNET_LWIP_ICMP6
lwip-own-cflags := $(lwip-own-frag) $(lwip-own-tcp) $(lwip-own-tcp_in) $(lwip-own-icmp6)
lwip-own = $(strip $(if $(findstring _frag.c,$@),$(lwip-own-frag)) $(if $(findstring core/tcp.c,$@),$(lwip-own-tcp)) \
	$(if $(findstring core/tcp_in.c,$@),$(lwip-own-tcp_in)) $(if $(findstring ipv6/icmp6.c,$@),$(lwip-own-icmp6)))
