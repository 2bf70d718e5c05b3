/* SPDX-License-Identifier: ISC */
/*
 * The builder's view of a signed zone: the chain of NSEC3 records (RFC 5155).
 *
 * The owner of an NSEC3 record is a hash. It is not a name of the zone (RFC 5155 section 7.2.8), so it
 * becomes no leaf of the tree but an entry of a list, which comes in the order of the hashes, as base
 * 32hex sorts like what it encodes.
 */
#include "lib/dns/tree.h"

#include <errno.h>

const char chain_not_alone[] = "NSEC3 and other data at one name";

enum { PARAM_ITERATIONS = 2, PARAM_SALT = 4, LABEL_DIGITS = 32 };

/* Octets of hash algorithm, flags, iterations and salt, with which both types begin. */
static unsigned params_len(const uint8_t *data)
{
    return PARAM_SALT + 1 + data[PARAM_SALT];
}

void chain_take_param(struct dns_builder *b, const struct rec *rec)
{
    const uint8_t *data = rec_data(rec);

    if (data[0] != 1 || data[1] != 0)
        return;
    if (dns_be16(data + PARAM_ITERATIONS) > NSEC3_ITERATIONS_MAX)
        builder_report(b, DNS_ERROR, rec, "more than 50 iterations of the NSEC3 hash", NULL);
    b->nsec3param = rec;
}

/* Decodes the key of a label of 32 digits of base 32hex. False when it is none. */
static bool decode_hash(const uint8_t *key, unsigned len, uint8_t hash[NSEC3_HASH])
{
    unsigned value = 0, have = 0;

    if (len != LABEL_DIGITS + 1)
        return false;
    for (unsigned i = 0; i < LABEL_DIGITS; i++) {
        uint8_t c = key[i];

        if ((c < '0' || c > '9') && (c < 'a' || c > 'v'))
            return false;
        value = value << 5 | (c <= '9' ? c - '0' : c - 'a' + 10);
        have += 5;
        if (have >= 8) {
            have -= 8;
            *hash++ = value >> have;
        }
    }
    return true;
}

/* Does the NSEC3 record belong to the chain that the zone's NSEC3PARAM names? */
static bool in_chain(const struct dns_builder *b, const struct rec *rec)
{
    const uint8_t *data = rec_data(rec), *param;
    unsigned len = params_len(data);

    if (!b->nsec3param)
        return false;
    param = rec_data(b->nsec3param);
    return data[0] == param[0] && len == params_len(param) &&
           !memcmp(data + PARAM_ITERATIONS, param + PARAM_ITERATIONS, len - PARAM_ITERATIONS) &&
           data[len] == NSEC3_HASH;
}

bool chain_is_hashed(const struct dns_builder *b, uint32_t from)
{
    return rec_set_type(builder_rec(b, from)) == TYPE_NSEC3;
}

int chain_take(struct dns_builder *b, uint32_t from, uint32_t end)
{
    const struct rec *rec = builder_rec(b, from);
    struct hashed *h = builder_grow(b->hashed, b->hashed_count, &b->hashed_room, sizeof(*h));

    if (!h)
        return -ENOMEM;
    b->hashed = h;
    h += b->hashed_count;
    if (rec_set_type(builder_rec(b, end - 1)) != TYPE_NSEC3) {
        builder_report(b, DNS_ERROR, rec, chain_not_alone, NULL);
    } else if (rec->type != TYPE_NSEC3 || !in_chain(b, rec)) {
        builder_report(b, DNS_WARNING, rec, "NSEC3 of no chain of this zone is left out", NULL);
        b->features |= FEATURE_PARTIAL;
    } else if (!decode_hash(rec->octets + b->apex_key_len, rec->key_len - b->apex_key_len,
                            h->hash)) {
        builder_report(b, DNS_ERROR, rec, "the owner of this NSEC3 is no hash", NULL);
    } else {
        h->first = from;
        h->count = end - from;
        b->hashed_count++;
    }
    return 0;
}
