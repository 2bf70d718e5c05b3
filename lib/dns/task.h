/* SPDX-License-Identifier: ISC */
/*
 * A query being answered: private to lib/dns. message.c makes the message around what answer.c finds
 * in the zones.
 */
#ifndef LIB_DNS_TASK_H
#define LIB_DNS_TASK_H

#include "lib/dns/edns.h"
#include "lib/dns/limit.h"
#include "lib/dns/query.h"
#include "lib/dns/reply.h"
#include "lib/dns/tsig.h"

enum { CHAIN_MAX = 16 }; /* CNAMEs followed in one answer */

/* One query being answered: its question, and the name looked at now in its zone. */
struct task {
    const struct dns_db *db;
    const struct dns_zone *zone;
    bool minimal;
    bool positive; /* the question has an answer that the apex NS set may follow */
    size_t max;    /* octets that the message may have */
    unsigned chain;
    unsigned wildcards;
    uint16_t wildcard[CHAIN_MAX + 1]; /* where names are in the reply that wildcards stood for */
    struct dns_edns edns;
    struct dns_query q;
    struct reply r;
    const uint8_t *query; /* the message */
    /* These three with CONFIG_DNS_XFR. */
    const struct dns_client *client;
    size_t query_len;
    struct tsig *tsig; /* looked at when q.tsig_at is not 0 */
    /* What the answer is counted as, with CONFIG_DNS_LIMIT. */
    enum limit_kind kind;
    uint32_t number;
    struct dns_stats *stats; /* with CONFIG_DNS_COUNTERS */
};

/* Answers a question of class CHAOS. False when it is not one that is answered. */
bool chaos_answer(struct task *t);

/* Writes the OPT record of an answer, as yet without options, to OUT and returns its length. */
static inline unsigned message_put_opt(uint8_t *out, unsigned rcode, bool dnssec_ok)
{
    out[0] = 0; /* owner: the root */
    dns_put_be16(out + 1, TYPE_OPT);
    dns_put_be16(out + 3, DNS_UDP_MAX);
    dns_put_be32(out + 5, (uint32_t)rcode >> 4 << 24 | (dnssec_ok ? EDNS_DO << 8 : 0));
    dns_put_be16(out + 9, 0);
    return OPT_SIZE;
}

/* Fills the sections of the reply for the question in t->q. */
void answer_question(struct task *t);

#endif
