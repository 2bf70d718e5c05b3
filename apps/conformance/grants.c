/* SPDX-License-Identifier: ISC */
/*
 * Grant tables: errors of the calls, and what Xen does to an entry's flags while a page is mapped. Xen lets a
 * domain map its own grants, so one guest is enough.
 */
#include <stdint.h>
#include <string.h>

#include "apps/conformance/ports.h"
#include "apps/conformance/verdict.h"
#include "arch/arch.h"
#include "kernel/page.h"
#include "lib/atomic.h"
#include "xen/gnttab.h"
#include "xen/hypercall.h"

#define FRAMES_MAX 64      /* xl's default */
#define NOT_GIVEN 200      /* a reference in everybody's first frame, of a page not lent to us */
#define NO_REF 0x7fffffffu /* beyond every table */

static struct {
    void *ours, *window, *other; /* the page that is lent, where it is mapped, neither */
    grant_ref_t ref;
    domid_t self;
} g;

static const char *status_name(int status)
{
    static const char *const names[] = {
        "okay",          "general_error",   "bad_domain", "bad_gntref", "bad_handle",
        "bad_virt_addr", "bad_dev_addr",    "no_device",  "permission", "bad_page",
        "bad_copy_arg",  "address_too_big", "eagain",     "no_space",
    };

    return status <= 0 && (unsigned)-status < ARRAY_SIZE(names) ? names[-status] : "?";
}

static void tell(const char *question, long err, int status)
{
    if (err)
        verdict_result(question, err);
    else
        verdict(question, "%s", status_name(status));
}

/* --- the table --------------------------------------------------------------------------------- */

static void ask_size(const char *question, domid_t dom)
{
    struct gnttab_query_size op = {.dom = dom};
    long err = hv_grant_table_op(GNTTABOP_query_size, &op, 1);

    if (err || op.status)
        tell(question, err, op.status);
    else
        verdict(question, "%u of %u frames", op.nr_frames, op.max_nr_frames);
}

static void ask_setup(const char *question, domid_t dom, unsigned count, uint64_t *list)
{
    struct gnttab_setup_table op = {.dom = dom, .nr_frames = count};
    long err;

    set_xen_guest_handle(op.frame_list, list);
    err = hv_grant_table_op(GNTTABOP_setup_table, &op, 1);
    tell(question, err, op.status);
}

static void ask_version(const char *question, domid_t dom)
{
    struct gnttab_get_version op = {.dom = dom};
    long err = hv_grant_table_op(GNTTABOP_get_version, &op, 1);

    if (err)
        verdict_result(question, err);
    else
        verdict(question, "version %u", op.version);
}

static void ask_table(void)
{
    uint64_t list[FRAMES_MAX + 1];
    struct gnttab_query_size size[2] = {{.dom = DOMID_SELF}, {.dom = DOMID_SELF}};
    struct gnttab_set_version version = {.version = 3};

    ask_size("size of the table", DOMID_SELF);
    ask_size("size of domain 0's", 0);
    ask_size("size of nobody's", NOBODY);
    verdict_result("size of two tables", hv_grant_table_op(GNTTABOP_query_size, size, 2));
    verdict_result("size of no table", hv_grant_table_op(GNTTABOP_query_size, size, 0));
    verdict_result("size told nowhere", hv_grant_table_op(GNTTABOP_query_size, NULL, 1));
    ask_setup("set up no frame", DOMID_SELF, 0, list);
    ask_setup("set up too many frames", DOMID_SELF, FRAMES_MAX + 1, list);
    ask_setup("set up domain 0's", 0, 1, list);
    ask_setup("set up nobody's", NOBODY, 1, list);
    ask_setup("set up frames told nowhere", DOMID_SELF, 1, NULL);
    ask_setup("set up three frames", DOMID_SELF, 3, list);
    ask_size("size after that", DOMID_SELF);
    ask_version("version", DOMID_SELF);
    ask_version("version of domain 0's", 0);
    ask_version("version of nobody's", NOBODY);
    verdict_result("set version 3", hv_grant_table_op(GNTTABOP_set_version, &version, 1));
    version.version = 1;
    verdict_result("set version 1", hv_grant_table_op(GNTTABOP_set_version, &version, 1));
    verdict_result("no such operation", hv_grant_table_op(99, &version, 1));
}

/* --- mapping ----------------------------------------------------------------------------------- */

static struct grant_entry_v1 *entry(void)
{
    return (struct grant_entry_v1 *)ARCH_GRANT_BASE + g.ref;
}

static void tell_flags(const char *question)
{
    uint16_t flags = shared_read(&entry()->flags);

    verdict(question, "%s%s%s%s",
            (flags & GTF_type_mask) == GTF_permit_access ? "permit_access" : "invalid",
            flags & GTF_readonly ? " readonly" : "", flags & GTF_reading ? " reading" : "",
            flags & GTF_writing ? " writing" : "");
}

static int map(domid_t dom, grant_ref_t ref, uint32_t flags, grant_handle_t *handle)
{
    struct gnttab_map_grant_ref op = {
        .host_addr = (uintptr_t)g.window,
        .flags = flags,
        .ref = ref,
        .dom = dom,
    };
    long err = hv_grant_table_op(GNTTABOP_map_grant_ref, &op, 1);

    *handle = op.handle;
    return err ? (int)err : op.status;
}

static int unmap(grant_handle_t handle, const void *at)
{
    struct gnttab_unmap_grant_ref op = {.host_addr = (uintptr_t)at, .handle = handle};
    long err = hv_grant_table_op(GNTTABOP_unmap_grant_ref, &op, 1);

    return err ? (int)err : op.status;
}

static void ask_map(const char *question, domid_t dom, grant_ref_t ref, uint32_t flags)
{
    grant_handle_t handle;
    int status = map(dom, ref, flags, &handle);

    tell(question, 0, status);
    if (!status)
        (void)unmap(handle, g.window);
}

static void ask_mapped(void)
{
    grant_handle_t handle, second;

    gnttab_grant(g.ref, g.self, g.ours, false);
    tell_flags("flags of a grant");
    tell("map it", 0, map(g.self, g.ref, GNTMAP_host_map, &handle));
    tell_flags("flags of one that is mapped");
    strcpy(g.ours, "through");
    verdict("what is seen there", "%.8s", (const char *)g.window);
    verdict_result("end it now", gnttab_end(g.ref));
    tell("unmap it elsewhere", 0, unmap(handle, g.other));
    tell("unmap it", 0, unmap(handle, g.window));
    tell_flags("flags of one that was mapped");
    tell("unmap it again", 0, unmap(handle, g.window));

    tell("map it to be read", 0, map(g.self, g.ref, GNTMAP_host_map | GNTMAP_readonly, &second));
    tell_flags("flags of one that is read");
    shared_write(&entry()->flags, 0); /* as no careful guest would */
    tell_flags("flags of one that is ended against the rules");
    tell("unmap that", 0, unmap(second, g.window));
    tell_flags("flags of one that was so ended");

    gnttab_grant(g.ref, g.self, g.ours, true);
    ask_map("map to be written what is to be read", g.self, g.ref, GNTMAP_host_map);
    ask_map("map to be read what is to be read", g.self, g.ref, GNTMAP_host_map | GNTMAP_readonly);
    tell_flags("flags after that");
    verdict_result("end a grant", gnttab_end(g.ref));
    ask_map("map what is ended", g.self, g.ref, GNTMAP_host_map);
    gnttab_grant(g.ref, NOBODY, g.ours, false);
    ask_map("map what is lent to another", g.self, g.ref, GNTMAP_host_map);
    tell_flags("flags of that");
    (void)gnttab_end(g.ref);
}

static void ask_wrong(void)
{
    ask_map("map nobody's grant", NOBODY, NOT_GIVEN, GNTMAP_host_map);
    ask_map("map what domain 0 has not given", 0, NOT_GIVEN, GNTMAP_host_map);
    ask_map("map no reference of domain 0's", 0, NO_REF, GNTMAP_host_map);
    ask_map("map no reference of ours", g.self, NO_REF, GNTMAP_host_map);
    ask_map("map nowhere", 0, NOT_GIVEN, 0);
    ask_map("map to be read, nowhere", 0, NOT_GIVEN, GNTMAP_readonly);
    tell("unmap no handle", 0, unmap(12345, g.window));
    tell("unmap a handle beyond all", 0, unmap(0xffffffff, g.window));
    verdict_result("map told nowhere", hv_grant_table_op(GNTTABOP_map_grant_ref, NULL, 1));
    verdict_result("map nothing", hv_grant_table_op(GNTTABOP_map_grant_ref, NULL, 0));
    verdict_result("unmap nothing", hv_grant_table_op(GNTTABOP_unmap_grant_ref, NULL, 0));
}

/* --- copying ----------------------------------------------------------------------------------- */

static void ask_copy(const char *question, struct gnttab_copy op)
{
    long err = hv_grant_table_op(GNTTABOP_copy, &op, 1);

    tell(question, err, op.status);
}

static void ask_copies(void)
{
    struct gnttab_copy op = {
        .source = {.u.gmfn = arch_virt_to_mfn(g.ours).n, .domid = DOMID_SELF, .offset = 0},
        .dest = {.u.gmfn = arch_virt_to_mfn(g.window).n, .domid = DOMID_SELF, .offset = 100},
        .len = 8,
    };
    struct gnttab_copy wrong = op;

    strcpy(g.ours, "copied.");
    memset(g.window, 0, PAGE_SIZE);
    ask_copy("copy between our pages", op);
    verdict("what has arrived", "%.8s", (const char *)g.window + 100);
    wrong.len = 4097;
    ask_copy("copy more than a page", wrong);
    wrong = op;
    wrong.dest.offset = 4090;
    ask_copy("copy beyond a page", wrong);
    wrong = op;
    wrong.source.domid = 0;
    ask_copy("copy a page of domain 0's", wrong);
    wrong = op;
    wrong.source.domid = NOBODY;
    wrong.flags = GNTCOPY_source_gref;
    ask_copy("copy nobody's grant", wrong);
    wrong.source.domid = 0;
    wrong.source.u.ref = NOT_GIVEN;
    ask_copy("copy what domain 0 has not given", wrong);
    wrong.source.u.ref = NO_REF;
    ask_copy("copy no reference of domain 0's", wrong);
    gnttab_grant(g.ref, g.self, g.ours, true);
    op.flags = GNTCOPY_source_gref;
    op.source.u.ref = g.ref;
    op.source.domid = g.self;
    ask_copy("copy from our grant", op);
    tell_flags("flags after that copy");
    op.flags = GNTCOPY_dest_gref;
    op.source.u.gmfn = arch_virt_to_mfn(g.window).n;
    op.source.domid = DOMID_SELF;
    op.dest.u.ref = g.ref;
    op.dest.domid = g.self;
    ask_copy("copy into one to be read", op);
    (void)gnttab_end(g.ref);
    verdict_result("copy told nowhere", hv_grant_table_op(GNTTABOP_copy, NULL, 1));
}

void ask_grants(void)
{
    g.ours = page_alloc_zeroed(0);
    g.window = page_alloc_zeroed(0);
    g.other = page_alloc_zeroed(0);
    ask_table();
    g.self = port_domain();
    g.ref = (grant_ref_t)gnttab_alloc();
    ask_wrong();
    ask_mapped();
    (void)arch_map((uintptr_t)g.window, arch_virt_to_pfn(g.window), 1, ARCH_PROT_RW);
    ask_copies();
}
