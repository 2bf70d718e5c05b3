# SPDX-License-Identifier: ISC
"""DNS messages as the tests compare them: written with any mistake, read quickly and without mercy.

A name is its wire form in lower case, so names are compared and cut as octets. Data is read to the letter but
for the names in it that may be compressed (RFC 3597 section 4), and a DNAME's, which are written out in lower case.
"""

import dataclasses
import random
import struct

A, NS, CNAME, SOA, TXT, AAAA, DNAME, OPT, DS, RRSIG, NSEC, DNSKEY, NSEC3 = 1, 2, 5, 6, 16, 28, 39, 41, 43, 46, 47, 48, 50
TSIG, ANY = 250, 255
QR, AA, TC, RD = 0x80, 4, 2, 1  # in the third octet
NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED, YXDOMAIN, NOTAUTH, BADVERS, BADCOOKIE = 0, 1, 2, 3, 4, 5, 6, 9, 16, 23
DO = 0x8000
# What stands in front of the first name in data of a type, and how many names there are.
NAMES = {
    2: (0, 1), 3: (0, 1), 4: (0, 1), 5: (0, 1), 6: (0, 2), 7: (0, 1), 8: (0, 1), 9: (0, 1), 12: (0, 1), 14: (0, 2),
    15: (2, 1), 17: (0, 2), 18: (2, 1), 21: (2, 1), 26: (2, 2), 33: (6, 1), 36: (2, 1), 39: (0, 1),
}  # fmt: skip


def edns(size=1232, version=0, flags=0, options=b"", rcode=0):
    ttl = rcode << 24 | version << 16 | flags
    return b"\0" + struct.pack("!HHIH", 41, size, ttl, len(options)) + options


def option(code, data=b""):
    return struct.pack("!HH", code, len(data)) + data


def build(name, rdtype, rdclass=1, flags=0, ident=None, additional=(), counts=None, opcode=0):
    """A query in wire form, free to be malformed: `name` in wire form, `counts` overrides the four."""
    ident = random.getrandbits(16) if ident is None else ident
    counts = counts or (1, 0, 0, len(additional))
    head = struct.pack("!HHHHHH", ident, flags | opcode << 11, *counts)
    return head + name + struct.pack("!HH", rdtype, rdclass) + b"".join(additional)


class Malformed(Exception):
    pass


def read_name(wire, at):
    """(name, where it ends)."""
    labels, end, least = [], None, at
    while True:
        n = wire[at]
        if n >= 0xC0:
            end = end or at + 2
            at = (n & 0x3F) << 8 | wire[at + 1]
            if at >= least:
                raise Malformed("a pointer forward")
            least = at
        elif n > 63:
            raise Malformed("a label of another kind")
        elif n:
            labels.append(wire[at : at + n + 1])
            at += n + 1
        else:
            name = b"".join(labels) + b"\0"
            if len(name) > 255 or at >= len(wire):
                raise Malformed("a name too long")
            return name.lower(), end or at + 1


def parent(name):
    return name[name[0] + 1 :]


def is_below(name, above):
    """Is the name below `above`, or the same?"""
    while len(name) > len(above):
        name = parent(name)
    return name == above


def read_data(wire, rdtype, at, end):
    if rdtype == 35:  # NAPTR: three strings in front of the name
        names, name_at = 1, at + 4
        for _ in range(3):
            name_at += wire[name_at] + 1
    elif rdtype in NAMES:
        front, names = NAMES[rdtype]
        name_at = at + front
    else:
        return wire[at:end]
    if at == end:
        return b""
    data = wire[at:name_at]
    for _ in range(names):
        name, name_at = read_name(wire, name_at)
        data += name
    if name_at > end:
        raise Malformed("data longer than they say")
    return data + wire[name_at:end]


@dataclasses.dataclass
class Message:
    """What a message says. Sections are sets of (owner, type, class, TTL, data)."""

    size: int
    flags: int  # the third octet of the header without the opcode
    flags2: int  # the fourth without the code
    opcode: int
    rcode: int  # with the part of it that is in the OPT record
    question: bytes = b""
    answer: frozenset = frozenset()
    authority: frozenset = frozenset()
    additional: frozenset = frozenset()
    edns: tuple = None  # (version, flags, size)
    options: tuple = ()  # (code, data)
    duplicates: bool = False

    @property
    def truncated(self):
        return bool(self.flags & TC)

    def types(self, section):
        return {r[1] for r in getattr(self, section)}


SECTIONS = ("answer", "authority", "additional")


def read_options(data):
    at, found = 0, []
    while at < len(data):
        code, n = struct.unpack_from("!HH", data, at)
        if at + 4 + n > len(data):
            raise Malformed("an option longer than the record")
        found.append((code, data[at + 4 : at + 4 + n]))
        at += 4 + n
    return tuple(found)


def read(wire, behind=False):
    """The Message in these octets; Malformed if it is not one, or if octets are behind it that may not be."""
    try:
        message, end = _read(wire)
        if end != len(wire) and not behind:
            raise Malformed("octets behind the message")
        return message
    except (IndexError, struct.error) as error:
        raise Malformed("cut short") from error


def _read(wire):
    _, third, fourth, questions, *counts = struct.unpack_from("!HBBHHHH", wire)
    message = Message(len(wire), third & 0x87, fourth & 0xF0, third >> 3 & 15, fourth & 15)
    at = 12
    for _ in range(questions):
        _, end = read_name(wire, at)
        message.question += wire[at : end + 4]
        at = end + 4
    for section, count in zip(SECTIONS, counts):
        records = set()
        for _ in range(count):
            owner, at = read_name(wire, at)
            rdtype, rdclass, ttl, n = struct.unpack_from("!HHIH", wire, at)
            at += 10
            if at + n > len(wire):
                raise Malformed("a record longer than the message")
            if rdtype == OPT:
                if message.edns or section != "additional" or owner != b"\0":
                    raise Malformed("an OPT record where none may be")
                message.edns = (ttl >> 16 & 255, ttl & 0xFFFF, rdclass)
                message.rcode |= ttl >> 24 << 4
                message.options = read_options(wire[at : at + n])
            else:
                record = (owner, rdtype, rdclass, ttl, read_data(wire, rdtype, at, at + n))
                message.duplicates |= record in records
                records.add(record)
            at += n
        setattr(message, section, frozenset(records))
    return message, at
