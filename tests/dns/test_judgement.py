# SPDX-License-Identifier: ISC
"""What the comparison of differential.py finds: answers made up here, ours wrong, are unexpected whatever others say;
the right ones are not."""

import struct

import pytest

import differential
import messages
from expected import Bounds
from messages import AA, BADVERS, FORMERR, NOERROR, NOTAUTH, NOTIMP, REFUSED, build, edns, option
from queries import RECORD, TSIG, Query

NAME, APEX = b"\3www\4test\0", b"\4test\0"
BAD_CONTENT = b"\0" + struct.pack("!HHIH", 2, 1, 60, 3) + b"\3ab"  # an NS record whose name is longer than its data


def answer(query, rcode, records=b"", flags=0, question=True):
    """An answer in wire form, with the OPT record that goes with the query's."""
    asked = query[12 : messages.read_name(query, 12)[1] + 4] if question else b""
    opt = edns(rcode=rcode >> 4) if rcode == BADVERS or rcode != FORMERR and Bounds(query).of(messages.OPT) else b""
    counts = (bool(asked), bool(records), 0, bool(opt))
    head = query[:2] + bytes([0x80 | query[2] & 0x79 | flags, rcode & 15]) + struct.pack("!4H", *counts)
    return head + asked + records + opt


def weighed(query, ours, theirs, tcp=False):
    """What is unexpected if all three say `theirs`."""
    result = differential.Result()
    others = dict.fromkeys(("nsd", "bind", "knot"), theirs)
    differential.weigh(Query(query, "made up", tcp), ours, others, {APEX}, result)
    return result.unexpected


CUT_OPT = build(NAME, 1, additional=(edns()[:-2] + b"\0\1",))
VERSION = build(NAME, 1, additional=(edns(version=1),))
META = build(NAME, 200)
NOTICE = build(NAME, 6, opcode=4)
OTHER_CLASS = build(NAME, 1, 2)
GOOD = build(NAME, 1)
SHORT_COOKIE = build(NAME, 1, additional=(edns(options=option(10, bytes(7))),))
TWO_ERRORS = build(NAME, 1, additional=(edns(version=1), TSIG))
UPDATE = build(NAME, 6, opcode=5)
TWO_OPT = build(NAME, 1, additional=(edns(), edns()))
WITH_ANSWER = build(NAME, 1, additional=(RECORD,), counts=(1, 1, 0, 0))
# What is asked, what others say, and what is right for us; all else is wrong.
QUERIES = {
    "OPT longer than the message": (CUT_OPT, FORMERR, FORMERR),
    "two OPT records": (TWO_OPT, FORMERR, FORMERR),
    "a record as answer": (WITH_ANSWER, FORMERR, FORMERR),
    "a short cookie": (SHORT_COOKIE, FORMERR, FORMERR),
    "EDNS version 1": (VERSION, BADVERS, BADVERS),
    "EDNS version 1 and TSIG": (TWO_ERRORS, BADVERS, NOTAUTH),
    "an unknown opcode": (UPDATE, NOTIMP, NOTIMP),
    "a meta type": (META, REFUSED, REFUSED),
    "NOTIFY": (NOTICE, NOTAUTH, NOTAUTH),
    "another class": (OTHER_CLASS, REFUSED, REFUSED),
}


@pytest.mark.parametrize("what", QUERIES)
def test_one_answer_is_right(what):
    query, theirs, right = QUERIES[what]
    with_question = right not in (FORMERR, NOTIMP)
    others = answer(query, theirs, question=theirs not in (FORMERR, NOTIMP))
    assert not weighed(query, answer(query, right, question=with_question), others)
    for rcode in {NOERROR, FORMERR, NOTIMP, REFUSED, NOTAUTH, BADVERS} - {right}:
        assert weighed(query, answer(query, rcode), others), rcode
        assert weighed(query, answer(query, rcode), answer(query, rcode)), rcode  # even if all say so
    assert weighed(query, answer(query, right, RECORD), others)
    assert weighed(query, answer(query, NOERROR, RECORD, AA), others)
    assert weighed(query, None, None)


def test_meta_type_answered():
    """As NSD does, with NODATA; and by data that all four have."""
    assert not weighed(META, answer(META, REFUSED), answer(META, NOERROR, flags=AA))
    assert weighed(META, answer(META, NOERROR, flags=AA), answer(META, NOERROR, flags=AA))
    assert weighed(META, answer(META, NOERROR, RECORD, AA), answer(META, NOERROR, RECORD, AA))


@pytest.mark.parametrize("added", [RECORD, BAD_CONTENT], ids=["good", "bad content"])
def test_another_additional_record(added):
    """It may be ignored, whatever is in it; but it is no error for us, nor may a query without it be FORMERR."""
    query = build(NAME, 1, additional=(added,))
    others = answer(query, FORMERR, question=False)
    assert not weighed(query, answer(query, NOERROR, RECORD, AA), others)
    assert weighed(query, answer(query, FORMERR, question=False), others)
    assert weighed(GOOD, answer(GOOD, NOERROR, RECORD, AA), answer(GOOD, FORMERR, question=False))
    assert weighed(GOOD, answer(GOOD, FORMERR, question=False), answer(GOOD, FORMERR, question=False))
    longer = build(NAME, 1, additional=(added[:-1],))
    assert weighed(longer, answer(longer, NOERROR, RECORD, AA), others)
    assert not weighed(longer, answer(longer, FORMERR, question=False), others)


def test_octets_behind():
    """Only Knot calls them an error."""
    query = GOOD + b"behind"
    ours, theirs = answer(query, NOERROR, RECORD, AA), answer(query, FORMERR, question=False)
    assert not weighed(query, ours, ours)
    assert {line.split(":")[0] for line in weighed(query, ours, theirs)} == {"nsd", "bind"}


def test_no_answer_to_what_is_none():
    response = GOOD[:2] + b"\x80" + GOOD[3:]
    for query in (GOOD[:11], response):
        assert not weighed(query, None, None)
        assert weighed(query, answer(GOOD, FORMERR, question=False), None)
