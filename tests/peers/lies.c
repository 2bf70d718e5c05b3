/* SPDX-License-Identifier: ISC */
/* Which lie is armed, and when its time has come. Only vif0's and xvda's backends, a
 * vchan's other end and the store lie; that there is no memory left (shortage.c) is one more that the guest may be told. */
#include "tests/peers/lies.h"

#include <stddef.h>
#include <string.h>

#include "arch/unix/sim/peer.h"
#include "arch/unix/sim/report.h"
#include "arch/unix/sim/toolstack.h"
#include "tests/peers/faults.h"

static struct {
    const struct net_lie *net;
    const struct blk_lie *blk;
    const struct vchan_lie *vchan;
    const struct store_lie *store;
    bool shortage; /* the guest's memory is short: once, or from then on */
    bool shortage_lasts, shortage_of_pages;
    unsigned after, told;
} armed;

/* Whether it is to be told now. */
static bool is_time(bool always)
{
    if (armed.after) {
        armed.after--;
        return false;
    }
    armed.told++;
    if (!always) {
        armed.net = NULL;
        armed.blk = NULL;
        armed.vchan = NULL;
        armed.store = NULL;
        armed.shortage = false;
    }
    return true;
}

static void at_netback(struct netback *nb, enum netback_step step, void *item)
{
    const struct net_lie *lie = armed.net;

    if (lie && lie->step == step && nb->index == 0 && is_time(lie->always)) {
        report_debug("vif0 lies: %s", lie->name);
        lie->fn(nb, item);
    }
}

static void at_blkback(struct blkback *bb, enum blkback_step step, void *item)
{
    const struct blk_lie *lie = armed.blk;

    if (lie && lie->step == step && bb->index == TOOLSTACK_VBD(0) && is_time(lie->always)) {
        report_debug("xvda lies: %s", lie->name);
        lie->fn(bb, item);
    }
}

static void at_vchan(struct vchan *v, enum vchan_step step, uint32_t *item)
{
    const struct vchan_lie *lie = armed.vchan;

    fault_at_vchan();
    if (lie && lie->step == step && is_time(lie->always)) {
        report_debug("the vchan's client lies: %s", lie->name);
        lie->fn(v, item);
    }
}

static void at_store(enum store_step step, void *item)
{
    const struct store_lie *lie = armed.store;

    fault_at_store(step, item);
    if (lie && lie->step == step && is_time(lie->always)) {
        report_debug("xenstored lies: %s", lie->name);
        lie->fn(item);
    }
}

bool peer_no_memory(bool pages)
{
    return armed.shortage && (pages || !armed.shortage_of_pages) && is_time(armed.shortage_lasts);
}

void lies_install(void)
{
    netback_hook = at_netback;
    blkback_hook = at_blkback;
    vchan_hook = at_vchan;
    store_hook = at_store;
}

bool lies_armed(void (*fn)(struct blkback *bb, void *item))
{
    return armed.blk && armed.blk->fn == fn;
}

bool peer_lie(const char *name, unsigned after)
{
    lies_install();
    armed.net = NULL;
    armed.blk = NULL;
    armed.vchan = NULL;
    armed.store = NULL;
    armed.after = after;
    armed.told = 0;
    armed.shortage_of_pages = !strcmp(name, "shortage-of-pages");
    armed.shortage_lasts = armed.shortage_of_pages || !strcmp(name, "shortage-lasts");
    armed.shortage = armed.shortage_lasts || !strcmp(name, "shortage");
    for (unsigned i = 0; i < net_lie_count; i++)
        if (!strcmp(net_lies[i].name, name))
            armed.net = &net_lies[i];
    for (unsigned i = 0; i < blk_lie_count; i++)
        if (!strcmp(blk_lies[i].name, name))
            armed.blk = &blk_lies[i];
    for (unsigned i = 0; i < vchan_lie_count; i++)
        if (!strcmp(vchan_lies[i].name, name))
            armed.vchan = &vchan_lies[i];
    for (unsigned i = 0; i < store_lie_count; i++)
        if (!strcmp(store_lies[i].name, name))
            armed.store = &store_lies[i];
    return armed.net || armed.blk || armed.vchan || armed.store || armed.shortage ||
           !strcmp(name, "honest");
}

unsigned peer_count(void)
{
    return armed.told;
}
