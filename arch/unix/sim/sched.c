/* SPDX-License-Identifier: ISC */
/* See sched.h. The guest's waiting is a host's poll(2), so an idle guest costs nothing. */
#define _GNU_SOURCE
#include "arch/unix/sim/sched.h"

#include <errno.h>
#include <poll.h>
#include <time.h>

#include <xen/xen.h>
#include <xen/sched.h>

#include "arch/unix/sim/domain.h"
#include "arch/unix/sim/event.h"
#include "arch/unix/sim/memory.h"
#include "arch/unix/sim/store.h"
#include "arch/unix/sim/vtime.h"
#include "lib/util.h"

#define FDS_MAX 32
#define POLL_PORTS_MAX 128 /* Xen's */
#define SLICE NSEC_PER_MSEC

static struct {
    struct sched_fd *fds;
    uint64_t last_pump;
    uint64_t asleep_since;
    uint64_t asleep_until; /* of a guest that polls; UINT64_MAX: for ever */
} sched = {.asleep_since = UINT64_MAX, .asleep_until = UINT64_MAX};

void sched_add(struct sched_fd *sfd)
{
    sfd->next = sched.fds;
    sched.fds = sfd;
}

void sched_remove(struct sched_fd *sfd)
{
    struct sched_fd **p = &sched.fds;

    while (*p && *p != sfd)
        p = &(*p)->next;
    if (*p)
        *p = sfd->next;
}

static bool is_known(const struct sched_fd *sfd)
{
    const struct sched_fd *s = sched.fds;

    while (s && s != sfd)
        s = s->next;
    return s != NULL;
}

/* Waits for one of the descriptors until then, and calls the functions of those that are ready. */
static void poll_fds(uint64_t until)
{
    struct pollfd fds[FDS_MAX];
    struct sched_fd *who[FDS_MAX];
    struct timespec wait, *limit = &wait;
    uint64_t now = vtime_now();
    nfds_t n = 0;

    for (struct sched_fd *s = sched.fds; s && n < FDS_MAX; s = s->next) {
        if (!s->events)
            continue;
        who[n] = s;
        fds[n++] = (struct pollfd){.fd = s->fd, .events = s->events};
    }
    if (until == UINT64_MAX)
        limit = NULL;
    until = MAX(until, now);
    wait.tv_sec = (time_t)((until - now) / NSEC_PER_SEC);
    wait.tv_nsec = (long)((until - now) % NSEC_PER_SEC);
    if (ppoll(fds, n, limit, NULL) <= 0)
        return;
    for (nfds_t i = 0; i < n; i++)
        if (fds[i].revents && is_known(who[i])) /* one function may remove another's */
            who[i]->fn(who[i], fds[i].revents);
}

/* What domain 0 was told, until it has nothing more to say to itself. */
void sched_domain_0(void)
{
    do
        event_run();
    while (store_run());
}

void sched_pump(uint64_t until)
{
    sched_domain_0();
    if (event_deliverable())
        until = 0;
    poll_fds(MIN(until, vtime_next()));
    vtime_run();
    sched_domain_0();
    sched.last_pump = vtime_now();
}

void sched_clock_read(void)
{
    if (vtime_now() - sched.last_pump >= SLICE)
        sched_pump(0);
}

/* The host may have kept us from running, and then several timers are due at once: one of them looks
 * before the guest's has rung. */
uint64_t sched_asleep_since(void)
{
    bool due = MIN(vtime_next(), sched.asleep_until) <= vtime_now();

    return due || event_deliverable() ? UINT64_MAX : sched.asleep_since;
}

/* --- the guest's calls ------------------------------------------------------------------------ */

static long block(void)
{
    domain_shared_info()->vcpu_info[0].evtchn_upcall_mask = 0;
    sched.asleep_since = vtime_now();
    while (!event_deliverable())
        sched_pump(UINT64_MAX);
    sched.asleep_since = UINT64_MAX;
    return 0;
}

static bool any_pending(const evtchn_port_t *ports, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (event_is_pending(ports[i]))
            return true;
    return event_deliverable();
}

static long poll_ports(uintptr_t arg)
{
    struct sched_poll op;
    evtchn_port_t ports[POLL_PORTS_MAX];
    bool forever;

    if (memory_from_guest(&op, arg, sizeof(op)))
        return -EFAULT;
    if (op.nr_ports > POLL_PORTS_MAX)
        return -EINVAL;
    if (memory_from_guest(ports, (uintptr_t)op.ports.p, op.nr_ports * sizeof(*ports)))
        return -EFAULT;
    for (unsigned i = 0; i < op.nr_ports; i++)
        if (!event_port_is_open(ports[i]))
            return -EINVAL;
    forever = !op.timeout;
    sched_pump(0);
    sched.asleep_since = vtime_now();
    while (!any_pending(ports, op.nr_ports) && (forever || vtime_guest_now() < op.timeout)) {
        sched.asleep_until = forever ? UINT64_MAX : vtime_guest_due(op.timeout);
        sched_pump(sched.asleep_until);
    }
    sched.asleep_since = sched.asleep_until = UINT64_MAX;
    return 0;
}

static long shut_down(uintptr_t arg)
{
    struct sched_shutdown op;

    if (memory_from_guest(&op, arg, sizeof(op)))
        return -EFAULT;
    if (op.reason > SHUTDOWN_MAX)
        return -EINVAL;
    domain_end(op.reason);
}

long sched_op(int cmd, uintptr_t arg)
{
    switch (cmd) {
    case SCHEDOP_yield:
        sched_pump(0);
        return 0;
    case SCHEDOP_block:
        return block();
    case SCHEDOP_poll:
        return poll_ports(arg);
    case SCHEDOP_shutdown:
        return shut_down(arg);
    default:
        return -ENOSYS;
    }
}
