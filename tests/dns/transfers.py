# SPDX-License-Identifier: ISC
"""A zone from a server, as dnspython reads it; and the key with which the servers of the tests are asked."""

import base64

import dns.query
import dns.rdata
import dns.rdtypes.ANY.RP
import dns.rdtypes.nsbase
import dns.tsig
import dns.tsigkeyring

KEY_NAME = "transfer.test."
SECRET = base64.b64encode(b"a secret of thirty-two octets...").decode()


def keyring(name):
    return dns.tsigkeyring.from_text({name: SECRET})


KEYRING = keyring(KEY_NAME)
OPTIONS = ["-k", f"{KEY_NAME}:{SECRET}", "-x", f"@{KEY_NAME}"]


class OldTypes:
    """Types of RFC 1035 that dnspython does not know: one name or two, which others compress."""


ONE, TWO = dns.rdtypes.nsbase.NSBase, dns.rdtypes.ANY.RP.RP
for number, text, base in ((3, "MD", ONE), (4, "MF", ONE), (7, "MB", ONE), (8, "MG", ONE), (9, "MR", ONE),
                           (14, "MINFO", TWO)):  # fmt: skip
    setattr(OldTypes, text, type(text, (base,), {}))
    dns.rdata.register_type(OldTypes, number, text)


def transfer(server, zone, keys=None, rdtype="AXFR", algorithm=dns.tsig.HMAC_SHA256, name=KEY_NAME, **more):
    """The records of all messages in order, each (name, type, TTL, data). dnspython checks signatures, that
    there is an SOA at both ends, and that nothing comes after."""
    records = []
    messages = 0
    query = {"keyring": keys, "keyname": name} if keys else {}
    for message in dns.query.xfr(server[0], zone, rdtype, port=server[1], timeout=20, relativize=False,
                                 keyalgorithm=algorithm, **query, **more):  # fmt: skip
        messages += 1
        for rrset in message.answer:
            records += [(rrset.name.canonicalize(), rrset.rdtype, rrset.ttl, r.to_digestable()) for r in rrset]
    return records, messages


def write_live(file, serial, refresh=3600, names=2000):
    """A zone of many messages, which is to change."""
    lines = ["$TTL 60", f"@ SOA ns1 host {serial} {refresh} 2 4 60", "@ NS ns1", "ns1 A 192.0.2.1",
             f"version TXT {serial}", f"only{serial} A 192.0.2.9"]  # fmt: skip
    lines += [f"n{i} MX {i} n{i * 7 % names}\nn{i} TXT {'x' * (i % 90)}y" for i in range(names)]
    file.write_text("\n".join(lines) + "\n")


def write_turned(file, serial):
    """The same changes, and a set of a hundred records (BIND takes no more) that begins with another one in each
    version, and of which two have changed places."""
    write_live(file, serial, names=20)
    numbers = list(range(100))
    numbers = numbers[serial * 30 :] + numbers[: serial * 30]
    numbers[serial], numbers[-serial] = numbers[-serial], numbers[serial]
    with open(file, "a", encoding="ascii") as out:
        out.writelines(f"turned A 192.0.2.{n}\n" for n in numbers)


LEFT_OUT = "8 2 60 20300101000000 20200101000000 1 partial.test. AAAA"


def write_partial(file, serial):
    """The same changes, and a signature of nothing, which our images leave out."""
    write_live(file, serial, names=20)
    with open(file, "a", encoding="ascii") as out:
        out.write(f"version RRSIG A {LEFT_OUT}\n")
