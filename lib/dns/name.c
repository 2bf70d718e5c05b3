/* SPDX-License-Identifier: ISC */
/*
 * Domain names: parsing for look-ups, comparison, text form (RFC 1035 sections 3.1 and 5.1, RFC
 * 4343).
 */
#include "lib/dns/name.h"

__attribute__((noinline)) uint64_t dns_lowered(uint64_t w)
{
    return dns_lower_word(w);
}

/* Most names are asked for as they stand in the zone: only a word that is not the same is lowered. */
static ALWAYS_INLINE bool same_word(uint64_t asked, uint64_t known)
{
    return asked == known || dns_lowered(asked) == known;
}

__attribute__((noinline)) bool dns_same_name(const uint8_t *asked, const uint8_t *known, unsigned n)
{
    uint64_t last = dns_le64(asked - 8);

    if (n < 8)
        return !((dns_lowered(last) ^ dns_le64(known - 8)) >> (64 - 8 * n));
    if (!same_word(last, dns_le64(known - 8)))
        return false;
    /* The last word but one may overlap it. */
    for (; n > 8; n -= 8) {
        if (!same_word(dns_le64(asked - n), dns_le64(known - n)))
            return false;
    }
    return true;
}

uint32_t dns_hash(const uint8_t *name, unsigned n)
{
    const uint8_t *end = name + n;
    uint64_t h = DNS_HASH_SEED;

    if (!n)
        return DNS_HASH_SEED;
    for (; end - name > 8; name += 8)
        h = dns_hash_word(h, dns_le64(name));
    return dns_hash_word(h, dns_le64(name) << dns_other_bits(n)) >> 32;
}

uint32_t dns_hash_end(const uint8_t *end, unsigned n)
{
    uint64_t h = DNS_HASH_SEED;

    if (!n)
        return DNS_HASH_SEED;
    for (; n > 8; n -= 8)
        h = dns_hash_word(h, dns_le64(end - n));
    return dns_hash_word(h, dns_le64(end - 8) & dns_last_octets(n)) >> 32;
}

/* Lowers N octets into TO, where there is room for DNS_NAME_PAD more. The last word overlaps the one before it, so that
 * nothing behind the name is read: it may be the message's end. */
static inline void lower_octets(uint8_t *to, const uint8_t *from, unsigned n)
{
    if (n < 8) {
        memcpy(to, from, n);
        dns_put_le64(to, dns_lowered(dns_le64(to)));
        return;
    }
    for (unsigned at = 0;; at = MIN(at + 8, n - 8)) {
        dns_put_le64(to + at, dns_lower_word(dns_le64(from + at)));
        if (at == n - 8)
            return;
    }
}

unsigned dns_key_parse(struct dns_key *key, const uint8_t *wire, size_t avail)
{
    size_t end = avail < DNS_NAME_MAX ? avail : DNS_NAME_MAX, pos = 0, labels = 0, n = 0;

    for (; pos < end; labels++, pos += n + 1) {
        n = wire[pos];
        key->label[labels] = (uint8_t)pos;
        if (n - 1 >= DNS_LABEL_MAX)
            break;
    }
    if (pos >= end || n)
        return 0;
    key->labels = labels;
    key->len = pos + 1;
    lower_octets(key->lower, wire, key->len);
    return key->len;
}

uint32_t dns_key_hash(const struct dns_key *key, unsigned labels)
{
    unsigned at = key->label[key->labels - labels];

    return dns_hash(key->lower + at, key->len - at);
}

unsigned dns_name_length(const uint8_t *wire, size_t avail)
{
    size_t pos = 0;

    if (avail > DNS_NAME_MAX)
        avail = DNS_NAME_MAX;
    for (;;) {
        if (pos >= avail || wire[pos] > DNS_LABEL_MAX)
            return 0;
        if (!wire[pos])
            return pos + 1;
        pos += wire[pos] + 1u;
    }
}

unsigned dns_name_expand(const uint8_t *msg, size_t len, size_t pos, uint8_t *name)
{
    unsigned used = 0;

    while (pos < len && msg[pos]) {
        unsigned n = msg[pos] + 1u;

        if (msg[pos] >= 0xc0) {
            /* Backwards only, so this ends. */
            size_t target = pos + 2 <= len ? dns_be16(msg + pos) & 0x3fffu : pos;

            if (target >= pos)
                return 0;
            pos = target;
            continue;
        }
        if (n > DNS_LABEL_MAX + 1 || n > len - pos || used + n >= DNS_NAME_MAX)
            return 0;
        memcpy(name + used, msg + pos, n);
        used += n;
        pos += n;
    }
    if (pos >= len)
        return 0;
    name[used++] = 0;
    return used;
}

unsigned dns_name_labels(const uint8_t *name)
{
    unsigned labels = 0;

    for (; *name; name += *name + 1)
        labels++;
    return labels;
}

uint8_t dns_lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

bool dns_name_equal(const uint8_t *a, const uint8_t *b)
{
    unsigned len = dns_name_length(a, DNS_NAME_MAX);

    if (len != dns_name_length(b, DNS_NAME_MAX))
        return false;
    for (unsigned i = 0; i < len; i++) {
        if (dns_lower(a[i]) != dns_lower(b[i]))
            return false;
    }
    return true;
}

bool dns_name_under(const uint8_t *name, const uint8_t *zone, unsigned *prefix)
{
    const uint8_t *start = name;
    unsigned have = dns_name_labels(name), want = dns_name_labels(zone);

    if (have < want)
        return false;
    for (; have > want; have--)
        name += *name + 1;
    *prefix = name - start;
    return dns_name_equal(name, zone);
}

static char *octet_text(char *out, uint8_t c)
{
    if (c <= ' ' || c >= 0x7f) {
        *out++ = '\\';
        *out++ = '0' + c / 100;
        *out++ = '0' + c / 10 % 10;
        *out++ = '0' + c % 10;
        return out;
    }
    if (strchr(".\\\"();@$", c))
        *out++ = '\\';
    *out++ = c;
    return out;
}

void dns_name_text(const uint8_t *name, char *text)
{
    if (!*name)
        *text++ = '.';
    while (*name) {
        unsigned n = *name++;

        while (n--)
            text = octet_text(text, *name++);
        *text++ = '.';
    }
    *text = '\0';
}
