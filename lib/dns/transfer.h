/* SPDX-License-Identifier: ISC */
/*
 * A zone as a whole, message by message (AXFR, RFC 5936; IXFR, RFC 1995). Private to lib/dns.
 */
#ifndef LIB_DNS_TRANSFER_H
#define LIB_DNS_TRANSFER_H

#include "lib/dns/task.h"

/* Answers a question of type AXFR or IXFR. */
void transfer_answer(struct task *t);

#endif
