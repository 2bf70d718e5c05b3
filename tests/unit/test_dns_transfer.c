/* SPDX-License-Identifier: ISC */
/*
 * Zone transfer: what is in its messages, who gets it, and signatures.
 */
#include "tests/unit/dns_zones.h"

#include "lib/crypto/hmac.h"
#include "lib/dns/access.h"
#include "lib/dns/limit.h"
#include "tests/unit/parse_address.h"

enum {
    CAP = DNS_TCP_MAX,
    TSIG_FIXED = 10 + 13 + 16 + 32 /* octets of a TSIG record behind its name */
};

static struct dns_access rules;
static struct dns_client client;
static struct dns_transfer place;

static void allow(const char *keys, const char *list)
{
    rules = (struct dns_access){0};
    ck_assert_ptr_null(access_add_keys(&rules, keys));
    ck_assert_ptr_null(access_add_rules(&rules, list, parse_address));
    dns_db_allow(&db, &rules);
}

static void prepare(void)
{
    start();
    place = (struct dns_transfer){0};
    client = (struct dns_client){
        .address = {192, 0, 2, 7}, .address_len = 4, .now = 1700000000, .transfer = &place};
    allow("", "192.0.2.7");
}

static unsigned rcode(const uint8_t *answer)
{
    return answer[3] & 15;
}

/* The answer in a block of exactly its size; its length at *len. */
static uint8_t *transfer(const uint8_t *query, size_t query_len, size_t cap, size_t *len)
{
    uint8_t *out = malloc(cap);

    *len = dns_answer(&db, &client, query, query_len, out, cap, DNS_TCP, &stats);
    return out;
}

/* Records of a transfer: how many, and how many are of type SOA. */
struct tally {
    unsigned records, soas, messages;
    size_t largest;
};

static void count_message(const uint8_t *answer, size_t len, struct tally *tally)
{
    size_t pos = HEADER_SIZE + dns_name_length(answer + HEADER_SIZE, DNS_NAME_MAX) + 4;
    uint8_t name[DNS_NAME_MAX];

    ck_assert_uint_eq(rcode(answer), DNS_NOERROR);
    for (unsigned n = dns_be16(answer + 6); n; n--) {
        unsigned name_len = dns_name_expand(answer, len, pos, name), type;

        ck_assert_uint_ne(name_len, 0);
        while (answer[pos] && answer[pos] < 0xc0)
            pos += answer[pos] + 1u;
        pos += answer[pos] ? 2 : 1;
        type = dns_be16(answer + pos);
        tally->records++;
        tally->soas += type == TYPE_SOA;
        if (tally->records == 1)
            ck_assert_uint_eq(type, TYPE_SOA);
        if (type == TYPE_NS || type == TYPE_CNAME || type == TYPE_DNAME)
            ck_assert_uint_ne(dns_name_expand(answer, len, pos + 10, name), 0);
        pos += 10 + dns_be16(answer + pos + 8);
    }
    ck_assert_uint_eq(pos, len);
    tally->messages++;
    tally->largest = len > tally->largest ? len : tally->largest;
}

static struct tally transfer_all(const char *name, unsigned type, size_t cap)
{
    uint8_t query[300], *answer, *again;
    size_t query_len = put_query(query, name, type), len, again_len;
    struct tally tally = {0};

    do {
        struct dns_transfer before = place;

        answer = transfer(query, query_len, cap, &len);
        count_message(answer, len, &tally);
        if (tally.messages < 5) { /* made anew it is the same */
            struct dns_transfer after = place;

            place = before;
            again = transfer(query, query_len, cap, &again_len);
            ck_assert_uint_eq(again_len, len);
            ck_assert_mem_eq(again, answer, len);
            ck_assert_mem_eq(&place, &after, sizeof(place));
            free(again);
        }
        free(answer);
    } while (place.more);
    ck_assert_uint_eq(tally.soas, 2);
    return tally;
}

START_TEST(test_zones)
{
    static const char *const texts[] = {zone_text, nsec_text, nsec3_text};
    struct dns_zone zone;
    size_t size;
    uint8_t *image = make_zone(texts[_i], &zone, &size);

    dns_db_set(&db, &zone);
    ck_assert_uint_eq(transfer_all(_i == 2 ? "example." : "example.org.", TYPE_AXFR, CAP).records,
                      dns_zone_records(&zone) + 1);
    free(image);
}
END_TEST

/* A zone of many messages, and one with the largest set there is. */
START_TEST(test_many_messages)
{
    size_t room = 1 << 20, used, size, len;
    char *text = malloc(room);
    struct dns_zone zone;
    struct tally tally;
    uint8_t *image, *answer, query[300];

    used =
        (size_t)sprintf(text, "$TTL 60\n@ SOA ns1 host 1 2 3 4 300\n@ NS ns1\nns1 A 192.0.2.1\n");
    for (unsigned i = 0; i < 3000; i++)
        used +=
            (size_t)sprintf(text + used, "n%u.x TXT \"a\"\nn%u.x MX 1 n%u.x\n", i, i, i * 7 % 3000);
    for (unsigned i = 0; i < 254; i++)
        used += (size_t)sprintf(text + used, "huge TXT \"%0240u\"\n", i);
    image = make_zone(text, &zone, &size);
    dns_db_set(&db, &zone);
    answer = transfer(query, put_query(query, "example.org.", TYPE_AXFR), DNS_UDP_MIN, &len);
    while (place.more) { /* until the largest set, for which there is no room */
        ck_assert_uint_eq(rcode(answer), DNS_NOERROR);
        free(answer);
        answer = transfer(query, put_query(query, "example.org.", TYPE_AXFR), DNS_UDP_MIN, &len);
    }
    ck_assert_uint_eq(rcode(answer), DNS_SERVFAIL);
    free(answer);
    place = (struct dns_transfer){0};
    tally = transfer_all("example.org.", TYPE_AXFR, CAP);
    ck_assert_uint_eq(tally.records, dns_zone_records(&zone) + 1);
    ck_assert_uint_gt(tally.largest, 254 * 240);
    ck_assert_uint_gt(tally.messages, 10);
    free(image);
    free(text);
}
END_TEST

/* What is refused, and why. */
START_TEST(test_refusals)
{
    struct dns_zone zone;
    size_t size, len;
    uint8_t *image = make_zone(zone_text, &zone, &size), query[300], *answer;
    size_t query_len = put_query(query, "example.org.", TYPE_AXFR);

    dns_db_set(&db, &zone);
    client.address[3]++;
    answer = transfer(query, query_len, CAP, &len);
    ck_assert_uint_eq(rcode(answer), DNS_REFUSED);
    ck_assert(!place.more && len == query_len);
    free(answer);
    client.address[3]--;
    client.transfer = NULL;
    answer = transfer(query, query_len, DNS_UDP_MIN, &len);
    ck_assert_uint_eq(rcode(answer), DNS_REFUSED);
    free(answer);
    client.transfer = &place;
    answer = transfer(query, put_query(query, "www.example.org.", TYPE_AXFR), CAP, &len);
    ck_assert_uint_eq(rcode(answer), DNS_NOTAUTH);
    free(answer);
    answer = transfer(query, put_query(query, "example.net.", TYPE_AXFR), CAP, &len);
    ck_assert_uint_eq(rcode(answer), DNS_NOTAUTH);
    free(answer);
    free(image);
}
END_TEST

/* An IXFR gets the zone, or its SOA alone: to who is up to date, and over UDP. */
START_TEST(test_incremental)
{
    static const uint8_t soa[] = {0xc0, 0x0c, 0, TYPE_SOA, 0, CLASS_IN, 0, 0, 0, 0, 0, 22, 0, 0};
    struct dns_zone zone;
    size_t size, len;
    uint8_t *image = make_zone(zone_text, &zone, &size), query[300] = {0}, *answer;
    size_t query_len = put_query(query, "example.org.", TYPE_IXFR);

    dns_db_set(&db, &zone);
    query[9] = 1;
    memcpy(query + query_len, soa, sizeof(soa));
    for (int serial = 0; serial < 3; serial++) {
        dns_put_be32(query + query_len + sizeof(soa), (uint32_t)serial);
        place = (struct dns_transfer){0};
        client.transfer = &place;
        answer = transfer(query, query_len + sizeof(soa) + 20, CAP, &len);
        ck_assert_uint_eq(rcode(answer), DNS_NOERROR);
        if (serial == 0)
            ck_assert_uint_gt(dns_be16(answer + 6), 20);
        else
            ck_assert_uint_eq(dns_be16(answer + 6), 1);
        free(answer);
        client.transfer = NULL;
        answer = transfer(query, query_len + sizeof(soa) + 20, DNS_UDP_MIN, &len);
        ck_assert_uint_eq(dns_be16(answer + 6), 1);
        free(answer);
    }
    answer = transfer(query, query_len + sizeof(soa) + 19, CAP, &len);
    ck_assert_uint_eq(rcode(answer), DNS_FORMERR);
    free(answer);
    free(image);
}
END_TEST

/* Signs the query of LEN octets by rules.key[0]; returns its length then. */
static size_t sign_query(uint8_t *query, size_t len, uint64_t time)
{
    static const uint8_t tail[] = "\13hmac-sha256";
    const struct tsig_key *key = &rules.key[0];
    uint8_t fields[] = {0, TYPE_TSIG, 0, CLASS_ANY, 0, 0, 0, 0, 0, 13 + 16 + 32};
    uint8_t times[8] = {0, 0, 0, 0, 0, 0, 1, 44}, *at, none[4] = {0};
    const struct octets parts[] = {{query, len},    {key->name, key->name_len},
                                   {fields + 2, 6}, {tail, sizeof(tail)},
                                   {times, 8},      {none, 4}};

    dns_put_be32(times + 2, (uint32_t)time);
    at = query + len;
    memcpy(at, key->name, key->name_len);
    memcpy(at += key->name_len, fields, sizeof(fields));
    memcpy(at += sizeof(fields), tail, sizeof(tail));
    memcpy(at += sizeof(tail), times, sizeof(times));
    dns_put_be16(at += 8, 32);
    hmac_make(HMAC_SHA256, key->secret, key->secret_len, parts, ARRAY_SIZE(parts), at + 2);
    memcpy(at += 34, query, 2);
    memset(at + 2, 0, 4);
    query[11]++;
    return (size_t)(at + 6 - query);
}

START_TEST(test_signed)
{
    struct dns_zone zone;
    size_t size, len, plain, query_len;
    uint8_t *image = make_zone(zone_text, &zone, &size), query[400], *answer;

    allow("key.example:c2VjcmV0", "@key.example");
    dns_db_set(&db, &zone);
    plain = put_query(query, "example.org.", TYPE_AXFR);
    answer = transfer(query, plain, CAP, &len);
    ck_assert_uint_eq(rcode(answer), DNS_REFUSED);
    free(answer);
    query_len = sign_query(query, plain, client.now - 300);
    answer = transfer(query, query_len, CAP, &len);
    ck_assert_uint_eq(rcode(answer), DNS_NOERROR);
    ck_assert_uint_eq(dns_be16(answer + len - 4), 0);
    ck_assert_uint_eq(dns_be16(answer + len - 6 - 32 - 2), 32);
    ck_assert_uint_eq(dns_be16(answer + 10), 1);
    free(answer);
    /* One octet of it is changed, wherever: nothing is given away, whatever the response code. */
    for (size_t i = 0; i < query_len; i++) {
        query[i] ^= 1;
        place = (struct dns_transfer){0};
        answer = transfer(query, query_len, CAP, &len);
        /* The identifier of the message, and case, are not signed; the TTL has one value. */
        if (i > 1 && len && rcode(answer) == DNS_NOERROR && dns_be16(answer + 6))
            ck_abort_msg("octet %zu may be changed", i);
        free(answer);
        query[i] ^= 1;
    }
    /* Cut off anywhere. */
    for (size_t i = plain; i < query_len; i++) {
        uint8_t *exact = malloc(i);

        memcpy(exact, query, i);
        answer = transfer(exact, i, CAP, &len);
        ck_assert_uint_eq(rcode(answer), DNS_FORMERR);
        free(answer);
        free(exact);
    }
    /* The key's name is a pointer to itself. */
    memmove(query + plain, query + query_len - TSIG_FIXED - 2, TSIG_FIXED + 2);
    dns_put_be16(query + plain, (uint16_t)(0xc000 + plain));
    answer = transfer(query, plain + 2 + TSIG_FIXED, CAP, &len);
    ck_assert_uint_eq(rcode(answer), DNS_FORMERR);
    ck_assert_uint_eq(dns_be16(answer + 10), 0);
    free(answer);
    free(image);
}
END_TEST

static const struct {
    const char *what;
    int64_t late;
    const char *key;
    unsigned error, mac;
} wrong[] = {
    {"in time", 300, "key:c2VjcmV0", 0, 32},      {"too late", 301, "key:c2VjcmV0", 18, 0},
    {"too early", -301, "key:c2VjcmV0", 18, 0},   {"another key", 0, "keys:c2VjcmV0", 17, 0},
    {"another secret", 0, "key:c2VjcmVU", 16, 0},
};

/* Every query with a TSIG record is judged, and the answer says so. */
START_TEST(test_wrong)
{
    uint8_t query[400], *answer;
    struct dns_zone zone;
    size_t size, len, query_len;
    uint8_t *image = make_zone(zone_text, &zone, &size);
    const uint8_t *end;

    dns_db_set(&db, &zone);
    allow(wrong[_i].key, "192.0.2.7");
    query_len = sign_query(query, put_query(query, "mail.example.org.", TYPE_A),
                           (uint64_t)(client.now - wrong[_i].late));
    allow("key:c2VjcmV0", "192.0.2.7");
    answer = transfer(query, query_len, DNS_UDP_MIN, &len);
    end = answer + len;
    ck_assert_uint_eq(rcode(answer), wrong[_i].error ? DNS_NOTAUTH : DNS_NOERROR);
    if (wrong[_i].error == 18) { /* signed, with the server's time */
        ck_assert_uint_eq(dns_be16(end - 10), 18);
        ck_assert_uint_eq(dns_be32(end - 4), client.now);
        ck_assert_uint_eq(dns_be16(end - 6 - 6 - 32 - 2), 32);
    } else {
        ck_assert_uint_eq(dns_be16(end - 4), wrong[_i].error);
        ck_assert_uint_eq(dns_be16(end - 6 - wrong[_i].mac - 2), wrong[_i].mac);
    }
    free(answer);
    free(image);
}
END_TEST

/* Who signs is not limited; who repeats what somebody has signed is, when it is too old. */
START_TEST(test_replayed)
{
    enum { ASKED = 20, RATE = 3 };
    static struct limit_count counts[16];
    struct dns_limiter limiter = {.counts = counts, .size = 16, .rate = RATE};
    uint8_t query[400], answer[DNS_UDP_MIN];
    struct dns_zone zone;
    size_t size, len;
    uint8_t *image = make_zone(zone_text, &zone, &size);

    dns_db_set(&db, &zone);
    dns_db_limit(&db, &limiter);
    allow("key:c2VjcmV0", "192.0.2.7");
    len = sign_query(query, put_query(query, "mail.example.org.", TYPE_A), client.now);
    client.now += 300 + (uint32_t)_i;
    for (unsigned i = 0; i < ASKED; i++)
        (void)dns_answer(&db, &client, query, len, answer, sizeof(answer), 0, &stats);
    ck_assert_uint_eq(stats.limited, _i ? ASKED - RATE : 0);
    ck_assert_uint_eq(stats.rcode[_i ? DNS_NOTAUTH : DNS_NOERROR], _i ? RATE : ASKED);
    free(image);
}
END_TEST

/* A long name, a signature by a key of a long name, and options: more than the client takes. They are
 * left out, and the answer is signed. */
START_TEST(test_no_room_for_options)
{
#define L30 "llllllllllllllllllllllllllllll"
    static const uint8_t opt[] = {0, 0, TYPE_OPT, 2, 0, 0, 0,   0,   0,   0,   16,  0,   3,  0,
                                  0, 0, 10,       0, 8, 0, 'c', 'o', 'o', 'k', 'i', 'e', 's'};
    static const struct dns_identity identity = {.id = L30 L30 L30};
    static uint8_t answer[DNS_UDP_MIN];
    uint8_t query[600];
    struct dns_zone zone;
    size_t size, len, answered;
    uint8_t *image = make_zone(zone_text, &zone, &size);

    allow(L30 "." L30 ":c2VjcmV0", "192.0.2.7");
    dns_db_set(&db, &zone);
    dns_db_identify(&db, &identity);
    len = put_query(query,
                    L30 "." L30 "." L30 "." L30 "." L30 "." L30 "." L30
                        ".aaaaaaaaaaaaaaaaa.wild.example.org.",
                    TYPE_MX);
    ck_assert_uint_eq(len, 12 + 253 + 4);
    memcpy(query + len, opt, sizeof(opt));
    query[11] = 1;
    len = sign_query(query, len + sizeof(opt), client.now);
    answered = dns_answer(&db, &client, query, len, answer, sizeof(answer), 0, &stats);
    ck_assert_uint_gt(answered, len - sizeof(opt));
    ck_assert_uint_le(answered, sizeof(answer));
    ck_assert_uint_eq(rcode(answer), DNS_NOERROR);
    ck_assert_uint_eq(dns_be16(answer + answered - 4), 0);
    ck_assert_uint_eq(dns_be16(answer + answered - 6 - 32 - 2), 32);
    free(image);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("transfer");
    Suite *s = suite_create("dns_transfer");
    SRunner *r = srunner_create(s);
    int failed;

    suite_add_tcase(s, t);
    tcase_add_checked_fixture(t, prepare, NULL);
    tcase_add_loop_test(t, test_zones, 0, 3);
    tcase_add_test(t, test_many_messages);
    tcase_add_test(t, test_refusals);
    tcase_add_test(t, test_incremental);
    tcase_add_test(t, test_signed);
    tcase_add_loop_test(t, test_wrong, 0, ARRAY_SIZE(wrong));
    tcase_add_loop_test(t, test_replayed, 0, 2);
    tcase_add_test(t, test_no_room_for_options);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
