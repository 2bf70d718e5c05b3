/* SPDX-License-Identifier: ISC */
/* A xenstored that lies: the numbers are those of the rules in docs/hardening.md. */
#include <errno.h>
#include <string.h>

#include "lib/util.h"
#include "tests/peers/lies.h"

/* --- 20: the rings ------------------------------------------------------------------------------- */

static void reply_ahead(void *item)
{
    struct xenstore_domain_interface *page = item;

    page->rsp_prod = page->rsp_cons + XENSTORE_RING_SIZE + 1;
}

static void reply_back(void *item)
{
    struct xenstore_domain_interface *page = item;

    page->rsp_prod = page->rsp_cons - 1;
}

static void request_ahead(void *item)
{
    struct xenstore_domain_interface *page = item;

    page->req_cons = page->req_prod + 1;
}

/* --- 20, 21: replies ------------------------------------------------------------------------------- */

static void length(void *item)
{
    ((struct store_reply *)item)->head->len = XENSTORE_PAYLOAD_MAX + 1;
}

static void length_huge(void *item)
{
    ((struct store_reply *)item)->head->len = 0xffffffff;
}

static void request_id(void *item)
{
    ((struct store_reply *)item)->head->req_id ^= 0x5a5a;
}

static void transaction_id(void *item)
{
    ((struct store_reply *)item)->head->tx_id++;
}

static void type_other(void *item)
{
    struct store_reply *r = item;

    r->head->type = r->head->type == XS_RM ? XS_READ : XS_RM;
}

static void type_unknown(void *item)
{
    ((struct store_reply *)item)->head->type = 0xfffe;
}

/* An event that nobody asked for, in the place of a reply; the reply is lost. */
static void event_token(void *item)
{
    static const char event[] = "device/vif\0no-such-token";
    struct store_reply *r = item;

    r->head->type = XS_WATCH_EVENT;
    r->head->req_id = r->head->tx_id = 0;
    r->payload = event;
    r->head->len = sizeof(event);
}

static void event_endless(void *item)
{
    static char event[XENSTORE_PAYLOAD_MAX];
    struct store_reply *r = item;

    memset(event, 'a', sizeof(event));
    r->head->type = XS_WATCH_EVENT;
    r->head->req_id = r->head->tx_id = 0;
    r->payload = event;
    r->head->len = sizeof(event);
}

static void event_empty(void *item)
{
    struct store_reply *r = item;

    r->head->type = XS_WATCH_EVENT;
    r->head->req_id = r->head->tx_id = 0;
    r->payload = ""; /* not the reply's, which would follow */
    r->head->len = 0;
}

static void fail(struct store_reply *r, const char *name)
{
    r->head->type = XS_ERROR;
    r->payload = name;
    r->head->len = (uint32_t)strlen(name) + 1;
}

static void error_unknown(void *item)
{
    fail(item, "ESTRANGE");
}

static void error_endless(void *item)
{
    struct store_reply *r = item;

    fail(r, "EINVALID-AND-NO-END-OF-IT");
    r->head->len--;
}

/* 21: a transaction that never ends well. */
static void again(void *item)
{
    struct store_asked *asked = item;

    if (asked->head->type == XS_TRANSACTION_END)
        asked->refuse = -EAGAIN;
}

/* 22: no quota left. */
static void no_space(void *item)
{
    struct store_asked *asked = item;

    if (asked->head->type == XS_WRITE || asked->head->type == XS_WATCH)
        asked->refuse = -ENOSPC;
}

const struct store_lie store_lies[] = {
    {"20-reply-ahead", STORE_PUSH, false, reply_ahead},
    {"20-reply-back", STORE_PUSH, false, reply_back},
    {"20-request-ahead", STORE_PUSH, false, request_ahead},
    {"20-length", STORE_REPLY, false, length},
    {"20-length-huge", STORE_REPLY, false, length_huge},
    {"20-request-id", STORE_REPLY, false, request_id},
    {"20-transaction-id", STORE_REPLY, false, transaction_id},
    {"20-type-other", STORE_REPLY, false, type_other},
    {"20-type-unknown", STORE_REPLY, false, type_unknown},
    {"20-event-token", STORE_REPLY, false, event_token},
    {"20-event-endless", STORE_REPLY, false, event_endless},
    {"20-event-empty", STORE_REPLY, false, event_empty},
    {"21-error-unknown", STORE_REPLY, false, error_unknown},
    {"21-error-endless", STORE_REPLY, false, error_endless},
    {"21-again", STORE_ASKED, true, again},
    {"22-no-space", STORE_ASKED, true, no_space},
};
const unsigned store_lie_count = ARRAY_SIZE(store_lies);
