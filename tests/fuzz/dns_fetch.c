/* SPDX-License-Identifier: ISC */
/*
 * Fuzz target: zones fetched from other servers (lib/dns/secondary.c, fetch.c) of which the input says what
 * they send, in pieces, and when they end. lib/dns itself answers as the primary; the input changes octets
 * of that, cuts it off, puts in others, or sends messages of its own. Time passes, connections fail,
 * versions change, whole or by differences, NOTIFY comes, memory is not enough.
 *
 * What is served passes the check of images at every moment. What was signed, or not touched on its way, is
 * what the primary has; and when the primary is honest in the end, its version is served. Nothing leaks.
 */
#include <check.h>
#include <errno.h>
#include <stddef.h>

#include "tests/fuzz/dns_zone.h"
#include "tests/fuzz/fuzz.h"

#include "lib/dns/history.h"
#include "lib/dns/image.h"
#include "lib/dns/lookup.h"
#include "lib/dns/secondary.h"
#include "tests/unit/parse_address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define VERSIONS 3
#define STREAM_MAX (1u << 18)
#define LENGTH 2u /* of a message, in front of it */
#define PATIENCE_MAX 64

static struct fuzz_served
    versions[VERSIONS]; /* what the primary may have; the serial is the index + 1 */
static struct fuzz_tally truth[VERSIONS];
static struct dns_access keys;

/* The secondary's world. */
static struct {
    struct secondaries all;
    struct dns_db db;
    struct dns_zone *buckets[4];
    uint32_t time;
    size_t memory;
    unsigned version;
    bool no_way, connected, build, loaded;
    bool fresh;     /* connecting has not ended */
    bool is_signed; /* by both sides */
    bool changed;   /* what comes over this connection */
    bool deceived;  /* a zone was made of what was changed */
    uint8_t query[LENGTH + FETCH_QUERY_MAX];
    size_t query_len;
    /* What the primary has sent, with the messages' lengths, and how much of it has come. */
    uint8_t stream[STREAM_MAX];
    size_t sent, come;
} world;

/* --- what the secondary is given -------------------------------------------------------------- */

static int connect_to(const struct dns_peer *peer)
{
    ck_assert(!world.connected);
    if (world.no_way)
        return -ENETDOWN;
    world.connected = world.fresh = true;
    world.changed = false;
    world.sent = world.come = 0;
    return 0;
}

static int send_octets(const uint8_t *octets, size_t len)
{
    ck_assert(world.connected);
    ck_assert_uint_le(len, sizeof(world.query));
    ck_assert_uint_eq(len, LENGTH + dns_be16(octets));
    memcpy(world.query, octets, len);
    world.query_len = len;
    return 0;
}

static void disconnect(void)
{
    ck_assert(world.connected);
    world.connected = false;
}

static void build_soon(void)
{
    ck_assert(!world.build);
    world.build = true;
}

/* While a zone is made the one before is served, and the rest goes on. */
static void pause_build(void)
{
    const struct dns_zone *served = world.all.list->served;

    (void)secondaries_run(&world.all);
    ck_assert_ptr_eq(world.all.list->served, served);
    ck_assert(!served->image || !dns_zone_check(served));
}

static void wake(void)
{
}

static void tell(const struct secondary *s, enum secondary_event event, const struct dns_peer *peer,
                 const char *reason)
{
    ck_assert((event == SECONDARY_FAILED) ==
              (reason && *reason && strlen(reason) < FETCH_REASON_MAX));
    world.loaded |= event == SECONDARY_LOADED || event == SECONDARY_CHANGED;
}

static size_t free_memory(void)
{
    return world.memory;
}

static uint32_t world_time(void)
{
    return world.time;
}

static uint32_t some_number(void)
{
    return 0x12345678;
}

static const struct secondary_ops ops = {
    .connect = connect_to,
    .send = send_octets,
    .disconnect = disconnect,
    .build = build_soon,
    .pause = pause_build,
    .wake = wake,
    .memory = free_memory,
    .tell = tell,
    .monotonic = world_time,
    .wall = world_time,
    .random = some_number,
};

/* --- the primary -------------------------------------------------------------------------------- */

/* Answers what was asked last. */
static void answer(void)
{
    struct dns_transfer place = {0};
    const struct dns_client asker = {.address_len = 4, .now = world.time, .transfer = &place};

    while (world.query_len && STREAM_MAX - world.sent >= LENGTH + DNS_TCP_MAX) {
        uint8_t *out = world.stream + world.sent;
        size_t n = fuzz_answer(&versions[world.version].db, &asker, world.query + LENGTH,
                               world.query_len - LENGTH, out + LENGTH, DNS_TCP_MAX, DNS_TCP);

        ck_assert_uint_gt(n, 0);
        dns_put_be16(out, (uint16_t)n);
        world.sent += LENGTH + n;
        if (!place.more)
            world.query_len = 0;
    }
}

/* A message with the right header and question, and the input's octets as records. */
static void answer_anything(void)
{
    uint8_t *out = world.stream + world.sent;
    size_t question =
        world.query_len < 14 ? 0 : dns_name_length(world.query + 14, DNS_NAME_MAX) + 4;
    const uint8_t *octets;
    size_t n = fuzz_bytes(&octets, fuzz_u8()), len = 12 + question + n;

    if (STREAM_MAX - world.sent < 1024)
        return;
    memset(out + LENGTH, 0, 12);
    memcpy(out + LENGTH, world.query + LENGTH, 2);
    out[LENGTH + 2] = fuzz_u8() & 1 ? fuzz_u8() : 0x84;
    out[LENGTH + 3] = fuzz_u8() & 1 ? fuzz_u8() : 0;
    out[LENGTH + 5] = question != 0;
    out[LENGTH + 7] = fuzz_u8();
    memcpy(out + LENGTH + 12, world.query + 14, question);
    memcpy(out + LENGTH + 12 + question, octets, n);
    dns_put_be16(out, (uint16_t)len);
    world.sent += LENGTH + len;
    world.changed = true;
    if (fuzz_u8() & 1)
        world.query_len = 0;
}

/* Of the messages that have not begun to come one loses its last record, which may be its signature. */
static void strip(void)
{
    size_t at = 0, len, end;
    unsigned skip = fuzz_below(3);

    if (world.changed)
        return; /* they might be malformed */
    while (at < world.sent && (at < world.come || skip--))
        at += LENGTH + dns_be16(world.stream + at);
    if (at >= world.sent)
        return;
    len = dns_be16(world.stream + at);
    end = at + LENGTH + len;
    len = fuzz_last_record(world.stream + at + LENGTH, len);
    if (!dns_be16(world.stream + at + LENGTH + 10))
        return;
    world.stream[at + LENGTH + 11]--;
    dns_put_be16(world.stream + at, (uint16_t)len);
    memmove(world.stream + at + LENGTH + len, world.stream + end, world.sent - end);
    world.sent -= end - (at + LENGTH + len);
    world.changed = true;
}

/* What has not come yet is changed. */
static void change(void)
{
    size_t left = world.sent - world.come, at, n;
    const uint8_t *octets;

    if (!left)
        return;
    at = world.come + (fuzz_u32() & 0xffffff) % left;
    world.changed = true;
    switch (fuzz_below(4)) {
    case 0: /* one octet */
        world.stream[at] ^= fuzz_u8();
        break;
    case 1:
        world.sent = at;
        break;
    case 2: /* octets of the input over those that were there */
        n = fuzz_bytes(&octets, fuzz_u8());
        memcpy(world.stream + at, octets, MIN(n, world.sent - at));
        break;
    default: /* some are left out */
        n = 1 + fuzz_u8();
        n = MIN(n, world.sent - at);
        memmove(world.stream + at, world.stream + at + n, world.sent - at - n);
        world.sent -= n;
    }
}

/* --- the secondary's side -------------------------------------------------------------------------- */

/* What is served is well-formed; and, unless somebody could deceive us, what a primary has. */
static void check_served(void)
{
    const struct dns_zone *zone = world.all.list->served;
    struct fuzz_tally tally;
    bool known = false;

    if (!zone->image)
        return;
    ck_assert_int_eq(dns_zone_check(zone), 0);
    if (!world.loaded)
        return;
    world.loaded = false;
    world.deceived |= world.changed && !world.is_signed;
    fuzz_take_zone(&world.db, zone, &tally);
    for (unsigned i = 0; i < VERSIONS; i++)
        known |= tally.sum == truth[i].sum && tally.records == truth[i].records;
    ck_assert_msg(known || world.deceived, "a zone is served that no primary has");
}

static void build(void)
{
    if (!world.build)
        return;
    world.build = false;
    secondaries_build(&world.all);
    check_served();
}

static void receive(void)
{
    uint8_t how = fuzz_u8();
    size_t piece = how & 1 ? 1u + fuzz_u8() : STREAM_MAX, max = how & 2 ? fuzz_u16() : STREAM_MAX;

    while (max && world.connected && world.come < world.sent) {
        size_t left = world.sent - world.come, n = MIN(piece, MIN(max, left));
        uint8_t *exact;

        exact = malloc(n);
        memcpy(exact, world.stream + world.come, n);
        world.come += n;
        max -= n;
        secondaries_received(&world.all, exact, n);
        free(exact);
    }
}

static void run(void)
{
    (void)secondaries_run(&world.all);
    if (world.connected && world.fresh) {
        world.fresh = false;
        secondaries_connected(&world.all);
    }
}

static void lose_connection(void)
{
    if (!world.connected)
        return;
    world.connected = false;
    secondaries_disconnected(&world.all, "the connection is lost");
}

static void notify(void)
{
    static const uint8_t message[] = "\0\1\40\0\0\1\0\0\0\0\0\0\7example\0\0\6\0\1";
    const struct dns_client from = {
        .address = {0, 0, 0, fuzz_u8()}, .address_len = 4, .now = world.time};
    uint8_t out[DNS_UDP_MIN];

    (void)fuzz_answer(&world.db, &from, message, sizeof(message) - 1, out, sizeof(out), 0);
}

static void step(void)
{
    switch (fuzz_below(13)) {
    case 0:
    case 1:
        world.time += fuzz_u8() * (uint32_t)fuzz_u8();
        run();
        break;
    case 2:
    case 3:
        answer();
        break;
    case 4:
        answer_anything();
        break;
    case 5:
        change();
        break;
    case 6:
        strip();
        if (fuzz_u8() & 1)
            change();
        break;
    case 7:
    case 8:
        receive();
        break;
    case 9:
        build();
        break;
    case 10:
        if (fuzz_u8() & 1)
            lose_connection();
        else
            world.no_way = fuzz_u8() & 1;
        break;
    case 11:
        world.version = fuzz_below(VERSIONS);
        break;
    default:
        notify();
    }
}

/* An honest primary with this version or a later one: it comes to be served. */
static void recover_to(uint32_t serial)
{
    const struct secondary *s = world.all.list;

    world.version = serial - 1;
    for (unsigned i = 0; i < PATIENCE_MAX; i++) {
        if (s->served->image && dns_zone_serial(s->served) >= serial)
            break;
        world.time += 60;
        run();
        while (world.connected && world.query_len) {
            answer();
            receive();
            build();
        }
    }
    ck_assert_msg(world.deceived || (s->served->image && dns_zone_serial(s->served) >= serial),
                  "the primary's version does not come to be served");
}

/* The last step is by differences. */
static void recover(void)
{
    build();
    lose_connection();
    world.no_way = false;
    world.memory = SIZE_MAX;
    recover_to(VERSIONS - 1);
    recover_to(VERSIONS);
}

static void end(void)
{
    while (world.all.list) {
        struct secondary *s = world.all.list;

        world.all.list = s->next;
        history_forget(s->served);
        free(s->image);
        free(s);
    }
    if (world.all.active) {
        fetch_end(&world.all.fetch);
        free(world.all.message);
    }
}

static void prepare(void)
{
#define TEN "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
#define VERSION(serial)                                                                            \
    "$TTL 60\n@ SOA ns1 host " #serial " 60 60 3600 60\n@ NS ns1\nns1 A 192.0.2.1\n"
    static const char first[] = VERSION(1);
    /* More than one message. */
#define LARGE "$GENERATE 1-45 t$ TXT $-" HUNDRED HUNDRED "\n"
    static const char kinds[] =
        VERSION(2) LARGE "a CNAME b\nd DNAME b\nb MX 1 ns1\nb SRV 1 2 3 ns1\n"
                         "b TXT x y\nb NAPTR 1 2 u sip !a! .\n"
                         "b RRSIG MX 8 2 60 20300101000000 20200101000000 1 "
                         "example. AAAA\n*.w HTTPS 1 . alpn=h2\n";
    static const char others[] =
        VERSION(3) LARGE "a DNAME b\nb MX 1 ns1\nb MX 2 a\nb TXT x\nc.b TXT y\n"
                         "*.w HTTPS 1 . alpn=h3\n";
    static const char *const texts[VERSIONS] = {first, kinds, others};
    struct dns_zone before;

    ck_assert(!access_add_keys(&keys, "k:c2VjcmV0"));
    keys.rule[0] = (struct access_rule){.prefix = {.address_len = 4, .bits = 8}};
    keys.rules = 1;
    for (unsigned i = 0; i < VERSIONS; i++) {
        ck_assert(fuzz_serve(&versions[i], (const uint8_t *)texts[i], strlen(texts[i])));
        dns_db_allow(&versions[i].db, &keys);
        fuzz_take_zone(&versions[i].db, &versions[i].zone, &truth[i]);
        /* What an honest primary has changed since the version before. */
        if (i)
            history_add(&before, &versions[i].zone, NULL);
        before = versions[i].zone;
        before.history = NULL;
    }
    ck_assert_ptr_nonnull(history_find(&versions[VERSIONS - 1].zone, VERSIONS - 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t how;

    if (!keys.keys)
        prepare();
    memset(&world, 0, offsetof(typeof(world), stream));
    world.sent = world.come = 0;
    world.time = FUZZ_NOW;
    world.memory = SIZE_MAX;
    fuzz_input(data, size);
    how = fuzz_u8();
    world.is_signed = how & 1;
    if (how & 4)
        world.memory = 64 * (size_t)fuzz_u8();
    dns_db_init(&world.db, world.buckets, 4);
    dns_db_allow(&world.db, &keys);
    secondaries_init(&world.all, &world.db, &ops);
    ck_assert(!secondaries_add(&world.all,
                               how & 1 ? "example=0.0.0.1@k,0.0.0.2@k" : "example=0.0.0.1,0.0.0.2",
                               &keys, parse_address));
    while (fuzz_more())
        step();
    if (how & 2)
        recover();
    end();
    return 0;
}
