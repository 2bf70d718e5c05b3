/* SPDX-License-Identifier: ISC */
/*
 * Lies (docs/hardening.md): each breaks one rule at one step of a peer's protocol, once or from then on.
 * A test arms one by its name (tests/unix/test_peers.py), with a number of honest steps before it.
 */
#ifndef PEERS_LIES_H
#define PEERS_LIES_H

#include <stdbool.h>

#include "arch/unix/sim/blkback.h"
#include "arch/unix/sim/netback.h"
#include "arch/unix/sim/store_conn.h"
#include "arch/unix/sim/vchan.h"

struct net_lie {
    const char *name;
    enum netback_step step;
    bool always; /* again and again */
    void (*fn)(struct netback *nb, void *item);
};
extern const struct net_lie net_lies[];
extern const unsigned net_lie_count;

struct blk_lie {
    const char *name;
    enum blkback_step step;
    bool always;
    void (*fn)(struct blkback *bb, void *item);
};
extern const struct blk_lie blk_lies[];
extern const unsigned blk_lie_count;

struct vchan_lie {
    const char *name;
    enum vchan_step step;
    bool always;
    void (*fn)(struct vchan *v, uint32_t *item);
};
extern const struct vchan_lie vchan_lies[];
extern const unsigned vchan_lie_count;

struct store_lie {
    const char *name;
    enum store_step step;
    bool always;
    void (*fn)(void *item);
};
extern const struct store_lie store_lies[];
extern const unsigned store_lie_count;

/* Has honest code call where a lie may be told. */
void lies_install(void);

/* Whether the lie that this function tells is still the one that is armed, told or not. */
bool lies_armed(void (*fn)(struct blkback *bb, void *item));

#endif
