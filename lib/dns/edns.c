/* SPDX-License-Identifier: ISC */
/*
 * EDNS options: see edns.h.
 *
 * A server cookie is a keyed hash of the client's own cookie, its address and the time (RFC 9018): the
 * server keeps nothing, and only who receives at that address can send it back.
 *
 * Padding is given over TCP alone: over UDP it would make answers to forged addresses larger.
 */
#include "lib/dns/edns.h"

#include "lib/dns/query.h"
#include "lib/siphash.h"
#include "lib/util.h"

enum {
    OPTION_NSID = 3,
    OPTION_COOKIE = 10,
    OPTION_KEEPALIVE = 11,
    OPTION_PADDING = 12,
    OPTION_ERROR = 15,
    OPTION_HEADER = 4,
    ERROR_NOT_AUTHORITATIVE = 20,
    ERROR_NOT_SUPPORTED = 21,
    ID_MAX = 64,
    PADDED_TO = 468, /* RFC 8467 section 4.1 */
    COOKIE_VERSION = 1,
    COOKIE_TIME = 12, /* offset */
    COOKIE_HASH = 16,
    COOKIE_MAX = 40,
    COOKIE_LIFE = 3600, /* seconds, RFC 9018 section 4.3 */
    COOKIE_RENEWED = 1800,
    COOKIE_AHEAD = 300,
};

/* Writes the hash of a cookie whose other fields are there. */
static void hash_cookie(const struct dns_identity *identity, const struct dns_client *client,
                        uint8_t cookie[COOKIE_SIZE])
{
    uint8_t text[COOKIE_HASH + sizeof(client->address)];

    memcpy(text, cookie, COOKIE_HASH);
    memcpy(text + COOKIE_HASH, client->address, client->address_len);
    dns_put_le64(cookie + COOKIE_HASH,
                 siphash(identity->secret, text, COOKIE_HASH + client->address_len));
}

/* Takes the cookie of a query and makes that of the answer. */
static bool read_cookie(struct dns_edns *e, const struct dns_identity *identity,
                        const struct dns_client *client, const uint8_t *octets, unsigned len)
{
    uint8_t *cookie = e->cookie_octets;
    int32_t age;

    if (len != CLIENT_COOKIE && (len < 2 * CLIENT_COOKIE || len > COOKIE_MAX))
        return false;
    if (!client)
        return true;
    e->cookie = true;
    if (len == COOKIE_SIZE) {
        memcpy(cookie, octets, COOKIE_HASH);
        hash_cookie(identity, client, cookie);
        age = (int32_t)(client->now - dns_be32(cookie + COOKIE_TIME));
        e->cookie_valid = cookie[CLIENT_COOKIE] == COOKIE_VERSION && age <= COOKIE_LIFE &&
                          age >= -COOKIE_AHEAD && !memcmp(cookie, octets, COOKIE_SIZE);
        if (e->cookie_valid && age < COOKIE_RENEWED)
            return true;
    }
    e->cookie_wrong = len != CLIENT_COOKIE && !e->cookie_valid;
    memcpy(cookie, octets, CLIENT_COOKIE);
    dns_put_be32(cookie + CLIENT_COOKIE, COOKIE_VERSION << 24);
    dns_put_be32(cookie + COOKIE_TIME, client->now);
    hash_cookie(identity, client, cookie);
    return true;
}

int edns_read(struct dns_edns *e, const struct dns_identity *identity,
              const struct dns_client *client, const uint8_t *options, size_t len, bool tcp)
{
    const uint8_t *end = options + len;

    while (options < end) {
        unsigned code, n;

        if (end - options < OPTION_HEADER)
            return DNS_FORMERR;
        code = dns_be16(options);
        n = dns_be16(options + 2);
        options += OPTION_HEADER;
        if (end - options < (long)n)
            return DNS_FORMERR;
        if (!identity)
            ;
        else if (code == OPTION_NSID)
            e->nsid = identity->id;
        else if (code == OPTION_KEEPALIVE && tcp && n)
            return DNS_FORMERR; /* RFC 7828 section 3.2.1 */
        else if (code == OPTION_KEEPALIVE)
            e->keepalive = tcp;
        else if (code == OPTION_PADDING)
            e->padding = tcp;
        else if (code == OPTION_COOKIE && !e->cookie &&
                 !read_cookie(e, identity, client, options, n))
            return DNS_FORMERR; /* RFC 7873 section 5.2.2 */
        options += n;
    }
    return DNS_NOERROR;
}

/* What is longer is cut, so that the options leave room for any question in 512 octets. */
static unsigned id_length(const struct dns_identity *identity)
{
    size_t len = strlen(identity->id);

    return MIN(len, ID_MAX);
}

unsigned edns_room(const struct dns_edns *e, const struct dns_identity *identity)
{
    return (e->nsid ? OPTION_HEADER + id_length(identity) : 0) +
           (e->cookie ? OPTION_HEADER + COOKIE_SIZE : 0) + (e->keepalive ? OPTION_HEADER + 2 : 0);
}

static uint8_t *put_option(uint8_t *out, unsigned code, const void *data, unsigned len)
{
    dns_put_be16(out, code);
    dns_put_be16(out + 2, len);
    if (data)
        memcpy(out + OPTION_HEADER, data, len);
    else
        memset(out + OPTION_HEADER, 0, len);
    return out + OPTION_HEADER + len;
}

/* The extended error of an answer, or 0. */
static unsigned error_of(const struct dns_edns *e, unsigned rcode)
{
    if (e->error)
        return e->error;
    return rcode == DNS_REFUSED  ? ERROR_NOT_AUTHORITATIVE
           : rcode == DNS_NOTIMP ? ERROR_NOT_SUPPORTED
                                 : 0;
}

unsigned edns_put(const struct dns_edns *e, const struct dns_identity *identity, unsigned rcode,
                  size_t used, size_t max, uint8_t *out)
{
    uint8_t *at = out, be[2];
    size_t padded;

    if (e->nsid)
        at = put_option(at, OPTION_NSID, identity->id, id_length(identity));
    if (e->cookie)
        at = put_option(at, OPTION_COOKIE, e->cookie_octets, COOKIE_SIZE);
    if (e->keepalive) {
        dns_put_be16(be, identity->idle);
        at = put_option(at, OPTION_KEEPALIVE, be, sizeof(be));
    }
    used += OPT_SIZE + (at - out) + OPTION_HEADER;
    /* These answers are short: there is room for the reason, unless a signature has to follow. */
    if (error_of(e, rcode) && used + sizeof(be) <= max) {
        dns_put_be16(be, error_of(e, rcode));
        at = put_option(at, OPTION_ERROR, be, sizeof(be));
        used += OPTION_HEADER + sizeof(be);
    }
    padded = (used + PADDED_TO - 1) / PADDED_TO * PADDED_TO;
    if (e->padding && padded <= max)
        at = put_option(at, OPTION_PADDING, NULL, padded - used);
    return at - out;
}
