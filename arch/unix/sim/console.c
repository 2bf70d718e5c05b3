/* SPDX-License-Identifier: ISC */
/*
 * The console's other end. The guest ends its lines with "\r\n", as a terminal in raw mode wants it;
 * ours is not in raw mode, so "\r" before "\n" is left out.
 */
#include "arch/unix/sim/console.h"

#include <errno.h>
#include <stdbool.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include <xen/io/console.h>

#include "arch/unix/sim/event.h"
#include "arch/unix/sim/grant.h"
#include "arch/unix/sim/report.h"
#include "arch/unix/sim/sched.h"
#include "lib/atomic.h"
#include "lib/util.h"

static struct {
    struct xencons_interface *page;
    struct event_port port;
    int out;
    struct sched_fd in;
    bool carriage_return; /* the last byte was one, and has not been written */
    bool stalled;
} console = {.out = STDOUT_FILENO, .in = {.fd = STDIN_FILENO}};

void console_set_fds(int out, int in)
{
    console.out = out;
    console.in.fd = in;
}

static void write_all(const char *text, size_t len)
{
    while (len) {
        ssize_t n = write(console.out, text, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return; /* nobody reads it any more: as when xenconsoled is gone */
        text += n;
        len -= (size_t)n;
    }
}

static void write_text(const char *text, size_t len)
{
    char out[2 * sizeof(console.page->out) + 1];
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        if (console.carriage_return && text[i] != '\n')
            out[n++] = '\r';
        console.carriage_return = text[i] == '\r';
        if (!console.carriage_return)
            out[n++] = text[i];
    }
    write_all(out, n);
}

static void read_output(void)
{
    struct xencons_interface *p = console.page;
    uint32_t prod = shared_load_acquire(&p->out_prod); /* partner: the guest's release */
    uint32_t cons = shared_read(&p->out_cons);
    char text[sizeof(p->out)];
    size_t n = 0;

    if (prod - cons > sizeof(p->out) || console.stalled)
        return; /* xenconsoled ignores such a ring as well */
    while (cons != prod)
        text[n++] = p->out[MASK_XENCONS_IDX(cons++, p->out)];
    if (!n)
        return;
    write_text(text, n);
    shared_store_release(&p->out_cons, cons);
    event_notify(&console.port);
}

static uint32_t input_room(void)
{
    struct xencons_interface *p = console.page;
    uint32_t used = shared_read(&p->in_prod) - shared_load_acquire(&p->in_cons);

    if (console.stalled)
        return 0;
    return used < sizeof(p->in) ? (uint32_t)sizeof(p->in) - used : 0;
}

/* Input is read while the ring has room: the rest waits in the terminal. */
static void input_ready(struct sched_fd *sfd, short revents)
{
    struct xencons_interface *p = console.page;
    uint32_t prod = shared_read(&p->in_prod);
    char text[sizeof(p->in)];
    size_t room = input_room();
    ssize_t n;

    (void)revents;
    if (!room) { /* since it was asked for: the guest has moved in_cons, or the daemon is stalled */
        sfd->events = 0;
        return;
    }
    n = read(sfd->fd, text, room);
    if (n < 0 && errno == EINTR)
        return;
    if (n <= 0) {
        sched_remove(sfd); /* the end of the input is not the end of the guest */
        return;
    }
    for (ssize_t i = 0; i < n; i++)
        p->in[MASK_XENCONS_IDX(prod++, p->in)] = text[i];
    shared_store_release(&p->in_prod, prod); /* partner: the guest's acquire */
    event_notify(&console.port);
    sfd->events = input_room() ? POLLIN : 0;
}

static void event(struct event_port *port)
{
    (void)port;
    read_output();
    console.in.events = input_room() ? POLLIN : 0;
}

void console_stall(bool stall)
{
    console.stalled = stall;
    console.in.events = 0;
    console.port.pending = true;
}

void console_drain(void)
{
    read_output();
}

uint32_t console_connect(grant_ref_t ref)
{
    void *page;

    if (grant_map(ref, false, &page))
        report_fatal("the console's page cannot be mapped");
    console.page = page;
    console.port = (struct event_port){.name = "console", .fn = event};
    console.in.fn = input_ready;
    console.in.events = POLLIN;
    if (console.in.fd >= 0)
        sched_add(&console.in);
    return event_make(&console.port);
}
