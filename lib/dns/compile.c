/* SPDX-License-Identifier: ISC */
/*
 * From a master file to an image: the reader's records go to the builder.
 */
#include "lib/dns/tree.h"

#include <errno.h>

struct compile {
    struct dns_builder *b;
    const struct dns_sink *sink;
};

static int compile_record(void *ctx, const struct dns_record *record, const struct dns_place *place)
{
    return dns_builder_add(((struct compile *)ctx)->b, record, place);
}

static void compile_report(void *ctx, enum dns_severity severity, const struct dns_place *place,
                           const char *message)
{
    const struct dns_sink *sink = ((struct compile *)ctx)->sink;

    sink->report(sink->ctx, severity, place, message);
}

int dns_zone_compile(const struct dns_source *source, const char *name, const uint8_t *origin,
                     bool verify, const struct dns_sink *sink, uint8_t **image, size_t *size)
{
    struct compile c = {.b = dns_builder_new(sink), .sink = sink};
    struct dns_sink into = {.record = compile_record, .report = compile_report, .ctx = &c};
    int err = c.b ? dns_zonefile_read(source, name, origin, &into) : -ENOMEM;

    if (c.b)
        c.b->source = name;
    if (c.b && verify)
        dns_builder_verify(c.b);
    if (!err)
        err = dns_builder_finish(c.b, image, size);
    dns_builder_free(c.b);
    return err;
}
