/* SPDX-License-Identifier: ISC */
/*
 * Cooperative threads. The event loop runs each ready thread in turn; a thread that waits switches
 * back to the loop, which is also what wakes it: by an event, a timer or another thread. So a
 * switch is always between the loop's context and a thread's.
 *
 * Invariant: a thread is in exactly one place: running, on `ready`, on a wait queue, or ended and
 * in `dead` until the loop, on its own stack, frees the stack it ran on.
 */
#include "kernel/thread.h"

#include <errno.h>

#include "arch/arch.h"
#include "kernel/log.h"
#include "kernel/loop.h"
#include "kernel/page.h"
#include "kernel/timer.h"
#include "lib/util.h"
#include "xen/clock.h"

#ifndef CONFIG_THREAD_STACK_KIB
#define CONFIG_THREAD_STACK_KIB 12
#endif

struct thread {
    struct arch_context context;
    struct list node; /* in ready, or in a wait queue */
    struct list all;  /* in threads.all, until it ends */
    struct timer timeout;
    bool timed_out;
    bool waits; /* on a wait queue: what is printed of it */
    const char *name;
    void (*fn)(void *);
    void *arg;
    unsigned order; /* of the stack's pages, guard page included */
    uint64_t libc[THREAD_LIBC_BYTES / sizeof(uint64_t)];
};

static struct {
    struct list ready, all;
    struct thread *current; /* NULL: the loop */
    struct thread *dead;
    struct arch_context loop;
    void (*libc_destructor)(void *libc);
} threads = {.ready = LIST_INIT(threads.ready), .all = LIST_INIT(threads.all)};

static uint64_t
    loop_libc[THREAD_LIBC_BYTES / sizeof(uint64_t)]; /* apart: so it has no bytes in the image */

static void time_out(struct timer *timer)
{
    struct thread *t = container_of(timer, struct thread, timeout);

    t->timed_out = true;
    list_del(&t->node);
    list_add_tail(&threads.ready, &t->node);
}

static void thread_start(void *arg)
{
    struct thread *t = arg;

    t->fn(t->arg);
    thread_exit();
}

static unsigned order_for(size_t bytes)
{
    unsigned order = 0;

    while ((PAGE_SIZE << order) < bytes)
        order++;
    return order;
}

/* The struct lives at the top of the stack it describes, the guard page is the lowest. */
struct thread *thread_create(const char *name, void (*fn)(void *), void *arg, size_t stack_size)
{
    size_t bytes = stack_size ? stack_size : (size_t)CONFIG_THREAD_STACK_KIB << 10;
    unsigned order;
    struct thread *t;
    char *stack;

    if (bytes > THREAD_STACK_MAX)
        return NULL;
    order = order_for(PAGE_SIZE + bytes + ARCH_STACK_EXTRA);
    stack = page_alloc(order);
    if (!stack)
        return NULL;
    if (arch_map((uintptr_t)stack, (pfn_t){0}, 1, ARCH_PROT_NONE)) {
        page_free(stack, order);
        return NULL;
    }
    t = (struct thread *)ROUND_DOWN((uintptr_t)stack + (PAGE_SIZE << order) - sizeof(*t), 16ul);
    *t = (struct thread){.name = name, .fn = fn, .arg = arg, .order = order};
    timer_init(&t->timeout, time_out);
    arch_context_init(&t->context, t, thread_start, t);
    list_add_tail(&threads.ready, &t->node);
    list_add_tail(&threads.all, &t->all);
    return t;
}

/* On the loop's stack: the dead thread's own cannot be freed while it is in use. */
static void bury(struct thread *t)
{
    unsigned order = t->order;
    uintptr_t top = ROUND_UP((uintptr_t)(t + 1), PAGE_SIZE);
    void *stack = (void *)(top - (PAGE_SIZE << order));

    if (threads.libc_destructor)
        threads.libc_destructor(t->libc);
    if (arch_map((uintptr_t)stack, arch_virt_to_pfn(stack), 1, ARCH_PROT_RW) == 0)
        page_free(stack, order);
}

bool thread_any_ready(void)
{
    return !list_empty(&threads.ready);
}

bool thread_run_ready(void)
{
    struct list batch;
    struct list *node;

    if (list_empty(&threads.ready))
        return false;
    /* Those that are ready now; who becomes ready meanwhile waits for the next turn. */
    batch = threads.ready;
    batch.next->prev = batch.prev->next = &batch;
    list_init(&threads.ready);
    while ((node = list_pop(&batch))) {
        threads.current = container_of(node, struct thread, node);
        arch_context_switch(&threads.loop, &threads.current->context);
        threads.current = NULL;
        if (threads.dead) {
            bury(threads.dead);
            threads.dead = NULL;
        }
    }
    return thread_any_ready();
}

struct thread *thread_current(void)
{
    return threads.current;
}

const char *thread_name(const struct thread *t)
{
    return t->name;
}

void *thread_libc(void)
{
    return threads.current ? threads.current->libc : loop_libc;
}

void thread_set_libc_destructor(void (*fn)(void *libc))
{
    threads.libc_destructor = fn;
}

static void switch_to_loop(void)
{
    if (!threads.current)
        panic("thread: code that must not wait waits");
    arch_context_switch(&threads.current->context, &threads.loop);
}

void thread_each(void (*fn)(const struct thread *t, const char *state, void *ctx), void *ctx)
{
    struct list *node;

    list_for_each(node, &threads.all) {
        struct thread *t = container_of(node, struct thread, all);

        fn(t, t == threads.current ? "runs" : t->waits ? "waits" : "is ready", ctx);
    }
}

_Noreturn void thread_exit(void)
{
    threads.dead = threads.current;
    if (threads.current) /* else switch_to_loop() says so */
        list_del(&threads.current->all);
    switch_to_loop();
    __builtin_unreachable();
}

void thread_yield(void)
{
    ASSERT(threads.current);
    list_add_tail(&threads.ready, &threads.current->node);
    switch_to_loop();
}

void thread_sleep(uint64_t ns)
{
    struct wait_queue nobody_wakes = WAIT_QUEUE_INIT(nobody_wakes);

    (void)wait_queue_sleep_for(&nobody_wakes, ns);
}

void wait_queue_init(struct wait_queue *q)
{
    list_init(&q->waiters);
}

int wait_queue_sleep_for(struct wait_queue *q, uint64_t ns)
{
    struct thread *t = threads.current;

    if (!t)
        panic("thread: code that must not wait waits");
    list_add_tail(&q->waiters, &t->node);
    t->timed_out = false;
    t->waits = true;
    if (ns != WAIT_FOREVER)
        /* From now, not from the start of the turn, which may be long past. */
        timer_arm(&t->timeout, add_saturated(clock_monotonic(), ns));
    switch_to_loop();
    t->waits = false;
    return t->timed_out ? -ETIMEDOUT : 0;
}

void wait_queue_sleep(struct wait_queue *q)
{
    (void)wait_queue_sleep_for(q, WAIT_FOREVER);
}

void wait_queue_wake_one(struct wait_queue *q)
{
    struct list *node = list_pop(&q->waiters);

    if (!node)
        return;
    /* At once: a time-out in this turn would take the wake-up for one, and it would be lost. */
    timer_disarm(&container_of(node, struct thread, node)->timeout);
    list_add_tail(&threads.ready, node);
}

void wait_queue_wake_all(struct wait_queue *q)
{
    while (!list_empty(&q->waiters))
        wait_queue_wake_one(q);
}
