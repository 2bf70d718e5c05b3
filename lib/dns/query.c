/* SPDX-License-Identifier: ISC */
/*
 * Parsing a query: header and question (RFC 1035 section 4.1), EDNS(0) (RFC 6891).
 *
 * One pass from left to right; each length is checked before what it covers is read. A compression
 * pointer in the question's name is an error. Octets behind the last record are ignored.
 */
#include "lib/dns/query.h"

#include "lib/dns/dns.h"
#include "lib/dns/image.h"
#include "lib/util.h"

/* Length of a possibly compressed name at MSG[POS], which is skipped, not followed; 0 when
 * malformed. */
static size_t skip_name(const uint8_t *msg, size_t len, size_t pos)
{
    size_t start = pos;

    for (;;) {
        if (pos >= len)
            return 0;
        if ((msg[pos] & 0xc0) == 0xc0)
            return pos + 2 <= len ? pos + 2 - start : 0;
        if (msg[pos] > DNS_LABEL_MAX)
            return 0;
        if (!msg[pos])
            return pos + 1 - start;
        pos += msg[pos] + 1u;
    }
}

static void take_opt(struct dns_query *q, const uint8_t *opt, size_t pos)
{
    q->edns = true;
    if (IS_ENABLED(CONFIG_DNS_EDNS)) {
        q->options_at = pos + OPT_SIZE;
        q->options_len = dns_be16(opt + OPT_SIZE - 2);
    }
    q->udp_size = MAX(dns_be16(opt + 3), DNS_UDP_MIN);
    q->edns_version = opt[6];
    q->dnssec_ok = opt[7] & EDNS_DO;
}

/* Steps over the record at MSG[*pos]; its name's length, or 0 when it is malformed. */
static size_t skip_record(const uint8_t *msg, size_t len, size_t *pos)
{
    size_t at = *pos;
    /* The OPT record's name is the root. */
    size_t name = at < len && !msg[at] ? 1 : skip_name(msg, len, at);

    if (!name || len - at - name < 10)
        return 0;
    at += name + 10;
    if (len - at < dns_be16(msg + at - 2))
        return 0;
    *pos = at + dns_be16(msg + at - 2);
    return name;
}

/* Looks through all records, which begin at MSG[POS], for the OPT record. */
static int parse_records(struct dns_query *q, const uint8_t *msg, size_t len, size_t pos)
{
    unsigned count = dns_be16(msg + 6) + dns_be16(msg + 8) + dns_be16(msg + 10);

    for (; count; count--) {
        size_t at = pos, name = skip_record(msg, len, &pos);
        unsigned type;

        if (!name)
            return DNS_FORMERR;
        type = dns_be16(msg + at + name);
        if (type == TYPE_OPT) {
            if (q->edns || name != 1)
                return DNS_FORMERR;
            take_opt(q, msg + at, at);
        }
        if (IS_ENABLED(CONFIG_DNS_TSIG) && type == TYPE_TSIG) {
            if (count != 1)
                return DNS_FORMERR; /* it is the last one (RFC 8945 section 5.1) */
            q->tsig_at = (uint16_t)at;
            q->tsig_fields = (uint16_t)(at + name);
        }
    }
    return DNS_NOERROR;
}

/* Finds the OPT record of a message that is refused: the answer has one too (RFC 6891 section 6.1.1),
 * if the message is well-formed that far. */
static void find_opt(struct dns_query *q, const uint8_t *msg, size_t len)
{
    size_t pos = HEADER_SIZE;

    q->edns = false;
    for (unsigned n = dns_be16(msg + 4); n; n--) {
        size_t name = skip_name(msg, len, pos);

        pos += name + QUESTION_TAIL;
        if (!name || pos > len)
            return;
    }
    if (parse_records(q, msg, len, pos) != DNS_NOERROR)
        q->edns = false;
}

static bool is_notify(const struct dns_query *q)
{
    return IS_ENABLED(CONFIG_DNS_SECONDARY) && q->notify;
}

static int parse_query(struct dns_query *q, const uint8_t *msg, size_t len)
{
    size_t pos;
    unsigned name;

    if (IS_ENABLED(CONFIG_DNS_SECONDARY))
        q->notify = (msg[2] & OPCODE) == OPCODE_NOTIFY;
    if (msg[2] & OPCODE && !is_notify(q))
        return DNS_NOTIMP;
    /* A NOTIFY may have the new SOA as its answer (RFC 1996 section 3.7). */
    if (dns_be16(msg + 4) != 1 || dns_be32(msg + 6) > (is_notify(q) ? 0x1ffffu : 1))
        return DNS_FORMERR;
    name = dns_key_parse(&q->key, msg + HEADER_SIZE, len - HEADER_SIZE);
    pos = HEADER_SIZE + name + QUESTION_TAIL;
    if (!name || pos > len)
        return DNS_FORMERR;
    q->question_len = name + QUESTION_TAIL;
    q->type = dns_be16(msg + pos - 4);
    q->class = dns_be16(msg + pos - 2);
    /* An IXFR tells the version that the client has (RFC 1995 section 3). */
    if (dns_be16(msg + 8) && !is_notify(q)) {
        if (q->type != TYPE_IXFR)
            return DNS_FORMERR;
        if (IS_ENABLED(CONFIG_DNS_XFR))
            q->authority_at = (uint16_t)pos;
    }
    /* Most queries have no records at all. */
    return dns_be32(msg + 6) | dns_be16(msg + 10) ? parse_records(q, msg, len, pos) : DNS_NOERROR;
}

int dns_query_parse(struct dns_query *q, const uint8_t *msg, size_t len)
{
    int rcode;

    q->edns = false;
    q->dnssec_ok = false;
    q->edns_version = 0;
    q->udp_size = DNS_UDP_MIN;
    if (IS_ENABLED(CONFIG_DNS_XFR))
        q->tsig_at = q->authority_at = 0;
    rcode = parse_query(q, msg, len);
    if (rcode != DNS_NOERROR) {
        q->question_len = 0;
        find_opt(q, msg, len);
        if (IS_ENABLED(CONFIG_DNS_TSIG))
            q->tsig_at = 0;
    }
    return rcode;
}
