/* SPDX-License-Identifier: ISC */
/*
 * lwIP's operating-system layer over cooperative threads: semaphores and mailboxes that a thread
 * waits on (lwIP's doc/sys_arch.txt). Locks are nothing at all, since one thing runs at a time and
 * gives way only where it waits; so lwIP's core needs no thread of its own either.
 */
#ifndef NET_ARCH_SYS_ARCH_H
#define NET_ARCH_SYS_ARCH_H

#include "kernel/thread.h"

typedef struct {
    struct wait_queue queue;
    unsigned count;
    unsigned char valid;
} sys_sem_t;

typedef struct {
    struct wait_queue readers, writers;
    void **slots;
    unsigned size, head, used;
} sys_mbox_t;

typedef unsigned char sys_mutex_t;
typedef struct thread *sys_thread_t;

#define sys_sem_valid(s) ((s) != NULL && (s)->valid)
#define sys_sem_set_invalid(s) ((s)->valid = 0)
#define sys_mbox_valid(m) ((m) != NULL && (m)->slots != NULL)
#define sys_mbox_set_invalid(m) ((m)->slots = NULL)

#endif
