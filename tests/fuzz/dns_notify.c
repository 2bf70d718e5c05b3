/* SPDX-License-Identifier: ISC */
/*
 * Fuzz target: the servers that are told of changes (lib/dns/notifier.c) and those who send messages in their
 * place. Zones change, time passes, answers come: the right one, one of which something is changed, any octets.
 *
 * No more messages are sent in a second than there may be, each of a change that is not confirmed, at most five times,
 * to the server that it is for. A notice ends by its answer, or is reported; what is not an answer ends none. In the
 * end all of them have ended, and nothing leaks.
 */
#include <check.h>
#include <string.h>

#include "tests/fuzz/dns_zone.h"
#include "tests/fuzz/fuzz.h"

#include "lib/dns/image.h"
#include "lib/dns/notifier.h"
#include "lib/dns/query.h"
#include "tests/unit/parse_address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ZONES 5
#define SERVERS 5
#define MESSAGE_MAX 512

static const uint8_t zones[ZONES][DNS_NAME_MAX + DNS_NAME_PAD] = {"", "\1a", "\1b", "\1a\1a",
                                                                  "\7example\3org"};
static struct dns_access keys;

/* What the notifier should have in mind of a zone and a server. */
struct expected {
    bool pending;
    bool doubtful; /* something may have been an answer */
    unsigned tries;
    size_t len; /* of the message sent last */
    uint8_t message[MESSAGE_MAX];
};

static struct {
    struct notifier all;
    struct expected expected[ZONES * SERVERS];
    uint32_t time, second;
    unsigned sent; /* in this second */
} world;

static struct expected *find(const uint8_t *name, const struct dns_peer *to)
{
    unsigned zone = 0, server = to->address[3] - 1u;

    while (zone < ZONES && !dns_name_equal(name, zones[zone]))
        zone++;
    ck_assert_uint_lt(zone, ZONES);
    ck_assert_uint_lt(server, SERVERS);
    return &world.expected[zone * SERVERS + server];
}

static void send_message(const struct dns_peer *to, const uint8_t *message, size_t len)
{
    struct expected *e = find(message + HEADER_SIZE, to);

    ck_assert_uint_le(len, MESSAGE_MAX);
    ck_assert_uint_eq(message[2], OPCODE_NOTIFY | FLAG_AA);
    ck_assert_uint_eq(dns_be16(message + 10), to->key ? 1 : 0);
    ck_assert(e->pending || e->doubtful);
    ck_assert_uint_le(++e->tries, NOTIFIER_TRIES);
    memcpy(e->message, message, len);
    e->len = len;
    if (world.time != world.second)
        world.sent = 0;
    world.second = world.time;
    ck_assert_uint_le(++world.sent, NOTIFIER_BURST);
}

static void wake(void)
{
}

static void tell(const uint8_t *name, const struct dns_peer *to, const char *reason)
{
    struct expected *e = find(name, to);

    if (strcmp(reason, "it does not answer") != 0)
        return;
    ck_assert(e->pending || e->doubtful);
    ck_assert_uint_eq(e->tries, NOTIFIER_TRIES);
    e->pending = false;
}

static uint32_t world_time(void)
{
    return world.time;
}

static uint32_t some_number(void)
{
    static uint32_t state;

    return state += 0x1003;
}

static const struct notifier_ops ops = {
    .send = send_message,
    .wake = wake,
    .tell = tell,
    .monotonic = world_time,
    .wall = world_time,
    .random = some_number,
};

static void change(void)
{
    unsigned zone = fuzz_below(ZONES);

    for (unsigned i = 0; i < SERVERS; i++)
        world.expected[zone * SERVERS + i] = (struct expected){.pending = true};
    ck_assert_int_eq(notifier_changed(&world.all, zones[zone]), 0);
}

/* Gives the notifier a block of exactly LEN octets. */
static void take(const struct dns_peer *from, const uint8_t *octets, size_t len)
{
    uint8_t *exact = malloc(len ? len : 1);

    memcpy(exact, octets, len);
    notifier_take(&world.all, from, exact, len);
    free(exact);
}

/* The answer to the message sent last, in which the input may change something that counts, or not. */
static void answer(void)
{
    unsigned which = fuzz_below(ZONES * SERVERS);
    struct expected *e = &world.expected[which];
    struct dns_peer from = world.all.target[which % SERVERS];
    uint8_t message[MESSAGE_MAX];
    size_t len = e->len, name;
    bool right = true;

    if (!e->tries)
        return;
    memcpy(message, e->message, len);
    message[2] |= FLAG_QR;
    name = dns_name_length(message + HEADER_SIZE, DNS_NAME_MAX);
    switch (fuzz_below(8)) {
    case 0:
        message[3] = fuzz_u8();
        break;
    case 1:
        memset(message + 4, fuzz_u8(), 8); /* counts */
        break;
    case 2:
        right = false;
        message[fuzz_below(2)] ^= (uint8_t)(1u << fuzz_below(8));
        break;
    case 3:
        right = false;
        message[2] ^= (uint8_t)(8u << fuzz_below(5)); /* QR, opcode */
        break;
    case 4:
        right = false;
        if (fuzz_u8() & 1)
            from.port++;
        else
            from.address[fuzz_below(4)]++;
        break;
    case 5:
        right = false;
        len = fuzz_below((unsigned)(HEADER_SIZE + name));
        break;
    case 6:
        right = name > 1 ? false : right;
        message[HEADER_SIZE + (name > 1)] ^= name > 1 ? 1 : 0;
        break;
    default:
        break;
    }
    if (right)
        e->pending = false;
    take(&from, message, len);
}

/* Octets of the input, in a server's name: nobody knows whether they are an answer. */
static void take_anything(void)
{
    unsigned server = fuzz_below(SERVERS);
    const uint8_t *octets;
    size_t len = fuzz_bytes(&octets, fuzz_u8());

    for (unsigned i = 0; i < ZONES; i++)
        world.expected[i * SERVERS + server].doubtful = true;
    take(&world.all.target[server], octets, len);
}

static void run(unsigned seconds)
{
    world.time += seconds;
    ck_assert_uint_ge(notifier_run(&world.all), 1);
}

static void step(void)
{
    switch (fuzz_below(6)) {
    case 0:
        change();
        break;
    case 1:
        run(fuzz_below(4));
        break;
    case 2:
        run(fuzz_u8());
        break;
    case 3:
        take_anything();
        break;
    default:
        answer();
    }
}

/* Nobody answers any longer: all is told as often as it is to be. */
static void end(void)
{
    for (unsigned i = 0; world.all.notices; i++) {
        ck_assert_uint_lt(i, 1000);
        run(1);
    }
    for (unsigned i = 0; i < ZONES * SERVERS; i++)
        ck_assert(!world.expected[i].pending || world.expected[i].doubtful);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!keys.keys)
        ck_assert(!access_add_keys(&keys, "k:c2VjcmV0"));
    memset(&world, 0, sizeof(world));
    world.time = FUZZ_NOW;
    fuzz_input(data, size);
    notifier_init(&world.all, &ops);
    ck_assert(!notifier_add(&world.all, "0.0.0.1,0.0.0.2@k,0.0.0.3:99,0.0.0.4,0.0.0.5@k", &keys,
                            parse_address));
    while (fuzz_more())
        step();
    end();
    return 0;
}
