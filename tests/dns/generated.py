#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Zones made by rule: of the root's structure, a top-level domain's, zones inside zones, very many names.

    /usr/bin/python3 tests/dns/generated.py names COUNT > FILE            that many random names
    /usr/bin/python3 tests/dns/generated.py delegations COUNT > FILE      that many delegations, with glue

The same every time. Those to be signed are returned as text; signing.py signs them.
"""

import random
import string
import sys
from pathlib import Path

LETTERS = string.ascii_lowercase + string.digits
SOA = "SOA ns hostmaster 1 3600 600 86400 300"
DS_TAIL = "8 2 "
MANY = "many.test"


def label(rng, least=3, most=12):
    return "".join(rng.choices(LETTERS, k=rng.randint(least, most)))


def labels(rng, count, **lengths):
    found = {}
    while len(found) < count:
        found[label(rng, **lengths)] = True
    return list(found)


def address(rng):
    return f"10.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(256)}"


def digest(rng):
    return f"{rng.randrange(65536)} {DS_TAIL}{rng.getrandbits(256):064x}"


def glue(rng, host):
    yield f"{host} A {address(rng)}"
    if rng.random() < 0.8:
        yield f"{host} AAAA 2001:db8::{rng.getrandbits(16):x}:{rng.getrandbits(16):x}"


def root(tlds, child, child_ds, seed=1):
    """The root zone's structure: delegations with two to six servers, half of them in a common domain, with glue
    below them; nine of ten with DS. `child` is one more, whose zone is served too."""
    rng = random.Random(seed)
    names = [name if rng.random() < 0.9 else f"xn--{name}" for name in labels(rng, tlds)]
    common = names[: max(3, tlds // 50)]
    yield "$TTL 86400"
    yield ". SOA a.root-servers.net. nstld.example.net. 2026010100 1800 900 604800 86400"
    for letter in "abcdefghijklm":
        yield f". 518400 NS {letter}.root-servers.net."
        yield from glue(rng, f"{letter}.root-servers.net.")
    yield "net. NS a.gtld-servers.net."
    yield from glue(rng, "a.gtld-servers.net.")
    for name in names:
        shared = rng.choice(common) if rng.random() < 0.5 else name
        hosts = [f"{chr(97 + i)}.nic.{shared}." for i in range(rng.randint(2, 6))]
        for host in hosts:
            yield f"{name}. 172800 NS {host}"
        if shared == name:
            for host in hosts:
                yield from glue(rng, host)
        for _ in range(rng.choice([0, 1, 1, 1, 1, 1, 1, 1, 1, 2])):
            yield f"{name}. DS {digest(rng)}"
    yield f"{child}. NS ns.{child}."
    yield f"ns.{child}. A 192.0.2.1"
    yield child_ds


def tld(name, delegations, child=None, child_ds="", seed=2):
    """A top-level domain: delegations with two servers, some of them with glue, few with DS. `child` is one more."""
    rng = random.Random(seed)
    names = labels(rng, delegations)
    yield "$TTL 3600"
    yield f"$ORIGIN {name}."
    yield f"@ {SOA}"
    yield f"{name}. NS ns.{name}."
    yield f"ns.{name}. A 192.0.2.1"
    for n in names:
        for server in ("ns1", "ns2"):
            host = f"{server}.{n}.{name}." if rng.random() < 0.4 else f"{server}.{rng.choice(names)}.{name}."
            yield f"{n}.{name}. NS {host}"
            if host.endswith(f".{n}.{name}."):
                yield from glue(rng, host)
        if rng.random() < 0.15:
            yield f"{n}.{name}. DS {digest(rng)}"
    if child:
        yield f"{child}. NS ns.{child}."
        yield f"ns.{child}. A 192.0.2.1"
        yield child_ds


def inner(name):
    """A small zone that others may be inside of, with and without a delegation in it."""
    yield "$TTL 300"
    yield f"$ORIGIN {name}."
    yield f"@ {SOA}"
    yield "@ NS ns"
    yield "@ MX 5 mail.deep"
    yield "ns A 192.0.2.1"
    yield "mail.deep A 192.0.2.2"
    yield "*.star TXT wild"
    yield "*.deep AAAA 2001:db8::1"
    yield "away DNAME star"
    yield "cut NS ns.cut"
    yield "ns.cut A 192.0.2.3"
    yield "occluded.cut TXT occluded"
    yield "alias CNAME any.star"
    yield "into CNAME www.hidden.deep"


def random_names(count, origin=MANY, seed=3):
    """That many random names, a tenth of them below others, of all the usual types."""
    rng = random.Random(seed)
    names, above = {}, [""]
    yield f"$ORIGIN {origin}."
    yield "$TTL 3600"
    yield f"@ {SOA}"
    yield "@ NS ns"
    yield "ns A 192.0.2.1"
    while len(names) < count:
        name = label(rng) + (rng.choice(above) if rng.random() < 0.3 else "")
        if name in names:
            continue
        names[name] = True
        if rng.random() < 0.1 and name.count(".") < 3:
            above.append("." + name)
        kind = rng.random()
        if kind < 0.7:
            yield f"{name} A {address(rng)}"
        elif kind < 0.85:
            yield f"{name} AAAA 2001:db8::{rng.getrandbits(16):x}:{rng.getrandbits(16):x}"
        elif kind < 0.93:
            yield f"{name} MX {rng.randrange(100)} ns"
        elif kind < 0.97:
            yield f'{name} TXT "{label(rng, 5, 40)}"'
        else:
            yield f"{name} CNAME ns"


def write(file, lines):
    Path(file).write_text("\n".join(lines) + "\n", encoding="ascii")


if __name__ == "__main__":
    for line in {"names": random_names, "delegations": lambda n: tld("big", n)}[sys.argv[1]](int(sys.argv[2])):
        print(line)
