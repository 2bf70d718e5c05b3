/* SPDX-License-Identifier: ISC */
/*
 * A guest for the boot tests: its first argument names something to do, usually something that a
 * good program avoids. Each deed prints what a test then looks for. Without an argument it idles.
 */
#include <stdint.h>
#include <string.h>

#include <xen/sched.h>

#include "kernel/app.h"
#include "kernel/console.h"
#include "kernel/shutdown.h"
#include "lib/util.h"

#define LOG_MODULE "selftest"

static const char *argument; /* what follows the deed's name */

static uint64_t number(uint64_t otherwise)
{
    uint64_t n = 0;

    if (!argument)
        return otherwise;
    for (const char *p = argument; *p >= '0' && *p <= '9'; p++)
        n = n * 10 + (uint64_t)(*p - '0');
    return n;
}

static void idle(void)
{
}

static void end_with(void)
{
    app_exit((int)number(0));
}

static void do_panic(void)
{
    panic("selftest: asked to, value %d", 42);
}

/* Not *(int *)0, which a compiler may turn into anything. */
static void *address_of(uintptr_t value)
{
    __asm__("" : "+r"(value));
    return (void *)value;
}

static void null_read(void)
{
    log_info("read %d", *(volatile int *)address_of(0));
}

static void null_write(void)
{
    *(volatile int *)address_of(8) = 1;
}

static void write_text(void)
{
    *(volatile char *)address_of((uintptr_t)idle) = 0;
}

static void write_rodata(void)
{
    *(volatile char *)address_of((uintptr_t)app_name) = 0;
}

static void run_data(void)
{
    static unsigned char code[16] = {0xc3}; /* ret */

    ((void (*)(void))address_of((uintptr_t)code))();
    log_info("data was executed");
}

static void run_heap(void)
{
    unsigned char *code = page_alloc(0);

    code[0] = 0xc3;
    ((void (*)(void))address_of((uintptr_t)code))();
    log_info("a page was executed");
}

static __attribute__((noinline)) unsigned recurse(unsigned depth)
{
    volatile char frame[256];

    frame[depth % sizeof(frame)] = (char)depth;
    if (depth == UINT32_MAX)
        return 0;
    return recurse(depth + 1) + (unsigned)frame[0];
}

static void recursion(void *unused)
{
    (void)unused;
    log_info("depth %u", recurse(0));
}

static void thread_overflow(void)
{
    thread_create("recursion", recursion, NULL, 0);
}

/* Frames larger than the guard page: without a touch on the way the second one would begin below
 * it, in somebody else's page. */
static __attribute__((noinline)) int large_frames(int depth)
{
    volatile char frame[9000];

    frame[0] = (char)depth;
    return depth ? large_frames(depth - 1) + frame[0] : frame[0];
}

static void large_frames_thread(void *unused)
{
    (void)unused;
    log_info("survived %d", large_frames(4));
}

static void bigframe(void)
{
    thread_create("frames", large_frames_thread, NULL, 0);
}

static void stack_overflow(void)
{
    recursion(NULL);
}

static __attribute__((noinline)) void overrun(volatile char *buffer, size_t size)
{
    for (size_t i = 0; i < size; i++)
        buffer[i] = 'x';
}

static void smash(void)
{
    char buffer[16];

    overrun(buffer, number(40));
    __asm__ volatile("" : : "r"(buffer) : "memory");
    log_info("the overrun went unnoticed");
}

static void divide(void)
{
    volatile int zero = 0, dividend = 42; /* of a constant 1 the compiler needs no division */

    log_info("quotient %d", dividend / zero);
}

/* The log never waits: what the console has no room for is counted and left out. */
static void flood_log(void)
{
    uint64_t lines = number(400);

    for (uint64_t i = 1; i <= lines; i++)
        log_info("line %lu of %lu", i, lines);
    app_exit(0);
}

/* What has been printed before a crash is seen, all of it. */
static void flood_panic(void)
{
    uint64_t lines = number(400);

    for (uint64_t i = 1; i <= lines; i++)
        log_info("line %lu of %lu", i, lines);
    panic("after %lu lines", lines);
}

static void flood_more(struct timer *timer)
{
    for (unsigned i = 0; i < 500; i++)
        log_info("one of endlessly many lines");
    timer_arm_in(timer, NSEC_PER_SEC / 20);
}

/* Far more than the host can read, for ever; all else must go on. */
static void flood_endless(void)
{
    static struct timer timer;

    timer_init(&timer, flood_more);
    timer_arm_in(&timer, 0);
}

/* A thread that writes waits for room. */
static void flood_thread(void *unused)
{
    uint64_t lines = number(400);
    char text[48];

    (void)unused;
    for (uint64_t i = 1; i <= lines; i++)
        console_write_wait(text,
                           (size_t)fmt_print(text, sizeof(text), "line %lu of %lu\n", i, lines));
    app_exit(0);
}

static void flood(void)
{
    thread_create("flood", flood_thread, NULL, 0);
}

/* Takes all memory, frees it, and looks whether all of it came back; three times. */
static void exhaust(void)
{
    for (int round = 1; round <= 3; round++) {
        size_t before = page_count_free(), taken = 0;
        void *chain = NULL, *page;

        while ((page = page_alloc(0))) {
            *(void **)page = chain;
            chain = page;
            taken++;
        }
        while (chain) {
            page = chain;
            chain = *(void **)page;
            page_free(page, 0);
        }
        log_info("round %d: %zu pages taken, %zu of %zu free after", round, taken,
                 page_count_free(), before);
    }
    app_exit(0);
}

static void tick(struct timer *timer)
{
    static unsigned count;

    log_info("tick %u", ++count);
    if (count == number(5))
        app_exit(0);
    timer_arm_in(timer, NSEC_PER_SEC / 10);
}

static void ticks(void)
{
    static struct timer timer;

    timer_init(&timer, tick);
    timer_arm_in(&timer, NSEC_PER_SEC / 10);
}

static void input(void *unused)
{
    char buf[64];
    size_t len;

    (void)unused;
    while ((len = console_read(buf, sizeof(buf) - 1))) {
        buf[len] = '\0';
        log_info("input %zu bytes, first '%c'", len, buf[0]);
        if (buf[0] == 'r')
            shutdown_begin(SHUTDOWN_reboot);
    }
}

static void read_input(void)
{
    console_on_input(input, NULL);
}

static void hook_ran(struct shutdown_hook *hook)
{
    (void)hook;
    thread_sleep(NSEC_PER_SEC / 10);
    log_info("hook ran");
}

static void hook(void)
{
    static struct shutdown_hook end = {hook_ran, NULL};

    shutdown_hook_add(&end);
}

static void stuck_ran(struct shutdown_hook *unused)
{
    (void)unused;
    for (;;)
        thread_sleep(NSEC_PER_SEC);
}

static void stuck_hook(void)
{
    static struct shutdown_hook end = {stuck_ran, NULL};

    shutdown_hook_add(&end);
}

static unsigned left;

static void exit_again(struct timer *timer)
{
    timer_arm_in(timer, NSEC_PER_MSEC / 10);
    left++;
    app_exit(0);
}

static void wait_for_exits(struct shutdown_hook *unused)
{
    (void)unused;
    while (left < number(300))
        thread_sleep(NSEC_PER_SEC / 100);
    log_info("left %u times", left);
}

/* Exits from a callback again and again while a hook takes its time. */
static void exits(void)
{
    static struct shutdown_hook end = {wait_for_exits, NULL};
    static struct timer timer;

    shutdown_hook_add(&end);
    timer_init(&timer, exit_again);
    timer_arm_in(&timer, NSEC_PER_MSEC);
}

static void wall(void)
{
    log_info("wall %lu s", time_wall() / NSEC_PER_SEC);
    app_exit(0);
}

static void random(void)
{
    uint64_t words[2];

    random_bytes(words, sizeof(words));
    log_info("random %016lx%016lx", words[0], words[1]);
    app_exit(0);
}

static void publish(void)
{
    guest_publish("data/selftest", argument ? argument : "here");
}

static const struct {
    const char *name;
    void (*fn)(void);
} deeds[] = {
    {"idle", idle},
    {"exit", end_with},
    {"exits", exits},
    {"panic", do_panic},
    {"null-read", null_read},
    {"null-write", null_write},
    {"write-text", write_text},
    {"write-rodata", write_rodata},
    {"run-data", run_data},
    {"run-heap", run_heap},
    {"stack-overflow", stack_overflow},
    {"thread-overflow", thread_overflow},
    {"bigframe", bigframe},
    {"smash", smash},
    {"divide", divide},
    {"flood", flood},
    {"flood-log", flood_log},
    {"flood-panic", flood_panic},
    {"flood-endless", flood_endless},
    {"exhaust", exhaust},
    {"ticks", ticks},
    {"input", read_input},
    {"hook", hook},
    {"stuck-hook", stuck_hook},
    {"wall", wall},
    {"random", random},
    {"publish", publish},
};

int app_init(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "idle";

    argument = argc > 2 ? argv[2] : NULL;
    for (size_t i = 0; i < ARRAY_SIZE(deeds); i++) {
        if (strcmp(deeds[i].name, name))
            continue;
        log_info("ready: %s", name);
        deeds[i].fn();
        return 0;
    }
    log_error("unknown deed %s", name);
    return -22;
}
