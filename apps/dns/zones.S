/* SPDX-License-Identifier: ISC */
/*
 * The zone images that zonec made of ZONE= (apps/dns/files.mk), as read-only data.
 */
        .section .rodata.dns_zones, "a", @progbits
        .balign 64
        .globl dns_zones
        .globl dns_zones_end
dns_zones:
        .incbin "zones.img"
dns_zones_end:

        .section .note.GNU-stack, "", @progbits
