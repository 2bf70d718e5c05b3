/* SPDX-License-Identifier: ISC */
/*
 * A secondary under test, with a clock, a connection and a primary that a test has in its hands: lib/dns
 * itself answers as the primary, and the test may change what it says.
 */
#ifndef TESTS_UNIT_DNS_PRIMARY_H
#define TESTS_UNIT_DNS_PRIMARY_H

#include "tests/unit/dns_zones.h"

#include "lib/dns/history.h"
#include "lib/dns/secondary.h"
#include "tests/unit/parse_address.h"

#include <errno.h>

/* What the primary has, and whom it lets have it. */
static struct {
    struct dns_db db;
    struct dns_zone *buckets[BUCKETS], zone;
    struct dns_access access;
    uint8_t *image;
} primary;

/* The secondary's world. */
static struct {
    struct secondaries all;
    struct dns_access access;
    uint32_t time;
    int connect_result;
    bool connected, build, woken;
    uint8_t query[2 + FETCH_QUERY_MAX];
    size_t query_len; /* with the length in front; 0: nothing was sent */
    uint16_t port;    /* of the peer connected to last */
    unsigned connects, loaded, changed, failed, expired;
    char reason[300];     /* of the last failure */
    void (*during)(void); /* called while a zone is made, or NULL */
    size_t memory;        /* that is free; 0: any number */
} world;

/* The primary's answer: messages one after the other, each with its length in front. */
static uint8_t answer_octets[1 << 20];
static size_t answer_len;

static int connect_to(const struct dns_peer *peer)
{
    ck_assert(!world.connected);
    world.connects++;
    world.port = peer->port;
    world.connected = !world.connect_result;
    return world.connect_result;
}

static int send_octets(const uint8_t *octets, size_t len)
{
    ck_assert(world.connected);
    ck_assert_uint_le(len, sizeof(world.query));
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
    world.build = true;
}

static void pause_build(void)
{
    if (world.during)
        world.during();
}

static void wake(void)
{
    world.woken = true;
}

static void tell(const struct secondary *s, enum secondary_event event, const struct dns_peer *peer,
                 const char *reason)
{
    ck_assert_ptr_nonnull(s);
    world.loaded += event == SECONDARY_LOADED || event == SECONDARY_CHANGED;
    world.changed += event == SECONDARY_CHANGED;
    world.expired += event == SECONDARY_EXPIRED;
    if (event != SECONDARY_FAILED)
        return;
    world.failed++;
    ck_assert_uint_eq(peer->port, world.port);
    snprintf(world.reason, sizeof(world.reason), "%s", reason);
}

static size_t free_memory(void)
{
    return world.memory ? world.memory : SIZE_MAX;
}

static uint32_t world_time(void)
{
    return world.time;
}

static uint32_t no_number(void)
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
    .random = no_number,
};

/* The zone that the primary has from now on. */
static inline void primary_has(const char *text)
{
    size_t size;

    free(primary.image);
    dns_db_init(&primary.db, primary.buckets, BUCKETS);
    dns_db_allow(&primary.db, &primary.access);
    primary.image = make_zone(text, &primary.zone, &size);
    dns_db_set(&primary.db, &primary.zone);
}

static inline void end_secondary(void)
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
    free(primary.image);
    primary.image = NULL;
}

/* A secondary for the zones of LIST, with KEYS on both sides. */
static inline void secondary_for(const char *list, const char *keys)
{
    end_secondary();
    start();
    memset(&world, 0, sizeof(world));
    memset(&primary, 0, sizeof(primary));
    world.time = 1700000000;
    ck_assert_ptr_null(access_add_keys(&world.access, keys));
    ck_assert_ptr_null(access_add_keys(&primary.access, keys));
    ck_assert_ptr_null(access_add_rules(&primary.access, "192.0.2.1", parse_address));
    secondaries_init(&world.all, &db, &ops);
    ck_assert_ptr_null(secondaries_add(&world.all, list, &world.access, parse_address));
}

/* Has the primary answer what was sent last. */
static inline void primary_answers(void)
{
    struct dns_transfer place = {0};
    struct dns_client asker = {
        .address = {192, 0, 2, 1}, .address_len = 4, .now = world.time, .transfer = &place};

    ck_assert_uint_gt(world.query_len, 2);
    answer_len = 0;
    do {
        uint8_t *out = answer_octets + answer_len;
        size_t len = dns_answer(&primary.db, &asker, world.query + 2, world.query_len - 2, out + 2,
                                DNS_TCP_MAX, DNS_TCP, &stats);

        ck_assert_uint_ne(len, 0);
        dns_put_be16(out, (uint16_t)len);
        answer_len += 2 + len;
    } while (place.more);
    world.query_len = 0;
}

/* Gives the answer to the secondary, PIECE octets at a time, each in a block of its own. */
static inline void deliver(size_t piece)
{
    for (size_t at = 0; at < answer_len && world.connected; at += piece) {
        size_t n = answer_len - at < piece ? answer_len - at : piece;
        uint8_t *exact = (malloc)(n);

        memcpy(exact, answer_octets + at, n);
        secondaries_received(&world.all, exact, n);
        free(exact);
    }
    if (world.build) {
        world.build = false;
        secondaries_build(&world.all);
    }
}

/* Lets what is due begin: the connection is there, and the first question was sent. */
static inline void begin(void)
{
    (void)secondaries_run(&world.all);
    ck_assert(world.connected);
    secondaries_connected(&world.all);
    ck_assert_uint_gt(world.query_len, 2);
}

static inline unsigned asked_type(void)
{
    size_t name = dns_name_length(world.query + 2 + HEADER_SIZE, DNS_NAME_MAX);

    return dns_be16(world.query + 2 + HEADER_SIZE + name);
}

/* Lets a refresh take place as far as it goes. */
static inline void refresh(size_t piece)
{
    begin();
    while (world.query_len && world.connected) {
        primary_answers();
        deliver(piece);
    }
}

/* The response code for a name of the zone. */
static inline unsigned rcode_of(const char *name, unsigned type)
{
    uint8_t answer[DNS_UDP_MAX];

    ck_assert_uint_gt(ask(name, type, 0, answer), HEADER_SIZE);
    return answer[3] & 15;
}

#endif
