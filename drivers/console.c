/* SPDX-License-Identifier: ISC */
/*
 * The PV console: a page with a ring of 1024 bytes in and one of 2048 bytes out, shared with
 * xenconsoled (xen/include/public/io/console.h; docs/console.md). The toolstack has set up page and
 * event channel, so output works from the first instruction.
 *
 * Output goes into a buffer and from there into the ring as far as it has room, at once and again
 * whenever the backend has read. Nobody waits: when the buffer is full its oldest lines go, and the
 * backend is told how many in their place.
 *
 * Both indices of the backend's may hold anything. One that is impossible means no room or no input
 * until it is possible again, so it hurts nothing but the console.
 *
 * Invariants: the `used` bytes from `head` on are what has not been sent; lines are only lost while
 * the ring is full, and nothing is sent after them before the notice.
 */
#include "kernel/console.h"

#include <errno.h>
#include <string.h>

#include <xen/io/console.h>

#include "arch/arch.h"
#include "kernel/log.h"
#include "kernel/thread.h"
#include "lib/atomic.h"
#include "lib/util.h"
#include "xen/byte_ring.h"
#include "xen/clock.h"
#include "xen/evtchn.h"
#include "xen/hypercall.h"

#define LOG_MODULE "console"

#ifndef CONFIG_CONSOLE_BUFFER_KIB
#define CONFIG_CONSOLE_BUFFER_KIB 32
#endif
#define BUFFER_SIZE ((uint32_t)CONFIG_CONSOLE_BUFFER_KIB << 10)
#define NOTICE_MAX 48
#define STALL_TIMEOUT NSEC_PER_SEC
#define POLL_INTERVAL (50 * NSEC_PER_MSEC)
#define OUT_SIZE ((uint32_t)sizeof(((struct xencons_interface *)0)->out))
#define IN_SIZE ((uint32_t)sizeof(((struct xencons_interface *)0)->in))

static struct {
    struct xencons_interface *page;
    evtchn_port_t port;
    bool looked;   /* for page and port */
    bool attached; /* events come */
    uint32_t out_prod, in_cons;
    uint32_t out_cons_seen, in_prod_seen; /* to tell a useful event from a spurious one */
    uint32_t head, used;                  /* of buffer */
    unsigned lost;                        /* lines, since the last notice */
    bool mid_line;                        /* the ring's last line is not complete */
    bool stalled;                         /* a thread has waited for the backend in vain */
    struct wait_queue room;
    void (*listener)(void *ctx);
    void *listener_ctx;
} con = {.room = WAIT_QUEUE_INIT(con.room)};

static char buffer[BUFFER_SIZE]; /* apart: so it has no bytes in the image */

/* The indices are ours from now on; where they start is up to the toolstack. */
static struct xencons_interface *page(void)
{
    mfn_t mfn = {arch_start_info->console.domU.mfn};

    if (!con.looked) {
        con.looked = true;
        con.page = mfn.n ? arch_mfn_to_virt(mfn) : NULL;
        if (con.page) {
            con.port = arch_start_info->console.domU.evtchn;
            con.out_prod = shared_read(&con.page->out_prod);
            con.in_cons = shared_read(&con.page->in_cons);
        }
    }
    return con.page;
}

/* --- the buffer ------------------------------------------------------------------------------- */

static uint32_t buffer_room(void)
{
    return BUFFER_SIZE - con.used;
}

static void buffer_skip(uint32_t n)
{
    con.head = (con.head + n) % BUFFER_SIZE;
    con.used -= n;
}

static void drop_line(void)
{
    char c;

    do {
        c = buffer[con.head];
        buffer_skip(1);
    } while (con.used && c != '\n');
    con.lost++;
}

/* --- the ring out ----------------------------------------------------------------------------- */

/* Bytes that the ring can take now. */
static uint32_t ring_room(void)
{
    int used;

    if (!page())
        return 0;
    used = byte_ring_used(con.out_prod, shared_load_acquire(&con.page->out_cons), OUT_SIZE);
    return used >= 0 ? OUT_SIZE - (uint32_t)used : 0; /* partner of the acquire: its release */
}

static void ring_put(const char *text, uint32_t len)
{
    byte_ring_put(con.page->out, OUT_SIZE, con.out_prod, text, len);
    con.mid_line = text[len - 1] != '\n';
    con.out_prod += len;
}

static uint32_t put_notice(void)
{
    char notice[NOTICE_MAX];
    int n = fmt_print(notice, sizeof(notice), "%s[console: %u lines lost]\r\n",
                      con.mid_line ? "\r\n" : "", con.lost);

    con.lost = 0;
    ring_put(notice, (uint32_t)n);
    return (uint32_t)n;
}

/* Moves what the ring has room for out of the buffer, and lets the backend know. */
static void drain(void)
{
    uint32_t room = ring_room();
    uint32_t before = con.out_prod;

    if (con.lost && room >= NOTICE_MAX)
        room -= put_notice();
    while (room && con.used && !con.lost) {
        uint32_t n = MIN(MIN(room, con.used), BUFFER_SIZE - con.head);

        ring_put(buffer + con.head, n);
        buffer_skip(n);
        room -= n;
    }
    if (con.out_prod == before)
        return;
    shared_store_release(&con.page->out_prod, con.out_prod); /* partner: its acquire */
    if (!con.attached)
        return; /* console_init() notifies, and console_flush() */
    if (room < OUT_SIZE / 2)
        evtchn_notify(con.port); /* now, so that it can make room while more is written */
    else
        evtchn_notify_late(con.port);
}

/* --- writing ---------------------------------------------------------------------------------- */

/* Appends up to BUFFER_SIZE bytes, at the cost of the oldest lines when need be. */
static void buffer_put(const char *text, uint32_t len)
{
    if (buffer_room() < len)
        drain();
    while (buffer_room() < len)
        drop_line();
    while (len) {
        uint32_t at = (con.head + con.used) % BUFFER_SIZE;
        uint32_t n = MIN(len, BUFFER_SIZE - at);

        memcpy(buffer + at, text, n);
        con.used += n;
        text += n;
        len -= n;
    }
}

static void buffer_text(const char *text, size_t len)
{
    while (len) {
        const char *newline = memchr(text, '\n', len);
        size_t n = newline ? (size_t)(newline - text) : len;

        n = MIN(n, (size_t)256); /* what is one line too many costs no more than that */
        buffer_put(text, (uint32_t)n);
        text += n;
        len -= n;
        if (newline == text) {
            buffer_put("\r\n", 2);
            text++;
            len--;
        }
    }
}

void console_write(const char *text, size_t len)
{
    if (IS_ENABLED(CONFIG_CONSOLE_XEN))
        (void)hv_console_write(text, len);
    buffer_text(text, len);
    drain();
}

/* Looks at what the backend has read. True when it has read something. */
static bool output_event(void)
{
    uint32_t cons = shared_read(&con.page->out_cons);
    bool useful = cons != con.out_cons_seen;

    con.out_cons_seen = cons;
    if (useful)
        con.stalled = false;
    if (byte_ring_used(con.out_prod, cons, OUT_SIZE) < 0)
        log_limited(LOG_WARN, "the backend's output index is out of range (%u)", cons);
    drain();
    wait_queue_wake_all(&con.room);
    return useful;
}

/* Waits for room for len bytes, every one of which may be a newline; but not for a backend that
 * reads nothing any more. */
static void wait_for_room(size_t len)
{
    while (buffer_room() < 2 * len && !con.stalled) {
        uint32_t cons = con.out_cons_seen;

        if (wait_queue_sleep_for(&con.room, STALL_TIMEOUT) == 0)
            continue;
        if (output_event()) /* whose event may be held off */
            evtchn_useful(con.port);
        con.stalled = con.out_cons_seen == cons;
    }
}

void console_write_wait(const char *text, size_t len)
{
    while (len) {
        size_t n = MIN(len, (size_t)512);

        if (thread_current() && con.attached)
            wait_for_room(n);
        console_write(text, n);
        text += n;
        len -= n;
    }
}

/* --- events ----------------------------------------------------------------------------------- */

/* How many bytes have been typed and not read. */
static uint32_t input_waiting(void)
{
    uint32_t prod = shared_load_acquire(&con.page->in_prod); /* partner: its release */
    int n = byte_ring_used(prod, con.in_cons, IN_SIZE);

    if (n >= 0)
        return (uint32_t)n;
    log_limited(LOG_WARN, "the backend's input index is out of range (%u)", prod);
    return 0;
}

static bool input_event(void)
{
    uint32_t prod = shared_read(&con.page->in_prod);
    bool useful = prod != con.in_prod_seen;

    con.in_prod_seen = prod;
    if (useful && con.listener && input_waiting())
        con.listener(con.listener_ctx);
    return useful;
}

/* What is typed to a guest that reads nothing: the backend must not wait for room. */
static bool discard_input(void)
{
    uint32_t prod = shared_load_acquire(&con.page->in_prod);
    bool useful = prod != con.in_cons;

    con.in_cons = prod;
    shared_store_release(&con.page->in_cons, prod);
    if (useful)
        evtchn_notify_late(con.port);
    return useful;
}

static void event(void *ctx)
{
    bool useful = output_event();

    (void)ctx;
    useful |= IS_ENABLED(CONFIG_CONSOLE_INPUT) ? input_event() : discard_input();
    if (useful)
        evtchn_useful(con.port);
    else
        evtchn_spurious(con.port);
}

int console_init(void)
{
    int err;

    if (!page())
        return -ENODEV;
    err = evtchn_attach(con.port, event, NULL);
    if (err)
        return err;
    con.attached = true;
    evtchn_notify(con.port); /* of what has been written before */
    return 0;
}

/* --- the end ---------------------------------------------------------------------------------- */

void console_flush(uint64_t timeout)
{
    uint64_t start = clock_monotonic(), progress = start, now = start;
    uint32_t cons = 0;

    if (!page())
        return;
    /* The second bound is for a backend that reads a byte at a time. */
    while (now - progress < timeout && now - start < 16 * timeout) {
        uint32_t seen;

        drain();
        seen = shared_load_acquire(&con.page->out_cons);
        if (!con.used && !con.lost && seen == con.out_prod)
            return;
        if (seen != cons)
            progress = now;
        cons = seen;
        evtchn_notify(con.port);
        evtchn_poll(con.port, now + POLL_INTERVAL + clock_system_offset());
        now = clock_monotonic();
    }
}

/* --- input ------------------------------------------------------------------------------------ */

size_t console_read(char *buf, size_t size)
{
    size_t n;

    if (!IS_ENABLED(CONFIG_CONSOLE_INPUT) || !page())
        return 0;
    n = MIN(size, (size_t)input_waiting());
    if (n) {
        byte_ring_get(con.page->in, IN_SIZE, con.in_cons, buf, (uint32_t)n);
        con.in_cons += (uint32_t)n;
        shared_store_release(&con.page->in_cons, con.in_cons); /* partner: its acquire */
        if (con.attached)
            evtchn_notify_late(con.port); /* it may wait for room */
    }
    return n;
}

void console_on_input(void (*fn)(void *ctx), void *ctx)
{
    con.listener = fn;
    con.listener_ctx = ctx;
    if (fn && con.attached && input_waiting())
        fn(ctx);
}
