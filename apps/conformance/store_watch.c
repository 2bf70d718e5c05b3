/* SPDX-License-Identifier: ISC */
/* Watches of xenstored: what fires them, how often, and when a transaction does. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/conformance/ports.h"
#include "apps/conformance/request.h"
#include "apps/conformance/verdict.h"

#define MANY 200 /* more than a domain may have */

static uint64_t seen;

/* Events since the last look. xenstored sends them before it answers what comes next. */
static unsigned events(void)
{
    uint64_t before = seen;

    (void)request(XS_READ, XS_NONE, "data", NULL);
    seen = xenstore_stats()->events;
    return (unsigned)(seen - before);
}

static void tell(const char *question, int err)
{
    unsigned count = events();

    verdict(question, "%s, %u event%s", result_name(err), count, count == 1 ? "" : "s");
}

static int watch(xs_tid t, const char *path)
{
    return request(XS_WATCH, t, path, TOKEN).err;
}

static int unwatch(const char *path)
{
    return request(XS_UNWATCH, XS_NONE, path, TOKEN).err;
}

static int make(const char *path)
{
    return request(XS_MKDIR, XS_NONE, path, NULL).err;
}

static int rm(const char *path)
{
    return request(XS_RM, XS_NONE, path, NULL).err;
}

static void ask_changes(void)
{
    char perms[8];

    tell("watch", watch(XS_NONE, "data/w"));
    tell("watch again", watch(XS_NONE, "data/w"));
    tell("write it", request_write(XS_NONE, "data/w", "1"));
    tell("write the same", request_write(XS_NONE, "data/w", "1"));
    tell("write below", request_write(XS_NONE, "data/w/a/b", "1"));
    tell("write beside", request_write(XS_NONE, "data/wx", "1"));
    tell("make what exists", make("data/w/a"));
    tell("make below", make("data/w/c"));
    (void)snprintf(perms, sizeof(perms), "n%u", port_domain());
    tell("set its rights", request(XS_SET_PERMS, XS_NONE, "data/w", perms).err);
    tell("remove below", rm("data/w/a"));
    tell("remove nothing", rm("data/w/none"));
    (void)request_write(XS_NONE, "data/w/d/e/f", "1");
    (void)events();
    tell("remove it with all below", rm("data/w"));
    (void)request_write(XS_NONE, "data/w/d", "1");
    (void)events();
    tell("unwatch", unwatch("data/w"));
    tell("watch what is below", watch(XS_NONE, "data/w/d"));
    tell("remove what is above", rm("data/w"));
    tell("unwatch that", unwatch("data/w/d"));
    tell("write after that", request_write(XS_NONE, "data/w", "1"));
    tell("unwatch again", unwatch("data/w/d"));
}

static void ask_forms(void)
{
    tell("watch nothing there", watch(XS_NONE, "data/none/none"));
    (void)unwatch("data/none/none");
    tell("watch a path that is none", watch(XS_NONE, "data//w"));
    tell("watch a path with an end of /", watch(XS_NONE, "data/w/"));
    tell("watch domain 0's", watch(XS_NONE, "/tool"));
    (void)unwatch("/tool");
    tell("watch the coming of domains", watch(XS_NONE, "@introduceDomain"));
    (void)unwatch("@introduceDomain");
    tell("watch what is not special", watch(XS_NONE, "@none"));
    (void)unwatch("@none");
    tell("watch without a token", request(XS_WATCH, XS_NONE, "data/w", NULL).err);
    tell("unwatch without a token", request(XS_UNWATCH, XS_NONE, "data/w", NULL).err);
    tell("unwatch a path that is none", unwatch("data//w"));
}

static xs_tid begin(void)
{
    return (xs_tid)strtoul(request(XS_TRANSACTION_START, XS_NONE, "", NULL).text, NULL, 10);
}

static int end(xs_tid t, const char *how)
{
    return request(XS_TRANSACTION_END, t, how, NULL).err;
}

static void ask_transactions_of_watches(void)
{
    xs_tid t = begin();

    tell("watch within a transaction", watch(t, "data/w"));
    tell("write within it", request_write(t, "data/w", "2"));
    tell("write again within it", request_write(t, "data/w", "3"));
    tell("commit", end(t, "T"));
    t = begin();
    tell("write two nodes", request_write(t, "data/w/a", "2") + request_write(t, "data/w/b", "2"));
    tell("commit two", end(t, "T"));
    t = begin();
    tell("write and abort", request_write(t, "data/w", "4") + end(t, "F"));
    t = begin();
    (void)request_write(t, "data/w", "5");
    (void)request_write(XS_NONE, "data/w", "6");
    (void)events();
    tell("a conflict", end(t, "T"));
    t = begin();
    (void)request(XS_RM, t, "data/w/a", NULL);
    tell("remove and commit", end(t, "T"));
    t = begin();
    (void)request_write(t, "data/w/new", "5");
    (void)request(XS_RM, t, "data/w/new", NULL);
    tell("make, remove and commit", end(t, "T"));
    t = begin();
    (void)request(XS_READ, t, "data/w", NULL);
    tell("read and commit", end(t, "T"));
    (void)unwatch("data/w");
}

static void ask_quota(void)
{
    char path[32];
    int err = 0;
    unsigned count = 0;

    while (!err && count < MANY) {
        (void)snprintf(path, sizeof(path), "data/many/%u", count++);
        err = watch(XS_NONE, path);
    }
    verdict_result("watches without end", err);
    verdict("they were, with the kernel's", "%u", count);
}

void ask_watches(void)
{
    (void)events();
    ask_changes();
    ask_forms();
    ask_transactions_of_watches();
    ask_quota();
}
