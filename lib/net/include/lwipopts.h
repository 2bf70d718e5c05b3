/* SPDX-License-Identifier: ISC */
/*
 * How lwIP is built here (the options are explained in lwIP's own opt.h; docs/network.md says why
 * each differs from its default). CONFIG_ names come from Kconfig.
 */
#ifndef NET_LWIPOPTS_H
#define NET_LWIPOPTS_H

#include "lib/net/mem.h"
#include "lib/util.h"

/* --- one thing at a time ----------------------------------------------------------------- */
#define NO_SYS (!IS_ENABLED(CONFIG_SOCKETS))
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_TCPIP_CORE_LOCKING 1
#define LWIP_TCPIP_CORE_LOCKING_INPUT 1
#define LOCK_TCPIP_CORE() ((void)0)
#define UNLOCK_TCPIP_CORE() ((void)0)
#define LWIP_COMPAT_MUTEX 0
/* lib/net/timeouts.c: no periodic wake-ups while nothing is due. */
#define LWIP_TIMERS 1
#define LWIP_TIMERS_CUSTOM 1

/* --- memory: lib/net/mem.c --------------------------------------------------------------- */
#define MEM_CUSTOM_ALLOCATOR 1
#define MEM_CUSTOM_MALLOC net_mem_alloc
#define MEM_CUSTOM_CALLOC net_mem_calloc
#define MEM_CUSTOM_FREE net_mem_free
#define MEM_SIZE 0x10000 /* only makes mem_size_t 32 bits wide */
#define MEMP_MEM_MALLOC 1
#define MEM_ALIGNMENT 8
#define LWIP_SUPPORT_CUSTOM_PBUF 1
#define LWIP_PBUF_REF_T unsigned short

/* --- protocols --------------------------------------------------------------------------- */
/* lwIP's types need one version, though a build without a stack has none. */
#define LWIP_IPV4 (IS_ENABLED(CONFIG_IPV4) || IS_ENABLED(CONFIG_NET_BARE))
#define LWIP_IPV6 IS_ENABLED(CONFIG_IPV6)
#define LWIP_TCP IS_ENABLED(CONFIG_TCP)
#define LWIP_UDP 1
#define LWIP_DHCP IS_ENABLED(CONFIG_DHCP)
#define LWIP_RAW 0
#define LWIP_DNS IS_ENABLED(CONFIG_RESOLVER)
#define LWIP_ETHERNET 1
#define LWIP_ARP LWIP_IPV4
#define LWIP_ICMP LWIP_IPV4
#define LWIP_ICMP6 LWIP_IPV6
#define LWIP_IGMP IS_ENABLED(CONFIG_IGMP)
#define LWIP_IPV6_MLD LWIP_IPV6
#define LWIP_IPV6_AUTOCONFIG LWIP_IPV6
#define LWIP_IPV6_SEND_ROUTER_SOLICIT LWIP_IPV6
#define LWIP_IPV6_DHCP6 0
#define LWIP_ACD 0
#define LWIP_DHCP_DOES_ACD_CHECK 0
#define LWIP_MULTICAST_TX_OPTIONS IS_ENABLED(CONFIG_SOCKETS)

/* Replies to a broadcast ping are an amplifier. */
#define LWIP_BROADCAST_PING 0
#define LWIP_MULTICAST_PING 0
#define IP_OPTIONS_ALLOWED 1
#define IP_FORWARD 0
#define IP_DEFAULT_TTL 64
#define LWIP_ICMP6_HL 255

/* Reassembly: a chain that stays incomplete is dropped after IP_REASS_MAXAGE seconds, and the
 * oldest goes first when all chains together reach this many pages. */
#define IP_REASSEMBLY (LWIP_IPV4 && IS_ENABLED(CONFIG_IP_REASSEMBLY))
#define IP_FRAG LWIP_IPV4
#define IP_REASS_MAX_PBUFS 96
#define MEMP_NUM_REASSDATA 16
#define LWIP_IPV6_REASS (LWIP_IPV6 && IS_ENABLED(CONFIG_IP_REASSEMBLY))
#define LWIP_IPV6_FRAG LWIP_IPV6
/* Pointers are larger than the space the fragment header offers. */
#define IPV6_FRAG_COPYHEADER 1

#define ARP_TABLE_SIZE 64
#define ARP_QUEUEING 1
#define ARP_QUEUE_LEN 8
#define ETHARP_TRUST_IP_MAC 0
#define ETHARP_TABLE_MATCH_NETIF 1
#define LWIP_ND6_NUM_NEIGHBORS 64
#define LWIP_ND6_NUM_DESTINATIONS 64
#define LWIP_ND6_NUM_PREFIXES 8
#define LWIP_ND6_NUM_ROUTERS 4
#define LWIP_ND6_QUEUEING 1
#define MEMP_NUM_ND6_QUEUE 64
#define LWIP_ND6_RDNSS_MAX_DNS_SERVERS 0
#define LWIP_IPV6_NUM_ADDRESSES 5
#define LWIP_IPV6_ADDRESS_LIFETIMES LWIP_IPV6

/* --- UDP and TCP ------------------------------------------------------------------------- */
#define SO_REUSE IS_ENABLED(CONFIG_SOCKETS)
#define TCP_MSS 1460
#define LWIP_WND_SCALE (IS_ENABLED(CONFIG_TCP) && CONFIG_NET_TCP_WINDOW_KIB > 64)
#define TCP_RCV_SCALE 5
/* Chosen at boot, by the guest's memory (lib/net/tcp.c): an odd multiple of 32 KiB. The
 * preprocessor, in lwIP's checks, reads the name as 0. */
extern unsigned net_tcp_window;
#define TCP_WND (net_tcp_window | 0x8000u)
#define TCP_SND_BUF TCP_WND
/* As many buffers as segments of the least size that clients may ask for (SEGMENT_MIN in
 * lib/net/connections.c): each costs up to 256 octets for its headers. */
#define TCP_SND_QUEUELEN (TCP_SND_BUF < 4096 * 64 ? TCP_SND_BUF / 64 : 4096)
#define TCP_SNDLOWAT (4 * TCP_MSS)
#define TCP_SNDQUEUELOWAT 64
#define TCP_OVERSIZE TCP_MSS
#define TCP_QUEUE_OOSEQ IS_ENABLED(CONFIG_NET_TCP_OOSEQ)
#define TCP_OOSEQ_MAX_PBUFS 64
#define TCP_OOSEQ_PBUFS_LIMIT(pcb) ((u16_t)net_tcp_ooseq_max()) /* none, when pages are scarce */
#define LWIP_TCP_SACK_OUT IS_ENABLED(CONFIG_NET_TCP_SACK)
#define TCP_LISTEN_BACKLOG 1
#define LWIP_TCP_KEEPALIVE 1
#define LWIP_TCP_PCB_NUM_EXT_ARGS 0
/* The checks compare with pools that are not used. */
#define LWIP_DISABLE_TCP_SANITY_CHECKS 1
#define LWIP_DISABLE_MEMP_SANITY_CHECKS 1

/* --- interfaces -------------------------------------------------------------------------- */
#define LWIP_NETIF_STATUS_CALLBACK 1
#define LWIP_NETIF_EXT_STATUS_CALLBACK 0
#define LWIP_NETIF_LINK_CALLBACK 0
#define LWIP_NETIF_HOSTNAME LWIP_DHCP
#ifndef LWIP_NETIF_TX_SINGLE_PBUF
#define LWIP_NETIF_TX_SINGLE_PBUF 0 /* not for all: config/lwip-own.mk */
#endif
#define LWIP_HAVE_LOOPIF IS_ENABLED(CONFIG_SOCKETS)
#define LWIP_NETIF_LOOPBACK 0

/* --- checksums: per interface, see lib/net/net.c ----------------------------------------- */
#define LWIP_CHECKSUM_CTRL_PER_NETIF 1
#define LWIP_CHKSUM net_checksum
uint16_t net_checksum(const void *data, int len);
#define LWIP_INLINE_IP_CHKSUM 1

/* --- sockets ----------------------------------------------------------------------------- */
#define LWIP_NETCONN IS_ENABLED(CONFIG_SOCKETS)
#define LWIP_SOCKET IS_ENABLED(CONFIG_SOCKETS)
#define LWIP_COMPAT_SOCKETS 0
#define LWIP_POSIX_SOCKETS_IO_NAMES 0
#define LWIP_SOCKET_OFFSET 0
#define LWIP_TIMEVAL_PRIVATE 0
#define LWIP_SO_RCVTIMEO 1
#define LWIP_SO_SNDTIMEO 1
#define LWIP_SO_RCVBUF 1
#define LWIP_SO_LINGER 1
#define LWIP_SOCKET_SELECT 0 /* select() is made from poll(): lib/net/sockets.c */
#define LWIP_SOCKET_POLL 1
#define MEMP_NUM_NETCONN 256 /* sockets: as many as select() can tell apart */
#define TCPIP_MBOX_SIZE 1
#define DEFAULT_ACCEPTMBOX_SIZE 128
#define DEFAULT_TCP_RECVMBOX_SIZE 128
#define DEFAULT_UDP_RECVMBOX_SIZE 128
#define RECV_BUFSIZE_DEFAULT (256 * 1024)

/* --- diagnosis --------------------------------------------------------------------------- */
#define LWIP_STATS 0
#ifndef CONFIG_NET_CHECKS
#define LWIP_NOASSERT 1
#endif

/* --- lib/net/tcp.c ----------------------------------------------------------------------- */
#define LWIP_HOOK_FILENAME "lib/net/include/lwiphooks.h"

#endif
