/* SPDX-License-Identifier: ISC */
/*
 * Notices to secondaries: see notifier.h. RFC 1996 sections 3.6 to 3.8: a notice is sent again until any answer
 * comes. Signatures of answers are not looked at: all that a false one could do is to keep a secondary from
 * being told again, and it has to know the identifier and the port.
 */
#include "lib/dns/notifier.h"

#include "lib/dns/image.h"
#include "lib/dns/query.h"
#include "lib/dns/tsig.h"

#include <errno.h>
#include <stdlib.h>

/* A notice that was not answered yet. */
struct notice {
    struct notice *next;
    const uint8_t *name;
    const struct dns_peer *to;
    uint32_t due;
    uint16_t id;
    uint8_t tries;
};

enum { MESSAGE_MAX = HEADER_SIZE + DNS_NAME_MAX + QUESTION_TAIL + TSIG_REQUEST_MAX };

void notifier_init(struct notifier *n, const struct notifier_ops *ops)
{
    *n = (struct notifier){.ops = ops};
}

const char *notifier_add(struct notifier *n, const char *list, const struct dns_access *access,
                         access_parse_address *parse)
{
    char word[ACCESS_WORD_MAX];
    const char *wrong = NULL;

    while (*list && !wrong) {
        if (n->targets == NOTIFIER_TARGETS)
            return "too many servers";
        if (!access_next_word(&list, word))
            return "a word is too long";
        wrong = access_parse_peer(access, word, parse, &n->target[n->targets++]);
    }
    return wrong;
}

/* Has a notice sent as if it were the first time. */
static void begin(struct notifier *n, struct notice *notice, const uint8_t *name)
{
    notice->name = name;
    notice->id = (uint16_t)n->ops->random();
    notice->due = n->ops->monotonic();
    notice->tries = 0;
}

/* Adds notices of the zone NAME to all servers but those of the bits KNOWN. One that there is no memory for is left out. */
static int add_notices(struct notifier *n, const uint8_t *name, unsigned known)
{
    int err = 0;

    for (unsigned i = 0; i < n->targets; i++) {
        struct notice *notice;

        if (known & 1u << i)
            continue;
        notice = calloc(1, sizeof(*notice));
        if (!notice) {
            err = -ENOMEM;
            continue;
        }
        notice->to = &n->target[i];
        begin(n, notice, name);
        notice->next = n->notices;
        n->notices = notice;
    }
    n->ops->wake();
    return err;
}

int notifier_changed(struct notifier *n, const uint8_t *name)
{
    unsigned known = 0;

    for (struct notice *notice = n->notices; notice; notice = notice->next) {
        if (!dns_name_equal(notice->name, name))
            continue;
        begin(n, notice, name);
        known |= 1u << (notice->to - n->target);
    }
    return add_notices(n, name, known);
}

int notifier_all_changed(struct notifier *n, const struct dns_db *db)
{
    int err = 0;

    for (unsigned i = 0; i <= db->mask; i++) {
        for (const struct dns_zone *z = db->buckets[i]; z; z = z->next) {
            if (z->image && add_notices(n, z->name, 0))
                err = -ENOMEM;
        }
    }
    return err;
}

static void send_notice(struct notifier *n, struct notice *notice)
{
    uint8_t message[MESSAGE_MAX] = {0};
    size_t name_len = dns_name_length(notice->name, DNS_NAME_MAX), len = HEADER_SIZE + name_len;
    struct tsig_stream stream;

    dns_put_be16(message, notice->id);
    message[2] = OPCODE_NOTIFY | FLAG_AA;
    message[5] = 1;
    memcpy(message + HEADER_SIZE, notice->name, name_len);
    dns_put_be16(message + len, TYPE_SOA);
    dns_put_be16(message + len + 2, CLASS_IN);
    len += QUESTION_TAIL;
    if (IS_ENABLED(CONFIG_DNS_TSIG) && notice->to->key)
        len += tsig_request(&stream, notice->to->key, message, len, n->ops->wall());
    n->ops->send(notice->to, message, len);
    notice->due += 2u << notice->tries++;
}

/* Forgets the notice at *LINK. */
static void forget(struct notice **link)
{
    struct notice *notice = *link;

    *link = notice->next;
    free(notice);
}

uint32_t notifier_run(struct notifier *n)
{
    uint32_t now = n->ops->monotonic(), next = UINT32_MAX;
    struct notice **link = &n->notices, *notice;

    if (now != n->second) {
        n->second = now;
        n->sent = 0;
    }
    while ((notice = *link)) {
        if ((int32_t)(now - notice->due) >= 0 && notice->tries == NOTIFIER_TRIES) {
            n->ops->tell(notice->name, notice->to, "it does not answer");
            forget(link);
            continue;
        }
        if ((int32_t)(now - notice->due) >= 0 && n->sent < NOTIFIER_BURST) {
            n->sent++;
            notice->due = now;
            send_notice(n, notice);
        }
        next = MIN(next, (int32_t)(notice->due - now) > 0 ? notice->due - now : 1);
        link = &notice->next;
    }
    return next;
}

/* Is MESSAGE the answer to the notice? */
static bool answers(const struct notice *notice, const struct dns_peer *from,
                    const uint8_t *message, size_t len)
{
    uint8_t name[DNS_NAME_MAX];

    return notice->tries && dns_be16(message) == notice->id &&
           notice->to->address_len == from->address_len && notice->to->port == from->port &&
           !memcmp(notice->to->address, from->address, from->address_len) &&
           dns_name_expand(message, len, HEADER_SIZE, name) && dns_name_equal(name, notice->name);
}

void notifier_take(struct notifier *n, const struct dns_peer *from, const uint8_t *message,
                   size_t len)
{
    if (len < HEADER_SIZE || (message[2] & (FLAG_QR | OPCODE)) != (FLAG_QR | OPCODE_NOTIFY))
        return;
    for (struct notice **link = &n->notices; *link; link = &(*link)->next) {
        if (!answers(*link, from, message, len))
            continue;
        if (message[3] & 15)
            n->ops->tell((*link)->name, (*link)->to, "it answers with an error");
        forget(link);
        return;
    }
}
