/* SPDX-License-Identifier: ISC */
/*
 * The builder's first half: sorts the records (store.c), checks the zone's rules and makes the tree
 * of names (tree.h). RFC 1034 section 3.6.2 (CNAME), RFC 2181 section 5 (sets), RFC 4592 (empty
 * non-terminals exist), RFC 6672 section 2.4 (DNAME).
 */
#include "lib/dns/rrtype.h"
#include "lib/dns/tree.h"

#include <errno.h>
#include <stdlib.h>

unsigned builder_key(const uint8_t *name, uint8_t key[KEY_MAX])
{
    uint8_t start[DNS_LABELS_MAX];
    unsigned labels = 0, len = 0;

    for (unsigned pos = 0; name[pos]; pos += name[pos] + 1)
        start[labels++] = pos;
    while (labels) {
        const uint8_t *label = name + start[--labels];

        for (unsigned i = 1; i <= label[0]; i++) {
            uint8_t c = dns_lower(label[i]);

            if (c <= 1)
                key[len++] = 1;
            key[len++] = c <= 1 ? c + 1 : c;
        }
        key[len++] = 0;
    }
    return len;
}

unsigned builder_name(const uint8_t *key, unsigned from, unsigned len, uint8_t *name)
{
    uint8_t backwards[KEY_MAX];
    unsigned at = sizeof(backwards), n;

    while (from < len) {
        uint8_t label[DNS_LABEL_MAX + 1];

        for (n = 0; key[from]; from++) {
            if (key[from] == 1)
                label[++n] = key[++from] - 1;
            else
                label[++n] = key[from];
        }
        label[0] = n;
        from++;
        at -= n + 1;
        memcpy(backwards + at, label, n + 1);
    }
    memcpy(name, backwards + at, sizeof(backwards) - at);
    return sizeof(backwards) - at;
}

/* Adds a leaf; NULL when memory is short. */
static struct leaf *add_leaf(struct dns_builder *b, uint32_t first, unsigned key_len,
                             unsigned depth)
{
    struct leaf *leaf = builder_grow(b->leaves, b->leaf_count, &b->leaf_room, sizeof(*leaf));

    if (!leaf)
        return NULL;
    b->leaves = leaf;
    leaf = &b->leaves[b->leaf_count++];
    *leaf = (struct leaf){.first = first, .key_len = key_len, .depth = depth};
    b->max_depth = MAX(b->max_depth, depth);
    return leaf;
}

/* Sets what the new leaf inherits from its parent and tells it. */
static void link_leaf(struct dns_builder *b, struct leaf *leaf, uint32_t parent)
{
    const uint8_t *key = builder_rec(b, leaf->first)->octets;
    struct leaf *above = &b->leaves[parent];

    if (above->flags & NODE_DNAME)
        builder_report(b, DNS_ERROR, builder_rec(b, leaf->first),
                       "there is a DNAME above this name", NULL);
    if (above->flags & (NODE_CUT | NODE_BELOW))
        leaf->flags |= NODE_BELOW;
    if (leaf->key_len - above->key_len == 2 && key[above->key_len] == '*') {
        leaf->flags |= NODE_ASTERISK;
        above->flags |= NODE_WILD;
    }
}

/* The path from the apex to the name met last: indices of leaves, by depth. */
struct path {
    uint32_t leaf[DNS_LABELS_MAX + 1];
    unsigned depth;
};

/*
 * Adds the leaf of a name whose first record is recs[first], and leaves for those of its ancestors
 * that have no records. Returns 0 or -ENOMEM.
 */
static int add_name(struct dns_builder *b, struct path *path, uint32_t first)
{
    const struct rec *rec = builder_rec(b, first);
    unsigned end = b->apex_key_len, depth = 0;
    bool known = b->leaf_count;

    if (!known && !add_leaf(b, first, end, 0))
        return -ENOMEM;
    while (end < rec->key_len) {
        struct leaf *leaf;

        end += strlen((const char *)rec->octets + end) + 1;
        depth++;
        if (known && depth <= path->depth) {
            leaf = &b->leaves[path->leaf[depth]];
            if (leaf->key_len == end &&
                !memcmp(builder_rec(b, leaf->first)->octets, rec->octets, end))
                continue;
        }
        known = false;
        leaf = add_leaf(b, first, end, depth);
        if (!leaf)
            return -ENOMEM;
        path->leaf[depth] = b->leaf_count - 1;
        link_leaf(b, leaf, path->leaf[depth - 1]);
    }
    path->depth = depth;
    return 0;
}

/* May a record of this type stand beside a CNAME (RFC 4034 sections 3 and 4)? */
static bool beside_cname(unsigned type)
{
    return type == TYPE_CNAME || type == TYPE_RRSIG || type == TYPE_NSEC;
}

/* Checks that the name has no second record, another than FIRST, of this type. */
static void check_single(struct dns_builder *b, const struct rec *rec, const struct rec **first,
                         const char *what)
{
    if (*first && !rec_same_data(rec, *first))
        builder_report(b, DNS_ERROR, rec, what, NULL);
    *first = rec;
}

static const struct rec *later(const struct rec *a, const struct rec *b)
{
    return a->line > b->line ? a : b;
}

/* Checks the records of a name, whose leaf is the last, and sets the leaf's flags. */
static void check_name(struct dns_builder *b, struct leaf *leaf)
{
    const struct rec *cname = NULL, *dname = NULL, *ns = NULL, *nsec3 = NULL, *other = NULL;

    for (uint32_t i = 0; i < leaf->count; i++) {
        const struct rec *rec = builder_rec(b, leaf->first + i);

        builder_step(b);
        if (rec->type == TYPE_CNAME)
            check_single(b, rec, &cname, "a name has one CNAME only");
        else if (!beside_cname(rec->type))
            other = rec;
        if (rec->type == TYPE_DNAME)
            check_single(b, rec, &dname, "a name has one DNAME only");
        if (rec->type == TYPE_NS)
            ns = rec;
        if (rec->type == TYPE_NSEC3)
            nsec3 = nsec3 ? nsec3 : rec;
        if (rec->type == TYPE_NSEC3PARAM && !leaf->depth)
            chain_take_param(b, rec);
        if (rec->type == TYPE_NSEC && !leaf->depth)
            b->features |= FEATURE_NSEC;
    }
    if (cname)
        leaf->flags |= NODE_CNAME;
    if (dname) {
        leaf->flags |= NODE_DNAME;
        b->features |= FEATURE_DNAME;
    }
    if (cname && other)
        builder_report(b, DNS_ERROR, later(cname, other), "CNAME and other data at one name", NULL);
    /* With types above its own chain_take() finds it. */
    if (nsec3)
        builder_report(b, DNS_ERROR, nsec3, chain_not_alone, NULL);
    if (leaf->depth == 0 && !ns)
        builder_report(b, DNS_ERROR, b->soa, "the zone has no NS record at its apex", NULL);
    if (leaf->depth && dname && ns)
        builder_report(b, DNS_ERROR, later(dname, ns), "DNAME and NS at one name", NULL);
    if (leaf->depth && ns && !(leaf->flags & NODE_BELOW))
        leaf->flags |= NODE_CUT;
}

static bool same_key(const struct rec *a, const struct rec *b)
{
    return a->key_len == b->key_len && !memcmp(a->octets, b->octets, a->key_len);
}

static int make_tree(struct dns_builder *b)
{
    struct path path = {.depth = 0};
    uint32_t next;

    for (uint32_t i = 0; i < b->rec_count; i = next) {
        const struct rec *rec = builder_rec(b, i);
        int err;

        builder_step(b);
        for (next = i + 1; next < b->rec_count && same_key(builder_rec(b, next), rec); next++)
            builder_step(b);
        if (rec->key_len < b->apex_key_len || memcmp(rec->octets, b->apex_key, b->apex_key_len)) {
            for (; i < next; i++) {
                builder_step(b);
                builder_report(b, DNS_ERROR, builder_rec(b, i), "the record lies outside the zone",
                               b->apex);
            }
            continue;
        }
        if (chain_is_hashed(b, i)) {
            err = chain_take(b, i, next);
            if (err)
                return err;
            continue;
        }
        err = add_name(b, &path, i);
        if (err)
            return err;
        b->leaves[path.leaf[path.depth]].first = i;
        b->leaves[path.leaf[path.depth]].count = next - i;
        check_name(b, &b->leaves[path.leaf[path.depth]]);
    }
    return 0;
}

int dns_builder_finish(struct dns_builder *b, uint8_t **image, size_t *size)
{
    int err;

    if (!b->soa) {
        builder_report(b, DNS_ERROR, b->rec_count ? builder_rec(b, 0) : NULL,
                       "the zone has no SOA record", NULL);
        return -EINVAL;
    }
    err = builder_sort(b);
    if (!err)
        err = builder_settle(b);
    if (!err && IS_ENABLED(CONFIG_DNS_ZONEMD) && b->verifies && !b->errors)
        err = zonemd_check(b);
    if (!err)
        err = make_tree(b);
    if (b->hashed_count)
        b->features = (b->features & ~FEATURE_NSEC) | FEATURE_NSEC3;
    if (!err)
        err = b->errors ? -EINVAL : builder_render(b, image, size);
    return err;
}
