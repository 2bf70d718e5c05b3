/* SPDX-License-Identifier: ISC */
/* What the load generators of the benchmark share. */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <netdb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define MESSAGE_MAX 65535

/* One message to send; its first two bytes are the id, filled in for each sending. asks: of DNS, the bytes of header
   and question, which its answer begins with. */
struct message {
    unsigned char *data;
    size_t size, asks;
};

/* What to send, in a circle. */
struct messages {
    struct message *list;
    size_t count;
};

/* Latencies in nanoseconds, for percentiles that are exact. */
struct latencies {
    uint32_t *list;
    size_t count, room;
};

/* What a measurement counts: of one phase, or of both until now. */
struct counts {
    long answered, lost, good;
    long long bytes, nanoseconds, guest, dom0; /* CPU time of the guest and of dom0 */
};

_Noreturn void fail(const char *what);
long long now(void);
/* Resolves a numeric address and connects a socket of that type; does not return on failure. */
int connect_to(const char *address, const char *port, int type);
/* The bytes that hex spells: how many, or -1. */
long from_hex(const char *hex, char *out, size_t room);
/* Reads "NAME TYPE" lines, dnsperf's format, as queries; edns: with EDNS and the DO bit. */
void read_queries(struct messages *to, const char *path, bool edns);
/* What queries asks for, "missing" or another word: the RCODE of a right answer (RFC 1035 section 4.1.1). */
unsigned expected_rcode(const char *queries);
/* Whether the size bytes at in answer that query as they should: an authoritative response to the same question, not cut
   off, with that RCODE, something in its answer section just if the RCODE is 0, and something in its additional one if the
   query has, which is then an OPT record (RFC 6891 section 6.1.1). */
bool is_answer(const struct message *query, const unsigned char *in, size_t size, unsigned rcode);
/* One message of size bytes. */
void make_datagram(struct messages *to, size_t size);
/* Runs domstat with the given arguments; its output is in text. */
void domstat(char *text, size_t room, const char *first, const char *second);
/* The number behind name= in what domstat said. */
long long domstat_field(const char *text, const char *name);
/* Around what is to be measured: the clocks at its start, and how far they went. */
void clocks_start(struct counts *to, const char *domid);
void clocks_stop(struct counts *to, const char *domid);
void latency_add(struct latencies *to, long long nanoseconds);
/* Prints "answered N lost N good N bytes N nanoseconds N guest N dom0 N" and, of the latencies in
   nanoseconds, " p50 N p90 N p99 N max N". */
void report(const struct counts *counts, struct latencies *latencies);

#endif
