/* SPDX-License-Identifier: ISC */
/* Transactions of xenstored: what is seen before the end, what is a conflict, and what is a mistake. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "apps/conformance/request.h"
#include "apps/conformance/verdict.h"

#define MANY 20 /* more than a domain may have under way */

static xs_tid begin(void)
{
    struct answer a = request(XS_TRANSACTION_START, XS_NONE, "", NULL);

    return a.err ? XS_NONE : (xs_tid)strtoul(a.text, NULL, 10);
}

static int end(xs_tid t, const char *how)
{
    return request(XS_TRANSACTION_END, t, how, NULL).err;
}

static void tell_value(const char *question, xs_tid t, const char *path)
{
    struct answer a = request(XS_READ, t, path, NULL);

    if (a.err)
        verdict_result(question, a.err);
    else
        verdict(question, "\"%s\"", a.text);
}

static void ask_mistakes(void)
{
    xs_tid t = begin(), many[MANY];
    unsigned count = 0;

    verdict_result("end what was not begun", end(XS_NONE, "T"));
    verdict_result("end what does not exist", end(t + 1000, "T"));
    verdict_result("read in what does not exist", request(XS_READ, t + 1000, "data", NULL).err);
    verdict_result("begin within one", request(XS_TRANSACTION_START, t, "", NULL).err);
    verdict_result("end it with no word", end(t, ""));
    verdict_result("end it with another word", end(t, "X"));
    verdict_result("end it after that", end(t, "F"));
    verdict_result("end it twice", end(t, "F"));
    while (count < MANY && (many[count] = begin()))
        count++;
    verdict("under way at once", "%u", count);
    verdict_result("begin one more", request(XS_TRANSACTION_START, XS_NONE, "", NULL).err);
    while (count)
        (void)end(many[--count], "F");
    t = begin();
    verdict_result("begin one after that", end(t, "F"));
}

static void ask_sight(void)
{
    xs_tid t = begin();

    (void)request_write(XS_NONE, "data/t", "before");
    verdict_result("write in one", request_write(t, "data/t", "within"));
    tell_value("read what was written", t, "data/t");
    tell_value("read it outside", XS_NONE, "data/t");
    verdict_result("make a node in one", request_write(t, "data/t/new", "x"));
    tell_value("read the new node outside", XS_NONE, "data/t/new");
    verdict_result("abort", end(t, "F"));
    tell_value("read it after an abort", XS_NONE, "data/t");
    t = begin();
    (void)request_write(t, "data/t", "within");
    (void)request_write(t, "data/t/new", "x");
    verdict_result("remove in one", request(XS_RM, t, "data/t/new", NULL).err);
    tell_value("read what was removed", t, "data/t/new");
    verdict_result("commit", end(t, "T"));
    tell_value("read it after a commit", XS_NONE, "data/t");
    tell_value("read what was made and removed", XS_NONE, "data/t/new");
}

/* Each begins with data/c = "0", data/c/a and data/c/b. */
static xs_tid prepare(void)
{
    (void)request(XS_RM, XS_NONE, "data/c", NULL);
    (void)request_write(XS_NONE, "data/c", "0");
    (void)request_write(XS_NONE, "data/c/a", "0");
    (void)request_write(XS_NONE, "data/c/b", "0");
    return begin();
}

static void ask_conflicts(void)
{
    xs_tid t = prepare();

    (void)request(XS_READ, t, "data/c/a", NULL);
    (void)request_write(XS_NONE, "data/c/a", "1");
    verdict_result("read what another has written, and write nothing", end(t, "T"));
    t = prepare();
    (void)request(XS_READ, t, "data/c/a", NULL);
    (void)request_write(t, "data/c/b", "2");
    (void)request_write(XS_NONE, "data/c/a", "1");
    verdict_result("read what another writes, and write", end(t, "T"));
    tell_value("what was to be written", XS_NONE, "data/c/b");
    t = prepare();
    (void)request_write(t, "data/c/a", "2");
    (void)request_write(XS_NONE, "data/c/a", "1");
    verdict_result("write what another writes", end(t, "T"));
    t = prepare();
    (void)request_write(t, "data/c/a", "2");
    (void)request_write(XS_NONE, "data/c/a", "0");
    verdict_result("write what another writes as it was", end(t, "T"));
    t = prepare();
    (void)request_write(t, "data/c/a", "2");
    (void)request_write(XS_NONE, "data/c/b", "1");
    verdict_result("another writes beside it", end(t, "T"));
    t = prepare();
    (void)request_write(t, "data/c/a", "2");
    (void)request_write(XS_NONE, "data/c/new", "1");
    verdict_result("another makes a node beside it", end(t, "T"));
    t = prepare();
    (void)request_write(t, "data/c/x", "2");
    (void)request_write(XS_NONE, "data/c/y", "1");
    verdict_result("both make a node", end(t, "T"));
    t = prepare();
    (void)request(XS_READ, t, "data/c/none", NULL);
    (void)request_write(t, "data/c/a", "2");
    (void)request_write(XS_NONE, "data/c/none", "1");
    verdict_result("another makes what was not there", end(t, "T"));
    t = prepare();
    (void)request_write(t, "data/c/a", "2");
    (void)request(XS_RM, XS_NONE, "data/c/a", NULL);
    verdict_result("another removes it", end(t, "T"));
    t = prepare();
    (void)request(XS_DIRECTORY, t, "data/c", NULL);
    (void)request_write(t, "data/c/a", "2");
    (void)request_write(XS_NONE, "data/c/b", "1");
    verdict_result("another writes to an entry of what was listed", end(t, "T"));
    t = prepare();
    (void)request_write(t, "data/c/a", "2");
    (void)request_write(XS_NONE, "data/c/a", "1");
    verdict_result("abort a conflict", end(t, "F"));
    (void)request(XS_RM, XS_NONE, "data/c", NULL);
}

void ask_transactions(void)
{
    ask_mistakes();
    ask_sight();
    ask_conflicts();
}
