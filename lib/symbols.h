/* SPDX-License-Identifier: ISC */
/*
 * Names of functions by address, for back-traces. The build makes the table from the linked image
 * (scripts/symbols.py) when CONFIG_SYMBOLS is set; without it, nothing here is linked.
 *
 * The table is a row of entries in ascending order of address:
 *   delta    address less that of the entry before (of 0 for the first): seven bits a byte, lowest
 *            first, the top bit set in all bytes but the last
 *   name     codes, of which the last one ends in a 0. A code below SYMBOL_LETTERS is the letter
 *            symbol_letters[code]; any other stands for the two codes symbol_pairs[code -
 *            SYMBOL_LETTERS], both of them lower than itself.
 * The pairs are those that occur most often (byte-pair encoding), so that "tcp_" or "_init" takes one
 * byte, and an entry about 8.
 */
#ifndef LIB_SYMBOLS_H
#define LIB_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>

#include "lib/util.h"

#define SYMBOL_NAME_MAX 63

#define SYMBOL_LETTERS 65

extern const char symbol_letters[SYMBOL_LETTERS];
extern const unsigned char symbol_pairs[256 - SYMBOL_LETTERS][2];
extern const unsigned char symbol_table[];
extern const unsigned symbol_table_size; /* bytes */

/*
 * The name of the function that addr lies in, and in *offset how far in; NULL when addr is below the
 * first function. An address behind the last one counts as that one's: the caller knows where text
 * ends. Reads the table from its start, about 50 us for 1000 names: meant for a crash. The text is
 * in a static buffer, overwritten by the next call.
 */
const char *symbol_find(uintptr_t addr, size_t *offset);

/* symbol_find(), or NULL in an image without the table. */
static inline const char *symbol_lookup(uintptr_t addr, size_t *offset)
{
    return IS_ENABLED(CONFIG_SYMBOLS) ? symbol_find(addr, offset) : NULL;
}

#endif
