/* SPDX-License-Identifier: ISC */
/* See fake_kernel.h. */
#include "tests/unit/fake_kernel.h"

#include <check.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include <sanitizer/common_interface_defs.h>

#include "arch/types.h"
#include "kernel/log.h"
#include "kernel/page.h"
#include "kernel/thread.h"
#include "kernel/timer.h"
#include "kernel/work.h"
#include "lib/util.h"
#include "xen/clock.h"

#define TURNS_MAX 200000

struct fake_port fake_ports[FAKE_PORTS];
bool (*fake_peer)(void);
uint64_t fake_now = NSEC_PER_SEC;
size_t fake_pages;
bool fake_no_memory;

/* --- log --- */

static char log_text[1 << 16];
static size_t log_used;
static int log_shown = -1; /* on standard error */

void log_write(enum log_level level, const char *module, const char *fmt, ...)
{
    char line[512];
    va_list ap;
    int n;

    n = snprintf(line, sizeof(line), "<%d> %s: ", (int)level, module);
    va_start(ap, fmt);
    n += vsnprintf(line + n, sizeof(line) - (size_t)n - 1, fmt, ap);
    va_end(ap);
    if (log_shown < 0)
        log_shown = getenv("FAKE_LOG") != NULL;
    if (log_shown)
        fprintf(stderr, "%s\n", line);
    if (log_used + (size_t)n + 2 < sizeof(log_text))
        log_used += (size_t)sprintf(log_text + log_used, "%s\n", line);
}

bool log_permit(struct log_limit *limit, const char *module)
{
    (void)limit, (void)module;
    return true;
}

unsigned fake_log_count(const char *text)
{
    unsigned n = 0;

    for (const char *at = log_text; (at = strstr(at, text)); at++)
        n++;
    return n;
}

bool fake_logged(const char *text)
{
    return fake_log_count(text) > 0;
}

void fake_log_clear(void)
{
    log_used = 0;
    log_text[0] = '\0';
}

int fmt_vprint(char *buf, size_t size, const char *fmt, va_list ap)
{
    return vsnprintf(buf, size, fmt, ap);
}

int fmt_print(char *buf, size_t size, const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(buf, size, fmt, ap);
    va_end(ap);
    return n;
}

void panic(const char *fmt, ...)
{
    char text[256];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    fprintf(stderr, "panic: %s\n", text);
    abort();
}

/* --- time --- */

static struct list timers = LIST_INIT(timers);
unsigned fake_timers_fired;

struct armed {
    struct list node;
    struct timer *timer;
};

uint64_t clock_monotonic(void)
{
    return fake_now;
}

uint64_t clock_system_offset(void)
{
    return 0;
}

uint64_t timer_now(void)
{
    return fake_now;
}

void timer_init(struct timer *t, void (*fn)(struct timer *t))
{
    *t = (struct timer){.fn = fn};
}

void timer_disarm(struct timer *t)
{
    struct list *node, *next;

    t->armed = false;
    list_for_each_safe(node, next, &timers) {
        struct armed *a = container_of(node, struct armed, node);

        if (a->timer == t) {
            list_del(node);
            free(a);
        }
    }
}

void timer_arm(struct timer *t, uint64_t when)
{
    struct armed *a = calloc(1, sizeof(*a));

    timer_disarm(t);
    t->armed = true;
    t->when = when;
    a->timer = t;
    list_add_tail(&timers, &a->node);
}

void timer_arm_in(struct timer *t, uint64_t ns)
{
    timer_arm(t, fake_now + ns);
}

static struct timer *earliest(void)
{
    struct timer *first = NULL;
    struct list *node;

    list_for_each(node, &timers) {
        struct timer *t = container_of(node, struct armed, node)->timer;

        if (!first || t->when < first->when)
            first = t;
    }
    return first;
}

static bool run_timers(void)
{
    struct timer *t = earliest();

    if (!t || t->when > fake_now)
        return false;
    timer_disarm(t);
    fake_timers_fired++;
    t->fn(t);
    return true;
}

/* --- work --- */

static struct list works = LIST_INIT(works), late_works = LIST_INIT(late_works);

void work_init(struct work *w, void (*run)(struct work *w))
{
    list_init(&w->node);
    w->run = run;
}

void work_post(struct work *w)
{
    if (list_empty(&w->node))
        list_add_tail(&works, &w->node);
}

void work_post_late(struct work *w)
{
    if (list_empty(&w->node))
        list_add_tail(&late_works, &w->node);
}

void work_cancel(struct work *w)
{
    list_del(&w->node);
}

/* --- pages --- */

static void *pages_filled(unsigned order, int fill)
{
    if (fake_no_memory)
        return NULL;
    fake_pages += 1u << order;
    return memset(aligned_alloc(PAGE_SIZE, PAGE_SIZE << order), fill, PAGE_SIZE << order);
}

void *page_alloc(unsigned order)
{
    return pages_filled(order, 0xa5);
}

void *page_alloc_zeroed(unsigned order)
{
    return pages_filled(order, 0);
}

void page_free(void *page, unsigned order)
{
    ck_assert_uint_ge(fake_pages, 1u << order);
    fake_pages -= 1u << order;
    free(page); /* a later use is ASan's to find */
}

/* --- events --- */

int evtchn_attach(evtchn_port_t port, evtchn_handler *fn, void *ctx)
{
    if (port == 0 || port >= FAKE_PORTS)
        return -ERANGE;
    fake_ports[port].fn = fn;
    fake_ports[port].ctx = ctx;
    return 0;
}

void evtchn_unbind(evtchn_port_t port)
{
    fake_ports[port].fn = NULL;
}

void evtchn_notify(evtchn_port_t port)
{
    fake_ports[port].notified = true;
    fake_ports[port].notifies++;
}

void evtchn_notify_late(evtchn_port_t port)
{
    evtchn_notify(port);
}

void evtchn_spurious(evtchn_port_t port)
{
    fake_ports[port].spurious++;
}

void evtchn_useful(evtchn_port_t port)
{
    fake_ports[port].useful++;
}

void fake_raise(evtchn_port_t port)
{
    fake_ports[port].pending = true;
}

static bool run_events(void)
{
    bool any = false;

    for (unsigned i = 0; i < FAKE_PORTS; i++) {
        struct fake_port *p = &fake_ports[i];

        if (p->pending && p->fn) {
            p->pending = false;
            p->fn(p->ctx);
            any = true;
        }
    }
    return any;
}

/* --- threads --- */

#define STACK_SIZE (128u << 10)

struct thread {
    struct list node; /* ready, or in a wait queue */
    ucontext_t context;
    void *stack;
    struct timer timeout;
    bool timed_out, ended;
    const char *name;
    void (*fn)(void *);
    void *arg;
};

static struct list ready = LIST_INIT(ready);
static struct thread *current;
static struct {
    ucontext_t context;
    const void *stack;
    size_t size;
} loop;

struct thread *thread_current(void)
{
    return current;
}

const char *thread_name(const struct thread *t)
{
    return t->name;
}

/* The C library's own: ASan's stand-in forgets the red zones of the stack that is entered. */
static void swap_context(ucontext_t *from, const ucontext_t *to)
{
    static int (*swap)(ucontext_t * from, const ucontext_t *to);

    if (!swap)
        *(void **)&swap = dlsym(dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD), "swapcontext");
    swap(from, to);
}

static void switch_to_loop(void)
{
    struct thread *t = current;
    void *fake_stack = NULL;

    __sanitizer_start_switch_fiber(t->ended ? NULL : &fake_stack, loop.stack, loop.size);
    swap_context(&t->context, &loop.context);
    __sanitizer_finish_switch_fiber(fake_stack, &loop.stack, &loop.size);
}

static void switch_to_thread(struct thread *t)
{
    void *fake_stack = NULL;

    current = t;
    __sanitizer_start_switch_fiber(&fake_stack, t->stack, STACK_SIZE);
    swap_context(&loop.context, &t->context);
    __sanitizer_finish_switch_fiber(fake_stack, NULL, NULL);
    current = NULL;
}

static void thread_main(void)
{
    __sanitizer_finish_switch_fiber(NULL, &loop.stack, &loop.size);
    current->fn(current->arg);
    current->ended = true;
    switch_to_loop();
}

static void time_out(struct timer *timer)
{
    struct thread *t = container_of(timer, struct thread, timeout);

    t->timed_out = true;
    list_del(&t->node);
    list_add_tail(&ready, &t->node);
}

static void context_init(ucontext_t *context, void *stack)
{
    getcontext(context);
    context->uc_stack.ss_sp = stack;
    context->uc_stack.ss_size = STACK_SIZE;
    makecontext(context, thread_main, 0);
}

struct thread *thread_create(const char *name, void (*fn)(void *), void *arg, size_t stack_size)
{
    struct thread *t;

    (void)stack_size;
    if (fake_no_memory)
        return NULL;
    t = calloc(1, sizeof(*t));
    t->name = name;
    t->fn = fn;
    t->arg = arg;
    t->stack = malloc(STACK_SIZE);
    context_init(&t->context, t->stack);
    timer_init(&t->timeout, time_out);
    list_add_tail(&ready, &t->node);
    return t;
}

int wait_queue_sleep_for(struct wait_queue *q, uint64_t ns)
{
    struct thread *t = current;

    ck_assert_msg(t != NULL, "code that must not wait waits");
    t->timed_out = false;
    list_add_tail(&q->waiters, &t->node);
    if (ns != WAIT_FOREVER)
        timer_arm_in(&t->timeout, ns);
    switch_to_loop();
    timer_disarm(&t->timeout);
    return t->timed_out ? -ETIMEDOUT : 0;
}

void wait_queue_init(struct wait_queue *q)
{
    list_init(&q->waiters);
}

void wait_queue_sleep(struct wait_queue *q)
{
    (void)wait_queue_sleep_for(q, WAIT_FOREVER);
}

void thread_sleep(uint64_t ns)
{
    struct wait_queue q = WAIT_QUEUE_INIT(q);

    (void)wait_queue_sleep_for(&q, ns);
}

void wait_queue_wake_one(struct wait_queue *q)
{
    struct list *node = list_pop(&q->waiters);

    if (node)
        list_add_tail(&ready, node);
}

void wait_queue_wake_all(struct wait_queue *q)
{
    while (!list_empty(&q->waiters))
        wait_queue_wake_one(q);
}

static bool run_threads(void)
{
    struct list *node = list_pop(&ready);
    struct thread *t;

    if (!node)
        return false;
    t = container_of(node, struct thread, node);
    switch_to_thread(t);
    if (t->ended) {
        free(t->stack);
        free(t);
    }
    return true;
}

/* --- the loop --- */

static bool run_work(struct list *queue)
{
    struct list *node = list_pop(queue);
    struct work *w;

    if (!node)
        return false;
    w = container_of(node, struct work, node);
    w->run(w);
    return true;
}

static bool turn(void)
{
    bool any = run_events();

    any |= run_work(&works);
    any |= run_timers();
    any |= run_threads();
    any |= run_work(&late_works);
    return any;
}

void fake_run_guest(void)
{
    unsigned turns = 0;

    while (turn())
        ck_assert_msg(++turns < TURNS_MAX, "the guest never comes to rest");
}

void fake_run(void)
{
    unsigned turns = 0;

    do {
        fake_run_guest();
        ck_assert_msg(++turns < TURNS_MAX, "guest and peer never come to rest");
    } while (fake_peer && fake_peer());
    fake_run_guest();
}

void fake_sleep(uint64_t ns)
{
    uint64_t end = fake_now + ns;
    struct timer *t;

    fake_run();
    while ((t = earliest()) && t->when <= end) {
        fake_now = MAX(fake_now, t->when);
        fake_run();
    }
    fake_now = end;
}

static struct {
    void (*fn)(void *arg);
    void *arg;
    bool ended;
} test_thread;

static void run_test_thread(void *arg)
{
    (void)arg;
    test_thread.fn(test_thread.arg);
    test_thread.ended = true;
}

bool fake_ended(void)
{
    return test_thread.ended;
}

bool fake_start(void (*fn)(void *arg), void *arg)
{
    test_thread.fn = fn;
    test_thread.arg = arg;
    test_thread.ended = false;
    ck_assert_ptr_nonnull(thread_create("test", run_test_thread, NULL, 0));
    fake_run();
    return test_thread.ended;
}

void fake_in_thread(void (*fn)(void *arg), void *arg)
{
    (void)fake_start(fn, arg);
    for (unsigned i = 0; i < 100 && !test_thread.ended; i++)
        fake_sleep(NSEC_PER_SEC); /* it sleeps: back-off */
    ck_assert_msg(test_thread.ended, "the thread waits for ever");
}
