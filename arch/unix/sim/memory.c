/* SPDX-License-Identifier: ISC */
/*
 * The machine's memory is one file without a name, a page of it for each machine page. The
 * simulation has all of it mapped; the guest has, at any address it likes, what it asked for.
 *
 * The guest's pages lie in runs of consecutive machine pages, and the runs in descending order. Each
 * page by itself would be more mappings than Linux allows a process.
 */
#define _GNU_SOURCE
#include "arch/unix/sim/memory.h"

#include <errno.h>
#include <setjmp.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <xen/xen.h>
#include <xen/memory.h>

#include "arch/unix/gate.h"
#include "arch/unix/layout.h"
#include "arch/unix/sim/domain.h"
#include "arch/unix/sim/report.h"
#include "lib/util.h"

#define MFN_BASE 0x6000 /* the first machine page there is */
#define XEN_PAGES 256
#define RUN 16

#define PTE_P UINT64_C(0x001)
#define PTE_W UINT64_C(0x002)
#define PTE_FRAME UINT64_C(0x000ffffffffff000)

static struct {
    int fd;
    char *pages; /* the machine, as the simulation sees it */
    size_t guest_pages;
    size_t xen_pages;          /* given out, behind the guest's */
    bool domain_0s[XEN_PAGES]; /* of them: the guest may map it by grant only */
    uint64_t *m2p;
    sigjmp_buf fault;
    volatile bool copying;
} machine;

static size_t total(void)
{
    return machine.guest_pages + XEN_PAGES;
}

/* The place of a guest's page in the file; what is beyond the last whole run keeps its own. */
static size_t place(size_t pfn)
{
    size_t runs = machine.guest_pages / RUN;

    return pfn / RUN < runs ? (runs - 1 - pfn / RUN) * RUN + pfn % RUN : pfn;
}

uint64_t memory_mfn_of(size_t pfn)
{
    return MFN_BASE + place(pfn);
}

static void fill_m2p(void)
{
    size_t bytes = ROUND_UP((MFN_BASE + total()) * sizeof(uint64_t), PAGE_SIZE);

    machine.m2p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (machine.m2p == MAP_FAILED)
        report_fatal("no memory for the M2P: %s", strerror(errno));
    /* Other domains' pages have numbers as well, and they look like the guest's. */
    for (size_t i = 0; i < MFN_BASE + total(); i++)
        machine.m2p[i] = i % machine.guest_pages;
    for (size_t pfn = 0; pfn < machine.guest_pages; pfn++)
        machine.m2p[memory_mfn_of(pfn)] = pfn;
    mprotect(machine.m2p, bytes, PROT_READ);
}

void memory_create(size_t guest_pages)
{
    machine.guest_pages = guest_pages;
    machine.fd = memfd_create("xen", MFD_CLOEXEC);
    if (machine.fd < 0 || ftruncate(machine.fd, (off_t)(total() * PAGE_SIZE)))
        report_fatal("no memory for the guest: %s", strerror(errno));
    machine.pages =
        mmap(NULL, total() * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, machine.fd, 0);
    if (machine.pages == MAP_FAILED)
        report_fatal("no memory for the guest: %s", strerror(errno));
    fill_m2p();
}

size_t memory_guest_pages(void)
{
    return machine.guest_pages;
}

uint64_t memory_add_xen_page(void)
{
    if (machine.xen_pages == XEN_PAGES)
        report_fatal("the hypervisor is out of pages");
    return MFN_BASE + machine.guest_pages + machine.xen_pages++;
}

uint64_t memory_add_domain_0_page(void)
{
    uint64_t mfn = memory_add_xen_page();

    machine.domain_0s[mfn - MFN_BASE - machine.guest_pages] = true;
    return mfn;
}

static bool is_domain_0s(uint64_t mfn)
{
    uint64_t first = MFN_BASE + machine.guest_pages;

    return mfn >= first && mfn - first < machine.xen_pages && machine.domain_0s[mfn - first];
}

void *memory_page(uint64_t mfn)
{
    if (mfn < MFN_BASE || mfn - MFN_BASE >= machine.guest_pages + machine.xen_pages)
        return NULL;
    return machine.pages + (mfn - MFN_BASE) * PAGE_SIZE;
}

void *memory_guest_page(uint64_t mfn)
{
    return mfn - MFN_BASE < machine.guest_pages ? memory_page(mfn) : NULL;
}

void *memory_map_together(const uint64_t *mfns, size_t count)
{
    char *pages = mmap(NULL, count * PAGE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (pages == MAP_FAILED)
        report_fatal("no addresses for %zu pages: %s", count, strerror(errno));
    for (size_t i = 0; i < count; i++) {
        if (memory_guest_page(mfns[i]) &&
            mmap(pages + i * PAGE_SIZE, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
                 machine.fd, (off_t)((mfns[i] - MFN_BASE) * PAGE_SIZE)) != MAP_FAILED)
            continue;
        memory_unmap_together(pages, count);
        return NULL;
    }
    return pages;
}

void memory_unmap_together(void *pages, size_t count)
{
    munmap(pages, count * PAGE_SIZE);
}

/* --- mapping ---------------------------------------------------------------------------------- */

/* Where the guest may map: not over the program itself. */
static bool is_guest_va(uintptr_t va)
{
    bool image = va >= (uintptr_t)guest_image.data && va < (uintptr_t)guest_image.data_end;

    return va % PAGE_SIZE == 0 && (image || (va >= LINEAR_BASE && va < GUEST_END));
}

long memory_map(uintptr_t va, uint64_t entry)
{
    bool refused = (entry & PTE_P) && is_domain_0s((entry & PTE_FRAME) >> PAGE_SHIFT);

    return refused ? -EPERM : memory_map_any(va, entry);
}

long memory_map_any(uintptr_t va, uint64_t entry)
{
    uint64_t mfn = (entry & PTE_FRAME) >> PAGE_SHIFT;
    int prot = PROT_READ | (entry & PTE_W ? PROT_WRITE : 0);
    void *done;

    if (!is_guest_va(va))
        return -EINVAL;
    if (!(entry & PTE_P))
        done = mmap((void *)va, PAGE_SIZE, PROT_NONE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    else if (memory_page(mfn))
        done = mmap((void *)va, PAGE_SIZE, prot, MAP_SHARED | MAP_FIXED, machine.fd,
                    (off_t)((mfn - MFN_BASE) * PAGE_SIZE));
    else
        return -EPERM; /* what Xen says of a page that is another domain's */
    return done == MAP_FAILED ? -ENOMEM : 0;
}

static long reservation(uintptr_t arg)
{
    domid_t dom;
    int err = memory_from_guest(&dom, arg, sizeof(dom));

    if (!err)
        err = domain_check(dom);
    return err ? err : (long)machine.guest_pages;
}

long memory_op(unsigned cmd, uintptr_t arg)
{
    struct xen_machphys_mapping map = {
        .v_start = (uintptr_t)machine.m2p,
        .v_end = (uintptr_t)(machine.m2p + MFN_BASE + total()),
        .max_mfn = MFN_BASE + total() - 1,
    };

    switch (cmd) {
    case XENMEM_machphys_mapping:
        return memory_to_guest(arg, &map, sizeof(map));
    case XENMEM_current_reservation:
    case XENMEM_maximum_reservation:
        return reservation(arg);
    default:
        return -ENOSYS;
    }
}

/* --- the guest's pointers --------------------------------------------------------------------- */

/* A null pointer of the guest's is an address like any other. */
__attribute__((no_sanitize("nonnull-attribute"))) static int copy(void *dest, const void *src,
                                                                  size_t len)
{
    int err = 0;

    if (sigsetjmp(machine.fault, 0)) {
        err = -EFAULT;
    } else {
        machine.copying = true;
        memcpy(dest, src, len);
    }
    machine.copying = false;
    return err;
}

int memory_from_guest(void *dest, uintptr_t src, size_t len)
{
    return copy(dest, (const void *)src, len);
}

int memory_to_guest(uintptr_t dest, const void *src, size_t len)
{
    return copy((void *)dest, src, len);
}

void memory_copy_fault(void)
{
    if (machine.copying)
        siglongjmp(machine.fault, 1);
}
