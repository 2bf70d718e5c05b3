# SPDX-License-Identifier: ISC
"""Asks our server and others the same, and compares the answers as a client sees them.

Compared are: whether there is an answer; header; question to the letter; EDNS; sections as sets of records.
How names are compressed and the order of records are free. Of BIND and Knot the authority section is
compared without the NS set that may stand there, of the additional section only a referral's glue: with what else
they fill them is theirs to choose. What differs must be a row of differences.py. And some things hold of
each of our answers, whatever others say.
"""

import collections
import dataclasses
import functools

import dns.name
import dns.rdata
import dns.rdatatype

import asking
import expected
import messages
from differences import ROWS
from messages import ANY, CNAME, DNAME, NS, RRSIG, SECTIONS, TSIG

NEARLY = 16  # octets by which another way to compress names may decide whether all fits
SIZE_SLACK = 64
# Options that an answer may have: NSID, cookie, keepalive, padding if asked for, extended errors.
ASKED_FOR, FREE = {3, 10, 11, 12}, {15}


def apex_of(name, zones):
    """The longest of the zones' names (wire form) at or above `name`, or None."""
    while name not in zones:
        if name == b"\0":
            return None
        name = messages.parent(name)
    return name


@dataclasses.dataclass
class Case:
    """A query, two answers to it (Message, or None), and in which fields they differ."""

    query: object
    judge: str
    ours: object
    theirs: object
    zones: set
    all_options: bool = True
    fields: set = dataclasses.field(default_factory=set)

    def apex(self, name):
        return apex_of(name, self.zones)

    @property
    def limit(self):
        return self.query.limit

    @functools.cached_property
    def errors(self):
        """The response codes for all that is wrong with the query, the one that is ours first."""
        return expected.errors(self.query, self.all_options)

    def only(self, section):
        """(records only in ours, records only in theirs)."""
        a, b = (comparable(m, section, self.judge) for m in (self.ours, self.theirs))
        return a - b, b - a


def covers(record, rdtype):
    """Is it of that type, or a signature of it?"""
    return record[1] == rdtype or record[1] == RRSIG and record[4][:2] == rdtype.to_bytes(2, "big")


def comparable(message, section, judge):
    records = getattr(message, section)
    if judge == "nsd":
        return {r for r in records if r[1] != TSIG}  # times, identifiers and signatures are in it
    if section == "authority" and message.answer:
        return {r for r in records if not covers(r, NS)}
    if section == "additional":
        cuts = [] if message.answer else [r[0] for r in message.authority if r[1] == NS]
        return {r for r in records if any(messages.is_below(r[0], cut) for cut in cuts) and r[1] != RRSIG}
    return records


def sets(message):
    """The sets of the answer without signatures, a dict of (owner, type) to records."""
    found = collections.defaultdict(set)
    for record in message.answer:
        if record[1] != RRSIG:
            found[record[:2]].add(record)
    return found


def compare(case):
    """Fills in the fields that differ."""
    a, b = case.ours, case.theirs
    if a is None or b is None:
        case.fields = set() if a is b else {"answered"}
        return
    fields = ["flags", "flags2", "opcode", "rcode", "question", "edns"]
    truncated = a.truncated and (b.truncated or b.size > case.limit - NEARLY)
    if truncated:
        fields.remove("flags")
        case.fields |= {"flags"} if (a.flags ^ b.flags) & ~messages.TC else set()
    case.fields |= {f for f in fields if getattr(a, f) != getattr(b, f)}
    if {o for o in a.options if o[0] == 15} != {o for o in b.options if o[0] == 15}:
        case.fields.add("options")
    if case.query.type == ANY:  # one set, of which ours may be another; but if it is the same it has the same records
        sets_a, sets_b = sets(a), sets(b)
        if not truncated and any(sets_a[key] != sets_b[key] for key in sets_a.keys() & sets_b.keys()):
            case.fields.add("answer")
    elif not truncated:
        case.fields |= {s for s in SECTIONS if any(case.only(s))}
        if not case.fields and not a.truncated and a.size > b.size + SIZE_SLACK and case.judge == "nsd" and not a.options:
            case.fields.add("size")


def faults(query, answer, all_options=True):
    """What no answer of ours may be, whatever others do."""
    response = len(query.wire) < expected.HEADER or query.wire[2] & 0x80
    if answer is None or response:
        if not response:
            yield "no answer"
        elif answer is not None:
            yield "an answer to a response or less than a header"
        return
    try:
        message = messages.read(answer)
    except messages.Malformed as error:
        yield f"malformed: {error}"
        return
    if not message.flags & 0x80:
        yield "no response"
    if message.duplicates:
        yield "a record twice"
    if query.type == ANY and len({key for key in sets(message) if key[1] not in (CNAME, DNAME)}) > 1:
        yield "several sets for ANY"
    if len(answer) > query.limit and query.message:
        yield f"{len(answer)} octets of {query.limit}"
    if query.message and query.asked and message.question and message.question != query.message.question:
        yield "another question"
    if query.message and message.rcode != messages.FORMERR and bool(query.edns) != bool(message.edns):
        yield "EDNS in one of query and answer"
    yield from expected.faults(query, message, all_options)
    asked = {code for code, _ in query.message.options} if query.message else ASKED_FOR
    if any(code in ASKED_FOR and code not in asked or code not in ASKED_FOR | FREE for code, _ in message.options):
        yield "an option nobody asked for"


def read(wire):
    try:
        return wire and messages.read(wire)
    except messages.Malformed:
        return None


class Result:
    """What came of many queries."""

    def __init__(self):
        self.asked, self.unexpected, self.seen = 0, [], collections.Counter()

    def __iadd__(self, other):
        self.asked += other.asked
        self.unexpected += other.unexpected
        self.seen += other.seen
        return self

    def __str__(self):
        rows = "\n".join(f"{n:7} {judge:5} {what}" for (what, judge), n in sorted(self.seen.items()))
        return f"{self.asked} queries\n{rows}"

    def check(self):
        """Fails if anything differs that is not in the table."""
        print(self)
        assert not self.unexpected, f"{len(self.unexpected)} of {self.asked}:\n" + "\n".join(self.unexpected[:20])


def judge(case, result):
    compare(case)
    left = set(case.fields)
    for row in ROWS if len(case.query.wire) >= expected.HEADER else ():
        rule = row.found.get(case.judge) if left else None
        explained = (rule(case) & left) if rule else set()
        if explained:
            result.seen[row.what, case.judge] += 1
            left -= explained
    if left:
        result.unexpected.append(describe(case, left))


def weigh(query, ours, others, apexes, result, all_options=True):
    """Our answer and those of others, a dict of judge to answer, all octets or None, into the result."""
    result.asked += 1
    result.unexpected += [f"{query}: {fault}: {ours and ours.hex()}" for fault in faults(query, ours, all_options)]
    parsed = read(ours)
    for name, theirs in others.items():
        judge(Case(query, name, parsed, read(theirs), apexes, all_options), result)


def run(server, judges, zones, queries, all_options=True):
    """Asks our server and the judges, a dict of name to address, everything; a Result. `zones`: names of all."""
    result = Result()
    apexes = {dns.name.from_text(zone).canonicalize().to_wire() for zone in zones}
    last = messages.build(dns.name.from_text(next(iter(zones))).to_wire(), messages.SOA)
    askers = [asking.Asker(address, last) for address in (server, *judges.values())]
    for query, (ours, *others) in asking.ask(askers, queries):
        weigh(query, ours, dict(zip(judges, others)), apexes, result, all_options)
    for asker in askers:
        asker.close()
    return result


def record_text(record):
    owner, rdtype, rdclass, ttl, data = record
    try:
        shown = dns.rdata.from_wire(rdclass, rdtype, data, 0, len(data)).to_text()
    except Exception:  # an OPT record's class, or data of a broken answer
        shown = data.hex()
    return f"{dns.name.from_wire(owner, 0)[0]} {ttl} {dns.rdatatype.to_text(rdtype)} {shown}"


def describe(case, fields):
    lines = [f"{case.judge}: {case.query}"]
    for field in sorted(fields):
        if field == "answered":
            lines.append(f"    answered: ours {case.ours is not None}, {case.judge} {case.theirs is not None}")
        elif field in SECTIONS:
            for who, records in zip(("ours", case.judge), case.only(field)):
                lines += [f"    {field}: only {who}: {record_text(r)}" for r in sorted(records)]
        else:
            lines.append(f"    {field}: ours {getattr(case.ours, field)}, {case.judge} {getattr(case.theirs, field)}")
    return "\n".join(lines)
