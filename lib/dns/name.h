/* SPDX-License-Identifier: ISC */
/*
 * Domain names in wire form (RFC 1035 section 3.1): labels, each a length byte and its octets,
 * ended by the empty root label. Names compare without regard to ASCII case (RFC 4343): those of
 * zones are in lower case, a name that is to be looked up label by label is lowered, once.
 *
 * A name is hashed when it is looked for, eight octets at a time, wherever its labels end. Of a name's ancestors one
 * or two are ever looked for, so there is nothing to gain from hashes of each label.
 */
#ifndef LIB_DNS_NAME_H
#define LIB_DNS_NAME_H

#include "lib/dns/wire.h"
#include "lib/util.h"

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
 * label[labels] is the root's.
 */
struct dns_key {
    unsigned labels;
    unsigned len;
    uint8_t label[DNS_LABELS_MAX + 1];
    uint8_t lower[DNS_NAME_MAX + DNS_NAME_PAD];
};

#define DNS_EACH 0x0101010101010101u
#define DNS_HASH_SEED 0x243f6a88

/* Lowers eight octets at once: sets bit 5 of those in 'A'..'Z'. Length bytes (at most 63) pass as
 * they are. With bit 7 set in each, no subtraction borrows of the octet above; it stays set where the octet was
 * no less. Octets that had it are no letters. */
static ALWAYS_INLINE uint64_t dns_lower_word(uint64_t w)
{
    uint64_t high = w | 0x80 * DNS_EACH;
    uint64_t is_letter = (high - 'A' * DNS_EACH) ^ (high - ('Z' + 1) * DNS_EACH);

    return w | (is_letter & (high ^ w)) >> 2;
}

/* The same, not in line, where it is seldom done. */
uint64_t dns_lowered(uint64_t w);

/* The product of what a hash was and a word: letters of both cases are alike in it. So are some octets that are no letters,
 * and make no names. */
static ALWAYS_INLINE uint64_t dns_hash_word(uint64_t h, uint64_t word)
{
    return (h ^ h >> 32 ^ (word | 0x20 * DNS_EACH)) * 0x9e3779b97f4a7c15u;
}

/* How many bits of a word that ends with the last of N octets are of others, in front of these. */
static ALWAYS_INLINE unsigned dns_other_bits(unsigned n)
{
    return (64 - 8 * n) & 63;
}

/* What masks those of such a word, N being one to eight. */
static ALWAYS_INLINE uint64_t dns_last_octets(unsigned n)
{
    static const uint8_t pattern[16] = {0,   0,   0,   0,   0,   0,   0,   0,
                                        255, 255, 255, 255, 255, 255, 255, 255};

    return dns_le64(pattern + n);
}

/*
 * Hash of N octets in letters of any case: of a name, or of its labels down to the apex of a zone. Reads up to
 * DNS_NAME_PAD octets past them and ignores these.
 */
uint32_t dns_hash(const uint8_t *name, unsigned n);

/* The same of the N octets that end at END, and reads none past them: eight in front of END can be read instead. */
uint32_t dns_hash_end(const uint8_t *end, unsigned n);

/* Equality of N octets; both sides have DNS_NAME_PAD readable octets after them. */
static ALWAYS_INLINE bool dns_octets_equal(const uint8_t *a, const uint8_t *b, unsigned n)
{
    const uint8_t *end = a + n;

    for (; end - a > 8; a += 8, b += 8) {
        if (dns_le64(a) != dns_le64(b))
            return false;
    }
    return !n || !((dns_le64(a) ^ dns_le64(b)) << dns_other_bits(n));
}

/* Are the N octets that end at ASKED, lowered, those that end at KNOWN, N > 0? Eight octets in front of both ends can be
 * read. */
bool dns_same_name(const uint8_t *asked, const uint8_t *known, unsigned n);

/*
 * Parses the uncompressed name at WIRE, which has AVAIL readable octets, into KEY.
 * Returns its length, or 0 when it is malformed, too long, cut short or holds a compression
 * pointer.
 */
unsigned dns_key_parse(struct dns_key *key, const uint8_t *wire, size_t avail);

/* Hash of the key's last LABELS labels. */
uint32_t dns_key_hash(const struct dns_key *key, unsigned labels);

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
