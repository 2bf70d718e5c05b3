/* SPDX-License-Identifier: ISC */
/*
 * Fuzz target: zone transfers, and signed messages (TSIG). The input chooses a zone, who asks for what by
 * which transport, with which options, how the question is signed, and what is wrong with that; now and
 * then an octet is changed on the way.
 *
 * Nothing of a zone is given to who may not have it. Who may have it gets all of it, the same in messages
 * of any size, or the differences that make it of the version he has. Each answer to a query that is signed as it should be is signed, and no other one is.
 */
#include "tests/fuzz/dns_sign.h"
#include "tests/fuzz/dns_zone.h"
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/dns/history.h"
#include "lib/dns/image.h"
#include "lib/dns/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SERIAL 1
#define OLDER 2         /* versions from which differences lead to that one */
#define ROOM 1024       /* for a query, before it is signed */
#define OPTIONS_MAX 102 /* of an answer */

/* clang-format off */
#define TEN "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

static const char *const texts[] = {
    fuzz_zone_text,
    fuzz_nsec3_text,
    /* Many names, and sets that no small message holds. */
    "$TTL 60\n@ SOA ns1 host 1 2 3 4 300\n@ NS ns1\nns1 A 192.0.2.1\n"
    "$GENERATE 1-400 n$.x MX 1 n$.y\n$GENERATE 1-300 n$.x TXT \"$\"\n"
    "$GENERATE 1-40 large TXT $-" HUNDRED "\n$GENERATE 1-250 huge TXT $-" HUNDRED HUNDRED "\n"
    "*.wild TXT wild\n",
    "@ 1 SOA . . 1 2 3 4 5\n@ 1 NS ns\n",
};
#define ZONES (sizeof(texts) / sizeof(texts[0]))

/* What the versions before have beside that, the latest one first. */
static const char *const more[OLDER] = {
    "gone A 192.0.2.9\n*.gone MX 5 ns1\n",
    "old 5 A 192.0.2.8\ngone A 192.0.2.9\ngone A 192.0.2.10\nold.gone NS ns1\n"
    "$GENERATE 1-9 o$.ld TXT $-" HUNDRED "\n",
};

#define LONG_NAME "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkk.lllllllllllllllllllllllllllllll"
static const char keys[] = "hmac-sha1-80:k:c2VjcmV0,"
    "hmac-sha384:" LONG_NAME ":MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMw==,"
    "hmac-sha512-256:none:eA==";
/* clang-format on */

static struct fuzz_served served[ZONES];
static struct fuzz_tally whole[ZONES], older[ZONES][OLDER];
static struct dns_access rules;
static const struct dns_identity identity = {
    .version = "v",
    .id = "a name of which no more than sixty-four octets are told to whom who asks for it",
    .idle = 10,
};

static void serve(struct fuzz_served *s, const char *text, struct fuzz_tally *tally)
{
    if (!fuzz_serve(s, (const uint8_t *)text, strlen(text)))
        abort();
    dns_db_identify(&s->db, &identity);
    dns_db_allow(&s->db, &rules);
    fuzz_take_zone(&s->db, &s->zone, tally);
}

/* The version that is so much older. */
static void serve_older(struct fuzz_served *s, unsigned zone, unsigned age)
{
    const char *serial = strstr(texts[zone], " 1 2 3 4");
    char text[8192];
    int len = snprintf(text, sizeof(text), "%.*s %u%s%s", (int)(serial - texts[zone]), texts[zone],
                       SERIAL - age, serial + 2, more[age - 1]);

    if (len < 0 || (size_t)len >= sizeof(text))
        abort();
    serve(s, text, &older[zone][age - 1]);
}

static void serve_versions(unsigned zone)
{
    struct fuzz_served versions[OLDER];

    serve(&served[zone], texts[zone], &whole[zone]);
    for (unsigned i = 0; i < OLDER; i++)
        serve_older(&versions[i], zone, i + 1);
    for (unsigned i = OLDER; i-- > 0;)
        history_add(&versions[i].zone, i ? &versions[i - 1].zone : &served[zone].zone, NULL);
    for (unsigned i = 0; i < OLDER; i++)
        free(versions[i].image);
}

/* IPv4 addresses that begin with a 0 need no key; anybody has the first one; and IPv6 addresses in
 * 2000::/9 the second. Nobody may have a zone by the third. */
static void prepare(void)
{
    if (access_add_keys(&rules, keys))
        abort();
    rules.rule[0] = (struct access_rule){.prefix = {.address_len = 4, .bits = 8}};
    rules.rule[1] = (struct access_rule){.key = &rules.key[0]};
    rules.rule[2] = (struct access_rule){
        .prefix = {.address = {0x20}, .address_len = 16, .bits = 9}, .key = &rules.key[1]};
    rules.rules = 3;
    for (unsigned i = 0; i < ZONES; i++)
        serve_versions(i);
}

/* --- the question --------------------------------------------------------------------------- */

struct ask {
    uint8_t msg[ROOM + FUZZ_TSIG_MAX];
    size_t len;
    unsigned type, class;
    bool apex;    /* asked about */
    bool current; /* an IXFR says that the client has the zone already */
    unsigned
        age; /* ...or this version of it: 1, the one before, to OLDER; 0 is another one, or none */
    bool signs;
    bool authentic; /* it is signed as it should be... */
    bool valid;     /* ...and in time */
    const struct tsig_key *key;
    uint8_t mac[HMAC_MAX], mac_len;
    struct dns_client client;
    bool changed; /* on its way */
};

static void put(struct ask *a, const void *octets, size_t len)
{
    if (a->len + len > ROOM)
        abort();
    memcpy(a->msg + a->len, octets, len);
    a->len += len;
}

static void put16(struct ask *a, unsigned value)
{
    put(a, (uint8_t[]){(uint8_t)(value >> 8), (uint8_t)value}, 2);
}

/* The longest name that there is, below the wildcard. */
static void put_long_name(struct ask *a)
{
    uint8_t label[64];

    memset(label, 'a', sizeof(label));
    label[0] = 63;
    for (unsigned i = 0; i < 3; i++)
        put(a, label, sizeof(label));
    label[0] = 48;
    put(a, label, 49);
    put(a, "\4wild\7example", 14);
}

static void put_name(struct ask *a)
{
    static const char *const names[] = {"\7example",      "\7ExAmPlE",        "\4none",
                                        "\3sub\7example", "\5alias\7example", "\4huge\7example",
                                        "\3big\7example"};
    unsigned which = fuzz_below(sizeof(names) / sizeof(names[0]) + 4);

    if (which < sizeof(names) / sizeof(names[0])) {
        put(a, names[which], strlen(names[which]) + 1);
        a->apex = which < 2;
    } else if (which == sizeof(names) / sizeof(names[0])) {
        put_long_name(a);
    } else {
        put(a, names[0], strlen(names[0]) + 1);
        a->apex = true;
    }
}

static void put_question(struct ask *a)
{
    static const uint8_t types[] = {TYPE_AXFR, TYPE_IXFR, TYPE_AXFR, TYPE_IXFR, TYPE_SOA,
                                    TYPE_MX,   TYPE_TXT,  TYPE_ANY,  TYPE_RRSIG};
    unsigned which = fuzz_below(sizeof(types) + 1);

    put_name(a);
    a->type = which < sizeof(types) ? types[which] : fuzz_u8();
    a->class = fuzz_below(16) ? CLASS_IN : fuzz_u8();
    put16(a, a->type);
    put16(a, a->class);
    a->msg[5] = 1;
}

/* The version of the zone that the client of an IXFR has. */
static void put_version(struct ask *a)
{
    uint8_t soa[12 + 22] = {0xc0, 0x0c, 0, TYPE_SOA, 0, CLASS_IN, [11] = 22};
    uint8_t which = fuzz_u8();
    uint32_t serial = which & 64 ? SERIAL - (which & 3u) : SERIAL + (uint32_t)(int8_t)which;

    if (a->type != TYPE_IXFR || fuzz_below(4) == 0)
        return;
    a->age = SERIAL - serial <= OLDER ? SERIAL - serial : 0;
    dns_put_be32(soa + 14, serial);
    a->current = (int32_t)(serial - SERIAL) >= 0;
    put(a, soa, sizeof(soa));
    a->msg[9] = 1;
}

static void put_option(struct ask *a)
{
    static const uint8_t cookie[8] = "cookies";
    uint8_t padding[16] = {0};

    switch (fuzz_below(6)) {
    case 0:
        put(a, "\0\3\0\0", 4); /* NSID */
        break;
    case 1:
        put(a, "\0\12\0\10", 4);
        put(a, cookie, sizeof(cookie));
        break;
    case 2:
        put(a, "\0\13\0\0", 4); /* keepalive */
        break;
    case 3:
        put(a, "\0\14\0\20", 4);
        put(a, padding, sizeof(padding));
        break;
    case 4: /* both, for which there is the least room */
        put(a, "\0\3\0\0\0\12\0\10", 8);
        put(a, cookie, sizeof(cookie));
        break;
    default:
        put16(a, fuzz_u16());
        put16(a, fuzz_below(4));
    }
}

static void put_opt(struct ask *a)
{
    static const uint16_t sizes[] = {512, 512, 1232, 65535};
    uint8_t how = fuzz_u8();
    size_t start;

    if (!(how & 1))
        return;
    put(a, "\0\0\51", 3);
    put16(a, how & 2 ? sizes[how >> 2 & 3] : fuzz_u16());
    put(a, (uint8_t[]){0, how & 16 ? fuzz_u8() : 0, how & 32 ? EDNS_DO : 0, 0, 0, 0}, 6);
    start = a->len;
    for (unsigned n = fuzz_below(4); n--;)
        put_option(a);
    dns_put_be16(a->msg + start - 2, (uint16_t)(a->len - start));
    a->msg[11]++;
}

/* Signs the query, with this and that wrong. */
static void sign(struct ask *a)
{
    uint8_t wrong = fuzz_u8();
    struct fuzz_tsig t;
    bool in_time = true, enough = true;
    int64_t age;

    a->key = &rules.key[wrong & 3];
    a->signs = (wrong & 3) < rules.keys;
    if (!a->signs)
        return;
    wrong = wrong & 4 ? fuzz_u8() : 0;
    t = fuzz_tsig(a->key, a->msg, a->client.now);
    a->authentic = true;
    if (wrong & 1) {
        static struct tsig_key unknown;

        unknown = *a->key;
        unknown.name[1] = 'z';
        t.key = &unknown;
        a->authentic = false;
    }
    if (wrong & 2) {
        static const uint8_t names[][64] = {"\13hmac-sha256", "\0", "\4none\5where"};

        t.algorithm = names[fuzz_below(3)];
        a->authentic = false;
    }
    if (wrong & 4) {
        t.flip = fuzz_u8();
        a->authentic &= !t.flip;
    }
    if (wrong & 8) {
        t.mac_len = (uint16_t)fuzz_below(hmac_size(a->key->algorithm) + 1);
        a->authentic &= t.mac_len >= MAX(10u, hmac_size(a->key->algorithm) / 2);
        enough = t.mac_len >= a->key->mac_len;
    }
    if (wrong & 16) {
        age = (int16_t)fuzz_u16();
        t.fudge = fuzz_u16();
        t.time -= (uint64_t)age;
        in_time = (age < 0 ? -age : age) <= t.fudge;
    }
    if (wrong & 32) {
        t.other_len = (uint16_t)fuzz_below(9);
        t.error = fuzz_u8();
    }
    if (wrong & 64) {
        t.class = fuzz_u8();
        t.ttl = fuzz_u8();
        a->authentic &= t.class == CLASS_ANY && !t.ttl;
    }
    if (wrong & 128) {
        t.len_wrong = (int8_t)fuzz_u8();
        a->authentic &= !t.len_wrong;
    }
    a->valid = a->authentic && in_time && enough;
    a->mac_len = (uint8_t)t.mac_len;
    a->len = fuzz_sign(&t, a->msg, a->len, a->mac);
    dns_put_be16(a->msg, fuzz_u8()); /* a forwarder gives it another identifier */
}

static void make_query(struct ask *a)
{
    uint8_t how = fuzz_u8();

    *a = (struct ask){.len = HEADER_SIZE};
    a->client.now = FUZZ_NOW;
    a->client.address_len = how & 1 ? 16 : 4;
    a->client.address[0] = how & 2 ? 0x20 : how & 4 ? 10 : 0;
    a->client.address[1] = how & 8 ? 0x80 : 0;
    a->msg[1] = how;
    put_question(a);
    put_version(a);
    put_opt(a);
    sign(a);
    a->changed = how & 16;
    if (a->changed)
        a->msg[fuzz_u16() % a->len] ^= fuzz_u8();
}

/* --- the answers ------------------------------------------------------------------------------ */

static bool may_have(const struct ask *a)
{
    const uint8_t *ip = a->client.address;

    if (a->client.address_len == 4 && ip[0] == 0)
        return true;
    return a->valid && (a->key == &rules.key[0] || (a->key == &rules.key[1] && ip[0] == 0x20 &&
                                                    ip[1] < 0x80 && a->client.address_len == 16));
}

/* Is the answer's last record a signature by the key that the query was signed with? When there is no room
 * for one, the answer says NOTAUTH without. */
static void check_signature(struct ask *a, const uint8_t *out, size_t n, bool first, bool small)
{
    if (!a->authentic) {
        if (fuzz_verify(&rules.key[0], out, n, first, a->mac, &a->mac_len))
            abort();
        return;
    }
    if (small && (out[3] & 15) == DNS_NOTAUTH && !dns_be32(out + 6))
        return;
    if (!fuzz_verify(a->key, out, n, first, a->mac, &a->mac_len))
        abort();
}

static void check_given(const struct ask *a, const uint8_t *out)
{
    bool transfer = a->type == TYPE_AXFR || a->type == TYPE_IXFR;

    if (a->signs && !a->valid && dns_be32(out + 6))
        abort(); /* something is given to who has shown a wrong signature */
    if (transfer && !may_have(a) && dns_be32(out + 6))
        abort();
}

static void check_whole(const struct ask *a, unsigned zone, const struct fuzz_tally *tally,
                        unsigned flags)
{
    if (tally->differences) {
        if (!a->age || !tally->last_is_soa || tally->soas != 2 * a->age + 2 ||
            older[zone][a->age - 1].zone + tally->change != whole[zone].zone)
            abort();
        return;
    }
    if (a->type == TYPE_IXFR && (a->current || !(flags & DNS_TCP))) {
        if (tally->records != 1)
            abort();
        return;
    }
    if (tally->records != whole[zone].records || tally->sum != whole[zone].sum)
        abort();
}

static void ask(struct ask *a, unsigned zone, size_t cap, unsigned flags)
{
    uint8_t *query = malloc(a->len), *out = malloc(cap);
    bool first = true, small = !(flags & DNS_TCP) || cap < DNS_UDP_MAX, refused = false;
    struct dns_transfer place = {0};
    struct fuzz_tally tally = {0};
    bool transfer = (a->type == TYPE_AXFR || a->type == TYPE_IXFR) && a->class == CLASS_IN;

    memcpy(query, a->msg, a->len);
    a->client.transfer = flags & DNS_TCP ? &place : NULL;
    do {
        size_t n = fuzz_answer_twice(&served[zone].db, &a->client, query, a->len, out, cap, flags);

        if (!n && !a->changed)
            abort();
        if (!n || a->changed)
            continue;
        check_signature(a, out, n, first, small);
        check_given(a, out);
        if (transfer && dns_be16(out + 6))
            fuzz_tally(&tally, out, n);
        refused |= out[3] & 15;
        first = false;
        a->client.now += fuzz_u8(); /* the next message may be later */
    } while (place.more);
    if (!a->changed && transfer && tally.records && !refused)
        check_whole(a, zone, &tally, flags);
    if (!a->changed && transfer && a->apex && may_have(a) && flags & DNS_TCP &&
        cap == DNS_TCP_MAX && refused && !a->msg[11])
        abort();
    free(query);
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t caps[] = {DNS_TCP_MAX, DNS_TCP_MAX, DNS_UDP_MIN, DNS_UDP_MAX};
    struct ask a;
    unsigned zone;
    uint8_t how;
    size_t cap;

    if (!rules.keys)
        prepare();
    fuzz_input(data, size);
    how = fuzz_u8();
    zone = how & 3;
    cap = caps[how >> 2 & 3];
    if (how & 64)
        cap = DNS_UDP_MIN + fuzz_u16() % 20000;
    make_query(&a);
    ask(&a, zone, cap, how & 16 ? DNS_TCP : how & 32 ? DNS_MINIMAL : 0);
    return 0;
}
