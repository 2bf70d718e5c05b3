/* SPDX-License-Identifier: ISC */
/*
 * Zone files: what is wrong with a file is reported as file:line: message, and what is right becomes
 * the records it says.
 */
#include "tests/unit/dns_testing.h"

#include <errno.h>

#define SOA "@ 3600 IN SOA ns1 host 1 2 3 4 300\n"
#define HASH "2t7b4g4vsa5smi47k61mv5bv1a22bojr"
#define NSEC3_ALONE HASH " 60 NSEC3 1 0 0 - " HASH " A\n"
#define HEAD SOA "@ 3600 NS ns1\nns1 3600 A 192.0.2.1\n"

static const struct {
    const char *text;
    const char *message;
} bad[] = {
    /* The zone's rules. */
    {"@ 60 IN NS ns1\nns1 60 A 192.0.2.1\n", "z:1: the zone has no SOA record"},
    {"", "z:0: the zone has no SOA record"},
    {SOA "a 60 A 192.0.2.1\n", "z:1: the zone has no NS record at its apex"},
    {HEAD "@ 60 SOA ns2 host 1 2 3 4 5\n", "z:4: a zone has one SOA only"},
    {HEAD "sub 60 SOA ns2 host 1 2 3 4 5\n", "z:4: a zone has one SOA only"},
    {HEAD "a 60 CNAME b\na 60 CNAME c\n", "z:5: a name has one CNAME only"},
    {HEAD "a 60 CNAME b\na 60 CNAME longer\n", "z:5: a name has one CNAME only"},
    {HEAD "a 60 CNAME b\na 60 A 192.0.2.1\n", "z:5: CNAME and other data at one name"},
    {HEAD "a 60 A 192.0.2.1\na 60 CNAME b\n", "z:5: CNAME and other data at one name"},
    {HEAD "@ 60 CNAME b\n", "z:4: CNAME and other data at one name"},
    {HEAD "www.example.com. 60 A 192.0.2.1\n",
     "z:4: the record lies outside the zone example.org."},
    {HEAD "org. 60 A 192.0.2.1\n", "z:4: the record lies outside the zone example.org."},
    {HEAD "xexample.org. 60 A 192.0.2.1\n", "z:4: the record lies outside the zone example.org."},
    {HEAD "a 60 DNAME b\na 60 DNAME c\n", "z:5: a name has one DNAME only"},
    {HEAD "a 60 DNAME b\na 60 CNAME c\n", "z:5: CNAME and other data at one name"},
    {HEAD "c.b.a 60 A 192.0.2.1\na 60 DNAME b\n", "z:4: there is a DNAME above this name"},
    {HEAD "@ 60 DNAME b.\n", "z:3: there is a DNAME above this name"},
    {HEAD "a 60 NS ns1\na 60 DNAME c\n", "z:5: DNAME and NS at one name"},
    {HEAD NSEC3_ALONE HASH " 60 TXT x\n", "z:4: NSEC3 and other data at one name"},
    {HEAD HASH " 60 A 192.0.2.1\n" NSEC3_ALONE, "z:5: NSEC3 and other data at one name"},
    {HEAD HASH " 60 CNAME ns1\n" NSEC3_ALONE, "z:5: NSEC3 and other data at one name"},
    {HEAD HASH " 60 TLSA 3 1 1 00\n" NSEC3_ALONE, "z:5: NSEC3 and other data at one name"},
    {HEAD "@ 60 NSEC3PARAM 1 0 0 -\n" NSEC3_ALONE HASH " 60 TXT x\n",
     "z:5: NSEC3 and other data at one name"},
    {HEAD "@ 60 NSEC3 1 0 0 - " HASH " A\n", "z:4: NSEC3 and other data at one name"},
    /* TTL, class, type. */
    {"@ IN SOA ns1 host 1 2 3 4 5\n@ 1x IN NS ns1\n", "z:2: not a TTL: 1x"},
    {HEAD "a 3000000000 A 192.0.2.1\n", "z:4: TTL larger than 2147483647: 3000000000"},
    {HEAD "a 99999999999 A 192.0.2.1\n", "z:4: not a TTL: 99999999999"},
    {HEAD "a 1h30 30m A 192.0.2.1\n", "z:4: unknown type: 30m"},
    {"@ NS ns1\n", "z:1: no TTL: put one here, or $TTL before"},
    {"@ SOA ns1 host 1 2 3 4 3000000000\n",
     "z:1: no TTL, and the SOA's minimum is larger than 2147483647"},
    {"$TTL\n", "z:1: $TTL needs a time"},
    {"$TTL x\n", "z:1: $TTL needs a time: x"},
    {"$TTL 1h 2h\n", "z:1: unexpected word after the directive: 2h"},
    {HEAD "a 60 CH A 192.0.2.1\n", "z:4: only class IN is served: CH"},
    {HEAD "a 60 CLASS3 A 192.0.2.1\n", "z:4: only class IN is served: CLASS3"},
    {HEAD "a 60 IN FOO bar\n", "z:4: unknown type: FOO"},
    {HEAD "a 60 IN\n", "z:4: the type is missing"},
    {HEAD "a 60 TYPE65536 \\# 0\n", "z:4: unknown type: TYPE65536"},
    {HEAD "a 60 TYPE255 \\# 0\n", "z:4: a zone cannot hold this type: TYPE255"},
    {HEAD "a 60 TYPE41 \\# 0\n", "z:4: a zone cannot hold this type: TYPE41"},
    /* Names. */
    {HEAD "a1234567890123456789012345678901234567890123456789012345678901234 60 A 192.0.2.1\n",
     "z:4: label longer than 63 octets"},
    {HEAD "a..b 60 A 192.0.2.1\n", "z:4: empty label in a name: a..b"},
    {HEAD ".a 60 A 192.0.2.1\n", "z:4: empty label in a name: .a"},
    {HEAD "a\\256 60 A 192.0.2.1\n", "z:4: malformed escape in a name: a\\256"},
    {HEAD "a\\1x 60 A 192.0.2.1\n", "z:4: malformed escape in a name: a\\1x"},
    {HEAD "\"\" 60 A 192.0.2.1\n", "z:4: empty label in a name"},
    {" 60 A 192.0.2.1\n", "z:1: the first record has no owner"},
    /* Text. */
    {HEAD "a 60 TXT ( x\n", "z:4: parenthesis is never closed"},
    {HEAD "a 60 TXT x )\n", "z:4: closing parenthesis without an opening one"},
    {HEAD "a 60 TXT ( x ( y ) )\n", "z:4: parenthesis inside parentheses"},
    {HEAD "a 60 TXT \"x\nb 60 A 192.0.2.1\n", "z:4: quoted string is not closed on its line"},
    {HEAD "a 60 TXT x\\", "z:4: backslash at the end of a line"},
    /* Directives. */
    {"$INCLUDE nowhere\n", "z:1: cannot open nowhere: No such file or directory"},
    {"$INCLUDE\n", "z:1: $INCLUDE needs a file name"},
    {"$INCLUDE z\n", "z:1: $INCLUDE nested too deeply (does a file include itself?): z"},
    {"$INCLUDE other a..b\n", "z:1: empty label in a name: a..b"},
    {"$ORIGIN\n", "z:1: $ORIGIN needs a name"},
    {"$ORIGIN a..b\n", "z:1: empty label in a name: a..b"},
    {"$FOO bar\n", "z:1: unknown directive: $FOO"},
    /* Data. */
    {HEAD "a 60 A\n", "z:4: the record ends too early"},
    {HEAD "a 60 A 192.0.2\n", "z:4: not an IPv4 address: 192.0.2"},
    {HEAD "a 60 A 192.0.2.256\n", "z:4: not an IPv4 address: 192.0.2.256"},
    {HEAD "a 60 A 192.0.2.1.1\n", "z:4: not an IPv4 address: 192.0.2.1.1"},
    {HEAD "a 60 A 192.0.2.1 x\n", "z:4: more data than the type has fields: x"},
    {HEAD "a 60 AAAA 2001:db8\n", "z:4: not an IPv6 address: 2001:db8"},
    {HEAD "a 60 AAAA ::1::2\n", "z:4: not an IPv6 address: ::1::2"},
    {HEAD "a 60 AAAA 1:2:3:4:5:6:7:8:9\n", "z:4: not an IPv6 address: 1:2:3:4:5:6:7:8:9"},
    {HEAD "a 60 AAAA 1:2:3:4:5:6:7:\n", "z:4: not an IPv6 address: 1:2:3:4:5:6:7:"},
    {HEAD "a 60 AAAA 12345::\n", "z:4: not an IPv6 address: 12345::"},
    {HEAD "a 60 AAAA 1:2:3:4:5:6:7::8\n", "z:4: not an IPv6 address: 1:2:3:4:5:6:7::8"},
    {HEAD "a 60 AAAA ::1.2.3\n", "z:4: not an IPv6 address: ::1.2.3"},
    {HEAD "a 60 AAAA 1:::2\n", "z:4: not an IPv6 address: 1:::2"},
    {HEAD "a 60 AAAA :::1\n", "z:4: not an IPv6 address: :::1"},
    {HEAD "a 60 AAAA :1::\n", "z:4: not an IPv6 address: :1::"},
    {HEAD "a 60 AAAA 0x1::\n", "z:4: not an IPv6 address: 0x1::"},
    {HEAD "a 60 AAAA 1: 2::\n", "z:4: not an IPv6 address: 1:"},
    {HEAD "a 60 AAAA 1:-2::\n", "z:4: not an IPv6 address: 1:-2::"},
    {HEAD "a 60 AAAA 1:+2::\n", "z:4: not an IPv6 address: 1:+2::"},
    {HEAD "a 60 MX mail\n", "z:4: not a number: mail"},
    {HEAD "a 60 MX 65536 mail\n", "z:4: number too large for its field: 65536"},
    {HEAD "a 60 DS 1 1 1 abc\n", "z:4: odd number of base 16 digits"},
    {HEAD "a 60 DS 1 1 1 xyz\n", "z:4: not base 16: xyz"},
    {HEAD "a 60 DNSKEY 1 1 1 abc\n", "z:4: base 64 data is cut short"},
    {HEAD "a 60 DNSKEY 1 1 1 a!b=\n", "z:4: not base 64: a!b="},
    {HEAD "a 60 SOA ns1 host 1 2 3 x 5\n", "z:4: not a time: x"},
    {HEAD "a 60 TYPE1234 abc\n", "z:4: data of an unknown type must be written as \\# LENGTH HEX"},
    {HEAD "a 60 TYPE1234 \\# 2 abcdef\n", "z:4: the data's length is not the one given after \\#"},
    {HEAD "a 60 TYPE1234 \\# x\n", "z:4: not a length after \\#: x"},
    {HEAD "a 60 LOC 91 N 0 E 0\n", "z:4: angle too large: N"},
    {HEAD "a 60 LOC 1 60 N 0 E 0\n", "z:4: not an angle: 60"},
    {HEAD "a 60 LOC 52M N 0 E 0\n", "z:4: not an angle: 52M"},
    {HEAD "a 60 LOC 52 5 5m N 0 E 0\n", "z:4: not an angle: 5m"},
    {HEAD "a 60 LOC 52. N 0 E 0\n", "z:4: not an angle: 52."},
    {HEAD "a 60 LOC 1 2 3.0005 N 0 E 0\n", "z:4: not an angle: 3.0005"},
    {HEAD "a 60 LOC 1 N 0 E 5.5.5\n", "z:4: not an altitude: 5.5.5"},
    {HEAD "a 60 LOC 1 N 0 E 5mm\n", "z:4: not an altitude: 5mm"},
    {HEAD "a 60 LOC 1 N 0 E m\n", "z:4: not an altitude: m"},
    {HEAD "a 60 LOC 1 2 3 4 N 0 E 0\n", "z:4: not an angle: 4"},
    {HEAD "a 60 LOC N 0 E 0\n", "z:4: not an angle: N"},
    {HEAD "a 60 LOC 1 N 1 E\n", "z:4: the record ends too early"},
    {HEAD "a 60 LOC 1 N 1 E -100001\n", "z:4: not an altitude: -100001"},
    {HEAD "a 60 LOC 1 N 1 E 0 90000001\n", "z:4: not a length of at most 90000000 m: 90000001"},
    {HEAD "a 60 SVCB 1 . foo=1\n", "z:4: unknown service parameter: foo=1"},
    {HEAD "a 60 SVCB 1 . key65535=1\n", "z:4: unknown service parameter: key65535=1"},
    {HEAD "a 60 SVCB 1 . port=1 port=2\n", "z:4: a service parameter is there twice: port=2"},
    {HEAD "a 60 SVCB 1 . port\n", "z:4: this parameter needs a value: port"},
    {HEAD "a 60 SVCB 1 . port=65536\n", "z:4: number too large for its field: port=65536"},
    {HEAD "a 60 SVCB 1 . no-default-alpn\n", "z:4: no-default-alpn needs alpn"},
    {HEAD "a 60 SVCB 1 . alpn=h2 no-default-alpn=x\n",
     "z:4: this parameter has no value: no-default-alpn=x"},
    {HEAD "a 60 SVCB 1 . alpn=a,,b\n", "z:4: empty item in a list: alpn=a,,b"},
    {HEAD "a 60 SVCB 1 . mandatory=port\n", "z:4: a mandatory parameter is missing"},
    {HEAD "a 60 SVCB 1 . mandatory=port,port port=1\n",
     "z:4: a key is there twice: mandatory=port,port"},
    {HEAD "a 60 SVCB 1 . mandatory=mandatory\n", "z:4: not a key: mandatory=mandatory"},
    {HEAD "a 60 SVCB 1 . ipv4hint=1.2.3\n", "z:4: not an IPv4 address: ipv4hint=1.2.3"},
    /* By number of its key a value is the wire form, and that of a registered key is checked. */
    {HEAD "a 60 SVCB 1 . key1=h2\n", "z:4: malformed list of protocols: key1=h2"},
    {HEAD "a 60 SVCB 1 . key1=\"\\002h2\\000\"\n",
     "z:4: malformed list of protocols: \\002h2\\000"},
    {HEAD "a 60 SVCB 1 . alpn=h2 key2=x\n", "z:4: this parameter has no value: key2=x"},
    {HEAD "a 60 SVCB 1 . key3=443\n", "z:4: a port has two octets: key3=443"},
    {HEAD "a 60 SVCB 1 . key4=abc\n", "z:4: an IPv4 address has four octets: key4=abc"},
    {HEAD "a 60 SVCB 1 . key5=\n", "z:4: this parameter needs a value"},
    {HEAD "a 60 SVCB 1 . key6=abcd\n", "z:4: an IPv6 address has sixteen octets: key6=abcd"},
    {HEAD "a 60 SVCB 1 . key7=abc\n", "z:4: not a path with a variable {?dns}: key7=abc"},
    {HEAD "a 60 SVCB 1 . key8=x\n", "z:4: this parameter has no value: key8=x"},
    {HEAD "a 60 SVCB 1 . key3=\"\\256\"\n", "z:4: malformed escape in a string: \\256"},
    {HEAD "a 60 SVCB 1 . key0=\"\\000\\000\"\n",
     "z:4: mandatory keys are not in ascending order: \\000\\000"},
    {HEAD "a 60 SVCB 1 . key0=abc\n", "z:4: mandatory keys are not in ascending order: key0=abc"},
    {HEAD "a 60 SVCB 1 . key0=\"\\000\\003\"\n", "z:4: a mandatory parameter is missing"},
    {HEAD "a 60 SVCB 1 . dohpath=q{?dns}\n", "z:4: not a path with a variable {?dns}"},
    {HEAD "a 60 SVCB 1 . dohpath=/{?adns}\n", "z:4: not a path with a variable {?dns}"},
    {HEAD "a 60 SVCB 1 . dohpath=/{x}&dns,\n", "z:4: not a path with a variable {?dns}"},
    {HEAD "a 60 SVCB 1 . dohpath=/{?dns}\\255\n", "z:4: not a path with a variable {?dns}"},
    {HEAD "a 60 SVCB 1 . dohpath=/{?dns}\\195\n", "z:4: not a path with a variable {?dns}"},
    {HEAD "a 60 SVCB 1 . dohpath=/{?dns}\\192\\128\n", "z:4: not a path with a variable {?dns}"},
    {HEAD "a 60 SVCB 1 . dohpath=/{?dns}\\237\\160\\128\n",
     "z:4: not a path with a variable {?dns}"},
    {HEAD "a 60 TYPE64 \\# 8 0001 00 00030001 50\n", "z:4: malformed data for this type"},
    {HEAD "a 60 TYPE64 \\# 10 0001 00 00040003 c00002\n", "z:4: malformed data for this type"},
    {HEAD "a 60 TYPE64 \\# 11 0001 00 00060004 20010db8\n", "z:4: malformed data for this type"},
    {HEAD "a 60 TYPE64 \\# 9 0001 00 00010002 0268\n", "z:4: malformed data for this type"},
    {HEAD "a 60 TYPE64 \\# 7 0001 00 00020000\n", "z:4: malformed data for this type"},
    {HEAD "a 60 TYPE64 \\# 7 0001 00 00040000\n", "z:4: malformed data for this type"},
    {HEAD "a 60 TYPE64 \\# 9 0001 00 00000002 0003\n", "z:4: malformed data for this type"},
    {HEAD "a 60 TYPE64 \\# 17 0001 00 00000004 00030003 00030002 0050\n",
     "z:4: malformed data for this type"},
    {HEAD "a 60 TYPE64 \\# 8 0001 00 00090002 00\n", "z:4: malformed data for this type"},
    {HEAD "a 60 TYPE65 \\# 6 0001 00 000900\n", "z:4: malformed data for this type"},
    {HEAD "a 60 APL 1:192.0.2.0\n", "z:4: not an address prefix: 1:192.0.2.0"},
    {HEAD "a 60 APL 1:192.0.2.0/33\n", "z:4: not an address prefix"},
    {HEAD "a 60 IPSECKEY 10 4 2 x AQNR\n", "z:4: the type of the gateway is 0 to 3: x"},
    {HEAD "a 60 IPSECKEY 10 0 2 x AQNR\n", "z:4: no gateway is written as a dot: x"},
    {HEAD "a 60 IPSECKEY 10 1 0 192.0.2.1 AQNR\n", "z:4: algorithm 0 has no key"},
    {HEAD "a 60 IPSECKEY 10 1 2 192.0.2.1\n", "z:4: the key is missing"},
    {HEAD "a 60 IPSECKEY 10 1 2 192.0.2.1 AQ\n", "z:4: base 64 data is cut short"},
    {HEAD "a 60 TYPE45 \\# 6 0a0102 010203\n", "z:4: malformed data for this type"},
    {HEAD "a 60 TYPE45 \\# 8 0a0302 0461 6263 00\n", "z:4: malformed data for this type"},
    {HEAD "a 60 HIP 2 20\n", "z:4: the record ends too early"},
    {HEAD "a 60 HIP 2 2 AwEA\n", "z:4: odd number of base 16 digits: 2"},
    {HEAD "a 60 HIP 2 20 AwEA a..b\n", "z:4: empty label in a name: a..b"},
    {HEAD "a 60 TYPE55 \\# 8 02020003 20 030100\n", "z:4: malformed data for this type"},
    {HEAD "a 60 EUI48 00-00-5e-00-53\n", "z:4: not groups of base 16 digits: 00-00-5e-00-53"},
    {HEAD "a 60 NSEC a FOO\n", "z:4: unknown type: FOO"},
    {HEAD "a 60 NSEC3PARAM 1 0 0 abc\n", "z:4: odd number of base 16 digits: abc"},
    {HEAD "a 60 NSEC3 1 0 0 - 1 A\n", "z:4: base 32 data of a wrong length: 1"},
    {HEAD "a 60 NSEC3 1 0 0 - w0 A\n", "z:4: not base 32: w0"},
    {HEAD "a 60 RRSIG A 8 2 60 20201301000000 20200101000000 1 a AA==\n",
     "z:4: not a date: 20201301000000"},
    {HEAD "a 60 DS 1 FOO 1 ab\n", "z:4: not a number: FOO"},
    {HEAD "a 60 NSAP 47\n", "z:4: an NSAP address begins with 0x: 47"},
    {HEAD "a 60 TYPE64 \\# 9 0001 00 00030001 0000\n", "z:4: malformed data for this type"},
    {HEAD "a 60 TYPE47 \\# 4 00 000100\n", "z:4: malformed data for this type"},
    {HEAD "a 60 TYPE42 \\# 3 000108\n", "z:4: malformed data for this type"},
    {HEAD "a 60 SVCB 1 . alpn=a\\\\x\n", "z:4: malformed escape in a list: alpn=a\\\\x"},
    {HEAD "a 60 SVCB 1 . alpn=a\\\\\n", "z:4: malformed escape in a list: alpn=a\\\\"},
    {HEAD "a 60 SVCB 1 . alpn=a\\256\n", "z:4: malformed escape in a list: alpn=a\\256"},
    {HEAD "a 60 SVCB 1 . port=\"1\n", "z:4: quoted string is not closed on its line"},
    {HEAD "a 60 SVCB 1 . dohpath=/{?dns}\\195A\n", "z:4: not a path with a variable {?dns}"},
    {HEAD "a 60 TYPE64 \\# 13 0001 00 00090000 00030002 0050\n",
     "z:4: malformed data for this type"},
    {HEAD "a 60 TYPE64 \\# 11 0001 00 00090000 00090000\n", "z:4: malformed data for this type"},
    {HEAD "a 60 MX \"\" x\n", "z:4: a number is missing"},
    {HEAD "a 60 SOA ns1 host 1 4294967296 3 4 5\n", "z:4: not a time: 4294967296"},
    {HEAD "a 60 LOC 1 2\n", "z:4: the record ends too early"},
    {HEAD "a 60 RRSIG A 8 2 60 2020x101000000 1 1 a AA==\n", "z:4: not a date: 2020x101000000"},
    {HEAD "a 60 RRSIG A 8 2 60 20210229000000 1 1 a AA==\n", "z:4: not a date: 20210229000000"},
    {HEAD "a 60 RRSIG A 8 2 60 20000431000000 1 1 a AA==\n", "z:4: not a date: 20000431000000"},
    {HEAD "a 60 RRSIG A 8 2 60 20201232000000 1 1 a AA==\n", "z:4: not a date: 20201232000000"},
    {HEAD "a 60 NID 1 0:0:0:12345\n", "z:4: not groups of base 16 digits: 0:0:0:12345"},
    {HEAD "a 60 EUI64 0-0-0-0-0-0-0-0\n", "z:4: not groups of base 16 digits: 0-0-0-0-0-0-0-0"},
    {HEAD "a 60 NSAP 0xgg\n", "z:4: not base 16: 0xgg"},
    {HEAD "a 60 NSAP 0x\n", "z:4: malformed data for this type"},
    {HEAD "a 60 OPENPGPKEY \"\"\n", "z:4: malformed data for this type"},
    {HEAD "a 60 TYPE1234 \\#\n", "z:4: the record ends too early"},
    {HEAD "a 60 TYPE1234 \\# 3\n", "z:4: the record ends too early"},
    {HEAD "a 60 TYPE1234 \\# 0 01\n", "z:4: more data than the type has fields: 01"},
    {HEAD "a 60 TYPE43 \\# 4 0001 0801\n", "z:4: malformed data for this type"},
    {HEAD "a 60 TYPE48 \\# 4 0100 0308\n", "z:4: malformed data for this type"},
    {HEAD "a 60 TYPE42 \\# 4 0001 2100\n", "z:4: malformed data for this type"},
    {HEAD "a 60 TYPE42 \\# 9 0001 2005 0102030405\n", "z:4: malformed data for this type"},
    {HEAD "a 60 TYPE42 \\# 4 0002 8100\n", "z:4: malformed data for this type"},
    {HEAD "a 60 TYPE42 \\# 5 0001 1001 00\n", "z:4: malformed data for this type"},
    {HEAD "a 60 TYPE29 \\# 16 00a21613 80000000 80000000 0\n", "z:4: odd number of base 16 digits"},
    {HEAD "a 60 TYPE29 \\# 16 00a21613 80000000 80000000 00000000\n",
     "z:4: malformed data for this type"},
    {HEAD "a 60 TYPE29 \\# 16 00121a13 80000000 80000000 00000000\n",
     "z:4: malformed data for this type"},
    {HEAD "a 60 TYPE29 \\# 16 00121602 80000000 80000000 00000000\n",
     "z:4: malformed data for this type"},
    {HEAD "a 60 TYPE29 \\# 16 00121613 934fd901 80000000 00000000\n",
     "z:4: malformed data for this type"},
    {HEAD "a 60 TYPE29 \\# 16 00121613 80000000 59604dff 00000000\n",
     "z:4: malformed data for this type"},
    {HEAD "a 60 CAA 0 \"\" x\n", "z:4: a tag is letters and digits"},
    {HEAD "a 60 CAA 0 is-sue x\n", "z:4: a tag is letters and digits: is-sue"},
    {HEAD "a 60 TYPE257 \\# 3 00 00 78\n", "z:4: malformed data for this type"},
    {HEAD "a 60 TYPE257 \\# 4 00 01 2d 78\n", "z:4: malformed data for this type"},
    {HEAD "a 60 TYPE257 \\# 3 00 02 78\n", "z:4: malformed data for this type"},
    {HEAD "a 60 URI 1 1 \"\"\n", "z:4: a URI is not empty"},
    {HEAD "a 60 TYPE256 \\# 4 00010001\n", "z:4: malformed data for this type"},
    {HEAD "a 60 WKS 192.0.2.1\n", "z:4: the record ends too early"},
    {HEAD "a 60 WKS 192.0.2.1 icmpx 1\n", "z:4: not a number: icmpx"},
    {HEAD "a 60 WKS 192.0.2.1 256\n", "z:4: number too large for its field: 256"},
    {HEAD "a 60 WKS 192.0.2.1 TCP 65536\n", "z:4: number too large for its field: 65536"},
    {HEAD "a 60 WKS 192.0.2.1 TCP foo\n", "z:4: not a number: foo"},
    {HEAD "a 60 TYPE11 \\# 4 c0000201\n", "z:4: malformed data for this type"},
    {HEAD "a 60 AMTRELAY 10 2 1 192.0.2.1\n", "z:4: the discovery bit is 0 or 1: 2"},
    {HEAD "a 60 AMTRELAY 10 0 4 x\n", "z:4: the type of the relay is 0 to 3: 4"},
    {HEAD "a 60 AMTRELAY 10 0 1\n", "z:4: the record ends too early"},
    {HEAD "a 60 AMTRELAY 10 0 1 ::1\n", "z:4: not an IPv4 address: ::1"},
    {HEAD "a 60 AMTRELAY 10 0 0 x\n", "z:4: no gateway is written as a dot: x"},
    {HEAD "a 60 AMTRELAY 10 0 3 x y\n", "z:4: more data than the type has fields: y"},
    {HEAD "a 60 TYPE260 \\# 1 0a\n", "z:4: malformed data for this type"},
    {HEAD "a 60 TYPE260 \\# 3 0a80 00\n", "z:4: malformed data for this type"},
    {HEAD "a 60 TYPE260 \\# 5 0a81 c00002\n", "z:4: malformed data for this type"},
    {HEAD "a 60 TYPE260 \\# 4 0a03 0000\n", "z:4: malformed data for this type"},
    {HEAD "a 60 DSYNC CDS FOO 53 x\n", "z:4: not a number: FOO"},
    {HEAD "a 60 RESINFO\n", "z:4: the record ends too early"},
    /* $GENERATE. */
    {HEAD "$GENERATE\n", "z:4: $GENERATE needs a range"},
    {HEAD "$GENERATE 5-1 a 60 A 192.0.2.1\n", "z:4: not a range (START-STOP or START-STOP/STEP)"},
    {HEAD "$GENERATE 1-5/0 a 60 A 192.0.2.1\n", "z:4: not a range (START-STOP or START-STOP/STEP)"},
    {HEAD "$GENERATE 0-9999999 a 60 A 192.0.2.1\n", "z:4: a range of more than 1048576 numbers"},
    {HEAD "$GENERATE 1-2\n", "z:4: $GENERATE needs an owner, a type and data"},
    {HEAD "$GENERATE 250-260 a$ 60 A 192.0.2.$\n", "z:4: not an IPv4 address: 192.0.2.256"},
    {HEAD "$GENERATE 1-2 a${x} 60 A 192.0.2.1\n", "z:4: malformed ${OFFSET,WIDTH,BASE}"},
    {HEAD "$GENERATE 1-2 a${-2} 60 A 192.0.2.1\n", "z:4: $GENERATE makes a negative number"},
    {HEAD "$GENERATE 1-1 a$ 60 TXT \"\\\"x\"\n", "z:4: quoted string is not closed on its line"},
    {HEAD "$GENERATE 1-99999999999 a$ 60 A 192.0.2.1\n",
     "z:4: not a range (START-STOP or START-STOP/STEP)"},
    {HEAD "$GENERATE 1-2/x a$ 60 A 192.0.2.1\n",
     "z:4: not a range (START-STOP or START-STOP/STEP)"},
    {HEAD "$GENERATE 1-2 a${0,256} 60 A 192.0.2.1\n", "z:4: malformed ${OFFSET,WIDTH,BASE}"},
    {HEAD "$GENERATE 1-2 a${0,1,q} 60 A 192.0.2.1\n", "z:4: malformed ${OFFSET,WIDTH,BASE}"},
    {HEAD "$GENERATE 1-2 a${0,1,d 60 A 192.0.2.1\n", "z:4: malformed ${OFFSET,WIDTH,BASE}"},
    {HEAD "$GENERATE 1-2 60 A a${0,1,\n", "z:4: malformed ${OFFSET,WIDTH,BASE}"},
    {HEAD "$TTL 5 \"x\n", "z:4: quoted string is not closed on its line"},
    {HEAD "a 60 A \\# 3 010203\n", "z:4: malformed data for this type"},
    {HEAD "a 60 MX \\# 3 010203\n", "z:4: malformed data for this type"},
    {HEAD "a 60 TXT \\# 3 056162\n", "z:4: malformed data for this type"},
};

START_TEST(test_bad_file)
{
    const struct text_file files[] = {{"z", bad[_i].text, 0}, {"other", "", 0}, {0}};
    uint8_t *image;
    size_t size, len = strlen(bad[_i].message);
    int err = compile_files(files, &image, &size);

    ck_assert_msg(err < 0, "accepted: %s", bad[_i].text);
    /* The first message, or one before it that is a warning's, begins with the expected text. */
    ck_assert_msg(strstr(messages, bad[_i].message), "for %s: expected %s, got %s", bad[_i].text,
                  bad[_i].message, messages);
    ck_assert_int_eq(messages[strlen(messages) - 1], '\n');
    ck_assert_uint_gt(len, 0);
}
END_TEST

static const struct {
    const char *text;
    const char *message;
} doubtful[] = {
    {HEAD "d 60 NS ns.d\n", "z:4: warning: glue is missing: no address for ns.d.example.org.\n"},
    {HEAD "@ 3600 NS ns2\n", "z:4: warning: no address in the zone for ns2.example.org.\n"},
    {HEAD "@ 60 MX 1 alias\nalias 60 CNAME ns1\n",
     "z:4: warning: the record points to an alias: alias.example.org.\n"},
    {HEAD "a 60 A 192.0.2.1\na 61 A 192.0.2.2\n",
     "z:5: warning: TTLs of a set differ: the least is taken\n"},
    {HEAD "a 60 A 192.0.2.1\nA 60 A 192.0.2.1\n", "z:5: warning: the record is there already\n"},
    {HEAD "d 60 NS x.\nd 60 NS X.\n", "z:5: warning: the record is there already\n"},
    {HEAD "d 60 MX 1 x.\nd 60 MX 1 X.\n", "z:5: warning: the record is there already\n"},
    {HEAD "d 60 CNAME x.\nd 60 CNAME X.\n", "z:5: warning: the record is there already\n"},
    {HEAD "d 60 TXT x\nd 60 TXT X\n", ""},
    {"@ SOA ns1 host 1 2 3 4 300\n@ NS ns1\nns1 A 192.0.2.1\n",
     "z:1: warning: no $TTL and no TTL: the SOA's minimum is taken\n"},
    {HEAD NSEC3_ALONE, "z:4: warning: NSEC3 of no chain of this zone is left out\n"},
    /* Nothing to say about these. */
    {HEAD "@ 60 NSEC3PARAM 1 0 0 -\n" NSEC3_ALONE "x." HASH " 60 A 192.0.2.1\n", ""},
    {HEAD "d 60 NS ns.d\nns.d 60 A 192.0.2.1\n", ""},
    {HEAD "d 60 NS ns.e\ne 60 NS ns.e\nns.e 60 A 192.0.2.1\n", ""},
    {HEAD "@ 60 MX 1 x.w\n*.w 60 A 192.0.2.1\n", ""},
    {HEAD "a\t60\tIN\tA\t192.0.2.1 ; comment\r\n\n   \n; all\nb IN 60 A 192.0.2.1\n", ""},
    {HEAD "a 60 TXT ( \"one\" ; comment (\n  two )\n", ""},
    {HEAD "a 1w2d3h4m5s TXT \\\"x\\065 \"\\\\ ; (\"\n", ""},
    {"$ttl 5\n$ORIGIN org.\nexample SOA ns1 host 1 2 3 4 5\n\tNS a.b.c.\n$Origin x\n", ""},
    {HEAD "a 60 A 192.0.2.1", ""},
    {HEAD "a 60 AAAA ::\na 60 AAAA 1::\na 60 AAAA ::1\na 60 AAAA 1:2:3:4:5:6:7:8\n", ""},
    {HEAD "a 60 AAAA 1:2:3:4:5:6:7::\na 60 AAAA ::1.2.3.4\na 60 AAAA ABCD::f:1.2.3.4\n", ""},
};

START_TEST(test_warnings)
{
    const struct text_file files[] = {{"z", doubtful[_i].text, 0}, {0}};
    uint8_t *image;
    size_t size;
    int err = compile_files(files, &image, &size);

    ck_assert_msg(err == 0, "refused: %s: %s", doubtful[_i].text, messages);
    ck_assert_str_eq(messages, doubtful[_i].message);
    free(image);
}
END_TEST

/* What is written in two ways and means the same. */
static const struct {
    const char *one, *other;
} same[] = {
    {"$GENERATE 1-3 a$ 60 A 192.0.2.$\n",
     "a1 60 A 192.0.2.1\na2 60 A 192.0.2.2\na3 60 A 192.0.2.3\n"},
    {"$GENERATE 8-12/2 h${0,3,x}.${1} 60 CNAME x${-8,0,d}.$$\n",
     "h008.9 60 CNAME x0.\\$\nh00a.11 60 CNAME x2.\\$\nh00c.13 60 CNAME x4.\\$\n"},
    {"$GENERATE 18-18 ${0,7,n}.${0,1,N}.${0,4,X}.${0,0,o} 60 IN TXT \"a $\"\n",
     "2.1.0.0.2.1.0012.22 60 TXT a 18\n"},
    /* A quote within quotes becomes one of the line that is made, as BIND has it. */
    {"$GENERATE 1-1 g$ 60 TXT \"\\\"a b\\\"\"\n", "g1 60 TXT \"a b\"\n"},
    {"$GENERATE 1-1 g$ 60 TXT \"a b\"\n", "g1 60 TXT \"a\" \"b\"\n"},
    {"$GENERATE 1-1 g$ 60 HINFO \"a \\\"b;c $\\\"\"\n", "g1 60 HINFO \"a\" \"b;c 1\"\n"},
    {"$GENERATE 1-1 g$ 60 TXT a\\\"b\n", "g1 60 TXT \"a\\\"b\"\n"},
    {"$GENERATE 1-1 g$ 60 TXT \"a\\\\b\\$\\065\"\n", "g1 60 TXT \"a\\\\b$A\"\n"},
    {"a 60 LOC 1 2 3.4 N 5 W 6m 7 8m 9\n", "a 60 LOC 1 2 3.400 N 5 0 0 W 6.00m 7.00m 8.00 9.0\n"},
    {"a 60 LOC 1 N 5 E 0\n", "a 60 LOC 1 0 0 N 5 0 0 E 0m 1m 10000m 10m\n"},
    {"a 60 SVCB 1 . port=1 alpn=\"h2,h3\" mandatory=port,alpn\n",
     "a 60 SVCB 1 . mandatory=alpn,port alpn=h2,h3 port=1\n"},
    {"a 60 SVCB 1 . key1=\"\\002h2\\002h3\" key2\n", "a 60 SVCB 1 . alpn=h2,h3 no-default-alpn\n"},
    {"a 60 SVCB 1 . alpn=h2 no-default-alpn=\"\"\n",
     "a 60 SVCB 1 . no-default-alpn key1=\\002h2\n"},
    {"a 60 SVCB 1 . key3=\"\\001\\187\" key0=\\000\\003\n",
     "a 60 SVCB 1 . port=443 mandatory=port\n"},
    {"a 60 SVCB 1 . key3=44 key8=\n", "a 60 SVCB 1 . port=13364 ohttp\n"},
    {"a 60 SVCB 1 . key4=\"\\192\\000\\002\\001\" key5=abc\n",
     "a 60 SVCB 1 . ipv4hint=192.0.2.1 ech=YWJj\n"},
    {"a 60 SVCB 1 . key6=abcdefghijklmnop\n",
     "a 60 SVCB 1 . ipv6hint=6162:6364:6566:6768:696a:6b6c:6d6e:6f70\n"},
    {"a 60 SVCB 1 . key7=\"/\\195\\164{?x,dns}\"\n", "a 60 SVCB 1 . dohpath=/\\195\\164{?x,dns}\n"},
    {"a 60 HTTPS 1 . port=80 mandatory=port key65534=\n",
     "a 60 TYPE65 \\# 19 0001 00 00000002 0003 00030002 0050 fffe0000\n"},
    {"a 60 NSEC b RRSIG A NSEC TYPE1234\n", "a 60 NSEC b TYPE1234 NSEC A TYPE46\n"},
    {"a 60 RRSIG A RSASHA256 2 1m 20240229123456 19700101000001 1 a AA==\n",
     "a 60 RRSIG TYPE1 8 2 60 1709210096 1 1 a AA==\n"},
    {"a 60 NSEC3 1 1 5 AABB 2t7b4g4vsa5smi47k61mv5bv1a22bojr A\n",
     "a 60 TYPE50 \\# 31 01010005 02aabb 14 174eb2409fe28bcb4887a1836f957f0a8425e27b 00 01 40\n"},
    {"a 60 IPSECKEY 10 1 2 192.0.2.38 AQNR U3mG\n",
     "a 60 TYPE45 \\# 13 0a0102 c0000226 010351537986\n"},
    {"a 60 IPSECKEY 10 0 2 . AQNR\n", "a 60 TYPE45 \\# 6 0a0002 010351\n"},
    {"a 60 IPSECKEY 10 2 2 2001:db8::1 AQNR\n",
     "a 60 TYPE45 \\# 22 0a0202 20010db8000000000000000000000001 010351\n"},
    {"a 60 IPSECKEY 10 3 0 gw\n",
     "a 60 TYPE45 \\# 19 0a0300 02 6777 07 6578616d706c65 03 6f7267 00\n"},
    {"a 60 HIP 2 200100107B1A74DF365639CC39F1D578 AwEAAbdxyhNu r1 r2.example.org.\n",
     "a 60 TYPE55 \\# 61 10020009 200100107b1a74df365639cc39f1d578 03010001b771ca136e "
     "02723107 6578616d706c65036f726700 02723207 6578616d706c65036f726700\n"},
    {"a 60 SVCB 1 . alpn=\"f\\\\\\\\oo\\\\,bar,\\000\\255\"\n",
     "a 60 SVCB 1 . key1=\"\\008f\\\\oo,bar\\002\\000\\255\"\n"},
    {"a 60 CERT PKIX 1 RSASHA256 AQ==\n", "a 60 TYPE37 \\# 6 0001 0001 08 01\n"},
    {"a 60 KEY 49152 3 5\n", "a 60 TYPE25 \\# 4 c000 03 05\n"},
    {"a 60 EUI64 00-00-5E-ef-10-00-00-2a\n", "a 60 TYPE109 \\# 8 00005eef1000002a\n"},
    {"a 60 NID 10 14:4fff:ff20:ee64\n", "a 60 TYPE104 \\# 10 000a 00144fffff20ee64\n"},
    {"a 60 NSAP 0x47.0005.80\n", "a 60 TYPE22 \\# 4 47000580\n"},
    {"a 60 APL 1:192.168.32.0/21 !2:ff00::/8 1:0.0.0.0/0\n",
     "a 60 TYPE42 \\# 16 00011503c0a820 00020881ff 00010000\n"},
    {"a 60 TYPE29 \\# 16 00991000 934fd900 59604e00 ffffffff\n",
     "a 60 LOC 90 0 0 N 180 0 0 W 42849672.95m 90000000m 0.01m 0m\n"},
    {"a 60 RRSIG A 8 2 60 20000229000000 20231231235959 1 a AA==\n",
     "a 60 RRSIG A 8 2 60 951782400 1704067199 1 a AA==\n"},
    {"$GENERATE 16-16 a.${0,4,n}example.org. 60 TXT x\n", "a.0.1 60 TXT x\n"},
    {"a 60 CAA 0 Issue2 \"\"\n", "a 60 TYPE257 \\# 8 00 06 497373756532\n"},
    {"a 60 URI 1 2 x\n", "a 60 TYPE256 \\# 5 0001 0002 78\n"},
    {"a 60 LOC 1 2 3. N 5 W 6. 7.M\n", "a 60 LOC 1 2 3 N 5 W 6m 7m\n"},
    {"a 60 APL\n", "a 60 TYPE42 \\# 0\n"},
    {"a 60 WKS 192.0.2.1 TCP SMTP domain 17\n", "a 60 TYPE11 \\# 12 c0000201 06 00004040000004\n"},
    {"a 60 WKS 192.0.2.1 17 65535 0\nb 60 WKS 192.0.2.1 udp\n",
     "a 60 WKS 192.0.2.1 UDP 0 65535 0\nb 60 TYPE11 \\# 5 c0000201 11\n"},
    {"a 60 AMTRELAY 10 0 0 .\na 60 AMTRELAY 11 1 1 192.0.2.1\n",
     "a 60 TYPE260 \\# 2 0a00\na 60 TYPE260 \\# 6 0b81 c0000201\n"},
    {"a 60 AMTRELAY 12 0 2 ::1\na 60 AMTRELAY 13 1 3 r.\n",
     "a 60 TYPE260 \\# 18 0c02 00000000000000000000000000000001\na 60 TYPE260 \\# 5 0d83 017200\n"},
    {"a 60 DSYNC CDS NOTIFY 5359 s.\n", "a 60 TYPE66 \\# 8 003b 01 14ef 017300\n"},
    {"a 60 RESINFO qnamemin exterr=15-17\n",
     "a 60 TYPE261 \\# 22 08 716e616d656d696e 0c 6578746572723d31352d3137\n"},
    {"a 60 HIP 2 20 AwEA\n", "a 60 TYPE55 \\# 8 01020003 20 030100\n"},
};

START_TEST(test_same)
{
    char text[2][1000];
    const struct text_file files[2][2] = {{{"z", text[0], 0}, {0}}, {{"z", text[1], 0}, {0}}};
    uint8_t *image[2];
    size_t size[2];

    for (unsigned i = 0; i < 2; i++) {
        snprintf(text[i], sizeof(text[i]), "%s%s", HEAD, i ? same[_i].other : same[_i].one);
        ck_assert_msg(!compile_files(files[i], &image[i], &size[i]), "%s: %s", text[i], messages);
    }
    ck_assert_uint_eq(size[0], size[1]);
    ck_assert_mem_eq(image[0], image[1], size[0]);
    free(image[0]);
    free(image[1]);
}
END_TEST

/* What an included or a generated record is called is nobody's owner behind it. */
START_TEST(test_owner_is_put_back)
{
    static const char *const first[] = {"$INCLUDE other\n", "$GENERATE 1-1 a$ 60 A 192.0.2.1\n"};
    static const char *const owner[] = {"", "ns1 60 TXT x\n"};
    char text[500];
    const struct text_file files[] = {{"z", text, 0}, {"other", "x 60 A 192.0.2.1\n", 0}, {0}};
    uint8_t *image;
    size_t size;

    snprintf(text, sizeof(text), "%s%s 60 MX 0 ns1\n%s", owner[_i / 2], first[_i % 2], HEAD);
    if (_i / 2) {
        ck_assert_msg(!compile_files(files, &image, &size), "%s: %s", text, messages);
        ck_assert_str_eq(messages, "");
        free(image);
    } else {
        ck_assert_int_lt(compile_files(files, &image, &size), 0);
        ck_assert_str_eq(messages, "z:2: the first record has no owner\n");
    }
}
END_TEST

START_TEST(test_all_errors_are_reported)
{
    const struct text_file files[] = {
        {"z", "$TTL 1\na A x\nb AAAA y ; c\nc TXT ( \"\nd MX x\n$INCLUDE inner sub\nf A z\n", 0},
        {"inner", "@ A q\n", 0},
        {0}};
    uint8_t *image;
    size_t size;

    ck_assert_int_lt(compile_files(files, &image, &size), 0);
    ck_assert_str_eq(messages, "z:2: not an IPv4 address: x\n"
                               "z:3: not an IPv6 address: y\n"
                               "z:4: quoted string is not closed on its line\n"
                               "z:5: not a number: x\n"
                               "inner:1: not an IPv4 address: q\n"
                               "z:7: not an IPv4 address: z\n");
}
END_TEST

START_TEST(test_errors_end)
{
    char text[4096] = "";
    const struct text_file files[] = {{"z", text, 0}, {0}};
    uint8_t *image;
    size_t size;
    unsigned lines = 0;

    for (unsigned i = 0; i < 300; i++)
        strcat(text, "a 1 A x\n");
    ck_assert_int_lt(compile_files(files, &image, &size), 0);
    for (const char *c = messages; *c; c++)
        lines += *c == '\n';
    ck_assert_uint_eq(lines, 21);
    ck_assert_ptr_nonnull(strstr(messages, "too many errors, giving up"));
}
END_TEST

/* The words and lists that are longer than there is room for. */
START_TEST(test_too_long)
{
    static const struct {
        const char *before;
        unsigned times;
        const char *piece, *after, *message;
    } cases[] = {
        {"a 60 TXT ", 65536, "x", "\n", "z:4: word longer than 65535 characters"},
        {"a 60 TXT ", 32768, "\\x", "\n", "z:4: word longer than 65535 characters"},
        {"a 60 TXT ", 256, "x", "\n", "z:4: string longer than 255 octets"},
        {"a 60 TXT ", 32768, " x", "\n", "z:4: record data longer than 65535 octets"},
        {"a 60 SVCB 1 . alpn=", 256, "x", "\n", "z:4: string longer than 255 octets"},
        {"a 60 SVCB 1 . alpn=", 1100, "x", "\n", "z:4: item of a list too long"},
        {"a 60 HIP 2 ", 256, "00", " AwEA\n", "z:4: a host identity tag has 1 to 255 octets"},
        {"a 60 NSEC3PARAM 1 0 0 ", 256, "00", "\n", "z:4: salt longer than 255 octets"},
        {"$GENERATE 1-1 a$ 60 TXT ", 4096, "x", "\n", "z:4: $GENERATE is too long"},
        {"$GENERATE 1-1 a$ 60 TXT ", 255, "${0,255}", "\n",
         "z:4: $GENERATE makes a line that is too long"},
    };
    char *text = malloc(80000), *at;
    const struct text_file files[] = {{"z", text, 0}, {0}};
    uint8_t *image;
    size_t size;

    at = text + sprintf(text, "%s%s", HEAD, cases[_i].before);
    for (unsigned i = 0; i < cases[_i].times; i++)
        at = stpcpy(at, cases[_i].piece);
    strcpy(at, cases[_i].after);
    ck_assert_int_lt(compile_files(files, &image, &size), 0);
    messages[200] = '\0';
    ck_assert_msg(strstr(messages, cases[_i].message) == messages, "%s", messages);
    free(text);
}
END_TEST

START_TEST(test_too_many_parameters)
{
    char text[2000], *at = text + sprintf(text, "%sa 60 SVCB 1 .", HEAD);
    const struct text_file files[] = {{"z", text, 0}, {0}};
    uint8_t *image;
    size_t size;

    for (unsigned i = 0; i < 64u + _i; i++)
        at += sprintf(at, " key%u", 1000 + i);
    strcpy(at, "\n");
    ck_assert_int_eq(compile_files(files, &image, &size), _i ? -EINVAL : 0);
    ck_assert_msg(strstr(messages, "too many service parameters") || !_i, "%s", messages);
    free(image);
}
END_TEST

static long failing_read(void *ctx, void *handle, void *buf, size_t size)
{
    struct text_handle *h = handle;

    return h->left ? text_read(ctx, handle, buf, size) : -EIO;
}

/* A file that cannot be read to its end, between two records or within a word. */
START_TEST(test_read_error)
{
    static const char *const texts[] = {HEAD, HEAD "a 60 TXT x", HEAD "a 60 TXT "};
    const struct text_file files[] = {{"z", texts[_i], 0}, {0}};
    const struct dns_source source = {text_open, failing_read, text_close, (void *)files};
    const struct dns_sink sink = {.report = collect};
    uint8_t *image = NULL;
    size_t size;

    messages[0] = '\0';
    ck_assert_int_eq(dns_zone_compile(&source, "z", (const uint8_t *)"\7example\3org", false, &sink,
                                      &image, &size),
                     -EINVAL);
    ck_assert_str_eq(messages, "z:4: cannot read on\n");
}
END_TEST

START_TEST(test_zero_octet)
{
    static const char text[] = "a 60 A 192.0.2.1\nb\0c 60 A 192.0.2.1\n";
    const struct text_file files[] = {{"z", text, sizeof(text) - 1}, {0}};
    uint8_t *image;
    size_t size;

    ck_assert_int_lt(compile_files(files, &image, &size), 0);
    ck_assert_ptr_nonnull(strstr(messages, "z:2: zero octet in a text file"));
}
END_TEST

START_TEST(test_too_large_set)
{
    const size_t room = 300 * 300;
    char *text = malloc(room), *at = text;
    const struct text_file files[] = {{"z", text, 0}, {0}};
    uint8_t *image;
    size_t size;

    at += sprintf(at, "%s", HEAD);
    for (unsigned i = 0; i < 260; i++)
        at += sprintf(at, "big 60 TXT %0250u\n", i);
    ck_assert_int_lt(compile_files(files, &image, &size), 0);
    ck_assert_ptr_nonnull(strstr(messages, "the set does not fit into a DNS message"));
    free(text);
}
END_TEST

START_TEST(test_name_limits)
{
    uint8_t name[DNS_NAME_MAX + 1];
    char text[300] = "";

    for (unsigned i = 0; i < 126; i++)
        strcat(text, "a.");
    ck_assert_ptr_null(dns_name_parse(text, NULL, name));
    ck_assert_uint_eq(dns_name_length(name, DNS_NAME_MAX), 253);
    strcat(text, "a.");
    ck_assert_ptr_null(dns_name_parse(text, NULL, name));
    ck_assert_uint_eq(dns_name_length(name, DNS_NAME_MAX), 255);
    text[253] = '\0'; /* without the last dot, relative to the root */
    ck_assert_ptr_null(dns_name_parse(text, (const uint8_t *)"", name));
    ck_assert_uint_eq(dns_name_length(name, DNS_NAME_MAX), 255);
    ck_assert_str_eq(dns_name_parse(text, (const uint8_t *)"\1b", name),
                     "name longer than 255 octets");
    strcat(text, ".aa");
    ck_assert_str_eq(dns_name_parse(text, NULL, name), "name longer than 255 octets");
}
END_TEST

START_TEST(test_name_text)
{
    static const char *const same[] = {".",        "a.",          "www.example.org.",    "a\\.b.c.",
                                       "a\\032b.", "\\000\\255.", "\\\"\\;\\(\\)\\@\\$."};
    uint8_t name[DNS_NAME_MAX + 1];
    char text[DNS_TEXT_MAX + 1];

    ck_assert_ptr_null(dns_name_parse(same[_i], NULL, name));
    dns_name_text(name, text);
    ck_assert_str_eq(text, same[_i]);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("zonefile");
    Suite *s = suite_create("dns_zonefile");
    SRunner *r = srunner_create(s);
    int failed;

    suite_add_tcase(s, t);
    tcase_add_loop_test(t, test_bad_file, 0, sizeof(bad) / sizeof(bad[0]));
    tcase_add_loop_test(t, test_warnings, 0, sizeof(doubtful) / sizeof(doubtful[0]));
    tcase_add_loop_test(t, test_same, 0, sizeof(same) / sizeof(same[0]));
    tcase_add_loop_test(t, test_owner_is_put_back, 0, 4);
    tcase_add_test(t, test_all_errors_are_reported);
    tcase_add_test(t, test_errors_end);
    tcase_add_loop_test(t, test_too_long, 0, 10);
    tcase_add_loop_test(t, test_too_many_parameters, 0, 2);
    tcase_add_loop_test(t, test_read_error, 0, 3);
    tcase_add_test(t, test_zero_octet);
    tcase_add_test(t, test_too_large_set);
    tcase_add_test(t, test_name_limits);
    tcase_add_loop_test(t, test_name_text, 0, 7);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
