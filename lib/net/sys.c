/* SPDX-License-Identifier: ISC */
/*
 * lwIP's operating-system layer for sockets (include/arch/sys_arch.h), and what is left of its
 * api/tcpip.c when its core needs no thread: a call into the core is a call.
 */
#include <string.h>

#include "kernel/app.h"
#include "lib/net/mem.h"
#include "lib/util.h"

#include "lwip/priv/tcpip_priv.h"
#include "lwip/sys.h"
#include "lwip/tcpip.h"

/* --- waiting ----------------------------------------------------------------------------- */

/* Waits at q for at most timeout ms (0: for ever) since start; false when they are over. */
static bool wait(struct wait_queue *q, u32_t timeout, uint64_t start)
{
    uint64_t end = start + timeout * NSEC_PER_MSEC, now = time_monotonic();

    if (!timeout) {
        wait_queue_sleep(q);
        return true;
    }
    return now < end && wait_queue_sleep_for(q, end - now) == 0;
}

static u32_t waited(uint64_t start)
{
    return (u32_t)((time_monotonic() - start) / NSEC_PER_MSEC);
}

/* --- semaphores -------------------------------------------------------------------------- */

err_t sys_sem_new(sys_sem_t *sem, u8_t count)
{
    wait_queue_init(&sem->queue);
    sem->count = count;
    sem->valid = 1;
    return ERR_OK;
}

void sys_sem_free(sys_sem_t *sem)
{
    sem->valid = 0;
}

void sys_sem_signal(sys_sem_t *sem)
{
    sem->count++;
    wait_queue_wake_one(&sem->queue);
}

u32_t sys_arch_sem_wait(sys_sem_t *sem, u32_t timeout)
{
    uint64_t start = time_monotonic();

    while (!sem->count) {
        if (!wait(&sem->queue, timeout, start) && !sem->count)
            return SYS_ARCH_TIMEOUT;
    }
    sem->count--;
    return waited(start);
}

/* --- mailboxes --------------------------------------------------------------------------- */

err_t sys_mbox_new(sys_mbox_t *mbox, int size)
{
    mbox->slots = net_mem_alloc((size_t)size * sizeof(void *));
    if (!mbox->slots)
        return ERR_MEM;
    wait_queue_init(&mbox->readers);
    wait_queue_init(&mbox->writers);
    mbox->size = (unsigned)size;
    mbox->head = mbox->used = 0;
    return ERR_OK;
}

void sys_mbox_free(sys_mbox_t *mbox)
{
    net_mem_free(mbox->slots);
    mbox->slots = NULL;
}

err_t sys_mbox_trypost(sys_mbox_t *mbox, void *msg)
{
    if (mbox->used == mbox->size)
        return ERR_MEM;
    mbox->slots[(mbox->head + mbox->used++) % mbox->size] = msg;
    wait_queue_wake_one(&mbox->readers);
    return ERR_OK;
}

void sys_mbox_post(sys_mbox_t *mbox, void *msg)
{
    while (sys_mbox_trypost(mbox, msg) != ERR_OK)
        wait_queue_sleep(&mbox->writers);
}

u32_t sys_arch_mbox_tryfetch(sys_mbox_t *mbox, void **msg)
{
    if (!mbox->used)
        return SYS_MBOX_EMPTY;
    if (msg)
        *msg = mbox->slots[mbox->head];
    mbox->head = (mbox->head + 1) % mbox->size;
    mbox->used--;
    wait_queue_wake_one(&mbox->writers);
    return 0;
}

u32_t sys_arch_mbox_fetch(sys_mbox_t *mbox, void **msg, u32_t timeout)
{
    uint64_t start = time_monotonic();

    while (sys_arch_mbox_tryfetch(mbox, msg) == SYS_MBOX_EMPTY) {
        if (!wait(&mbox->readers, timeout, start) && !mbox->used)
            return SYS_ARCH_TIMEOUT;
    }
    return waited(start);
}

void sys_init(void)
{
}

/* --- calls into the core ----------------------------------------------------------------- */

err_t tcpip_send_msg_wait_sem(tcpip_callback_fn fn, void *msg, sys_sem_t *sem)
{
    fn(msg);
    return ERR_OK;
}

err_t tcpip_api_call(tcpip_api_call_fn fn, struct tcpip_api_call_data *call)
{
    return fn(call);
}

struct deferred {
    struct work work;
    tcpip_callback_fn fn;
    void *ctx;
};

static void run_deferred(struct work *w)
{
    struct deferred *d = container_of(w, struct deferred, work);
    tcpip_callback_fn fn = d->fn;
    void *ctx = d->ctx;

    net_mem_free(d);
    fn(ctx);
}

/* What lwIP must not do in the middle of something: packets to ourselves. */
err_t tcpip_try_callback(tcpip_callback_fn fn, void *ctx)
{
    struct deferred *d = net_mem_alloc(sizeof(*d));

    if (!d)
        return ERR_MEM;
    work_init(&d->work, run_deferred);
    d->fn = fn;
    d->ctx = ctx;
    work_post(&d->work);
    return ERR_OK;
}

err_t tcpip_callback(tcpip_callback_fn fn, void *ctx)
{
    return tcpip_try_callback(fn, ctx);
}

/* A packet to ourselves. */
err_t tcpip_input(struct pbuf *p, struct netif *inp)
{
    return netif_input(p, inp);
}
