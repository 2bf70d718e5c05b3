/* SPDX-License-Identifier: ISC */
/*
 * lwIP's clocks, without waking an idle guest (in place of core/timeouts.c; doc/NO_SYS_SampleCode.c has their promises).
 *
 * lwIP ages its tables by calling a function for each protocol at a fixed period, for ever. Here each such clock says
 * in how many of its periods it next has something to do; one kernel timer is armed for the earliest. A clock that
 * was let stand catches up later, by being called as often as it missed, so lifetimes stay right.
 *
 * The tables of ARP, neighbour discovery and reassembly do not tell what is pending in them. They change state only
 * within QUIET_SECONDS of the last packet, so their clocks run that long after it and then stand. Invariant: they
 * have caught up before lwIP sees a packet that arrives later (else the catching up would age what that packet made).
 */
#include "lib/net/timeouts.h"

#include <stdint.h>

#include "kernel/app.h"
#include "lib/net/mem.h"
#include "lib/util.h"

#include "lwip/dhcp.h"
#include "lwip/dns.h"
#include "lwip/etharp.h"
#include "lwip/igmp.h"
#include "lwip/ip4_frag.h"
#include "lwip/ip6_frag.h"
#include "lwip/mld6.h"
#include "lwip/nd6.h"
#include "lwip/netif.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/sys.h"
#include "lwip/timeouts.h"

#include "lib/net/include/lwiphooks.h"

/* IPv4 reassembly gives up after 15 s, a neighbour's probe after 8 s, DAD and solicitation of routers after 12 s. */
#define QUIET_SECONDS 20
#define REST_SECONDS 600 /* at rest they run so often: it bounds the catching up */

struct cyclic {
    unsigned period_ms;
    void (*tick)(void);
    /* Periods from now to the next one that matters: 1 at least, or NET_NEVER. */
    unsigned (*due)(void);
    /* Makes up for periods in which nothing was due; NULL: call tick for each. */
    void (*skip)(unsigned ticks);
    bool rests; /* runs for QUIET_SECONDS after a packet, then stands */
};

bool net_timeouts_awake, net_timeouts_seen, net_timeouts_tcp_resting = true;
static unsigned quiet_seconds;
static struct timer timer;

static unsigned due_while_awake(void)
{
    return net_timeouts_awake ? 1 : REST_SECONDS;
}

#if LWIP_IPV6
/* Addresses are tried (RFC 4862) and expire on time even in a guest that has seen no packet yet, or is at rest. */
static unsigned due_nd6(void)
{
    unsigned due = due_while_awake();
    struct netif *netif;

    NETIF_FOREACH(netif)
    {
        for (int i = 0; i < LWIP_IPV6_NUM_ADDRESSES; i++) {
            u32_t life = netif_ip6_addr_valid_life(netif, i);

            if (ip6_addr_istentative(netif_ip6_addr_state(netif, i)) && netif_is_link_up(netif))
                return 1;
            if (!ip6_addr_isinvalid(netif_ip6_addr_state(netif, i)) &&
                !ip6_addr_life_isstatic(life) && !ip6_addr_life_isinfinite(life))
                due = MIN(due, MAX(life, 1));
        }
    }
    return due;
}

static unsigned due_mld6(void)
{
    struct netif *netif;

    NETIF_FOREACH(netif)
    {
        for (struct mld_group *g = netif_mld6_data(netif); g; g = g->next) {
            if (g->timer)
                return 1;
        }
    }
    return NET_NEVER;
}
#endif

#if LWIP_IGMP
static unsigned due_igmp(void)
{
    struct netif *netif;

    NETIF_FOREACH(netif)
    {
        for (struct igmp_group *g = netif_igmp_data(netif); g; g = g->next) {
            if (g->timer)
                return 1;
        }
    }
    return NET_NEVER;
}
#endif

#if LWIP_DHCP
static unsigned due_dhcp_fine(void)
{
    unsigned due = NET_NEVER;
    struct netif *netif;

    NETIF_FOREACH(netif)
    {
        struct dhcp *dhcp = netif_dhcp_data(netif);

        if (dhcp && dhcp->request_timeout)
            due = MIN(due, dhcp->request_timeout);
    }
    return due;
}

static unsigned due_dhcp_coarse(void)
{
    unsigned due = NET_NEVER;
    struct netif *netif;

    NETIF_FOREACH(netif)
    {
        struct dhcp *dhcp = netif_dhcp_data(netif);

        if (!dhcp)
            continue;
        if (dhcp->t0_timeout > dhcp->lease_used)
            due = MIN(due, (unsigned)(dhcp->t0_timeout - dhcp->lease_used));
        if (dhcp->t1_renew_time)
            due = MIN(due, dhcp->t1_renew_time);
        if (dhcp->t2_rebind_time)
            due = MIN(due, dhcp->t2_rebind_time);
    }
    return due;
}
#endif

/* Once a second: has it been quiet for long enough to let the clocks stand? */
static void watch_activity(void)
{
    quiet_seconds = net_timeouts_seen ? 0 : quiet_seconds + 1;
    net_timeouts_seen = false;
    if (quiet_seconds >= QUIET_SECONDS)
        net_timeouts_awake = false;
}

/* TCP's clock comes first. */
static const struct cyclic cyclics[] = {
#if LWIP_TCP
    {TCP_TMR_INTERVAL, net_tcp_tick, net_tcp_due, net_tcp_skip, false},
#endif
#if LWIP_DHCP
    {DHCP_FINE_TIMER_MSECS, dhcp_fine_tmr, due_dhcp_fine, NULL, false},
    {DHCP_COARSE_TIMER_MSECS, dhcp_coarse_tmr, due_dhcp_coarse, NULL, false},
#endif
#if LWIP_IGMP
    {IGMP_TMR_INTERVAL, igmp_tmr, due_igmp, NULL, false},
#endif
#if LWIP_IPV6
    {MLD6_TMR_INTERVAL, mld6_tmr, due_mld6, NULL, false},
    {ND6_TMR_INTERVAL, nd6_tmr, due_nd6, NULL, true},
#endif
#if LWIP_IPV6_REASS
    {IP6_REASS_TMR_INTERVAL, ip6_reass_tmr, due_while_awake, NULL, true},
#endif
#if LWIP_IPV4
    {ARP_TMR_INTERVAL, etharp_tmr, due_while_awake, NULL, true},
#endif
#if IP_REASSEMBLY
    {IP_TMR_INTERVAL, ip_reass_tmr, due_while_awake, NULL, true},
#endif
#if LWIP_DNS
    {DNS_TMR_INTERVAL, dns_tmr, due_while_awake, NULL, true},
#endif
    {1000, watch_activity, due_while_awake, NULL, true},
};

/* When each clock ticked last, and when it is to be looked at next (ns). Between the two it has
 * said that nothing is due. */
static struct {
    uint64_t last, next;
} clocks[ARRAY_SIZE(cyclics)];

static uint64_t period(unsigned i)
{
    return cyclics[i].period_ms * NSEC_PER_MSEC;
}

static bool has_nothing(unsigned i)
{
    return clocks[i].next == UINT64_MAX;
}

/* Moves clock i up to now; returns the periods that went by. */
static unsigned advance(unsigned i, uint64_t now)
{
    unsigned ticks = (unsigned)((now - clocks[i].last) / period(i));

    clocks[i].last += ticks * period(i);
    return ticks;
}

static void catch_up(unsigned i, uint64_t now)
{
    unsigned ticks = advance(i, now);

    if (!ticks || has_nothing(i))
        return;
    if (cyclics[i].due == due_while_awake) /* what they hold is gone after so many */
        ticks = MIN(ticks, REST_SECONDS);
    if (cyclics[i].skip) {
        cyclics[i].skip(ticks - 1);
        ticks = 1;
    }
    for (; ticks; ticks--)
        cyclics[i].tick();
}

/* Asks every clock and arms the timer for the first. */
static void arm(void)
{
    uint64_t now = timer_now(), first = UINT64_MAX;

    for (unsigned i = 0; i < ARRAY_SIZE(cyclics); i++) {
        unsigned due = cyclics[i].due();

        if (due != NET_NEVER && has_nothing(i))
            clocks[i].last = now; /* its periods begin with what it has now */
        clocks[i].next = due == NET_NEVER ? UINT64_MAX : clocks[i].last + due * period(i);
        first = MIN(first, clocks[i].next);
    }
    if (LWIP_TCP)
        net_timeouts_tcp_resting = clocks[0].next > now + period(0);
    if (first == UINT64_MAX)
        timer_disarm(&timer);
    else if (!timer.armed || timer.when != first)
        timer_arm(&timer, first);
}

static void tick(struct timer *t)
{
    uint64_t now = timer_now();

    (void)t;
    for (unsigned i = 0; i < ARRAY_SIZE(cyclics); i++)
        if (clocks[i].next <= now)
            catch_up(i, now);
    arm();
    net_look(); /* last: the app may be called, and not return */
}

void net_timeouts_changed(void)
{
    arm();
}

__attribute__((noinline)) void net_timeouts_input(void)
{
    uint64_t now = timer_now();

    net_timeouts_awake = true;
    quiet_seconds = 0;
    for (unsigned i = 0; i < ARRAY_SIZE(cyclics); i++)
        if (cyclics[i].rests)
            catch_up(i, now);
    arm();
}

/*
 * lwIP has made its table entry already, and catching up would expire it: what was missed is
 * forgone. Old entries then live on for as long as the guest was silent.
 */
void net_timeouts_output(void)
{
    uint64_t now = timer_now();

    net_timeouts_awake = true;
    quiet_seconds = 0;
    for (unsigned i = 0; i < ARRAY_SIZE(cyclics); i++)
        if (cyclics[i].rests)
            clocks[i].last = now;
    arm();
}

void sys_timeouts_init(void)
{
    uint64_t now = timer_now();

    timer_init(&timer, tick);
    for (unsigned i = 0; i < ARRAY_SIZE(cyclics); i++) {
        clocks[i].last = now;
        clocks[i].next = UINT64_MAX;
    }
    arm();
}

#if LWIP_TCP
/* May be called in the middle of lwIP's work: it ticks nothing. */
void net_timeouts_wake_tcp(void)
{
    uint64_t now = timer_now();
    unsigned ticks = advance(0, now);

    if (has_nothing(0))
        clocks[0].last = now;
    else
        net_tcp_skip(ticks);
    clocks[0].next = clocks[0].last + period(0);
    net_timeouts_tcp_resting = false;
    if (!timer.armed || timer.when > clocks[0].next)
        timer_arm(&timer, clocks[0].next);
}

/* lwIP: a connection has come into being. */
void tcp_timer_needed(void)
{
    net_timeouts_note_tcp();
}
#endif

#if LWIP_DNS
int net_lookup_begins(void)
{
    net_timeouts_note_output();
    return 0;
}
#endif

u32_t sys_now(void)
{
    return (u32_t)(timer_now() / NSEC_PER_MSEC);
}

/* --- one-shot timers of lwIP's own applications ------------------------------------------ */

struct one_shot {
    struct timer timer;
    struct one_shot *next;
    sys_timeout_handler fn;
    void *arg;
};

static struct one_shot *one_shots;

static void one_shot_remove(struct one_shot *o)
{
    struct one_shot **at = &one_shots;

    while (*at != o)
        at = &(*at)->next;
    *at = o->next;
    timer_disarm(&o->timer);
    net_mem_free(o);
}

static void one_shot_fire(struct timer *t)
{
    struct one_shot *o = container_of(t, struct one_shot, timer);
    sys_timeout_handler fn = o->fn;
    void *arg = o->arg;

    one_shot_remove(o);
    fn(arg);
}

void sys_timeout(u32_t msecs, sys_timeout_handler fn, void *arg)
{
    struct one_shot *o = net_mem_alloc(sizeof(*o));

    if (!o)
        return;
    o->fn = fn;
    o->arg = arg;
    o->next = one_shots;
    one_shots = o;
    timer_init(&o->timer, one_shot_fire);
    timer_arm_in(&o->timer, msecs * NSEC_PER_MSEC);
}

void sys_untimeout(sys_timeout_handler fn, void *arg)
{
    for (struct one_shot *o = one_shots; o; o = o->next) {
        if (o->fn == fn && o->arg == arg) {
            one_shot_remove(o);
            return;
        }
    }
}
