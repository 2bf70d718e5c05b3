/* SPDX-License-Identifier: ISC */
/*
 * Fuzz target: any octets as a query. The first one chooses transport and size.
 */
#include "tests/fuzz/dns_zone.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct dns_identity identity = {.version = "v", .id = "id", .idle = 10};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct dns_zone *buckets[4], zone;
    static struct dns_db db;
    static uint8_t *image;
    size_t image_size;

    if (!image) {
        dns_db_init(&db, buckets, 4);
        dns_db_identify(&db, &identity);
        fuzz_allow(&db);
        if (fuzz_compile((const uint8_t *)fuzz_zone_text, strlen(fuzz_zone_text), &image,
                         &image_size) ||
            dns_zone_open(&zone, image, image_size) < 0 || dns_zone_check(&zone))
            abort();
        dns_db_set(&db, &zone);
    }
    if (!size)
        return 0;
    fuzz_ask(&db, data + 1, size - 1, data[0] & 4 ? DNS_UDP_MIN : DNS_UDP_MAX,
             data[0] & (DNS_TCP | DNS_MINIMAL));
    return 0;
}
