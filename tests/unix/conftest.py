# SPDX-License-Identifier: ISC
"""Fixtures of the tests on the simulated hypervisor (docs/simulator.md).

program(app, sanitize=False)    builds out/APP.unix or out/APP.unix.san; its path
guest(app, extra=None, sanitize=False, options=(), **config)
                a SimGuest, started. It has the methods of the boot tests' Guest, so that a test of
                tests/boot can run here as it is; of xl's keys on_reboot="preserve" counts.
xen             what a boot test does in dom0, as far as the simulation has it: xenstore-read, -write
                and -rm, xl dmesg.

Every guest is ended after its test; one that was built with sanitizers fails the test should they
have found anything.
"""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests", "boot"))
sys.dont_write_bytecode = True

REASONS = {"poweroff": "has shut down$", "reboot": "reboot$", "crash": "crash$"}


class SimError(Exception):
    """What was waited for did not come."""


class SimGuest:
    """An app as a process, its console on pipes, commands over a socket."""

    domid = 5

    def __init__(self, path, arguments, options=(), pass_fds=()):
        self.control, theirs = socket.socketpair()
        self.name = os.path.basename(path)
        self.texts = {"out": "", "err": ""}
        self.changed = threading.Condition()
        self.process = subprocess.Popen(
            [path, "--verbose", f"--control={theirs.fileno()}", *options, "--", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(theirs.fileno(), *pass_fds),
        )
        theirs.close()
        self.readers = [
            threading.Thread(target=self._read, args=("out", self.process.stdout)),
            threading.Thread(target=self._read, args=("err", self.process.stderr)),
        ]
        for reader in self.readers:
            reader.start()

    def _read(self, which, stream):
        while data := os.read(stream.fileno(), 65536):
            with self.changed:
                self.texts[which] += data.decode(errors="replace")
                self.changed.notify_all()
        with self.changed:
            self.changed.notify_all()

    def _wait_text(self, which, pattern, timeout, count=1):
        """The count-th line that matches."""
        deadline = time.monotonic() + timeout
        with self.changed:
            while True:
                ended = not any(reader.is_alive() for reader in self.readers)
                lines = [s for s in self.texts[which].splitlines() if re.search(pattern, s)]
                if len(lines) >= count:
                    return lines[count - 1]
                if ended or time.monotonic() > deadline:
                    why = "it ended" if ended else f"{timeout} s passed"
                    raise SimError(f"{self.name}: {why} without {pattern!r}:\n{self.diagnosis()}")
                self.changed.wait(0.1)

    def console(self):
        return self.texts["out"]

    def messages(self):
        """What the simulation itself has said, sanitizers included."""
        return self.texts["err"]

    def diagnosis(self):
        return f"--- console\n{self.texts['out'][-4000:]}\n--- simulation\n{self.texts['err'][-6000:]}"

    def wait(self, pattern, timeout=20, count=1):
        return self._wait_text("out", pattern, timeout, count)

    def send(self, text):
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def command(self, line):
        """A command of arch/unix/sim/control.h: what follows "ok"."""
        self.control.sendall(line.encode() + b"\n")
        answer = b""
        while not answer.endswith(b"\n"):
            data = self.control.recv(4096)
            if not data:
                raise SimError(f"{line}: the guest has ended\n{self.diagnosis()}")
            answer += data
        status, _, rest = answer.decode().rstrip("\n").partition(" ")
        if status != "ok":
            raise SimError(f"{line}: {rest}")
        return rest

    def xl(self, command):
        verb, _, rest = command.partition(" ")
        if verb == "destroy":
            self.process.kill()
        else:
            self.command({"shutdown": "shutdown poweroff", "reboot": "shutdown reboot",
                          "sysrq": f"sysrq {rest}"}[verb])

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)

    def find(self):
        return self.domid if self.process.poll() is None else None

    def wait_end(self, timeout=30):
        """The exit status, when everything it has written has been read."""
        status = self.process.wait(timeout)
        for reader in self.readers:
            reader.join(timeout)
        return status

    def wait_gone(self, timeout=30):
        """Until the domain has ended; its process runs on when it reboots."""
        line = self._wait_text("err", "xen: domain .*(has shut down|reboots)", timeout)
        if not line.endswith("reboots"):
            self.wait_end(timeout)
        return line

    def wait_restarted(self, timeout=30):
        self._wait_text("err", "reboots", timeout)
        return self.domid

    def wait_shutdown(self, timeout=30):
        line = self.wait_gone(timeout)
        for reason, pattern in REASONS.items():
            if re.search(pattern, line):
                return SimpleNamespace(reason=reason)
        raise SimError(line)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for reader in self.readers:
            reader.join()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr, self.control):
            try:
                stream.close()
            except BrokenPipeError:
                pass


@pytest.fixture(scope="session")
def program():
    built = {}

    def build(app, sanitize=False):
        key = (app, sanitize)
        if key not in built:
            words = ["make", f"APP={app}", "TARGET=unix"] + ["SANITIZE=1"] * sanitize
            environment = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL")}
            done = subprocess.run(words, cwd=TOP, env=environment, capture_output=True, text=True)
            assert done.returncode == 0, done.stdout + done.stderr
            built[key] = os.path.join(TOP, "out", app + ".unix" + ".san" * sanitize)
        return built[key]

    return build


@pytest.fixture
def guest(request, program):
    guests = request.node.guests = []

    def start(app, extra=None, sanitize=False, options=(), pass_fds=(), **config):
        if config.get("on_reboot") == "preserve":
            options = [*options, "--on-reboot=exit"]
        g = SimGuest(program(app, sanitize), shlex.split(extra or ""), options, pass_fds)
        guests.append(g)
        return g

    yield start
    for g in guests:
        g.close()
        assert "Sanitizer" not in g.messages() and "runtime error" not in g.messages(), g.messages()


@pytest.fixture
def xen(request):
    def run(command, **_keywords):
        words = shlex.split(command)
        guests = request.node.guests
        if words[:2] == ["xl", "dmesg"]:
            return SimpleNamespace(out=guests[-1].messages() if guests else "")
        verb = {"xenstore-read": "read", "xenstore-write": "write", "xenstore-rm": "rm"}[words[0]]
        return SimpleNamespace(out=guests[-1].command(" ".join([verb, *words[1:]])))

    return SimpleNamespace(run=run)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if call.when == "call" and report.failed:
        for g in getattr(item, "guests", []):
            report.sections.append((g.name, g.diagnosis()))
