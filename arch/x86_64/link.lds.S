/* SPDX-License-Identifier: ISC */
/*
 * How the image is laid out (layout.h says why). Text and rodata run in the window but are loaded,
 * page for page, at the start of the linear map; the rest runs where it is loaded. The toolstack
 * loads by physical address, and PADDR_OFFSET in the ELF notes makes those equal linear addresses.
 */
#include "arch/x86_64/layout.h"

OUTPUT_FORMAT("elf64-x86-64")
ENTRY(boot_entry)

PHDRS
{
    text PT_LOAD FLAGS(5);
    rodata PT_LOAD FLAGS(4);
    data PT_LOAD FLAGS(6);
    note PT_NOTE FLAGS(4);
    stack PT_GNU_STACK FLAGS(6);
}

SECTIONS
{
    . = WINDOW_TEXT;
    window_text_begin = .;
    .text : AT(VIRT_BASE) {
        *(.text.hot .text.hot.*)
        *(.text .text.*)
    } :text
    . = ALIGN(0x1000);
    window_text_end = .;

    .rodata : AT(ADDR(.rodata) - WINDOW_TEXT + VIRT_BASE) {
        *(.rodata .rodata.*)
        . = ALIGN(8);
#include "arch/sets.lds"
        __init_array_start = .;
        KEEP(*(SORT_BY_INIT_PRIORITY(.init_array.*)))
        KEEP(*(.init_array))
        __init_array_end = .;
    } :rodata
    .note : AT(ADDR(.note) - WINDOW_TEXT + VIRT_BASE) { KEEP(*(.note.Xen)) } :rodata :note
    . = ALIGN(0x1000);
    window_end = .;

    . = VIRT_BASE + (window_end - WINDOW_TEXT);
    .boot : AT(ADDR(.boot)) { *(.boot .boot.*) } :data
    .data : AT(ADDR(.data)) { *(.data .data.*) }
    .bss : AT(ADDR(.bss)) {
        *(.bss .bss.* COMMON)
        . = ALIGN(0x1000);
        boot_stack_guard = .;
        . += 0x1000;
        boot_stack = .;
        . += 0x4000;
        boot_stack_top = .;
        /* The window's level-1 tables. */
        window_tables = .;
        . += ((window_end - WINDOW_BASE + TABLE_SPAN - 1) / TABLE_SPAN) * 0x1000;
        window_tables_end = .;
    }

    /* The linear map has the whole of its first level-2 entry. */
    ASSERT(window_end <= VIRT_BASE - VIRT_BASE % TABLE_SPAN, "text and rodata do not fit the window")

    /DISCARD/ : { *(.comment) *(.eh_frame) *(.note.GNU-stack) *(.note.gnu.*) *(.init) *(.fini) *(.fini_array*) *(.dtors) *(.ctors) }
}
