/* SPDX-License-Identifier: ISC */
/* The commands of ringtest: lines of the console, run in threads. */
#ifndef RINGTEST_RINGTEST_H
#define RINGTEST_RINGTEST_H

#include <stdbool.h>
#include <stdint.h>

#define RINGTEST_WORDS 8

/* words[0] is the command's name; those that are missing are "". */
void disk_command(char **words);
void vchan_command(char **words);

/* A word as a number; 0 when it is none. */
uint64_t ringtest_number(const char *word);
/* Whether this word stands on the command line. */
bool ringtest_option(const char *word);

#endif
