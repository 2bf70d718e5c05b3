/* SPDX-License-Identifier: ISC */
/*
 * Record data from text to wire form: private to the zone-file reader.
 */
#ifndef LIB_DNS_RDATA_H
#define LIB_DNS_RDATA_H

#include "lib/dns/field.h"
#include "lib/dns/lexer.h"

/*
 * Reads the data of a record of this type up to the end of the line into DATA[RDATA_MAX].
 * Returns NULL and its length, or what is wrong.
 */
const char *rdata_read(struct lexer *lex, unsigned type, const uint8_t *origin, uint8_t *data,
                       size_t *len);

#endif
