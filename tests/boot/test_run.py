# SPDX-License-Identifier: ISC
"""scripts/run, as "make run APP=x" calls it: what it shows, how it ends, and that it leaves nothing
behind."""

import os
import re
import signal
import socket
import subprocess
import tempfile

import pytest

from conftest import TOP, built

RUN = os.path.join(TOP, "scripts", "run")


class Run:
    """A running scripts/run, with its own temporary directory to look into."""

    def __init__(self, command):
        self.temporary = tempfile.TemporaryDirectory(prefix="run.")
        self.process = subprocess.Popen(
            command,
            cwd=TOP,
            start_new_session=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(os.environ, TMPDIR=self.temporary.name),
            text=True,
        )
        self.seen = ""

    def wait_line(self, pattern):
        """Read until a line matches; the tests' own limit is that the program has limits."""
        for line in self.process.stdout:
            self.seen += line
            if re.search(pattern, line):
                return line
        pytest.fail(f"ended without {pattern!r}:\n{self.seen}")

    def finish(self, status):
        self.seen += self.process.stdout.read()
        ended = self.process.wait(30)
        assert status in (None, ended), self.seen
        assert os.listdir(self.temporary.name) == []
        self.temporary.cleanup()
        return self.seen


@pytest.fixture
def run(machines):
    machines.stop()  # its memory and CPU
    runs = []

    def start(app, *arguments, command=None):
        built(app)
        runs.append(Run(command or [RUN, app, *arguments]))
        return runs[-1]

    yield start
    for r in runs:
        if r.process.poll() is None:
            r.process.terminate()
            r.process.wait(30)


def test_program_that_ends(run):
    text = run("hello", "EXTRA=one two").finish(status=0)
    assert "Xen is up" in text and "Xen has started dom0" in text and "s: ready" in text
    assert "Hello from hello." in text
    assert "argument 2: two" in text
    assert "guest ended" in text


def test_arguments_behind_two_hyphens(run):
    """The address and the seed come before them: it answers at the forwarded port."""
    r = run("echo", "EXTRA=-- 7 'a  b'", "PORT=7107")
    assert "-- 7 'a  b'\"" in r.wait_line("guest echo created")
    r.wait_line(r"the guest answers on 127\.0\.0\.1:7107")
    r.process.send_signal(signal.SIGINT)
    assert "no seed=" not in r.finish(status=0)


def test_the_main_job(run):
    """make run APP=dns, a second one beside it, the dig lines that they print, Ctrl-C."""
    make = ["make", "run", "APP=dns", f"OUT={os.environ['XENOLITH_OUT']}"]
    both = [run("dns", command=make + words) for words in ([], ["PORT=5301"])]
    for r, port in zip(both, (5300, 5301)):
        r.wait_line(rf"the guest answers on 127\.0\.0\.1:{port} \(UDP and TCP\)")
        line = r.wait_line("dig @").split()
        for transport in ("+notcp", "+tcp"):
            words = [*line, "SOA", transport]
            answer = subprocess.run(words, capture_output=True, text=True).stdout
            assert "status: NOERROR" in answer and "ANSWER: 1" in answer, answer
    for r in both:
        # As a terminal does: to all of the group.
        os.killpg(r.process.pid, signal.SIGINT)
        text = r.finish(status=None)
        assert "shutting the guest down" in text and "switching the machine off" in text


def test_terminal_and_ctrl_c(run):
    r = run("selftest", "EXTRA=input", "MEMORY=8")
    assert "8 MiB" in r.wait_line("guest selftest created")
    r.wait_line("ready: input")
    r.process.stdin.write("quux\n")
    r.process.stdin.flush()
    r.wait_line("input .* first 'q'")
    r.process.send_signal(signal.SIGINT)
    text = r.finish(status=0)
    assert "power-off requested" in text
    assert "switching the machine off" in text


def test_console_survives_a_reboot(run):
    r = run("selftest", "EXTRA=input")
    r.wait_line("ready: input")
    r.process.stdin.write("r\n")
    r.process.stdin.flush()
    r.wait_line("input .* first 'r'")
    r.wait_line("ready: input")
    r.process.send_signal(signal.SIGTERM)
    r.finish(status=0)


def test_crash_is_explained(run):
    text = run("selftest", "EXTRA=panic").finish(status=1)
    assert "asked to, value 42" in text
    assert "reason code 3" in text


def test_port_in_use(run):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
        text = run("echo", f"PORT={port}").finish(status=1)
    assert str(port) in text and "PORT=" in text and "in use" in text


@pytest.mark.parametrize(
    "arguments, complaint",
    [
        ([], "name one app"),
        (["nosuchapp"], "make APP=nosuchapp"),
        (["hello", "MEMORY=lots"], "MEMORY"),
        (["hello", "VCPUS=0"], "VCPUS"),
        (["hello", "PORT=99999"], "PORT"),
        (["echo", "PORT=0"], "PORT"),
        (["hello", "DISK=/no/such/file"], "/no/such/file"),
        (["hello", "SUITE=sarge"], "bookworm"),
        (["hello", "COLOUR=red"], "COLOUR"),
    ],
)
def test_bad_arguments(arguments, complaint):
    done = subprocess.run([RUN, *arguments], capture_output=True, text=True, timeout=20)
    assert done.returncode == 2
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr
