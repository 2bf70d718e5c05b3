/* SPDX-License-Identifier: ISC */
/*
 * The fields that record data is made of, from text to wire form. Escapes in texts are those of RFC
 * 1035 section 5.1.
 */
#include "lib/dns/field.h"

#include "lib/dns/image.h"
#include "lib/dns/zonefile.h"

const char *field_octets(struct field_out *out, const void *octets, size_t n)
{
    if (n > RDATA_MAX - out->len)
        return "record data longer than 65535 octets";
    memcpy(out->data + out->len, octets, n);
    out->len += n;
    return NULL;
}

const char *field_octet(struct field_out *out, uint8_t octet)
{
    return field_octets(out, &octet, 1);
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

const char *field_name(struct field_out *out, const char *text, const uint8_t *origin)
{
    uint8_t name[DNS_NAME_MAX + 1];
    const char *wrong = dns_name_parse(text, origin, name);

    return wrong ? wrong : field_octets(out, name, dns_name_length(name, DNS_NAME_MAX));
}

const char *field_number(struct field_out *out, const char *text, unsigned octets)
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
        const char *wrong = field_octet(out, value >> 8 * octets);

        if (wrong)
            return wrong;
    }
    return NULL;
}

bool dns_time_parse(const char *text, uint32_t *seconds)
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

const char *field_time(struct field_out *out, const char *text)
{
    uint8_t be[4];
    uint32_t seconds;

    if (!dns_time_parse(text, &seconds))
        return "not a time";
    dns_put_be32(be, seconds);
    return field_octets(out, be, sizeof(be));
}

const char *field_ipv4(struct field_out *out, const char *text)
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
    return field_octets(out, address, sizeof(address));
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One to four digits of base 16 at *TEXT, which is moved on; -1: there are none, or more. */
static int hex_group(const char **text)
{
    unsigned n = 0;
    int value = 0;

    for (int digit; (digit = hex_digit(**text)) >= 0; (*text)++, n++)
        value = (value << 4 | digit) & 0xffff;
    return n >= 1 && n <= 4 ? value : -1;
}

const char *field_ipv6(struct field_out *out, const char *text)
{
    static const char wrong[] = "not an IPv6 address";
    uint8_t address[16] = {0};
    struct field_out tail = {.data = address};
    int n = 0, gap = -1;

    while (*text) {
        int group;

        if (text[0] == ':' && text[1] == ':') {
            if (gap >= 0)
                return wrong;
            gap = n;
            text += 2;
            continue;
        }
        if (n > 14)
            return wrong;
        if (n <= 12 && strchr(text, '.') && !strchr(text, ':')) {
            tail.len = n;
            if (field_ipv4(&tail, text))
                return wrong;
            n += 4;
            break;
        }
        group = hex_group(&text);
        if (group < 0 || (*text && *text != ':') || (text[0] == ':' && !text[1]))
            return wrong;
        dns_put_be16(address + n, group);
        n += 2;
        if (text[0] == ':' && text[1] != ':')
            text++;
    }
    if (gap < 0 ? n != 16 : n > 14)
        return wrong;
    if (gap >= 0) {
        memmove(address + 16 - (n - gap), address + gap, n - gap);
        memset(address + gap, 0, 16 - n);
    }
    return field_octets(out, address, sizeof(address));
}

const char *field_text(struct field_out *out, const char *text, size_t limit)
{
    size_t start = out->len;

    while (*text) {
        int octet = lexer_octet(&text);
        const char *wrong = octet < 0 ? "malformed escape in a string" : field_octet(out, octet);

        if (wrong)
            return wrong;
        if (out->len - start > limit)
            return "string longer than 255 octets";
    }
    return NULL;
}

const char *field_string(struct field_out *out, const char *text)
{
    size_t start = out->len;
    const char *wrong = field_octet(out, 0);

    if (!wrong)
        wrong = field_text(out, text, 255);
    if (!wrong)
        out->data[start] = out->len - start - 1;
    return wrong;
}

static int base64_digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;

    return at ? at - digits : -1;
}

const char *field_digits(struct field_out *out, const char *text, struct field_digits *d)
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
            wrong = field_octet(out, d->value >> d->have);
        }
        if (wrong)
            return wrong;
    }
    return NULL;
}

const char *field_digits_end(const struct field_digits *d)
{
    if (d->bits == 4 && d->have)
        return "odd number of base 16 digits";
    if (d->bits == 6 && (d->have > 4 || d->padding * 2 != d->have))
        return "base 64 data is cut short";
    return NULL;
}
