/* SPDX-License-Identifier: ISC */
/*
 * The smallest app: a plain C program. Its arguments are the words of the guest's command line
 * (extra= in the domain's configuration); when main returns, the guest ends.
 */
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    printf("Hello from %s.\n", argv[0]);
    for (int i = 1; i < argc; i++)
        printf("argument %d: %s\n", i, argv[i]);
    printf("%ld KiB of memory, %ld KiB of it free\n", sysconf(_SC_PHYS_PAGES) * 4,
           sysconf(_SC_AVPHYS_PAGES) * 4);
    return 0;
}
