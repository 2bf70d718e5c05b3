/* SPDX-License-Identifier: ISC */
/*
 * The fields of record data from text to wire form: private to the zone-file reader. Every function
 * appends to OUT and returns NULL, or what is wrong, in words for the person who wrote the file.
 */
#ifndef LIB_DNS_FIELD_H
#define LIB_DNS_FIELD_H

#include "lib/dns/lexer.h"

enum { RDATA_MAX = 65535 };

/* Where the data goes: the caller's RDATA_MAX octets, LEN of them written. */
struct field_out {
    uint8_t *data;
    size_t len;
};

const char *field_octets(struct field_out *out, const void *octets, size_t n);
const char *field_octet(struct field_out *out, uint8_t octet);

/* A name, relative ones below ORIGIN (NULL: none). */
const char *field_name(struct field_out *out, const char *text, const uint8_t *origin);
/* A decimal number of 1 to 4 octets. */
const char *field_number(struct field_out *out, const char *text, unsigned octets);
/* A time in seconds, see dns_time_parse(). */
const char *field_time(struct field_out *out, const char *text);
const char *field_ipv4(struct field_out *out, const char *text);
/* RFC 4291 section 2.2, in all three forms. */
const char *field_ipv6(struct field_out *out, const char *text);
/* The octets of a text with its escapes resolved; LIMIT is the most there may be. */
const char *field_text(struct field_out *out, const char *text, size_t limit);
/* The same as a character-string: a length and at most 255 octets. */
const char *field_string(struct field_out *out, const char *text);

/* A run of digits of BITS bits each, which may be broken by blanks anywhere. */
struct field_digits {
    unsigned bits;
    unsigned value;
    unsigned have; /* bits in value */
    unsigned padding;
};

const char *field_digits(struct field_out *out, const char *text, struct field_digits *d);
/* After the last of the run: NULL, or what is missing. */
const char *field_digits_end(const struct field_digits *d);

/* The fields of few types (field_rare.c). FORMAT is the field's character in rrtype.h. */
const char *field_rare(struct field_out *out, char format, const char *text);

/* The next word of the record: NULL and *more false at the end of the line, or what is wrong. */
const char *field_more(struct lexer *lex, bool *more);
/* The next word of the record; that there is none is wrong. */
const char *field_want(struct lexer *lex);

/*
 * Fields that take all words up to the end of the record, which may be none: type bitmaps, address
 * prefixes, service parameters (field_svcb.c).
 */
const char *field_bitmap(struct field_out *out, struct lexer *lex);
const char *field_prefixes(struct field_out *out, struct lexer *lex);
const char *field_svcparams(struct field_out *out, struct lexer *lex);

/*
 * What is behind the three numbers of an IPSECKEY, gateway and key; what is behind the precedence of an AMTRELAY;
 * and all of a HIP record (field_key.c). The first word is in the lexer already.
 */
const char *field_gateway(struct field_out *out, struct lexer *lex, const uint8_t *origin);
const char *field_relay(struct field_out *out, struct lexer *lex, const uint8_t *origin);
const char *field_hip(struct field_out *out, struct lexer *lex, const uint8_t *origin);

/* Protocol and services of a WKS record (field_wks.c); the first word is in the lexer already. */
const char *field_services(struct field_out *out, struct lexer *lex);

/* A location (field_loc.c); the first word is in the lexer already. */
const char *field_location(struct field_out *out, struct lexer *lex);

/* A time in seconds with optional units (1h30m), RFC 2308 section 4 and BIND's units; false: not
 * one. */
bool dns_time_parse(const char *text, uint32_t *seconds);

#endif
