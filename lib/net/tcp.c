/* SPDX-License-Identifier: ISC */
/*
 * What lwIP leaves to its port about TCP: initial sequence numbers (RFC 6528), the window, and a clock
 * that stands while every connection is idle. Connections are in connections.c.
 */
#include "lib/net/tcp.h"

#include <string.h>

#include "kernel/app.h"
#include "lib/net/net.h"
#include "lib/net/timeouts.h"
#include "lib/siphash.h"
#include "lib/util.h"

#include "lwip/priv/tcp_priv.h"

#include "lib/net/include/lwiphooks.h"

uint32_t net_random(void)
{
    uint32_t v;

    random_bytes(&v, sizeof(v));
    return v;
}

#if LWIP_TCP

/* --- initial sequence numbers ------------------------------------------------------------ */

static void address_words(uint64_t words[2], const ip_addr_t *ip)
{
    words[0] = words[1] = 0;
#if LWIP_IPV6
    if (IP_IS_V6(ip)) {
        memcpy(words, ip_2_ip6(ip)->addr, 16);
        return;
    }
#endif
#if LWIP_IPV4
    words[0] = ip4_addr_get_u32(ip_2_ip4(ip));
#endif
}

uint32_t net_tcp_isn(const ip_addr_t *local_ip, uint16_t local_port, const ip_addr_t *remote_ip,
                     uint16_t remote_port)
{
    static uint8_t key[SIPHASH_KEY];
    static bool keyed;
    uint64_t words[5];

    if (!keyed)
        random_bytes(key, sizeof(key));
    keyed = true;
    address_words(words, local_ip);
    address_words(words + 2, remote_ip);
    words[4] = (uint64_t)local_port << 16 | remote_port;
    /* A clock of 4 us a step, offset by a secret function of the connection. */
    return (uint32_t)(time_monotonic() / (4 * NSEC_PER_USEC)) +
           (uint32_t)siphash(key, words, sizeof(words));
}

/* --- the end ----------------------------------------------------------------------------- */

#define LINGER (3 * NSEC_PER_SEC)
#define LOOK_EVERY (10 * NSEC_PER_MSEC)

static bool is_sending(void)
{
    for (const struct tcp_pcb *pcb = tcp_active_pcbs; pcb; pcb = pcb->next)
        if (pcb->state >= ESTABLISHED && (pcb->unsent || pcb->unacked))
            return true;
    return false;
}

/* What a program has written and closed is on its way when it returns: it is given time to arrive. */
static void linger(struct shutdown_hook *hook)
{
    uint64_t until = time_monotonic() + LINGER;

    (void)hook;
    while ((is_sending() || net_tcp_acks_wait()) && time_monotonic() < until)
        thread_sleep(LOOK_EVERY);
}

/* --- windows ----------------------------------------------------------------------------- */

#define SHARE_OF_MEMORY 32
#define STEP 0x8000u

unsigned net_tcp_window;

void net_tcp_init(void)
{
    static struct shutdown_hook at_end = {.fn = linger};
    size_t share = page_count_total() * PAGE_SIZE / SHARE_OF_MEMORY;

    shutdown_hook_add(&at_end); /* before those of the app, hence called after them */
    share = MIN(share, (size_t)CONFIG_NET_TCP_WINDOW_KIB * 1024);
    net_tcp_window = (unsigned)((MAX(share, (size_t)STEP) - STEP) & ~(size_t)(2 * STEP - 1)) | STEP;
}

/* --- the clock --------------------------------------------------------------------------- */

/* Two ticks of 250 ms make one of TCP's slow ticks of 500 ms, in which all its times count. */
#define SLOW 2
/* With connections open the clock runs at least every ten seconds: an app may have queued data at
 * a moment when memory or a route was missing, and nothing but the clock tries again. */
#define REST_SLOW_TICKS 20

static unsigned ticks_since_slow; /* less than SLOW */

static bool is_busy(const struct tcp_pcb *pcb)
{
    return (pcb->state != ESTABLISHED && pcb->state != CLOSE_WAIT) || pcb->unsent || pcb->unacked ||
           pcb->refused_data || pcb->persist_backoff ||
#if TCP_QUEUE_OOSEQ
           pcb->ooseq ||
#endif
           (pcb->flags & (TF_FIN | TF_CLOSEPEND | TF_NAGLEMEMERR)) ||
           (pcb->flags & (TF_ACK_DELAY | TF_ACK_NOW) && net_is_up());
}

/* Slow ticks until an idle connection needs its clock. */
static unsigned idle_due(const struct tcp_pcb *pcb)
{
    unsigned due = REST_SLOW_TICKS;

    if (pcb->poll && pcb->pollinterval)
        due = MIN(due, (unsigned)MAX(pcb->pollinterval - pcb->polltmr, 1));
    if (ip_get_option(pcb, SOF_KEEPALIVE)) {
        u32_t idle = (tcp_ticks - pcb->tmr) * TCP_SLOW_INTERVAL;
        u32_t next = pcb->keep_idle + pcb->keep_cnt_sent * pcb->keep_intvl;

        due = idle >= next ? 1 : MIN(due, (next - idle) / TCP_SLOW_INTERVAL + 1);
    }
    return due;
}

unsigned net_tcp_due(void)
{
    unsigned due = NET_NEVER / SLOW;
    const struct tcp_pcb *pcb;

    for (pcb = tcp_active_pcbs; pcb; pcb = pcb->next) {
        if (is_busy(pcb))
            return 1;
        due = MIN(due, idle_due(pcb));
    }
    for (pcb = tcp_tw_pcbs; pcb; pcb = pcb->next) {
        u32_t age = tcp_ticks - pcb->tmr, life = 2 * TCP_MSL / TCP_SLOW_INTERVAL + 1;

        due = MIN(due, age >= life ? 1 : (unsigned)(life - age));
    }
    return due == NET_NEVER / SLOW ? NET_NEVER : due * SLOW - ticks_since_slow;
}

void net_tcp_skip(unsigned ticks)
{
    unsigned slow;

    ticks += ticks_since_slow;
    slow = ticks / SLOW;
    ticks_since_slow = ticks % SLOW;
    tcp_ticks += slow;
    for (struct tcp_pcb *pcb = tcp_active_pcbs; slow && pcb; pcb = pcb->next)
        pcb->polltmr = (u8_t)MIN(pcb->polltmr + slow, UINT8_MAX - 1u);
}

/* An acknowledgement in a segment that is too old to tell the window may take away what the window was probed
 * for. lwIP would go on, and its clock would never rest. */
static void end_idle_probes(void)
{
    for (struct tcp_pcb *pcb = tcp_active_pcbs; pcb; pcb = pcb->next) {
        if (!pcb->unsent)
            pcb->persist_backoff = 0;
    }
}

/*
 * A connection that the app has closed ends when all has been acknowledged; lwIP waits for that as long as there are
 * signs of life, which a client whose window stays shut may give for ever. RFC 6429 section 4 lets us end it: when for
 * two minutes with a shut window, or else ten, less than a small segment has been acknowledged.
 */
#define SHUT_MAX (2 * TCP_MSL / TCP_SLOW_INTERVAL)
#define CLOSING_MAX (600000u / TCP_SLOW_INTERVAL)
#define PROGRESS_MIN 536u

static void end_orphans(void)
{
    struct tcp_pcb *pcb = tcp_active_pcbs;

    while (pcb) {
        if ((pcb->state == FIN_WAIT_1 || pcb->state == CLOSING) && pcb->flags & TF_RXCLOSED) {
            /* Two fields that nothing else uses in these states: what was acknowledged, and when. */
            if (pcb->lastack - pcb->keep_idle >= PROGRESS_MIN) {
                pcb->keep_idle = pcb->lastack;
                pcb->tmr = tcp_ticks;
            } else if (tcp_ticks - pcb->tmr > (pcb->persist_backoff ? SHUT_MAX : CLOSING_MAX)) {
                tcp_abandon(pcb, 1);
                pcb = tcp_active_pcbs; /* the app may have ended others */
                continue;
            }
        }
        pcb = pcb->next;
    }
}

void net_tcp_tick(void)
{
    tcp_fasttmr();
    if (++ticks_since_slow >= SLOW) {
        ticks_since_slow = 0;
        end_idle_probes();
        end_orphans();
        tcp_slowtmr();
    }
}

#endif
