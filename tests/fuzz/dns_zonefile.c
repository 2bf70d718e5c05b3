/* SPDX-License-Identifier: ISC */
/*
 * Fuzz target: any octets as a master file. What becomes a zone passes the check of images, answers
 * questions with well-formed messages, and has all of its records in a transfer.
 */
#include "tests/fuzz/dns_zone.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_served served;
    struct fuzz_tally tally;

    if (!fuzz_serve(&served, data, size))
        return 0;
    fuzz_allow(&served.db);
    fuzz_ask_usual(&served.db);
    fuzz_take_zone(&served.db, &served.zone, &tally);
    free(served.image);
    return 0;
}
