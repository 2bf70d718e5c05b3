/* SPDX-License-Identifier: ISC */
/* See dns_sign.h. */
#include "tests/fuzz/dns_sign.h"

#include "lib/dns/image.h"
#include "tests/fuzz/dns_zone.h"

#include <string.h>

static const uint8_t *algorithm_of(const struct tsig_key *key)
{
    static const char names[][14] = {
        [HMAC_SHA256] = "\13hmac-sha256", [HMAC_SHA1] = "\11hmac-sha1",
        [HMAC_SHA224] = "\13hmac-sha224", [HMAC_SHA384] = "\13hmac-sha384",
        [HMAC_SHA512] = "\13hmac-sha512",
    };

    return (const uint8_t *)names[key->algorithm];
}

struct fuzz_tsig fuzz_tsig(const struct tsig_key *key, const uint8_t *msg, uint64_t now)
{
    return (struct fuzz_tsig){
        .key = key,
        .algorithm = algorithm_of(key),
        .time = now,
        .fudge = 300,
        .class = CLASS_ANY,
        .id = dns_be16(msg),
        .mac_len = key->mac_len,
    };
}

static uint8_t *put16(uint8_t *at, unsigned value)
{
    dns_put_be16(at, value);
    return at + 2;
}

static uint8_t *put(uint8_t *at, const void *octets, size_t len)
{
    memcpy(at, octets, len);
    return at + len;
}

static uint8_t *put_time(uint8_t *at, const struct fuzz_tsig *t)
{
    at = put16(at, (unsigned)(t->time >> 32) & 0xffff);
    dns_put_be32(at, (uint32_t)t->time);
    return put16(at + 4, t->fudge);
}

size_t fuzz_sign(const struct fuzz_tsig *t, uint8_t *msg, size_t len, uint8_t mac[HMAC_MAX])
{
    static const uint8_t other[64];
    uint8_t header[12], variables[FUZZ_TSIG_MAX], *at, *fields;
    size_t algorithm = dns_name_length(t->algorithm, DNS_NAME_MAX);
    struct octets parts[] = {{header, sizeof(header)}, {msg + 12, len - 12}, {variables, 0}};

    memcpy(header, msg, sizeof(header));
    put16(header, t->id);
    at = put(variables, t->key->name, t->key->name_len);
    at = put16(at, t->class);
    dns_put_be32(at, t->ttl);
    at = put_time(put(at + 4, t->algorithm, algorithm), t);
    at = put16(put16(at, t->error), t->other_len);
    parts[2].len = (size_t)(put(at, other, t->other_len) - variables);
    hmac_make(t->key->algorithm, t->key->secret, t->key->secret_len, parts, 3, mac);

    at = put16(put(msg + len, t->key->name, t->key->name_len), TYPE_TSIG);
    at = put16(at, t->class);
    dns_put_be32(at, t->ttl);
    fields = at += 6;
    at = put16(put_time(put(at, t->algorithm, algorithm), t), t->mac_len);
    at = put(at, mac, t->mac_len);
    if (t->mac_len)
        at[-t->mac_len] ^= t->flip;
    at = put(put16(put16(put16(at, t->id), t->error), t->other_len), other, t->other_len);
    put16(fields - 2, (unsigned)((int)(at - fields) + t->len_wrong) & 0xffff);
    put16(msg + 10, dns_be16(msg + 10) + 1u);
    return (size_t)(at - msg);
}

bool fuzz_verify(const struct tsig_key *key, const uint8_t *msg, size_t len, bool first,
                 uint8_t mac[HMAC_MAX], uint8_t *sent)
{
    const uint8_t mac_len[] = {0, *sent};
    uint8_t name[DNS_NAME_MAX];
    size_t at = fuzz_last_record(msg, len), algorithm;
    unsigned name_len = at ? dns_name_expand(msg, len, at, name) : 0;
    uint8_t header[12], right[HMAC_MAX];
    const uint8_t *fields, *times, *tail;

    if (name_len != key->name_len || !dns_name_equal(name, key->name))
        return false;
    fields = msg + at + dns_name_length(msg + at, len - at); /* it is not compressed */
    if (dns_be16(fields) != TYPE_TSIG)
        return false;
    algorithm = dns_name_length(fields + 10, len - (size_t)(fields + 10 - msg));
    times = fields + 10 + algorithm;
    tail = times + 10 + key->mac_len;
    if (tail + 6 > msg + len || dns_be16(times + 8) != key->mac_len ||
        !dns_name_equal(fields + 10, algorithm_of(key)))
        return false;
    memcpy(header, msg, sizeof(header));
    memcpy(header, tail, 2);
    put16(header + 10, dns_be16(msg + 10) - 1u);
    const struct octets parts[] = {
        {mac_len, 2},
        {mac, *sent},
        {header, sizeof(header)},
        {msg + 12, at - 12},
        {key->name, first ? key->name_len : 0},
        {fields + 2, first ? 6 : 0}, /* class and TTL */
        {fields + 10, first ? algorithm : 0},
        {times, 8},
        {tail + 2, first ? (size_t)(msg + len - tail) - 2 : 0},
    };
    hmac_make(key->algorithm, key->secret, key->secret_len, parts, sizeof(parts) / sizeof(parts[0]),
              right);
    if (memcmp(right, times + 10, key->mac_len) != 0)
        return false;
    memcpy(mac, right, key->mac_len);
    *sent = key->mac_len;
    return true;
}
