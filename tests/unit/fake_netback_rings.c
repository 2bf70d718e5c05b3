/* SPDX-License-Identifier: ISC */
/* The backend's ends of the rings: see fake_netback.h. */
#include <check.h>
#include <string.h>

#include "tests/unit/fake_kernel.h"
#include "tests/unit/fake_netback.h"

#include "kernel/page.h"

uint32_t netback_waiting(const struct netback_ring *r)
{
    return shared_load_acquire(&r->page->req_prod) - r->cons;
}

void *netback_slot(const struct netback_ring *r, uint32_t i)
{
    return (char *)(r->page + 1) + (i & 255) * r->entry;
}

netif_rx_request_t netback_take_rx(void)
{
    netif_rx_request_t request;

    ck_assert_uint_gt(netback_waiting(&netback_rx), 0);
    memcpy(&request, netback_slot(&netback_rx, netback_rx.cons++), sizeof(request));
    return request;
}

netif_tx_request_t netback_take_tx(void)
{
    netif_tx_request_t request;

    ck_assert_uint_gt(netback_waiting(&netback_tx), 0);
    memcpy(&request, netback_slot(&netback_tx, netback_tx.cons++), sizeof(request));
    return request;
}

void netback_answer(struct netback_ring *r, const void *response, size_t size)
{
    memcpy(netback_slot(r, r->prod++), response, size);
}

void netback_answer_rx(uint16_t id, int status, unsigned offset, unsigned flags)
{
    netif_rx_response_t response = {
        .id = id,
        .offset = (uint16_t)offset,
        .flags = (uint16_t)flags,
        .status = (int16_t)status,
    };

    netback_answer(&netback_rx, &response, sizeof(response));
}

void netback_answer_tx(uint16_t id, int status)
{
    netif_tx_response_t response = {.id = id, .status = (int16_t)status};

    netback_answer(&netback_tx, &response, sizeof(response));
}

/* As RING_PUSH_RESPONSES_AND_CHECK_NOTIFY. */
void netback_show(struct netback_ring *r)
{
    uint32_t old = r->page->rsp_prod;

    shared_store_release(&r->page->rsp_prod, r->prod);
    if (r->prod - r->page->rsp_event < r->prod - old)
        fake_raise(r->port);
}

void netback_send(unsigned char fill, size_t len, size_t piece, unsigned flags)
{
    while (len) {
        netif_rx_request_t request = netback_take_rx();
        size_t n = len < piece ? len : piece;
        struct fake_grant *g = &fake_grants[request.gref];

        ck_assert_msg(g->live && !g->readonly, "the page posted cannot be written to");
        memset(g->page, fill, n);
        len -= n;
        netback_answer_rx(request.id, (int)n, 0, flags | (len ? NETRXF_more_data : 0));
        flags = 0;
    }
}

static void take_piece(const netif_tx_request_t *request, size_t size)
{
    const struct fake_grant *g = &fake_grants[request->gref];

    ck_assert_msg(g->live && g->readonly, "a packet's page is not granted read-only");
    ck_assert_uint_eq(g->domain, fake_backend);
    ck_assert(!g->quarantined);
    ck_assert_uint_le(request->offset + size, PAGE_SIZE);
    ck_assert_uint_le(netback_got.len + size, sizeof(netback_got.data));
    memcpy(netback_got.data + netback_got.len, g->page + request->offset, size);
    netback_got.len += size;
    netback_got.pieces++;
    netback_got.app_pieces += fake_is_app_page(g->page);
}

/* A packet: the first request, its extra info, the other pieces. The first request's size is the
 * packet's; its own piece is what the others leave. */
static void take_packet(void)
{
    netif_tx_request_t requests[XEN_NETIF_NR_SLOTS_MIN];
    unsigned n = 1;
    size_t rest = 0;
    bool extra;

    requests[0] = netback_take_tx();
    extra = requests[0].flags & NETTXF_extra_info;
    if (extra) {
        netif_tx_request_t raw = netback_take_tx();

        memcpy(&netback_got.extra, &raw, sizeof(netback_got.extra));
    }
    while (requests[n - 1].flags & NETTXF_more_data) {
        ck_assert_uint_lt(n, XEN_NETIF_NR_SLOTS_MIN);
        requests[n] = netback_take_tx();
        rest += requests[n++].size;
    }
    netback_got.len = netback_got.pieces = netback_got.app_pieces = 0;
    netback_got.flags = requests[0].flags;
    for (unsigned i = 0; i < n && requests[0].size; i++)
        take_piece(&requests[i], i ? requests[i].size : requests[0].size - rest);
    for (unsigned i = 0; i < n; i++) {
        netback_answer_tx(requests[i].id, NETIF_RSP_OKAY);
        if (i == 0 && extra)
            netback_answer_tx(0, NETIF_RSP_NULL);
    }
}

unsigned netback_receive(unsigned max)
{
    unsigned n = 0;

    while (n < max && netback_waiting(&netback_tx)) {
        take_packet();
        n++;
    }
    netback_show(&netback_tx);
    return n;
}
