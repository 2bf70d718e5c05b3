/* SPDX-License-Identifier: ISC */
/*
 * The directory control/ in xenstore, where the toolstack asks the guest for something and the
 * guest says what it understands (Xen's docs/misc/xenstore-paths.pandoc). A request is a value; the
 * guest acknowledges it by writing an empty one, in a transaction, so that no request is lost that
 * comes meanwhile.
 */
#include "kernel/control.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include <xen/sched.h>

#include "kernel/app.h"
#include "kernel/log.h"
#include "kernel/shutdown.h"
#include "kernel/sysrq.h"
#include "lib/util.h"
#include "xen/xenstore.h"

#define LOG_MODULE "control"
#define SHUTDOWN_PATH "control/shutdown"
#define SYSRQ_PATH "control/sysrq"

struct request {
    const char *path;
    char value[16];
};

/* In a transaction: reads the request and acknowledges it. -EACCES: it stands in value, but somebody
 * has made the key anew and not for us to write. */
static int take(xs_tid t, void *ctx)
{
    struct request *r = ctx;
    int len = xs_read(t, r->path, r->value, sizeof(r->value));

    if (len == -ENOSPC)
        memcpy(r->value, "(too long)", 11);
    else if (len <= 0)
        return len ? len : -ENOENT;
    return xs_write(t, r->path, "");
}

static void shutdown_request(const char *value)
{
    if (!strcmp(value, "poweroff") || !strcmp(value, "halt")) {
        log_info("power-off requested");
        shutdown_begin(SHUTDOWN_poweroff);
    } else if (!strcmp(value, "reboot")) {
        log_info("reboot requested");
        shutdown_begin(SHUTDOWN_reboot);
    } else {
        log_warn("\"%s\" requested: not supported", value);
    }
}

static void control_changed(struct xs_watch *w);

static struct {
    struct xs_watch watch;
    struct timer again;
} control = {.watch = {.path = "control", .fn = control_changed, .depth = 1}};

static void look_again(struct timer *t)
{
    (void)t;
    xs_watch_kick(&control.watch);
}

/* The store would not let us take a request, which stands: nothing else will tell us of it. */
static void try_later(const char *path, int err)
{
    if (err == -ENOENT || err == -EIO) /* it has gone; the watch fires when the store is back */
        return;
    log_limited(LOG_WARN, "%s: %s: looking again in a second", path, errno_name(err));
    timer_arm_in(&control.again, NSEC_PER_SEC);
}

static void control_changed(struct xs_watch *w)
{
    struct request shutdown = {.path = SHUTDOWN_PATH}, sysrq = {.path = SYSRQ_PATH};
    struct xs_read_item items[] = {
        {shutdown.path, shutdown.value, sizeof(shutdown.value), 0},
        {sysrq.path, sysrq.value, sizeof(sysrq.value), 0},
    };
    int err;

    (void)w;
    /* Looks first: a transaction for nothing would cost three round trips. */
    err = xs_read_many(XS_NONE, items, IS_ENABLED(CONFIG_SYSRQ) ? 2 : 1);
    if (err)
        try_later("control", err);
    if (items[0].result > 0 || items[0].result == -ENOSPC) {
        err = xs_transaction_run(take, &shutdown);
        if (err == 0 || err == -EACCES)
            shutdown_request(shutdown.value);
        else
            try_later(shutdown.path, err);
    }
    if (IS_ENABLED(CONFIG_SYSRQ) && items[1].result > 0) {
        err = xs_transaction_run(take, &sysrq);
        if (err == 0)
            sysrq_run(sysrq.value[0]);
        else if (err == -EACCES) /* it would be seen, and done, again and again */
            log_warn("a sysrq that cannot be acknowledged is ignored");
        else
            try_later(sysrq.path, err);
    }
}

void control_init(void)
{
    timer_init(&control.again, look_again);
    if (!xenstore_available())
        return;
    if (IS_ENABLED(CONFIG_SYSRQ))
        sysrq_init();
    (void)guest_publish("control/feature-poweroff", "1");
    (void)guest_publish("control/feature-reboot", "1");
    if (xs_watch(&control.watch))
        log_error("requests of the toolstack are not seen");
}
