/* SPDX-License-Identifier: ISC */
/*
 * Domain names in wire form (RFC 1035 section 3.1): labels, each a length byte and its octets,
 * ended by the empty root label. Names compare without regard to ASCII case (RFC 4343), so a name
 * that is to be looked up is first lowered, and its hashes computed, once.
 *
 * The hash of a name is built from the right, one label at a time: hash(label.rest) is a function
 * of hash(rest) and label. One pass over a name thus yields the hashes of all its ancestors.
 */
#ifndef LIB_DNS_NAME_H
#define LIB_DNS_NAME_H

#include "lib/dns/wire.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    DNS_NAME_MAX = 255,         /* octets of a name, the root label included */
    DNS_LABEL_MAX = 63,         /* octets of a label */
    DNS_LABELS_MAX = 127,       /* labels of a name, the root label not counted */
    DNS_NAME_PAD = 8,           /* readable octets wanted after a name that is hashed or compared */
    DNS_TEXT_MAX = 4 * 255 + 1, /* characters of a name in text form, every octet as \DDD */
};

/*
 * A name ready for look-ups. label[i] is the offset in lower[] of the i-th label from the left;
 * label[labels] is the root's. hash[k] is the hash of the name's last k labels.
 */
struct dns_key {
    unsigned labels;
    unsigned len;
    uint8_t label[DNS_LABELS_MAX + 1];
    uint8_t lower[DNS_NAME_MAX + DNS_NAME_PAD];
    uint32_t hash[DNS_LABELS_MAX + 1];
};

#define DNS_HASH_ROOT 0x243f6a88u

/* The low N octets of a little-endian word, N in 1..8, moved to its top: the others are gone. */
static inline uint64_t dns_first_octets(uint64_t word, unsigned n)
{
    return word << (64 - 8 * n);
}

/* One step of the hash, and its last step, over N octets of a word, N in 1..8. */
static inline uint64_t dns_hash_word(uint64_t h, uint64_t word)
{
    h = (h ^ word) * 0x9e3779b97f4a7c15u;
    return h ^ h >> 32;
}

static inline uint32_t dns_hash_last(uint64_t h, uint64_t word, unsigned n)
{
    return (uint32_t)dns_hash_word(h, dns_first_octets(word, n));
}

/*
 * Hash of a name from the hash of its parent and its first label (length byte and lowered octets).
 * Reads up to DNS_NAME_PAD - 1 octets past the label and ignores them.
 */
static inline uint32_t dns_hash_label(uint32_t parent, const uint8_t *label)
{
    unsigned n = label[0] + 1u;
    uint64_t h = parent;

    for (; n > 8; label += 8, n -= 8)
        h = dns_hash_word(h, dns_le64(label));
    return dns_hash_last(h, dns_le64(label), n);
}

/* Equality of N octets; both sides have DNS_NAME_PAD readable octets after them. */
static inline bool dns_octets_equal(const uint8_t *a, const uint8_t *b, unsigned n)
{
    for (; n > 8; a += 8, b += 8, n -= 8) {
        if (dns_le64(a) != dns_le64(b))
            return false;
    }
    return n == 0 || dns_first_octets(dns_le64(a) ^ dns_le64(b), n) == 0;
}

/*
 * Parses the uncompressed name at WIRE, which has AVAIL readable octets, into KEY.
 * Returns its length, or 0 when it is malformed, too long, cut short or holds a compression
 * pointer.
 */
unsigned dns_key_parse(struct dns_key *key, const uint8_t *wire, size_t avail);

/* Length of the uncompressed name at WIRE, 0 when malformed. */
unsigned dns_name_length(const uint8_t *wire, size_t avail);

/*
 * Copies the possibly compressed name at MSG[POS], in a message of LEN octets, to NAME[DNS_NAME_MAX]
 * without compression. Returns its length, or 0 when it is malformed. Pointers must lead backwards.
 */
unsigned dns_name_expand(const uint8_t *msg, size_t len, size_t pos, uint8_t *name);

/* Number of labels of a well-formed name, the root label not counted. */
unsigned dns_name_labels(const uint8_t *name);

/* True when the two well-formed names are the same but for case. */
bool dns_name_equal(const uint8_t *a, const uint8_t *b);

/* True when NAME is ZONE or lies below it; *prefix is then the length of what precedes ZONE in
 * NAME. */
bool dns_name_under(const uint8_t *name, const uint8_t *zone, unsigned *prefix);

/* ASCII lower case of one octet. */
uint8_t dns_lower(uint8_t c);

/* Writes the well-formed NAME in master-file form with a final dot into TEXT[DNS_TEXT_MAX + 1]. */
void dns_name_text(const uint8_t *name, char *text);

#endif
