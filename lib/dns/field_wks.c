/* SPDX-License-Identifier: ISC */
/*
 * The data of WKS records behind their address, from text to wire form (RFC 1035 section 3.4.2): a protocol, and
 * a bit for each port that is served. A zone is the same on every machine, so the names of services are not those
 * of the host's /etc/services, but few, and any other is written as its number.
 */
#include "lib/dns/field.h"

#include <strings.h>

static const struct {
    char word[12];
    uint8_t port;
} services[] = {
    {"echo", 7},     {"discard", 9},   {"systat", 11}, {"daytime", 13}, {"netstat", 15},
    {"chargen", 19}, {"ftp-data", 20}, {"ftp", 21},    {"ssh", 22},     {"telnet", 23},
    {"smtp", 25},    {"time", 37},     {"whois", 43},  {"domain", 53},  {"tftp", 69},
    {"gopher", 70},  {"finger", 79},   {"http", 80},   {"pop3", 110},   {"sunrpc", 111},
    {"nntp", 119},   {"ntp", 123},     {"imap", 143},  {"snmp", 161},
};

static const char *put_protocol(struct field_out *out, const char *text)
{
    enum { TCP = 6, UDP = 17 };

    if (!strcasecmp(text, "tcp"))
        return field_octet(out, TCP);
    return !strcasecmp(text, "udp") ? field_octet(out, UDP) : field_number(out, text, 1);
}

static const char *read_port(const char *text, unsigned *port)
{
    uint8_t be[2] = {0};
    struct field_out out = {.data = be};
    const char *wrong;

    for (unsigned i = 0; i < ARRAY_SIZE(services); i++) {
        if (!strcasecmp(services[i].word, text))
            return *port = services[i].port, NULL;
    }
    wrong = field_number(&out, text, sizeof(be));
    *port = dns_be16(be);
    return wrong;
}

const char *field_services(struct field_out *out, struct lexer *lex)
{
    const char *wrong = put_protocol(out, lex->text);
    size_t bits = out->len;
    unsigned port;
    bool more;

    while (!wrong && !(wrong = field_more(lex, &more)) && more) {
        wrong = read_port(lex->text, &port);
        while (!wrong && out->len <= bits + port / 8)
            wrong = field_octet(out, 0);
        if (!wrong)
            out->data[bits + port / 8] |= 0x80 >> port % 8;
    }
    return wrong;
}
