/* SPDX-License-Identifier: ISC */
/*
 * Zones fetched from a primary: refresh, retry and expiry by a clock in our hands, NOTIFY, and primaries that
 * lie or end in the middle: whatever they do, the older version is served.
 */
#include "tests/unit/dns_primary.h"

long memory_left = -1;
int memory_comes_back;

enum { REFRESH = 3600, RETRY = 600, EXPIRE = 86400 };

#define LIST "example.org=192.0.2.53"
#define KEY "key.example:c2VjcmV0"
/* A zone of this serial, with one name more than any has. */
#define VERSION(serial)                                                                            \
    "$TTL 60\n@ SOA ns1 host " #serial " 3600 600 86400 60\n@ NS ns1\nns1 A 192.0.2.1\n"
static const char old_text[] = VERSION(7) "old A 192.0.2.7\n";
static const char new_text[] = VERSION(8) "new A 192.0.2.8\nalias CNAME new\nmx MX 1 new\n";

static void prepare(void)
{
    secondary_for(LIST, "");
}

static void finish(void)
{
    end_secondary();
}

/* Has the old version fetched, and the time for the next refresh come. */
static void load_old(void)
{
    primary_has(old_text);
    refresh(SIZE_MAX / 2);
    ck_assert_uint_eq(world.loaded, 1);
    ck_assert(!world.connected && !world.all.active);
    ck_assert_uint_eq(rcode_of("old.example.org.", TYPE_A), DNS_NOERROR);
    world.time += REFRESH;
}

static void assert_old(void)
{
    ck_assert_uint_eq(rcode_of("old.example.org.", TYPE_A), DNS_NOERROR);
    ck_assert_uint_eq(rcode_of("new.example.org.", TYPE_A), DNS_NXDOMAIN);
}

static void assert_new(void)
{
    ck_assert_uint_eq(rcode_of("old.example.org.", TYPE_A), DNS_NXDOMAIN);
    ck_assert_uint_eq(rcode_of("new.example.org.", TYPE_A), DNS_NOERROR);
}

/* Any zone arrives as it is, in pieces of any size, signed or not: the image is the compiler's. */
START_TEST(test_arrives)
{
    static const char *const texts[] = {zone_text, nsec_text, nsec3_text, new_text};
    static const size_t pieces[] = {1, 2, 3, 100, 1 << 20};
    const char *name = _i % 4 == 2 ? "example" : "example.org", *dotted = "example.org.";
    char list[100];

    sprintf(list, "%s=192.0.2.53%s", name, _i / 4 % 2 ? "@key.example" : "");
    secondary_for(list, KEY);
    primary_has(texts[_i % 4]);
    if (_i % 4 == 2)
        dotted = "example.";
    ck_assert_uint_eq(rcode_of(dotted, TYPE_SOA), DNS_SERVFAIL);
    refresh(pieces[_i / 8]);
    ck_assert_msg(world.loaded == 1, "%s", world.reason);
    ck_assert_uint_eq(rcode_of(dotted, TYPE_SOA), DNS_NOERROR);
    ck_assert_int_eq(dns_zone_check(world.all.list->served), 0);
    ck_assert_uint_eq(dns_zone_records(world.all.list->served), dns_zone_records(&primary.zone));
    ck_assert_uint_eq(dns_zone_names(world.all.list->served), dns_zone_names(&primary.zone));
    ck_assert_uint_eq(world.all.list->served->size, primary.zone.size);
}
END_TEST

START_TEST(test_many_messages)
{
    size_t room = 1 << 20, used;
    char *text = malloc(room);

    secondary_for(LIST "@key.example", KEY);
    used = (size_t)sprintf(text, "%s", new_text);
    for (unsigned i = 0; i < 5000; i++)
        used +=
            (size_t)sprintf(text + used, "n%u.x TXT \"a\"\nn%u.x MX 1 n%u.x\n", i, i, i * 7 % 5000);
    primary_has(text);
    free(text);
    refresh(1000);
    ck_assert_msg(world.loaded == 1, "%s", world.reason);
    ck_assert_uint_eq(dns_zone_records(world.all.list->served), dns_zone_records(&primary.zone));
    assert_new();
}
END_TEST

/* The SOA is asked for when it is time, and the zone if there is a later version. */
START_TEST(test_refresh)
{
    uint32_t wait;

    load_old();
    world.time -= REFRESH;
    ck_assert(!world.all.active);
    wait = secondaries_run(&world.all);
    ck_assert(wait > REFRESH - REFRESH / 8 - 1 && wait <= REFRESH);
    ck_assert(!world.connected);
    world.time += wait - 1;
    ck_assert_uint_eq(secondaries_run(&world.all), 1);
    world.time++;
    begin();
    ck_assert_uint_eq(asked_type(), TYPE_SOA);
    primary_answers();
    deliver(1);
    ck_assert(!world.connected && !world.query_len);
    ck_assert_uint_eq(world.loaded, 1);
    primary_has(new_text);
    world.time += REFRESH;
    refresh(SIZE_MAX / 2);
    ck_assert_uint_eq(world.loaded, 2);
    ck_assert_uint_eq(world.failed, 0);
    assert_new();
    /* An older one is not taken, but for the wrap of RFC 1982. */
    primary_has(old_text);
    world.time += REFRESH;
    refresh(SIZE_MAX / 2);
    ck_assert_str_eq(world.reason, "it has an older version");
    assert_new();
    primary_has(VERSION(2147483655) "old A 192.0.2.7\n");
    world.time += RETRY;
    refresh(SIZE_MAX / 2);
    ck_assert_uint_eq(world.loaded, 3);
    assert_old();
}
END_TEST

/* Without a primary the zone is served until it expires; then it is not, until it comes back. */
START_TEST(test_expires)
{
    uint32_t end, wait;

    load_old();
    end = world.time - REFRESH + EXPIRE;
    world.connect_result = -EHOSTUNREACH;
    while (world.time < end) {
        wait = secondaries_run(&world.all);
        ck_assert_uint_eq(rcode_of("old.example.org.", TYPE_A), DNS_NOERROR);
        ck_assert(wait <= REFRESH && wait <= end - world.time);
        world.time += wait;
    }
    ck_assert_uint_eq(world.connects, 1 + 1 + (EXPIRE - REFRESH - 1) / RETRY);
    ck_assert_uint_eq(world.expired, 0);
    wait = secondaries_run(&world.all);
    ck_assert_uint_eq(world.expired, 1);
    ck_assert_uint_eq(rcode_of("old.example.org.", TYPE_A), DNS_SERVFAIL);
    ck_assert_uint_eq(rcode_of("example.net.", TYPE_A), DNS_REFUSED);
    ck_assert_uint_eq(wait, 0);
    /* It is asked for at once, ever more rarely, and as a whole. */
    (void)secondaries_run(&world.all);
    ck_assert_uint_eq(world.connects, 2 + 1 + (EXPIRE - REFRESH - 1) / RETRY);
    for (unsigned i = 0; i < 20; i++) {
        world.time += wait;
        while (!(wait = secondaries_run(&world.all)))
            ;
    }
    ck_assert_uint_eq(wait, 300);
    world.connect_result = 0;
    world.time += wait;
    begin();
    ck_assert_uint_eq(asked_type(), TYPE_AXFR);
    primary_answers();
    deliver(7);
    ck_assert_uint_eq(world.loaded, 2);
    assert_old();
}
END_TEST

static unsigned notify(const char *name, unsigned type, uint8_t last, bool with_soa)
{
    uint8_t query[300] = {0}, answer[DNS_UDP_MAX];
    size_t len = put_query(query, name, type);
    const struct dns_client client = {
        .address = {192, 0, 2, last}, .address_len = 4, .now = world.time};
    static const uint8_t soa[] = {0xc0, 0x0c, 0, TYPE_SOA, 0, CLASS_IN, 0, 0, 0, 0, 0, 22, 0, 0};

    query[2] = OPCODE_NOTIFY | FLAG_AA;
    if (with_soa) {
        query[7] = 1;
        memcpy(query + len, soa, sizeof(soa));
        len += sizeof(soa) + 20;
    }
    ck_assert_uint_gt(dns_answer(&db, &client, query, len, answer, sizeof(answer), 0, &stats),
                      HEADER_SIZE);
    ck_assert_uint_eq(answer[2], FLAG_QR | OPCODE_NOTIFY | FLAG_AA);
    ck_assert_uint_eq(dns_be16(answer + 6), 0);
    return answer[3];
}

START_TEST(test_notify)
{
    load_old();
    world.time -= REFRESH - 1;
    primary_has(new_text);
    ck_assert_uint_eq(notify("www.example.org.", TYPE_SOA, 53, false), DNS_NOTAUTH);
    ck_assert_uint_eq(notify("example.org.", TYPE_SOA, 54, false), DNS_REFUSED);
    ck_assert_uint_eq(notify("example.org.", TYPE_A, 53, false), DNS_FORMERR);
    ck_assert_uint_gt(secondaries_run(&world.all), 1);
    ck_assert(!world.all.active);
    world.woken = false;
    ck_assert_uint_eq(notify("Example.ORG.", TYPE_SOA, 53, _i), DNS_NOERROR);
    ck_assert(world.woken);
    begin();
    primary_answers();
    deliver(SIZE_MAX / 2);
    ck_assert_uint_eq(asked_type(), TYPE_IXFR);
    /* Another one while the zone is under way: it is asked for once more. */
    ck_assert_uint_eq(notify("example.org.", TYPE_SOA, 53, !_i), DNS_NOERROR);
    primary_answers();
    deliver(SIZE_MAX / 2);
    assert_new();
    ck_assert_uint_eq(secondaries_run(&world.all), 1);
    /* And not more often than once a second. */
    ck_assert_uint_eq(notify("example.org.", TYPE_SOA, 53, false), DNS_NOERROR);
    ck_assert_uint_eq(secondaries_run(&world.all), 1);
    world.time++;
    begin();
}
END_TEST

/* One that fails is followed by the next at once; after the last it is time to wait. */
START_TEST(test_primaries)
{
    secondary_for("example.org=192.0.2.53:1,[2001:db8::1]:2,192.0.2.55@key.example", KEY);
    primary_has(new_text);
    world.connect_result = -EHOSTUNREACH;
    for (unsigned port = 1; port <= 2; port++) {
        ck_assert_uint_eq(secondaries_run(&world.all), 0);
        ck_assert_uint_eq(world.port, port);
    }
    world.connect_result = 0;
    refresh(SIZE_MAX / 2);
    ck_assert_uint_eq(world.port, 53);
    ck_assert_uint_eq(world.loaded, 1);
    ck_assert_uint_eq(notify("example.org.", TYPE_SOA, 53, false), DNS_NOERROR);
    ck_assert_uint_eq(notify("example.org.", TYPE_SOA, 55, false), DNS_REFUSED); /* not signed */
}
END_TEST

/* Who has sent NOTIFY is asked first, and then all others; the next refresh begins with the first of the list. */
START_TEST(test_sender_first)
{
    secondary_for("example.org=192.0.2.53:1,192.0.2.54:2,192.0.2.55:3", "");
    load_old();
    world.connect_result = -EHOSTUNREACH;
    world.time -= REFRESH - 1;
    ck_assert_uint_eq(notify("example.org.", TYPE_SOA, 54, false), DNS_NOERROR);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_uint_eq(secondaries_run(&world.all), 0);
        ck_assert_uint_eq(world.port, 1 + (i + 1) % 3);
    }
    ck_assert_uint_eq(world.failed, 3);
    ck_assert_uint_eq(secondaries_run(&world.all), RETRY);
    world.time += RETRY;
    ck_assert_uint_eq(secondaries_run(&world.all), 0);
    ck_assert_uint_eq(world.port, 1);
    /* While the second one is asked the third has a later version. */
    world.connect_result = 0;
    primary_has(new_text);
    begin();
    ck_assert_uint_eq(world.port, 2);
    ck_assert_uint_eq(notify("example.org.", TYPE_SOA, 55, false), DNS_NOERROR);
    while (world.query_len && world.connected) {
        primary_answers();
        deliver(SIZE_MAX / 2);
    }
    assert_new();
    world.time++;
    refresh(SIZE_MAX / 2);
    ck_assert_uint_eq(world.port, 3);
    world.time += REFRESH;
    refresh(SIZE_MAX / 2);
    ck_assert_uint_eq(world.port, 1);
}
END_TEST

/* A key that several primaries have tells them apart by their addresses; from elsewhere it stands for the first. */
START_TEST(test_sender_by_key)
{
    static const struct {
        uint8_t from;
        unsigned port;
    } senders[] = {{54, 2}, {53, 1}, {99, 1}};
    struct dns_client client = {.address = {192, 0, 2}, .address_len = 4};
    struct dns_key name;

    secondary_for("example.org=192.0.2.52:9,192.0.2.53:1@key.example,192.0.2.54:2@key.example",
                  KEY);
    (void)dns_key_parse(&name, (const uint8_t *)"\7example\3org", 13);
    world.connect_result = -EHOSTUNREACH;
    for (unsigned i = 0; i < ARRAY_SIZE(senders); i++) {
        client.address[3] = senders[i].from;
        ck_assert_int_eq(db.listener->notified(db.listener, &name, &client, &world.access.key[0]),
                         DNS_NOERROR);
        world.time++;
        (void)secondaries_run(&world.all);
        ck_assert_uint_eq(world.port, senders[i].port);
    }
}
END_TEST

/* No network yet is no failure. */
START_TEST(test_network_comes_late)
{
    world.connect_result = -ENETDOWN;
    ck_assert_uint_eq(secondaries_run(&world.all), 0);
    ck_assert_uint_eq(secondaries_run(&world.all), 1);
    ck_assert_uint_eq(world.failed, 0);
    world.connect_result = 0;
    world.time++;
    primary_has(new_text);
    refresh(SIZE_MAX / 2);
    assert_new();
}
END_TEST

/* A zone that the image has is served until there is a newer one. */
START_TEST(test_in_image)
{
    struct dns_zone zone;
    size_t size;
    uint8_t *image = make_zone(old_text, &zone, &size);

    secondary_for("", "");
    dns_db_set(&db, &zone);
    ck_assert_ptr_null(secondaries_add(&world.all, LIST, &world.access, parse_address));
    primary_has(new_text);
    assert_old();
    refresh(SIZE_MAX / 2);
    assert_new();
    free(image);
}
END_TEST

/* A transfer to a client goes on with the version that it began with, or not at all. */
START_TEST(test_version_changes)
{
    struct dns_transfer place = {0};
    struct dns_client client = {
        .address = {192, 0, 2, 1}, .address_len = 4, .now = 1, .transfer = &place};
    uint8_t query[100], answer[DNS_UDP_MIN];
    char text[8000];
    size_t used, len;

    used = (size_t)sprintf(text, "%s", old_text);
    for (unsigned i = 0; i < 100; i++)
        used += (size_t)sprintf(text + used, "n%u TXT \"%050u\"\n", i, i);
    primary_has(text);
    dns_db_allow(&db, &primary.access);
    refresh(SIZE_MAX / 2);
    len = put_query(query, "example.org.", TYPE_AXFR);
    for (unsigned i = 0; i < 3; i++) {
        dns_answer(&db, &client, query, len, answer, sizeof(answer), DNS_TCP, &stats);
        ck_assert(place.more && !(answer[3] & 15));
    }
    primary_has(new_text);
    world.time += REFRESH;
    refresh(SIZE_MAX / 2);
    ck_assert_uint_eq(world.loaded, 2);
    dns_answer(&db, &client, query, len, answer, sizeof(answer), DNS_TCP, &stats);
    ck_assert(!place.more);
    ck_assert_uint_eq(answer[3] & 15, DNS_SERVFAIL);
    ck_assert_uint_eq(dns_be16(answer + 6), 0);
}
END_TEST

static const struct {
    const char *list, *wrong;
} lists[] = {
    {"192.0.2.1", "ZONE=PRIMARY comes first"},
    {"a..b=192.0.2.1", "not a zone's name"},
    {"a=192.0.2.1,A.=192.0.2.2", "a zone is named twice"},
    {"a=192.0.2", "a server is ADDRESS[:PORT][@KEY]"},
    {"a=192.0.2.1:0", "a server is ADDRESS[:PORT][@KEY]"},
    {"a=192.0.2.1:65536", "a server is ADDRESS[:PORT][@KEY]"},
    {"a=192.0.2.1:99999999999", "a server is ADDRESS[:PORT][@KEY]"},
    {"a=192.0.2.1:5x", "a server is ADDRESS[:PORT][@KEY]"},
    {"a=[2001:db8::1", "a server is ADDRESS[:PORT][@KEY]"},
    {"a=[2001:db8::1]x", "a server is ADDRESS[:PORT][@KEY]"},
    {"a=192.0.2.1@none", "a key that tsig= does not have"},
    {"a=1.1.1.1,1.1.1.2,1.1.1.3,1.1.1.4,1.1.1.5", "too many primaries of one zone"},
    {"a=192.0.2.1@key.example,b=::1,.=[::1]:53@key.example", NULL},
};

START_TEST(test_lists)
{
    const char *wrong;

    secondary_for("", KEY);
    wrong = secondaries_add(&world.all, lists[_i].list, &world.access, parse_address);
    if (lists[_i].wrong)
        ck_assert_str_eq(wrong, lists[_i].wrong);
    else
        ck_assert_ptr_null(wrong);
}
END_TEST

/* --- lies ---------------------------------------------------------------------------------------- */

/* The message at offset AT of the answer. */
static uint8_t *message_at(size_t at)
{
    return answer_octets + at + 2;
}

/* The octets behind the question of the first message. */
static uint8_t *first_record(void)
{
    return message_at(0) + HEADER_SIZE +
           dns_name_length(message_at(0) + HEADER_SIZE, DNS_NAME_MAX) + 4;
}

static uint8_t *record_fields(uint8_t *record)
{
    while (*record && *record < 0xc0)
        record += *record + 1u;
    return record + (*record ? 2 : 1);
}

static uint8_t *record_after(uint8_t *record)
{
    uint8_t *fields = record_fields(record);

    return fields + 10 + dns_be16(fields + 8);
}

/* The first record of this type, which the answer has. */
static uint8_t *record_of(unsigned type)
{
    uint8_t *record = first_record();

    while (dns_be16(record_fields(record)) != type)
        record = record_after(record);
    return record;
}

static uint8_t *last_record(void)
{
    uint8_t *record = first_record();

    while (record_after(record) < answer_octets + answer_len)
        record = record_after(record);
    return record;
}

/* Appends LEN octets as a record to the only message. */
static void append(const void *record, size_t len)
{
    uint8_t *message = message_at(0);

    memcpy(answer_octets + answer_len, record, len);
    answer_len += len;
    dns_put_be16(answer_octets, (uint16_t)(answer_len - 2));
    dns_put_be16(message + 6, (uint16_t)(dns_be16(message + 6) + 1));
}

/* Puts a record before the last one. */
static void insert(const void *record, size_t len)
{
    uint8_t *last = last_record();

    append(record, len);
    memmove(last + len, last, (size_t)(answer_octets + answer_len - len - last));
    memcpy(last, record, len);
}

static void drop_last(void)
{
    uint8_t *message = message_at(0);

    answer_len = (size_t)(last_record() - answer_octets);
    dns_put_be16(answer_octets, (uint16_t)(answer_len - 2));
    dns_put_be16(message + 6, (uint16_t)(dns_be16(message + 6) - 1));
}

static void lie_id(void)
{
    message_at(0)[1] ^= 1;
}

static void lie_query(void)
{
    message_at(0)[2] &= 0x7f;
}

static void lie_opcode(void)
{
    message_at(0)[2] |= OPCODE_NOTIFY;
}

static void lie_truncated(void)
{
    message_at(0)[2] |= FLAG_TC;
}

static void lie_refused(void)
{
    message_at(0)[3] = DNS_REFUSED;
}

static void lie_notauth(void)
{
    message_at(0)[3] = DNS_NOTAUTH;
}

static void lie_rcode(void)
{
    message_at(0)[3] = 15;
}

static void lie_zone(void)
{
    message_at(0)[HEADER_SIZE + 1] ^= 1;
}

static void lie_type(void)
{
    first_record()[-3]--;
}

static void lie_short(void)
{
    dns_put_be16(answer_octets, 11);
}

static void lie_no_question(void)
{
    message_at(0)[5] = 0;
}

static void lie_counts(void)
{
    message_at(0)[7]++;
}

static void lie_record_length(void)
{
    dns_put_be16(record_fields(first_record()) + 8, 0xffff);
}

static void lie_no_soa(void)
{
    dns_put_be16(record_fields(first_record()), TYPE_TXT);
}

static void lie_nothing(void)
{
    message_at(0)[6] = message_at(0)[7] = 0;
    answer_len = (size_t)(first_record() - answer_octets);
    dns_put_be16(answer_octets, (uint16_t)(answer_len - 2));
}

static void lie_other_soa(void)
{
    uint8_t *record = first_record();
    static const uint8_t other[] = {1, 'x', 0xc0, 0x0c};

    memmove(record + 4, record + 2, (size_t)(answer_octets + answer_len - record - 2));
    memcpy(record, other, sizeof(other));
    answer_len += 2;
    dns_put_be16(answer_octets, (uint16_t)(answer_len - 2));
}

static void lie_last_serial(void)
{
    answer_octets[answer_len - 17]++;
}

static void lie_soa_cut(void)
{
    uint8_t *fields = record_fields(last_record());

    dns_put_be16(fields + 8, (uint16_t)(dns_be16(fields + 8) - 1));
    answer_len--;
    dns_put_be16(answer_octets, (uint16_t)(answer_len - 2));
}

static void lie_more(void)
{
    static const uint8_t record[] = {0xc0, 0x0c, 0, TYPE_TXT, 0, CLASS_IN, 0, 0, 0, 0, 0, 1, 0};

    append(record, sizeof(record));
}

static void lie_message_behind(void)
{
    memcpy(answer_octets + answer_len, answer_octets, answer_len);
    answer_len *= 2;
}

static void lie_class(void)
{
    record_fields(record_of(TYPE_NS))[3] = CLASS_CHAOS;
}

static void lie_outside(void)
{
    static const uint8_t record[] = {3, 'o', 'r', 'g', 0, 0, TYPE_A, 0, CLASS_IN, 0,
                                     0, 0,   0,   0,   4, 1, 2,      3, 4};

    insert(record, sizeof(record));
}

static void lie_below_soa(void)
{
    uint8_t record[100] = {1, 'x', 0xc0, 0x0c};
    uint8_t *soa = last_record();
    size_t len = (size_t)(answer_octets + answer_len - soa) - 2;

    memcpy(record + 4, soa + 2, len);
    insert(record, 4 + len);
}

static void lie_alias(void)
{
    static const uint8_t record[] = {5,        'a', 'l', 'i', 'a', 's', 0xc0, 0x0c, 0, TYPE_A, 0,
                                     CLASS_IN, 0,   0,   0,   0,   0,   4,    1,    2, 3,      4};

    insert(record, sizeof(record));
}

static void lie_no_ns(void)
{
    dns_put_be16(record_fields(record_of(TYPE_NS)), TYPE_PTR);
}

static void lie_address(void)
{
    static const uint8_t record[] = {0xc0, 0x0c, 0, TYPE_A, 0, CLASS_IN, 0, 0, 0, 0, 0, 3, 1, 2, 3};

    insert(record, sizeof(record));
}

static void lie_meta(void)
{
    static const uint8_t record[] = {0xc0, 0x0c, 0, TYPE_ANY, 0, CLASS_IN, 0, 0, 0, 0, 0, 0};

    insert(record, sizeof(record));
}

static void lie_loop(void)
{
    uint8_t *fields = record_fields(record_of(TYPE_NS));

    dns_put_be16(fields + 10, (uint16_t)(0xc000 | (fields + 10 - message_at(0))));
}

static void lie_beyond(void)
{
    uint8_t *fields = record_fields(record_of(TYPE_NS));

    fields[10] = 63;
}

static const struct {
    const char *what;
    void (*tell)(void);
    const char *reason;
} lies[] = {
    {"another identifier", lie_id, "an answer to another question"},
    {"no answer", lie_query, "no answer"},
    {"another opcode", lie_opcode, "no answer"},
    {"truncated", lie_truncated, "a truncated answer"},
    {"refused", lie_refused, "it answers REFUSED"},
    {"not authoritative", lie_notauth, "it answers NOTAUTH"},
    {"another rcode", lie_rcode, "it answers with an error"},
    {"another zone", lie_zone, "an answer to another question"},
    {"another type", lie_type, "an answer to another question"},
    {"cut short", lie_short, "a message is cut short"},
    {"no question", lie_no_question, "an answer to another question"},
    {"more records than there are", lie_counts, "a malformed record"},
    {"a record too long", lie_record_length, "a malformed record"},
    {"no SOA", lie_no_soa, "no SOA at the beginning"},
    {"another zone's SOA", lie_other_soa, "no SOA at the beginning"},
    {"another SOA at the end", lie_last_serial,
     "the SOA at the end is another than at the beginning"},
    {"an SOA cut short", lie_soa_cut, "malformed SOA"},
    {"a record behind the end", lie_more, "records after the SOA at the end"},
    {"a message behind the end", lie_message_behind, "there is more behind the end of the zone"},
    {"another class", lie_class, "a record of another class"},
    {"outside the zone", lie_outside, "the record lies outside the zone org."},
    {"an SOA below", lie_below_soa, "a zone has one SOA only x.example.org."},
    {"CNAME and other data", lie_alias, "CNAME and other data at one name alias.example.org."},
    {"no NS", lie_no_ns, "the zone has no NS record at its apex example.org."},
    {"a short address", lie_address, "malformed data for this type example.org."},
    {"a meta type", lie_meta, "malformed data for this type example.org."},
    {"a name that points to itself", lie_loop, "malformed data"},
    {"a name that goes on", lie_beyond, "malformed data"},
    {"nothing", lie_nothing, "it is silent"},
    {"no end", drop_last, "it is silent"},
};

START_TEST(test_lies)
{
    load_old();
    primary_has(new_text);
    begin();
    primary_answers();
    deliver(SIZE_MAX / 2);
    primary_answers();
    lies[_i].tell();
    deliver(_i % 2 ? 1 << 20 : 100);
    if (world.connected) { /* it waits for more */
        world.time += SECONDARY_IDLE_SECONDS;
        secondaries_run(&world.all);
    }
    ck_assert_msg(!strcmp(world.reason, lies[_i].reason), "%s: %s", lies[_i].what, world.reason);
    ck_assert_uint_eq(world.failed, 1);
    assert_old();
    /* And the truth is taken afterwards: the whole zone is asked for at once. */
    refresh(SIZE_MAX / 2);
    assert_new();
}
END_TEST

/* The same of the SOA that is asked for first. */
START_TEST(test_lies_about_soa)
{
    static void (*const told[])(void) = {
        lie_id,     lie_query,     lie_truncated,   lie_refused, lie_zone,
        lie_type,   lie_short,     lie_no_question, lie_counts,  lie_record_length,
        lie_no_soa, lie_other_soa, lie_nothing};

    load_old();
    primary_has(new_text);
    for (unsigned i = 0; i < ARRAY_SIZE(told); i++) {
        begin();
        primary_answers();
        told[i]();
        deliver(SIZE_MAX / 2);
        ck_assert_uint_eq(world.failed, i + 1);
        assert_old();
        world.time += RETRY;
    }
    begin();
    primary_answers();
    message_at(0)[2] &= (uint8_t)~FLAG_AA;
    deliver(SIZE_MAX / 2);
    ck_assert_str_eq(world.reason, "it is not authoritative for the zone");
}
END_TEST

/* What is behind the SOA that was asked for is nobody's business: a signature, or an older one. */
START_TEST(test_more_behind_the_soa)
{
    uint8_t *record;
    size_t size;

    load_old();
    primary_has(new_text);
    begin();
    primary_answers();
    record = first_record();
    size = (size_t)(answer_octets + answer_len - record);
    memcpy(record + size, record, size);
    if (_i)
        dns_put_be16(record_fields(record + size), TYPE_RRSIG);
    else
        memset(record + 2 * size - 20, 0, 4);
    message_at(0)[7] = 2;
    answer_len += size;
    dns_put_be16(answer_octets, (uint16_t)(answer_len - 2));
    deliver(SIZE_MAX / 2);
    ck_assert_uint_eq(asked_type(), TYPE_IXFR);
    primary_answers();
    deliver(SIZE_MAX / 2);
    assert_new();
}
END_TEST

/* The connection is refused, silent, lost, or the zone has no end. */
START_TEST(test_connections)
{
    load_old();
    primary_has(new_text);
    (void)secondaries_run(&world.all);
    world.connected = false;
    secondaries_disconnected(&world.all, "it refuses the connection");
    ck_assert_str_eq(world.reason, "it refuses the connection");
    world.time += RETRY;
    ck_assert_uint_eq(secondaries_run(&world.all), SECONDARY_CONNECT_SECONDS);
    world.time += SECONDARY_CONNECT_SECONDS;
    (void)secondaries_run(&world.all);
    ck_assert_str_eq(world.reason, "it is silent");
    world.time += RETRY;
    begin();
    primary_answers();
    deliver(SIZE_MAX / 2);
    primary_answers();
    answer_len /= 2;
    deliver(SIZE_MAX / 2);
    world.connected = false;
    secondaries_disconnected(&world.all, "it has closed the connection");
    ck_assert_str_eq(world.reason, "it has closed the connection");
    world.time += RETRY;
    begin();
    primary_answers();
    deliver(SIZE_MAX / 2);
    primary_answers();
    drop_last();
    deliver(SIZE_MAX / 2);
    lie_nothing();
    while (world.connected) {
        world.time += SECONDARY_IDLE_SECONDS - 1;
        secondaries_run(&world.all);
        for (size_t sent = 0; sent < SECONDARY_SPAN_OCTETS && world.connected; sent += answer_len)
            deliver(SIZE_MAX / 2);
    }
    ck_assert_str_eq(world.reason, "it takes too long");
    ck_assert_uint_eq(world.failed, 4);
    assert_old();
}
END_TEST

/* A primary that sends, but little, is given up: what it has sent takes memory. One that ends soon is not. */
START_TEST(test_pace)
{
    static const size_t octets[] = {SECONDARY_SPAN_OCTETS / 2, SECONDARY_SPAN_OCTETS / 4};
    uint32_t start;

    load_old();
    primary_has(new_text);
    begin();
    primary_answers();
    deliver(SIZE_MAX / 2);
    start = world.time;
    primary_answers();
    drop_last();
    deliver(SIZE_MAX / 2);
    lie_nothing();
    while (!world.failed) {
        world.time += SECONDARY_IDLE_SECONDS - 1;
        ck_assert_uint_le(secondaries_run(&world.all), SECONDARY_IDLE_SECONDS);
        /* Enough in the first ten minutes. */
        for (size_t sent = 0; !world.failed && sent < octets[world.time - start > 600];
             sent += answer_len)
            deliver(SIZE_MAX / 2);
    }
    ck_assert_str_eq(world.reason, "it is too slow");
    ck_assert(world.time - start > 600 && world.time - start < 800);
    assert_old();
}
END_TEST

static const char too_much[] =
    "it takes more than half of the free memory, or zone-max=: give it more";

/* The records of a zone that comes may take half of the memory which is free, or what is allowed. */
START_TEST(test_limit)
{
    size_t least = 0, most = 4096;

    /* What the new version needs. */
    while (most - least > 1) {
        size_t limit = (least + most) / 2;

        prepare();
        primary_has(new_text);
        if (_i % 2)
            world.memory = 2 * limit;
        else
            secondaries_limit(&world.all, limit);
        refresh(SIZE_MAX / 2);
        if (world.loaded) {
            most = limit;
            assert_new();
        } else {
            least = limit;
            ck_assert_str_eq(world.reason, too_much);
            ck_assert_uint_eq(rcode_of("example.org.", TYPE_SOA), DNS_SERVFAIL);
        }
    }
    /* Six records and the last SOA, which is not kept: about their wire form and 20 octets each. */
    ck_assert(most > 6 * 30 && most < 6 * 80);
}
END_TEST

/* --- differences --------------------------------------------------------------------------------- */

#define SOA(serial) "@ SOA ns1 host " #serial " 3600 600 86400 60\n"

static int append_record(void *ctx, const struct dns_record *record, const struct dns_place *place)
{
    uint8_t *to = answer_octets + answer_len;
    size_t len = dns_name_length(record->owner, DNS_NAME_MAX);

    memcpy(to, record->owner, len);
    dns_put_be16(to + len, record->type);
    dns_put_be16(to + len + 2, CLASS_IN);
    dns_put_be32(to + len + 4, record->ttl);
    dns_put_be16(to + len + 8, record->len);
    memcpy(to + len + 10, record->data, record->len);
    answer_len += len + 10 + record->len;
    dns_put_be16(message_at(0) + 6, (uint16_t)(dns_be16(message_at(0) + 6) + 1));
    return 0;
}

/* The answer to the question asked is one message with the records of TEXT. */
static void answer_is(const char *text)
{
    const struct text_file files[] = {{"answer", text, 0}, {0}};
    const struct dns_source source = {text_open, text_read, text_close, (void *)(uintptr_t)files};
    const struct dns_sink sink = {.record = append_record, .report = collect};

    primary_answers();
    lie_nothing();
    messages[0] = '\0';
    ck_assert_msg(!dns_zonefile_read(&source, "answer", (const uint8_t *)"\7example\3org", &sink),
                  "%s", messages);
    dns_put_be16(answer_octets, (uint16_t)(answer_len - 2));
}

/* Has the old version fetched, and differences asked for. */
static void ask_for_differences(const char *old, const char *new)
{
    primary_has(old);
    refresh(SIZE_MAX / 2);
    ck_assert_uint_eq(world.loaded, 1);
    world.time = world.all.list->due;
    primary_has(new);
    begin();
    primary_answers();
    deliver(SIZE_MAX / 2);
    ck_assert_uint_eq(asked_type(), TYPE_IXFR);
}

static const struct {
    const char *what, *answer, *becomes;
} differences[] = {
    {"one step", SOA(8) SOA(7) "old A 192.0.2.7\n" SOA(8) "new A 192.0.2.8\nx.y TXT t\n" SOA(8),
     VERSION(8) "new A 192.0.2.8\nx.y TXT t\n"},
    {"nothing but the SOA", SOA(8) SOA(7) SOA(8) SOA(8), VERSION(8) "old A 192.0.2.7\n"},
    {"two steps, the second takes back",
     SOA(9) SOA(7) "old A 192.0.2.7\n" SOA(8) "new A 192.0.2.8\n" SOA(8) "new A 192.0.2.8\n" SOA(
         9) "old A 192.0.2.9\n" SOA(9),
     VERSION(9) "old A 192.0.2.9\n"},
    {"another TTL", SOA(8) SOA(7) "old 5 A 192.0.2.7\n" SOA(8) "OLD 5 A 192.0.2.7\n" SOA(8),
     VERSION(8) "old 5 A 192.0.2.7\n"},
    {"glue and a delegation",
     SOA(8) SOA(7) SOA(8) "sub NS ns.sub\nns.sub A 192.0.2.5\n*.w MX 1 a.w\n" SOA(8),
     VERSION(8) "old A 192.0.2.7\nsub NS ns.sub\nns.sub A 192.0.2.5\n*.w MX 1 a.w\n"},
};

START_TEST(test_differences)
{
    char text[1000];

    ask_for_differences(old_text, differences[_i].becomes);
    snprintf(text, sizeof(text), "$TTL 60\n%s", differences[_i].answer);
    answer_is(text);
    deliver(_i % 2 ? 1 : 1 << 20);
    ck_assert_msg(world.loaded == 2, "%s: %s", differences[_i].what, world.reason);
    ck_assert_uint_eq(world.changed, 1);
    ck_assert_uint_eq(world.all.list->served->size, primary.zone.size);
    ck_assert_mem_eq(world.all.list->image, primary.image, primary.zone.size);
}
END_TEST

/* From an image to records and back nothing is lost, whatever a zone has. */
START_TEST(test_differences_of_all)
{
    static const char *const texts[] = {zone_text, nsec_text, nsec3_text};
    static const char *const soas[] = {"@ SOA ns1 host %u 2 3 4 300\n",
                                       "@ SOA ns1 host %u 2 3 4 300\n",
                                       "@ SOA ns1 bugs.x.w %u 3600 300 3600000 3600\n"};
    char old[8000], new[8100], soa[2][100], answer[1000];
    char *serial;

    secondary_for(_i == 2 ? "example=192.0.2.53" : LIST, "");
    snprintf(old, sizeof(old), "%s", texts[_i]);
    serial = strchr(strstr(old, "SOA"), '\n');
    while (memcmp(serial, " 1 ", 3))
        serial--;
    serial[1] = '2';
    snprintf(new, sizeof(new), "%sadded TXT x\n", old);
    serial[1] = '1';
    for (unsigned i = 0; i < 2; i++)
        snprintf(soa[i], sizeof(soa[i]), soas[_i], i + 1);
    ask_for_differences(old, new);
    snprintf(answer, sizeof(answer), "%s$TTL 3600\n%s%s%sadded TXT x\n%s",
             _i == 2 ? "$ORIGIN example.\n" : "", soa[1], soa[0], soa[1], soa[1]);
    answer_is(answer);
    deliver(SIZE_MAX / 2);
    ck_assert_msg(world.changed == 1, "%s", world.reason);
    ck_assert_int_eq(dns_zone_check(world.all.list->served), 0);
    ck_assert_uint_eq(world.all.list->served->size, primary.zone.size);
    ck_assert_mem_eq(world.all.list->image, primary.image, primary.zone.size);
}
END_TEST

/* Of an image that lacks records of its zone nothing is made by differences: they would stay lost. */
START_TEST(test_differences_of_part)
{
    static const char *const texts[] = {
        VERSION(7) "old A 192.0.2.7\n" SIGNED("old", "MX") SOA(7),
        VERSION(7) HASHED(HASH_A, HASH_A, "NS DS") SOA(7),
        /* Another chain than the one which is named. */
        VERSION(7) "@ NSEC3PARAM 1 0 1 -\n" HASHED(HASH_A, HASH_A, "NS DS") SOA(7),
        VERSION(7) "old A 192.0.2.7\n" SIGNED("old", "A") SOA(7),
    };
    bool part = _i < 3;

    primary_has(VERSION(7));
    begin();
    answer_is(texts[_i]);
    deliver(SIZE_MAX / 2);
    ck_assert_msg(world.loaded == 1, "%s", world.reason);
    world.time += REFRESH;
    primary_has(new_text);
    begin();
    primary_answers();
    deliver(SIZE_MAX / 2);
    ck_assert_uint_eq(asked_type(), part ? TYPE_AXFR : TYPE_IXFR);
    primary_answers();
    deliver(SIZE_MAX / 2);
    assert_new();
    /* The next one is whole. */
    world.time += REFRESH;
    primary_has(VERSION(9));
    begin();
    primary_answers();
    deliver(SIZE_MAX / 2);
    ck_assert_uint_eq(asked_type(), TYPE_IXFR);
}
END_TEST

/* The SOA is a later one, the zone that comes is not: it is not taken, and the next primary is asked. */
START_TEST(test_goes_back)
{
    static const char *const texts[] = {VERSION(7) "new A 192.0.2.8\n",
                                        VERSION(6) "new A 192.0.2.8\n"};

    secondary_for("example.org=192.0.2.53,192.0.2.54:54", "");
    load_old();
    primary_has(new_text);
    begin();
    primary_answers();
    deliver(SIZE_MAX / 2);
    primary_has(texts[_i % 2]);
    for (unsigned whole = 0; whole < 2; whole++) {
        ck_assert_uint_eq(asked_type(), whole ? TYPE_AXFR : TYPE_IXFR);
        primary_answers();
        deliver(_i < 2 ? 1 : SIZE_MAX / 2);
        ck_assert_str_eq(world.reason, "it offers a later version than it gives");
        ck_assert_uint_eq(world.failed, 1 + whole);
        ck_assert(!world.connected);
        primary_has(new_text);
        begin();
        primary_answers();
        deliver(SIZE_MAX / 2);
        primary_has(texts[_i % 2]);
    }
    assert_old();
    ck_assert_uint_eq(world.port, 54);
    primary_has(new_text);
    primary_answers();
    deliver(SIZE_MAX / 2);
    assert_new();
}
END_TEST

static const struct {
    const char *answer, *reason;
} misfits[] = {
    {SOA(8) SOA(7) "none A 192.0.2.7\n" SOA(8) SOA(8),
     "what is to be removed is not there none.example.org."},
    {SOA(8) SOA(7) "old A 192.0.2.8\n" SOA(8) SOA(8),
     "what is to be removed is not there old.example.org."},
    {SOA(8) SOA(7) "old A 192.0.2.7\nold A 192.0.2.7\n" SOA(8) SOA(8),
     "what is to be removed is not there old.example.org."},
    {SOA(8) SOA(7) SOA(8) "old A 192.0.2.7\n" SOA(8),
     "what is to be added is there already old.example.org."},
    {SOA(8) SOA(7) SOA(8) "new A 192.0.2.8\nNEW 5 A 192.0.2.8\n" SOA(8),
     "what is to be added is there already new.example.org."},
    {SOA(8) SOA(6) SOA(8) SOA(8), "differences from another version"},
    {SOA(9) SOA(7) SOA(8) SOA(7) SOA(9) SOA(9), "differences that do not follow each other"},
    {SOA(8) SOA(7) SOA(9) SOA(8), "differences that do not follow each other"},
    {SOA(8) SOA(7) SOA(8) SOA(8) "new A 192.0.2.8\n", "records after the SOA at the end"},
    {SOA(8) SOA(7) "@ NS ns1\n" SOA(8) SOA(8),
     "the zone has no NS record at its apex example.org."},
    {SOA(8) SOA(7) SOA(8) "old CNAME new\n" SOA(8),
     "CNAME and other data at one name old.example.org."},
    {SOA(8) SOA(7) SOA(8), "it is silent"},
    {SOA(8), "it is silent"},
};

/* Differences that do not fit: the old version stays, and the whole zone is asked for at once. */
START_TEST(test_misfits)
{
    char text[1000];

    ask_for_differences(old_text, new_text);
    snprintf(text, sizeof(text), "$TTL 60\n%s", misfits[_i].answer);
    answer_is(text);
    deliver(SIZE_MAX / 2);
    if (world.connected) {
        world.time += SECONDARY_IDLE_SECONDS;
        secondaries_run(&world.all);
    } else {
        begin();
    }
    ck_assert_str_eq(world.reason, misfits[_i].reason);
    assert_old();
    if (!world.query_len)
        secondaries_connected(&world.all);
    primary_answers();
    deliver(SIZE_MAX / 2);
    ck_assert_uint_eq(asked_type(), TYPE_AXFR);
    primary_answers();
    deliver(SIZE_MAX / 2);
    ck_assert_uint_eq(world.changed, 0);
    assert_new();
}
END_TEST

/* The old version's records count as well. */
START_TEST(test_limit_of_differences)
{
    load_old();
    primary_has(new_text);
    begin();
    primary_answers();
    secondaries_limit(&world.all, 200);
    deliver(SIZE_MAX / 2);
    answer_is("$TTL 60\n" SOA(8) SOA(7) "old A 192.0.2.7\n" SOA(8) "new A 192.0.2.8\n" SOA(8));
    deliver(SIZE_MAX / 2);
    ck_assert_str_eq(world.reason, too_much);
    ck_assert_uint_eq(world.failed, 1);
    assert_old();
    secondaries_limit(&world.all, 1000);
    refresh(SIZE_MAX / 2);
    assert_new();
}
END_TEST

/* The zone expires while differences from it are under way. */
START_TEST(test_expires_meanwhile)
{
    load_old();
    primary_has(new_text);
    world.time += EXPIRE - REFRESH - 1;
    begin();
    primary_answers();
    deliver(SIZE_MAX / 2);
    answer_is("$TTL 60\n" SOA(8) SOA(7) SOA(8) "new A 192.0.2.8\n");
    deliver(SIZE_MAX / 2);
    ck_assert(world.connected);
    world.time++;
    ck_assert_uint_eq(secondaries_run(&world.all), 0);
    ck_assert_uint_eq(world.expired, 1);
    ck_assert(!world.connected);
    refresh(SIZE_MAX / 2);
    assert_new();
}
END_TEST

/* --- while a zone is made -------------------------------------------------------------------------- */

static struct {
    unsigned pauses;
    uint32_t records; /* that the builder had at the last one */
} making;

/* The old version is there, whatever happens: and old records are taken a few at a time. */
static void happen_meanwhile(void)
{
    struct dns_builder *b = world.all.fetch.builder; /* NULL: it has been made, and is compared */
    uint32_t records = b ? dns_builder_count(b) : 0;

    ck_assert(records < making.records || records - making.records <= 256);
    making.records = records;
    assert_old();
    switch (making.pauses++) {
    case 0:
        ck_assert_uint_eq(notify("example.org.", TYPE_SOA, 53, false), DNS_NOERROR);
        break;
    case 1:
        world.time += SECONDARY_TOTAL_SECONDS;
        break;
    case 2: /* to be told of that again is not worth an end */
        world.connected = false;
        secondaries_disconnected(&world.all, "it has closed the connection");
        break;
    case 3: /* nor has the zone expired: it is just about to be there */
        world.time += EXPIRE;
        break;
    }
    ck_assert_uint_gt(secondaries_run(&world.all), 0);
    ck_assert_ptr_nonnull(world.all.active);
}

/* Queries see the version before, notices are taken, time passes and connections end. */
START_TEST(test_while_made)
{
    enum { NAMES = 5000 };
    size_t room = NAMES * 30 + 1000, used;
    char *text = malloc(room);

    used = (size_t)sprintf(text, "%s", old_text);
    for (unsigned i = 0; i < NAMES; i++)
        used += (size_t)snprintf(text + used, room - used, "n%u A 192.0.2.1\n", i);
    if (_i) {
        ask_for_differences(text, new_text);
        answer_is("$TTL 60\n" SOA(8) SOA(7) "old A 192.0.2.7\n" SOA(8) "new A 192.0.2.8\n" SOA(8));
    } else {
        load_old();
        memcpy(strstr(text, "old A"), "new", 3);
        strstr(text, " 7 3600")[1] = '8';
        primary_has(text);
        begin();
        primary_answers();
        deliver(SIZE_MAX / 2);
        primary_answers();
    }
    making = (typeof(making)){.records = _i ? 0 : NAMES + 10};
    world.during = happen_meanwhile;
    deliver(SIZE_MAX / 2);
    ck_assert_msg(world.loaded == 2, "%s", world.reason);
    ck_assert_uint_gt(making.pauses, 4 * NAMES / 256);
    ck_assert_uint_eq(world.failed + world.expired, 0);
    assert_new();
    ck_assert_uint_eq(secondaries_run(&world.all), 1); /* for the NOTIFY */
    free(text);
}
END_TEST

/* --- digests ------------------------------------------------------------------------------------- */

/* RFC 8976 appendix A.1 */
#define DIGESTED                                                                                   \
    "$ORIGIN example.\n$TTL 86400\n@ SOA ns1 admin 2018031900 1800 900 604800 86400\n"             \
    "@ NS ns1\n@ NS ns2\nns1 3600 A 203.0.113.63\nns2 3600 AAAA 2001:db8::63\n"
#define SHA384_DIGEST                                                                              \
    "c68090d90a7aed716bc459f9340e3d7c1370d4d24b7e2fc3a1ddc0b9a87153b9"                             \
    "a9713b3c9ae5cc27777f98b8e730044c\n"
#define SHA512_DIGEST                                                                              \
    "500d47a50c572d7f9501a01a5fa1fc2b64b1e9a58198784a6d9b0ab95fbba8a1"                             \
    "dc9c7836c9ac4960a5625a7a67e3abe963a4d870cb97e3e67fb0a130463b33f1\n"
#define OTHER_DIGEST                                                                               \
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000" \
    "0000\n"

static const struct {
    const char *text;
    const char *wrong; /* NULL: nothing is */
    unsigned line;     /* where */
} digests[] = {
    {DIGESTED, NULL, 0},
    {DIGESTED "@ ZONEMD 2018031900 1 1 " SHA384_DIGEST, NULL, 0},
    {DIGESTED "@ ZONEMD 2018031900 1 2 " SHA512_DIGEST, NULL, 0},
    {DIGESTED "@ ZONEMD 2018031900 1 1 " OTHER_DIGEST "@ ZONEMD 2018031900 1 2 " SHA512_DIGEST,
     NULL, 0},
    /* Of no kind that we know, and of no zone. */
    {DIGESTED "@ ZONEMD 2018031900 1 240 " OTHER_DIGEST "@ ZONEMD 2018031900 2 1 " OTHER_DIGEST,
     NULL, 0},
    {DIGESTED "@ ZONEMD 2018031900 1 1 " OTHER_DIGEST, "that of the records is another", 8},
    {DIGESTED "@ ZONEMD 2018031901 1 1 " SHA384_DIGEST, "its serial is not that of the SOA", 8},
    {DIGESTED "@ ZONEMD 2018031900 1 1 00\n", "its length is not that of its hash", 8},
    {DIGESTED "@ ZONEMD 2018031900 1 1 " SHA384_DIGEST "@ ZONEMD 2018031900 1 1 " OTHER_DIGEST,
     "there are two of its kind", 9},
    {DIGESTED "@ ZONEMD 2018031900 1 1 " SHA384_DIGEST "x A 192.0.2.1\n",
     "that of the records is another", 8},
    {DIGESTED "@ ZONEMD 2018031901 1 2 " SHA512_DIGEST, "its serial is not that of the SOA", 8},
};

START_TEST(test_digests)
{
    char reason[FETCH_REASON_MAX];

    secondary_for("example=192.0.2.53", "");
    primary_has(digests[_i].text);
    refresh(SIZE_MAX / 2);
    ck_assert_uint_eq(world.loaded, !digests[_i].wrong);
    if (digests[_i].wrong) {
        snprintf(reason, sizeof(reason), "the zone's digest (ZONEMD) is wrong: %s example.",
                 digests[_i].wrong);
        ck_assert_str_eq(world.reason, reason);
    }
}
END_TEST

/* The same of a file, where it has a line. */
START_TEST(test_digests_of_files)
{
    const struct text_file files[] = {{"z", digests[_i].text, 0}, {0}};
    const struct dns_source source = {text_open, text_read, text_close, (void *)files};
    const struct dns_sink sink = {.report = collect};
    char message[200] = "";
    uint8_t *image = NULL;
    size_t size;
    int err;

    messages[0] = '\0';
    err = dns_zone_compile(&source, "z", (const uint8_t *)"", true, &sink, &image, &size);
    free(image);
    ck_assert_int_eq(err, digests[_i].wrong ? -EINVAL : 0);
    if (digests[_i].wrong)
        snprintf(message, sizeof(message), "z:%u: the zone's digest (ZONEMD) is wrong: %s\n",
                 digests[_i].line, digests[_i].wrong);
    ck_assert_str_eq(messages, message);
}
END_TEST

/* --- large sets ---------------------------------------------------------------------------------- */

/* Comparisons of digests are not counted: there are so many that each with each would not end. */
enum { MANY = 20000, MANY_DIGESTS = 100000, LARGE_SET = 4000, SORTING = 2 * 15 };

static unsigned pauses, comparisons;

int __real_dns_rdata_compare(unsigned type, const uint8_t *a, const uint8_t *b, size_t len);

/* In the place of dns_rdata_compare(): counts the calls. */
int __wrap_dns_rdata_compare(unsigned type, const uint8_t *a, const uint8_t *b, size_t len)
{
    comparisons++;
    return __real_dns_rdata_compare(type, a, b, len);
}

/* Names compared and looked up: since the last pause, and the most between two. */
static struct work {
    unsigned compared, found;
} work, most;

bool __real_dns_name_equal(const uint8_t *a, const uint8_t *b);
void __real_dns_zone_match(const struct dns_zone *zone, const struct dns_key *key,
                           struct dns_match *match);

bool __wrap_dns_name_equal(const uint8_t *a, const uint8_t *b)
{
    work.compared++;
    return __real_dns_name_equal(a, b);
}

void __wrap_dns_zone_match(const struct dns_zone *zone, const struct dns_key *key,
                           struct dns_match *match)
{
    work.found++;
    __real_dns_zone_match(zone, key, match);
}

static void count_pause(void *ctx)
{
    pauses++;
    most.compared = MAX(most.compared, work.compared);
    most.found = MAX(most.found, work.found);
    work = (struct work){0};
}

static void add_to(struct dns_builder *b, const char *label, unsigned type, const void *data,
                   unsigned len, bool remove)
{
    uint8_t owner[DNS_NAME_MAX + 1];
    const struct dns_record record = {.owner = owner,
                                      .data = data,
                                      .ttl = 60,
                                      .type = (uint16_t)type,
                                      .len = (uint16_t)len,
                                      .remove = remove};

    ck_assert_ptr_null(dns_name_parse(label, (const uint8_t *)"\7example\3org", owner));
    ck_assert_int_eq(dns_builder_add(b, &record, &(struct dns_place){.file = ""}), 0);
}

/* The NUMBER-th of many different records. */
static void add_numbered(struct dns_builder *b, unsigned type, uint32_t number, bool remove)
{
    uint8_t digest[6 + 48] = {0, 0, 0, 0, 1, 1};
    uint8_t *data = type == TYPE_ZONEMD ? digest : digest + 6;

    dns_put_be32(digest + 6, number);
    add_to(b, type == TYPE_ZONEMD ? "@" : "old", type, data, type == TYPE_ZONEMD ? 54 : 4, remove);
}

/* Many records in one set cost no more than as many names would: the work grows as sorting does, with pauses. */
START_TEST(test_many_in_one_set)
{
    static const uint8_t soa[22];
    const struct dns_sink sink = {.report = collect, .pause = count_pause};
    struct dns_builder *b = dns_builder_new(&sink);
    uint32_t many = _i == 2 ? MANY_DIGESTS : MANY;
    struct dns_zone zone;
    uint8_t *image = NULL;
    size_t size;
    int err;

    messages[0] = '\0';
    dns_builder_verify(b);
    add_to(b, "@", TYPE_SOA, soa, sizeof(soa), false);
    add_to(b, "@", TYPE_NS, "\2ns", 4, false);
    for (uint32_t i = 0; i < many; i++)
        add_numbered(b, _i == 2 ? TYPE_ZONEMD : TYPE_A, _i == 1 ? MIN(i, LARGE_SET) : i, false);
    for (uint32_t i = many; i-- && _i == 0;)
        add_numbered(b, TYPE_A, i, true);
    pauses = comparisons = 0;
    err = dns_builder_finish(b, &image, &size);
    ck_assert_int_eq(err, _i == 2 ? -EINVAL : 0);
    ck_assert_uint_gt(pauses, many / 256);
    ck_assert_uint_le(comparisons, many * SORTING);
    if (err) {
        ck_assert_ptr_nonnull(strstr(messages, "the zone's digest (ZONEMD) is wrong"));
    } else {
        ck_assert_int_gt(dns_zone_open(&zone, image, size), 0);
        ck_assert_uint_eq(dns_zone_records(&zone), _i == 0 ? 2 : 2 + LARGE_SET + 1);
    }
    free(image);
    dns_builder_free(b);
}
END_TEST

/* A name in wire form of so many labels of one letter, which are random but for the last ones. */
static unsigned put_letters(uint8_t *name, unsigned labels, unsigned same)
{
    unsigned len = 0;

    for (; labels; labels--) {
        name[len++] = 1;
        name[len++] = labels > same ? (uint8_t)('a' + random_number() % 26) : 'z';
    }
    name[len] = 0;
    return len + 1;
}

static const struct {
    unsigned type, records, labels, same, owner;
} long_names[] = {
    {TYPE_PTR, 230, 126, 0, 121},   /* nothing to point to */
    {TYPE_PTR, 230, 126, 121, 121}, /* each points to the one before */
    {TYPE_PTR, 230, 126, 1, 0},
    {TYPE_MX, 2000, 2, 0, 0}, /* in the zone: an address is looked for */
};

/* Between two pauses are so many steps, in each of which one name at most is compared or looked up, whatever names a
 * set has: so long do queries wait. */
START_TEST(test_work_between_pauses)
{
    static const uint8_t soa[22], apex[] = "\7example\3org";
    const struct dns_sink sink = {.report = collect, .pause = count_pause};
    struct dns_builder *b = dns_builder_new(&sink);
    uint8_t owner[2 * DNS_NAME_MAX], data[2 * DNS_NAME_MAX] = {0, 1};
    unsigned prefix = long_names[_i].type == TYPE_MX ? 2 : 0, labels = long_names[_i].labels, len;
    char text[DNS_TEXT_MAX + 1];
    uint8_t *image = NULL;
    size_t size;

    random_state = 1;
    add_to(b, "@", TYPE_SOA, soa, sizeof(soa), false);
    add_to(b, "@", TYPE_NS, "\2ns", 4, false);
    len = put_letters(owner, long_names[_i].owner, long_names[_i].owner);
    memcpy(owner + len - 1, apex, sizeof(apex));
    dns_name_text(owner, text);
    for (unsigned i = 0; i < long_names[_i].records; i++) {
        len = prefix + put_letters(data + prefix, labels, long_names[_i].same);
        if (prefix) { /* numbered, as there are more than two letters make, and below the apex */
            data[prefix] = 4;
            dns_put_be32(data + prefix + 1,
                         0x61616161 + (i & 15) + ((i >> 4 & 15) << 8) + (i >> 8 << 16));
            memcpy(data + prefix + 5, apex, sizeof(apex));
            len = prefix + 5 + sizeof(apex);
        }
        add_to(b, text, long_names[_i].type, data, len, false);
    }
    pauses = 0;
    work = most = (struct work){0};
    ck_assert_int_eq(dns_builder_finish(b, &image, &size), 0);
    count_pause(NULL);
    ck_assert_uint_le(most.compared, 256);
    ck_assert_uint_le(most.found, 256);
    free(image);
    dns_builder_free(b);
}
END_TEST

/* Names chosen so that all want to be in one half of the table of names, where look-ups would then take long: no zone
 * is made of them. One is made of as many that nobody has chosen. */
START_TEST(test_crowded_names)
{
    enum { CHOSEN = 5000 };
    static const uint8_t soa[22];
    const struct dns_sink sink = {.report = collect};
    struct dns_builder *b = dns_builder_new(&sink);
    uint32_t limit = _i ? UINT32_MAX / 2 : UINT32_MAX;
    uint8_t name[DNS_NAME_MAX + 1], *image = NULL;
    unsigned found = 0;
    char text[32];
    size_t size;
    int err;

    messages[0] = '\0';
    add_to(b, "@", TYPE_SOA, soa, sizeof(soa), false);
    add_to(b, "@", TYPE_NS, "\2ns", 4, false);
    for (unsigned i = 0; found < CHOSEN; i++) {
        snprintf(text, sizeof(text), "n%u.example.org.", i);
        ck_assert_ptr_null(dns_name_parse(text, NULL, name));
        if (dns_hash(name, name[0] + 1) > limit)
            continue;
        add_to(b, text, TYPE_A, "addr", 4, false);
        found++;
    }
    err = dns_builder_finish(b, &image, &size);
    ck_assert_int_eq(err, _i ? -EINVAL : 0);
    ck_assert(!_i || strstr(messages, "names are chosen so that looking them up takes long"));
    free(image);
    dns_builder_free(b);
}
END_TEST

/*
 * Memory is short at each place in turn, from there on or there only: the older version stays, and nothing of the new one
 * is left; but one can do without some blocks.
 */
START_TEST(test_memory)
{
    static const char *const zones[][3] = {
        {LIST, old_text, new_text},
        {"example=192.0.2.53", "$ORIGIN example.\n" VERSION(0), nsec3_text},
        {LIST, old_text, VERSION(8) "new A 192.0.2.8\n"},
        {"example=192.0.2.53", "$ORIGIN example.\n" VERSION(2018031899),
         DIGESTED "@ ZONEMD 2018031900 1 1 " SHA384_DIGEST},
    };
    static const char steps[] =
        "$TTL 60\n" SOA(8) SOA(7) "old A 192.0.2.7\n" SOA(8) "new A 192.0.2.8\n" SOA(8);
    unsigned which = (unsigned)_i % 4;
    const char *const *zone = zones[which];
    bool taken, reached = true;

    memory_comes_back = _i >= 4;
    for (long blocks = 1; reached; blocks++) {
        secondary_for(zone[0], "");
        primary_has(zone[1]);
        refresh(SIZE_MAX / 2);
        primary_has(zone[2]);
        world.time += REFRESH;
        memory_left = blocks;
        (void)secondaries_run(&world.all);
        if (world.connected)
            secondaries_connected(&world.all);
        while (world.query_len && world.connected) {
            long left = memory_left;

            memory_left = -1;
            if (which == 2 && asked_type() == TYPE_IXFR)
                answer_is(steps);
            else
                primary_answers();
            memory_left = left;
            deliver(SIZE_MAX / 2);
        }
        reached = memory_left < 1;
        memory_left = -1;
        taken = world.loaded == 2;
        if (!taken)
            ck_assert_str_eq(world.reason, "memory is short");
        ck_assert_uint_eq(world.changed, taken && which == 2);
        ck_assert_uint_eq(world.failed, !taken);
        ck_assert_int_eq(dns_zone_check(world.all.list->served), 0);
        ck_assert_uint_eq(dns_zone_serial(world.all.list->served),
                          dns_zone_serial(&primary.zone) - !taken);
        ck_assert_uint_lt(blocks, 1000);
        ck_assert(taken || reached);
    }
}
END_TEST

/* The builder can go on where memory was short once: no record is lost, and none lies where there is no room. */
START_TEST(test_builder_goes_on)
{
    static const struct dns_place place = {.file = "z"};
    static const uint8_t soa[22], apex[] = "\7example\3org";
    const struct dns_sink sink = {.report = collect};
    uint8_t data[200] = {199}, *image = NULL, *whole = NULL;
    struct dns_record record = {.owner = apex, .data = data, .type = TYPE_TXT, .len = sizeof(data)};
    size_t size, whole_size = 0;
    bool failed = true;

    memory_comes_back = 1;
    for (long blocks = 0; failed; blocks++) {
        struct dns_builder *b = dns_builder_new(&sink);

        add_to(b, "@", TYPE_SOA, soa, sizeof(soa), false);
        add_to(b, "@", TYPE_NS, "\2ns", 4, false);
        memory_left = blocks ? blocks : -1;
        for (unsigned i = 0; i < 200; i++) {
            int err;

            dns_put_be16(data + 1, i);
            err = dns_builder_add(b, &record, &place);
            ck_assert(!err || err == -ENOMEM);
            if (err)
                ck_assert_int_eq(dns_builder_add(b, &record, &place), 0);
        }
        failed = memory_left < 0;
        memory_left = -1;
        ck_assert_int_eq(dns_builder_finish(b, &image, &size), 0);
        dns_builder_free(b);
        if (!whole) {
            whole = image;
            whole_size = size;
            continue;
        }
        ck_assert_uint_eq(size, whole_size);
        ck_assert_mem_eq(image, whole, size);
        free(image);
        ck_assert_int_lt(blocks, 100);
    }
    free(whole);
}
END_TEST

/* --- signatures ---------------------------------------------------------------------------------- */

static void lie_mac(void)
{
    answer_octets[answer_len - 7] ^= 1;
}

static void lie_signed_octets(void)
{
    first_record()[8] ^= 1;
}

static void lie_unsigned(void)
{
    answer_len = (size_t)(last_record() - answer_octets);
    dns_put_be16(answer_octets, (uint16_t)(answer_len - 2));
    message_at(0)[11] = 0;
}

static void lie_key(void)
{
    last_record()[1] ^= 1;
}

static void lie_algorithm(void)
{
    record_fields(last_record())[11] ^= 1;
}

static void lie_mac_length(void)
{
    uint8_t *fields = record_fields(last_record());

    dns_put_be16(fields + 10 + 13 + 8, 33);
}

static void lie_time(void)
{
    world.time += 301;
}

static const struct {
    void (*tell)(void);
    const char *reason;
} forgeries[] = {
    {lie_mac, "wrong signature"},
    {lie_signed_octets, "wrong signature"},
    {lie_unsigned, "the answer is not signed"},
    {lie_key, "the answer is signed by another key"},
    {lie_algorithm, "the answer is signed by another key"},
    {lie_mac_length, "malformed signature"},
    {lie_time, "the signature is too old"},
};

START_TEST(test_forgeries)
{
    secondary_for(LIST "@key.example", KEY);
    load_old();
    primary_has(new_text);
    begin();
    if (_i % 2) { /* of the zone, not of its SOA */
        primary_answers();
        deliver(SIZE_MAX / 2);
    }
    primary_answers();
    forgeries[_i / 2].tell();
    deliver(SIZE_MAX / 2);
    ck_assert_str_eq(world.reason, forgeries[_i / 2].reason);
    assert_old();
}
END_TEST

/* The primary takes no signature of ours: another secret, no such key, another time. */
START_TEST(test_not_taken)
{
    static const char *const reasons[] = {"it does not take the signature (BADSIG)",
                                          "it does not know the key (BADKEY)",
                                          "its clock is another than ours (BADTIME)"};

    secondary_for(LIST "@key.example", KEY);
    primary_has(new_text);
    begin();
    if (_i == 0)
        primary.access.key[0].secret[0] ^= 1;
    else if (_i == 1)
        primary.access.key[0].name[1] ^= 1;
    else
        world.time += 1000;
    primary_answers();
    deliver(SIZE_MAX / 2);
    ck_assert_str_eq(world.reason, reasons[_i]);
}
END_TEST

/* Any octet changed, in a signed answer: never is something else served. */
START_TEST(test_any_octet)
{
    secondary_for(LIST "@key.example", KEY);
    load_old();
    primary_has(new_text);
    begin();
    primary_answers();
    deliver(SIZE_MAX / 2);
    primary_answers();
    for (size_t i = 2; i < answer_len; i++) {
        struct fetch before = world.all.fetch;

        answer_octets[i] ^= 1;
        world.all.fetch.builder = dns_builder_new(&(struct dns_sink){.report = collect});
        /* The identifier that was signed is the record's own; a TSIG record has one TTL, and case is free. */
        if (fetch_take(&world.all.fetch, answer_octets + 2, answer_len - 2, world.time) ==
            FETCH_DONE)
            ck_abort_msg("octet %zu may be changed", i);
        dns_builder_free(world.all.fetch.builder);
        world.all.fetch = before;
        answer_octets[i] ^= 1;
    }
    deliver(SIZE_MAX / 2);
    assert_new();
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("secondary");
    Suite *s = suite_create("dns_secondary");
    SRunner *r = srunner_create(s);
    int failed;

    suite_add_tcase(s, t);
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, prepare, finish);
    tcase_add_loop_test(t, test_arrives, 0, 40);
    tcase_add_test(t, test_many_messages);
    tcase_add_test(t, test_refresh);
    tcase_add_test(t, test_expires);
    tcase_add_loop_test(t, test_notify, 0, 2);
    tcase_add_test(t, test_primaries);
    tcase_add_test(t, test_sender_first);
    tcase_add_test(t, test_sender_by_key);
    tcase_add_test(t, test_network_comes_late);
    tcase_add_test(t, test_in_image);
    tcase_add_test(t, test_version_changes);
    tcase_add_loop_test(t, test_lists, 0, ARRAY_SIZE(lists));
    tcase_add_loop_test(t, test_lies, 0, ARRAY_SIZE(lies));
    tcase_add_test(t, test_lies_about_soa);
    tcase_add_loop_test(t, test_more_behind_the_soa, 0, 2);
    tcase_add_test(t, test_connections);
    tcase_add_test(t, test_pace);
    tcase_add_loop_test(t, test_limit, 0, 2);
    tcase_add_loop_test(t, test_differences, 0, ARRAY_SIZE(differences));
    tcase_add_loop_test(t, test_differences_of_all, 0, 3);
    tcase_add_loop_test(t, test_differences_of_part, 0, 4);
    tcase_add_loop_test(t, test_goes_back, 0, 4);
    tcase_add_loop_test(t, test_misfits, 0, ARRAY_SIZE(misfits));
    tcase_add_test(t, test_limit_of_differences);
    tcase_add_test(t, test_expires_meanwhile);
    tcase_add_loop_test(t, test_while_made, 0, 2);
    tcase_add_loop_test(t, test_digests, 0, ARRAY_SIZE(digests));
    tcase_add_loop_test(t, test_digests_of_files, 0, ARRAY_SIZE(digests));
    tcase_add_loop_test(t, test_work_between_pauses, 0, ARRAY_SIZE(long_names));
    tcase_add_loop_test(t, test_crowded_names, 0, 2);
    tcase_add_loop_test(t, test_many_in_one_set, 0, 3);
    tcase_add_loop_test(t, test_memory, 0, 8);
    tcase_add_test(t, test_builder_goes_on);
    tcase_add_loop_test(t, test_forgeries, 0, 2 * ARRAY_SIZE(forgeries));
    tcase_add_loop_test(t, test_not_taken, 0, 3);
    tcase_add_test(t, test_any_octet);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
