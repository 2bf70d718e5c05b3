/* SPDX-License-Identifier: ISC */
/* xenstored: paths, sizes, rights, quotas, and the names of its errors. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "apps/conformance/ports.h"
#include "apps/conformance/request.h"
#include "apps/conformance/verdict.h"
#include "kernel/thread.h"

#define NODE_BYTES 2048

struct call {
    struct xs_request req;
    struct wait_queue queue;
    bool done;
};

static void call_done(struct xs_request *req)
{
    struct call *call = container_of(req, struct call, req);

    call->done = true;
    wait_queue_wake_all(&call->queue);
}

struct answer request_raw(uint32_t type, xs_tid t, const void *a, size_t a_size, const void *b,
                          size_t b_size)
{
    struct answer answer = {0};
    struct call call = {
        .req = {.type = type,
                .tid = t,
                .done = call_done,
                .part = {{a, (uint32_t)a_size}, {b, (uint32_t)b_size}}},
        .queue = WAIT_QUEUE_INIT(call.queue),
    };

    call.req.reply = answer.text;
    call.req.reply_size = sizeof(answer.text) - 1;
    xs_submit(&call.req);
    while (!call.done)
        wait_queue_sleep(&call.queue);
    answer.err = call.req.result;
    answer.len = call.req.reply_len;
    return answer;
}

struct answer request(uint32_t type, xs_tid t, const char *a, const char *b)
{
    return request_raw(type, t, a, strlen(a) + 1, b, b ? strlen(b) + 1 : 0);
}

int request_write(xs_tid t, const char *path, const char *value)
{
    return request_raw(XS_WRITE, t, path, strlen(path) + 1, value, strlen(value)).err;
}

static void tell(const char *question, struct answer answer)
{
    verdict_result(question, answer.err);
}

/* The reply's text, its ends of strings as '|'. */
static void tell_text(const char *question, struct answer answer)
{
    size_t len = MIN(answer.len, sizeof(answer.text) - 1);

    if (answer.err) {
        verdict_result(question, answer.err);
        return;
    }
    for (size_t i = 0; i < len; i++)
        if (!answer.text[i])
            answer.text[i] = '|';
    answer.text[len] = '\0';
    verdict(question, "\"%s\"", answer.text);
}

/* --- paths ------------------------------------------------------------------------------------- */

static void ask_path(const char *path)
{
    char question[64];

    (void)snprintf(question, sizeof(question), "read \"%s\"", path);
    tell(question, request(XS_READ, XS_NONE, path, NULL));
}

/* A path that does not exist, of so many characters behind its start. */
static void ask_length(const char *what, const char *start, size_t len)
{
    static char path[sizeof("/local/domain/12345/") + XENSTORE_ABS_PATH_MAX + 1];
    size_t size = strlen(start) + len;
    char question[64];

    (void)snprintf(question, sizeof(question), "read %s of %zu characters", what, len);
    memset(path, 'a', size);
    memcpy(path, start, strlen(start));
    memcpy(path + size - len, "data/", MIN(len, 5));
    path[size] = '\0';
    tell(question, request(XS_READ, XS_NONE, path, NULL));
}

static void ask_paths(void)
{
    static const char *const paths[] = {
        "data/none",  "data/none/below", "data/a b",     "data/a%b",
        "data/a.b",   "data/a:b",        "data/a_b-c@D", "data/",
        "data//none", "/data/",          "//data",       "/",
        "data",       "./data",          "@none",        "@introduceDomain",
        "/tool",      "/tool/none",      "/none",        "",
    };
    char home[64];

    for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
        ask_path(paths[i]);
    (void)snprintf(home, sizeof(home), "/local/domain/%u/", port_domain());
    for (size_t extra = 0; extra < 2; extra++) {
        ask_length("a relative path", "", XENSTORE_REL_PATH_MAX + extra);
        ask_length("a path below our directory", home, XENSTORE_REL_PATH_MAX + extra);
        ask_length("a path below another's", "/local/domain/0/", XENSTORE_REL_PATH_MAX + extra);
        ask_length("a path elsewhere", "/", XENSTORE_REL_PATH_MAX - 1 + extra);
        ask_length("an absolute path", "/", XENSTORE_ABS_PATH_MAX - 1 + extra);
    }
}

/* --- sizes ------------------------------------------------------------------------------------- */

static char large[XENSTORE_PAYLOAD_MAX + 1];

static struct answer write_large(const char *path, size_t size)
{
    return request_raw(XS_WRITE, XS_NONE, path, strlen(path) + 1, large, size);
}

static void ask_sizes(void)
{
    size_t size = NODE_BYTES;

    memset(large, 'x', sizeof(large));
    tell("write a payload of 4096 octets",
         write_large("data/v", XENSTORE_PAYLOAD_MAX - sizeof("data/v")));
    while (size && write_large("data/v", size).err == -ENOSPC)
        size--;
    verdict("the largest value", "%zu", size);
    verdict("the length that is read", "%zu", request(XS_READ, XS_NONE, "data/v", NULL).len);
    tell("write one octet more", write_large("data/v", size + 1));
    verdict("the length is still", "%zu", request(XS_READ, XS_NONE, "data/v", NULL).len);
    tell("write no value", request(XS_WRITE, XS_NONE, "data/v", NULL));
    tell_text("read no value", request(XS_READ, XS_NONE, "data/v", NULL));
    tell("remove it", request(XS_RM, XS_NONE, "data/v", NULL));
}

/* --- rights and forms -------------------------------------------------------------------------- */

static void ask_nodes(void)
{
    tell("write to our directory", request(XS_WRITE, XS_NONE, "ours", "x"));
    tell("write to /", request(XS_WRITE, XS_NONE, "/ours", "x"));
    tell("write to /tool", request(XS_WRITE, XS_NONE, "/tool/ours", "x"));
    tell("write to the root", request(XS_WRITE, XS_NONE, "/", "x"));
    tell("write where nothing is", request(XS_WRITE, XS_NONE, "data/a/b/c", "x"));
    tell_text("read what lies between", request(XS_READ, XS_NONE, "data/a/b", NULL));
    tell_text("list it", request(XS_DIRECTORY, XS_NONE, "data/a/b", NULL));
    tell_text("list what has no entries", request(XS_DIRECTORY, XS_NONE, "data/a/b/c", NULL));
    tell("list nothing", request(XS_DIRECTORY, XS_NONE, "data/none", NULL));
    tell("make what exists", request(XS_MKDIR, XS_NONE, "data/a", NULL));
    tell("make a directory", request(XS_MKDIR, XS_NONE, "data/d", NULL));
    tell("make one at /", request(XS_MKDIR, XS_NONE, "/d", NULL));
    tell("remove nothing", request(XS_RM, XS_NONE, "data/none", NULL));
    tell("remove nothing below nothing", request(XS_RM, XS_NONE, "data/none/none", NULL));
    tell("remove the root", request(XS_RM, XS_NONE, "/", NULL));
    tell("remove what is domain 0's", request(XS_RM, XS_NONE, "name", NULL));
    tell("read our name", request(XS_READ, XS_NONE, "name", NULL));
    tell("write our name", request(XS_WRITE, XS_NONE, "name", "x"));
}

static void ask_rights(void)
{
    char perms[40], *p;
    struct answer a;

    (void)snprintf(perms, sizeof(perms), "n%u", port_domain());
    a = request(XS_GET_PERMS, XS_NONE, "data/a", NULL);
    verdict("whose is a new node", "%s", !strcmp(a.text, perms) ? "ours" : "another's");
    tell_text("rights to our directory's", request(XS_GET_PERMS, XS_NONE, "/", NULL));
    tell("rights to nothing", request(XS_GET_PERMS, XS_NONE, "data/none", NULL));
    tell("give it away", request(XS_SET_PERMS, XS_NONE, "data/a", "n0"));
    tell("rights that are none", request(XS_SET_PERMS, XS_NONE, "data/a", "x1"));
    tell("rights without a domain", request(XS_SET_PERMS, XS_NONE, "data/a", "r"));
    tell("no rights", request(XS_SET_PERMS, XS_NONE, "data/a", NULL));
    tell("set the rights of nothing", request(XS_SET_PERMS, XS_NONE, "data/none", perms));
    tell("set the rights of domain 0's", request(XS_SET_PERMS, XS_NONE, "name", perms));
    p = perms + strlen(perms) + 1;
    memcpy(p, "r0", 3);
    tell("let domain 0 read",
         request_raw(XS_SET_PERMS, XS_NONE, "data/a", 7, perms, strlen(perms) + 4));
    a = request(XS_GET_PERMS, XS_NONE, "data/a", NULL);
    verdict("what has been set", "%s", a.len > 4 ? a.text + strlen(a.text) + 1 : "?");
    memcpy(p, "r777", 5);
    tell("let nobody read",
         request_raw(XS_SET_PERMS, XS_NONE, "data/a", 7, perms, strlen(perms) + 6));
    tell("give it to nobody", request(XS_SET_PERMS, XS_NONE, "data/a", "n777"));
}

/* Each string has its end: to one that has none xenstored 4.17 gives the error of the request before, or no answer
 * at all. */
static void ask_forms(void)
{
    tell("no such request", request(99, XS_NONE, "data", NULL));
    tell("another's error", request(XS_ERROR, XS_NONE, "data", NULL));
    tell("an event of our own", request(XS_WATCH_EVENT, XS_NONE, "data", TOKEN));
    tell("introduce a domain", request_raw(XS_INTRODUCE, XS_NONE, "7\0001\0001", 6, NULL, 0));
    tell("release a domain", request(XS_RELEASE, XS_NONE, "0", NULL));
    tell("is domain 0 introduced", request(XS_IS_DOMAIN_INTRODUCED, XS_NONE, "0", NULL));
    tell("control the store", request(XS_CONTROL, XS_NONE, "help", NULL));
    tell("set a target", request(XS_SET_TARGET, XS_NONE, "1", "2"));
    tell("resume a domain", request(XS_RESUME, XS_NONE, "0", NULL));
    tell_text("domain 0's path", request(XS_GET_DOMAIN_PATH, XS_NONE, "0", NULL));
    tell_text("nobody's path", request(XS_GET_DOMAIN_PATH, XS_NONE, "777", NULL));
    tell_text("the path of no number", request(XS_GET_DOMAIN_PATH, XS_NONE, "x", NULL));
    tell("a part of a directory from nowhere", request(XS_DIRECTORY_PART, XS_NONE, "data", NULL));
    tell("a part of nothing", request(XS_DIRECTORY_PART, XS_NONE, "data/none", "0"));
}

void ask_store(void)
{
    ask_paths();
    ask_nodes();
    ask_rights();
    ask_sizes();
    ask_forms();
}
