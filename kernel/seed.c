/* SPDX-License-Identifier: ISC */
/*
 * A seed from the toolstack through xenstore: the key random-seed in the domain's own directory,
 * read once at start and again whenever it is written (after a resume, say). The guest may not
 * remove it there, so the toolstack should (docs/entropy.md).
 */
#include <errno.h>
#include <string.h>

#include "kernel/app.h"
#include "kernel/random.h"
#include "lib/util.h"
#include "xen/xenstore.h"

#define LOG_MODULE "random"
#define SEED_MAX 256

static void read_seed(struct xs_watch *w)
{
    char seed[SEED_MAX];
    int len = xs_read(XS_NONE, w->path, seed, sizeof(seed));

    if (xs_passing(len))
        xs_watch_retry(w, len);
    if (len == -ENOSPC)
        len = SEED_MAX; /* as much of it as there is room for */
    if (len > 0) {
        random_add(seed, (size_t)len);
        log_info("mixed in %d bytes of seed from xenstore", len);
    }
    memset(seed, 0, sizeof(seed));
    __asm__ volatile("" : : "r"(seed) : "memory"); /* the compiler may not drop the memset */
}

void random_watch_store(void)
{
    static struct xs_watch watch; /* filled in here: so it has no bytes in the image */

    watch.path = "random-seed";
    watch.fn = read_seed;
    if (xs_watch(&watch))
        log_warn("xenstore refuses to watch %s", watch.path);
}
