/* SPDX-License-Identifier: ISC */
/*
 * The hashes of lib/crypto/sha512.h for zonec, which is to build with nothing but a compiler: sha384sum and
 * sha512sum of the coreutils, which every Debian has, do them. Few zones have a digest (ZONEMD), so the octets may
 * take a file's detour. Without these programs a zone with a digest is not compiled.
 */
#include "lib/crypto/sha512.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What struct sha512 holds here. */
struct hash {
    FILE *octets; /* a temporary file */
    const char *program;
};

_Static_assert(sizeof(struct hash) <= SHA512_STATE, "struct sha512 has room");

static void fail(const struct hash *h, const char *why)
{
    fprintf(stderr, "zonec: the zone's digest (ZONEMD) needs %s: %s\n", h->program, why);
    exit(1);
}

void sha512_begin(struct sha512 *sha, bool is_384)
{
    struct hash *h = (struct hash *)sha->state;

    h->program = is_384 ? "sha384sum" : "sha512sum";
    h->octets = tmpfile();
    if (!h->octets)
        fail(h, strerror(errno));
}

void sha512_add(struct sha512 *sha, const void *octets, size_t len)
{
    struct hash *h = (struct hash *)sha->state;

    if (fwrite(octets, 1, len, h->octets) != len)
        fail(h, strerror(errno));
}

/* What the program says begins with the digest in base 16. */
static bool read_digest(FILE *from, uint8_t *digest, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (fscanf(from, "%2hhx", &digest[i]) != 1)
            return false;
    }
    return true;
}

void sha512_end(struct sha512 *sha, uint8_t hash[SHA512_SIZE])
{
    struct hash *h = (struct hash *)sha->state;
    bool is_384 = h->program[3] == '3', read;
    char command[64];
    FILE *said;

    if (fflush(h->octets))
        fail(h, strerror(errno));
    snprintf(command, sizeof(command), "%s /dev/fd/%d", h->program, fileno(h->octets));
    said = popen(command, "r");
    if (!said)
        fail(h, strerror(errno));
    read = read_digest(said, hash, is_384 ? SHA384_SIZE : SHA512_SIZE);
    if (pclose(said) || !read)
        fail(h, "it fails");
    fclose(h->octets);
}
