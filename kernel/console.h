/* SPDX-License-Identifier: ISC */
/*
 * The console as the kernel and libc see it; drivers/console.c fills it.
 */
#ifndef KERNEL_CONSOLE_H
#define KERNEL_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Output works from the first instruction on (the ring's page is there from the start; before
 * console_init() nobody is notified). console_init() binds the event channel and the input: 0,
 * -ENODEV without a ring, or evtchn_attach()'s error. */
int console_init(void);

/*
 * Writes len bytes; "\n" goes out as "\r\n". Never waits and never loses order: what the ring
 * cannot take is kept in a buffer that is drained as the backend reads; when that is full as well,
 * the oldest unsent lines are dropped and counted, and one line says how many.
 */
void console_write(const char *text, size_t len);
/*
 * As console_write(), for a program's own output: called from a thread it waits while the buffer is
 * full and the backend is reading, so that nothing is dropped. From the loop it does not wait.
 */
void console_write_wait(const char *text, size_t len);

/* Waits, without the loop (so it works in a crash), until all output is with the backend, or until
 * timeout ns have passed without progress. */
void console_flush(uint64_t timeout);

/* Input: copies what has been typed, up to size bytes; 0 when there is none. */
size_t console_read(char *buf, size_t size);
/* fn(ctx) is called from the loop when input arrives. One listener; NULL removes it. */
void console_on_input(void (*fn)(void *ctx), void *ctx);

#endif
