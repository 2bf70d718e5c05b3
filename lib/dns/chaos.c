/* SPDX-License-Identifier: ISC */
/*
 * Questions of class CHAOS, in which servers say what they are (RFC 4892): version.bind and
 * version.server, id.server and hostname.bind, of type TXT.
 */
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

bool chaos_answer(struct task *t)
{
    const char *text = t->db->identity ? text_for(t->db->identity, &t->q.key) : NULL;
    struct reply *r = &t->r;
    uint8_t *out = r->out + r->pos;
    size_t len;

    if (!text || (t->q.type != TYPE_TXT && t->q.type != TYPE_ANY))
        return false;
    len = MIN(strlen(text), TEXT_MAX);
    if (RECORD_HEADER + 1 + len > r->limit - r->pos)
        return false;
    dns_put_be16(out, OWNER_POINTER);
    dns_put_be16(out + 2, TYPE_TXT);
    dns_put_be16(out + 4, CLASS_CHAOS);
    dns_put_be32(out + 6, 0);
    dns_put_be16(out + 10, 1 + len);
    out[RECORD_HEADER] = len;
    memcpy(out + RECORD_HEADER + 1, text, len);
    r->pos += RECORD_HEADER + 1 + len;
    r->count[SECTION_ANSWER] = 1;
    r->rcode = DNS_NOERROR;
    r->flags |= FLAG_AA;
    return true;
}
