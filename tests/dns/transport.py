# SPDX-License-Identifier: ISC
"""What a DNS server does with TCP connections (RFC 7766), whatever is asked.

Each check takes the server's (address, port) and raises AssertionError. The server serves the zones of
tests/dns/zones. Those in GUEST_CHECKS try limits of the dns app, which the host server does not have.
"""

import contextlib
import itertools
import select
import socket
import struct
import threading
import time

import dns.message
import dns.name

from messages import build

NAME = dns.name.from_text("mail.example.test.").to_wire()
HUGE = dns.name.from_text("huge.big.example.test.").to_wire()
HUGE_OCTETS = 20 * 250
TXT = 16


def framed(message):
    return struct.pack("!H", len(message)) + message


def connect(server, receive_buffer=None, source=None):
    s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if receive_buffer:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    s.settimeout(20)
    if source:
        s.bind((source, 0))
    s.connect(server)
    return s


def receive(s, n):
    data = b""
    while len(data) < n:
        more = s.recv(n - len(data))
        assert more, f"connection closed after {len(data)} of {n} octets"
        data += more
    return data


def receive_message(s):
    return receive(s, struct.unpack("!H", receive(s, 2))[0])


def assert_answered(s, idents):
    """One answer for each of these queries arrives, in any order."""
    missing = set(idents)
    for _ in idents:
        answer = dns.message.from_wire(receive_message(s))
        assert answer.rcode() == 0 and answer.answer
        missing.discard(answer.id)
    assert not missing


def assert_closed(s):
    with contextlib.suppress(ConnectionResetError):
        assert s.recv(1) == b""


def check_pipelining(server):
    """Hundreds of queries in one go, all answered."""
    with connect(server) as s:
        s.sendall(b"".join(framed(build(NAME, 1, ident=i)) for i in range(600)))
        assert_answered(s, range(600))


def check_octet_by_octet(server):
    """Queries cut at every place, their lengths too."""
    with connect(server) as s:
        for octet in framed(build(NAME, 1, ident=1)) + framed(build(NAME, 1, ident=2)):
            s.sendall(bytes([octet]))
            time.sleep(0.005)
        assert_answered(s, [1, 2])


def check_slow_reader(server):
    """Answers larger than any send buffer, to a client that reads late and little at a time."""
    with connect(server, receive_buffer=4096) as s:
        s.sendall(b"".join(framed(build(HUGE, TXT, ident=i)) for i in range(40)))
        time.sleep(1)
        for i in range(40):
            answer = receive_message(s)
            assert len(answer) > HUGE_OCTETS and answer[:2] == struct.pack("!H", i)
            assert len(dns.message.from_wire(answer).answer[0]) == 20


def check_late_reader(server, queries=6000):
    """More queries than any window holds before the first answer is read: none is lost."""
    with connect(server, receive_buffer=4096) as s:
        data = b"".join(framed(build(NAME, 1, ident=i)) for i in range(queries))
        sender = threading.Thread(target=s.sendall, args=(data,), daemon=True)
        sender.start()
        time.sleep(2)
        for i in range(queries):
            assert receive_message(s)[:2] == struct.pack("!H", i)
        sender.join(20)


def check_half_close(server):
    """A client that has closed its side still gets its answers."""
    with connect(server) as s:
        s.sendall(b"".join(framed(build(HUGE, TXT, ident=i)) for i in range(10)))
        s.shutdown(socket.SHUT_WR)
        assert_answered(s, range(10))
        assert_closed(s)


def check_unanswerable(server):
    """A message which must not be answered ends the connection."""
    for message in (b"", b"\0" * 11, b"\0\1\x80\0" + b"\0" * 8):
        with connect(server) as s:
            s.sendall(framed(message))
            assert_closed(s)


def check_many_short_connections(server):
    """One after the other, each with one query."""
    for i in range(300):
        with connect(server) as s:
            s.sendall(framed(build(NAME, 1, ident=i)))
            assert_answered(s, [i])


def check_oversized_query(server):
    """A length that no query has ends the connection, before what it announces has come."""
    with connect(server) as s:
        s.sendall(b"\xff\xff" + b"\0" * 100)
        assert_closed(s)


def check_idle(server, seconds=10):
    """A connection without queries is closed; one in use is not."""
    with connect(server) as idle, connect(server) as busy:
        end = time.monotonic() + seconds + 2
        idle.sendall(b"\0")
        while time.monotonic() < end:
            busy.sendall(framed(build(NAME, 1, ident=1)))
            assert_answered(busy, [1])
            time.sleep(1)
        assert_closed(idle)
        busy.sendall(framed(build(NAME, 1, ident=2)))
        assert_answered(busy, [2])


def is_closed(s):
    return bool(select.select([s], [], [], 0)[0]) and s.recv(1) == b""


def check_client_limit(server, sources, limit):
    """More connections of one client than it may have: its newest are answered, its oldest are gone, and another
    client's is not, however long it was idle."""
    with contextlib.ExitStack() as stack:
        other = stack.enter_context(connect(server, source=sources[1]))
        connections = [stack.enter_context(connect(server, source=sources[0])) for _ in range(limit + 10)]
        for s in [*connections[-limit:], other]:
            s.sendall(framed(build(NAME, 1, ident=7)))
            assert_answered(s, [7])
        for s in connections[:10]:
            assert_closed(s)


def check_limit(server, sources, limit=128):
    """More connections than the limit, of clients none of which has too many: each is answered when it comes, the oldest
    are gone."""
    with contextlib.ExitStack() as stack:
        connections = []
        for source, _ in zip(itertools.cycle(sources), range(limit + 40)):
            s = stack.enter_context(connect(server, source=source))
            s.sendall(framed(build(NAME, 1, ident=7)))
            assert_answered(s, [7])
            connections.append(s)
        for s in connections[:40]:
            assert_closed(s)
        assert not is_closed(connections[-1])


CHECKS = [
    check_pipelining,
    check_octet_by_octet,
    check_slow_reader,
    check_half_close,
    check_unanswerable,
    check_many_short_connections,
]
GUEST_CHECKS = [check_late_reader, check_oversized_query, check_idle]
