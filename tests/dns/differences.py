# SPDX-License-Identifier: ISC
"""The one table of what our server answers otherwise than NSD, BIND or Knot, and why.

A row says what each does and by which paragraph we do what we do; its rules say of a Case (differential.py) which
of the differing fields it explains. What no row explains fails the tests; the table in docs/dns.md is this one:

    /usr/bin/python3 tests/dns/differences.py
"""

import dataclasses

from expected import KEEPALIVE, WRONG, Bounds, first_cookie
from messages import (
    AA, ANY, BADVERS, CNAME, DNAME, FORMERR, NOTAUTH, NOTIMP, NS, NSEC, NSEC3, OPT, RD, REFUSED, RRSIG, SERVFAIL,
    SOA, TC, TSIG, YXDOMAIN, parent,
)  # fmt: skip

ALL = {"flags", "flags2", "rcode", "question", "edns", "options", "answer", "authority", "additional", "opcode"}
CONTENT = {"flags", "rcode", "answer", "authority", "additional"}
ERRORS = (FORMERR, NOTIMP)
KEY, SIG = 25, 24


@dataclasses.dataclass
class Row:
    what: str
    here: str
    nsd: str
    bind: str
    knot: str
    by: str
    found: dict  # of judge to rule


def when(condition, fields=CONTENT):
    """A rule that explains these fields where the condition holds of a case with two answers."""
    return lambda case: fields if case.ours and case.theirs and condition(case) else set()


def silent(condition):
    """A rule that explains why the other does not answer."""
    return lambda case: {"answered"} if case.ours and case.theirs is None and condition(case) else set()


def either(*rules):
    return lambda case: set().union(*(rule(case) for rule in rules))


def is_referral(message):
    return not message.flags & AA and not message.answer and NS in message.types("authority")


def glue_missing(case):
    return case.ours.truncated and not case.theirs.truncated and is_referral(case.ours)


def glue_left_out(case):
    ours, theirs = case.only("additional")
    return is_referral(case.ours) and ours and not theirs and case.theirs.size > case.limit - 28


def other_class(case):
    return case.query.rdclass not in (1, 255)


def class_any(case):
    return case.query.rdclass == 255


def more_for_class_any(case):
    """AA, and the SOA in NODATA and NXDOMAIN."""
    ours, theirs = case.only("authority")
    return class_any(case) and not ours and {r[1] for r in theirs} <= {SOA}


def is_error(message):
    return message.rcode in ERRORS


def is_empty(message):
    return not (message.answer or message.authority or message.types("additional") - {TSIG})


def refused(condition):
    """Where the condition holds of a case and we say REFUSED and nothing else."""
    return lambda case: condition(case) and case.ours.rcode == REFUSED and is_empty(case.ours)


def meta_type(case):
    return case.query.type in range(128, 255)


def rcode_set(case):
    return case.query.wire[3] & 15 and (case.theirs is None or case.theirs.rcode == FORMERR)


def refused_message(case):
    return case.ours.rcode in ERRORS


def small_size(case):
    return case.query.edns and case.query.edns[2] < 512 and case.theirs.rcode == FORMERR


def wrong_cookie(case):
    options = case.query.message.options if case.query.message else ()
    return case.ours.rcode == FORMERR and first_cookie(options) == WRONG


def keepalive_with_data(case):
    options = case.query.message.options if case.query.message else ()
    return case.query.tcp and case.ours.rcode == FORMERR and any(code == KEEPALIVE and data for code, data in options)


def without_do(case):
    return case.theirs.rcode == FORMERR and case.theirs.edns and not case.theirs.edns[1]


def records_in_query(case):
    return case.ours.rcode == FORMERR and case.query.wire[6:10] != bytes(4)


def other_records(case):
    """Is there an additional record that queries do not have, whatever is in it, and do they say FORMERR?"""
    added = [record for record in Bounds(case.query.wire).records if record.type not in (OPT, TSIG)]
    return added and (case.theirs is None or case.theirs.rcode == FORMERR)


def several_errors(case):
    """Has the query two errors, of which we tell the one that is to be told, and they any? NSD also two at once."""
    told = case.theirs.rcode in (FORMERR, NOTIMP, REFUSED, NOTAUTH, BADVERS, NOTAUTH | BADVERS)
    return len(case.errors) > 1 and case.ours.rcode == case.errors[0] and told


def notify(case):
    return case.query.opcode == 4 and case.ours.rcode in (NOTAUTH, FORMERR) and is_empty(case.ours)


def options_to_ignore(case):
    known = case.query.message.options if case.query.message else ()
    return case.theirs.rcode == FORMERR and case.ours.rcode != FORMERR and known


def both_formerr(case):
    return case.ours.rcode == case.theirs.rcode == FORMERR and not case.theirs.edns


def both_errors(case):
    return case.ours.rcode in ERRORS and case.theirs.rcode in ERRORS


def explained_only(case):
    """Are all options that only one of the two has extended errors?"""
    return {o[0] for o in set(case.ours.options) ^ set(case.theirs.options)} <= {3, 8, 10, 11, 12, 15}


def leaves_zone(case):
    """Is there an alias to another zone of the server, and have we all that they have?"""
    ends = [(r[0], r[4]) for m in (case.ours, case.theirs) for r in m.answer if r[1] == CNAME]
    left = any(case.apex(target) != case.apex(owner) for owner, target in ends)
    return left and (case.ours.truncated or case.ours.answer >= case.theirs.answer)


def alias_loop(case):
    return case.theirs.rcode == SERVFAIL and CNAME in case.ours.types("answer")


def beside_alias(*types):
    return lambda case: case.query.type in types and CNAME in case.ours.types("answer") | case.theirs.types("answer")


def signatures_of_name(case):
    """All signatures of the name, of which they have some."""
    return case.query.type == RRSIG and (case.theirs.truncated or case.theirs.answer and case.ours.answer > case.theirs.answer)


def no_proof_for_old_types(case):
    return case.query.type in (KEY, SIG) and not case.only("authority")[1]


def nsec_at_cut(case):
    return case.query.type == NSEC and is_referral(case.ours) and case.theirs.types("answer") >= {NSEC}


def any_below_dname(case):
    both = case.ours.types("answer") | case.theirs.types("answer")
    return case.query.type == ANY and DNAME in both and case.ours.rcode == 0


def name_too_long(case):
    return case.ours.rcode == YXDOMAIN


def compressed_alias(case):
    return DNAME in case.ours.types("answer") and case.theirs.truncated and not case.ours.truncated


def nearly_full(case):
    """One of the two has TC, and the other more than that one could send."""
    whole = case.theirs if case.ours.truncated else case.ours
    return (case.ours.flags ^ case.theirs.flags) == TC and whole.size > case.limit * 2 / 3


def other_additional(case):
    """Only ours, or as much as there is room for."""
    _, theirs = case.only("additional")
    return not theirs or min(case.ours.size, case.theirs.size) > case.limit - 150


def truncated_for_more(case):
    """Do they say TC although our referral has all that theirs has, and addresses with which theirs had no room?"""
    ours, theirs = case.only("additional")
    less = case.theirs.truncated and not case.ours.truncated and ours and not theirs
    return is_referral(case.ours) and less and not any(case.only("authority"))


def options_take_room(case):
    """A cookie or the like in our answer, for which they have none: what may be left out is, or all but TC."""
    fuller = max(case.ours.size, case.theirs.size) > case.limit - 128
    return case.ours.options and not case.theirs.options and fuller and case.ours.rcode == case.theirs.rcode


def star_below_wildcard(case):
    """Only ours has the proof that the name itself does not exist."""
    ours, theirs = case.only("authority")
    proof = {r[1] for r in ours} - {RRSIG}
    found = proof in ({NSEC}, {NSEC3}) and not theirs or case.ours.truncated
    return case.query.asked[0].startswith(b"\1*") and found


def no_room_for_ns(case):
    """They have the NS set as well, which is optional, and hardly an octet was left."""
    ours, theirs = case.only("authority")
    return not ours and {r[1] for r in theirs} <= {NS, RRSIG} and case.theirs.size > case.limit - 64


def proof_at_wildcard(case):
    ours, theirs = case.only("authority")
    more = not ours and {r[1] for r in theirs} == {RRSIG, NSEC3} or case.theirs.truncated
    return case.query.asked[0].startswith(b"\1*") and more


def below_hash(case):
    """Is the name below, or like, the owner of an NSEC3 record?"""
    name, apex = case.query.asked[0], case.apex(case.query.asked[0])
    while apex and name != apex and parent(name) != apex:
        name = parent(name)
    return name[0] == 32 and {NSEC3} & (case.ours.types("authority") | case.theirs.types("authority") | case.theirs.types("answer"))


def label_and_zero(case):
    return b"\0" in case.query.asked[0][:-1] and {r[1] for only in case.only("authority") for r in only} <= {NSEC, RRSIG}


def of_another_zone(case):
    """Is it a name of generated.inner() that is there in another zone than the one that answers?"""
    return any(part in case.query.asked[0] for part in (b"\x08occluded", b"\x06hidden"))


def nsec_of_wildcard(case):
    ours, theirs = case.only("authority")
    return case.query.type == NSEC and case.ours.answer and not theirs and {r[1] for r in ours} == {NSEC, RRSIG}


def ad_set(case):
    return case.query.wire[3] & 0x20


def no_ttl_of_soa(case):
    ours, theirs = case.only("authority")
    covered = {r[1] for r in ours | theirs} <= {SOA, RRSIG}
    return case.query.type == SOA and covered and {r[3] for r in theirs} == {0}


def cd_set(case):
    return case.query.wire[3] & 0x10


ROWS = [
    Row("glue of a referral does not fit", "TC", "no TC", "no TC", "TC", "RFC 9471 section 3",
        {"nsd": when(glue_missing, {"flags", "additional"}),
         "bind": either(when(glue_missing, {"flags", "additional"}), when(glue_left_out, {"additional"}))}),
    Row("BADVERS to a query with DO", "DO copied", "DO clear", "DO copied", "DO copied", "RFC 3225 section 3",
        {"nsd": when(lambda case: case.ours.rcode == BADVERS, {"edns"})}),
    Row("class not served", "REFUSED with the question", "without it", "FORMERR, NOTIMP", "REFUSED",
        "RFC 1035 section 4.1",
        {"nsd": when(other_class, {"question"})} | dict.fromkeys(("bind", "knot"), when(refused(other_class), ALL))),
    Row("class ANY", "answered, without AA and SOA", "the same", "FORMERR, NOTIMP", "AA and SOA", "RFC 1035 section 3.2.5",
        {"bind": when(lambda case: class_any(case) and is_error(case.theirs), ALL), "knot": when(more_for_class_any, {"flags", "authority"})}),
    Row("meta types 128 to 254", "REFUSED", "NODATA", "FORMERR, NOTIMP", "NODATA, NOTIMP", "RFC 6895 section 3.1",
        dict.fromkeys(("nsd", "bind", "knot"), either(when(refused(meta_type), ALL), silent(refused(meta_type))))),
    Row("types 0 and 41", "NODATA", "NODATA", "FORMERR, NOTIMP", "NOTIMP for 0", "RFC 6895 section 3.1",
        dict.fromkeys(("bind", "knot"), when(lambda case: case.query.type in (0, 41) and is_error(case.theirs), ALL))),
    Row("RCODE set in a query", "ignored", "FORMERR", "ignored", "ignored", "RFC 1035 section 4.1.1",
        {"nsd": either(when(rcode_set, ALL), silent(rcode_set))}),
    Row("CD set in a query", "clear", "clear", "copied", "clear", "RFC 4035 section 3.1.6",
        {"bind": when(cd_set, {"flags2"})}),
    Row("AD set in a query", "clear", "clear", "sometimes set", "clear", "RFC 4035 section 3.1.6",
        {"bind": when(ad_set, {"flags2"})}),
    Row("octets behind the message", "ignored", "ignored", "ignored", "FORMERR", "no RFC",
        {"knot": when(lambda case: case.query.behind and case.theirs.rcode == FORMERR, ALL)}),
    Row("malformed message", "FORMERR", "ten errors a second", "FORMERR", "no answer", "RFC 1035 section 4.1.1",
        {"nsd": silent(lambda case: case.ours.rcode in (*ERRORS, REFUSED, NOTAUTH, BADVERS)), "knot": silent(refused_message)}),
    Row("OPT with another name than the root", "FORMERR", "FORMERR", "FORMERR", "answered", "RFC 6891 section 6.1.2",
        {"knot": when(lambda case: case.query.kind == "OPT with a name", ALL)}),
    Row("EDNS size below 512", "512", "512", "512", "FORMERR for the smallest", "RFC 6891 section 6.2.3",
        {"knot": when(small_size, ALL)}),
    Row("cookie of a wrong length", "FORMERR", "ignored", "FORMERR", "ignored", "RFC 7873 section 5.2.2",
        dict.fromkeys(("nsd", "knot"), when(wrong_cookie, CONTENT | {"question"}))),
    Row("keepalive with data over TCP", "FORMERR", "ignored", "ignored", "ignored", "RFC 7828 section 3.2.1",
        dict.fromkeys(("nsd", "bind", "knot"), when(keepalive_with_data, CONTENT | {"question"}))),
    Row("FORMERR for an option, with DO", "DO copied", "no cookies", "DO clear", "no cookies", "RFC 3225 section 3",
        {"bind": when(without_do, {"edns"})}),
    Row("RD in FORMERR, NOTIMP, BADVERS", "copied", "copied", "sometimes clear", "copied", "RFC 1035 section 4.1.1",
        {"bind": when(lambda case: case.errors and case.ours.flags ^ case.theirs.flags == RD, {"flags"})}),
    Row("other header bits in BADVERS, NOTIMP", "clear", "the query's", "clear", "clear", "RFC 1035 section 4.1.1",
        {"nsd": when(lambda case: case.theirs.rcode in (BADVERS, NOTIMP), {"flags", "flags2"})}),
    Row("a query with records as answer or authority", "FORMERR", "FORMERR", "answered", "answered",
        "RFC 1035 section 4.1", dict.fromkeys(("bind", "knot"), when(records_in_query, ALL))),
    Row("a query with another additional record", "ignored", "FORMERR", "sometimes FORMERR",
        "FORMERR if it is malformed", "RFC 6891 section 6.1.1",
        dict.fromkeys(("nsd", "bind", "knot"), either(when(other_records, ALL), silent(other_records)))),
    Row("several errors at once", "NOTAUTH, BADVERS, NOTIMP, FORMERR, REFUSED: the first that can be told", "another", "another", "another", "no RFC",
        dict.fromkeys(("nsd", "bind", "knot"), when(several_errors, {"rcode", "question", "edns"}))),
    Row("client subnet, extended error and others in a wrong form", "ignored", "ignored", "FORMERR", "ignored",
        "RFC 6891 section 6.1.2", {"bind": when(options_to_ignore, ALL)}),
    Row("NOTIFY that is not for a zone fetched", "NOTAUTH, FORMERR", "its own", "its own", "its own", "RFC 1996 section 3.10",
        dict.fromkeys(("nsd", "bind", "knot"), when(notify, ALL))),
    Row("FORMERR with EDNS", "OPT, if it could be read", "no OPT", "no OPT", "no OPT", "RFC 6891 section 6.1.1",
        dict.fromkeys(("nsd", "bind", "knot"), when(both_formerr, {"edns"}))),
    Row("NOTIMP with EDNS", "OPT", "no OPT", "OPT", "OPT", "RFC 6891 section 6.1.1",
        {"nsd": when(lambda case: case.ours.rcode == NOTIMP, {"edns"})}),
    Row("the question in FORMERR, NOTIMP", "left out", "left out", "if it was read", "if it was read",
        "RFC 1035 section 4.1.1", dict.fromkeys(("nsd", "bind", "knot"), when(both_errors, {"question"}))),
    Row("the question in NOTAUTH", "there", "left out", "there", "there", "RFC 1035 section 4.1",
        {"nsd": when(lambda case: case.ours.rcode == case.theirs.rcode == NOTAUTH, {"question"})}),
    Row("extended errors", "REFUSED: 20, NOTIMP: 21", "REFUSED: 20, others", "others", "REFUSED: 20",
        "RFC 8914: optional", dict.fromkeys(("nsd", "bind", "knot"), when(explained_only, {"options"}))),
    Row("ANY", "A, AAAA, SOA, MX, PTR, else the first set", "another set", "another set", "another set",
        "RFC 8482 section 4.1", {}),
    Row("an alias into another zone of the server", "followed", "followed", "not", "not", "RFC 1034 section 4.3.2",
        dict.fromkeys(("bind", "knot"), when(leaves_zone))),
    Row("a loop of aliases", "the loop", "the loop", "SERVFAIL", "the loop", "RFC 1034 section 3.6.2",
        {"bind": when(alias_loop)}),
    Row("RRSIG, NSEC, SIG, KEY at an alias that has none", "followed", "followed", "NODATA", "NODATA", "RFC 4034 section 3",
        dict.fromkeys(("bind", "knot"), when(beside_alias(RRSIG, NSEC, SIG, KEY)))),
    Row("NSEC3 at an alias", "followed", "NODATA", "followed", "followed", "RFC 1034 section 3.6.2",
        {"nsd": when(beside_alias(NSEC3))}),
    Row("SIG or KEY where they are not, NSEC", "the proof", "the proof", "sometimes none", "the proof",
        "RFC 4035 section 3.1.3.1", {"bind": when(no_proof_for_old_types, {"authority"})}),
    Row("NSEC at a delegation", "referral", "referral", "the NSEC", "referral", "RFC 4035 section 3.1.4.1",
        {"bind": when(nsec_at_cut)}),
    Row("RRSIG", "all of the name", "all", "one", "one", "RFC 8482 section 7",
        dict.fromkeys(("bind", "knot"), when(signatures_of_name))),
    Row("ANY below a DNAME", "the CNAME", "followed", "the CNAME", "followed", "RFC 1034 section 3.6.2",
        dict.fromkeys(("nsd", "knot"), when(any_below_dname))),
    Row("DNAME makes the name too long", "YXDOMAIN", "YXDOMAIN", "YXDOMAIN", "NXDOMAIN", "RFC 6672 section 2.2",
        {"knot": when(name_too_long)}),
    Row("the CNAME of a DNAME", "compressed", "not, so TC sooner", "not", "not", "RFC 6672 section 3.1",
        dict.fromkeys(("nsd", "bind", "knot"), when(compressed_alias))),
    Row("optional additional records", "as many as fit", "sometimes others, or TC", "its own", "its own",
        "RFC 2181 section 9",
        {"nsd": either(when(other_additional, {"additional"}), when(truncated_for_more, {"flags", "additional"}))}),
    Row("NODATA at a wildcard's own name, NSEC3", "that NSEC3", "also its parent's", "that NSEC3", "that NSEC3",
        "RFC 5155 section 7.2.3", {"nsd": when(proof_at_wildcard, {"authority", "flags"})}),
    Row("a name below that of an NSEC3 record", "as if that was not there", "as below a name", "as here", "as here",
        "RFC 5155 section 7.2.8", {"nsd": when(below_hash)}),
    Row("the NSEC for a label that is another one and \\\\000", "the one that covers it", "the same", "the same",
        "another", "RFC 4034 section 6.1", {"knot": when(label_and_zero, {"authority"})}),
    Row("a name that only another zone of the server has", "not there", "there", "not there", "not there",
        "RFC 1034 section 4.3.2", {"nsd": when(of_another_zone, {"rcode", "authority", "flags"})}),
    Row("NSEC asked for at a wildcard", "also the proof that it is one", "the same", "the same", "only the answer",
        "RFC 4035 section 3.1.3.3", {"knot": when(nsec_of_wildcard, {"authority"})}),
    Row("room for options that the answer has", "less for records", "no cookies", "no cookies", "no cookies",
        "RFC 6891 section 6.1.1", dict.fromkeys(("nsd", "bind", "knot"), when(options_take_room, CONTENT - {"rcode"}))),
    Row("NODATA for *.x below a wildcard", "with the proof that *.x does not exist", "the same", "the same",
        "without", "RFC 4035 section 3.1.3.4", {"knot": when(star_below_wildcard, {"authority", "flags"})}),
    Row("SOA asked for where it is not: its TTL", "as for others", "as for others", "0", "as for others",
        "RFC 2308 section 3", {"bind": when(no_ttl_of_soa, {"authority"})}),
    Row("order of records, compression", "the zone file's", "its own", "its own", "its own", "RFC 1034 section 3.6, RFC 1035 section 4.1.4",
        {"nsd": when(no_room_for_ns, {"authority", "additional"})} | dict.fromkeys(("bind", "knot"), when(nearly_full))),
]  # fmt: skip


def table():
    """The table of the book, its lines."""
    yield "| what | here | NSD 4.6 | BIND 9.18 | Knot 3.2 | by |"
    yield "|---|---|---|---|---|---|"
    for row in ROWS:
        yield f"| {row.what} | {row.here} | {row.nsd} | {row.bind} | {row.knot} | {row.by} |"


if __name__ == "__main__":
    print("\n".join(table()))
