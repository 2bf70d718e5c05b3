# SPDX-License-Identifier: ISC
"""Differential testing of DNS servers: generates queries from the names of zones, asks two servers, compares.

A server is (address, port). Messages are compared as a client sees them: header, question to the
letter, sections as sets of records, EDNS. How names are compressed and the order of records are free.
"""

import dataclasses
import itertools
import random
import re
import socket
import struct

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rdataclass
import dns.rdatatype

TYPES = [1, 2, 5, 6, 12, 13, 15, 16, 17, 28, 33, 35, 39, 43, 44, 48, 52, 99, 255, 256, 257, 1234, 5678]
SECTIONS = ("answer", "authority", "additional")


@dataclasses.dataclass
class Query:
    """A message to send. `kind` names what it tries; `any_set` allows any one set as the answer."""

    wire: bytes
    kind: str
    tcp: bool = False
    any_set: bool = False

    def __str__(self):
        transport = "TCP" if self.tcp else "UDP"
        return f"{self.kind} [{transport} {self.wire.hex()}]"


def edns(size=1232, version=0, flags=0, options=b"", rcode=0):
    ttl = rcode << 24 | version << 16 | flags
    return b"\0" + struct.pack("!HHIH", 41, size, ttl, len(options)) + options


def build(name, rdtype, rdclass=1, flags=0, ident=None, additional=(), counts=None, opcode=0):
    """A query in wire form, free to be malformed: `name` in wire form, `counts` overrides the four."""
    ident = random.getrandbits(16) if ident is None else ident
    counts = counts or (1, 0, 0, len(additional))
    head = struct.pack("!HHHHHH", ident, flags | opcode << 11, *counts)
    return head + name + struct.pack("!HH", rdtype, rdclass) + b"".join(additional)


def load_owners(reference, zones):
    """The zones' owners, dict of dns.name.Name to set of types, by zone transfer from `reference`."""
    owners = {}
    for zone in zones:
        for message in dns.query.xfr(reference[0], zone, port=reference[1], relativize=False):
            for rrset in message.answer:
                owners.setdefault(rrset.name, set()).add(int(rrset.rdtype))
    return owners


def wire(name):
    return name.to_wire()


def neighbours(name):
    """Names that are near an existing one: above it, below it, beside it."""
    labels = name.labels
    yield dns.name.Name((b"below",) + labels)
    yield dns.name.Name((b"a", b"b") + labels)
    yield dns.name.Name((b"*",) + labels)
    if len(labels) > 1:
        first = labels[0]
        yield dns.name.Name(labels[1:])
        yield dns.name.Name((first + b"x" if len(first) < 63 else first[:-1],) + labels[1:])
        yield dns.name.Name((bytes([first[0] ^ 1]) + first[1:],) + labels[1:])


def mixed_case(name, rng):
    return dns.name.Name(
        [bytes(c ^ 0x20 if chr(c).isalpha() and rng.random() < 0.5 else c for c in label) for label in name.labels]
    )


def fits(name_maker):
    try:
        return list(name_maker)
    except dns.exception.DNSException:
        return []


def generate_names(owners, rng):
    """One query for every owner and neighbour with a choice of types, half of them with EDNS."""
    names = dict.fromkeys(owners)
    for owner in owners:
        names.update(dict.fromkeys(itertools.chain.from_iterable([fits(neighbours(owner))])))
    for name in names:
        types = TYPES if name in owners else rng.sample(TYPES, 5) + [1, 43]
        for rdtype in sorted(set(types) | owners.get(name, set())):
            additional = (edns(rng.choice([512, 1232, 4096])),) if rng.random() < 0.5 else ()
            tcp = rng.random() < 0.1
            shown = mixed_case(name, rng) if rng.random() < 0.3 else name
            yield Query(
                build(wire(shown), rdtype, flags=rng.choice([0, 0x100]), additional=additional),
                f"{shown} {dns.rdatatype.to_text(rdtype)}",
                tcp,
                rdtype == 255,
            )


def generate_signed(owners, rng):
    """Every owner and neighbour with DO: what signatures and proofs go with it."""
    names = dict.fromkeys(owners)
    for owner in owners:
        if len(owner.labels[0]) != 32:  # next to the hash of an NSEC3 there is nothing to see
            names.update(dict.fromkeys(fits(neighbours(owner))))
    for name in names:
        types = {1, 2, 5, 6, 16, 43, 46, 47, 48, 255, 257} | owners.get(name, set())
        for rdtype in sorted(types if name in owners else {1, 16, 43, 47}):
            size = rng.choice([512, 1232, 4096])
            shown = mixed_case(name, rng) if rng.random() < 0.2 else name
            yield Query(
                build(wire(shown), rdtype, additional=(edns(size, flags=0x8000),)),
                f"{shown} {dns.rdatatype.to_text(rdtype)} DO size {size}",
                rng.random() < 0.5,
                rdtype == 255,
            )


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
    client_subnet = bytes.fromhex("0008 0007 0001 18 00 c00002".replace(" ", ""))
    unknown = struct.pack("!HH", 65001, 3) + b"abc"
    for options in (client_subnet, unknown, client_subnet + unknown):
        yield Query(build(shown, 1, additional=(edns(options=options),)), "EDNS options")
    yield Query(build(shown, 1, additional=(edns(rcode=7),)), "EDNS rcode in a query")
    yield Query(build(shown, 1, additional=(edns(), edns())), "two OPT records")


def generate_truncation(names):
    """Sizes from the smallest up, on sets that do not fit."""
    for name in names:
        for rdtype in (1, 16, 28, 255):
            for size in (None, 512, 700, 1000, 1100, 1200, 1232, 4096):
                additional = () if size is None else (edns(size),)
                kind = f"{name} {dns.rdatatype.to_text(rdtype)} size {size}"
                yield Query(build(wire(name), rdtype, additional=additional), kind, False, rdtype == 255)
            yield Query(build(wire(name), rdtype, additional=(edns(),)), f"{name} over TCP", True, rdtype == 255)


def generate_headers(name, outside):
    """Opcodes, flags, classes, meta types and queries outside of all zones."""
    shown = wire(name)
    # No more than these: NSD leaves out what is above its limit of such answers a second.
    for opcode in (1, 3, 7):
        yield Query(build(shown, 1, opcode=opcode), f"opcode {opcode}")
    for opcode in (2, 6, 15):
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
                    yield Query(build(shown, rdtype, additional=(edns(),)), kind, any_set=rdtype == 255)


def generate_malformed(name):
    """Messages a server must refuse or ignore."""
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


def generate(owners, zones, seed=1, dnssec=True):
    """All queries for these zones and their owners, always the same for one seed."""
    rng = random.Random(seed)
    random.seed(seed)
    apexes = [dns.name.from_text(z) for z in zones]
    outside = [b"\0", b"\4test\0", b"\7invalid\0", b"\7example\4info\0", b"\4arpa\0"]
    yield from generate_names(owners, rng)
    for apex in apexes:
        yield from generate_edns(apex)
        yield from generate_headers(apex, outside)
    yield from generate_malformed(apexes[0])
    big = [n for n in owners if b"big" in n.labels and not n.labels[0].startswith((b"ns", b"mx"))]
    yield from generate_truncation(big + apexes)
    for owner in owners:
        if 39 in owners[owner]:
            yield from generate_dname(owner)
    if dnssec:  # a choice of them: most of what they try is for signed zones, see test_signed_zones
        yield from (query for query in generate_signed(owners, rng) if rng.random() < 0.3)


PATIENCE = 10  # seconds


class Client:
    """Asks one server over UDP, and over one TCP connection that is kept."""

    def __init__(self, server, timeout=0.3):
        self.server = server
        self.timeout = timeout
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.settimeout(timeout)
        self.udp.connect(server)
        self.tcp = None

    def close(self):
        self.udp.close()
        if self.tcp:
            self.tcp.close()

    def ask(self, query):
        """The server's answer, or None."""
        return self._ask_tcp(query.wire) if query.tcp else self._ask_udp(query.wire)

    def ask_patiently(self, query):
        """Once more, of a server that was silent where the other answered: it may have been slow."""
        self.udp.settimeout(PATIENCE)
        try:
            return self.ask(query)
        finally:
            self.udp.settimeout(self.timeout)

    def _ask_udp(self, message):
        self.udp.send(message)
        try:
            while True:
                answer = self.udp.recv(65535)
                if answer[:2] == message[:2]:
                    return answer
        except OSError:
            return None

    def _ask_tcp(self, message):
        for _ in range(2):
            try:
                if not self.tcp:
                    self.tcp = socket.create_connection(self.server, timeout=5)
                self.tcp.sendall(struct.pack("!H", len(message)) + message)
                return self._receive(struct.unpack("!H", self._receive(2))[0])
            except (OSError, EOFError):
                self.tcp.close()
                self.tcp = None
        return None

    def _receive(self, n):
        data = b""
        while len(data) < n:
            more = self.tcp.recv(n - len(data))
            if not more:
                raise EOFError
            data += more
        return data


def records(section):
    """The section as a set of comparable records."""
    out = set()
    for rrset in section:
        for rdata in rrset:
            data = rdata.to_digestable() if rdata.rdtype in CANONICAL else rdata.to_wire()
            out.add((rrset.name.canonicalize().to_text(), rrset.rdtype, rrset.ttl, data))
    return out


CANONICAL = {2, 5, 6, 7, 8, 9, 12, 14, 15, 17, 18, 21, 26, 33, 35, 36, 39, 46, 47, 107}


def parse(answer):
    plain = answer[:2] + bytes([answer[2] & ~OPCODE]) + answer[3:]
    message = dns.message.from_wire(plain, one_rr_per_rrset=True)
    return {
        "flags": answer[2] & 0xFF,
        "flags2": answer[3] & 0xF0,
        "rcode": message.rcode(),
        "question": [(q.name.to_text(), q.rdtype, q.rdclass) for q in message.question],
        "edns": (message.edns, message.ednsflags & 0xFFFF, message.payload) if message.edns >= 0 else None,
        "options": [(o.otype, o.to_wire()) for o in message.options],
        **{name: records(getattr(message, name)) for name in SECTIONS},
        "duplicates": any(
            len(getattr(message, name)) != len(records(getattr(message, name))) for name in SECTIONS
        ),
        "size": len(answer),
        "truncated": bool(answer[2] & 2),
    }


def compare(query, ours, theirs):
    """The names of the fields in which two answers differ, with both values."""
    if ours is None or theirs is None:
        return {} if ours is theirs else {"answered": (ours is not None, theirs is not None)}
    if len(ours) < 12:
        return {"length": (len(ours), len(theirs))}
    a, b = parse(ours), parse(theirs)
    if a["truncated"] and not b["truncated"] and b["size"] > limit(query) - NEARLY:
        b["flags"], b["truncated"] = b["flags"] | TC, True
    fields = ["flags", "flags2", "rcode", "question", "edns", "options"]
    if query.any_set:
        fields = [f for f in fields if f != "flags" or a["flags"] & ~2 != b["flags"] & ~2]
    elif not (a["truncated"] and b["truncated"]):
        fields += SECTIONS
    found = {f: (a[f], b[f]) for f in fields if a[f] != b[f]}
    if a["duplicates"]:
        found["duplicates"] = (True, b["duplicates"])
    if not found and not query.any_set and not a["truncated"] and a["size"] > b["size"] + SIZE_SLACK:
        found["size"] = (a["size"], b["size"])
    return found


SIZE_SLACK = 64
NEARLY = 16  # octets by which another way to compress names may decide whether all fits
OPCODE = 0x78
TC = 2


def limit(query):
    """The size that the answer may have."""
    if query.tcp:
        return 65535
    message = dns.message.from_wire(query.wire)
    return min(max(message.payload, 512), 1232)


def run(server, reference, queries, expected=lambda query, found: False):
    """Asks both servers everything. Returns (number asked, list of (query, differences) not expected)."""
    ours, theirs = Client(server), Client(reference)
    asked, unexpected = 0, []
    for query in queries:
        asked += 1
        a, b = ours.ask(query), theirs.ask(query)
        if (a is None) != (b is None):
            a, b = a or ours.ask_patiently(query), b or theirs.ask_patiently(query)
        try:
            found = compare(query, a, b)
        except dns.exception.DNSException as error:
            found = {"malformed": (repr(error), a and a.hex())}
        if found and not expected(query, found):
            unexpected.append((query, found))
    ours.close()
    theirs.close()
    return asked, unexpected


def describe(query, found):
    lines = [str(query)]
    for field, (a, b) in found.items():
        if isinstance(a, set):
            lines.append(f"    {field}: only ours {sorted(a - b)}")
            lines.append(f"    {field}: only theirs {sorted(b - a)}")
        else:
            lines.append(f"    {field}: ours {a}, theirs {b}")
    return "\n".join(lines)


# Differences from NSD 4.6 that are meant: each has its row in the table of docs/dns.md.
def _refused_with_reason(query, found):
    """RFC 8914: extended errors are optional; NSD has some that are not here, and with CONFIG_DNS_EDNS other
    classes are explained here."""
    options = found.get("options", ())
    return all(code == 15 for side in options for code, _ in side) and set(found) <= {"options", "question"}


def _class_keeps_question(query, found):
    """RFC 1035 section 4.1: an answer repeats the question, also for a class that is not served."""
    return set(found) == {"question"} and query.kind.startswith("class ") and found["question"][1] == []


def _opt_in_refusals(query, found):
    """RFC 6891 section 6.1.1: an OPT record in the query means one in the answer, whatever the opcode."""
    return query.kind.startswith("opcode ") and set(found) <= {"edns", "options"} and found["edns"][1] is None


def _badvers_copies_do(query, found):
    """RFC 3225 section 3: the DO bit of the query is copied to the response."""
    return set(found) == {"edns"} and query.kind.startswith("EDNS version") and query.kind.endswith("DO")


def _rcode_in_query(query, found):
    """RFC 1035 section 4.1.1: RCODE is set in responses; in a query it is ignored."""
    return query.kind.startswith("header bit 000") and found.get("rcode") == (0, 1)


def _glue_sets_tc(query, found):
    """RFC 9471: TC when glue below the delegation does not fit."""
    flags = found.get("flags")
    return set(found) <= {"flags", "additional"} and flags and flags[0] == flags[1] | 2 and "glue" in query.kind.lower()


def _fewer_additional(query, found):
    """RFC 2181 section 9: what the client can do without may be left out; NSD stops earlier."""
    return set(found) == {"additional"} and found["additional"][0] > found["additional"][1]


def _alias_is_compressed(query, found):
    """RFC 6672 section 3.1: NSD's CNAME of a DNAME is not compressed, and may not fit where ours does."""
    flags = found.get("flags")
    below = re.search(r"\b(long\.dname|d\.(nsec|nsec3|optout))\.test", query.kind.lower())
    return flags and flags[1] == flags[0] | 2 and below


def _any_below_dname(query, found):
    """RFC 1034 section 3.6.2: ANY matches a CNAME; NSD follows the one it makes of a DNAME, as BIND does not."""
    return query.any_set and set(found) == {"rcode"} and found["rcode"] == (0, 3)


def _proof_at_wildcard(query, found):
    """RFC 5155 section 7.2.3: the NSEC3 of the name is enough; NSD adds that of the wildcard's parent."""
    if set(found) != {"authority"} or not query.kind.startswith("*."):
        return False
    ours, theirs = found["authority"]
    return ours < theirs and {r[1] for r in theirs - ours} == {46, 50}


EXPECTED = (_fewer_additional, _alias_is_compressed, _any_below_dname, _proof_at_wildcard, _refused_with_reason, _class_keeps_question, _opt_in_refusals, _badvers_copies_do, _rcode_in_query, _glue_sets_tc)


def expected(query, found):
    """Is this difference from NSD one of those that are meant?"""
    return any(rule(query, found) for rule in EXPECTED)
