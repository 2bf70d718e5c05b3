# SPDX-License-Identifier: ISC
"""What a server with CONFIG_DNS_EDNS does with EDNS options and questions of class CHAOS."""

import os
import socket

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode

from messages import A, TXT, build, edns, option
from transport import connect, framed, receive_message

NAME, BIG = "mail.example.test.", "huge.big.example.test."
PADDED_TO = 468  # RFC 8467 section 4.1
NSID, COOKIE, KEEPALIVE, PADDING, ERROR = 3, 10, 11, 12, 15


def octets_over_tcp(server, name, rdtype, options):
    """How long the answer is on the wire."""
    with connect(server) as s:
        s.sendall(framed(build(dns.name.from_text(name).to_wire(), rdtype, additional=(edns(options=options),))))
        return len(receive_message(s))


def ask(server, options=(), tcp=False, name=NAME, rdtype="A", rdclass="IN"):
    """The answer and its options, a dict of number to octets."""
    query = dns.message.make_query(
        name, rdtype, rdclass, use_edns=0, payload=1232,
        options=[dns.edns.GenericOption(code, data) for code, data in options],
    )  # fmt: skip
    query.flags &= ~dns.flags.RD
    via = dns.query.tcp if tcp else dns.query.udp
    answer = via(query, server[0], port=server[1], timeout=20)
    return answer, {int(o.otype): o.to_wire() for o in answer.options}


def check_cookie(server):
    mine = os.urandom(8)
    answer, options = ask(server, [(COOKIE, mine)])
    assert answer.answer and set(options) == {COOKIE}
    full = options[COOKIE]
    assert len(full) == 24 and full[:8] == mine and full[8:12] == b"\1\0\0\0"
    # It is young: the same comes back. What is no cookie of this server's gets a new one.
    assert ask(server, [(COOKIE, full)])[1][COOKIE] == full
    forged = full[:-1] + bytes([full[-1] ^ 1])
    assert ask(server, [(COOKIE, forged)])[1][COOKIE][:8] == mine
    for length in (0, 1, 7, 9, 15, 41):
        answer, options = ask(server, [(COOKIE, bytes(length))])
        assert answer.rcode() == dns.rcode.FORMERR and answer.edns == 0 and answer.question


def ask_nothing(server, options, opcode=0, questions=0, edns=0):
    """The answer to a message with no question, or the same one several times."""
    query = dns.message.make_query(
        NAME, "A", use_edns=0, options=[dns.edns.GenericOption(code, data) for code, data in options]
    )
    query.flags &= ~dns.flags.RD
    query.ednsflags |= edns << 16
    query.set_opcode(opcode)
    query.question *= questions
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:  # dnspython wants a question in some answers
        s.settimeout(20)
        s.connect(server)
        s.send(query.to_wire())
        answer = dns.message.from_wire(s.recv(4096))
    assert answer.id == query.id and answer.edns == 0 and not answer.question and not answer.answer
    return answer.rcode(), {int(o.otype): o.to_wire() for o in answer.options}


def check_cookie_without_question(server):
    """RFC 7873 section 5.4."""
    mine = os.urandom(8)
    rcode, options = ask_nothing(server, [(COOKIE, mine)])
    full = options[COOKIE]
    assert rcode == dns.rcode.NOERROR and len(full) == 24 and full[:8] == mine
    assert ask_nothing(server, [(COOKIE, full)]) == (dns.rcode.NOERROR, {COOKIE: full})
    rcode, options = ask_nothing(server, [(COOKIE, full[:-1] + bytes([full[-1] ^ 1]))])
    assert rcode == dns.rcode.BADCOOKIE and options[COOKIE][:8] == mine
    for options in ([], [(NSID, b"")], [(COOKIE, bytes(7))]):
        assert ask_nothing(server, options)[0] == dns.rcode.FORMERR


def check_refusals(server):
    """They have an OPT record as well, and a cookie in it, with the reason."""
    mine = os.urandom(8)
    for opcode in (1, 2):
        for questions in (0, 1, 2):
            rcode, options = ask_nothing(server, [(COOKIE, mine)], opcode, questions)
            assert rcode == dns.rcode.NOTIMP and options[COOKIE][:8] == mine
            assert options[ERROR] == b"\0\x15"
        assert ask_nothing(server, [], opcode, 1, edns=1)[0] == dns.rcode.BADVERS  # it is looked at first
    rcode, options = ask_nothing(server, [(COOKIE, mine)], 0, 2)
    assert rcode == dns.rcode.FORMERR and options[COOKIE][:8] == mine


def check_others(server):
    assert ask(server, [(NSID, b"")])[1] == {NSID: b"host.example"}
    assert ask(server, [(KEEPALIVE, b"")])[1] == {}
    assert ask(server, [(KEEPALIVE, b"")], tcp=True)[1] == {KEEPALIVE: b"\0\x64"}
    assert ask(server, [(PADDING, bytes(20))])[1] == {}
    answer, options = ask(server, [(PADDING, bytes(20)), (NSID, b"")], tcp=True)
    assert answer.answer and set(options) == {PADDING, NSID}
    for name, rdtype, least in (NAME, A, 1), (BIG, TXT, 10):
        padded, plain = (octets_over_tcp(server, name, rdtype, more) for more in (option(PADDING, bytes(20)), b""))
        whole = plain + len(option(PADDING))
        assert padded % PADDED_TO == 0 and whole <= padded < whole + PADDED_TO and padded >= least * PADDED_TO
    assert ask(server, name="elsewhere.invalid.")[1] == {ERROR: b"\0\x14"}
    client_subnet = bytes.fromhex("0001 18 00 c00002".replace(" ", ""))
    assert ask(server, [(8, client_subnet), (65001, b"x")])[1] == {}


def check_chaos(server):
    for name, text in (
        ("version.bind.", b"tested"), ("VERSION.server.", b"tested"),
        ("id.server.", b"host.example"), ("hostname.bind.", b"host.example"),
    ):  # fmt: skip
        for rdtype in ("TXT", "ANY"):
            answer, _ = ask(server, name=name, rdtype=rdtype, rdclass="CH")
            assert answer.rcode() == 0 and answer.flags & dns.flags.AA
            assert [r.strings for r in answer.answer[0]] == [(text,)]
    for name, rdtype in (("authors.bind.", "TXT"), ("version.bind.", "A"), (NAME, "TXT")):
        assert ask(server, name=name, rdtype=rdtype, rdclass="CH")[0].rcode() == dns.rcode.REFUSED


def counters(server):
    answer, _ = ask(server, name="counters.server.", rdtype="TXT", rdclass="CH")
    return {name: int(value) for name, value in (s.decode().split("=") for s in answer.answer[0][0].strings)}


def check_counters(server):
    before = counters(server)
    ask(server, rdtype="MX", tcp=True)
    ask(server, name="none." + NAME)
    after = counters(server)
    grown = {name: after[name] - before.get(name, 0) for name in after if after[name] != before.get(name, 0)}
    assert grown == {"queries": 3, "tcp": 1, "noerror": 2, "nxdomain": 1, "A": 1, "MX": 1, "TXT": 1}


def check(server):
    check_cookie(server)
    check_cookie_without_question(server)
    check_refusals(server)
    check_others(server)
    check_chaos(server)
    check_counters(server)
