/* SPDX-License-Identifier: ISC */
/*
 * Acknowledgements that go together (docs/network.md).
 *
 * lwIP acknowledges every other segment at once, as RFC 9293 (3.8.6.3) wants it, and a window that an app opens too. Of
 * large segments each is then acknowledged, and each acknowledgement interrupts the domain that sends, in the middle of
 * sending. So here they wait for the end of the loop's turn; and when others have gone just before, until INTERVAL
 * has passed since, unless a sender has by then got a good part of its window back. That is fewer than the RFC wants, as it
 * is with every host whose segments come in large. Data that goes out meanwhile takes the acknowledgement along.
 *
 * What tells of a gap is no part of this: lwIP sends such acknowledgements itself, one for each segment.
 */
#include "kernel/timer.h"
#include "kernel/work.h"
#include "lib/net/include/lwiphooks.h"
#include "lib/net/tcp.h"
#include "lib/util.h"

#include "lwip/priv/tcp_priv.h"

#define INTERVAL (300 * NSEC_PER_USEC)
#define PART 4    /* of the window */
#define AT_MOST 8 /* connections; with one more all are acknowledged */

static struct tcp_pcb *waiting[AT_MOST];
static unsigned count;
static uint64_t sent_at;

static void time_is_up(struct timer *t);
static struct timer timer = {.fn = time_is_up};

static void send_all(void)
{
    if (timer.armed)
        timer_disarm(&timer);
    while (count) {
        struct tcp_pcb *pcb = waiting[--count];

        if (pcb->flags & TF_ACK_NOW) { /* nothing has taken it along */
            sent_at = timer_now();
            (void)tcp_send_empty_ack(pcb); /* without memory TCP's clock tries again */
        }
    }
}

static void time_is_up(struct timer *t)
{
    (void)t;
    send_all();
}

/* How much further the window goes than the sender knows. */
static uint32_t gained(const struct tcp_pcb *pcb)
{
    return pcb->rcv_nxt + pcb->rcv_wnd - pcb->rcv_ann_right_edge;
}

static bool may_wait(void)
{
    if (timer_now() - sent_at >= INTERVAL)
        return false;
    for (unsigned i = 0; i < count; i++) {
        if (gained(waiting[i]) >= TCP_WND_MAX(waiting[i]) / PART)
            return false;
    }
    return true;
}

static void turn_ends(struct work *w)
{
    (void)w;
    if (!may_wait())
        send_all();
    else if (!timer.armed)
        timer_arm(&timer, sent_at + INTERVAL);
}

err_t net_tcp_acknowledge(struct tcp_pcb *pcb)
{
    static struct work work;

    if (!net_tcp_is_listed(pcb))
        return tcp_send_empty_ack(pcb); /* it is about to go */
    if (!work.run)
        work_init(&work, turn_ends);
    net_tcp_drop_ack(pcb);
    if (count == AT_MOST)
        send_all();
    waiting[count++] = pcb;
    work_post_late(&work);
    return ERR_OK;
}

void net_tcp_drop_ack(const struct tcp_pcb *pcb)
{
    for (unsigned i = 0; i < count; i++) {
        if (waiting[i] == pcb)
            waiting[i] = waiting[--count];
    }
}

bool net_tcp_acks_wait(void)
{
    return count != 0;
}
