/* SPDX-License-Identifier: ISC */
/*
 * The parts of a $GENERATE directive, BIND's way to write many records in one line: private to the
 * zone-file reader. Functions return NULL, or what is wrong.
 */
#ifndef LIB_DNS_GENERATE_H
#define LIB_DNS_GENERATE_H

#include <stddef.h>
#include <stdint.h>

struct generate_range {
    uint32_t start, stop, step;
};

/* START-STOP or START-STOP/STEP. */
const char *generate_range_parse(const char *text, struct generate_range *range);

/*
 * Writes TEXT into OUT[SIZE] with each `$` replaced by VALUE and each `${OFFSET[,WIDTH[,BASE]]}` by
 * VALUE + OFFSET in the base d, o, x, X, or n, N (nibbles, the last one first, with dots between
 * them), with zeroes up to the width. `\$` stays, and `$$` is one dollar sign.
 */
const char *generate_expand(const char *text, uint32_t value, char *out, size_t size);

#endif
