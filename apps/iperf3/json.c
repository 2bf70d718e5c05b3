/* SPDX-License-Identifier: ISC */
/*
 * JSON: see json.h. Each function reads one thing of the grammar and moves behind it, or returns false.
 */
#include "apps/iperf3/json.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "lib/util.h"

#define DEPTH_MAX 8

struct reader {
    const char *at, *end;
};

/* What a value was, as far as anybody asks. */
struct value {
    enum { OTHER, NATURAL, BOOLEAN } type;
    uint64_t number;
};

static bool read_value(struct reader *r, unsigned depth, struct value *value);

static void skip_space(struct reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r'))
        r->at++;
}

/* The next octet if it is this one. */
static bool take(struct reader *r, char c)
{
    if (r->at == r->end || *r->at != c)
        return false;
    r->at++;
    return true;
}

static bool take_word(struct reader *r, const char *word)
{
    size_t len = strlen(word);

    if ((size_t)(r->end - r->at) < len || memcmp(r->at, word, len) != 0)
        return false;
    r->at += len;
    return true;
}

static bool is_digit(const struct reader *r)
{
    return r->at < r->end && *r->at >= '0' && *r->at <= '9';
}

static bool skip_digits(struct reader *r)
{
    if (!is_digit(r))
        return false;
    while (is_digit(r))
        r->at++;
    return true;
}

static bool read_number(struct reader *r, struct value *value)
{
    bool natural = !take(r, '-');

    value->number = 0;
    if (!is_digit(r))
        return false;
    if (!take(r, '0')) {
        for (; is_digit(r); r->at++) {
            unsigned digit = (unsigned)(*r->at - '0');

            if (value->number > (UINT64_MAX - digit) / 10)
                natural = false;
            value->number = value->number * 10 + digit;
        }
    }
    if (take(r, '.')) {
        natural = false;
        if (!skip_digits(r))
            return false;
    }
    if (take(r, 'e') || take(r, 'E')) {
        natural = false;
        if (!take(r, '+'))
            (void)take(r, '-');
        if (!skip_digits(r))
            return false;
    }
    value->type = natural ? NATURAL : OTHER;
    return true;
}

static bool skip_escape(struct reader *r)
{
    if (r->at == r->end)
        return false;
    if (*r->at != 'u')
        return strchr("\"\\/bfnrt", *r->at++) && r->at[-1];
    r->at++;
    for (unsigned i = 0; i < 4; i++, r->at++) {
        if (!is_digit(r) && (r->at == r->end || (*r->at | 0x20) < 'a' || (*r->at | 0x20) > 'f'))
            return false;
    }
    return true;
}

/* *text: between the quotation marks, escapes as they were written. */
static bool read_string(struct reader *r, const char **text, size_t *len)
{
    if (!take(r, '"'))
        return false;
    *text = r->at;
    while (r->at < r->end && *r->at != '"') {
        if ((unsigned char)*r->at < ' ')
            return false;
        if (*r->at++ == '\\' && !skip_escape(r))
            return false;
    }
    *len = (size_t)(r->at - *text);
    return take(r, '"');
}

/* What is between brackets, and the second of them. wanted: for an object's members, or NULL. */
static int read_members(struct reader *r, bool object, unsigned depth,
                        const struct json_member *wanted, size_t count)
{
    char closing = object ? '}' : ']';
    struct value value;
    const char *name;
    size_t len;
    int err = 0;

    skip_space(r);
    if (take(r, closing))
        return 0;
    do {
        skip_space(r);
        if (object) {
            if (!read_string(r, &name, &len))
                return -EINVAL;
            skip_space(r);
            if (!take(r, ':'))
                return -EINVAL;
        }
        if (!read_value(r, depth, &value))
            return -EINVAL;
        for (size_t i = 0; i < count; i++) {
            if (strlen(wanted[i].name) != len || memcmp(wanted[i].name, name, len) != 0)
                continue;
            if (value.type != (wanted[i].max ? NATURAL : BOOLEAN) ||
                (wanted[i].max && value.number > wanted[i].max))
                err = -ERANGE;
            else
                *wanted[i].value = value.number;
        }
        skip_space(r);
    } while (take(r, ','));
    return take(r, closing) ? err : -EINVAL;
}

static bool read_value(struct reader *r, unsigned depth, struct value *value)
{
    const char *text;
    size_t len;

    *value = (struct value){.type = OTHER};
    skip_space(r);
    if (r->at == r->end)
        return false;
    switch (*r->at) {
    case '{':
    case '[':
        r->at++;
        return depth < DEPTH_MAX && !read_members(r, r->at[-1] == '{', depth + 1, NULL, 0);
    case '"':
        return read_string(r, &text, &len);
    case 't':
    case 'f':
        value->type = BOOLEAN;
        value->number = *r->at == 't';
        return take_word(r, value->number ? "true" : "false");
    case 'n':
        return take_word(r, "null");
    default:
        return read_number(r, value);
    }
}

int json_read(const char *text, size_t len, const struct json_member *wanted, size_t count)
{
    struct reader r = {text, text + len};
    int err;

    skip_space(&r);
    if (!take(&r, '{'))
        return -EINVAL;
    err = read_members(&r, true, 1, wanted, count);
    skip_space(&r);
    return r.at == r.end ? err : -EINVAL;
}
