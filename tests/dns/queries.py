# SPDX-License-Identifier: ISC
"""Generated queries: for the names of zones and their neighbours, all types, flags, EDNS, and malformed ones.

All are the same for one seed. Names are dns.name.Name here, wire form in the messages.
"""

import dataclasses
import functools
import itertools
import random
import socket
import struct

import dns.exception
import dns.name
import dns.rdatatype

import messages
from messages import build, edns, option

TYPES = [1, 2, 5, 6, 12, 13, 15, 16, 17, 28, 33, 35, 39, 43, 44, 48, 52, 99, 255, 256, 257, 1234, 5678]
SIGNED_TYPES = [1, 2, 5, 6, 16, 39, 43, 46, 47, 48, 50, 51, 255, 257]


@dataclasses.dataclass
class Query:
    """A message to send. `kind` names what it tries."""

    wire: bytes
    kind: str
    tcp: bool = False

    def __str__(self):
        return f"{self.kind} [{'TCP' if self.tcp else 'UDP'} {self.wire.hex()}]"

    @functools.cached_property
    def asked(self):
        """(name, type, class) of the first question, or None if it cannot be read."""
        try:
            name, at = messages.read_name(self.wire, 12)
            return (name, *struct.unpack_from("!HH", self.wire, at))
        except (messages.Malformed, IndexError, struct.error):
            return None

    @property
    def type(self):
        return self.asked and self.asked[1]

    @property
    def rdclass(self):
        return self.asked and self.asked[2]

    @property
    def opcode(self):
        return self.wire[2] >> 3 & 15

    @functools.cached_property
    def message(self):
        """All of it as a Message, whatever is behind it, or None if it is malformed."""
        try:
            return messages.read(self.wire, behind=True)
        except messages.Malformed:
            return None

    @functools.cached_property
    def behind(self):
        """Are there octets behind a message that is well-formed?"""
        try:
            messages.read(self.wire)
            return False
        except messages.Malformed:
            return self.message is not None

    @property
    def edns(self):
        return self.message and self.message.edns

    @property
    def limit(self):
        """The size that the answer may have."""
        if self.tcp:
            return 65535
        return min(max(self.edns[2], 512), 1232) if self.edns else 512


def transferred(reference, zone):
    """The records of the zone, by AXFR from `reference`."""
    with socket.create_connection(reference, timeout=20) as s, s.makefile("rb") as stream:
        query = build(dns.name.from_text(zone).to_wire(), 252)
        s.sendall(struct.pack("!H", len(query)) + query)
        ends = 0
        while ends < 2:
            (n,) = struct.unpack("!H", stream.read(2))
            message = messages.read(stream.read(n))
            if message.rcode or not message.answer:
                raise RuntimeError(f"{zone}: RCODE {message.rcode} to AXFR")
            # A message alone has both SOA records, which are one in a set.
            ends += 2 if message.duplicates else any(r[1] == messages.SOA for r in message.answer)
            yield from message.answer


def write_transferred(reference, zone, file):
    """Writes the zone as `reference` has it, in the form of RFC 3597, so for one that does not know all its types."""
    with open(file, "w", encoding="ascii") as out:
        for owner, rdtype, _, ttl, data in transferred(reference, zone):
            out.write(f"{dns.name.from_wire(owner, 0)[0]} {ttl} IN TYPE{rdtype} \\# {len(data)} {data.hex()}\n")


def load_owners(reference, zones):
    """The zones' owners, dict of dns.name.Name to set of types, by zone transfer from `reference`."""
    owners = {}
    for zone in zones:
        for owner, rdtype, *_ in transferred(reference, zone):
            owners.setdefault(owner, set()).add(rdtype)
    return {dns.name.from_wire(owner, 0)[0]: types for owner, types in sorted(owners.items())}


def wire(name):
    return name.to_wire()


def neighbours(name):
    """Names that are near an existing one: above it, below it, before and behind it."""
    labels = name.labels
    yield dns.name.Name((b"below",) + labels)
    yield dns.name.Name((b"a", b"b") + labels)
    yield dns.name.Name((b"*",) + labels)
    yield dns.name.Name((b"\0",) + labels)  # the next in canonical order
    if len(labels) > 1:
        first, rest = labels[0], labels[1:]
        yield dns.name.Name(rest)
        yield dns.name.Name((first + b"x" if len(first) < 63 else first[:-1],) + rest)
        yield dns.name.Name((first + b"\0" if len(first) < 63 else first[:-1],) + rest)
        yield dns.name.Name((bytes([first[0] ^ 1]) + first[1:],) + rest)
        if first[-1]:
            yield dns.name.Name((first[:-1] + bytes([first[-1] - 1]) + b"\xff" * (63 - len(first)),) + rest)


def near(name):
    """The neighbours that are names: none too long."""
    maker = neighbours(name)
    try:
        return list(maker)
    except dns.exception.DNSException:
        return []


def mixed_case(name, rng):
    return dns.name.Name(
        [bytes(c ^ 0x20 if chr(c).isalpha() and rng.random() < 0.5 else c for c in label) for label in name.labels]
    )


def label_of(name, rdtype):
    return f"{name} {dns.rdatatype.to_text(rdtype)}"


def near_all(owners):
    """All owners and their neighbours."""
    names = dict.fromkeys(owners)
    for owner in owners:
        if len(owner.labels[0]) != 32 or 50 not in owners[owner]:  # next to a hash there is nothing to see
            names.update(dict.fromkeys(near(owner)))
    return list(names)


def generate_names(owners, rng):
    """One query for every owner and neighbour with a choice of types, half of them with EDNS."""
    for name in near_all(owners):
        types = TYPES if name in owners else rng.sample(TYPES, 5) + [1, 43]
        for rdtype in sorted(set(types) | owners.get(name, set())):
            additional = (edns(rng.choice([512, 1232, 4096])),) if rng.random() < 0.5 else ()
            tcp = rng.random() < 0.1
            shown = mixed_case(name, rng) if rng.random() < 0.3 else name
            flags = rng.choice([0, 0x100])
            yield Query(build(wire(shown), rdtype, flags=flags, additional=additional), label_of(shown, rdtype), tcp)


def generate_signed(owners, rng):
    """Every owner and neighbour with DO: what signatures and proofs go with it."""
    for name in near_all(owners):
        types = set(SIGNED_TYPES) | owners.get(name, set())
        for rdtype in sorted(types if name in owners else {1, 16, 43, 47}):
            size = rng.choice([512, 1232, 4096])
            shown = mixed_case(name, rng) if rng.random() < 0.2 else name
            asked = build(wire(shown), rdtype, additional=(edns(size, flags=0x8000),))
            yield Query(asked, f"{label_of(shown, rdtype)} DO size {size}", rng.random() < 0.5)


# Options in queries: client subnet, NSID, keepalive, padding, cookies right and wrong, unknown ones, ones cut short.
OPTIONS = [
    option(8, bytes.fromhex("00011800c00002")), option(65001, b"abc"), option(3), option(11), option(12, bytes(20)),
    option(10, bytes(8)), option(10, bytes(16)), option(10, bytes(7)), option(15, b"\0\1"), option(9), option(5, b"\x08"),
]  # fmt: skip


def random_edns(rng):
    """No OPT record, or one with all that may be in it."""
    if rng.random() < 0.3:
        return ()
    size = rng.choice([0, 1, 511, 512, 513, 600, 1000, 1231, 1232, 1233, 4096, 65535, rng.randrange(65536)])
    flags = rng.choice([0, 0, 0x8000, 0x8000, 0x8000, 0x4000, rng.randrange(65536)])
    version = rng.choice([0] * 14 + [1, 255])
    options = b"".join(rng.choice(OPTIONS) for _ in range(rng.choice([0, 0, 0, 1, 2, 4])))
    return (edns(size, version, flags, options, rng.choice([0] * 9 + [rng.randrange(256)])),)


def generate_mixed(owners, rng):
    """Without end: any owner or neighbour, or a neighbour's neighbour, with any type, flags and EDNS."""
    names = list(owners)
    all_types = [*range(1, 128), 128, 200, *range(255, 262), 32768, 32769, 65280, 65534]
    while True:
        name = rng.choice(names)
        types = owners[name]
        for _ in range(rng.choice([0, 0, 1, 1, 1, 2])):
            name = rng.choice(near(name) or [name])
        rdtype = rng.choice([rng.choice(sorted(types)), rng.choice(TYPES), rng.choice(SIGNED_TYPES), rng.choice(all_types)])
        shown = mixed_case(name, rng) if rng.random() < 0.3 else name
        flags = rng.choice([0, 0x100, 0x10, 0x20, 0x110, rng.choice([0x40, 0x80, 0x200, 0x400])])
        asked = build(wire(shown), rdtype, flags=flags, additional=random_edns(rng))
        yield Query(asked, label_of(shown, rdtype), rng.random() < 0.25)


def generate_edns(name):
    """Variations of EDNS on one existing name."""
    shown = wire(name)
    for size in (0, 1, 511, 512, 513, 600, 1231, 1232, 1233, 4096, 65535):
        for tcp in (False, True):
            yield Query(build(shown, 1, additional=(edns(size),)), f"EDNS size {size}", tcp)
    for flags in (0x8000, 0x4000, 0x8001, 0xFFFF):
        yield Query(build(shown, 1, additional=(edns(flags=flags),)), f"EDNS flags {flags:04x}")
    for version in (1, 2, 255):
        yield Query(build(shown, 1, additional=(edns(version=version),)), f"EDNS version {version}")
        yield Query(build(shown, 1, additional=(edns(version=version, flags=0x8000),)), f"EDNS version {version} DO")
    for options in [*OPTIONS, OPTIONS[0] + OPTIONS[1]]:
        yield Query(build(shown, 1, additional=(edns(options=options),)), "EDNS options")
    yield Query(build(shown, 1, additional=(edns(rcode=7),)), "EDNS rcode in a query")
    yield Query(build(shown, 1, additional=(edns(), edns())), "two OPT records")


def generate_truncation(names):
    """Sizes from the smallest up, on sets that do not fit."""
    for name in names:
        for rdtype in (1, 16, 28, 255):
            for size in (None, 512, 700, 1000, 1100, 1200, 1232, 4096):
                additional = () if size is None else (edns(size),)
                yield Query(build(wire(name), rdtype, additional=additional), f"{label_of(name, rdtype)} size {size}")
            yield Query(build(wire(name), rdtype, additional=(edns(),)), label_of(name, rdtype), True)


def generate_headers(name, outside):
    """Opcodes, flags, classes, meta types and queries outside of all zones."""
    shown = wire(name)
    for opcode in (1, 2, 3, 6, 7, 15):
        yield Query(build(shown, 1, opcode=opcode), f"opcode {opcode}")
        yield Query(build(shown, 1, opcode=opcode, additional=(edns(),)), f"opcode {opcode} with EDNS")
    for bit in range(16):
        if not (1 << bit) & 0xF800:
            yield Query(build(shown, 1, flags=1 << bit), f"header bit {1 << bit:04x}")
    for rdclass in (0, 2, 4, 254, 255, 65535):
        yield Query(build(shown, 1, rdclass), f"class {rdclass}")
        yield Query(build(shown, 99, rdclass), f"class {rdclass}, no data")
        yield Query(build(b"\1x" + shown, 1, rdclass), f"class {rdclass}, no name")
    for rdtype in (0, 41, 128, 249, 250, 253, 254, 65535):
        yield Query(build(shown, rdtype), f"type {rdtype}")
    for rdtype in (251, 252):
        yield Query(build(shown, rdtype), f"type {rdtype} over UDP")
    for shown in outside:
        for rdtype in (1, 2, 6, 43, 255):
            yield Query(build(shown, rdtype), f"outside {dns.name.from_wire(shown, 0)[0]} {rdtype}")
            yield Query(build(shown, rdtype, additional=(edns(flags=0x8000),)), "outside, with EDNS")


def generate_dname(owner):
    """Names below a DNAME, up to those that it would make too long."""
    yield Query(build(wire(dns.name.Name((b"*",) + owner.labels)), 1), f"below {owner}")
    for length in (1, 63):
        for count in range(1, 5):
            labels = (b"l" * length,) * count + (b"m" * 40,) + owner.labels
            if sum(len(label) + 1 for label in labels) <= 255:
                shown = wire(dns.name.Name(labels))
                for rdtype in (1, 5, 39, 255):
                    kind = f"{count} labels of {length} below {owner}"
                    yield Query(build(shown, rdtype, additional=(edns(),)), kind)


def generate_malformed(name):
    """Messages a server must refuse or ignore: one of each kind."""
    shown = wire(name)
    good = build(shown, 1)
    for n in (0, 1, 11, 12, 13, len(good) - 4, len(good) - 1):
        yield Query(good[:n], f"cut to {n} octets")
    yield Query(build(b"\xc0\x0c", 1), "question is a pointer")
    yield Query(build(b"\3www\xc0\x0c", 1), "question has a pointer")
    yield Query(build(b"\x41" + b"a" * 65 + b"\0", 1), "label type 01")
    yield Query(build(b"\x81" + b"a" * 65 + b"\0", 1), "label type 10")
    yield Query(build((b"\x3f" + b"a" * 63) * 4 + b"\0", 1), "name of 257 octets")
    yield Query(build((b"\1a") * 127 + b"\0", 1), "name of 255 octets")
    for counts in ((0, 0, 0, 0), (2, 0, 0, 0), (1, 1, 0, 0), (1, 0, 1, 0), (1, 0, 0, 1), (0, 0, 0, 1), (65535,) * 4):
        yield Query(build(shown, 1, counts=counts), f"counts {counts}")
    yield Query(good + b"garbage", "octets behind the question")
    yield Query(build(shown, 1, additional=(edns()[:-1],)), "OPT cut short")
    yield Query(build(shown, 1, additional=(edns()[:-2] + b"\0\1",)), "OPT longer than the message")
    yield Query(build(shown, 1, additional=(b"\1x" + edns(),)), "OPT with a name")


RECORD = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + b"\xc0\0\2\1"
TSIG = b"\3key\0" + struct.pack("!HHIH", 250, 255, 0, 61) + b"\x0bhmac-sha256\0" + bytes(6) + b"\1\x2c\0\x20" + bytes(38)


def generate_broken(owners, rng):
    """Without end: well-formed queries with something broken, added or left out."""
    names = list(owners)
    while True:
        shown = wire(rng.choice(names))
        extra = random_edns(rng)
        counts = [1, 0, 0, len(extra)]
        good = build(shown, rng.choice(TYPES), additional=extra)
        how = rng.randrange(9)
        if how == 0:
            broken, kind = good[: rng.randrange(12, len(good))], "cut"
        elif how == 1:
            at = rng.randrange(4, 12)
            broken, kind = good[:at] + bytes([rng.choice([1, 2, 255, rng.randrange(256)])]) + good[at + 1 :], "counts"
        elif how == 2:
            at = rng.randrange(12, 12 + len(shown))
            broken, kind = good[:at] + bytes([rng.choice([0xC0, 0x41, 0x80, 0x3F, 0, rng.randrange(256)])]) + good[at + 1 :], "a name's octet"
        elif how == 3:
            broken, kind = good + bytes(rng.randrange(256) for _ in range(rng.randrange(1, 20))), "octets behind"
        elif how == 4:
            section = rng.randrange(1, 4)
            counts[section] += 1
            added = [RECORD, *extra] if section < 3 or rng.random() < 0.5 else [*extra, RECORD]
            broken, kind = build(shown, 1, additional=added, counts=counts), f"a record in section {section}"
        elif how == 5:
            counts = rng.choice([(1, 1, 0, 0), (1, 0, 1, 0), (1, 0, 0, 2), (1, 0, 0, 1)])
            broken, kind = build(shown, 1, additional=[edns()] * sum(counts[1:]), counts=counts), f"OPT {counts[1:]}"
        elif how == 6:
            opt = bytearray(edns(options=rng.choice(OPTIONS)))
            opt[rng.randrange(9, len(opt))] ^= 1 << rng.randrange(8)
            broken, kind = build(shown, 1, additional=[bytes(opt)]), "an OPT record's lengths"
        elif how == 7:
            added = rng.choice([[TSIG], [TSIG, *extra], [*extra, TSIG], [TSIG[: rng.randrange(20, len(TSIG))]]])
            broken, kind = build(shown, 1, additional=added), "TSIG"
        else:
            broken = bytearray(good)
            for _ in range(rng.randrange(1, 4)):
                broken[rng.randrange(2, len(broken))] = rng.randrange(256)
            broken[2] &= 0x7F  # a response would get no answer
            broken, kind = bytes(broken), "any octets"
        yield Query(broken, f"broken: {kind}", rng.random() < 0.05)


OUTSIDE = [b"\0", b"\4test\0", b"\7invalid\0", b"\7example\4info\0", b"\4arpa\0"]


def generate(owners, zones, seed=1, dnssec=True, more=0):
    """All queries for these zones and their owners, and `more` at random, a tenth of them broken."""
    rng = random.Random(seed)
    random.seed(seed)
    apexes = [dns.name.from_text(z) for z in zones]
    yield from generate_names(owners, rng)
    for apex in apexes:
        yield from generate_edns(apex)
        yield from generate_headers(apex, OUTSIDE)
    yield from generate_malformed(apexes[0])
    big = [n for n in owners if b"big" in n.labels and not n.labels[0].startswith((b"ns", b"mx"))]
    yield from generate_truncation(big + apexes)
    for owner in owners:
        if 39 in owners[owner]:
            yield from generate_dname(owner)
    if dnssec:  # a choice of them: most of what they try is for signed zones
        yield from (query for query in generate_signed(owners, rng) if rng.random() < 0.3)
    yield from generate_more(owners, more, rng)


def generate_more(owners, more, rng):
    yield from itertools.islice(generate_mixed(owners, rng), more * 9 // 10)
    yield from itertools.islice(generate_broken(owners, rng), more // 10)
