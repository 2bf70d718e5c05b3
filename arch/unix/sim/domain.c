/* SPDX-License-Identifier: ISC */
/*
 * Building the domain, in the order that Xen's public header prescribes (xen.h, start-of-day memory
 * layout): the image, the list of pages, start info, the pages of xenstore and console, no page
 * tables, a stack. All of it is mapped in the linear map, with the padding that is promised.
 */
#define _GNU_SOURCE
#include "arch/unix/sim/domain.h"

#include <errno.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "arch/unix/gate.h"
#include "arch/unix/layout.h"
#include "arch/unix/sim/console.h"
#include "arch/unix/sim/event.h"
#include "arch/unix/sim/grant.h"
#include "arch/unix/sim/memory.h"
#include "arch/unix/sim/report.h"
#include "arch/unix/sim/sanitize.h"
#include "arch/unix/sim/store.h"
#include "arch/unix/sim/vtime.h"
#include "arch/unix/sim/toolstack.h"
#include "arch/unix/sim/trap.h"
#include "lib/util.h"

#define PADDING_PAGES (512 * 1024 / PAGE_SIZE)
#define PTE_RW 3ul /* present, writable */

void gate_start(void (*entry)(void), const void *start_info, void *stack_top);

static struct {
    struct shared_info *shared_info;
    uint64_t shared_info_mfn;
    size_t image_pages, p2m_pages; /* the other elements take a page each */
    jmp_buf end;
    unsigned reason;
} domain;

struct shared_info *domain_shared_info(void)
{
    return domain.shared_info;
}

static size_t p2m_pfn(void)
{
    return domain.image_pages;
}

static size_t start_info_pfn(void)
{
    return p2m_pfn() + domain.p2m_pages;
}

static size_t store_pfn(void)
{
    return start_info_pfn() + 1;
}

static size_t console_pfn(void)
{
    return start_info_pfn() + 2;
}

static size_t stack_pfn(void)
{
    return start_info_pfn() + 3;
}

static void *page(size_t pfn)
{
    return memory_page(memory_mfn_of(pfn));
}

static uintptr_t linear(size_t pfn)
{
    return LINEAR_BASE + pfn * PAGE_SIZE;
}

static void map(uintptr_t va, size_t pfn)
{
    if (memory_map(va, memory_mfn_of(pfn) << PAGE_SHIFT | PTE_RW))
        report_fatal("the guest's memory cannot be mapped: %s", strerror(errno));
}

/* By words: AddressSanitizer would see what lies between the image's variables being read. */
__attribute__((no_sanitize_address)) static void copy_page(void *to, const void *from)
{
    volatile uint64_t *dest = to;
    const uint64_t *src = from;

    for (size_t i = 0; i < PAGE_SIZE / sizeof(*src); i++)
        dest[i] = src[i];
}

/* The image's data becomes the guest's first pages, and stays where it is linked as well. */
static void load_image(void)
{
    for (size_t pfn = 0; pfn < domain.image_pages; pfn++) {
        char *va = guest_image.data + pfn * PAGE_SIZE;

        copy_page(page(pfn), va);
        map((uintptr_t)va, pfn);
    }
}

static void fill_p2m(void)
{
    for (size_t pfn = 0; pfn < memory_guest_pages(); pfn++) {
        uint64_t *list = page(p2m_pfn() + pfn * sizeof(uint64_t) / PAGE_SIZE);

        list[pfn % (PAGE_SIZE / sizeof(uint64_t))] = memory_mfn_of(pfn);
    }
}

static void fill_start_info(const char *cmdline, uint32_t store_port, uint32_t console_port)
{
    struct start_info *si = page(start_info_pfn());

    strcpy(si->magic, "xen-3.0-x86_64");
    si->nr_pages = memory_guest_pages();
    si->shared_info = domain.shared_info_mfn << PAGE_SHIFT;
    si->store_mfn = memory_mfn_of(store_pfn());
    si->store_evtchn = store_port;
    si->console.domU.mfn = memory_mfn_of(console_pfn());
    si->console.domU.evtchn = console_port;
    si->pt_base = linear(stack_pfn());
    si->nr_pt_frames = 0;
    si->mfn_list = linear(p2m_pfn());
    strcpy((char *)si->cmd_line, cmdline);
}

static void create_memory(unsigned mib)
{
    size_t pages = (size_t)mib << (20 - PAGE_SHIFT);
    size_t boot_pages;

    domain.image_pages = (size_t)(guest_image.data_end - guest_image.data) / PAGE_SIZE;
    domain.p2m_pages = DIV_ROUND_UP(pages * sizeof(uint64_t), PAGE_SIZE);
    boot_pages = stack_pfn() + 1;
    if (boot_pages > pages)
        report_fatal("%u MiB of memory are not enough: the guest needs %zu KiB to start", mib,
                     boot_pages * PAGE_SIZE / 1024);
    memory_create(pages);
    for (size_t pfn = 0; pfn < MIN(boot_pages + PADDING_PAGES, pages); pfn++)
        map(linear(pfn), pfn);
    load_image();
    fill_p2m();
}

void domain_create(const struct domain_config *config)
{
    uint32_t store_port, console_port;

    create_memory(config->memory_mib);
    domain.shared_info_mfn = memory_add_xen_page();
    domain.shared_info = memory_page(domain.shared_info_mfn);
    event_create(domain.shared_info);
    vtime_create();
    trap_create();
    sanitize_create();
    grant_create();
    grant_seed(GNTTAB_RESERVED_CONSOLE, memory_mfn_of(console_pfn()));
    grant_seed(GNTTAB_RESERVED_XENSTORE, memory_mfn_of(store_pfn()));
    store_port = store_connect_guest(GNTTAB_RESERVED_XENSTORE);
    console_port = console_connect(GNTTAB_RESERVED_CONSOLE);
    toolstack_create(config->name, config->memory_mib, store_port, console_port);
    fill_start_info(config->cmdline, store_port, console_port);
}

unsigned domain_run(void)
{
    if (setjmp(domain.end)) {
        console_drain();
        return domain.reason;
    }
    sanitize_change();
    trap_set_guest_runs(true);
    gate_start(guest_image.entry, (void *)linear(start_info_pfn()),
               (char *)linear(stack_pfn()) + PAGE_SIZE);
    abort(); /* gate_start() does not return */
}

void domain_end(unsigned reason)
{
    domain.reason = reason;
    longjmp(domain.end, 1);
}
