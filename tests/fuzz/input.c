/* SPDX-License-Identifier: ISC */
/* The input of a case, as a program that is read octet by octet: see fuzz.h. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

static const uint8_t *input;
static size_t input_left;

void fuzz_input(const uint8_t *data, size_t size)
{
    input = data;
    input_left = size;
}

bool fuzz_more(void)
{
    return input_left > 0;
}

uint8_t fuzz_u8(void)
{
    if (!input_left)
        return 0;
    input_left--;
    return *input++;
}

uint16_t fuzz_u16(void)
{
    uint16_t low = fuzz_u8();

    return (uint16_t)(low | fuzz_u8() << 8);
}

uint32_t fuzz_u32(void)
{
    uint32_t low = fuzz_u16();

    return low | (uint32_t)fuzz_u16() << 16;
}

unsigned fuzz_below(unsigned n)
{
    return fuzz_u8() % n;
}

size_t fuzz_bytes(const uint8_t **bytes, size_t max)
{
    size_t n = max < input_left ? max : input_left;

    *bytes = input;
    input += n;
    input_left -= n;
    return n;
}

const char *fuzz_text(char *text, size_t size)
{
    const uint8_t *from;
    size_t n = fuzz_bytes(&from, fuzz_u8() % size);

    memcpy(text, from, n);
    text[n] = '\0';
    return text;
}
