/* SPDX-License-Identifier: ISC */
/*
 * Fuzz target: the guest's command line, and the addresses that are read from it.
 *
 * First any octets: words lie within the line, a value that was taken is gone from it. Then words from
 * the input are quoted as a shell would have them, in ways that the input chooses, and must come back
 * as they were: the splitter against its inverse. An address that is accepted, printed and read again
 * is the same. Words are read as the dns app's lists of keys, addresses and servers, too: what a list
 * allows is allowed.
 */
#include <check.h>
#include <errno.h>
#include <stdarg.h>

#include "kernel/app.h"
#include "kernel/cmdline.h"
#include "lib/dns/access.h"
#include "lib/net/interface.h"
#include "lwip/ip_addr.h"
#include "tests/fuzz/fuzz.h"

#define WORDS 8

void log_write(enum log_level level, const char *module, const char *fmt, ...)
{
    char line[256];
    va_list ap;

    (void)level, (void)module;
    va_start(ap, fmt);
    vsnprintf(line, sizeof(line), fmt, ap); /* so that what it is given is looked at */
    va_end(ap);
}

/* lwIP's own parser of addresses, of which only the printing is used here, asks for it. */
struct netif *netif_find(const char *name)
{
    (void)name;
    return NULL;
}

/* --- addresses ----------------------------------------------------------------------------- */

static void read_addresses(const char *text)
{
    struct net_config config = {0};
    ip4_addr_t ip4, again4;
    ip6_addr_t ip6, again6;
    char shown[IPADDR_STRLEN_MAX];

    (void)net_parse_static6(text, &config);
    if (net_parse_static4(text, 24, &config))
        ck_assert(ip4_addr_netmask_valid(config.mask4.addr));
    if (net_parse_ip4(text, &ip4)) {
        ip4addr_ntoa_r(&ip4, shown, sizeof(shown));
        ck_assert(net_parse_ip4(shown, &again4) && ip4.addr == again4.addr);
    }
    if (net_parse_ip6(text, &ip6)) {
        ip6addr_ntoa_r(&ip6, shown, sizeof(shown));
        ck_assert(net_parse_ip6(shown, &again6) && !memcmp(ip6.addr, again6.addr, 16));
    }
}

/* --- who may have zones ---------------------------------------------------------------------- */

static unsigned parse_address(const char *text, uint8_t address[16])
{
    ip4_addr_t ip4;
    ip6_addr_t ip6;

    if (net_parse_ip6(text, &ip6)) {
        memcpy(address, ip6.addr, 16);
        return 16;
    }
    if (!net_parse_ip4(text, &ip4))
        return 0;
    memcpy(address, &ip4.addr, 4);
    return 4;
}

enum { NETWORKS = 3 };

static void read_access(const char *text)
{
    struct dns_access access = {0};
    char word[ACCESS_WORD_MAX];
    struct dns_peer peer = {.port = 53};
    struct dns_prefix network[NETWORKS];
    int networks;

    (void)access_add_keys(&access, text);
    for (unsigned i = 0; i < access.keys; i++) {
        const struct tsig_key *key = &access.key[i];

        ck_assert(key->secret_len && key->secret_len <= SECRET_MAX);
        ck_assert_ptr_eq(access_find_key(&access, key->name, key->name_len), key);
    }
    access.keys = 0;
    ck_assert(!access_add_keys(&access, "k:c2VjcmV0"));
    if (!access_add_rules(&access, text, parse_address)) {
        for (unsigned i = 0; i < access.rules; i++) {
            const struct access_rule *rule = &access.rule[i];
            struct dns_client client = {.address_len = rule->prefix.address_len};

            memcpy(client.address, rule->prefix.address, 16);
            ck_assert(access_allows(&access, &client, rule->key));
        }
    }
    networks = prefix_parse_list(network, NETWORKS, text, parse_address);
    ck_assert(networks <= NETWORKS);
    for (int i = 0; i < networks; i++) {
        struct dns_client client = {.address_len = network[i].address_len};

        memcpy(client.address, network[i].address, 16);
        ck_assert(prefix_has(&network[i], &client));
    }
    if (strlen(text) >= sizeof(word))
        return;
    strcpy(word, text);
    if (!access_parse_peer(&access, word, parse_address, &peer))
        ck_assert((peer.address_len == 4 || peer.address_len == 16) && peer.port);
}

/* --- any octets ------------------------------------------------------------------------------ */

static void any_line(char *line, size_t size)
{
    static const char *const keys[] = {"ip", "gw", "ip6", "gw6", "", "a=b"};
    char **argv, seed[16];
    int argc, taken;

    cmdline_init(line, size);
    argc = cmdline_argv("app", &argv);
    for (int i = 1; i < argc; i++) {
        ck_assert(argv[i] >= line && argv[i] + strlen(argv[i]) < line + size);
        read_addresses(argv[i]);
        read_access(argv[i]);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(keys); i++) {
        const char *value = cmdline_get(keys[i]);

        if (value)
            read_addresses(value);
    }
    taken = cmdline_take("seed", seed, sizeof(seed));
    ck_assert(taken == -E2BIG || (taken >= 0 && strlen(seed) == (size_t)taken) || !taken);
    ck_assert(!cmdline_get("seed") || !*cmdline_get("seed"));
    cmdline_report_unknown();
    ck_assert(cmdline_argv("app", &argv) <= argc);
    ck_assert(!argv[cmdline_argv("app", &argv)]);
}

/* --- words, quoted ----------------------------------------------------------------------------- */

static bool needs_quotes(char c)
{
    return strchr(" \t\n\r'\"\\", c);
}

/* Writes c so that the shell would read it as itself. */
static char *quote(char *to, char c, unsigned how)
{
    if (how == 1 && c != '\'')
        return to + sprintf(to, "'%c'", c);
    if (how == 2)
        return to + sprintf(to, c == '"' || c == '\\' ? "\"\\%c\"" : "\"%c\"", c);
    if (how == 3 || needs_quotes(c))
        return to + sprintf(to, "\\%c", c);
    *to++ = c;
    return to;
}

static void quoted_words(void)
{
    char word[WORDS][40], line[WORDS * 40 * 4 + 8], *to = line, **argv;
    unsigned count = 1 + fuzz_below(WORDS);

    for (unsigned i = 0; i < count; i++) {
        to += sprintf(to, "%s''", i ? " " : ""); /* an empty word is one too */
        fuzz_text(word[i], sizeof(word[i]));
        for (const char *c = word[i]; *c; c++)
            to = quote(to, *c, fuzz_below(4));
    }
    *to = '\0';
    cmdline_init(line, sizeof(line));
    ck_assert_int_eq(cmdline_argv("app", &argv), (int)count + 1);
    for (unsigned i = 0; i < count; i++)
        ck_assert_str_eq(argv[i + 1], word[i]);
}

void fuzz_case(void)
{
    bool quoted = fuzz_u8() & 1;
    const uint8_t *text;
    size_t size;
    char *line;

    if (quoted) {
        quoted_words();
        return;
    }
    size = fuzz_bytes(&text, 1024);
    line = malloc(size + 1); /* exactly: one octet more is ASan's */
    memcpy(line, text, size);
    line[size] = 'x'; /* the toolstack cuts a long line without a terminator */
    any_line(line, size + 1);
    free(line);
}
