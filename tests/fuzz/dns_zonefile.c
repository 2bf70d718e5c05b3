/* SPDX-License-Identifier: ISC */
/*
 * Fuzz target: any octets as a master file. What becomes a zone passes the check of images, answers
 * questions with well-formed messages, and has all of its records in a transfer.
 */
#include "tests/fuzz/dns_zone.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Is there a $GENERATE, and a range of 10,000 or more? It would take its seconds and show nothing new. */
static bool makes_many(const uint8_t *data, size_t size)
{
    static const char directive[] = "$generate";
    bool generates = false, many = false;

    for (size_t i = 0, same = 0, digits = 0; i < size; i++) {
        same = (data[i] | 0x20u) == (unsigned char)directive[same] ? same + 1 : data[i] == '$';
        if (same == sizeof(directive) - 1) {
            generates = true;
            same = 0;
        }
        digits = data[i] == '-' ? 1 : digits && data[i] >= '0' && data[i] <= '9' ? digits + 1 : 0;
        many |= digits > 5;
    }
    return generates && many;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_served served;
    struct fuzz_tally tally;

    if (makes_many(data, size))
        return 0;
    if (!fuzz_serve(&served, data, size))
        return 0;
    fuzz_allow(&served.db);
    fuzz_ask_usual(&served.db);
    fuzz_take_zone(&served.db, &served.zone, &tally);
    free(served.image);
    return 0;
}
