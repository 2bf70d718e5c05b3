/* SPDX-License-Identifier: ISC */
/*
 * Questions of class CHAOS, in which servers say what they are (RFC 4892): version.bind and
 * version.server, id.server and hostname.bind, of type TXT; and counters.server, which is ours.
 */
#include "lib/dns/counters.h"
#include "lib/dns/task.h"

enum { TEXT_MAX = 255 };

static const char *text_for(const struct dns_identity *identity, const struct dns_key *key)
{
    static const struct {
        uint8_t name[17];
        bool is_version;
    } names[] = {
        {"\7version\4bind", true},
        {"\7version\6server", true},
        {"\2id\6server", false},
        {"\10hostname\4bind", false},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
        if (dns_name_equal(names[i].name, key->lower))
            return names[i].is_version ? identity->version : identity->id;
    }
    return NULL;
}

/* Appends a string to the data of the TXT record that begins at RECORD. False when it does not fit. */
static bool put_string(struct reply *r, uint8_t *record, const char *text, size_t len)
{
    uint8_t *out = r->out + r->pos;

    if (1 + len > r->limit - r->pos)
        return false;
    out[0] = (uint8_t)len;
    memcpy(out + 1, text, len);
    r->pos += 1 + len;
    dns_put_be16(record + 10, (uint16_t)(dns_be16(record + 10) + 1 + len));
    return true;
}

/* Appends the counters as strings: as many as fit. */
static void put_counters(struct task *t, uint8_t *record)
{
    char text[COUNTER_TEXT];
    unsigned next = 0, len;

    while ((len = counters_next(t->stats, &next, text))) {
        if (!put_string(&t->r, record, text, len)) {
            t->r.flags |= FLAG_TC;
            return;
        }
    }
}

/* Is the question one for the counters, and are they told? */
static bool wants_counters(const struct task *t)
{
    static const uint8_t name[] = "\10counters\6server";

    return IS_ENABLED(CONFIG_DNS_COUNTERS) && t->db->identity && t->db->identity->counters &&
           dns_name_equal(name, t->q.key.lower);
}

bool chaos_answer(struct task *t)
{
    const char *text = t->db->identity ? text_for(t->db->identity, &t->q.key) : NULL;
    bool counters = wants_counters(t);
    struct reply *r = &t->r;
    uint8_t *record = r->out + r->pos;

    if ((!text && !counters) || (t->q.type != TYPE_TXT && t->q.type != TYPE_ANY) ||
        RECORD_HEADER > r->limit - r->pos)
        return false;
    dns_put_be16(record, OWNER_POINTER);
    dns_put_be16(record + 2, TYPE_TXT);
    dns_put_be16(record + 4, CLASS_CHAOS);
    dns_put_be32(record + 6, 0);
    dns_put_be16(record + 10, 0);
    r->pos += RECORD_HEADER;
    if (counters) {
        put_counters(t, record);
    } else if (!put_string(r, record, text, MIN(strlen(text), TEXT_MAX))) {
        r->pos -= RECORD_HEADER;
        return false;
    }
    r->count[SECTION_ANSWER] = 1;
    r->rcode = DNS_NOERROR;
    r->flags |= FLAG_AA;
    return true;
}
