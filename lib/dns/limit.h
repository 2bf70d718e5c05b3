/* SPDX-License-Identifier: ISC */
/*
 * Response-rate limiting, in the manner of BIND and NSD: who asks the same over and over by UDP is
 * probably not who it says, and the answers are meant to flood somebody else.
 *
 * Answers are counted by the network that gets them (the first 24 bits of an IPv4 address, 56 of an IPv6
 * one) and by what they say: a name's data by name, a referral by its delegation, what does not exist and
 * what a wildcard or a DNAME stands for by zone, errors by response code. More than RATE a second, and most of them
 * are not sent; every SLIP-th goes out empty and truncated, so that an honest client asks by TCP.
 */
#ifndef LIB_DNS_LIMIT_H
#define LIB_DNS_LIMIT_H

#include "lib/dns/prefix.h"

/* Answers of one kind to one network. All members are private to limit.c. */
struct limit_count {
    uint32_t tag;  /* of which answers; 0: free */
    uint32_t last; /* when the last one was asked for, seconds */
    int32_t left;  /* how many more may be sent; negative while there are too many */
};

enum { LIMIT_WAYS = 4, LIMIT_DEBT_SECONDS = 15, LIMIT_EXEMPT = 16 };

/* Set up by its owner before it is used, counts as zeros. */
struct dns_limiter {
    struct limit_count *counts;
    uint32_t size;      /* how many there are, a multiple of LIMIT_WAYS */
    uint32_t rate;      /* answers a second */
    uint32_t slip;      /* 0: none slips through */
    uint32_t held_back; /* since the last one that slipped through */
    uint8_t secret[16];
    unsigned exempts;
    struct dns_prefix exempt[LIMIT_EXEMPT]; /* networks that get all answers */
};

/* What an answer is counted as, with a number of its own. */
enum limit_kind { LIMIT_DATA, LIMIT_REFERRAL, LIMIT_NOTHING, LIMIT_WILDCARD, LIMIT_ERROR };

enum limit_verdict { LIMIT_SEND, LIMIT_SLIP, LIMIT_DROP };

/* Counts an answer to CLIENT and says what to do with it. */
enum limit_verdict limit_answer(struct dns_limiter *limiter, const struct dns_client *client,
                                enum limit_kind kind, uint32_t number);

#endif
