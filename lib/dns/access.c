/* SPDX-License-Identifier: ISC */
/*
 * Who may have zones: see access.h. A list that is wrong in one place is refused as a whole by its
 * reader, so that nobody is let in by a part of what was meant.
 */
#include "lib/dns/access.h"

#include "lib/dns/algorithm.h"

bool access_next_word(const char **list, char *word)
{
    size_t len = strcspn(*list, ",");

    if (len >= ACCESS_WORD_MAX)
        return false;
    memcpy(word, *list, len);
    word[len] = '\0';
    *list += len + ((*list)[len] == ',');
    return true;
}

unsigned access_parse_name(const char *text, uint8_t *name, unsigned max)
{
    unsigned len = 0;

    while (*text) {
        size_t n = strcspn(text, ".");

        if (!n || n > DNS_LABEL_MAX || len + 1 + n + 1 > max)
            return 0;
        name[len++] = (uint8_t)n;
        for (size_t i = 0; i < n; i++)
            name[len++] = dns_lower((uint8_t)text[i]);
        text += n + (text[n] == '.');
    }
    if (!len)
        return 0;
    name[len++] = 0;
    return len;
}

static int base64_value(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;

    return at ? (int)(at - digits) : -1;
}

/* Octets of a secret in base 64, 0 when it is none or longer than SECRET_MAX. */
static unsigned parse_secret(const char *text, uint8_t secret[SECRET_MAX])
{
    size_t digits = strcspn(text, "="), end = digits + strspn(text + digits, "=");
    unsigned len = 0, have = 0, bits = 0;

    if (text[end] || end % 4 || end - digits > 2)
        return 0;
    for (size_t i = 0; i < digits; i++) {
        int value = base64_value(text[i]);

        if (value < 0)
            return 0;
        bits = bits << 6 | (unsigned)value;
        have += 6;
        if (have < 8)
            continue;
        if (len == SECRET_MAX)
            return 0;
        have -= 8;
        secret[len++] = (uint8_t)(bits >> have);
    }
    return bits & ((1u << have) - 1) ? 0 : len;
}

/* Cuts ALGORITHM: off WORD, which has the form of a key. False: it is none. */
static bool take_algorithm(char **word, struct tsig_key *key)
{
    char *colon = strchr(*word, ':');

    if (!IS_ENABLED(CONFIG_DNS_TSIG_ALGORITHMS) || !strchr(colon + 1, ':'))
        return algorithm_parse("hmac-sha256", key);
    *colon = '\0';
    if (!algorithm_parse(*word, key))
        return false;
    *word = colon + 1;
    return true;
}

const char *access_add_keys(struct dns_access *a, const char *list)
{
    char word[ACCESS_WORD_MAX];

    while (*list) {
        struct tsig_key *key = &a->key[a->keys];
        char *colon, *text = word;

        if (a->keys == ACCESS_KEYS)
            return "too many keys";
        if (!access_next_word(&list, word))
            return "a key is too long";
        if (!strchr(word, ':'))
            return "a key is NAME:BASE64";
        if (!take_algorithm(&text, key))
            return "not an algorithm";
        colon = strchr(text, ':');
        *colon = '\0';
        key->name_len = (uint8_t)access_parse_name(text, key->name, KEY_NAME_MAX);
        if (!key->name_len)
            return "not a key's name, which has at most 62 characters";
        if (access_find_key(a, key->name, key->name_len))
            return "two keys of one name";
        key->secret_len = (uint8_t)parse_secret(colon + 1, key->secret);
        memset(word, 0, sizeof(word));
        if (!key->secret_len)
            return "a secret is base 64, of at most 64 octets";
        a->keys++;
    }
    return NULL;
}

/* Cuts @KEY off WORD and finds the key; NULL, or what is wrong. */
static const char *take_key(const struct dns_access *a, char *word, const struct tsig_key **key)
{
    uint8_t name[KEY_NAME_MAX];
    char *at = strchr(word, '@');

    *key = NULL;
    if (!at)
        return NULL;
    *at = '\0';
    *key = access_find_key(a, name, access_parse_name(at + 1, name, KEY_NAME_MAX));
    return *key ? NULL : "a key that tsig= does not have";
}

const char *access_add_rules(struct dns_access *a, const char *list, access_parse_address *parse)
{
    char word[ACCESS_WORD_MAX];

    while (*list) {
        struct access_rule *rule = &a->rule[a->rules];
        const char *wrong;

        if (a->rules == ACCESS_RULES)
            return "too many addresses";
        if (!access_next_word(&list, word))
            return "a word is too long";
        *rule = (struct access_rule){0};
        wrong = take_key(a, word, &rule->key);
        if (wrong)
            return wrong;
        if ((*word || !rule->key) && !prefix_parse(&rule->prefix, word, parse))
            return "an address is ADDRESS[/BITS][@KEY]";
        a->rules++;
    }
    return NULL;
}

/* Cuts :PORT off an address: false when it is none. An IPv6 address, which has colons, is in brackets. */
static bool take_port(char **address, uint16_t *port)
{
    char *colon = strchr(*address, ':'), *end;
    unsigned number = 0;

    *port = DNS_PORT;
    if (**address == '[') {
        end = strchr(++*address, ']');
        if (!end || (end[1] && end[1] != ':'))
            return false;
        *end = '\0';
        colon = end[1] ? end + 1 : NULL;
    } else if (colon && strchr(colon + 1, ':')) {
        return true; /* an IPv6 address without a port */
    }
    if (!colon)
        return true;
    *colon = '\0';
    for (const char *c = colon + 1; *c; c++) {
        if (*c < '0' || *c > '9' || number > UINT16_MAX)
            return false;
        number = number * 10 + (unsigned)(*c - '0');
    }
    *port = (uint16_t)number;
    return number && number <= UINT16_MAX;
}

const char *access_parse_peer(const struct dns_access *a, char *word, access_parse_address *parse,
                              struct dns_peer *peer)
{
    const char *wrong;

    *peer = (struct dns_peer){0};
    wrong = take_key(a, word, &peer->key);
    if (wrong)
        return wrong;
    if (!take_port(&word, &peer->port))
        return "a server is ADDRESS[:PORT][@KEY]";
    peer->address_len = (uint8_t)parse(word, peer->address);
    return peer->address_len ? NULL : "a server is ADDRESS[:PORT][@KEY]";
}

const struct tsig_key *access_find_key(const struct dns_access *a, const uint8_t *name,
                                       unsigned len)
{
    for (unsigned i = 0; i < a->keys && len; i++) {
        if (a->key[i].name_len == len && !memcmp(a->key[i].name, name, len))
            return &a->key[i];
    }
    return NULL;
}

bool access_allows(const struct dns_access *a, const struct dns_client *client,
                   const struct tsig_key *key)
{
    for (unsigned i = 0; i < a->rules; i++) {
        const struct access_rule *rule = &a->rule[i];

        if (prefix_has(&rule->prefix, client) && (!rule->key || rule->key == key))
            return true;
    }
    return false;
}
