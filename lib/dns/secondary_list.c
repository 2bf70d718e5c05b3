/* SPDX-License-Identifier: ISC */
/*
 * Which zones of other servers there are (secondary.h), and NOTIFY for them (RFC 1996).
 */
#include "lib/dns/lookup.h"
#include "lib/dns/secondary.h"

#include <stdlib.h>

/*
 * The primary that a message is from, or -1. The key counts where there is one; of several with this key it is the one
 * at the client's address, or else the first.
 */
static int find_primary(const struct secondary *s, const struct dns_client *client,
                        const struct tsig_key *key)
{
    int found = -1;

    for (unsigned i = 0; i < s->primaries; i++) {
        const struct dns_peer *p = &s->primary[i];
        bool is_there = p->address_len == client->address_len &&
                        !memcmp(p->address, client->address, p->address_len);

        if (p->key ? p->key != key : !is_there)
            continue;
        if (is_there)
            return (int)i;
        if (found < 0)
            found = (int)i;
    }
    return found;
}

/* A server says that the zone NAME has changed. Returns the response code. */
static int notified(struct dns_listener *listener, const struct dns_key *name,
                    const struct dns_client *client, const struct tsig_key *key)
{
    struct secondaries *all = container_of(listener, struct secondaries, listener);
    struct secondary *s = all->list;
    int sender;

    while (s && !dns_name_equal(s->name, name->lower))
        s = s->next;
    if (!s)
        return DNS_NOTAUTH;
    sender = client ? find_primary(s, client, key) : -1;
    if (sender < 0)
        return DNS_REFUSED;
    if (s == all->active) {
        s->again = true;
        s->sender = (unsigned)sender;
    } else {
        /* Once a second at most, whoever sends them in its name. Others may have the version later than it. */
        s->due = all->ops->monotonic();
        s->due += s->due == s->asked;
        s->turn = (unsigned)sender;
        s->tried = 0;
        all->ops->wake();
    }
    return DNS_NOERROR;
}

void secondaries_init(struct secondaries *all, struct dns_db *db, const struct secondary_ops *ops)
{
    *all = (struct secondaries){.listener = {notified}, .db = db, .ops = ops};
    dns_db_listen(db, &all->listener);
}

void secondaries_limit(struct secondaries *all, size_t octets)
{
    all->limit = octets;
}

static struct secondary *find(const struct secondaries *all, const uint8_t *name)
{
    struct secondary *s = all->list;

    while (s && !dns_name_equal(s->name, name))
        s = s->next;
    return s;
}

/* Adds a zone, which has no primaries yet. Returns NULL, or what is wrong. */
static const char *add_zone(struct secondaries *all, const char *text, struct secondary **added)
{
    struct secondary *s = calloc(1, sizeof(*s));
    struct dns_key key;

    if (!s)
        return "memory is short";
    *added = s;
    s->next = all->list;
    if (strcmp(text, ".") && !access_parse_name(text, s->name, DNS_NAME_MAX)) {
        free(s);
        return "not a zone's name";
    }
    if (find(all, s->name)) {
        free(s);
        return "a zone is named twice";
    }
    all->list = s;
    (void)dns_key_parse(&key, s->name, DNS_NAME_MAX);
    s->served = dns_db_find(all->db, &key, key.labels);
    if (!s->served || s->served->labels != key.labels) {
        s->served = &s->zone[0];
        dns_zone_vacate(s->served, s->name);
        (void)dns_db_set(all->db, s->served);
    }
    s->due = s->known = all->ops->monotonic();
    s->patience = SECONDARY_PATIENCE;
    return NULL;
}

static const char *add_primary(struct secondary *s, char *word, const struct dns_access *access,
                               access_parse_address *parse)
{
    const char *wrong;

    if (s->primaries == SECONDARY_PRIMARIES)
        return "too many primaries of one zone";
    wrong = access_parse_peer(access, word, parse, &s->primary[s->primaries]);
    s->primaries += !wrong;
    return wrong;
}

const char *secondaries_add(struct secondaries *all, const char *list,
                            const struct dns_access *access, access_parse_address *parse)
{
    char word[ACCESS_WORD_MAX];
    struct secondary *s = NULL;
    const char *wrong = NULL;

    while (*list && !wrong) {
        char *equals, *primary = word;

        if (!access_next_word(&list, word))
            return "a word is too long";
        equals = strchr(word, '=');
        if (equals) {
            *equals = '\0';
            primary = equals + 1;
            wrong = add_zone(all, word, &s);
        }
        if (!wrong)
            wrong = s ? add_primary(s, primary, access, parse) : "ZONE=PRIMARY comes first";
    }
    return wrong;
}
