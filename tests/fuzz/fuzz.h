/* SPDX-License-Identifier: ISC */
/*
 * A fuzz target: one case is one call of fuzz_case(), which takes its decisions from the input's
 * octets. Before each the guest's memory is what it was when the process started (fuzz.c).
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The target's. */
void fuzz_case(void);

/* The octets that what follows reads. fuzz.c calls it, else the target itself. */
void fuzz_input(const uint8_t *data, size_t size);
/* Octets are left. Without any, what follows reads zeros. */
bool fuzz_more(void);
uint8_t fuzz_u8(void);
uint16_t fuzz_u16(void);
uint32_t fuzz_u32(void);
/* n is 1 to 256. */
unsigned fuzz_below(unsigned n);
/* Up to max octets: how many, and where they are in the input. */
size_t fuzz_bytes(const uint8_t **bytes, size_t max);
/* The same as a string of at most size - 1 characters; zero octets end it. */
const char *fuzz_text(char *text, size_t size);

/* What is allocated now stays so for all cases: for LLVMFuzzerInitialize(), which a target may have for
 * what is the same in each. It must not be freed. */
void fuzz_keep(void);

/* Says where everything that lives was allocated: for the case that it is too much. */
void fuzz_show_live(void);

#endif
