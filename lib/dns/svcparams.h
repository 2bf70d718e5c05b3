/* SPDX-License-Identifier: ISC */
/*
 * Service parameters of SVCB and HTTPS records (RFC 9460 section 2.2): their keys, and checks of their wire
 * form. Private to lib/dns. Functions return NULL, or what is wrong, in words for the person who wrote the
 * zone.
 */
#ifndef LIB_DNS_SVCPARAMS_H
#define LIB_DNS_SVCPARAMS_H

#include <stddef.h>
#include <stdint.h>

/* RFC 9460 section 14.3.2; DOHPATH: RFC 9461; OHTTP: RFC 9540. */
enum {
    SVC_MANDATORY = 0,
    SVC_ALPN = 1,
    SVC_NO_DEFAULT_ALPN = 2,
    SVC_PORT = 3,
    SVC_IPV4HINT = 4,
    SVC_ECH = 5,
    SVC_IPV6HINT = 6,
    SVC_DOHPATH = 7,
    SVC_OHTTP = 8,
    SVC_PARAM_HEADER = 4, /* octets of a key and a length */
};

/* A value of LEN octets. One whose key is not in the list above may be anything. */
const char *svcparam_check(unsigned key, const uint8_t *value, size_t len);

/* All parameters of a record. */
const char *svcparams_check(const uint8_t *data, size_t len);

#endif
