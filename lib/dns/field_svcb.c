/* SPDX-License-Identifier: ISC */
/*
 * Service parameters of SVCB and HTTPS records from text to wire form (RFC 9460 section 2.1 and
 * appendix A). Parameters may be written in any order; in the message they are sorted by key.
 *
 * A key has a value in the form of its own (port=443) if it is called by name; called by number its value is
 * text whose octets are the wire form (key3="\001\187").
 */
#include "lib/dns/field.h"
#include "lib/dns/svcparams.h"

#include <stdlib.h>

enum { PARAMS_MAX = 64 }; /* of a record */

static const char *const key_names[] = {
    "mandatory", "alpn",     "no-default-alpn", "port",  "ipv4hint",
    "ech",       "ipv6hint", "dohpath",         "ohttp",
};

/* The number of the key in the N characters at TEXT, or -1. */
static int key_number(const char *text, size_t n)
{
    unsigned long value;
    char *end;

    for (unsigned i = 0; i < ARRAY_SIZE(key_names); i++) {
        if (strlen(key_names[i]) == n && !memcmp(key_names[i], text, n))
            return i;
    }
    if (n < 4 || n > 8 || memcmp(text, "key", 3) || text[3] < '0' || text[3] > '9')
        return -1;
    value = strtoul(text + 3, &end, 10);
    return end == text + n && value < 65535 && (text[3] != '0' || n == 4) ? (int)value : -1;
}

static const char *put_key_number(struct field_out *out, const char *text)
{
    int key = key_number(text, strlen(text));
    uint8_t be[2];

    if (key <= SVC_MANDATORY)
        return "not a key";
    dns_put_be16(be, key);
    return field_octets(out, be, sizeof(be));
}

/* Keys of `mandatory` are sorted, and each is there once. */
static const char *sort_keys(uint8_t *keys, size_t n)
{
    for (size_t i = 2; i < n; i += 2) {
        for (size_t j = i; j && dns_be16(keys + j - 2) >= dns_be16(keys + j); j -= 2) {
            unsigned high = dns_be16(keys + j - 2);

            if (high == dns_be16(keys + j))
                return "a key is there twice";
            dns_put_be16(keys + j - 2, dns_be16(keys + j));
            dns_put_be16(keys + j, high);
        }
    }
    return NULL;
}

static const char *put_item(struct field_out *out, int key, const char *item)
{
    switch (key) {
    case SVC_MANDATORY:
        return put_key_number(out, item);
    case SVC_ALPN:
        return *item ? field_string(out, item) : "empty item in a list";
    case SVC_IPV4HINT:
        return field_ipv4(out, item);
    default:
        return field_ipv6(out, item);
    }
}

/*
 * A list of items between commas. Its text is escaped twice: once as any string, and inside that a
 * comma or backslash of an item. The first layer is undone to find the commas; items go on in the
 * form of a string.
 */
static const char *put_list(struct field_out *out, int key, const char *text)
{
    char item[4 * 256 + 1];
    size_t n = 0;

    for (;;) {
        int octet = *text ? lexer_octet(&text) : -2;
        bool ends = octet == -2 || octet == ',';

        if (octet == '\\') {
            octet = *text ? lexer_octet(&text) : -1;
            if (octet != ',' && octet != '\\')
                return "malformed escape in a list";
        }
        if (octet == -1)
            return "malformed escape in a list";
        if (ends) {
            const char *wrong;

            item[n] = '\0';
            wrong = put_item(out, key, item);
            if (wrong || octet == -2)
                return wrong;
            n = 0;
            continue;
        }
        if (n + 4 >= sizeof(item))
            return "item of a list too long";
        if (octet > ' ' && octet < 0x7f && octet != '\\') {
            item[n++] = octet;
        } else {
            item[n++] = '\\';
            item[n++] = '0' + octet / 100;
            item[n++] = '0' + octet / 10 % 10;
            item[n++] = '0' + octet % 10;
        }
    }
}

static const char *put_base64(struct field_out *out, const char *text)
{
    struct field_digits d = {.bits = 6};
    const char *wrong = field_digits(out, text, &d);

    return wrong ? wrong : field_digits_end(&d);
}

/* The value of a parameter called by the name of its key. */
static const char *put_value(struct field_out *out, int key, const char *value)
{
    size_t start = out->len;
    const char *wrong;

    switch (key) {
    case SVC_PORT:
        return field_number(out, value, 2);
    case SVC_ECH:
        return put_base64(out, value);
    case SVC_MANDATORY:
    case SVC_ALPN:
    case SVC_IPV4HINT:
    case SVC_IPV6HINT:
        wrong = put_list(out, key, value);
        if (!wrong && key == SVC_MANDATORY)
            wrong = sort_keys(out->data + start, out->len - start);
        return wrong;
    default:
        return field_text(out, value, RDATA_MAX);
    }
}

/* A parameter read: its octets are at `at` in the record's data. */
struct param {
    int key;
    size_t at, len;
};

static const char *read_param(struct field_out *out, struct lexer *lex, struct param *param)
{
    const char *equals = strchr(lex->text, '='), *value = equals ? equals + 1 : "", *wrong;
    size_t name_len = equals ? (size_t)(equals - lex->text) : lex->text_len;
    bool by_number = !strncmp(lex->text, "key", 3);
    uint8_t header[SVC_PARAM_HEADER] = {0};

    param->at = out->len;
    param->key = key_number(lex->text, name_len);
    if (param->key < 0)
        return "unknown service parameter";
    if (equals && !*value) {
        /* key="..." comes as two tokens. */
        enum token t = lexer_next(lex);

        if (t == TOKEN_ERROR)
            return lex->error;
        if (t == TOKEN_QUOTED && !lex->blank)
            value = lex->text;
        else
            lexer_push(lex), value = "";
    }
    wrong = field_octets(out, header, sizeof(header));
    if (!wrong && *value)
        wrong = by_number ? field_text(out, value, RDATA_MAX) : put_value(out, param->key, value);
    if (wrong)
        return wrong;
    param->len = out->len - param->at;
    dns_put_be16(out->data + param->at, param->key);
    dns_put_be16(out->data + param->at + 2, param->len - SVC_PARAM_HEADER);
    return svcparam_check(param->key, out->data + param->at + SVC_PARAM_HEADER,
                          param->len - SVC_PARAM_HEADER);
}

static bool is_there(const struct param *list, unsigned count, int key)
{
    for (unsigned i = 0; i < count; i++) {
        if (list[i].key == key)
            return true;
    }
    return false;
}

/* Puts the parameters, in DATA behind each other, in the order of their keys. */
static const char *sort_params(uint8_t *data, struct param *list, unsigned count)
{
    size_t start = list[0].at, size = list[count - 1].at + list[count - 1].len - start;
    uint8_t *copy = malloc(size), *to = data + start;

    if (!copy)
        return "out of memory";
    memcpy(copy, to, size);
    for (int n = 0, key = -1; n < (int)count; n++) {
        const struct param *next = &list[0];

        for (unsigned i = 1; i < count; i++) {
            if (list[i].key > key && (next->key <= key || list[i].key < next->key))
                next = &list[i];
        }
        memcpy(to, copy + next->at - start, next->len);
        to += next->len;
        key = next->key;
    }
    free(copy);
    return NULL;
}

const char *field_svcparams(struct field_out *out, struct lexer *lex)
{
    struct param list[PARAMS_MAX];
    size_t start = out->len;
    unsigned count = 0;
    const char *wrong;
    bool more;

    for (;;) {
        wrong = field_more(lex, &more);
        if (wrong || !more)
            break;
        if (count == PARAMS_MAX)
            return "too many service parameters";
        wrong = read_param(out, lex, &list[count]);
        if (wrong)
            return wrong;
        if (is_there(list, count, list[count].key))
            return "a service parameter is there twice";
        count++;
    }
    if (!wrong && count)
        wrong = sort_params(out->data, list, count);
    return wrong ? wrong : svcparams_check(out->data + start, out->len - start);
}
