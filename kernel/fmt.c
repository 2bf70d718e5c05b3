/* SPDX-License-Identifier: ISC */
/*
 * Formatting for the log and for names and values, without libc: a subset of C11 7.21.6.1 (the
 * conversions kernel/log.h lists). It allocates nothing, waits for nothing and knows no floating
 * point, so it can be used anywhere, a crash included.
 *
 * Invariant: out->len counts every character of the full text; those beyond the buffer are dropped.
 */
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "kernel/log.h"
#include "lib/util.h"

struct out {
    char *buf;
    size_t size, len;
};

struct spec {
    bool left, zero;
    int width;
    int precision;  /* -1: none given */
    unsigned bytes; /* of the integer argument */
};

static void put(struct out *o, char c)
{
    if (o->len < o->size)
        o->buf[o->len] = c;
    o->len++;
}

static void put_repeated(struct out *o, char c, int n)
{
    while (n-- > 0)
        put(o, c);
}

/* One field: spaces up to the width (or zeros behind the prefix), the prefix, the text. */
static void put_field(struct out *o, const struct spec *s, const char *prefix, int zeros,
                      const char *text, int len)
{
    int pad = s->width - zeros - len;

    for (const char *p = prefix; *p; p++)
        pad--;
    if (!s->left && !s->zero)
        put_repeated(o, ' ', pad);
    while (*prefix)
        put(o, *prefix++);
    if (!s->left && s->zero)
        put_repeated(o, '0', pad);
    put_repeated(o, '0', zeros);
    for (int i = 0; i < len; i++)
        put(o, text[i]);
    if (s->left)
        put_repeated(o, ' ', pad);
}

static void put_number(struct out *o, struct spec *s, uint64_t value, unsigned base, bool upper,
                       const char *prefix)
{
    const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    char text[20]; /* 2^64 in decimal */
    int at = sizeof(text);

    for (; value; value /= base)
        text[--at] = digits[value % base];
    if (at == (int)sizeof(text) && s->precision != 0)
        text[--at] = '0';
    if (s->precision >= 0)
        s->zero = false; /* as C11 says: the precision already gives the zeros */
    put_field(o, s, prefix, MAX(s->precision - ((int)sizeof(text) - at), 0), text + at,
              (int)sizeof(text) - at);
}

static void put_string(struct out *o, struct spec *s, const char *text)
{
    int len = 0;

    if (!text)
        text = "(null)";
    while ((s->precision < 0 || len < s->precision) && text[len])
        len++;
    s->zero = false;
    put_field(o, s, "", 0, text, len);
}

/* Every argument has eight bytes of its own (System V ABI for x86-64, 3.5.7), whose upper ones mean nothing for
 * a smaller type. */
static uint64_t take(va_list *ap)
{
    return va_arg(*ap, uint64_t);
}

/* A decimal number, or the int argument for "*". */
static int parse_count(const char **fmt, va_list *ap)
{
    int n = 0;

    if (**fmt == '*') {
        (*fmt)++;
        return (int)take(ap);
    }
    for (; **fmt >= '0' && **fmt <= '9'; (*fmt)++)
        n = MIN(n * 10 + (**fmt - '0'), 1 << 20);
    return n;
}

/* Flags, width, precision and length, from after the "%" up to the conversion's letter. */
static struct spec parse_spec(const char **fmt, va_list *ap)
{
    struct spec s = {.precision = -1, .bytes = 4};

    for (;; (*fmt)++) {
        if (**fmt == '-')
            s.left = true;
        else if (**fmt == '0')
            s.zero = true;
        else
            break;
    }
    s.width = parse_count(fmt, ap);
    if (s.width < 0) {
        s.left = true;
        s.width = -MAX(s.width, -INT_MAX);
    }
    if (**fmt == '.') {
        (*fmt)++;
        s.precision = parse_count(fmt, ap); /* negative: as if there were none */
    }
    for (;; (*fmt)++) {
        if (**fmt == 'l' || **fmt == 'z')
            s.bytes = 8;
        else if (**fmt == 'h' && s.bytes > 1)
            s.bytes /= 2;
        else
            return s;
    }
}

/* Writes one conversion; false when the letter is none of ours. */
static bool convert(struct out *o, struct spec *s, char letter, va_list *ap)
{
    unsigned unused = 64 - 8 * s->bytes, base = 10; /* bits of the argument */
    const char *prefix = "";
    uint64_t value;
    char c;

    if (letter == '%') {
        put(o, letter);
        return true;
    }
    if (!strchr("cdipsuxX", letter))
        return false;
    value = take(ap);
    switch (letter) {
    case 's':
        put_string(o, s, (const char *)value);
        return true;
    case 'c':
        c = (char)value;
        s->zero = false;
        put_field(o, s, "", 0, &c, 1);
        return true;
    case 'p':
        prefix = "0x";
        unused = 0;
        base = 16;
        break;
    case 'x':
    case 'X':
        base = 16;
        break;
    case 'd':
    case 'i':
        if ((int64_t)(value << unused) < 0) {
            prefix = "-";
            value = -value;
        }
    }
    put_number(o, s, value << unused >> unused, base, letter == 'X', prefix);
    return true;
}

int fmt_vprint(char *buf, size_t size, const char *fmt, va_list ap)
{
    struct out o = {buf, size, 0};
    va_list args; /* a parameter of this type may be a pointer: a copy has an address to pass on */

    va_copy(args, ap);
    while (*fmt) {
        const char *start = fmt;
        struct spec s;

        if (*fmt != '%') {
            put(&o, *fmt++);
            continue;
        }
        fmt++;
        s = parse_spec(&fmt, &args);
        if (*fmt && convert(&o, &s, *fmt, &args)) {
            fmt++;
            continue;
        }
        while (*start) /* unknown: which arguments follow is not known either */
            put(&o, *start++);
        break;
    }
    va_end(args);
    if (size > 0)
        buf[MIN(o.len, size - 1)] = '\0';
    return (int)o.len;
}

int fmt_print(char *buf, size_t size, const char *fmt, ...)
{
    va_list ap;
    int len;

    va_start(ap, fmt);
    len = fmt_vprint(buf, size, fmt, ap);
    va_end(ap);
    return len;
}
