/* SPDX-License-Identifier: ISC */
/*
 * Within lib/net: lwIP's clocks without periodic wake-ups. See timeouts.c.
 */
#ifndef LIB_NET_TIMEOUTS_H
#define LIB_NET_TIMEOUTS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/util.h"

/* A packet has arrived (and lwIP has not seen it yet). */
void net_timeouts_input(void);
/* lwIP has sent, or tried to send, a packet. */
void net_timeouts_output(void);

/* For net_timeouts_input() and _output(): false while the clocks stand still. */
extern bool net_timeouts_awake;
/* Set by them; looked at once a second. */
extern bool net_timeouts_seen;

static ALWAYS_INLINE void net_timeouts_note_input(void)
{
    net_timeouts_seen = true;
    if (!net_timeouts_awake)
        net_timeouts_input();
}

static inline void net_timeouts_note_output(void)
{
    net_timeouts_seen = true;
    if (!net_timeouts_awake)
        net_timeouts_output();
}

/* A TCP segment goes in or out: TCP's clock must run from now on. */
void net_timeouts_wake_tcp(void);
extern bool net_timeouts_tcp_resting;

static inline void net_timeouts_note_tcp(void)
{
    if (net_timeouts_tcp_resting)
        net_timeouts_wake_tcp();
}

/* net.c: has every device look for what it was not told of. */
void net_look(void);

/* Something was started that lwIP's own calls do not tell (DHCP). */
void net_timeouts_changed(void);

/* tcp.c: TCP's tick. */
void net_tcp_tick(void);
/* tcp.c: in how many ticks of 250 ms TCP needs its clock: 1 at least; NET_NEVER. */
#define NET_NEVER UINT32_MAX
unsigned net_tcp_due(void);
/* tcp.c: lets TCP's clock run over ticks in which nothing is due. */
void net_tcp_skip(unsigned ticks);

#endif
