/* SPDX-License-Identifier: ISC */
/*
 * Checks of service parameters: see svcparams.h.
 */
#include "lib/dns/svcparams.h"

#include "lib/dns/wire.h"

#include <stdbool.h>
#include <string.h>

static bool has_key(const uint8_t *data, size_t len, unsigned key)
{
    for (size_t at = 0; at < len; at += SVC_PARAM_HEADER + dns_be16(data + at + 2)) {
        if (dns_be16(data + at) == key)
            return true;
    }
    return false;
}

/* Section 8: keys in ascending order, not that of the list itself. */
static bool keys_ok(const uint8_t *keys, size_t len)
{
    unsigned before = SVC_MANDATORY;

    for (size_t i = 0; i + 1 < len; i += 2) {
        if (dns_be16(keys + i) <= before)
            return false;
        before = dns_be16(keys + i);
    }
    return len % 2 == 0;
}

/* Section 7.1.1: strings, none of them empty. */
static bool protocols_ok(const uint8_t *list, size_t len)
{
    size_t at = 0;

    while (at < len && list[at])
        at += list[at] + 1u;
    return at == len;
}

/* RFC 3629 section 4. */
static bool utf8_ok(const uint8_t *text, size_t len)
{
    while (len) {
        uint8_t first = *text;
        unsigned n = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

        if (n > len || (first >= 0x80 && first < 0xc2) || first > 0xf4)
            return false;
        for (unsigned i = 1; i < n; i++) {
            if ((text[i] & 0xc0) != 0x80)
                return false;
        }
        /* Longer than need be, half of a pair of UTF-16, or above U+10FFFF. */
        if ((first == 0xe0 && text[1] < 0xa0) || (first == 0xed && text[1] > 0x9f) ||
            (first == 0xf0 && text[1] < 0x90) || (first == 0xf4 && text[1] > 0x8f))
            return false;
        text += n;
        len -= n;
    }
    return true;
}

/* RFC 9461 section 5: a relative URI template (RFC 6570 section 2) with the variable `dns`. */
static bool path_ok(const uint8_t *path, size_t len)
{
    bool inside = false;

    if (path[0] != '/' || !utf8_ok(path, len))
        return false;
    for (size_t i = 1; i + 3 < len; i++) {
        inside = path[i - 1] == '{' || (inside && path[i - 1] != '}');
        if (inside && !memcmp(path + i, "dns", 3) && memchr("{+#./;?&,", path[i - 1], 9) &&
            memchr("}:*,", path[i + 3], 4))
            return true;
    }
    return false;
}

const char *svcparam_check(unsigned key, const uint8_t *value, size_t len)
{
    if (key == SVC_NO_DEFAULT_ALPN || key == SVC_OHTTP)
        return len ? "this parameter has no value" : NULL;
    if (!len)
        return key <= SVC_DOHPATH ? "this parameter needs a value" : NULL;
    switch (key) {
    case SVC_MANDATORY:
        return keys_ok(value, len) ? NULL : "mandatory keys are not in ascending order";
    case SVC_ALPN:
        return protocols_ok(value, len) ? NULL : "malformed list of protocols";
    case SVC_PORT:
        return len == 2 ? NULL : "a port has two octets";
    case SVC_IPV4HINT:
        return len % 4 ? "an IPv4 address has four octets" : NULL;
    case SVC_IPV6HINT:
        return len % 16 ? "an IPv6 address has sixteen octets" : NULL;
    case SVC_DOHPATH:
        return path_ok(value, len) ? NULL : "not a path with a variable {?dns}";
    default:
        return NULL;
    }
}

const char *svcparams_check(const uint8_t *data, size_t len)
{
    int key = -1;

    for (size_t at = 0, n; at < len; at += n) {
        const char *wrong;

        n = len - at < SVC_PARAM_HEADER ? 0 : SVC_PARAM_HEADER + dns_be16(data + at + 2);
        if (!n || n > len - at)
            return "malformed service parameters";
        if (dns_be16(data + at) <= key)
            return "service parameters are not in ascending order";
        key = dns_be16(data + at);
        wrong = svcparam_check(key, data + at + SVC_PARAM_HEADER, n - SVC_PARAM_HEADER);
        if (wrong)
            return wrong;
    }
    if (has_key(data, len, SVC_NO_DEFAULT_ALPN) && !has_key(data, len, SVC_ALPN))
        return "no-default-alpn needs alpn";
    if (!has_key(data, len, SVC_MANDATORY))
        return NULL;
    /* It is the first one, as its key is the least. */
    for (size_t i = 0; i < dns_be16(data + 2); i += 2) {
        if (!has_key(data, len, dns_be16(data + SVC_PARAM_HEADER + i)))
            return "a mandatory parameter is missing";
    }
    return NULL;
}
