/* SPDX-License-Identifier: ISC */
/*
 * Within iperf3: what its files share. The protocol has no document but the program (iperf3 3.x of ESnet): one
 * connection to control a test, on which either end says by an octet what comes next, and connections for the data.
 * Each of them begins with the cookie that the client has made for this test.
 */
#ifndef APPS_IPERF3_IPERF3_H
#define APPS_IPERF3_IPERF3_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lwip/tcp.h"

#define IPERF_PORT 5201
#define COOKIE_SIZE 37 /* 36 characters and a zero */
/* Data connections of a client in each direction: as many as iperf3 takes. */
#define STREAMS_MAX 128

/* --- control.c: the test, of which there is one at a time --------------------------------- */

/* A connection has said its cookie. p: what it has sent beyond, or NULL, which is taken. Returns what lwIP's callback
 * must return. */
err_t test_take(struct tcp_pcb *pcb, const uint8_t cookie[COOKIE_SIZE], struct pbuf *p);
void test_init(void);

/* --- stream.c: the data connections of the test ------------------------------------------- */

/* What a stream has moved: received, or written to be sent. */
struct stream {
    struct tcp_pcb *pcb; /* NULL: the client has ended it */
    uint64_t octets;
    bool sends;
};

/* Makes the connection a stream; it receives nothing before this. p as above. */
err_t stream_begin(struct stream *s, struct tcp_pcb *pcb, bool sends, bool nodelay, struct pbuf *p);
/* The test runs: a stream that sends does so, block octets at a time. */
void stream_run(struct stream *s);
/* Closes its connection. */
void stream_end(struct stream *s);
void stream_init(void);

/* --- main.c ------------------------------------------------------------------------------- */

/* The connection has no callbacks any more. */
void connection_detach(struct tcp_pcb *pcb);
/* Closes it; what was written still goes out. The callback in which this is done returns ERR_OK. */
void connection_close(struct tcp_pcb *pcb);

#endif
