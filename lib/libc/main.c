/* SPDX-License-Identifier: ISC */
/*
 * A plain C program as an app: main() runs in a thread, so it may wait, and the guest ends when it
 * returns. Constructors of the program's (functions in .init_array, as __attribute__((constructor))
 * makes them) run just before it, in the same thread; the kernel itself has none.
 */
#include <errno.h>
#include <stdlib.h>

#include "kernel/app.h"

int main(int argc, char **argv);

typedef void constructor(void);

/* From the link script. */
extern constructor *const __init_array_start[], *const __init_array_end[];

static struct {
    int argc;
    char **argv;
} arguments;

static void run(void *unused)
{
    for (constructor *const *c = __init_array_start; c < __init_array_end; c++)
        (*c)();
    exit(main(arguments.argc, arguments.argv));
}

int app_init(int argc, char **argv)
{
    arguments.argc = argc;
    arguments.argv = argv;
    if (!thread_create("main", run, NULL, (size_t)CONFIG_MAIN_STACK_KIB << 10))
        return -ENOMEM;
    return 0;
}
