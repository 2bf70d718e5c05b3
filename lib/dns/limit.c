/* SPDX-License-Identifier: ISC */
/*
 * Response-rate limiting: see limit.h.
 *
 * The counts are in a table that does not grow; a hash by a secret chooses four of them, and the one least
 * recently used gives way. So nobody can have a certain client's counts replaced, or take all memory. Debts
 * are remembered for LIMIT_DEBT_SECONDS, so that a flood which pauses does not begin anew.
 */
#include "lib/dns/limit.h"

#include "lib/dns/wire.h"
#include "lib/siphash.h"
#include "lib/util.h"

enum { PREFIX4 = 3, PREFIX6 = 7 }; /* octets */

static bool is_exempt(const struct dns_limiter *limiter, const struct dns_client *client)
{
    unsigned i = 0;

    while (i < limiter->exempts && !prefix_has(&limiter->exempt[i], client))
        i++;
    return i < limiter->exempts;
}

static uint64_t hash_answer(const struct dns_limiter *limiter, const struct dns_client *client,
                            enum limit_kind kind, uint32_t number)
{
    uint8_t text[PREFIX6 + 2 + 4] = {0};

    memcpy(text, client->address, client->address_len == 4 ? PREFIX4 : PREFIX6);
    text[PREFIX6] = client->address_len;
    text[PREFIX6 + 1] = kind;
    dns_put_le32(text + PREFIX6 + 2, number);
    return siphash(limiter->secret, text, sizeof(text));
}

/* The count with this tag among LIMIT_WAYS, or the one of them that was used least recently. */
static struct limit_count *find_count(struct limit_count *counts, uint32_t tag, uint32_t now)
{
    struct limit_count *oldest = counts;

    for (struct limit_count *c = counts; c < counts + LIMIT_WAYS; c++) {
        if (c->tag == tag)
            return c;
        if (!c->tag)
            return c;
        if (now - c->last > now - oldest->last)
            oldest = c;
    }
    return oldest;
}

/* Adds what the seconds since the last answer allow. */
static void refill(struct limit_count *c, uint32_t rate, uint32_t now)
{
    uint32_t seconds = MIN(now - c->last, LIMIT_DEBT_SECONDS + 1);

    c->left = (int32_t)MIN((int64_t)c->left + (int64_t)seconds * rate, (int64_t)rate);
    c->last = now;
}

enum limit_verdict limit_answer(struct dns_limiter *limiter, const struct dns_client *client,
                                enum limit_kind kind, uint32_t number)
{
    uint64_t hash = hash_answer(limiter, client, kind, number);
    uint32_t tag = (uint32_t)hash | 1, sets = limiter->size / LIMIT_WAYS;
    size_t set = (size_t)((hash >> 32) * sets >> 32);
    struct limit_count *c;

    if (is_exempt(limiter, client))
        return LIMIT_SEND;
    c = find_count(limiter->counts + LIMIT_WAYS * set, tag, client->now);
    if (c->tag != tag)
        *c = (struct limit_count){tag, client->now, (int32_t)limiter->rate};
    refill(c, limiter->rate, client->now);
    if (c->left > 0) {
        c->left--;
        return LIMIT_SEND;
    }
    c->left = (int32_t)MAX((int64_t)c->left - 1, -LIMIT_DEBT_SECONDS * (int64_t)limiter->rate);
    if (!limiter->slip || ++limiter->held_back < limiter->slip)
        return LIMIT_DROP;
    limiter->held_back = 0;
    return LIMIT_SLIP;
}
