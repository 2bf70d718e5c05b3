/* SPDX-License-Identifier: ISC */
/*
 * Frames made from the input, for the fuzz target "frames".
 */
#ifndef TESTS_FUZZ_FRAME_H
#define TESTS_FUZZ_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_MAX 2048

struct frame {
    uint8_t data[FRAME_MAX];
    size_t len;
};

/* Puts right every checksum that can be found behind plain headers: IPv4's, and those of UDP, TCP,
 * ICMP and ICMPv6. */
void frame_fix(struct frame *f);
/* Whether those of TCP and UDP are right, in a frame of any length. */
bool frame_is_right(const uint8_t *data, size_t len);
/* Is it a TCP segment or a UDP datagram whose checksum's field has the sum of the pseudo-header, for somebody to add the
 * rest? */
bool frame_is_blank(const uint8_t *data, size_t len);

#endif
