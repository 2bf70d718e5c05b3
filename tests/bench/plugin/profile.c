/* SPDX-License-Identifier: ISC */
/*
 * A QEMU plugin that counts the instructions of one guest by call path, and those that Xen executes
 * for it.
 *
 *   -plugin file=profile.so,text=FILE,base=HEX,symbols=FILE,control=FILE,out=FILE,places=FILE
 *
 * text: the bytes of the guest's .text, base its address; symbols: "HEX NAME" lines in ascending
 * order; control: one byte, '1' while is to be counted; out: "a;b;c COUNT" lines at QEMU's end;
 * places: "HEX COUNT" lines, how often each instruction was executed.
 *
 * A block of translated code is the guest's if it lies in .text and its bytes are those of .text:
 * programs of dom0 use the same addresses. Each execution of such a block moves a shadow of the
 * guest's stack: after a call a frame is pushed, after a return popped. What fits neither (an
 * upcall, a tail call, another thread) finds its place by the function's name. Xen's blocks only
 * add to a counter, and so do dom0's: Xen's count goes to the guest's current path unless dom0 ran
 * in between, for then the guest was descheduled.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <fcntl.h>

#include "qemu_plugin.h"

#define FRAMES_MAX 128
#define XEN_BEGIN 0xffff82d000000000
#define XEN_END 0xffff830000000000

QEMU_PLUGIN_EXPORT int qemu_plugin_version = QEMU_PLUGIN_VERSION;

/* A function in the context of its callers. */
struct node {
    const char *name;
    struct node *parent, *children, *next;
    uint64_t count;
};

struct symbol {
    uint64_t at;
    char *name;
};

enum ending { ENDS_OTHERWISE, ENDS_WITH_CALL, ENDS_WITH_RETURN };

struct block {
    struct block *next;
    uint64_t begin, end, count, runs;
    uint8_t *sizes; /* of each of its count instructions, in octets */
    const struct symbol *symbol;
    enum ending ending;
};

struct frame {
    struct node *node;
    uint64_t back; /* where the caller goes on */
};

static struct {
    unsigned char *text;
    uint64_t base, size;
    struct symbol *symbols;
    size_t symbol_count;
    const volatile char *control;
    const char *out, *places;
    struct block *blocks;
    uint64_t xen, dom0, xen_seen, dom0_seen;
    struct node root;
    struct frame frames[FRAMES_MAX];
    int depth;
    const struct block *last;
} profile = {.root = {.name = "guest"}};

static struct node *child_of(struct node *parent, const char *name)
{
    struct node *n;

    for (n = parent->children; n; n = n->next)
        if (n->name == name)
            return n;
    n = calloc(1, sizeof(*n));
    if (!n)
        abort();
    *n = (struct node){.name = name, .parent = parent, .next = parent->children};
    parent->children = n;
    return n;
}

static struct node *top(void)
{
    return profile.depth ? profile.frames[profile.depth - 1].node : &profile.root;
}

static void push(const char *name, uint64_t back)
{
    struct node *node = child_of(top(), name);

    if (profile.depth == FRAMES_MAX)
        profile.depth = 0;
    profile.frames[profile.depth++] = (struct frame){node, back};
}

/* The innermost frame of that function becomes the top; without one the top is replaced by it. */
static void find(const char *name)
{
    uint64_t back;

    for (int i = profile.depth; i-- > 0;) {
        if (profile.frames[i].node->name == name) {
            profile.depth = i + 1;
            return;
        }
    }
    back = profile.depth ? profile.frames[profile.depth - 1].back : 0;
    profile.depth -= profile.depth > 0;
    push(name, back);
}

static void go_back(const struct block *to)
{
    for (int i = profile.depth; i-- > 0;) {
        if (profile.frames[i].back == to->begin) {
            profile.depth = i;
            return;
        }
    }
    profile.depth = 0;
}

static void move_to(const struct block *block)
{
    enum ending ending = profile.last ? profile.last->ending : ENDS_OTHERWISE;
    const char *name = block->symbol->name;

    if (ending == ENDS_WITH_RETURN)
        go_back(block);
    if (ending == ENDS_WITH_CALL && block->begin == block->symbol->at)
        push(name, profile.last->end);
    else if (!strcmp(name, "upcall_entry") && block->begin == block->symbol->at)
        push(name, 0);
    else if (top()->name != name)
        find(name);
}

static void on_guest(unsigned vcpu, void *userdata)
{
    struct block *block = userdata;
    bool counting = *profile.control == '1';

    (void)vcpu;
    if (counting && profile.dom0 == profile.dom0_seen && profile.xen != profile.xen_seen)
        child_of(top(), "[Xen]")->count += profile.xen - profile.xen_seen;
    profile.xen_seen = profile.xen;
    profile.dom0_seen = profile.dom0;
    move_to(block);
    profile.last = block;
    if (counting) {
        top()->count += block->count;
        block->runs++;
    }
}

static const struct symbol *symbol_at(uint64_t address)
{
    size_t low = 0, high = profile.symbol_count;

    while (high - low > 1) {
        size_t middle = (low + high) / 2;

        if (profile.symbols[middle].at <= address)
            low = middle;
        else
            high = middle;
    }
    return &profile.symbols[low];
}

static enum ending ending_of(const struct qemu_plugin_insn *insn)
{
    const unsigned char *byte = qemu_plugin_insn_data(insn);
    size_t left = qemu_plugin_insn_size(insn);

    /* Prefixes: REX, rep, segments. */
    for (; left > 1 && ((*byte & 0xf0) == 0x40 || *byte == 0xf2 || *byte == 0xf3 || *byte == 0x3e ||
                        *byte == 0x2e);
         left--)
        byte++;
    if (*byte == 0xc3 || *byte == 0xc2)
        return ENDS_WITH_RETURN;
    if (*byte == 0xe8 || (*byte == 0xff && left > 1 && (byte[1] >> 3 & 7) == 2))
        return ENDS_WITH_CALL;
    return ENDS_OTHERWISE;
}

/* The block's description if it is the guest's. */
static struct block *guest_block(const struct qemu_plugin_tb *tb)
{
    uint64_t begin = qemu_plugin_tb_vaddr(tb), at = begin;
    size_t count = qemu_plugin_tb_n_insns(tb);
    struct block *block;

    if (begin < profile.base || begin >= profile.base + profile.size)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        size_t size = qemu_plugin_insn_size(insn);

        if (at + size > profile.base + profile.size ||
            memcmp(profile.text + (at - profile.base), qemu_plugin_insn_data(insn), size) != 0)
            return NULL;
        at += size;
    }
    block = calloc(1, sizeof(*block));
    if (!block || !(block->sizes = malloc(count)))
        abort();
    for (size_t i = 0; i < count; i++)
        block->sizes[i] = (uint8_t)qemu_plugin_insn_size(qemu_plugin_tb_get_insn(tb, i));
    block->begin = begin;
    block->end = at;
    block->count = count;
    block->symbol = symbol_at(begin);
    block->ending = ending_of(qemu_plugin_tb_get_insn(tb, count - 1));
    block->next = profile.blocks;
    profile.blocks = block;
    return block;
}

static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    uint64_t at = qemu_plugin_tb_vaddr(tb);
    struct block *block = guest_block(tb);

    (void)id;
    if (block)
        qemu_plugin_register_vcpu_tb_exec_cb(tb, on_guest, QEMU_PLUGIN_CB_NO_REGS, block);
    else
        qemu_plugin_register_vcpu_tb_exec_inline(tb, QEMU_PLUGIN_INLINE_ADD_U64,
                                                 at >= XEN_BEGIN && at < XEN_END ? &profile.xen
                                                                                 : &profile.dom0,
                                                 qemu_plugin_tb_n_insns(tb));
}

static void write_path(FILE *out, const struct node *node)
{
    if (node->parent) {
        write_path(out, node->parent);
        fputc(';', out);
    }
    fputs(node->name, out);
}

static void write_tree(FILE *out, const struct node *node)
{
    if (node->count) {
        write_path(out, node);
        fprintf(out, " %llu\n", (unsigned long long)node->count);
    }
    for (node = node->children; node; node = node->next)
        write_tree(out, node);
}

/* QEMU may have translated the same code several times. */
static void write_places(FILE *out)
{
    uint64_t *counts = calloc(profile.size, sizeof(*counts));

    if (!counts)
        return;
    for (const struct block *block = profile.blocks; block; block = block->next) {
        uint64_t at = block->begin - profile.base;

        for (uint64_t i = 0; i < block->count; at += block->sizes[i++])
            counts[at] += block->runs;
    }
    for (uint64_t at = 0; at < profile.size; at++)
        if (counts[at])
            fprintf(out, "%llx %llu\n", (unsigned long long)(profile.base + at),
                    (unsigned long long)counts[at]);
    free(counts);
}

static void on_exit_of_qemu(qemu_plugin_id_t id, void *userdata)
{
    FILE *out = fopen(profile.out, "w"), *places = fopen(profile.places, "w");

    (void)id;
    (void)userdata;
    if (out) {
        write_tree(out, &profile.root);
        fclose(out);
    }
    if (places) {
        write_places(places);
        fclose(places);
    }
}

static bool read_text(const char *path)
{
    FILE *file = fopen(path, "rb");

    if (!file || fseek(file, 0, SEEK_END))
        return false;
    profile.size = (uint64_t)ftell(file);
    rewind(file);
    profile.text = malloc(profile.size);
    return profile.text && fread(profile.text, 1, profile.size, file) == profile.size;
}

static bool read_symbols(const char *path)
{
    FILE *file = fopen(path, "r");
    unsigned long long at;
    char name[256];

    if (!file)
        return false;
    while (fscanf(file, "%llx %255s", &at, name) == 2) {
        profile.symbols =
            realloc(profile.symbols, (profile.symbol_count + 1) * sizeof(*profile.symbols));
        if (!profile.symbols)
            return false;
        profile.symbols[profile.symbol_count++] = (struct symbol){at, strdup(name)};
    }
    return profile.symbol_count > 0;
}

static bool map_control(const char *path)
{
    int file = open(path, O_RDONLY);

    profile.control = mmap(NULL, 1, PROT_READ, MAP_SHARED, file, 0);
    return file >= 0 && profile.control != MAP_FAILED;
}

QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info_t *info,
                                           int argc, char **argv)
{
    bool fine = true;

    (void)info;
    for (int i = 0; i < argc && fine; i++) {
        const char *value = strchr(argv[i], '=');

        value = value ? value + 1 : "";
        if (!strncmp(argv[i], "text=", 5))
            fine = read_text(value);
        else if (!strncmp(argv[i], "symbols=", 8))
            fine = read_symbols(value);
        else if (!strncmp(argv[i], "control=", 8))
            fine = map_control(value);
        else if (!strncmp(argv[i], "base=", 5))
            profile.base = strtoull(value, NULL, 16);
        else if (!strncmp(argv[i], "out=", 4))
            profile.out = strdup(value);
        else if (!strncmp(argv[i], "places=", 7))
            profile.places = strdup(value);
        else
            fine = false;
    }
    if (!fine || !profile.text || !profile.symbols || !profile.control || !profile.out ||
        !profile.places) {
        fprintf(stderr, "profile: wrong arguments\n");
        return 1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
    qemu_plugin_register_atexit_cb(id, on_exit_of_qemu, NULL);
    return 0;
}
