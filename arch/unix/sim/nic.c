/* SPDX-License-Identifier: ISC */
/* See nic.h. */
#define _GNU_SOURCE
#include "arch/unix/sim/nic.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib/util.h"

#define ETHERNET 14
#define IPV4 0x0800
#define IPV6 0x86dd
#define TCP 6
#define UDP 17

/* --- opening ---------------------------------------------------------------------------------- */

static const char *open_tap(struct nic *nic, const char *name)
{
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};

    if (!*name || strlen(name) >= sizeof(request.ifr_name))
        return "no name of an interface";
    strcpy(request.ifr_name, name);
    nic->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (nic->fd < 0 || ioctl(nic->fd, TUNSETIFF, &request))
        return strerror(errno);
    nic->header = true;
    return NULL;
}

static const char *open_fd(struct nic *nic, const char *number)
{
    char *end;
    long fd = strtol(number, &end, 10);
    int flags = *end || end == number ? -1 : fcntl((int)fd, F_GETFL);

    if (flags < 0)
        return "no open descriptor";
    nic->fd = (int)fd;
    (void)fcntl(nic->fd, F_SETFL, flags | O_NONBLOCK);
    return NULL;
}

const char *nic_open(struct nic *nic, const char *what)
{
    *nic = (struct nic){.fd = -1};
    if (!strcmp(what, "none"))
        return NULL;
    if (!strncmp(what, "tap:", 4))
        return open_tap(nic, what + 4);
    nic->header = !strncmp(what, "vnet:", 5);
    if (nic->header)
        return open_fd(nic, what + 5);
    if (!strncmp(what, "fd:", 3))
        return open_fd(nic, what + 3);
    return "it is tap:NAME, fd:N, vnet:N or none";
}

void nic_accept(const struct nic *nic, bool csum, bool gso4, bool gso6)
{
    unsigned flags = 0;

    if (!nic->header)
        return;
    if (csum) /* without it the host's kernel takes no segmentation either */
        flags = TUN_F_CSUM | (gso4 ? TUN_F_TSO4 : 0) | (gso6 ? TUN_F_TSO6 : 0);
    (void)ioctl(nic->fd, TUNSETOFFLOAD, (unsigned long)flags);
}

/* --- headers ---------------------------------------------------------------------------------- */

static unsigned get16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

static void put16(uint8_t *p, unsigned value)
{
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

static uint32_t add(uint32_t sum, const uint8_t *p, size_t len)
{
    for (; len > 1; p += 2, len -= 2)
        sum += get16(p);
    return len ? sum + ((uint32_t)*p << 8) : sum;
}

static unsigned fold(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

/* Where a TCP or UDP packet's checksum begins and lies. */
struct transport {
    size_t start, field;
    unsigned protocol;
    uint32_t pseudo; /* the sum of the pseudo header */
};

static bool find_transport(const uint8_t *frame, size_t len, struct transport *t)
{
    const uint8_t *ip = frame + ETHERNET;
    unsigned payload;

    if (len >= ETHERNET + 20 && get16(frame + 12) == IPV4) {
        size_t header = (size_t)(ip[0] & 15) * 4;

        t->protocol = ip[9];
        t->start = ETHERNET + header;
        payload = get16(ip + 2) - (unsigned)header;
        t->pseudo = add(0, ip + 12, 8);
    } else if (len >= ETHERNET + 40 && get16(frame + 12) == IPV6) {
        t->protocol = ip[6];
        t->start = ETHERNET + 40;
        payload = get16(ip + 4);
        t->pseudo = add(0, ip + 8, 32);
    } else {
        return false;
    }
    if (t->protocol != TCP && t->protocol != UDP)
        return false;
    t->pseudo += t->protocol + payload;
    t->field = t->start + (t->protocol == TCP ? 16 : 6);
    return t->field + 2 <= len && t->start + payload <= len;
}

static size_t headers_of(const uint8_t *frame, size_t len, const struct transport *t)
{
    return t->start + 12 < len ? t->start + (size_t)(frame[t->start + 12] >> 4) * 4 : t->start;
}

/* --- frames ----------------------------------------------------------------------------------- */

ssize_t nic_read(const struct nic *nic, void *buf, struct nic_offload *offload)
{
    struct virtio_net_hdr header = {0};
    struct iovec parts[2] = {{&header, sizeof(header)}, {buf, NIC_FRAME_MAX}};
    ssize_t n = nic->header ? readv(nic->fd, parts, 2) : readv(nic->fd, parts + 1, 1);

    *offload = (struct nic_offload){0};
    if (n <= 0 || !nic->header)
        return n > 0 ? n : -1;
    if (n < (ssize_t)sizeof(header))
        return 0;
    offload->blank = header.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM;
    offload->valid = header.flags & (VIRTIO_NET_HDR_F_NEEDS_CSUM | VIRTIO_NET_HDR_F_DATA_VALID);
    offload->gso_size = header.gso_size;
    offload->gso = header.gso_type == VIRTIO_NET_HDR_GSO_TCPV4   ? 4
                   : header.gso_type == VIRTIO_NET_HDR_GSO_TCPV6 ? 6
                                                                 : 0;
    return n - (ssize_t)sizeof(header);
}

/* The whole checksum, in place. A sum of 0 is written as 0xffff, for 0 means that there is none. */
static void complete(uint8_t *frame, const struct transport *t, size_t len)
{
    unsigned sum;

    put16(frame + t->field, 0);
    sum = ~fold(add(t->pseudo, frame + t->start, len - t->start)) & 0xffff;
    put16(frame + t->field, sum ? sum : 0xffff);
}

void nic_write(const struct nic *nic, uint8_t *frame, size_t len, const struct nic_offload *offload)
{
    struct virtio_net_hdr header = {0};
    struct iovec parts[2] = {{&header, sizeof(header)}, {frame, len}};
    struct transport t = {0};
    bool known = find_transport(frame, len, &t);

    if (nic->fd < 0)
        return;
    if (offload->blank && known && !nic->header) {
        complete(frame, &t, len);
    } else if (offload->blank && known) {
        put16(frame + t.field, fold(t.pseudo)); /* the sender on adds the rest */
        header.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
        header.csum_start = (uint16_t)t.start;
        header.csum_offset = (uint16_t)(t.field - t.start);
        if (offload->gso) {
            header.gso_type =
                offload->gso == 4 ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6;
            header.gso_size = offload->gso_size;
            header.hdr_len = (uint16_t)headers_of(frame, len, &t);
        }
    } else if (offload->valid) {
        header.flags = VIRTIO_NET_HDR_F_DATA_VALID;
    }
    /* What the other side has no room for is lost, as on a wire. */
    (void)!(nic->header ? writev(nic->fd, parts, 2) : writev(nic->fd, parts + 1, 1));
}
