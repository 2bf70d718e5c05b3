/* SPDX-License-Identifier: ISC */
/* The command line of the program. */
#ifndef SIM_OPTIONS_H
#define SIM_OPTIONS_H

#include <stdbool.h>

#include "arch/unix/sim/disk.h"
#include "arch/unix/sim/domain.h"
#include "arch/unix/sim/nic.h"
#include "arch/unix/sim/toolstack.h"

struct options {
    struct domain_config domain;
    struct {
        struct nic nic;
        struct vif_config config;
        bool later; /* plugged in by a command of control.h */
    } nics[NIC_MAX];
    unsigned nic_count;
    struct {
        struct disk disk;
        bool later;
    } disks[DISK_MAX]; /* xvda, xvdb ... */
    unsigned disk_count;
    bool restart; /* after a reboot */
    bool paused;  /* until a command of control.h */
    int control;  /* a descriptor for control.h, or -1 */
};

/* Ends the process for --help and for mistakes. */
void options_parse(struct options *options, int argc, char **argv);

#endif
