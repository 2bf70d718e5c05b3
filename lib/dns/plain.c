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
    const struct dns_zone *zone = db_find(db, &q->key, q->key.labels);
    const uint8_t *node;

    if (!zone || !zone_is_there(zone) || (q->dnssec_ok && zone->features & FEATURE_SIGNED))
        return NULL;
    node = zone_probe(zone, q->key.lower, key_offset(zone, &q->key, 0));
    if (!node || node_flags(node) & (NODE_CUT | NODE_BELOW | NODE_DNAME))
        return NULL;
    return node_find_set(node, q->type);
}

size_t plain_answer(const struct dns_db *db, const struct dns_query *q, const uint8_t *query,
                    uint8_t *out, size_t max)
{
    size_t at = HEADER_SIZE + q->question_len, end;
    const uint8_t *set;

    if (q->class != CLASS_IN || !is_plain_type(q->type))
        return 0;
    set = find_set(db, q);
    if (!set || set_fixups_len(set))
        return 0;
    end = at + set_records_len(set);
    if (end + (q->edns ? OPT_SIZE : 0) > max)
        return 0;
    memcpy(out, query, at);
    memcpy(out + at, set_records(set), set_records_len(set));
    out[2] = FLAG_QR | FLAG_AA | (query[2] & FLAG_RD);
    out[3] = DNS_NOERROR;
    dns_put_be32(out + 4, 1u << 16 | set_count(set));
    dns_put_be32(out + 8, q->edns);
    if (q->edns)
        end += message_put_opt(out + end, DNS_NOERROR, q->dnssec_ok);
    return end;
}
