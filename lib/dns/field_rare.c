/* SPDX-License-Identifier: ISC */
/*
 * Fields of record data that few types have, from text to wire form: DNSSEC's (RFC 4034 section 3.2,
 * RFC 5155 section 3.3), interface identifiers (RFC 7043), locators (RFC 6742), address prefixes
 * (RFC 3123).
 */
#include "lib/dns/field.h"
#include "lib/dns/rrtype.h"

#include <stdlib.h>
#include <strings.h>

const char *field_more(struct lexer *lex, bool *more)
{
    enum token t = lexer_next(lex);

    *more = t == TOKEN_WORD || t == TOKEN_QUOTED;
    if (t == TOKEN_ERROR)
        return lex->error;
    if (!*more)
        lexer_push(lex);
    return NULL;
}

const char *field_want(struct lexer *lex)
{
    bool more;
    const char *wrong = field_more(lex, &more);

    return wrong || more ? wrong : "the record ends too early";
}

static const char *put_be16(struct field_out *out, unsigned value)
{
    uint8_t be[2];

    dns_put_be16(be, value);
    return field_octets(out, be, sizeof(be));
}

static const char *put_be32(struct field_out *out, uint32_t value)
{
    uint8_t be[4];

    dns_put_be32(be, value);
    return field_octets(out, be, sizeof(be));
}

static const char *put_type(struct field_out *out, const char *text)
{
    int type = dns_type_number(text);

    return type < 0 ? "unknown type" : put_be16(out, type);
}

/* A word that stands for a number, or the number itself. */
struct mnemonic {
    const char *word;
    uint16_t value;
};

static const char *put_mnemonic(struct field_out *out, const char *text,
                                const struct mnemonic *list, unsigned count, unsigned octets)
{
    for (unsigned i = 0; i < count; i++) {
        if (!strcasecmp(list[i].word, text))
            return octets == 1 ? field_octet(out, list[i].value) : put_be16(out, list[i].value);
    }
    return field_number(out, text, octets);
}

/* RFC 4034 appendix A.1 and its successors in the IANA registry. */
static const struct mnemonic algorithms[] = {
    {"RSAMD5", 1},
    {"DH", 2},
    {"DSA", 3},
    {"RSASHA1", 5},
    {"DSA-NSEC3-SHA1", 6},
    {"RSASHA1-NSEC3-SHA1", 7},
    {"RSASHA256", 8},
    {"RSASHA512", 10},
    {"ECC-GOST", 12},
    {"ECDSAP256SHA256", 13},
    {"ECDSAP384SHA384", 14},
    {"ED25519", 15},
    {"ED448", 16},
    {"INDIRECT", 252},
    {"PRIVATEDNS", 253},
    {"PRIVATEOID", 254},
};

/* RFC 4398 section 2.1. */
static const struct mnemonic certificates[] = {
    {"PKIX", 1}, {"SPKI", 2},   {"PGP", 3},     {"IPKIX", 4}, {"ISPKI", 5},
    {"IPGP", 6}, {"ACPKIX", 7}, {"IACPKIX", 8}, {"URI", 253}, {"OID", 254},
};

/* RFC 9859 section 2.1. */
static const struct mnemonic schemes[] = {{"NOTIFY", 1}};

/* N decimal digits at TEXT, or -1. */
static int digits(const char *text, unsigned n)
{
    int value = 0;

    for (; n; n--, text++) {
        if (*text < '0' || *text > '9')
            return -1;
        value = value * 10 + *text - '0';
    }
    return value;
}

/* Days before the month of a year of the Gregorian calendar, from 1 to 13. */
static unsigned days_before(int year, int month)
{
    static const uint16_t before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
    bool leap = year % 4 == 0 && (year % 100 || year % 400 == 0);

    return before[month - 1] + (leap && month > 2);
}

/* Days from the epoch to the first day of a year. */
static uint32_t days_to(int year)
{
    int past = year - 1;

    return past * 365 + past / 4 - past / 100 + past / 400 - 719162;
}

/* YYYYMMDDHHmmSS in UTC, or seconds since the epoch; both modulo 2^32 (RFC 4034 section 3.1.5). */
static const char *put_date(struct field_out *out, const char *text)
{
    int year, month, day, hour, minute, second;
    unsigned before;
    uint64_t seconds;

    if (strlen(text) != 14)
        return field_number(out, text, 4);
    year = digits(text, 4);
    month = digits(text + 4, 2);
    day = digits(text + 6, 2);
    hour = digits(text + 8, 2);
    minute = digits(text + 10, 2);
    second = digits(text + 12, 2);
    if (year < 1970 || month < 1 || month > 12 || day < 1 || hour < 0 || hour > 23 || minute < 0 ||
        minute > 59 || second < 0 || second > 60)
        return "not a date";
    before = days_before(year, month);
    if (before + day > days_before(year, month + 1))
        return "not a date";
    seconds =
        (days_to(year) + before + day - 1) * (uint64_t)86400 + hour * 3600 + minute * 60 + second;
    return put_be32(out, seconds);
}

static int base32_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'v' ? c - 'a' + 10 : -1;
}

/* Digits of base 32hex without padding (RFC 4648 section 7), behind their length. */
static const char *put_base32(struct field_out *out, const char *text)
{
    size_t start = out->len;
    unsigned value = 0, have = 0;
    const char *wrong = field_octet(out, 0);

    for (; *text && !wrong; text++) {
        int digit = base32_digit(*text);

        if (digit < 0)
            return "not base 32";
        value = (value << 5 | digit) & 0xfff;
        have += 5;
        if (have >= 8) {
            have -= 8;
            wrong = field_octet(out, value >> have);
        }
    }
    if (wrong)
        return wrong;
    if (have >= 5 || out->len == start + 1 || out->len - start - 1 > 255)
        return "base 32 data of a wrong length";
    out->data[start] = out->len - start - 1;
    return NULL;
}

/* Base 16 in one word, behind its length; "-" is nothing. */
static const char *put_salt(struct field_out *out, const char *text)
{
    struct field_digits d = {.bits = 4};
    size_t start = out->len;
    const char *wrong = field_octet(out, 0);

    if (!wrong && strcmp(text, "-"))
        wrong = field_digits(out, text, &d);
    if (!wrong)
        wrong = field_digits_end(&d);
    if (!wrong && out->len - start - 1 > 255)
        wrong = "salt longer than 255 octets";
    if (!wrong)
        out->data[start] = out->len - start - 1;
    return wrong;
}

/* GROUPS groups of DIGITS base 16 digits each, with a separator between them. */
static const char *put_groups(struct field_out *out, const char *text, unsigned groups,
                              unsigned digits, char separator)
{
    for (unsigned i = 0; i < groups; i++) {
        size_t n = strspn(text, "0123456789abcdefABCDEF");
        unsigned long value = strtoul(text, NULL, 16);
        const char *wrong;

        /* A locator's group may leave out leading zeroes, an identifier's may not. */
        if (!n || n > digits || (digits == 2 && n < 2))
            return "not groups of base 16 digits";
        text += n;
        if (*text != (i + 1 < groups ? separator : '\0'))
            return "not groups of base 16 digits";
        text++;
        wrong = digits == 2 ? field_octet(out, value) : put_be16(out, value);
        if (wrong)
            return wrong;
    }
    return NULL;
}

static const char *put_nsap(struct field_out *out, const char *text)
{
    struct field_digits d = {.bits = 4};
    const char *wrong;

    if (strncasecmp(text, "0x", 2))
        return "an NSAP address begins with 0x";
    for (text += 2; *text; text++) {
        char digit[] = {*text, '\0'};

        wrong = *text == '.' ? NULL : field_digits(out, digit, &d);
        if (wrong)
            return wrong;
    }
    return field_digits_end(&d);
}

/* RFC 8659 section 4.1. */
static const char *put_tag(struct field_out *out, const char *text)
{
    size_t start = out->len;
    const char *wrong = field_string(out, text);

    return wrong || dns_tag_ok(out->data + start) ? wrong : "a tag is letters and digits";
}

const char *field_rare(struct field_out *out, char format, const char *text)
{
    switch (format) {
    case 'T':
        return put_type(out, text);
    case 'a':
        return put_mnemonic(out, text, algorithms, ARRAY_SIZE(algorithms), 1);
    case 'c':
        return put_mnemonic(out, text, certificates, ARRAY_SIZE(certificates), 2);
    case 'y':
        return put_mnemonic(out, text, schemes, ARRAY_SIZE(schemes), 1);
    case 'D':
        return put_date(out, text);
    case 'g':
        return put_tag(out, text);
    case 'h':
        return put_salt(out, text);
    case 'H':
        return put_base32(out, text);
    case 'e':
        return put_groups(out, text, 6, 2, '-');
    case 'E':
        return put_groups(out, text, 8, 2, '-');
    case 'i':
        return put_groups(out, text, 4, 4, ':');
    default:
        return put_nsap(out, text);
    }
}

const char *field_bitmap(struct field_out *out, struct lexer *lex)
{
    uint8_t bits[65536 / 8] = {0};
    const char *wrong;
    bool more;

    for (;;) {
        int type;

        wrong = field_more(lex, &more);
        if (wrong || !more)
            break;
        type = dns_type_number(lex->text);
        if (type < 0)
            return "unknown type";
        bits[type / 8] |= 0x80 >> type % 8;
    }
    for (unsigned window = 0; window < 256 && !wrong; window++) {
        const uint8_t *block = bits + 32 * window;
        unsigned n = 32;

        while (n && !block[n - 1])
            n--;
        if (!n)
            continue;
        wrong = field_octet(out, window);
        if (!wrong)
            wrong = field_octet(out, n);
        if (!wrong)
            wrong = field_octets(out, block, n);
    }
    return wrong;
}

/* [!]family:address/prefix */
static const char *put_prefix(struct field_out *out, char *text)
{
    bool negated = *text == '!';
    char *colon = strchr(text, ':'), *slash = strchr(text, '/'), *end;
    uint8_t address[16], item[4 + 16];
    struct field_out to = {.data = address};
    unsigned long family = strtoul(text + negated, &end, 10), prefix;
    unsigned n;
    const char *wrong;

    if (!colon || !slash || end != colon || (family != 1 && family != 2))
        return "not an address prefix";
    *slash = '\0';
    wrong = family == 1 ? field_ipv4(&to, colon + 1) : field_ipv6(&to, colon + 1);
    if (wrong)
        return wrong;
    prefix = strtoul(slash + 1, &end, 10);
    if (end == slash + 1 || *end || prefix > (family == 1 ? 32 : 128))
        return "not an address prefix";
    for (n = to.len; n && !address[n - 1]; n--)
        ;
    dns_put_be16(item, family);
    item[2] = prefix;
    item[3] = (negated ? 0x80 : 0) | n;
    memcpy(item + 4, address, n);
    return field_octets(out, item, 4 + n);
}

const char *field_prefixes(struct field_out *out, struct lexer *lex)
{
    bool more;

    for (;;) {
        const char *wrong = field_more(lex, &more);

        if (!wrong && more)
            wrong = put_prefix(out, lex->text);
        if (wrong || !more)
            return wrong;
    }
}
