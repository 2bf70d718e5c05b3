# SPDX-License-Identifier: ISC
"""scripts/run-unix, as "make run APP=x TARGET=unix" calls it: the app in a network of its own, reached
through a port of 127.0.0.1, with and without rights for a TAP device."""

import importlib.util
import os
import re
import select
import signal
import socket
import socketserver
import subprocess
import sys
import threading
import time
from importlib.machinery import SourceFileLoader

import dns.message
import dns.query
import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OUT = os.path.join(os.environ.get("XENOLITH_OUT") or "out", "test", "unix")
pytestmark = pytest.mark.skipif("COVERAGE" in os.environ, reason="scripts/run-unix knows no COVERAGE=1")


def the_script():
    """As a module."""
    loader = SourceFileLoader("run_unix", os.path.join(TOP, "scripts", "run-unix"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


class Run:
    """A running scripts/run-unix, outside the namespace that other tests live in."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [os.path.join(TOP, "scripts", "run-unix"), *arguments],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=dict(os.environ, XENOLITH_OUT=OUT), start_new_session=True)
        self.seen = ""

    def _read(self, deadline):
        """What has come, or None at the end or the deadline."""
        pipe = self.process.stdout.fileno()
        if select.select([pipe], [], [], max(0, deadline - time.monotonic()))[0]:
            data = os.read(pipe, 65536)
            self.seen += data.decode(errors="replace")
            return data or None
        return None

    def wait_line(self, pattern, timeout=60):
        deadline = time.monotonic() + timeout
        while not re.search(pattern, self.seen):
            if not self._read(deadline):
                pytest.fail(f"no {pattern!r}:\n{self.seen}")

    def finish(self, status=0, timeout=30):
        deadline = time.monotonic() + timeout
        while self._read(deadline):
            pass
        assert self.process.wait(max(1, deadline - time.monotonic())) == status, self.seen
        return self.seen

    def interrupt(self):
        """What Ctrl-C on the terminal does."""
        os.killpg(self.process.pid, signal.SIGINT)


@pytest.fixture
def run(program):
    runs = []

    def start(app, *arguments):
        program(app)
        runs.append(Run(app, *arguments))
        return runs[-1]

    yield start
    for r in runs:
        if r.process.poll() is None:
            os.killpg(r.process.pid, signal.SIGKILL)
            r.process.wait()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@pytest.mark.parametrize("kind", ["tap", "user"])
def test_dns_answers_on_a_port_of_the_host(run, kind):
    port = free_port()
    r = run("dns", f"PORT={port}", f"NETWORK={kind}")
    r.wait_line(f"answers on 127.0.0.1:{port} ")
    r.wait_line(f"dig @127.0.0.1 -p {port} example.org")
    query = dns.message.make_query("www.example.org", "A")
    for ask in (dns.query.udp, dns.query.tcp):
        answer = ask(query, "127.0.0.1", port=port, timeout=20)
        assert "192.0.2.1" in answer.to_text()
    r.interrupt()
    text = r.finish()
    assert "power-off requested" in text
    assert ("10.0.2.15" in text) == (kind == "user")
    # The probe's query is one of those that were answered.
    assert int(re.search(r"dns: (\d+) queries", text)[1]) >= 3


def test_the_zone_to_ask_for_is_the_programs(tmp_path, monkeypatch):
    """Not that of the image for Xen, nor of another program."""
    runner = the_script()
    monkeypatch.setattr(runner, "OUT", str(tmp_path))
    asked = []
    monkeypatch.setattr(runner, "configuration", lambda app: {"APP_NICS": "1"})
    monkeypatch.setattr(runner, "probe", lambda service, zone: asked.append(zone))
    monkeypatch.setattr(runner, "network_kind", lambda app, values: lambda service: sys.exit())
    for folder in ("dns", "dns.unix", "dns.unix.san"):
        (tmp_path / "obj" / folder / "gen").mkdir(parents=True)
        (tmp_path / "obj" / folder / "gen/served").write_text(f"{folder}.example.\n")
        (tmp_path / folder).touch()
    for values in ({}, {"SANITIZE": "1"}):
        with pytest.raises(SystemExit):
            runner.run("dns", values)
    assert asked == ["dns.unix.example", "dns.unix.san.example"]


def test_two_at_once(run):
    runs = [(run("echo", f"PORT={port}"), port) for port in (free_port(), free_port())]
    for r, port in runs:
        r.wait_line(f"answers on 127.0.0.1:{port} ")
    for r, port in runs:
        with socket.create_connection(("127.0.0.1", port), timeout=20) as s:
            s.sendall(b"x" * 100_000)
            s.shutdown(socket.SHUT_WR)
            assert sum(len(block) for block in iter(lambda: s.recv(65536), b"")) == 100_000
        r.interrupt()
        r.finish()


class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(100):
            self.request.sendall(data)


def test_more_connections_than_select_has_descriptors_for():
    """600 that stay open, in the place of the guest a server of the host's."""
    module = the_script()
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo) as guest:
        threading.Thread(target=guest.serve_forever, args=(0.05,), daemon=True).start()
        port = free_port()
        module.Forwarder(port, guest.server_address).start()
        open_ones = []
        for i in range(600):
            s = socket.create_connection(("127.0.0.1", port), timeout=20)
            open_ones.append(s)
            s.sendall(b"%d" % i)
            assert s.recv(100) == b"%d" % i
        with socket.socket(type=socket.SOCK_DGRAM) as there, socket.socket(type=socket.SOCK_DGRAM) as client:
            there.bind(guest.server_address)
            there.settimeout(20)
            client.sendto(b"datagram", ("127.0.0.1", port))
            assert there.recv(100) == b"datagram"
        open_ones[0].sendall(b"still")
        assert open_ones[0].recv(100) == b"still"
        for s in open_ones:
            s.close()
        guest.shutdown()


def test_files_as_disks(run, tmp_path):
    """They get to the program, which takes the first one and says what is wrong with the second."""
    image, small = tmp_path / "a.img", tmp_path / "b.img"
    image.write_bytes(bytes(512))
    small.write_bytes(bytes(511))
    text = run("hello", f"DISK={image},r:{small}").finish(status=2)
    assert f"--disk=r:{small}: smaller than a sector" in text


def test_a_port_that_is_taken(run):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
        text = run("echo", f"PORT={port}").finish(status=2)
    assert f"port 127.0.0.1:{port}" in text and "PORT=" in text


def test_program_that_ends(run):
    text = run("hello", "EXTRA=one 'two  words'").finish()
    assert "argument 2: two  words\n" in text


def test_arguments_behind_two_hyphens(run):
    """The address and the seed come before them: it answers at the forwarded port."""
    port = free_port()
    r = run("echo", f"PORT={port}", "EXTRA=-- 7 x")
    r.wait_line(f"answers on 127.0.0.1:{port} ")
    r.interrupt()
    assert "no seed=" not in r.finish()


@pytest.mark.parametrize("words, what", [(["X=1"], "not known"), (["NETWORK=x"], "tap or user"),
                                         (["PORT=0"], "no port number"), (["DISK=/none"], "does not exist")])
def test_mistakes(run, words, what):
    assert what in run("echo", *words).finish(status=2)
