/* SPDX-License-Identifier: ISC */
/*
 * The guest as a domain: the toolstack's building of it, its start and its end.
 */
#ifndef SIM_DOMAIN_H
#define SIM_DOMAIN_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include <xen/xen.h>

#define DOMAIN_ID 5u /* neither 0 nor 1: numbers that code may assume by mistake */

static inline bool domain_is_guest(domid_t dom)
{
    return dom == DOMID_SELF || dom == DOMAIN_ID;
}

/* What Xen says to a call that the guest may make for itself only: 0 or a negative errno. */
static inline int domain_check(domid_t dom)
{
    return domain_is_guest(dom) ? 0 : dom == 0 ? -EPERM : -ESRCH;
}

struct domain_config {
    const char *name;
    unsigned memory_mib;
    const char *cmdline; /* at most MAX_GUEST_CMDLINE - 1 bytes */
};

/* Memory, start info, shared info, rings of console and xenstore. Their other ends exist then. */
void domain_create(const struct domain_config *config);
/* Runs the guest until it ends: its SHUTDOWN_ reason. */
unsigned domain_run(void);
/* Called from within a hypercall or for a fault: the guest does not run again. */
_Noreturn void domain_end(unsigned reason);

struct shared_info *domain_shared_info(void);

#endif
