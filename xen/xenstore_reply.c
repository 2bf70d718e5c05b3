/* SPDX-License-Identifier: ISC */
/*
 * Taking apart the stream of packets from xenstored (xen/include/public/io/xs_wire.h): replies and
 * watch events, in pieces of any size. A reply's payload goes straight into its caller's buffer; of
 * an error only the name is kept and of an event only the token and the path's depth, so there is
 * no buffer for a packet. The bytes given here are private copies already.
 *
 * A packet that makes no sense by itself is skipped; a length beyond the protocol's limit means
 * that the stream is lost, and ends the connection.
 */
#include "xen/xenstore_internal.h"

#include <errno.h>
#include <string.h>

#include <xen/io/xs_wire.h>

#include "kernel/log.h"
#include "lib/util.h"
#include "xen/xenstore.h"

#define LOG_MODULE "xenstore"

enum payload { PAYLOAD_SKIP, PAYLOAD_DATA, PAYLOAD_ERROR, PAYLOAD_EVENT };

/* The packet that is coming in. */
struct receiver {
    struct xsd_sockmsg head;
    uint32_t have; /* bytes of head, then of the payload */
    bool in_payload;
    enum payload kind;
    struct xs_request *req; /* for DATA and ERROR */
    /* An error's name, or an event's token (the part of its payload after the first zero byte). */
    char text[24];
    uint32_t text_len;
    bool in_token, text_ended, absolute;
    unsigned levels; /* "/" in an event's path */
};

static struct receiver receiver;

void xenstore_reply_reset(void)
{
    receiver = (struct receiver){0};
}

/* A reply of the wrong type still ends its request: the caller must not wait for ever. */
static void begin_payload(struct receiver *rx)
{
    const char *why = NULL;

    rx->in_payload = true;
    rx->have = 0;
    if (rx->head.type == XS_WATCH_EVENT) {
        rx->kind = PAYLOAD_EVENT;
        return;
    }
    rx->req = xenstore_match(&rx->head, &why);
    if (!rx->req) {
        xenstore_counters()->ignored++;
        log_limited(LOG_WARN, "ignored: %s (0x%x)", why, rx->head.req_id);
    } else if (rx->head.type == XS_ERROR) {
        rx->kind = PAYLOAD_ERROR;
    } else {
        rx->kind = PAYLOAD_DATA;
        rx->req->reply_len = rx->head.len;
    }
}

static int error_from_name(const char *name)
{
    int err = errno_number(name);

    if (err && err != -ECONNRESET) /* that one is for us to say */
        return err;
    log_limited(LOG_WARN, "unknown error \"%s\"", name);
    return -EIO;
}

static void end_payload(void)
{
    struct receiver rx = receiver;
    int result = 0;

    xenstore_reply_reset(); /* first: done() may submit, and find the connection gone */
    if (rx.kind == PAYLOAD_EVENT) {
        xenstore_counters()->events++;
        if (!rx.in_token || !xenstore_watch_event(rx.text, rx.levels, rx.absolute)) {
            xenstore_counters()->ignored++;
            log_limited(LOG_WARN, "ignored: event with an unknown token \"%s\"", rx.text);
        }
    }
    if (!rx.req)
        return;
    if (rx.kind == PAYLOAD_ERROR) {
        result = error_from_name(rx.text);
    } else if (rx.head.type != rx.req->type) {
        log_limited(LOG_WARN, "reply of type %u to a request of type %u", rx.head.type,
                    rx.req->type);
        result = -EIO;
    }
    xenstore_answered(rx.req, result);
}

/* Names and tokens are short and printable; a longer or stranger one matches nothing anyway. */
static void add_text(struct receiver *rx, char c)
{
    if (!c)
        rx->text_ended = true;
    else if (!rx->text_ended && rx->text_len < sizeof(rx->text) - 1)
        rx->text[rx->text_len++] = (c > ' ' && c <= '~') ? c : '?';
}

/* Of an event's path only its depth is used; the callback reads the state again itself. */
static void add_event(struct receiver *rx, char c)
{
    if (rx->in_token)
        add_text(rx, c);
    else if (!c)
        rx->in_token = true;
    else if (c == '/')
        rx->levels++;
}

static void add_payload(struct receiver *rx, const char *data, uint32_t n)
{
    size_t size = rx->kind == PAYLOAD_DATA ? rx->req->reply_size : 0;

    if (rx->kind == PAYLOAD_EVENT && rx->have == 0)
        rx->absolute = data[0] == '/';
    if (rx->have < size)
        memcpy(rx->req->reply + rx->have, data, MIN(n, size - rx->have));
    for (uint32_t i = 0; i < n; i++) {
        if (rx->kind == PAYLOAD_EVENT)
            add_event(rx, data[i]);
        else if (rx->kind == PAYLOAD_ERROR)
            add_text(rx, data[i]);
    }
}

uint32_t xenstore_reply_bytes(const char *data, uint32_t n)
{
    struct receiver *rx = &receiver;

    if (!rx->in_payload) {
        n = MIN(n, (uint32_t)sizeof(rx->head) - rx->have);
        memcpy((char *)&rx->head + rx->have, data, n);
        rx->have += n;
        if (rx->have < sizeof(rx->head))
            return n;
        if (rx->head.len > XENSTORE_PAYLOAD_MAX) {
            xenstore_breach("a packet is too long", rx->head.len);
            return n;
        }
        begin_payload(rx);
    } else {
        n = MIN(n, rx->head.len - rx->have);
        add_payload(rx, data, n);
        rx->have += n;
    }
    if (rx->have == rx->head.len)
        end_payload();
    return n;
}
