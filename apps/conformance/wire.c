/* SPDX-License-Identifier: ISC */
/*
 * The ring to xenstored, written by hand: a request of 4097 octets breaks the protocol, and xenstored listens no
 * more. It says why in the page where it can say so. Nothing else of the store works afterwards.
 */
#include <stdint.h>
#include <string.h>

#include <xen/io/xs_wire.h>

#include "apps/conformance/ports.h"
#include "apps/conformance/request.h"
#include "apps/conformance/verdict.h"
#include "arch/arch.h"
#include "kernel/thread.h"
#include "kernel/timer.h"
#include "lib/atomic.h"

#define PATIENCE 2000 /* ms */

static void put(struct xenstore_domain_interface *p, const void *data, size_t len)
{
    uint32_t prod = shared_read(&p->req_prod);

    for (size_t i = 0; i < len; i++)
        p->req[MASK_XENSTORE_IDX(prod + i)] = ((const char *)data)[i];
    shared_store_release(&p->req_prod, prod + (uint32_t)len); /* partner: xenstored's acquire */
    (void)port_send((evtchn_port_t)arch_start_info->store_evtchn);
}

void ask_wire(void)
{
    struct xenstore_domain_interface *p = arch_mfn_to_virt((mfn_t){arch_start_info->store_mfn});
    const struct xsd_sockmsg head = {.type = XS_READ, .req_id = 1, .len = XENSTORE_PAYLOAD_MAX + 1};

    verdict("error at first", "%u", shared_read(&p->error));
    put(p, &head, sizeof(head));
    for (unsigned i = 0; i < PATIENCE && !shared_read(&p->error); i++)
        thread_sleep(NSEC_PER_MSEC);
    verdict("error after a request of 4097 octets", "%u", shared_read(&p->error));
}
