/* SPDX-License-Identifier: ISC */
/*
 * Within kernel/: what feeds the generator behind random_bytes() (kernel/app.h; docs/entropy.md).
 */
#ifndef KERNEL_RANDOM_H
#define KERNEL_RANDOM_H

#include <stddef.h>

/* Takes `seed=` from the command line. Everything else is gathered at the first random_bytes(). */
void random_init(void);

/* Mixes in bytes from the toolstack (a seed read from xenstore): 32 and more of them are believed to
 * be unpredictable. They can only add to what is there, whoever chose them. */
void random_add(const void *seed, size_t len);

/* Reads the key random-seed of the domain's xenstore directory, now (in the background) and each
 * time it changes. Comes after xenstore_init(). */
void random_watch_store(void);

#endif
