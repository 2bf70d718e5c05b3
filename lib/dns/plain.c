/* SPDX-License-Identifier: ISC */
/*
 * The plain question: its name exists as it stands, what it asks for is one set there, and nothing else is to be
 * said. Most questions are like that, and the answer is the question with a copy of the set behind it.
 *
 * answer.c would answer with the same octets. To find out that a question is not plain costs little: the search for its
 * zone and node, which is made again.
 */
#include "lib/dns/task.h"

/* Neither one of the types that ask for more than data, nor one whose answer is from the parent's zone, has
 * addresses beside it or is made of signatures. */
static bool is_plain_type(unsigned type)
{
    return type < TYPE_META && type != TYPE_DS && type != TYPE_NS && type != TYPE_RRSIG;
}

static const uint8_t *find_set(const struct dns_db *db, const struct dns_query *q)
{
    const struct dns_zone *zone = dns_db_find(db, &q->key, q->key.labels);
    const uint8_t *node;
    unsigned len;

    if (!zone || !zone_is_there(zone) || (q->dnssec_ok && zone->features & FEATURE_SIGNED))
        return NULL;
    len = key_offset(zone, &q->key, 0);
    node = zone_probe(zone, q->key.lower, len, q->key.hash[q->key.labels]);
    if (!node || node_flags(node) & (NODE_CUT | NODE_BELOW | NODE_DNAME))
        return NULL;
    return node_find_set(node, q->type);
}

bool plain_answer(struct task *t)
{
    struct reply *r = &t->r;
    const uint8_t *set;
    unsigned len;

    if (t->q.class != CLASS_IN || !is_plain_type(t->q.type))
        return false;
    set = find_set(t->db, &t->q);
    if (!set || set_fixups_len(set))
        return false;
    len = set_records_len(set);
    if (len > r->limit - r->pos)
        return false;
    memcpy(r->out + r->pos, set_records(set), len);
    r->pos += len;
    r->count[SECTION_ANSWER] = (uint16_t)set_count(set);
    r->flags = FLAG_AA;
    return true;
}
