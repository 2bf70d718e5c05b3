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

/* The argument as its type has it, widened. */
static uint64_t take_unsigned(unsigned bytes, va_list *ap)
{
    if (bytes == 8)
        return va_arg(*ap, uint64_t);
    if (bytes == 4)
        return va_arg(*ap, unsigned);
    return va_arg(*ap, unsigned) & (bytes == 1 ? 0xffu : 0xffffu);
}

static int64_t take_signed(unsigned bytes, va_list *ap)
{
    if (bytes == 8)
        return va_arg(*ap, int64_t);
    if (bytes == 4)
        return va_arg(*ap, int);
    return bytes == 1 ? (int8_t)va_arg(*ap, int) : (int16_t)va_arg(*ap, int);
}

/* A decimal number, or the int argument for "*". */
static int parse_count(const char **fmt, va_list *ap)
{
    int n = 0;

    if (**fmt == '*') {
        (*fmt)++;
        return va_arg(*ap, int);
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
        else if (**fmt == 'h')
            s.bytes /= 2;
        else
            return s;
    }
}

/* Writes one conversion; false when the letter is none of ours. */
static bool convert(struct out *o, struct spec *s, char letter, va_list *ap)
{
    int64_t value;
    char c;

    switch (letter) {
    case 'd':
    case 'i':
        value = take_signed(s->bytes, ap);
        put_number(o, s, value < 0 ? -(uint64_t)value : (uint64_t)value, 10, false,
                   value < 0 ? "-" : "");
        return true;
    case 'u':
        put_number(o, s, take_unsigned(s->bytes, ap), 10, false, "");
        return true;
    case 'x':
    case 'X':
        put_number(o, s, take_unsigned(s->bytes, ap), 16, letter == 'X', "");
        return true;
    case 'p':
        put_number(o, s, (uintptr_t)va_arg(*ap, void *), 16, false, "0x");
        return true;
    case 's':
        put_string(o, s, va_arg(*ap, const char *));
        return true;
    case 'c':
        c = (char)va_arg(*ap, int);
        s->zero = false;
        put_field(o, s, "", 0, &c, 1);
        return true;
    case '%':
        put(o, '%');
        return true;
    default:
        return false;
    }
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
