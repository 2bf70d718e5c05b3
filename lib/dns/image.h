/* SPDX-License-Identifier: ISC */
/*
 * Layout of a zone image, private to lib/dns. Integers are little-endian and unaligned unless said
 * otherwise; a `node number` is the offset of a node in the image divided by 4.
 *
 *   header      IMAGE_HEADER octets, fields below
 *   apex        the zone's name, lower case, wire form, then padding
 *   set         the SOA as negative answers carry it (RFC 2308: TTL = min(TTL, MINIMUM))
 *   slots       slot_count words: the hash table of all names
 *   nodes       one per name, in canonical order (RFC 4034 section 6.1), each at a multiple of 4:
 *                 u8 flags, u8 length of name, u16 number of sets,
 *                 name: lower case, the apex left off
 *                 sets, by ascending type
 *   NSEC3 sets  by ascending hash, each at a multiple of 4; their owners are no nodes
 *   denial      an entry per NSEC or NSEC3 set, in canonical order: the node number of the NSEC; or
 *               the hash, 20 octets, and the offset divided by 4 of the NSEC3 set
 *   padding     at least DNS_NAME_PAD octets
 *
 * A slot is 0 when free, else it has the node number in its low node_bits bits, and above them as
 * many low bits of the name's hash as there is room for. A name is in the slot that the high bits
 * of its hash (dns_hash() of what the node has of it) choose, or in the first free one behind it. Less than 5/7 of the
 * slots are used.
 *
 * A set is all records of one name and type:
 *   u16 type, u16 number of records (low 15 bits; bit 15: signed), u16 octets of records, u16 octets of
 *   fix-ups
 *   records: as they appear in an answer; each owner is the pointer C00C to the question's name
 *   fix-ups: u16 n, n relocations, then references to the end; absent when there are none of either
 *     relocation: u16, the low 15 bits are the offset in `records` of a compression pointer;
 *       bit 15 clear: the pointer means the owner's name, that of a wildcard without its asterisk, or
 *         one of its ancestors, and is C000 plus the octets in front of the apex: C000 is the apex;
 *       bit 15 set: it means an earlier name in these records, and is C000 plus its offset there;
 *     reference: u16, the low 15 bits are the offset in `records` of a name; bit 15: the name is at
 *       or below the owner, its addresses are not to be left out (RFC 9471); then u32 number of the
 *       node which has the addresses, 0 for none
 *   signatures, if signed: u16 number, u16 octets, RRSIG records in the form of `records`
 *
 * So the usual answer is a copy of `records`, and every other use of a set changes pointers only.
 */
#ifndef LIB_DNS_IMAGE_H
#define LIB_DNS_IMAGE_H

#include "lib/dns/name.h"
#include "lib/util.h"

#define IMAGE_MAGIC "XNLZONE4"

enum {
    IMAGE_OFF_MAGIC = 0,       /* 8 octets */
    IMAGE_OFF_SIZE = 8,        /* u64, octets of the image, a multiple of 64 */
    IMAGE_OFF_NODES = 16,      /* u32, first node's number */
    IMAGE_OFF_NODES_END = 20,  /* u32, number behind the last node */
    IMAGE_OFF_NODE_COUNT = 24, /* u32 */
    IMAGE_OFF_SLOTS = 28,      /* u32, octet offset */
    IMAGE_OFF_SLOT_COUNT = 32, /* u32 */
    IMAGE_OFF_SOA = 36,        /* u32, octet offset of the negative SOA's set */
    IMAGE_OFF_RECORDS = 40,    /* u32, records of the zone */
    IMAGE_OFF_SERIAL = 44,     /* u32 */
    IMAGE_OFF_NODE_BITS = 48,  /* u8, 1..31 */
    IMAGE_OFF_MAX_DEPTH = 49,  /* u8, most labels a name has below the apex */
    IMAGE_OFF_NAME_LEN = 50,   /* u8 */
    IMAGE_OFF_FEATURES = 51,   /* u8, FEATURE_*: what the server must be able to do, and PARTIAL */
    IMAGE_OFF_DENIAL = 52,     /* u32, offset of the denial entries divided by 4 */
    IMAGE_OFF_DENIALS = 56,    /* u32, their number */
    IMAGE_OFF_NSEC3 = 60,      /* u32, octet offset of the NSEC3 parameters: u16 iterations, salt */
    IMAGE_HEADER = 64,
    IMAGE_ALIGN = 64,

    FEATURE_DNAME = 1,
    FEATURE_SIGNED = 2, /* has signatures, and maybe one of the next two */
    FEATURE_NSEC = 4,
    FEATURE_NSEC3 = 8,
    FEATURE_PARTIAL = 16, /* records were left out: differences from it (RFC 1995) are of no use */
    FEATURES_SIGNED = FEATURE_SIGNED | FEATURE_NSEC | FEATURE_NSEC3,
    FEATURES = FEATURE_PARTIAL | /* of this build */
               (IS_ENABLED(CONFIG_DNS_DNAME) ? FEATURE_DNAME : 0) |
               (IS_ENABLED(CONFIG_DNS_DNSSEC) ? FEATURES_SIGNED : 0),

    NODE_HEADER = 4,
    NODE_CUT = 1,       /* a delegation: not the apex, has NS */
    NODE_BELOW = 2,     /* below a delegation */
    NODE_WILD = 4,      /* has a child named "*" */
    NODE_CNAME = 8,     /* has a CNAME */
    NODE_ASTERISK = 16, /* its own first label is "*" */
    NODE_DNAME = 32,    /* has a DNAME */

    SET_HEADER = 8,
    SET_SIGNED = 0x8000,
    SIGNATURES_HEADER = 4,
    NSEC3_HASH = 20, /* octets of a SHA-1 hash, the only one there is */
    NSEC3_ENTRY = NSEC3_HASH + 4,
    NSEC3_ITERATIONS_MAX = 50, /* validators take zones with more as unsigned (RFC 9276) */
    SET_RECORDS_MAX = 65000,
    RECORD_HEADER = 12, /* owner pointer, type, class, TTL, length of data */
    RELOC_SELF = 0x8000,
    RELOC_SELF_MAX =
        0x2000, /* relocations to own names: targets, and position of the set, lie below, so do
                   names looked at */
    REF_SIZE = 6,
    REF_NEEDED = 0x8000,
    OWNER_POINTER = 0xc00c,
    POINTER_BITS = 0xc000,
    POINTER_MAX = 0x3fff,
};

enum {
    TYPE_A = 1,
    TYPE_NS = 2,
    TYPE_CNAME = 5,
    TYPE_SOA = 6,
    TYPE_PTR = 12,
    TYPE_MX = 15,
    TYPE_TXT = 16,
    TYPE_AAAA = 28,
    TYPE_SRV = 33,
    TYPE_KX = 36,
    TYPE_DNAME = 39,
    TYPE_OPT = 41,
    TYPE_DS = 43,
    TYPE_RRSIG = 46,
    TYPE_NSEC = 47,
    TYPE_DNSKEY = 48,
    TYPE_NSEC3 = 50,
    TYPE_NSEC3PARAM = 51,
    TYPE_ZONEMD = 63,
    TYPE_HTTPS = 65,
    TYPE_TSIG = 250,
    TYPE_META = 128, /* up to ANY: questions that are not for data (RFC 6895 section 3.1) */
    TYPE_IXFR = 251,
    TYPE_AXFR = 252,
    TYPE_MAILB = 253,
    TYPE_MAILA = 254,
    TYPE_ANY = 255,
    CLASS_IN = 1,
    CLASS_CHAOS = 3,
    CLASS_ANY = 255,
};

static inline unsigned node_flags(const uint8_t *node)
{
    return node[0];
}

/* Does NODE redirect what is below it? */
static inline bool node_is_dname(const uint8_t *node)
{
    return IS_ENABLED(CONFIG_DNS_DNAME) && node_flags(node) & NODE_DNAME;
}

static inline unsigned node_name_len(const uint8_t *node)
{
    return node[1];
}

static inline unsigned node_sets(const uint8_t *node)
{
    return dns_le16(node + 2);
}

static inline const uint8_t *node_name(const uint8_t *node)
{
    return node + NODE_HEADER;
}

static inline const uint8_t *node_first_set(const uint8_t *node)
{
    return node + NODE_HEADER + node_name_len(node);
}

static inline unsigned set_type(const uint8_t *set)
{
    return dns_le16(set);
}

static inline unsigned set_count(const uint8_t *set)
{
    return dns_le16(set + 2) & ~SET_SIGNED;
}

static inline bool set_is_signed(const uint8_t *set)
{
    return IS_ENABLED(CONFIG_DNS_DNSSEC) && dns_le16(set + 2) & SET_SIGNED;
}

static inline unsigned set_records_len(const uint8_t *set)
{
    return dns_le16(set + 4);
}

static inline unsigned set_fixups_len(const uint8_t *set)
{
    return dns_le16(set + 6);
}

static inline const uint8_t *set_records(const uint8_t *set)
{
    return set + SET_HEADER;
}

static inline const uint8_t *set_fixups(const uint8_t *set)
{
    return set + SET_HEADER + set_records_len(set);
}

/* The signatures of a set that is signed: their header, number, octets, records. */
static inline const uint8_t *set_signatures(const uint8_t *set)
{
    return set_fixups(set) + set_fixups_len(set);
}

static inline unsigned signatures_count(const uint8_t *signatures)
{
    return dns_le16(signatures);
}

static inline unsigned signatures_len(const uint8_t *signatures)
{
    return dns_le16(signatures + 2);
}

static inline const uint8_t *set_next(const uint8_t *set)
{
    const uint8_t *end = set_signatures(set);

    return set_is_signed(set) ? end + SIGNATURES_HEADER + signatures_len(end) : end;
}

/* The references of a set and their end. */
static inline const uint8_t *set_refs(const uint8_t *set, const uint8_t **end)
{
    const uint8_t *fix = set_fixups(set);

    *end = set_signatures(set);
    return fix == *end ? fix : fix + 2 + 2 * dns_le16(fix);
}

static inline const uint8_t *record_next(const uint8_t *record)
{
    return record + RECORD_HEADER + dns_be16(record + RECORD_HEADER - 2);
}

/* First slot to look at for HASH. */
static inline uint32_t slot_first(uint32_t hash, uint32_t slot_count)
{
    return (uint64_t)hash * slot_count >> 32;
}

/* Value of a slot which holds node number NODE. */
static inline uint32_t slot_value(uint32_t hash, uint32_t node, unsigned node_bits)
{
    return hash << node_bits | node;
}

#endif
