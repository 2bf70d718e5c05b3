/* SPDX-License-Identifier: ISC */
/*
 * Record data from text to wire form, led by the formats of rrtype.h. Data of any type may also be
 * written as \# LENGTH HEX (RFC 3597 section 5).
 *
 * Functions return NULL, or what is wrong, in words for the person who wrote the file.
 */
#include "lib/dns/rdata.h"

#include "lib/dns/field.h"
#include "lib/dns/image.h"
#include "lib/dns/rrtype.h"

#include <stdlib.h>

/* Reads strings or digits to the end of the record; the first one is in the lexer already. */
static const char *read_rest(struct lexer *lex, char format, struct field_out *out)
{
    struct field_digits d = {.bits = format == 'x' ? 4 : 6};
    const char *wrong = NULL;

    for (;;) {
        if (format == 'S')
            wrong = field_string(out, lex->text);
        else if (format == 'r')
            wrong = field_text(out, lex->text, RDATA_MAX);
        else
            wrong = field_digits(out, lex->text, &d);
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
            return format == 'S' ? NULL : field_digits_end(&d);
        }
    }
}

static const char *read_field(struct lexer *lex, char format, const uint8_t *origin,
                              struct field_out *out)
{
    switch (format) {
    case '4':
        return field_ipv4(out, lex->text);
    case '6':
        return field_ipv6(out, lex->text);
    case 'b':
        return field_number(out, lex->text, 1);
    case 'w':
        return field_number(out, lex->text, 2);
    case 'l':
        return field_number(out, lex->text, 4);
    case 't':
        return field_time(out, lex->text);
    case 'n':
    case 'N':
        return field_name(out, lex->text, origin);
    case 's':
        return field_string(out, lex->text);
    case 'L':
        return field_location(out, lex);
    case 'G':
        return field_gateway(out, lex, origin);
    case 'M':
        return field_relay(out, lex, origin);
    case 'P':
        return field_hip(out, lex, origin);
    case 'W':
        return field_services(out, lex);
    case 'u':
        return *lex->text ? field_text(out, lex->text, RDATA_MAX) : "a URI is not empty";
    case 'S':
    case 'r':
    case 'd':
    case 'k':
    case 'x':
        return read_rest(lex, format, out);
    default:
        return field_rare(out, format, lex->text);
    }
}

/* All fields of a record whose first word is in the lexer already. */
static const char *read_fields(struct lexer *lex, const char *format, const uint8_t *origin,
                               struct field_out *out)
{
    const char *wrong = NULL;

    for (bool first = true; *format && !wrong; format++, first = false) {
        bool more = true;

        switch (*format) {
        case 'm':
            return field_bitmap(out, lex);
        case 'p':
            return field_svcparams(out, lex);
        case 'A':
            return lexer_push(lex), field_prefixes(out, lex);
        default:
            break;
        }
        if (*format == 'k')
            wrong = field_more(lex, &more);
        else if (!first)
            wrong = field_want(lex);
        if (!wrong && more)
            wrong = read_field(lex, *format, origin, out);
    }
    return wrong;
}

/* \# LENGTH HEX; the \# is behind us. */
static const char *read_generic(struct lexer *lex, unsigned type, struct field_out *out)
{
    const char *wrong = field_want(lex);
    unsigned long length;
    char *end;

    if (wrong)
        return wrong;
    length = strtoul(lex->text, &end, 10);
    if (*end || end == lex->text || length > RDATA_MAX)
        return "not a length after \\#";
    if (length) {
        wrong = field_want(lex);
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
    const char *format = dns_type_format(type), *wrong;
    struct field_out out = {.data = data};
    bool more;

    wrong = field_more(lex, &more);
    if (wrong)
        return wrong;
    if (!more) {
        /* A list of address prefixes may be empty (RFC 3123 section 4). */
        wrong = format && *format == 'A' ? NULL : "the record ends too early";
    } else if (lex->latest == TOKEN_WORD && !strcmp(lex->text, "\\#")) {
        wrong = read_generic(lex, type, &out);
    } else if (!format) {
        wrong = "data of an unknown type must be written as \\# LENGTH HEX";
    } else {
        wrong = read_fields(lex, format, origin, &out);
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
