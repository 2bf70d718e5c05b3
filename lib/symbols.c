/* SPDX-License-Identifier: ISC */
/*
 * Reader of the symbol table (its format: lib/symbols.h). It runs in a crash, so it allocates
 * nothing, and it stays within the table and its buffer whatever the bytes are.
 */
#include "lib/symbols.h"

#include <stdbool.h>

struct cursor {
    const unsigned char *next, *end;
};

static unsigned char take(struct cursor *c)
{
    return c->next < c->end ? *c->next++ : 0;
}

static uintptr_t take_number(struct cursor *c)
{
    uintptr_t value = 0;
    unsigned char byte = 0x80;

    for (unsigned shift = 0; shift < 64 && (byte & 0x80); shift += 7) {
        byte = take(c);
        value |= (uintptr_t)(byte & 0x7f) << shift;
    }
    return value;
}

/* Spells the next name out. False: it is too long to be one. */
static bool take_name(struct cursor *c, char name[SYMBOL_NAME_MAX + 1])
{
    unsigned char todo[SYMBOL_NAME_MAX + 1]; /* codes yet to be spelt, the next one last */
    unsigned n = 0, len = 0;

    for (;;) {
        unsigned char code = n ? todo[--n] : take(c);

        if (code < SYMBOL_LETTERS) {
            name[len] = symbol_letters[code];
            if (!name[len])
                return true;
            if (len++ == SYMBOL_NAME_MAX)
                return false;
        } else {
            if (n + 2 > sizeof(todo))
                return false;
            todo[n++] = symbol_pairs[code - SYMBOL_LETTERS][1];
            todo[n++] = symbol_pairs[code - SYMBOL_LETTERS][0];
        }
    }
}

const char *symbol_find(uintptr_t addr, size_t *offset)
{
    static char names[2][SYMBOL_NAME_MAX + 1];
    struct cursor c = {symbol_table, symbol_table + symbol_table_size};
    const char *found = NULL;
    unsigned turn = 0;
    uintptr_t at = 0;

    while (c.next < c.end) {
        at += take_number(&c);
        if (at > addr || !take_name(&c, names[turn]))
            break;
        *offset = addr - at;
        found = names[turn];
        turn ^= 1;
    }
    return found;
}
