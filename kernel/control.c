/* SPDX-License-Identifier: ISC */
/*
 * The directory control/ in xenstore, where the toolstack asks the guest for something and the
 * guest says what it understands (Xen's docs/misc/xenstore-paths.pandoc). A request is a value; the
 * guest acknowledges it by writing an empty one, in a transaction, so that no request is lost that
 * comes meanwhile.
 */
#include "kernel/control.h"

#include <errno.h>
#include <stdbool.h>
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
    bool written; /* and the transaction may have been ended */
};

/* In a transaction: reads the request and acknowledges it. -EACCES: it stands in value, but somebody
 * has made the key anew and not for us to write. */
static int take(xs_tid t, void *ctx)
{
    struct request *r = ctx;
    int err, len = xs_read(t, r->path, r->value, sizeof(r->value));

    r->written = false;
    if (len == -ENOSPC)
        memcpy(r->value, "(too long)", 11);
    else if (len <= 0)
        return len ? len : -ENOENT;
    err = xs_write(t, r->path, "");
    r->written = !err;
    return err;
}

/* Whether it is for us to do: nobody may tell us again of a request whose acknowledgement was done but
 * not answered, or answered badly. */
static bool taken(const struct request *r, int err)
{
    return !err || (r->written && (err == -EIO || err == -ECONNRESET));
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

static struct xs_watch watch; /* control_init() fills it in: so it has no bytes in the image */

/* The store would not let us take a request, which stands: nothing else will tell us of it. */
static void try_later(const char *path, int err)
{
    if (err == -ENOENT) /* it has gone */
        return;
    if (err != -ECONNRESET)
        log_limited(LOG_WARN, "%s: %s: looking again in a second", path, errno_name(err));
    watch.retry_after = 0; /* no longer than that, however often */
    xs_watch_retry(&watch, err);
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
        if (taken(&shutdown, err) || err == -EACCES)
            shutdown_request(shutdown.value);
        else
            try_later(shutdown.path, err);
    }
    if (IS_ENABLED(CONFIG_SYSRQ) && items[1].result > 0) {
        err = xs_transaction_run(take, &sysrq);
        if (taken(&sysrq, err))
            sysrq_run(sysrq.value[0]);
        else if (err == -EACCES) /* it would be seen, and done, again and again */
            log_warn("a sysrq that cannot be acknowledged is ignored");
        else
            try_later(sysrq.path, err);
    }
}

void control_init(void)
{
    if (!xenstore_available())
        return;
    if (IS_ENABLED(CONFIG_SYSRQ))
        sysrq_init();
    (void)guest_publish("control/feature-poweroff", "1");
    (void)guest_publish("control/feature-reboot", "1");
    watch.path = "control";
    watch.fn = control_changed;
    watch.depth = 1;
    if (xs_watch(&watch))
        log_error("requests of the toolstack are not seen");
}
