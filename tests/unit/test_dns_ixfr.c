/* SPDX-License-Identifier: ISC */
/*
 * Differences between versions of a zone, kept and served (IXFR, RFC 1995): whatever has changed, a secondary
 * that applies them has the new version; and what is kept has bounds.
 */
#include "tests/unit/dns_zones.h"

#include "lib/dns/access.h"
#include "lib/dns/entry.h"
#include "lib/dns/fetch.h"
#include "lib/dns/history.h"
#include "tests/unit/parse_address.h"

#include <stdarg.h>

long memory_left = -1;
int memory_comes_back;

enum { VERSIONS = 7, LINES = 160, RECORDS_MAX = 6000, FIRST_SERIAL = 7 };

static struct dns_access rules;
static struct dns_client client;
static struct dns_transfer place;
static struct dns_zone zones[VERSIONS];
static uint8_t *images[VERSIONS];
static unsigned versions;
static char text[1 << 20];

/* What has come: how it began, and how much. */
static struct {
    unsigned messages, records, soas;
    uint32_t second; /* serial of the second record, if it is an SOA; else 0 */
} got;

static void prepare(void)
{
    start();
    memory_left = -1;
    rules = (struct dns_access){0};
    ck_assert_ptr_null(access_add_rules(&rules, "192.0.2.7", parse_address));
    dns_db_allow(&db, &rules);
    client = (struct dns_client){.address = {192, 0, 2, 7}, .address_len = 4, .now = 1700000000};
}

static void finish(void)
{
    if (versions)
        history_forget(&zones[versions - 1]);
    while (versions)
        free(images[--versions]);
}

/* Serves the zone in `text` from now on, as a version of the one before. */
static void serve(void)
{
    size_t size;

    images[versions] = make_zone(text, &zones[versions], &size);
    if (versions)
        history_add(&zones[versions - 1], &zones[versions], NULL);
    (void)dns_db_set(&db, &zones[versions++]);
}

static void say(const char *format, ...)
{
    size_t len = strlen(text);
    va_list args;

    va_start(args, format);
    ck_assert_int_lt(vsnprintf(text + len, sizeof(text) - len, format, args), sizeof(text) - len);
    va_end(args);
}

/* Begins a zone: what each of them has. */
static void say_zone(uint32_t serial)
{
    text[0] = '\0';
    say("$TTL 60\n@ SOA ns1 host %u 3600 600 86400 60\n@ NS ns1\nns1 A 192.0.2.1\n", serial);
}

/* Some of many records, of names that come and go, with sets of several records and of several TTLs. */
static void say_random(unsigned kind)
{
    static const char *const signed_types[] = {"TXT", "A", "NSEC"};

    for (unsigned i = 0; i < LINES; i++) {
        unsigned name = i / 4, chance = random_number() % 16;

        if (!chance)
            continue;
        if (i % 40 == 0 && chance > 8)
            say("cut%u NS ns.cut%u\nns.cut%u A 192.0.2.3\n", name, name, name);
        else if (i % 4 == 1)
            say("n%u.x%u 60 MX %u n%u.x\n", name, name % 7, i, name + 1);
        else
            say("n%u.x%u %u TXT %u\n", name, name % 7, chance == 1 && i % 4 == 0 ? 5 : 60, i);
        if (kind && i % 4 == 3)
            say("n%u.x%u RRSIG %s 8 2 3600 20300101000000 20200101000000 %u example.org. AAAA\n",
                name, name % 7, signed_types[0], chance > 2);
    }
    if (kind == 1)
        say("@ NSEC ns1 SOA NS\nns1 NSEC @ A\n");
    if (kind != 2)
        return;
    say("@ NSEC3PARAM 1 0 0 -\n");
    for (unsigned i = 0; i < 16; i++) {
        if (i == 0 || random_number() % 4)
            say("%032u NSEC3 1 0 0 - %032u A\n", i, random_number() % 16);
    }
}

/* --- what a zone has, in order ------------------------------------------------------------------- */

struct list {
    unsigned count;
    struct {
        size_t len;
        uint8_t *octets;
    } record[RECORDS_MAX];
};

static int order(const void *x, const void *y)
{
    const struct {
        size_t len;
        uint8_t *octets;
    } *a = x, *b = y;
    int result = memcmp(a->octets, b->octets, MIN(a->len, b->len));

    return result ? result : (a->len > b->len) - (a->len < b->len);
}

static void list_message(struct list *list, const uint8_t *message, size_t len)
{
    struct message m = {message, len, HEADER_SIZE};
    uint8_t name[DNS_NAME_MAX], buffer[ENTRY_DATA_MAX];
    struct entry e;

    ck_assert_uint_ne(message_name(&m, name), 0);
    m.pos += QUESTION_TAIL;
    while (m.pos < len) {
        size_t data_len, name_len;
        const uint8_t *data;
        uint8_t *to;

        ck_assert(message_entry(&m, &e));
        data = entry_data(&m, &e, buffer, &data_len);
        name_len = dns_name_length(e.owner, DNS_NAME_MAX);
        to = malloc(name_len + 8 + data_len);
        memcpy(to, e.owner, name_len);
        memcpy(to + name_len, message + e.fields, 8);
        memcpy(to + name_len + 8, data, data_len);
        ck_assert_uint_lt(list->count, RECORDS_MAX);
        list->record[list->count].len = name_len + 8 + data_len;
        list->record[list->count++].octets = to;
    }
}

/* All records of a zone, by AXFR. */
static struct list *list_zone(struct dns_zone *zone)
{
    static uint8_t query[300], message[DNS_TCP_MAX];
    size_t query_len = put_query(query, "example.org.", TYPE_AXFR), len;
    struct list *list = calloc(1, sizeof(*list));
    struct dns_zone *served = dns_db_set(&db, zone);

    place = (struct dns_transfer){0};
    client.transfer = &place;
    do {
        len = dns_answer(&db, &client, query, query_len, message, sizeof(message), DNS_TCP, &stats);
        list_message(list, message, len);
    } while (place.more);
    if (served)
        (void)dns_db_set(&db, served);
    qsort(list->record, list->count, sizeof(list->record[0]), order);
    return list;
}

static void free_list(struct list *list)
{
    for (unsigned i = 0; i < list->count; i++)
        free(list->record[i].octets);
    free(list);
}

static void assert_same_zone(struct dns_zone *a, struct dns_zone *b)
{
    struct list *x = list_zone(a), *y = list_zone(b);

    ck_assert_uint_eq(x->count, y->count);
    for (unsigned i = 0; i < x->count; i++)
        ck_assert_int_eq(order(&x->record[i], &y->record[i]), 0);
    free_list(x);
    free_list(y);
}

/* --- a secondary --------------------------------------------------------------------------------- */

/* Looks at what a message of a transfer begins with. */
static void look_at(const uint8_t *message, size_t len)
{
    struct message m = {message, len, HEADER_SIZE};
    uint8_t name[DNS_NAME_MAX];
    struct entry e;

    ck_assert_uint_ne(message_name(&m, name), 0);
    m.pos += QUESTION_TAIL;
    for (unsigned n = dns_be16(message + 6); n; n--) {
        ck_assert(message_entry(&m, &e));
        got.soas += e.type == TYPE_SOA;
        if (got.records++ == 1 && e.type == TYPE_SOA)
            got.second = dns_be32(message + e.data + e.len - 20);
    }
    ck_assert_uint_eq(m.pos, len);
    got.messages++;
}

/* Asks for the next message, into a block of its own, twice: it is the same. */
static uint8_t *next_message(const uint8_t *query, size_t query_len, size_t cap, size_t *len)
{
    struct dns_transfer before = place;
    uint8_t *message = malloc(cap), *again = malloc(cap);
    struct dns_stats copy = stats;

    *len = dns_answer(&db, &client, query, query_len, message, cap, DNS_TCP, &stats);
    client.transfer = &before;
    ck_assert_uint_eq(dns_answer(&db, &client, query, query_len, again, cap, DNS_TCP, &copy), *len);
    client.transfer = &place;
    ck_assert_mem_eq(message, again, *len);
    ck_assert_mem_eq(&before, &place, sizeof(place));
    free(again);
    return message;
}

/* A secondary that has version HAS asks for the differences, in messages of at most CAP octets. */
static void update(unsigned has, size_t cap)
{
    static uint8_t query[FETCH_QUERY_MAX];
    const struct fetch_question question = {.name = zones[has].name,
                                            .type = TYPE_IXFR,
                                            .id = 0x1234,
                                            .old = &zones[has],
                                            .now = client.now};
    enum fetch_result result = FETCH_MORE;
    struct dns_zone made;
    struct fetch f;
    size_t query_len = fetch_begin(&f, &question, query), size, len;
    uint8_t *image;

    memset(&got, 0, sizeof(got));
    place = (struct dns_transfer){0};
    client.transfer = &place;
    do {
        uint8_t *message = next_message(query, query_len, cap, &len);

        ck_assert_uint_eq(message[3] & 15, DNS_NOERROR);
        look_at(message, len);
        result = fetch_take(&f, message, len, client.now);
        ck_assert_msg(result != FETCH_FAILED, "%s", f.reason);
        free(message);
    } while (place.more);
    ck_assert_int_eq(result, FETCH_DONE);
    ck_assert_msg(!fetch_finish(&f, &image, &size), "%s", f.reason);
    ck_assert_int_eq(dns_zone_open(&made, image, size), size);
    assert_same_zone(&made, &zones[versions - 1]);
    free(image);
}

/* Whatever has changed: a secondary with any of the versions before gets the one that is served. */
START_TEST(test_any_change)
{
    static const size_t caps[] = {DNS_UDP_MIN, 700, 4096, DNS_TCP_MAX};

    random_state = 100 + _i;
    for (unsigned i = 0; i < 5; i++) {
        say_zone(FIRST_SERIAL + 3 * i);
        say_random(_i % 3);
        serve();
    }
    for (unsigned has = 0; has < 4; has++) {
        update(has, caps[_i % 4]);
        ck_assert(!got.second || got.second == FIRST_SERIAL + 3 * has);
    }
    update(3, caps[_i % 4]);
    ck_assert_uint_eq(got.second, FIRST_SERIAL + 9);
    ck_assert_uint_eq(got.soas, 4);
    ck_assert_uint_gt(stats.differences, 0);
}
END_TEST

static const struct {
    const char *what, *old, *new;
    unsigned records; /* but for the SOAs */
} changes[] = {
    {"nothing", "a A 192.0.2.1\n", "a A 192.0.2.1\n", 0},
    {"order and case of owners", "a A 192.0.2.1\na A 192.0.2.2\nb A 192.0.2.1\n",
     "B A 192.0.2.1\nA A 192.0.2.2\nA A 192.0.2.1\n", 0},
    {"one of a set", "a A 192.0.2.1\na A 192.0.2.2\na A 192.0.2.3\n",
     "a A 192.0.2.1\na A 192.0.2.4\na A 192.0.2.3\n", 2},
    {"one more, one less", "a TXT x\na MX 1 b\n", "a TXT x\na TXT y\n", 2},
    {"the TTL of a set", "a A 192.0.2.1\na A 192.0.2.2\n", "a 5 A 192.0.2.1\na 5 A 192.0.2.2\n", 4},
    {"a name in data", "a MX 1 mail\n", "a MX 1 mail.deep\n", 2},
    {"a signature", "a A 192.0.2.1\n" SIGNED("a", "A"), "a A 192.0.2.1\n", 1},
    {"another signature", "a A 192.0.2.1\n" SIGNED("a", "A"),
     "a A 192.0.2.1\na RRSIG A 8 2 3600 20310101000000 20200101000000 1 example.org. AAAA\n", 2},
    {"the signature of the SOA", SIGNED("@", "SOA"),
     "@ RRSIG SOA 8 2 3600 20310101000000 20200101000000 1 example.org. AAAA\n", 2},
    {"a name and those below", "deep.er.name A 192.0.2.1\ner.name TXT x\n", "", 2},
    {"glue", "s NS ns.s\nns.s A 192.0.2.1\n", "s NS ns.s\nns.s A 192.0.2.2\n", 2},
    {"a wildcard", "*.w A 192.0.2.1\n", "*.w MX 1 x.w\n", 2},
};

/* No record is sent that has not changed. */
START_TEST(test_as_little_as_possible)
{
    for (unsigned i = 0; i < 2; i++) {
        say_zone(FIRST_SERIAL + i);
        say("much TXT \"%0200u\"\n%s", 0, i ? changes[_i].new : changes[_i].old);
        serve();
    }
    update(0, DNS_TCP_MAX);
    ck_assert_uint_eq(got.second, FIRST_SERIAL);
    ck_assert_msg(got.records == 4 + changes[_i].records, "%s: %u", changes[_i].what, got.records);
}
END_TEST

/* Versions of a zone with LEN octets that are the same in all of them, and EACH that are not. */
static void serve_versions(unsigned count, unsigned len, unsigned each)
{
    for (unsigned i = 0; i < count; i++) {
        say_zone(FIRST_SERIAL + i);
        for (unsigned n = 0; n < len / 200; n++)
            say("same%u TXT \"%0200u\"\n", n, n);
        for (unsigned n = 0; n < each / 200; n++)
            say("n%u TXT \"%0200u\"\n", n, i);
        serve();
    }
}

/* Only so many versions are kept, and so many octets; who has an older one gets the whole zone. */
START_TEST(test_bounds)
{
    static const struct {
        unsigned len, each;
        unsigned reach; /* how many versions back */
    } zone[] = {
        {10000, 200, CONFIG_DNS_IXFR_VERSIONS},
        {200000, 14000, 2},
        {200000, 24000, 1},
        {200000, 40000, 0}, /* more than there is room for */
        {0, 10000, 0},      /* more than the zone */
    };

    serve_versions(VERSIONS, zone[_i].len, zone[_i].each);
    for (unsigned has = 0; has < VERSIONS - 1; has++) {
        bool within = versions - 1 - has <= zone[_i].reach;

        update(has, DNS_TCP_MAX);
        ck_assert_uint_eq(got.second, within ? FIRST_SERIAL + has : 0);
    }
}
END_TEST

/* Differences that are longer than the zone only together. */
START_TEST(test_longer_together)
{
    serve_versions(4, 1000, 1000);
    update(2, DNS_TCP_MAX);
    ck_assert_uint_ne(got.second, 0);
    update(0, DNS_TCP_MAX);
    ck_assert_uint_eq(got.second, 0);
}
END_TEST

static size_t ask_datagram(uint32_t serial, uint8_t answer[DNS_UDP_MAX])
{
    static const uint8_t soa[] = {0xc0, 12, 0, TYPE_SOA, 0, CLASS_IN, 0, 0, 0, 0, 0, 22};
    uint8_t query[300] = {0};
    size_t len = put_query(query, "example.org.", TYPE_IXFR);

    query[9] = 1;
    memcpy(query + len, soa, sizeof(soa));
    dns_put_be32(query + len + sizeof(soa) + 2, serial);
    client.transfer = NULL;
    memset(&got, 0, sizeof(got));
    len = dns_answer(&db, &client, query, len + sizeof(soa) + 22, answer, DNS_UDP_MAX, 0, &stats);
    ck_assert_uint_eq(answer[3] & 15, DNS_NOERROR);
    ck_assert_uint_eq(answer[2] & FLAG_TC, 0);
    look_at(answer, len);
    return len;
}

/* Over UDP there are the differences if they fit, else the SOA. */
START_TEST(test_datagram)
{
    uint8_t answer[DNS_UDP_MAX];

    for (unsigned i = 0; i < 4; i++) {
        say_zone(FIRST_SERIAL + i);
        say("n TXT \"%050u\"\nsame TXT \"%0200u\"\nsame2 TXT \"%0200u\"\n", i, 0, 0);
        serve();
    }
    ask_datagram(FIRST_SERIAL + 2, answer);
    ck_assert_uint_eq(got.records, 2 + 2 + 2);
    ck_assert_uint_eq(got.second, FIRST_SERIAL + 2);
    ask_datagram(FIRST_SERIAL + 1, answer);
    ck_assert_uint_eq(got.records, 1); /* more than 512 octets, without EDNS */
    ask_datagram(FIRST_SERIAL + 3, answer);
    ck_assert_uint_eq(got.records, 1);
    ask_datagram(FIRST_SERIAL - 1, answer);
    ck_assert_uint_eq(got.records, 1);
    ck_assert_uint_eq(stats.differences, 1);
    ck_assert_uint_eq(stats.transfers, 0);
}
END_TEST

/* The version changes while differences are on their way. */
START_TEST(test_changes_meanwhile)
{
    uint8_t query[FETCH_QUERY_MAX], message[DNS_UDP_MIN];
    struct fetch_question question = {.type = TYPE_IXFR, .id = 1, .old = &zones[0]};
    struct fetch f;
    size_t query_len;

    serve_versions(2, 20000, 4000);
    question.name = zones[0].name;
    query_len = fetch_begin(&f, &question, query);
    fetch_end(&f);
    place = (struct dns_transfer){0};
    client.transfer = &place;
    (void)dns_answer(&db, &client, query, query_len, message, sizeof(message), DNS_TCP, &stats);
    ck_assert(place.more);
    if (_i) { /* or there is none any more */
        dns_zone_vacate(&zones[versions], zones[0].name);
        (void)dns_db_set(&db, &zones[versions]);
    } else {
        say_zone(FIRST_SERIAL + 2);
        serve();
    }
    (void)dns_answer(&db, &client, query, query_len, message, sizeof(message), DNS_TCP, &stats);
    ck_assert_uint_eq(message[3] & 15, DNS_SERVFAIL);
    ck_assert(!place.more);
}
END_TEST

/* An image without all of its zone's records (an NSEC3 of a chain that is not named) tells no differences, neither
 * to nor from it: a secondary may have had that version whole, from elsewhere. */
START_TEST(test_left_out)
{
    for (unsigned i = 0; i < 4; i++) {
        say_zone(FIRST_SERIAL + i);
        say("@ NSEC3PARAM 1 0 0 -\n%032u NSEC3 1 0 0 - %032u A\nx TXT %u\n", 0, 0, i);
        if (i == 1)
            say("%032u NSEC3 1 0 5 - %032u A\n", 1, 1);
        serve();
    }
    ck_assert_ptr_null(history_find(&zones[3], FIRST_SERIAL));
    ck_assert_ptr_null(history_find(&zones[3], FIRST_SERIAL + 1));
    ck_assert_ptr_nonnull(history_find(&zones[3], FIRST_SERIAL + 2));
}
END_TEST

/* A large set in another order: what has changed is nothing, but to find that out takes the square of its size. */
START_TEST(test_other_order)
{
    enum { MANY = 4000 };

    for (unsigned version = 0; version < 3; version++) {
        say_zone(FIRST_SERIAL + version);
        for (unsigned i = 0; i < MANY; i++) {
            unsigned n = version == 1 ? MANY - 1 - i : i;

            say("m A 10.0.%u.%u\n", n / 256, n % 256);
        }
        serve();
    }
    ck_assert_ptr_null(history_find(&zones[2], FIRST_SERIAL));
    ck_assert_ptr_null(history_find(&zones[2], FIRST_SERIAL + 1));
}
END_TEST

/* Serials go round (RFC 1982); those that go back are no sequence. */
START_TEST(test_serials)
{
    static const uint32_t serials[] = {UINT32_MAX - 1, 1, 2, 1, 3};

    for (unsigned i = 0; i < ARRAY_SIZE(serials); i++) {
        say_zone(serials[i]);
        say("much TXT \"%0200u\"\nx TXT %u\n", 0, i);
        serve();
        if (i == 2) {
            update(0, DNS_TCP_MAX);
            ck_assert_uint_eq(got.second, UINT32_MAX - 1);
        }
        ck_assert_uint_eq(!history_find(&zones[i], UINT32_MAX - 1), i < 1 || i > 2);
    }
    update(3, DNS_TCP_MAX);
    ck_assert_uint_eq(got.second, 1);
}
END_TEST

static unsigned pauses;

static void pause_walk(void)
{
    pauses++;
}

/* The walk gives way, also where a set is compared that has changed in all of its records. */
START_TEST(test_pauses)
{
    size_t size;

    for (unsigned i = 0; i < 2; i++) {
        say_zone(FIRST_SERIAL + i);
        for (unsigned n = 0; n < 1000; n++)
            say(_i ? "set TXT %u\n" : "n%u A 192.0.2.1\n", _i ? 2 * n + i : n);
        images[versions] = make_zone(text, &zones[versions], &size);
        versions++;
    }
    pauses = 0;
    history_add(&zones[0], &zones[1], pause_walk);
    ck_assert_uint_ge(pauses, _i ? 1000 : 2000 / 256);
}
END_TEST

/* Memory is short at each place in turn: there are no differences then, but the whole zone. */
START_TEST(test_memory)
{
    bool taken = false;

    for (long blocks = 1; !taken; blocks++) {
        prepare();
        serve_versions(1, 20000, 4000);
        say_zone(FIRST_SERIAL + 1);
        for (unsigned n = 0; n < 100; n++)
            say("same%u TXT \"%0200u\"\n", n, n);
        images[1] = make_zone(text, &zones[1], &(size_t){0});
        versions = 2;
        memory_left = blocks;
        history_add(&zones[0], &zones[1], NULL);
        memory_left = -1;
        (void)dns_db_set(&db, &zones[1]);
        taken = zones[1].history;
        update(0, DNS_TCP_MAX);
        ck_assert_uint_eq(got.second, taken ? FIRST_SERIAL : 0);
        finish();
        ck_assert_int_lt(blocks, 100);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("dns_ixfr");
    TCase *t = tcase_create("all");
    SRunner *r;
    int failed;

    tcase_add_checked_fixture(t, prepare, finish);
    tcase_add_loop_test(t, test_any_change, 0, 12);
    tcase_add_loop_test(t, test_as_little_as_possible, 0, ARRAY_SIZE(changes));
    tcase_add_loop_test(t, test_bounds, 0, 5);
    tcase_add_test(t, test_longer_together);
    tcase_add_test(t, test_datagram);
    tcase_add_loop_test(t, test_changes_meanwhile, 0, 2);
    tcase_add_test(t, test_left_out);
    tcase_add_test(t, test_other_order);
    tcase_add_test(t, test_serials);
    tcase_add_loop_test(t, test_pauses, 0, 2);
    tcase_add_test(t, test_memory);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
