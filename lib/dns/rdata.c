/* SPDX-License-Identifier: ISC */
/*
 * Record data from text to wire form, led by the formats of rrtype.h. Data of any type may also be
 * written as \# LENGTH HEX (RFC 3597 section 5).
 *
 * Functions return NULL, or what is wrong, in words for the person who wrote the file.
 */
#include "lib/dns/rdata.h"

#include "lib/dns/image.h"
#include "lib/dns/rrtype.h"

#include <stdlib.h>

/* Where the data goes. */
struct out {
    uint8_t *data;
    size_t len;
};

static const char *put(struct out *out, const void *octets, size_t n)
{
    if (n > RDATA_MAX - out->len)
        return "record data longer than 65535 octets";
    memcpy(out->data + out->len, octets, n);
    out->len += n;
    return NULL;
}

static const char *put_octet(struct out *out, uint8_t octet)
{
    return put(out, &octet, 1);
}

/* The next token of the record, or an error when the line ends here. */
static const char *want(struct lexer *lex)
{
    switch (lexer_next(lex)) {
    case TOKEN_WORD:
    case TOKEN_QUOTED:
        return NULL;
    case TOKEN_ERROR:
        return lex->error;
    default:
        lexer_push(lex);
        return "the record ends too early";
    }
}

const char *dns_name_parse(const char *text, const uint8_t *origin, uint8_t *name)
{
    static const uint8_t root[] = {0};
    unsigned label = 0, pos = 1;

    if (!strcmp(text, "@") && origin) {
        memcpy(name, origin, dns_name_length(origin, DNS_NAME_MAX));
        return NULL;
    }
    if (!strcmp(text, "."))
        return name[0] = 0, NULL;
    for (;;) {
        bool dot = *text == '.', end = !*text;
        int octet;

        if (dot || end) {
            name[label] = pos - label - 1;
            if (name[label] == 0 && !(end && label))
                return "empty label in a name";
            if (name[label] == 0)
                return NULL; /* it ended with a dot */
            if (end)
                break;
            text++;
            label = pos;
        } else {
            octet = lexer_octet(&text);
            if (octet < 0)
                return "malformed escape in a name";
            if (pos - label > DNS_LABEL_MAX)
                return "label longer than 63 octets";
            name[pos] = octet;
        }
        if (++pos > DNS_NAME_MAX)
            return "name longer than 255 octets";
    }
    if (!origin)
        origin = root;
    if (pos + dns_name_length(origin, DNS_NAME_MAX) > DNS_NAME_MAX)
        return "name longer than 255 octets";
    memcpy(name + pos, origin, dns_name_length(origin, DNS_NAME_MAX));
    return NULL;
}

static const char *put_name(struct out *out, const char *text, const uint8_t *origin)
{
    uint8_t name[DNS_NAME_MAX + 1];
    const char *wrong = dns_name_parse(text, origin, name);

    return wrong ? wrong : put(out, name, dns_name_length(name, DNS_NAME_MAX));
}

static const char *put_number(struct out *out, const char *text, unsigned octets)
{
    uint64_t value = 0, max = ((uint64_t)1 << 8 * octets) - 1;

    if (!*text)
        return "a number is missing";
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return "not a number";
        value = value * 10 + *text - '0';
        if (value > max)
            return "number too large for its field";
    }
    while (octets--) {
        const char *wrong = put_octet(out, value >> 8 * octets);

        if (wrong)
            return wrong;
    }
    return NULL;
}

bool rdata_time(const char *text, uint32_t *seconds)
{
    uint64_t total = 0, value = 0;
    bool digits = false;

    if (!*text)
        return false;
    for (; *text; text++) {
        static const struct {
            char unit;
            uint32_t seconds;
        } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
        unsigned i;

        if (*text >= '0' && *text <= '9') {
            value = value * 10 + *text - '0';
            digits = true;
            if (value > UINT32_MAX)
                return false;
            continue;
        }
        for (i = 0; i < ARRAY_SIZE(units) && units[i].unit != (*text | 0x20); i++)
            ;
        if (i == ARRAY_SIZE(units) || !digits)
            return false;
        total += value * units[i].seconds;
        value = 0;
        digits = false;
    }
    total += value;
    *seconds = total;
    return total <= UINT32_MAX;
}

static const char *put_time(struct out *out, const char *text)
{
    uint8_t be[4];
    uint32_t seconds;

    if (!rdata_time(text, &seconds))
        return "not a time";
    dns_put_be32(be, seconds);
    return put(out, be, sizeof(be));
}

static const char *put_ipv4(struct out *out, const char *text)
{
    uint8_t address[4];

    for (unsigned i = 0; i < 4; i++) {
        unsigned value = 0, digits = 0;

        for (; *text >= '0' && *text <= '9' && digits < 4; digits++)
            value = value * 10 + *text++ - '0';
        if (!digits || digits > 3 || value > 255 || *text != (i < 3 ? '.' : '\0'))
            return "not an IPv4 address";
        text++;
        address[i] = value;
    }
    return put(out, address, sizeof(address));
}

/* RFC 4291 section 2.2, in all three forms. */
static const char *put_ipv6(struct out *out, const char *text)
{
    static const char wrong[] = "not an IPv6 address";
    uint8_t address[16] = {0};
    struct out tail = {.data = address};
    int n = 0, gap = -1;

    if (text[0] == ':' && text[1] != ':')
        return wrong;
    while (*text) {
        char *end;
        unsigned long group;

        if (text[0] == ':' && text[1] == ':') {
            if (gap >= 0)
                return wrong;
            gap = n;
            text += 2;
            continue;
        }
        if (*text == ':')
            text++;
        if (n > 14 || !strchr("0123456789abcdefABCDEF", *text) || !*text)
            return wrong;
        if (n <= 12 && strchr(text, '.') && !strchr(text, ':')) {
            tail.len = n;
            if (put_ipv4(&tail, text))
                return wrong;
            n += 4;
            break;
        }
        group = strtoul(text, &end, 16);
        if (end - text > 4 || (*end && *end != ':') || (end[0] == ':' && !end[1]))
            return wrong;
        dns_put_be16(address + n, group);
        n += 2;
        text = end;
    }
    if (gap < 0 ? n != 16 : n > 14)
        return wrong;
    if (gap >= 0) {
        memmove(address + 16 - (n - gap), address + gap, n - gap);
        memset(address + gap, 0, 16 - n);
    }
    return put(out, address, sizeof(address));
}

/* The octets of a text with its escapes resolved; LIMIT is the most there may be. */
static const char *put_text(struct out *out, const char *text, size_t limit)
{
    size_t start = out->len;

    while (*text) {
        int octet = lexer_octet(&text);
        const char *wrong = octet < 0 ? "malformed escape in a string" : put_octet(out, octet);

        if (wrong)
            return wrong;
        if (out->len - start > limit)
            return "string longer than 255 octets";
    }
    return NULL;
}

static const char *put_string(struct out *out, const char *text)
{
    size_t start = out->len;
    const char *wrong = put_octet(out, 0);

    if (!wrong)
        wrong = put_text(out, text, 255);
    if (!wrong)
        out->data[start] = out->len - start - 1;
    return wrong;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int base64_digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;

    return at ? at - digits : -1;
}

/* A run of digits of BITS bits each, which may be broken by blanks anywhere. */
struct digits {
    unsigned bits;
    unsigned value;
    unsigned have; /* bits in value */
    unsigned padding;
};

static const char *put_digits(struct out *out, const char *text, struct digits *d)
{
    for (; *text; text++) {
        int digit = d->bits == 4 ? hex_digit(*text) : base64_digit(*text);
        const char *wrong = NULL;

        if (d->bits == 6 && *text == '=') {
            d->padding++;
            continue;
        }
        if (digit < 0 || d->padding)
            return d->bits == 4 ? "not base 16" : "not base 64";
        d->value = (d->value << d->bits | digit) & 0xffff;
        d->have += d->bits;
        if (d->have >= 8) {
            d->have -= 8;
            wrong = put_octet(out, d->value >> d->have);
        }
        if (wrong)
            return wrong;
    }
    return NULL;
}

/* Reads strings or digits to the end of the record; the first one is in the lexer already. */
static const char *read_rest(struct lexer *lex, char format, struct out *out)
{
    struct digits d = {.bits = format == 'x' ? 4 : 6};
    const char *wrong = NULL;

    for (;;) {
        if (format == 'S')
            wrong = put_string(out, lex->text);
        else if (format == 'r')
            wrong = put_text(out, lex->text, RDATA_MAX);
        else
            wrong = put_digits(out, lex->text, &d);
        if (wrong || format == 'r')
            return wrong;
        switch (lexer_next(lex)) {
        case TOKEN_WORD:
        case TOKEN_QUOTED:
            continue;
        case TOKEN_ERROR:
            return lex->error;
        default:
            lexer_push(lex);
            if (format == 'x' && d.have)
                return "odd number of base 16 digits";
            if (format == 'd' && (d.have > 4 || d.padding * 2 != d.have))
                return "base 64 data is cut short";
            return NULL;
        }
    }
}

static const char *read_field(struct lexer *lex, char format, const uint8_t *origin,
                              struct out *out)
{
    switch (format) {
    case '4':
        return put_ipv4(out, lex->text);
    case '6':
        return put_ipv6(out, lex->text);
    case 'b':
        return put_number(out, lex->text, 1);
    case 'w':
        return put_number(out, lex->text, 2);
    case 'l':
        return put_number(out, lex->text, 4);
    case 't':
        return put_time(out, lex->text);
    case 'n':
    case 'N':
        return put_name(out, lex->text, origin);
    case 's':
        return put_string(out, lex->text);
    default:
        return read_rest(lex, format, out);
    }
}

/* \# LENGTH HEX; the \# is behind us. */
static const char *read_generic(struct lexer *lex, unsigned type, struct out *out)
{
    const char *wrong = want(lex);
    unsigned long length;
    char *end;

    if (wrong)
        return wrong;
    length = strtoul(lex->text, &end, 10);
    if (*end || end == lex->text || length > RDATA_MAX)
        return "not a length after \\#";
    if (length) {
        wrong = want(lex);
        if (!wrong)
            wrong = read_rest(lex, 'x', out);
        if (wrong)
            return wrong;
    }
    if (out->len != length)
        return "the data's length is not the one given after \\#";
    return dns_rdata_ok(type, out->data, out->len) ? NULL : "malformed data for this type";
}

const char *rdata_read(struct lexer *lex, unsigned type, const uint8_t *origin, uint8_t *data,
                       size_t *len)
{
    const char *format = dns_type_format(type), *wrong = want(lex);
    struct out out = {.data = data};

    if (wrong)
        return wrong;
    if (lex->latest == TOKEN_WORD && !strcmp(lex->text, "\\#")) {
        wrong = read_generic(lex, type, &out);
    } else if (!format) {
        wrong = "data of an unknown type must be written as \\# LENGTH HEX";
    } else {
        for (bool first = true; *format && !wrong; format++, first = false) {
            if (!first)
                wrong = want(lex);
            if (!wrong)
                wrong = read_field(lex, *format, origin, &out);
        }
    }
    if (wrong)
        return wrong;
    *len = out.len;
    switch (lexer_next(lex)) {
    case TOKEN_EOL:
    case TOKEN_EOF:
        lexer_push(lex);
        return NULL;
    case TOKEN_ERROR:
        return lex->error;
    default:
        return "more data than the type has fields";
    }
}
