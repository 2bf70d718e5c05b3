/* SPDX-License-Identifier: ISC */
/*
 * Fuzz target: any octets as a query. The first one chooses the zone, transport, size, and whether
 * answers are limited.
 *
 * The same question is then asked in other ways, and the answers must agree: over TCP, and in letters of
 * the other case.
 */
#include "tests/fuzz/dns_zone.h"

#include <stdlib.h>
#include <string.h>

#include "lib/dns/image.h"
#include "lib/dns/limit.h"
#include "lib/dns/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SMALL = 4, LIMITED = 8, NSEC3 = 16, RATE = 2, SLIP = 2, ASKED = 6 };

static const struct dns_identity identity = {.version = "v", .id = "id", .idle = 10};
static const struct dns_client client = {.address_len = 4, .now = FUZZ_NOW};

static struct fuzz_served *serve(bool nsec3)
{
    static struct fuzz_served zones[2], chains[2]; /* the second ones beside the first ones */
    struct fuzz_served *served = &zones[nsec3], *chain = &chains[nsec3];
    const char *text = nsec3 ? fuzz_nsec3_text : fuzz_zone_text;

    if (!served->image) {
        if (!fuzz_serve(served, (const uint8_t *)text, strlen(text)))
            abort();
        if (!fuzz_serve(chain, (const uint8_t *)fuzz_chain_text, strlen(fuzz_chain_text)))
            abort();
        dns_db_set(&served->db, &chain->zone);
        dns_db_identify(&served->db, &identity);
        fuzz_allow(&served->db);
    }
    return served;
}

/* What there is over UDP is there over TCP, and all of the answer unless it says that it is cut: then the
 * name may have an alias at whose target nobody has looked, and the code is of what is there. What is only
 * helpful may be missing. */
static void compare_transports(const struct dns_db *db, const uint8_t *query, size_t len,
                               const uint8_t *udp, unsigned flags)
{
    uint8_t *tcp = malloc(DNS_TCP_MAX);
    size_t n = fuzz_answer(db, &client, query, len, tcp, DNS_TCP_MAX, flags | DNS_TCP);

    if (!n || ((udp[3] ^ tcp[3]) & 15 && (!(udp[2] & FLAG_TC) || udp[3] & 15)))
        abort();
    if (!(udp[2] & FLAG_TC) && dns_be16(udp + 6) != dns_be16(tcp + 6))
        abort();
    if (dns_be16(udp + 6) > dns_be16(tcp + 6) || dns_be16(udp + 8) > dns_be16(tcp + 8))
        abort();
    free(tcp);
}

static uint8_t other_case(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ? c ^ 0x20 : c;
}

/* The question in letters of the other case has the same answer, but for case. */
static void compare_cases(const struct dns_db *db, const struct dns_query *q, uint8_t *query,
                          size_t len, const uint8_t *answer, size_t answer_len, unsigned flags)
{
    uint8_t *out = malloc(DNS_UDP_MAX);
    size_t end = HEADER_SIZE + q->question_len - QUESTION_TAIL;

    for (size_t at = HEADER_SIZE; query[at]; at += query[at] + 1u)
        for (unsigned i = 1; i <= query[at] && at + i < end; i++)
            query[at + i] = other_case(query[at + i]);
    if (fuzz_answer(db, &client, query, len, out, DNS_UDP_MAX, flags) != answer_len)
        abort();
    for (size_t i = 0; i < answer_len; i++) {
        if (dns_lower(out[i]) != dns_lower(answer[i]))
            abort();
    }
    free(out);
}

/* With somebody to ask whether an answer may be sent, none is made by plain.c; but all are sent. */
static void compare_plain(const struct dns_db *db, const uint8_t *query, size_t len,
                          const uint8_t *answer, size_t answer_len)
{
    static struct limit_count counts[16];
    struct dns_limiter limiter = {
        .counts = counts, .size = sizeof(counts) / sizeof(counts[0]), .rate = 1000000};
    struct dns_db limited = *db;
    uint8_t *out = malloc(DNS_UDP_MAX);

    memset(counts, 0, sizeof(counts));
    dns_db_limit(&limited, &limiter);
    if (fuzz_answer(&limited, &client, query, len, out, DNS_UDP_MAX, DNS_MINIMAL) != answer_len ||
        memcmp(out, answer, answer_len))
        abort();
    free(out);
}

/* In the query's own place the answer is the same. */
static void compare_in_place(const struct dns_db *db, const uint8_t *query, size_t len,
                             const uint8_t *answer, size_t answer_len, unsigned flags)
{
    uint8_t *place = malloc(DNS_UDP_MAX + len);
    struct dns_stats stats = {0};

    memcpy(place, query, len);
    if (dns_answer(db, &client, place, len, place, DNS_UDP_MAX, flags, &stats) != answer_len ||
        memcmp(place, answer, answer_len))
        abort();
    free(place);
}

static void compare(const struct dns_db *db, const uint8_t *octets, size_t len, unsigned flags)
{
    uint8_t *query = malloc(len), *out = malloc(DNS_UDP_MAX);
    size_t n;
    struct dns_query q;

    memcpy(query, octets, len);
    n = fuzz_answer(db, &client, query, len, out, DNS_UDP_MAX, flags);
    if (!db->limiter)
        compare_in_place(db, query, len, out, n, flags);
    if (n && dns_query_parse(&q, query, len) == DNS_NOERROR && !q.tsig_at && q.type != TYPE_AXFR &&
        q.type != TYPE_IXFR) {
        if (!q.edns || !q.options_len) /* some are for TCP alone */
            compare_transports(db, query, len, out, flags);
        if (flags & DNS_MINIMAL)
            compare_plain(db, query, len, out, n);
        compare_cases(db, &q, query, len, out, n, flags);
    }
    free(query);
    free(out);
}

static bool has_signature(const uint8_t *query, size_t len)
{
    struct dns_query q;

    return len >= HEADER_SIZE && dns_query_parse(&q, query, len) == DNS_NOERROR && q.tsig_at;
}

/* Asked over and over, so many are answered in full, and every second of the others empty. */
static void ask_limited(struct dns_db *db, const uint8_t *query, size_t len)
{
    static struct limit_count counts[16];
    struct dns_limiter limiter = {
        .counts = counts, .size = sizeof(counts) / sizeof(counts[0]), .rate = RATE, .slip = SLIP};
    struct dns_stats stats = {0};
    uint8_t *out = malloc(DNS_UDP_MAX);
    unsigned sent = 0, slipped = 0;

    memset(counts, 0, sizeof(counts));
    dns_db_limit(db, &limiter);
    for (unsigned i = 0; i < ASKED; i++) {
        uint64_t before = stats.slipped;
        size_t n = dns_answer(db, &client, query, len, out, DNS_UDP_MAX, 0, &stats);

        if (stats.slipped == before) {
            sent += n != 0;
            continue;
        }
        slipped++;
        if (!(out[2] & FLAG_TC) || dns_be32(out + 6) || fuzz_last_record(out, n) > n)
            abort();
    }
    dns_db_limit(db, NULL);
    /* Who has shown that it is there is not limited; what is no query has no answer. */
    if (!stats.cookies && !has_signature(query, len) && !stats.dropped &&
        (sent != RATE || slipped != (ASKED - RATE) / SLIP))
        abort();
    if (stats.dropped && (sent || slipped))
        abort();
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_served *served = serve(size && data[0] & NSEC3);
    unsigned flags = size ? data[0] & (DNS_TCP | DNS_MINIMAL) : 0;

    if (!size)
        return 0;
    fuzz_ask(&served->db, data + 1, size - 1, data[0] & SMALL ? DNS_UDP_MIN : DNS_UDP_MAX, flags);
    compare(&served->db, data + 1, size - 1, flags & DNS_MINIMAL);
    if (data[0] & LIMITED)
        ask_limited(&served->db, data + 1, size - 1);
    return 0;
}
