/* SPDX-License-Identifier: ISC */
/*
 * Reader of zones in master-file format: RFC 1035 section 5, $TTL of RFC 2308, unknown types of
 * RFC 3597. It reads octets from a source the caller gives (a file, a disk, memory) and hands each
 * record to the caller, in wire form.
 */
#ifndef LIB_DNS_ZONEFILE_H
#define LIB_DNS_ZONEFILE_H

#include "lib/dns/name.h"
#include "lib/util.h"

/* Where master files come from. */
struct dns_source {
    /*
     * Opens the file called NAME; PARENT is the name, as opened, of the file that includes it, or
     * NULL. Returns a handle, or NULL with errno set. The name under which it was opened, which messages show and
     * which is given as PARENT later, is written to OPENED[SIZE].
     */
    void *(*open)(void *ctx, const char *name, const char *parent, char *opened, size_t size);
    /* Reads up to SIZE octets: returns how many, 0 at the end, or a negative errno. */
    long (*read)(void *ctx, void *handle, void *buf, size_t size);
    void (*close)(void *ctx, void *handle);
    void *ctx;
};

/* Where something was read. Valid during the call it is passed to. */
struct dns_place {
    const char *file;
    unsigned line;
};

struct dns_record {
    const uint8_t *owner; /* wire form, uncompressed, case as written */
    const uint8_t *data;  /* uncompressed */
    uint32_t ttl;
    uint16_t type;
    uint16_t len;
    bool remove; /* no record, but one that came before is none any longer; in a builder only */
};

enum dns_severity { DNS_ERROR, DNS_WARNING };

/* Who gets records and complaints. */
struct dns_sink {
    /* Takes a record; a negative errno ends the reading. */
    int (*record)(void *ctx, const struct dns_record *record, const struct dns_place *place);
    /* Takes a message without a newline. `place` has line 0 when it is about the file as a whole.
     */
    void (*report)(void *ctx, enum dns_severity severity, const struct dns_place *place,
                   const char *message);
    /* Called now and then while a builder works or takes records; it may let others work. NULL: it need not be. */
    void (*pause)(void *ctx);
    void *ctx;
};

/*
 * Reads the master file NAME and the files it includes. ORIGIN is the initial origin in wire form.
 * Goes on after an error, to report more of them, but not for ever.
 * Returns 0; -EINVAL when errors were reported; -ENOMEM; or what sink->record returned.
 */
int dns_zonefile_read(const struct dns_source *source, const char *name, const uint8_t *origin,
                      const struct dns_sink *sink);

/*
 * Converts a name from text to wire form in NAME[DNS_NAME_MAX + 1]; a relative one is completed by
 * ORIGIN (NULL: it is taken as absolute). Returns NULL, or what is wrong with it.
 */
const char *dns_name_parse(const char *text, const uint8_t *origin, uint8_t *name);

#endif
