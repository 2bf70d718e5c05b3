/* SPDX-License-Identifier: ISC */
/*
 * How the programs of this app answer: one line a question, "verdict QUESTION: ANSWER". What an answer is
 * made of must be the same on every machine: names of errors, never an address.
 */
#ifndef CONFORMANCE_VERDICT_H
#define CONFORMANCE_VERDICT_H

#include <stdbool.h>

#include "lib/util.h"

#define NOBODY 777 /* a domain that does not exist */

void verdict(const char *question, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* What a hypercall or a request has returned: the error's name, or the number. */
void verdict_result(const char *question, long result);
const char *result_name(long result);

/* The programs. */
void ask_events(void);
void ask_event_bits(void);
void ask_grants(void);
void ask_calls(void);
void ask_store(void);
void ask_transactions(void);
void ask_watches(void);
void ask_wire(void); /* xenstored does not listen any more when it returns */

#endif
