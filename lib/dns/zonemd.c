/* SPDX-License-Identifier: ISC */
/*
 * The digest of a zone in itself (ZONEMD, RFC 8976): scheme SIMPLE, with SHA-384 and SHA-512. What is hashed is
 * all records but the digest and its signature, each once, in canonical form and order (RFC 4034 section 6).
 *
 * A zone whose digests are all of other kinds is taken as one without: nothing can be said of it.
 */
#include "lib/dns/tree.h"

#include "lib/crypto/sha512.h"
#include "lib/dns/rrtype.h"

#include <errno.h>
#include <stdlib.h>

enum {
    SCHEME_AT = 4, /* in the data, behind the serial */
    HASH_AT = 5,
    DIGEST_AT = 6,
    SIMPLE = 1,
    HASH_SHA384 = 1,
    HASH_SHA512 = 2,
    DATA_MAX = 65535,
};

/* Canonical data of the two records that are compared last, or of the one that is hashed. */
struct scratch {
    uint8_t octets[2][DATA_MAX];
};

/* Are the names in the data of this type lowered (RFC 4034 section 6.2, RFC 6840 section 5.1)? */
static bool lowers_names(unsigned type, const char *format)
{
    enum { NSAP_PTR = 23 }; /* the list leaves it out */

    if (!format || !(strchr(format, 'n') || strchr(format, 'N')))
        return false;
    return type <= TYPE_RRSIG && type != NSAP_PTR;
}

/* The data in canonical form: its own, or a copy in OUT[DATA_MAX]. */
static const uint8_t *canonical(const struct rec *rec, uint8_t *out)
{
    const char *format = dns_type_format(rec->type);
    const uint8_t *data = rec_data(rec);
    size_t at = 0;

    if (!lowers_names(rec->type, format))
        return data;
    memcpy(out, data, rec->len);
    for (; *format; format++) {
        size_t n = dns_field_length(*format, data + at, rec->len - at);

        /* The octets of lengths are no letters. */
        for (size_t i = 0; (*format | 0x20) == 'n' && i < n; i++)
            out[at + i] = dns_lower(out[at + i]);
        at += n;
    }
    return out;
}

/* The canonical order of two records: negative, 0, positive. */
static int compare(const struct rec *x, const struct rec *y, struct scratch *s)
{
    int order = memcmp(x->octets, y->octets, MIN(x->key_len, y->key_len));

    if (!order)
        order = (int)x->key_len - y->key_len;
    if (!order)
        order = (int)x->type - y->type;
    if (order)
        return order;
    order = memcmp(canonical(x, s->octets[0]), canonical(y, s->octets[1]), MIN(x->len, y->len));
    return order ? order : (int)x->len - y->len;
}

static bool canonical_after(struct dns_builder *b, uint32_t first, uint32_t second)
{
    return compare(builder_at(b, first), builder_at(b, second), b->scratch) > 0;
}

/* Is the record a digest of the zone, or its signature? */
static bool is_digest(const struct dns_builder *b, const struct rec *rec)
{
    return rec->key_len == b->apex_key_len && rec_set_type(rec) == TYPE_ZONEMD;
}

static void add_record(struct sha512 *h, const struct rec *rec, struct scratch *s)
{
    uint8_t owner[KEY_MAX + 10];
    unsigned len = builder_name(rec->octets, 0, rec->key_len, owner);

    owner[len++] = 0;
    dns_put_be16(owner + len, rec->type);
    dns_put_be16(owner + len + 2, CLASS_IN);
    dns_put_be32(owner + len + 4, rec->ttl);
    dns_put_be16(owner + len + 8, rec->len);
    sha512_add(h, owner, len + 10);
    sha512_add(h, canonical(rec, s->octets[0]), rec->len);
}

/* Hashes the records, whose handles are LIST, in canonical order. */
static void hash_zone(struct dns_builder *b, const uint32_t *list, bool is_384,
                      uint8_t hash[SHA512_SIZE])
{
    const struct rec *before = NULL;
    struct sha512 h;

    sha512_begin(&h, is_384);
    for (uint32_t i = 0; i < b->rec_count; i++) {
        const struct rec *rec = builder_at(b, list[i]);

        builder_step(b);
        if (!is_digest(b, rec) && (!before || compare(before, rec, b->scratch)))
            add_record(&h, rec, b->scratch);
        before = rec;
    }
    sha512_end(&h, hash);
}

/* Octets of the digest that the record should have, 0 for a kind that we do not know. */
static unsigned digest_size(const struct rec *rec)
{
    const uint8_t *data = rec_data(rec);

    if (data[SCHEME_AT] != SIMPLE)
        return 0;
    return data[HASH_AT] == HASH_SHA384   ? SHA384_SIZE
           : data[HASH_AT] == HASH_SHA512 ? SHA512_SIZE
                                          : 0;
}

#define WRONG "the zone's digest (ZONEMD) is wrong: "

/* What is wrong with the digest, or NULL. */
static const char *verify(struct dns_builder *b, const uint32_t *list, const struct rec *rec)
{
    uint8_t hash[SHA512_SIZE];
    unsigned size = digest_size(rec);
    uint32_t serial = dns_be32(rec_data(b->soa) + b->soa->len - 20);

    if (dns_be32(rec_data(rec)) != serial)
        return WRONG "its serial is not that of the SOA";
    if (rec->len != DIGEST_AT + size)
        return WRONG "its length is not that of its hash";
    hash_zone(b, list, size == SHA384_SIZE, hash);
    return memcmp(hash, rec_data(rec) + DIGEST_AT, size) ? WRONG "that of the records is another"
                                                         : NULL;
}

/*
 * Looks at the digests of one kind, which are among the records of the apex, and these come first. What is wrong, at
 * *REC, or NULL; then *REC is the one that is right, or NULL if there is none of the kind.
 */
static const char *verify_kind(struct dns_builder *b, const uint32_t *list, unsigned size,
                               const struct rec **rec)
{
    *rec = NULL;
    for (uint32_t i = 0; i < b->rec_count; i++) {
        const struct rec *next = builder_at(b, list[i]);

        builder_step(b);
        if (next->key_len != b->apex_key_len)
            break;
        if (next->type != TYPE_ZONEMD || digest_size(next) != size || next->left_out)
            continue;
        if (*rec)
            return WRONG "there are two of its kind";
        *rec = next;
    }
    return *rec ? verify(b, list, *rec) : NULL;
}

/* Of the digests of the kinds that we know one at least has to be right. */
static void check_digests(struct dns_builder *b, const uint32_t *list)
{
    static const unsigned sizes[] = {SHA384_SIZE, SHA512_SIZE};
    const struct rec *rec, *bad = NULL;
    const char *wrong = NULL;

    for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
        const char *why = verify_kind(b, list, sizes[i], &rec);

        if (rec && !why)
            return;
        if (why && !bad) {
            bad = rec;
            wrong = why;
        }
    }
    builder_report(b, DNS_ERROR, bad, wrong, NULL);
}

static bool has_digest(struct dns_builder *b)
{
    for (uint32_t i = 0; i < b->rec_count; i++) {
        const struct rec *rec = builder_rec(b, i);

        builder_step(b);
        if (rec->key_len != b->apex_key_len)
            return false;
        if (rec->type == TYPE_ZONEMD && digest_size(rec))
            return true;
    }
    return false;
}

int zonemd_check(struct dns_builder *b)
{
    size_t size = b->rec_count * sizeof(uint32_t);
    uint32_t *list;
    int err = -ENOMEM;

    if (!has_digest(b))
        return 0;
    list = malloc(2 * size);
    b->scratch = malloc(sizeof(*b->scratch));
    if (list && b->scratch) {
        memcpy(list, b->recs, size);
        builder_sort_list(b, list, b->rec_count, list + b->rec_count, canonical_after);
        check_digests(b, list);
        err = 0;
    }
    free(list);
    free(b->scratch);
    b->scratch = NULL;
    return err;
}
