# SPDX-License-Identifier: ISC
"""What our server has to say to a query with which something is wrong, by the documents: nobody's answer is looked at.

The reader here knows labels, counts and lengths, and of records only what makes one OPT or TSIG.
"""

import dataclasses
import struct

import messages
from messages import BADCOOKIE, BADVERS, FORMERR, NOERROR, NOTAUTH, NOTIMP, OPT, REFUSED, SOA, TSIG

HEADER = 12
QUERY, NOTIFY, UPDATE = 0, 4, 5
IN, CLASS_ANY = 1, 255
IXFR = 251
KEEPALIVE, COOKIE = 11, 10
RIGHT, WRONG = "right", "wrong"


@dataclasses.dataclass
class Record:
    at: int  # where its name begins
    section: int  # 1: answer, 2: authority, 3: additional
    root: bool  # is its name the root, written so?
    type: int
    rdclass: int
    ttl: int
    data: bytes


def skip_name(wire, at):
    """Where a name ends; a pointer is not followed."""
    while wire[at]:
        if wire[at] >= 0xC0:
            wire[at + 1]
            return at + 2
        if wire[at] > 63:
            raise messages.Malformed("a label of another kind")
        at += wire[at] + 1
    return at + 1


class Bounds:
    """The records of a message as far as they can be told apart; `broken`: that is not to the end, and the data of the
    last of them may be cut short."""

    def __init__(self, wire):
        self.counts = struct.unpack_from("!4H", wire, 4)
        self.records, self.broken = [], False
        try:
            self._read(wire)
        except (messages.Malformed, IndexError, struct.error):
            self.broken = True

    def _read(self, wire):
        at = HEADER
        for _ in range(self.counts[0]):
            at = skip_name(wire, at) + 4
            if at > len(wire):
                raise messages.Malformed("a question cut short")
        for section in (1, 2, 3):
            for _ in range(self.counts[section]):
                fields = skip_name(wire, at)
                rdtype, rdclass, ttl, n = struct.unpack_from("!HHIH", wire, fields)
                end = fields + 10 + n
                data = wire[fields + 10 : end]
                self.records.append(Record(at, section, not wire[at], rdtype, rdclass, ttl, data))
                if end > len(wire):
                    raise messages.Malformed("a record longer than the message")
                at = end

    def of(self, rdtype):
        return [record for record in self.records if record.type == rdtype]

    @property
    def misplaced(self):
        """Is there an OPT record which is not the only one, or not the root's (RFC 6891 section 6.1), or a TSIG record
        that is not the last (RFC 8945 section 5.1)?"""
        opts, signatures = self.of(OPT), self.of(TSIG)
        return len(opts) > 1 or not all(r.root for r in opts) or any(r is not self.records[-1] for r in signatures)


def question_is_wrong(query, bounds):
    """RFC 1035 section 4.1, RFC 9619: one question, its name written out; no records but those that IXFR (RFC 1995) and
    NOTIFY (RFC 1996 section 3.7) have. UPDATE has a zone's SOA there (RFC 2136 section 3.1.1)."""
    questions, answers, authorities, _ = bounds.counts
    if query.opcode == UPDATE and query.type != SOA:
        return True
    notify = query.opcode == NOTIFY
    if questions != 1 or not query.asked or answers > notify:
        return True
    if authorities and not notify and (query.type != IXFR or authorities > 1):
        return True
    name = query.asked[0]
    return query.wire[HEADER : HEADER + len(name)].lower() != name


def signature_error(query, record):
    """RFC 8945 section 5.2: FORMERR for a record that is malformed; NOTAUTH for any other, as no keys are known here."""
    try:
        messages.read_name(query.wire, record.at)
        rest = record.data[skip_name(record.data, 0) :]
        mac = struct.unpack_from("!H", rest, 8)[0]
        other = struct.unpack_from("!H", rest, 14 + mac)[0]
    except (messages.Malformed, IndexError, struct.error):
        return FORMERR
    whole = len(rest) == 16 + mac + other and record.rdclass == CLASS_ANY and record.ttl == 0
    return NOTAUTH if whole else FORMERR


def options_of(record):
    """The options, or None if their lengths are wrong (RFC 6891 section 7)."""
    try:
        return messages.read_options(record.data)
    except (messages.Malformed, struct.error):
        return None


def first_cookie(options):
    """RIGHT or WRONG by its length, or None if there is none."""
    lengths = [len(data) for code, data in options if code == COOKIE][:1]
    return (RIGHT if lengths[0] in (8, *range(16, 41)) else WRONG) if lengths else None


def options_are_wrong(options, tcp):
    """The first cookie (RFC 7873 section 5.2) or a keepalive (RFC 7828 section 3.2.1) of a wrong length."""
    if options is None or tcp and any(code == KEEPALIVE and data for code, data in options):
        return True
    return first_cookie(options) == WRONG


def is_refused(query):
    """Another class (but CHAOS, of whose names none is asked for), or a meta type (RFC 6895 section 3.1)."""
    return query.asked and (query.rdclass not in (IN, CLASS_ANY) or query.type in range(128, 255))


def errors(query, all_options=True):
    """The response codes of the errors in the query, in the order in which our server looks for them, so that the first
    is the answer's. `all_options`: it is one with the options of CONFIG_DNS_EDNS, CONFIG_DNS_TSIG and
    CONFIG_DNS_SECONDARY."""
    bounds = Bounds(query.wire)
    opts = bounds.of(OPT)
    version = [BADVERS] if any(r.ttl >> 16 & 255 for r in opts) else []
    unknown = [NOTIMP] if query.opcode not in ((QUERY, NOTIFY) if all_options else (QUERY,)) else []
    options, signature = [], []
    if all_options:
        options = [FORMERR] if any(options_are_wrong(options_of(r), query.tcp) for r in opts) else []
        signature = [signature_error(query, r) for r in bounds.of(TSIG)[-1:]]
    question = [FORMERR] if question_is_wrong(query, bounds) else []
    refused = [REFUSED] if query.opcode != NOTIFY and is_refused(query) else []
    if bounds.broken or bounds.misplaced:
        found = unknown + [FORMERR] + signature + version
    elif unknown or question:
        found = version + unknown + question + signature + options
    else:
        found = signature + version + options
    return list(dict.fromkeys(found + refused))


def asks_for_cookie(query):
    """No question, but a client's cookie (RFC 7873 section 5.4)."""
    bounds = Bounds(query.wire)
    opts = bounds.of(OPT)
    if query.opcode or any(bounds.counts[:3]) or bounds.broken or bounds.misplaced or not opts or opts[0].ttl >> 16 & 255:
        return False
    options = options_of(opts[0])
    return not options_are_wrong(options, query.tcp) and first_cookie(options) == RIGHT


def rcodes(query, all_options=True):
    """The response codes that an answer without records may have, or None if the zones decide."""
    if all_options and asks_for_cookie(query):
        return {NOERROR, BADCOOKIE}
    found = errors(query, all_options)
    if found:
        return set(found[:1])
    if query.opcode == NOTIFY:  # for a zone that is not fetched (RFC 1996 section 3)
        return {NOTAUTH if query.type == SOA else FORMERR}
    return None


def faults(query, answer, all_options=True):
    """What is wrong with our answer, a Message."""
    wanted = rcodes(query, all_options)
    if wanted is None:
        if answer.rcode in (FORMERR, NOTIMP, NOTAUTH, BADVERS, BADCOOKIE):
            yield f"RCODE {answer.rcode} to a query without an error"
    elif answer.rcode not in wanted:
        yield f"RCODE {answer.rcode} instead of {sorted(wanted)}"
    elif answer.answer or answer.authority or answer.types("additional") - {TSIG}:
        yield f"records beside RCODE {answer.rcode}"
