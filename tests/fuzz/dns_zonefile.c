/* SPDX-License-Identifier: ISC */
/*
 * Fuzz target: any octets as a master file. What becomes a zone passes the check of images and answers
 * questions with well-formed messages.
 */
#include "tests/fuzz/dns_zone.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dns_zone *buckets[4], zone;
    struct dns_db db;
    uint8_t *image;
    size_t image_size;

    if (fuzz_compile(data, size, &image, &image_size))
        return 0;
    if (dns_zone_open(&zone, image, image_size) < 0 || dns_zone_check(&zone))
        abort();
    dns_db_init(&db, buckets, 4);
    dns_db_set(&db, &zone);
    fuzz_allow(&db);
    fuzz_ask_usual(&db);
    free(image);
    return 0;
}
