/* SPDX-License-Identifier: ISC */
/*
 * As much of JSON (RFC 8259) as a message needs that is one object with some plain members.
 *
 * Nothing is built: the text is read once, from end to end, and the members that are wanted go where
 * they are wanted. That takes less code than a parser's tokens and looking through them would.
 */
#ifndef APPS_IPERF3_JSON_H
#define APPS_IPERF3_JSON_H

#include <stddef.h>
#include <stdint.h>

/* A member that is wanted: a number of at most max; or with max 0 true or false, as 1 or 0. */
struct json_member {
    const char *name;
    uint64_t max;
    uint64_t *value;
};

/*
 * Reads an object of len octets. Members that are not there leave their value as it was, those that are not wanted
 * may be anything. -EINVAL: this is not an object, or is nested deeper than a message of this kind ever is; -ERANGE: a
 * member that is wanted is of another type, is negative, has a fraction or exponent, or is too large.
 */
int json_read(const char *text, size_t len, const struct json_member *wanted, size_t count);

#endif
