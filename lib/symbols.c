/* SPDX-License-Identifier: ISC */
/*
 * Reader of the symbol table (its format: lib/symbols.h). It runs in a crash, so it allocates
 * nothing, and it stays within the table and its buffer whatever the bytes are.
 */
#include "lib/symbols.h"

#include <string.h>

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

const char *symbol_find(uintptr_t addr, size_t *offset)
{
    static char name[SYMBOL_NAME_MAX + 1];
    struct cursor c = {symbol_table, symbol_table + symbol_table_size};
    const char *found = NULL;
    uintptr_t at = 0;

    while (c.next < c.end) {
        at += take_number(&c);
        if (at > addr)
            break;
        size_t shared = take(&c), length = take(&c);
        if (shared + length > SYMBOL_NAME_MAX || length > (size_t)(c.end - c.next))
            break;
        memcpy(name + shared, c.next, length);
        name[shared + length] = '\0';
        c.next += length;
        *offset = addr - at;
        found = name;
    }
    return found;
}
