/* SPDX-License-Identifier: ISC */
/*
 * The states of a device and of its backend (xen/include/public/io/xenbus.h; docs/xenbus.md draws
 * them; hardening.md, rules 16, 18 and 19).
 *
 * The watch on the backend's state says that it changed: the state is read and acted upon, whatever
 * came before, since a backend may jump to Closed, vanish or start again, and events are merged.
 * What tells a backend that still waits from one that waits again is peer_state, seen last.
 *
 * Invariants: everything here but xenbus_disable() and the counter runs in the watch thread; connect()
 * and disconnect() alternate (dev->connected).
 */
#include "xen/xenbus_internal.h"

#include <errno.h>

#include "kernel/log.h"
#include "kernel/timer.h"
#include "lib/util.h"
#include "xen/xenbus.h"
#include "xen/xenstore.h"

#define LOG_MODULE "xenbus"

#define RESTARTS_MAX 8
#define RESTART_WINDOW (10 * NSEC_PER_SEC)
#define ACKNOWLEDGE_IN NSEC_PER_SEC

static unsigned disabled;

unsigned xenbus_count_disabled(void)
{
    return disabled;
}

static const char *state_name(enum xenbus_state state)
{
    static const char *const names[] = {
        "Unknown", "Initialising", "InitWait",      "Initialised",  "Connected",
        "Closing", "Closed",       "Reconfiguring", "Reconfigured",
    };

    return (unsigned)state < ARRAY_SIZE(names) ? names[state] : "?";
}

/* What the error hindered is done again when the watch on the backend fires. The first one is logged. */
static void try_later(struct xenbus_device *dev, const char *what, int err)
{
    if (!dev->otherend_watch.retry_after && err != -ECONNRESET)
        log_error("%s: %s: %s: will try on", dev->name, what, errno_name(err));
    xs_watch_retry(&dev->otherend_watch, err);
}

/* Brings what the store has in line with dev->state. A directory of ours that has gone (ENOENT, EACCES)
 * takes the device with it. */
static void write_state(struct xenbus_device *dev)
{
    char path[XENBUS_PATH_MAX + 8];
    int err;

    if (!dev->state_unwritten)
        return;
    (void)fmt_print(path, sizeof(path), "%s/state", dev->nodename);
    err = xs_printf(XS_NONE, path, "%u", (unsigned)dev->state);
    dev->state_unwritten = err && err != -ENOENT && err != -EACCES;
    if (!err)
        dev->state_written = dev->state;
    if (dev->state_unwritten)
        try_later(dev, "writing our state", err);
}

static void set_state(struct xenbus_device *dev, enum xenbus_state state)
{
    if (dev->state == state)
        return;
    dev->state = state;
    dev->state_unwritten = true;
    write_state(dev);
}

static void disconnect(struct xenbus_device *dev)
{
    if (!dev->connected)
        return;
    dev->connected = dev->running = false;
    dev->driver->disconnect(dev);
}

/* Marks the device as broken; what follows from it is done by close_broken(). */
static void mark_broken(struct xenbus_device *dev, const char *reason, const char *detail)
{
    if (dev->broken)
        return;
    dev->broken = true;
    dev->reason = reason;
    disabled++;
    log_error("%s: disabled: %s (%s)", dev->name, reason, detail);
}

void xenbus_disable(struct xenbus_device *dev, const char *reason, uint64_t value)
{
    char text[24];

    (void)fmt_print(text, sizeof(text), "%lu", (unsigned long)value);
    mark_broken(dev, reason, text);
    xs_watch_kick(&dev->otherend_watch);
}

/* Lets go of the backend for good, and leaves word why: xl and its user can read it. */
static void close_broken(struct xenbus_device *dev)
{
    char path[XENBUS_PATH_MAX + 16];

    if (dev->closing)
        return;
    dev->closing = true;
    dev->connected = dev->running = false;
    dev->driver->disconnect(
        dev); /* again, if need be: what waits for a next connection waits in vain */
    (void)fmt_print(path, sizeof(path), "error/%s/error", dev->nodename);
    (void)xs_write(XS_NONE, path, dev->reason);
    set_state(dev, XenbusStateClosing);
}

/* A backend that starts again and again would keep us busy for ever. */
static bool restart_allowed(struct xenbus_device *dev)
{
    uint64_t now = timer_now();

    if (dev->restarts == 0 || now - dev->restart_window > RESTART_WINDOW) {
        dev->restart_window = now;
        dev->restarts = 0;
    }
    return ++dev->restarts <= RESTARTS_MAX;
}

/* Back to the first state, to connect anew. False: not again, and the device is broken. */
static bool begin_anew(struct xenbus_device *dev)
{
    dev->closing_first = false;
    if (!restart_allowed(dev)) {
        mark_broken(dev, "the backend restarts too often", "8 times in 10 s");
        return false;
    }
    disconnect(dev);
    set_state(dev, XenbusStateInitialising);
    return true;
}

/* Whether the toolstack means the device to stay: it clears `online` before it takes one away. 0, 1,
 * or an error that is xs_passing(). */
static int backend_online(struct xenbus_device *dev)
{
    char path[XENBUS_PATH_MAX + 8];
    uint64_t online;
    int err;

    (void)fmt_print(path, sizeof(path), "%s/online", dev->otherend);
    err = xs_read_number(XS_NONE, path, 0, 1, &online);
    return xs_passing(err) ? err : !err && online;
}

/*
 * A backend whose driver was bound anew reads our state when it likes. It may find our Connected of
 * old, and connect to rings that are gone; were we Connected again before it looks again, it would
 * never know. So we go by way of Closed, which it acknowledges: it closes too, and peer_closed()
 * begins anew. 1: wait for that; 0: it cannot be done; or an error that is xs_passing().
 */
static int close_first(struct xenbus_device *dev)
{
    int online;

    if (dev->closing_first)
        return dev->otherend_watch.retry.armed;
    online = backend_online(dev);
    if (online <= 0)
        return online;
    log_info("%s: the backend has restarted", dev->name);
    disconnect(dev);
    set_state(dev, XenbusStateClosed);
    dev->closing_first = true;
    timer_arm_in(&dev->otherend_watch.retry, ACKNOWLEDGE_IN);
    return 1;
}

/* Whether there is to be a next try after this error of the driver's: one that says nothing of the
 * device, but that something is short, or that the peer has not let go of an earlier connection. */
static bool will_try_on(struct xenbus_device *dev, int err)
{
    if (err != -ENOSPC && err != -EBUSY && !xs_passing(err))
        return false;
    dev->late = true;
    try_later(dev, "connecting", err);
    return true;
}

static void connect(struct xenbus_device *dev)
{
    int err = dev->driver->connect(dev);

    if (err) {
        if (will_try_on(dev, err))
            dev->driver->disconnect(dev);
        else
            mark_broken(dev, "it cannot be connected", errno_name(err));
        return;
    }
    if (dev->late)
        log_info("%s: connected at last", dev->name);
    dev->late = false;
    dev->connected = true;
    set_state(dev, dev->driver->two_steps ? XenbusStateInitialised : XenbusStateConnected);
}

/* The backend waits for us: for the first time, or again after it was restarted or closed. 0, or an
 * error that is xs_passing() and hindered us. */
static int peer_ready(struct xenbus_device *dev, enum xenbus_state before)
{
    if (dev->connected && (before == dev->peer_state || before == XenbusStateInitWait))
        return 0; /* it has not seen our answer yet */
    if (dev->connected || dev->state != XenbusStateInitialising) {
        int waits = close_first(dev);

        if (waits)
            return MIN(waits, 0);
        if (!dev->closing_first)
            log_info("%s: the backend has restarted", dev->name);
        if (!begin_anew(dev))
            return 0;
    }
    connect(dev);
    return 0;
}

static void peer_connected(struct xenbus_device *dev)
{
    int err;

    if (!dev->connected) {
        if (!dev->closing_first)
            log_limited(LOG_WARN, "%s: the backend is connected, to nothing of ours", dev->name);
        return;
    }
    if (dev->running)
        return;
    dev->running = true;
    err = dev->driver->connected(dev);
    if (!err) {
        set_state(dev, XenbusStateConnected);
    } else if (will_try_on(dev, err)) {
        dev->running = false;
    } else {
        mark_broken(dev, "it cannot be started", errno_name(err));
    }
}

/* Two ends that were Closed would wait for each other for ever: if the device is to stay, it is
 * for the frontend to begin. 0, or an error that is xs_passing() and hindered us. */
static int peer_closed(struct xenbus_device *dev)
{
    int online = 0;

    if (dev->connected)
        log_info("%s: the backend has closed", dev->name);
    disconnect(dev);
    if (dev->peer_state == XenbusStateClosed && dev->state != XenbusStateInitialising)
        online = backend_online(dev);
    if (online < 0)
        return online;
    if (online)
        (void)begin_anew(dev);
    else if (dev->state != XenbusStateInitialising || dev->peer_state == XenbusStateClosing)
        set_state(dev, XenbusStateClosed);
    return 0;
}

/* 0, or an error that is xs_passing(): to be called again with the same `before`. */
static int follow_peer(struct xenbus_device *dev, enum xenbus_state before)
{
    switch (dev->peer_state) {
    case XenbusStateInitialising: /* it starts, and will say when it is ready */
        disconnect(dev);
        break;
    case XenbusStateInitWait:
    case XenbusStateInitialised:
        return peer_ready(dev, before);
    case XenbusStateConnected:
        peer_connected(dev);
        break;
    case XenbusStateUnknown:
    case XenbusStateClosing:
    case XenbusStateClosed:
        return peer_closed(dev);
    default: /* Reconfiguring, Reconfigured: not for the devices here */
        break;
    }
    return 0;
}

/* The backend's state, or a negative errno. A backend that is gone counts as closed. */
static int read_peer_state(struct xenbus_device *dev)
{
    uint64_t state;
    int err = xs_read_number(XS_NONE, dev->watch_path, XenbusStateUnknown, XenbusStateReconfigured,
                             &state);

    if (err == -ENOENT || err == -EACCES)
        return XenbusStateClosed;
    return err ? err : (int)state;
}

static void otherend_changed(struct xs_watch *w)
{
    struct xenbus_device *dev = container_of(w, struct xenbus_device, otherend_watch);
    enum xenbus_state before = dev->peer_state;
    int state = read_peer_state(dev);

    write_state(dev);
    if (state == -EINVAL)
        mark_broken(dev, "the backend's state is not a state", errno_name(state));
    else if (state < 0)
        try_later(dev, "reading its state", state);
    if (state >= 0) {
        dev->peer_state = (enum xenbus_state)state;
        log_debug("%s: %s, backend %s", dev->name, state_name(dev->state), state_name(state));
    }
    if (!dev->broken && state >= 0) {
        int err = follow_peer(dev, before);

        if (err) {
            dev->peer_state = before;
            try_later(dev, "following the backend", err);
        }
    }
    if (dev->broken) { /* before, or just now */
        close_broken(dev);
        if (dev->peer_state == XenbusStateClosing || dev->peer_state == XenbusStateClosed)
            set_state(dev, XenbusStateClosed);
    }
}

void xenbus_peer_begin(struct xenbus_device *dev)
{
    int err;

    set_state(dev, XenbusStateInitialising);
    dev->otherend_watch.path = dev->watch_path;
    dev->otherend_watch.fn = otherend_changed;
    err = xs_watch(&dev->otherend_watch);
    if (err)
        log_error("%s: no watch on the backend: %s", dev->name, errno_name(err));
}

void xenbus_peer_end(struct xenbus_device *dev)
{
    xs_unwatch(&dev->otherend_watch); /* first: no late event from here on */
    disconnect(dev);
}
