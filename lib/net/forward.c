/* SPDX-License-Identifier: ISC */
/*
 * Received data that is sent on (lib/net/forward.h).
 *
 * lwIP keeps what it has not to copy in a buffer that only points there. Here that is a view: it has a reference to the
 * buffer that it shows a part of, which so lives until the last of them is freed, be it in a queue for a neighbour's
 * address, after the acknowledgement. The driver shows a backend the page itself; in front of the data there is other
 * data, and no room for headers.
 */
#include "lib/net/forward.h"

#include "lib/net/include/lwiphooks.h"
#include "lib/net/mem.h"
#include "lib/net/netpage.h"

/* Less is copied, and its page free at once. */
#define LEAST 1024

struct view {
    struct pbuf_custom custom; /* first: the pbuf's address is the view's */
    struct pbuf *of;
};

static struct pbuf *forwarded; /* by tcp_write(), which is called now */

static void free_view(struct pbuf *p)
{
    struct view *view = container_of(p, struct view, custom.pbuf);

    pbuf_free(view->of);
    net_mem_free(view);
}

static struct view *view_of(struct pbuf *p)
{
    if (!(p->flags & PBUF_FLAG_IS_CUSTOM) ||
        ((struct pbuf_custom *)p)->custom_free_function != free_view)
        return NULL;
    return container_of(p, struct view, custom.pbuf);
}

static struct pbuf *view(struct pbuf *of, uint16_t len)
{
    struct view *made = net_mem_alloc(sizeof(*made));

    if (!made)
        return NULL;
    made->custom.custom_free_function = free_view;
    made->of = of;
    pbuf_ref(of);
    return pbuf_alloced_custom(PBUF_RAW, len, PBUF_ROM, &made->custom, NULL, len);
}

struct pbuf *net_tcp_refer(uint16_t len)
{
    return forwarded ? view(forwarded, len) : pbuf_alloc(PBUF_RAW, len, PBUF_ROM);
}

/* Not by what somebody else is to free, nor beyond what a view has a reference to. */
bool net_tcp_continues(struct pbuf *p)
{
    return !forwarded && !view_of(p);
}

bool net_tcp_forwards(void)
{
    return forwarded != NULL;
}

struct pbuf *net_refer_part(struct pbuf *p, uint16_t from)
{
    struct view *whole = view_of(p);
    uint16_t len = (uint16_t)(p->len - from);
    struct pbuf *part = whole ? view(whole->of, len) : pbuf_alloc(PBUF_RAW, len, PBUF_ROM);

    if (part)
        part->payload = (uint8_t *)p->payload + from;
    return part;
}

struct netpage *netpage_viewed(struct pbuf *p)
{
    struct view *view = view_of(p);

    return netpage_of(view ? view->of : p);
}

err_t net_tcp_forward(struct tcp_pcb *pcb, struct pbuf *p)
{
    bool copied = p->len < LEAST || !netpage_of(p) || netpage_scarce();
    err_t err;

    forwarded = copied ? NULL : p;
    err = tcp_write(pcb, p->payload, p->len, copied ? TCP_WRITE_FLAG_COPY : 0);
    forwarded = NULL;
    if (err == ERR_OK)
        pbuf_free(p);
    return err;
}
