/* SPDX-License-Identifier: ISC */
/*
 * The guest as one relocatable object, which is then linked with the simulation as a program
 * (config/unix.mk). Its data is one section that starts and ends at a page boundary, .bss, boot
 * stack and guard page included: these pages become the guest's own (arch/unix/layout.h). The rest
 * follows arch/x86_64/link.lds.S.
 */
#ifdef CONFIG_SANITIZE
#define STACK 0x40000
#else
#define STACK 0x4000
#endif

SECTIONS
{
    .text : { *(.text.hot .text.hot.* .text .text.*) }
    .rodata : {
        *(.rodata .rodata.*)
        . = ALIGN(8);
#include "arch/sets.lds"
        __init_array_start = .;
        KEEP(*(.init_array))
        __init_array_end = .;
    }
    .guest_data : ALIGN(0x1000) {
        guest_data = .;
        *(.data .data.*)
        *(.bss .bss.* COMMON)
        . = ALIGN(0x1000);
        boot_stack_guard = .;
        . += 0x1000;
        boot_stack = .;
        . += STACK;
        boot_stack_top = .;
        . = ALIGN(0x1000);
        guest_data_end = .;
    }
    /* Constructors of AddressSanitizer and gcov have a priority: they stay the host's business. */
    .init_array.00099 : { KEEP(*(.init_array.00099)) }
    .fini_array.00099 : { KEEP(*(.fini_array.00099)) }
    .init_array.00100 : { KEEP(*(.init_array.00100)) }
    .fini_array.00100 : { KEEP(*(.fini_array.00100)) }

    /DISCARD/ : { *(.note.Xen) *(.comment) *(.eh_frame) *(.note.gnu.*) *(.init) *(.fini) *(.dtors) *(.ctors) }
}
