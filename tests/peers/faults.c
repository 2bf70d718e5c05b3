/* SPDX-License-Identifier: ISC */
/*
 * Which fault is armed, when it strikes, and what it does. Two tables: moments, of which one kind is
 * counted down; and faults.
 */
#include "tests/peers/faults.h"

#include <string.h>

#include "arch/unix/sim/event_channel.h"
#include "arch/unix/sim/netback.h"
#include "arch/unix/sim/peer.h"
#include "arch/unix/sim/report.h"
#include "arch/unix/sim/vtime.h"
#include "lib/util.h"
#include "tests/peers/lies.h"

enum moment {
    NOW,
    WRITE,   /* the guest writes a key of vif 0's, which is not done yet... */
    WRITTEN, /* ...and is done: the backend has not looked, the guest has no answer */
    ASKED,   /* the guest asks the store for anything; it has not been answered */
    EVENT,   /* the peer that the fault is about sends an event */
    PORT,    /* now, about the guest's port of that number */
};
static const char *const moments[] = {"now", "write", "written", "asked", "event", "port"};

struct fault {
    const char *name;
    void (*strike)(unsigned number);
    const char *event; /* of which end's events */
};

static struct {
    const struct fault *fault;
    enum moment moment;
    unsigned after;
    bool struck;
} armed;

/* --- what they do ------------------------------------------------------------------------------ */

static struct netback *vif(void)
{
    return netback_of(0);
}

static void vif_stop(unsigned unused)
{
    (void)unused;
    netback_stop(vif(), false);
}

/* Its watch on the frontend's state fires once, as every new watch does. */
static void vif_restart(unsigned unused)
{
    (void)unused;
    netback_stop(vif(), true);
    vif()->frontend.fired = true;
}

static void vif_crash(unsigned unused)
{
    (void)unused;
    netback_crash(vif());
}

static void vif_vanish(unsigned unused)
{
    (void)unused;
    netback_crash(vif());
    store_remove(toolstack_backend_path("vif", 0, ""));
}

static void vif_stall(unsigned unused)
{
    (void)unused;
    netback_stall(vif(), false);
}

static void vif_stall_tx(unsigned unused)
{
    (void)unused;
    netback_stall(vif(), true);
}

static void vif_resume(unsigned unused)
{
    (void)unused;
    netback_resume(vif());
}

static void store_stall(unsigned unused)
{
    (void)unused;
    store_conn_stall(false);
}

static void store_full(unsigned unused)
{
    (void)unused;
    store_conn_stall(true);
}

static void store_resume(unsigned unused)
{
    (void)unused;
    store_conn_resume();
}

static void store_drop(unsigned unused)
{
    (void)unused;
    store_conn_drop();
}

/* What at_event() reports is all there is. */
static void nothing(unsigned unused)
{
    (void)unused;
}

/* 50,000 a second. */
#define STORM_EVENTS 1000
#define STORM_INTERVAL (20 * NSEC_PER_USEC)

static struct {
    struct timer timer;
    uint32_t port;
    unsigned left;
} storm;

static void storm_again(struct timer *timer)
{
    event_set_pending(storm.port);
    if (--storm.left)
        vtime_arm(timer, vtime_now() + STORM_INTERVAL);
}

static void start_storm(unsigned port)
{
    storm.timer.fn = storm_again;
    storm.port = port;
    storm.left = STORM_EVENTS;
    vtime_arm(&storm.timer, vtime_now());
}

static const struct fault faults[] = {
    {"vif-stop", vif_stop, NULL},         {"vif-restart", vif_restart, NULL},
    {"vif-crash", vif_crash, NULL},       {"vif-vanish", vif_vanish, NULL},
    {"vif-stall", vif_stall, NULL},       {"vif-stall-tx", vif_stall_tx, NULL},
    {"vif-resume", vif_resume, NULL},     {"store-stall", store_stall, NULL},
    {"store-full", store_full, NULL},     {"store-resume", store_resume, NULL},
    {"store-drop", store_drop, NULL},     {"lose-vif-rx", nothing, "vif-rx"},
    {"lose-vif-tx", nothing, "vif-tx"},   {"lose-store", nothing, "store"},
    {"lose-console", nothing, "console"}, {"storm", start_storm, NULL},
};

/* --- when they do ------------------------------------------------------------------------------ */

static void strike(const char *where)
{
    const struct fault *fault = armed.fault;
    const char *state = store_read(toolstack_backend_path("vif", 0, "state"));

    armed.fault = NULL;
    armed.struck = true;
    report_debug("fault: %s: %s, backend in state %s", fault->name, where,
                 state ? state : "(gone)");
    fault->strike(armed.after);
}

/* True when it has struck. */
static bool at(enum moment moment, const char *where)
{
    if (!armed.fault || armed.moment != moment)
        return false;
    if (armed.after) {
        armed.after--;
        return false;
    }
    strike(where);
    return true;
}

static bool is_key_of_vif(const struct store_asked *asked)
{
    static const char *const below[] = {"device/vif/0/", "error/device/vif/0/"};

    if (asked->head->type != XS_WRITE && asked->head->type != XS_RM)
        return false;
    for (unsigned i = 0; i < ARRAY_SIZE(below); i++)
        if (!strncmp(asked->payload, below[i], strlen(below[i])))
            return true;
    return false;
}

void fault_at_store(enum store_step step, const void *item)
{
    const struct store_asked *asked = item;

    if (step != STORE_ASKED && step != STORE_ANSWERED)
        return;
    if (step == STORE_ASKED)
        (void)at(ASKED, asked->payload);
    if (is_key_of_vif(asked))
        (void)at(step == STORE_ASKED ? WRITE : WRITTEN, asked->payload);
}

static bool at_event(const struct event_port *end)
{
    return armed.fault && armed.fault->event && !strcmp(armed.fault->event, end->name) &&
           at(EVENT, "an event is lost");
}

bool peer_fault(const char *name, const char *when, unsigned number)
{
    lies_install();
    event_hook = at_event;
    armed.fault = NULL;
    armed.struck = false;
    armed.after = number;
    armed.moment = 0;
    while (armed.moment < ARRAY_SIZE(moments) && strcmp(moments[armed.moment], when))
        armed.moment++;
    for (unsigned i = 0; i < ARRAY_SIZE(faults); i++)
        if (!strcmp(faults[i].name, name))
            armed.fault = &faults[i];
    if (!armed.fault || armed.moment == ARRAY_SIZE(moments))
        return false;
    if (armed.moment == PORT && (!event_channel(number) || !event_channel(number)->status))
        return false;
    if (armed.moment == NOW || armed.moment == PORT)
        strike(when);
    return true;
}

bool peer_struck(void)
{
    return armed.struck;
}
