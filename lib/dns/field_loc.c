/* SPDX-License-Identifier: ISC */
/*
 * The data of LOC records from text to wire form (RFC 1876):
 *   degrees [minutes [seconds]] N|S  degrees [minutes [seconds]] E|W  altitude [size [hp [vp]]]
 */
#include "lib/dns/field.h"

#include <strings.h>

/*
 * A decimal number with up to DECIMALS digits behind the point, as an integer of its smallest digit. Returns where
 * it ends in TEXT, or NULL: it is none, or larger than 2^40.
 */
static const char *fixed(const char *text, unsigned decimals, uint64_t *value)
{
    bool point = false, any = false;
    uint64_t v = 0;

    for (;; text++) {
        if (*text == '.' && !point && decimals) {
            point = true;
            continue;
        }
        if (*text < '0' || *text > '9')
            break;
        if ((point && !decimals) || v >> 40)
            return NULL;
        v = v * 10 + *text - '0';
        any = true;
        decimals -= point;
    }
    for (; decimals; decimals--)
        v *= 10;
    *value = v;
    return any ? text : NULL;
}

/* Metres, with their unit or without, as centimetres; false when they are not. */
static bool metres(const char *text, uint64_t *value)
{
    const char *end = fixed(text, 2, value);

    return end && (!*end || !strcasecmp(end, "m"));
}

/*
 * An angle up to its hemisphere, one of the two letters of SIDES: thousandths of a second of arc, as
 * RFC 1876 counts them. The first word is in the lexer.
 */
static const char *read_angle(struct lexer *lex, const char *sides, unsigned limit, uint32_t *angle)
{
    static const uint32_t unit[] = {3600000, 60000, 1}, most[] = {181, 60, 60000};
    uint64_t total = 0;
    bool more = true;

    for (unsigned i = 0;; i++) {
        const char *wrong, *end;
        uint64_t value;

        if (i && lex->text_len == 1 && (lex->text[0] | 0x20) == sides[0]) {
            *angle = 0x80000000u + total;
            return total > limit * UINT64_C(3600000) ? "angle too large" : NULL;
        }
        if (i && lex->text_len == 1 && (lex->text[0] | 0x20) == sides[1]) {
            *angle = 0x80000000u - total;
            return total > limit * UINT64_C(3600000) ? "angle too large" : NULL;
        }
        end = i < 3 ? fixed(lex->text, i == 2 ? 3 : 0, &value) : NULL;
        if (!end || *end || value >= most[i])
            return "not an angle";
        total += value * unit[i];
        wrong = field_more(lex, &more);
        if (wrong || !more)
            return wrong ? wrong : "the record ends too early";
    }
}

/* A length in centimetres as a digit and a power of ten (RFC 1876 section 2). */
static uint8_t magnitude(uint64_t value)
{
    unsigned power = 0;

    for (; value >= 10; value /= 10)
        power++;
    return value << 4 | power;
}

static const char *read_altitude(const char *text, uint32_t *altitude)
{
    enum { SEA_LEVEL = 10000000 };
    bool below = *text == '-';
    uint64_t value;

    if (!metres(text + below, &value) || (below && value > SEA_LEVEL) ||
        (!below && value > UINT32_MAX - SEA_LEVEL))
        return "not an altitude";
    *altitude = below ? SEA_LEVEL - value : SEA_LEVEL + value;
    return NULL;
}

const char *field_location(struct field_out *out, struct lexer *lex)
{
    uint8_t data[16] = {0, 0x12, 0x16, 0x13}; /* 1 m, 10 km, 10 m */
    uint32_t latitude, longitude, altitude;
    bool more = false;
    const char *wrong = read_angle(lex, "ns", 90, &latitude);

    if (!wrong)
        wrong = field_more(lex, &more);
    if (!wrong)
        wrong = more ? read_angle(lex, "ew", 180, &longitude) : "the record ends too early";
    if (!wrong)
        wrong = field_more(lex, &more);
    if (!wrong)
        wrong = more ? read_altitude(lex->text, &altitude) : "the record ends too early";
    for (unsigned i = 1; i < 4 && !wrong && more; i++) {
        uint64_t value;

        wrong = field_more(lex, &more);
        if (wrong || !more)
            break;
        if (!metres(lex->text, &value) || value > UINT64_C(9000000000))
            return "not a length of at most 90000000 m";
        data[i] = magnitude(value);
    }
    if (wrong)
        return wrong;
    dns_put_be32(data + 4, latitude);
    dns_put_be32(data + 8, longitude);
    dns_put_be32(data + 12, altitude);
    return field_octets(out, data, sizeof(data));
}
