# SPDX-License-Identifier: ISC
"""apps/iperf3 with Debian's own client, and with clients that lie to it or vanish."""

import fcntl
import functools
import json
import os
import socket
import struct
import subprocess
import termios

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PORT = 5201
COOKIE = b"a-cookie-of-thirty-six-characters-aa\0"
PARAMETERS = {"tcp": True, "omit": 0, "time": 1, "parallel": 1, "len": 131072}
TEST_START, TEST_RUNNING, TEST_END, PARAM_EXCHANGE, CREATE_STREAMS = 1, 2, 4, 9, 10
EXCHANGE_RESULTS, DISPLAY_RESULTS, IPERF_DONE, SERVER_ERROR, ACCESS_DENIED = 13, 14, 16, 254, 255


@functools.cache
def program():
    """A script that runs Debian's iperf3; scripts/test has fetched it."""
    path = os.environ.get("XENOLITH_IPERF3")
    if not path:
        script = [os.path.join(TOP, "scripts", "unpacked"), "bookworm", "iperf3", "iperf3"]
        path = subprocess.run(script, stdout=subprocess.PIPE, text=True).stdout.strip()
    if not path:
        assert not os.environ.get("XENOLITH_NSD_REQUIRED"), "iperf3 is missing"
        pytest.skip("iperf3 is missing")
    return path


@pytest.fixture
def iperf_server(network, shared):
    g = shared("iperf3")
    g.wait("listening on port 5201")
    return g


def iperf3(host, address, *options):
    """What the client reports."""
    return json.loads(host(program(), "-c", address, "-J", *options).stdout)["end"]


@pytest.mark.parametrize("options", ["-n4M", "-n4M -R", "-n4M -P3", "-n4M -R -P3", "-n4M -l1000", "-n4M --bidir"])
def test_client(iperf_server, host, options):
    end = iperf3(host, iperf_server.address, *options.split())
    for total in ("sum_sent", "sum_received"):
        # The client ends a test when it has written all: much may be on its way then.
        assert end[total]["bytes"] and end[total]["seconds"] > 0
        assert "bidir" not in options or end[total + "_bidir_reverse"]["bytes"]
    assert "bidir" in options or end["sum_received" if "-R" in options else "sum_sent"]["bytes"] >= 4 << 20
    assert len(end["streams"]) == (3 if "-P3" in options else 2 if "bidir" in options else 1)


def test_client_over_ipv6(iperf_server, host):
    assert iperf3(host, iperf_server.address6, "-n2M")["sum_received"]["bytes"]
    assert iperf3(host, iperf_server.address6, "-n2M", "-R")["sum_received"]["bytes"] >= 2 << 20


@pytest.mark.parametrize("options", ["-u", "-R -b10M"])
def test_what_it_cannot_is_refused(iperf_server, host, options):
    done = host(program(), "-c", iperf_server.address, *options.split(), check=False)
    # iperf3's own words for the code that a server refuses with what it does not do.
    assert done.returncode and "not implemented" in done.stderr


class Client:
    """One that says what it likes."""

    def __init__(self, address, cookie=COOKIE):
        self.address, self.streams = address, []
        self.control = socket.create_connection((address, PORT), timeout=20)
        self.control.sendall(cookie)

    def state(self):
        """The next octet, or None at the end."""
        try:
            return self.control.recv(1)[0]
        except (IndexError, ConnectionResetError):
            return None

    def say(self, state):
        self.control.sendall(bytes([state]))

    def message(self, text):
        text = text if isinstance(text, bytes) else json.dumps(text).encode()
        self.control.sendall(struct.pack(">I", len(text)) + text)

    def stream(self, cookie=COOKIE):
        s = socket.create_connection((self.address, PORT), timeout=20)
        s.sendall(cookie)
        self.streams.append(s)
        return s

    def run(self, **parameters):
        """To the beginning of a test of one stream."""
        assert self.state() == PARAM_EXCHANGE
        self.message(dict(PARAMETERS, **parameters))
        assert self.state() == CREATE_STREAMS
        self.stream()
        assert (self.state(), self.state()) == (TEST_START, TEST_RUNNING)

    def results(self):
        """To the end: the server's results."""
        self.say(TEST_END)
        assert self.state() == EXCHANGE_RESULTS
        self.message({"streams": []})
        size = struct.unpack(">I", self.control.recv(4, socket.MSG_WAITALL))[0]
        found = json.loads(self.control.recv(size, socket.MSG_WAITALL))
        assert self.state() == DISPLAY_RESULTS
        self.say(IPERF_DONE)
        assert self.state() is None
        return found

    def close(self):
        for s in [self.control, *self.streams]:
            s.close()


def test_all_is_counted(iperf_server):
    client = Client(iperf_server.address)
    client.run()
    client.streams[0].sendall(bytes(1000003))
    # Its own acknowledgement is the only sign that all has come: of what has been sent, and what has not.
    while fcntl.ioctl(client.streams[0], termios.TIOCOUTQ, bytes(4)) != bytes(4):
        pass
    assert [s["bytes"] for s in client.results()["streams"]] == [1000003]
    client.close()


def test_each_octet_is_right(iperf_server):
    """Sent from the app's pages, in segments that begin and end anywhere in them."""
    block = bytes(48 + i % 10 for i in range(16384))
    client = Client(iperf_server.address)
    client.run(reverse=True)
    stream = client.streams[0].makefile("rb")
    for size in (1, 4095, 100003, 12345678):
        assert stream.read(size) == (block * (size // len(block) + 1))[:size]
        block = block[size % len(block) :] + block[: size % len(block)]
    stream.close()
    client.close()


def test_one_at_a_time(iperf_server, host):
    first, second = Client(iperf_server.address), None
    assert first.state() == PARAM_EXCHANGE
    second = Client(iperf_server.address, b"b" + COOKIE[1:])
    assert (second.state(), second.state()) == (ACCESS_DENIED, None)
    second.close()
    first.message(PARAMETERS)
    assert first.state() == CREATE_STREAMS
    stranger = first.stream(b"c" + COOKIE[1:])
    assert stranger.recv(2, socket.MSG_WAITALL) == bytes([ACCESS_DENIED])
    first.stream()
    assert first.state() == TEST_START
    first.close()
    assert iperf3(host, iperf_server.address, "-n1M")["sum_received"]["bytes"]


NONSENSE = [
    b"{", b"[]", b"{" * 4096, b"\xff" * 100, {"tcp": True, "parallel": -1}, {"tcp": True, "parallel": 0},
    {"tcp": True, "parallel": 129}, {"tcp": True, "parallel": 1e30}, {"tcp": True, "omit": 601},
    {"tcp": True, "len": 1 << 40}, {"tcp": 1}, {"tcp": True, "reverse": "yes"}, {},
]  # fmt: skip


def test_parameters_that_cannot_be(iperf_server):
    for text in NONSENSE:
        client = Client(iperf_server.address)
        assert client.state() == PARAM_EXCHANGE
        client.message(text)
        assert client.state() == SERVER_ERROR, text
        assert len(client.control.recv(8, socket.MSG_WAITALL)) == 8 and client.state() is None
        client.close()


def test_messages_of_impossible_length(iperf_server):
    for length in (0, 4097, 0x7FFFFFFF, 0xFFFFFFFF):
        client = Client(iperf_server.address)
        assert client.state() == PARAM_EXCHANGE
        client.control.sendall(struct.pack(">I", length) + b"x" * 100)
        assert client.state() is None
        client.close()
    for length in (0, (1 << 18) + 1, 0xFFFFFFFF):
        client = Client(iperf_server.address)
        client.run()
        client.say(TEST_END)
        assert client.state() == EXCHANGE_RESULTS
        client.control.sendall(struct.pack(">I", length))
        assert client.state() is None
        client.close()


def test_who_vanishes_or_talks_nonsense_ends_its_own_test(iperf_server, host):
    for begin in (lambda c: c.state(), Client.run):
        for reset in (False, True):
            client = Client(iperf_server.address)
            begin(client)
            if reset:
                client.control.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.control.close()
            for s in client.streams:
                assert s.recv(1) == b""
            client.close()
    client = Client(iperf_server.address)
    client.run()
    client.say(IPERF_DONE)
    assert client.state() is None
    client.close()
    client = Client(iperf_server.address)
    client.run()
    client.streams[0].close()  # the test is the control connection's
    assert len(client.results()["streams"]) == 1
    client.close()
    # Who says nothing keeps nobody out.
    silent = [socket.create_connection((iperf_server.address, PORT), timeout=20) for _ in range(80)]
    assert iperf3(host, iperf_server.address, "-n1M")["sum_received"]["bytes"]
    for s in silent:
        s.close()


@pytest.mark.parametrize("what", ["receive", "send"])
def test_bulk_budget(xen_icount, network, guest, echoload, budget, what):
    """Guest instructions for each KiB, Xen's work for the guest included: what a long stream costs more than a short
    one, by a client in dom0."""
    if xen_icount.run("test -x /tmp/echoload", check=False).status:
        xen_icount.push("/tmp/echoload", echoload, mode=0o755)
    g = guest("iperf3", machine=xen_icount)
    g.wait("address 10")
    spent = []
    for kib in (4096, 4096, 20480):
        before = g.stat().cpu_time
        xen_icount.run(f"/tmp/echoload {g.address} {PORT} {what} {kib}", timeout=300)
        spent.append(g.stat().cpu_time - before)
    budget(f"iperf3.tcp_{what}_instructions_per_kib", round((spent[2] - spent[1]) / 16384))
