/* SPDX-License-Identifier: ISC */
/*
 * Types of records: names, numbers and the format of their data.
 *
 * A format is a string, one character a field:
 *   4 IPv4 address     6 IPv6 address
 *   b w l  integer of one, two, four octets       t  a time, four octets, units allowed (1h30m)
 *   n  name that messages may compress (types of RFC 1035 only)      N  name that they may not
 *   s  one character-string    S  one or more of them, to the end of the record
 *   r  one string of the rest of the data, without a length octet    u  the same, not empty (URI)
 *   g  one character-string of letters and digits (CAA)
 *   x  base 16 to the end      d  base 64 to the end       X  base 16 to the end, after 0x (NSAP)
 *   k  base 64 to the end, or empty (KEY); x, X and d are not
 *   a  DNSSEC algorithm, one octet      c  type of a certificate      T  type of a record
 *   D  date in seconds, four octets     h  base 16 behind its length  H  base 32 behind its length
 *   m  type bitmap      p  service parameters      A  address prefixes: each to the end, or empty
 *   e  six octets in base 16, with hyphens    E  eight of them    i  eight octets in four groups
 *   L  location (RFC 1876)    G  gateway and key, behind the octets that say what they are (IPSECKEY)
 *   P  all of a HIP record    M  relay, behind the octet that says what it is (AMTRELAY)
 *   W  protocol and a bit for each port (WKS)    y  scheme of a notification, one octet (DSYNC)
 */
#ifndef LIB_DNS_RRTYPE_H
#define LIB_DNS_RRTYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The number of the type called TEXT (a mnemonic, or TYPEnnn of RFC 3597), or -1. */
int dns_type_number(const char *text);

/* The format of the type's data, or NULL when it is opaque. */
const char *dns_type_format(unsigned type);

/* True for types that only occur in questions or messages and cannot be in a zone. */
bool dns_type_is_meta(unsigned type);

/* Offset in the data of the name whose addresses go to the additional section, or -1. */
int dns_type_target(unsigned type);

/* Does the data have the format of its type? */
bool dns_rdata_ok(unsigned type, const uint8_t *data, size_t len);

/* Is the character-string of letters and digits, and not empty? */
bool dns_tag_ok(const uint8_t *string);

/*
 * An order of well-formed data of one type and length: negative, 0 when the two are the same, positive. Names in
 * them compare without regard to case (RFC 2181 section 5, RFC 4034 section 6.2).
 */
int dns_rdata_compare(unsigned type, const uint8_t *a, const uint8_t *b, size_t len);

/*
 * The octets of the next field of a record with well-formed data; *format and *data (LEN octets to
 * the end) are at that field. Fields that go to the end take all.
 */
size_t dns_field_length(char format, const uint8_t *data, size_t len);

#endif
