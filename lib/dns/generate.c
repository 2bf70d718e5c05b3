/* SPDX-License-Identifier: ISC */
/*
 * $GENERATE: see generate.h. What it says is BIND's manual ("Zone File", BIND primary file
 * extension).
 */
#include "lib/dns/generate.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GENERATE_MAX = 1 << 20, WIDTH_MAX = 255, NUMBER_MAX = WIDTH_MAX + 2 };

static bool read_number(const char **text, uint32_t *value)
{
    char *end;
    unsigned long n;

    if (**text < '0' || **text > '9')
        return false;
    n = strtoul(*text, &end, 10);
    *text = end;
    *value = n;
    return n <= INT32_MAX;
}

const char *generate_range_parse(const char *text, struct generate_range *range)
{
    static const char wrong[] = "not a range (START-STOP or START-STOP/STEP)";

    range->step = 1;
    if (!read_number(&text, &range->start) || *text++ != '-' || !read_number(&text, &range->stop))
        return wrong;
    if (*text == '/') {
        text++;
        if (!read_number(&text, &range->step))
            return wrong;
    }
    if (*text || !range->step || range->start > range->stop)
        return wrong;
    if ((range->stop - range->start) / range->step >= GENERATE_MAX)
        return "a range of more than 1048576 numbers";
    return NULL;
}

/* Each digit of base 16 as a label; dots count in the width. */
static void put_nibbles(char *number, uint32_t value, unsigned width, bool upper)
{
    const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";

    for (;;) {
        *number++ = digits[value & 15];
        value >>= 4;
        width -= width > 0;
        if (!value && !width)
            break;
        *number++ = '.';
        width -= width > 0;
        if (!value && !width)
            break;
    }
    *number = '\0';
}

/* The number that the braces at *TEXT, which is moved behind them, ask for. */
static const char *format_number(const char **text, uint32_t value, char number[NUMBER_MAX])
{
    static const char wrong[] = "malformed ${OFFSET,WIDTH,BASE}";
    bool negative = **text == '-';
    uint32_t offset, width = 0;
    char base = 'd';

    *text += negative;
    if (!read_number(text, &offset))
        return wrong;
    if (**text == ',') {
        ++*text;
        if (!read_number(text, &width) || width > WIDTH_MAX)
            return wrong;
    }
    if (**text == ',') {
        base = *++*text;
        if (!base)
            return wrong;
        ++*text;
    }
    if (*(*text)++ != '}')
        return wrong;
    if (negative && offset > value)
        return "$GENERATE makes a negative number";
    value = negative ? value - offset : value + offset;
    switch (base) {
    case 'd':
        snprintf(number, NUMBER_MAX, "%0*u", (int)width, value);
        return NULL;
    case 'o':
        snprintf(number, NUMBER_MAX, "%0*o", (int)width, value);
        return NULL;
    case 'x':
        snprintf(number, NUMBER_MAX, "%0*x", (int)width, value);
        return NULL;
    case 'X':
        snprintf(number, NUMBER_MAX, "%0*X", (int)width, value);
        return NULL;
    case 'n':
    case 'N':
        put_nibbles(number, value, width, base == 'N');
        return NULL;
    default:
        return wrong;
    }
}

const char *generate_expand(const char *text, uint32_t value, char *out, size_t size)
{
    size_t len = 0;

    while (*text) {
        char piece[NUMBER_MAX] = {*text++};
        const char *wrong = NULL;

        if (piece[0] == '\\' && *text) {
            piece[1] = *text++;
        } else if (piece[0] == '$' && *text == '$') {
            text++;
            strcpy(piece, "\\$");
        } else if (piece[0] == '$' && *text == '{') {
            text++;
            wrong = format_number(&text, value, piece);
        } else if (piece[0] == '$') {
            snprintf(piece, sizeof(piece), "%u", value);
        }
        if (wrong)
            return wrong;
        if (strlen(piece) >= size - len)
            return "$GENERATE makes a line that is too long";
        strcpy(out + len, piece);
        len += strlen(piece);
    }
    out[len] = '\0';
    return NULL;
}
