/* SPDX-License-Identifier: ISC */
/* The stack without CONFIG_IP_REASSEMBLY: what comes in fragments ends where it comes in, and keeps nothing. */
#include <check.h>

#include "tests/unit/net_client.h"

#include "lwip/udp.h"

#define PORT 9
#define FRAGMENT_BYTES 8
#define MORE4 0x2000

static unsigned heard; /* datagrams */

static int transmit(struct netdev *device, struct pbuf *p, const struct netdev_offload *offload)
{
    return 0;
}

static void on_datagram(void *arg, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from,
                        u16_t port)
{
    heard++;
    ck_assert_uint_eq(p->tot_len, 8);
    pbuf_free(p);
}

static void start(void)
{
    struct udp_pcb *pcb;

    fake_cmdline("ip", "10.0.0.2/24");
    fake_cmdline("ip6", "fd00::2/64");
    fake_net_start(&dev);
    set_link(false);
    fake_sleep(3 * NSEC_PER_SEC); /* the address is tried */
    introduce();
    pcb = udp_new_ip_type(IPADDR_TYPE_ANY);
    ck_assert_int_eq(udp_bind(pcb, IP_ANY_TYPE, PORT), ERR_OK);
    udp_recv(pcb, on_datagram, NULL);
}

/* A datagram of eight octets, of whose checksum the backend says that it is right. */
static uint8_t *datagram(uint8_t *udp)
{
    memset(udp, 0, UDP_BYTES + 8);
    write_be16(udp, 4000);
    write_be16(udp + 2, PORT);
    write_be16(udp + 4, UDP_BYTES + 8);
    write_be16(udp + 6, 1);
    return udp + UDP_BYTES + 8;
}

/* One fragment at that offset, of a multiple of 8 octets. */
static void send4(uint16_t offset_and_more)
{
    uint8_t frame[128] = {0};
    uint8_t *udp = frame_ip4(frame, dev.mac, PROTOCOL_UDP, UDP_BYTES + 8), *end = datagram(udp);

    write_be16(udp + 6, 0); /* it is left out: no checksum */
    write_be16(frame + AT_IP4_FRAGMENT, offset_and_more);
    frame_ip4_sum(frame);
    arrive(frame, (uint16_t)(end - frame));
}

static void send6(uint16_t offset_and_more)
{
    uint8_t frame[128] = {0};
    uint8_t *fragment =
        frame_ip6(frame, dev.mac, IP6_NEXTH_FRAGMENT, FRAGMENT_BYTES + UDP_BYTES + 8);
    uint8_t *udp = fragment + FRAGMENT_BYTES, *end = datagram(udp);

    fragment[0] = PROTOCOL_UDP;
    write_be16(fragment + 2, offset_and_more);
    write_be16(udp + 6, 0);
    write_be16(udp + 6, frame_folded(headers_sum(frame + AT_IP6_SRC, 32) + PROTOCOL_UDP +
                                     UDP_BYTES + 8 + headers_sum(udp, UDP_BYTES + 8)));
    arrive(frame, (uint16_t)(end - frame));
}

START_TEST(fragments_over_ip4)
{
    unsigned objects;

    start();
    send4(0);
    ck_assert_uint_eq(heard, 1);
    objects = fake_objects;
    for (uint16_t i = 0; i < 100; i++) {
        send4(MORE4);
        send4((uint16_t)(MORE4 | (i + 1)));
        send4(2);
    }
    ck_assert_uint_eq(heard, 1);
    ck_assert_uint_eq(fake_objects, objects);
    send4(0);
    ck_assert_uint_eq(heard, 2);
}
END_TEST

/* A fragment that is the whole packet is none (RFC 6946). */
START_TEST(fragments_over_ip6)
{
    unsigned objects;

    start();
    send6(0);
    ck_assert_uint_eq(heard, 1);
    objects = fake_objects;
    for (uint16_t i = 0; i < 100; i++) {
        send6(1);
        send6((uint16_t)(i << 3 | 1));
        send6(2 << 3);
    }
    ck_assert_uint_eq(heard, 1);
    ck_assert_uint_eq(fake_objects, objects);
    send6(0);
    ck_assert_uint_eq(heard, 2);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("net_whole");
    TCase *c = tcase_create("net_whole");

    tcase_add_test(c, fragments_over_ip4);
    tcase_add_test(c, fragments_over_ip6);
    return run_tests(s, c);
}
