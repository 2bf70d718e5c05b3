/* SPDX-License-Identifier: ISC */
/*
 * The data of records with a key and where to find its owner, from text to wire form: IPSECKEY (RFC 4025
 * section 3), whose gateway is what the octet of its type says, and HIP (RFC 8005 section 5). Also AMTRELAY
 * (RFC 8777 section 4), which has no key, but its relay is like a gateway.
 */
#include "lib/dns/field.h"

enum {
    GATEWAY_NONE,
    GATEWAY_IPV4,
    GATEWAY_IPV6,
    GATEWAY_NAME,
};

static const char *put_gateway(struct field_out *out, unsigned type, const char *text,
                               const uint8_t *origin)
{
    switch (type) {
    case GATEWAY_NONE:
        return strcmp(text, ".") ? "no gateway is written as a dot" : NULL;
    case GATEWAY_IPV4:
        return field_ipv4(out, text);
    case GATEWAY_IPV6:
        return field_ipv6(out, text);
    case GATEWAY_NAME:
        return field_name(out, text, origin);
    default:
        return "the type of the gateway is 0 to 3";
    }
}

const char *field_gateway(struct field_out *out, struct lexer *lex, const uint8_t *origin)
{
    unsigned type = out->data[out->len - 2], algorithm = out->data[out->len - 1];
    struct field_digits d = {.bits = 6};
    const char *wrong = put_gateway(out, type, lex->text, origin);
    bool more = false, any = false;

    while (!wrong && !(wrong = field_more(lex, &more)) && more) {
        wrong = field_digits(out, lex->text, &d);
        any = true;
    }
    if (!wrong && any != (algorithm != 0))
        wrong = any ? "algorithm 0 has no key" : "the key is missing";
    return wrong ? wrong : field_digits_end(&d);
}

const char *field_relay(struct field_out *out, struct lexer *lex, const uint8_t *origin)
{
    enum { DISCOVERY_OPTIONAL = 0x80 };
    bool discovery = !strcmp(lex->text, "1");
    size_t start = out->len;
    const char *wrong =
        discovery || !strcmp(lex->text, "0") ? field_want(lex) : "the discovery bit is 0 or 1";

    if (!wrong)
        wrong = field_number(out, lex->text, 1);
    if (!wrong && out->data[start] > GATEWAY_NAME)
        wrong = "the type of the relay is 0 to 3";
    if (!wrong)
        wrong = field_want(lex);
    if (!wrong)
        wrong = put_gateway(out, out->data[start], lex->text, origin);
    if (!wrong && discovery)
        out->data[start] |= DISCOVERY_OPTIONAL;
    return wrong;
}

/* The next word as digits of BITS bits; the octets it stands for at *LEN. */
static const char *put_digits(struct field_out *out, struct lexer *lex, unsigned bits, size_t *len)
{
    struct field_digits d = {.bits = bits};
    size_t start = out->len;
    const char *wrong = field_want(lex);

    if (!wrong)
        wrong = field_digits(out, lex->text, &d);
    *len = out->len - start;
    return wrong ? wrong : field_digits_end(&d);
}

const char *field_hip(struct field_out *out, struct lexer *lex, const uint8_t *origin)
{
    size_t start = out->len, tag, key;
    const char *wrong = field_octet(out, 0);
    bool more = false;

    if (!wrong)
        wrong = field_number(out, lex->text, 1);
    if (!wrong)
        wrong = field_octets(out, (const uint8_t[2]){0}, 2);
    if (!wrong)
        wrong = put_digits(out, lex, 4, &tag);
    if (!wrong)
        wrong = put_digits(out, lex, 6, &key);
    if (wrong)
        return wrong;
    if (!tag || tag > UINT8_MAX || !key)
        return "a host identity tag has 1 to 255 octets, and there is a key";
    out->data[start] = (uint8_t)tag;
    dns_put_be16(out->data + start + 2, (uint16_t)key);
    while (!wrong && !(wrong = field_more(lex, &more)) && more)
        wrong = field_name(out, lex->text, origin);
    return wrong;
}
