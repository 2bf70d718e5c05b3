/* SPDX-License-Identifier: ISC */
/*
 * Runs in dom0: keeps WINDOW datagrams in flight to a server, WARM of them unmeasured and then
 * COUNT measured.
 *
 *   udpload DOMID ADDRESS PORT WINDOW WARM COUNT size:BYTES | queries:FILE | edns:FILE | missing:FILE
 *
 * Prints what report() prints. bytes are those of the answers, good those that came back as sent
 * or, of DNS, are right: is_answer(). The names of missing: do not exist.
 *
 * A message's id is its slot of the window with a count in the upper bits, so an answer that comes
 * too late is not taken for the next one's. What is missing for a second is lost and its slot is
 * used again. At the end of both phases all that is in flight comes home: the figures are those of
 * exactly COUNT messages.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "load.h"

#define WINDOW_MAX 512
#define SLOT(id) ((id) & (WINDOW_MAX - 1))
#define LOST_AFTER 1000000000LL

struct slot {
    long long sent_at; /* 0: free */
    const struct message *message;
    unsigned id;
};

static struct {
    int socket;
    long window;
    bool dns;
    unsigned rcode; /* that answers shall have */
    struct messages messages;
    size_t next;
    struct slot slots[WINDOW_MAX];
    long free[WINDOW_MAX], free_count;
    struct counts counts;
    struct latencies latencies;
} load;

static void send_next(void)
{
    struct message *m = &load.messages.list[load.next++ % load.messages.count];
    struct slot *slot = &load.slots[load.free[--load.free_count]];

    slot->id = (slot->id + WINDOW_MAX) & 0xffff;
    slot->message = m;
    m->data[0] = (unsigned char)(slot->id >> 8);
    m->data[1] = (unsigned char)slot->id;
    slot->sent_at = now();
    if (send(load.socket, m->data, m->size, 0) < 0 && errno != ECONNREFUSED)
        fail("send");
}

static bool is_good(const struct message *sent, const unsigned char *in, size_t size)
{
    if (load.dns)
        return is_answer(sent, in, size, load.rcode);
    return size == sent->size && !memcmp(in + 2, sent->data + 2, size - 2);
}

static void receive_all(void)
{
    static unsigned char in[MESSAGE_MAX];
    ssize_t n;

    while ((n = recv(load.socket, in, sizeof(in), MSG_DONTWAIT)) >= 2) {
        unsigned id = (unsigned)in[0] << 8 | in[1];
        struct slot *slot = &load.slots[SLOT(id)];

        if (!slot->sent_at || slot->id != id)
            continue;
        latency_add(&load.latencies, now() - slot->sent_at);
        slot->sent_at = 0;
        load.free[load.free_count++] = slot - load.slots;
        load.counts.answered++;
        load.counts.bytes += n;
        load.counts.good += is_good(slot->message, in, (size_t)n);
    }
}

static void give_up(long long before)
{
    for (long i = 0; i < load.window; i++) {
        if (load.slots[i].sent_at && load.slots[i].sent_at < before) {
            load.slots[i].sent_at = 0;
            load.free[load.free_count++] = i;
            load.counts.lost++;
        }
    }
}

static void run(long count)
{
    long long looked = now();
    long sent = 0;

    while (sent < count || load.free_count < load.window) {
        struct pollfd p = {.fd = load.socket, .events = POLLIN};

        for (; sent < count && load.free_count; sent++)
            send_next();
        poll(&p, 1, 1000);
        receive_all();
        if (now() - looked >= LOST_AFTER) {
            looked = now();
            give_up(looked - LOST_AFTER);
        }
    }
}

int main(int argc, char **argv)
{
    const char *what = argv[7];

    if (argc != 8 || !strchr(what, ':'))
        return 2;
    load.window = atol(argv[4]);
    if (load.window < 1 || load.window > WINDOW_MAX)
        return 2;
    load.dns = strncmp(what, "size:", 5) != 0;
    load.rcode = expected_rcode(what);
    if (load.dns)
        read_queries(&load.messages, strchr(what, ':') + 1, !strncmp(what, "edns:", 5));
    else
        make_datagram(&load.messages, (size_t)atol(what + 5));
    for (long i = 0; i < load.window; i++) {
        load.slots[i].id = (unsigned)i;
        load.free[load.free_count++] = i;
    }
    load.socket = connect_to(argv[2], argv[3], SOCK_DGRAM);
    run(atol(argv[5]));
    load.counts = (struct counts){0};
    load.latencies.count = 0;
    clocks_start(&load.counts, argv[1]);
    run(atol(argv[6]));
    clocks_stop(&load.counts, argv[1]);
    report(&load.counts, &load.latencies);
    return 0;
}
