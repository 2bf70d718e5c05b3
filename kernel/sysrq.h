/* SPDX-License-Identifier: ISC */
/*
 * "xl sysrq DOMAIN LETTER": a look into a running guest, or its end, from the host.
 */
#ifndef KERNEL_SYSRQ_H
#define KERNEL_SYSRQ_H

/* One letter's command. It runs in the watch thread, so it may wait, and writes to the log. */
struct sysrq_command {
    char letter;
    const char *help; /* one line */
    void (*fn)(void);
    struct sysrq_command *next;
};

/* Adds a command; a later one with the same letter goes before an earlier one. */
void sysrq_add(struct sysrq_command *command);
/* Runs the command of this letter, or the help. */
void sysrq_run(char letter);
/* Adds the commands of the kernel itself. */
void sysrq_init(void);

#endif
