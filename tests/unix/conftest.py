# SPDX-License-Identifier: ISC
"""Fixtures of the tests on the simulated hypervisor (docs/simulator.md).

program(app, sanitize=False, peers=False)   builds APP.unix, .san and .peers behind it,
                in a directory of the tests' own; its path
guest(app, extra=None, sanitize=False, options=(), **config)
                a SimGuest, started. It has the methods of the boot tests' Guest, so that a test of
                tests/boot can run here as it is; of xl's keys on_reboot="preserve" counts.
                With the network fixture an app with an interface gets a TAP device and the next
                static address: g.address, g.address6. Of disk=[...] access and target count.
xen             xen.run(COMMAND): a shell command of dom0's, with tests/unix/dom0tool in the place of its
                tools, for the guest that was started last; "xl dmesg" is what the simulation said.
network         all tests from here on run in a network namespace of their own, in which guests are
                neighbours: the host is 10.0.0.1 and fd00:10::1 on xentap0, as in the boot tests.
host            runs a tool of the host's there.

disk            as in the boot tests: an image of the host's
pair            pair.Pair: echo with two interfaces; pair.baseline are the grants that the second alone needs
shared(app)     a guest of that app that the tests of a module use one after the other

Every other guest is ended after its test; one that was built with sanitizers fails the test should they
have found anything.
"""

import atexit
import fcntl
import itertools
import os
import re
import select
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from types import SimpleNamespace

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(TOP, *path) for path in (("tests", "unix"), ("tests", "boot"), ("scripts",))]
sys.dont_write_bytecode = True

from xenqemu import net  # noqa: E402

REASONS = {"poweroff": "has shut down$", "reboot": "reboot$", "crash": "crash$"}


COVERAGE = bool(os.environ.get("COVERAGE"))  # scripts/coverage
# Of the tests' own: whatever configurations out/ holds.
OUT = os.path.join(os.environ.get("XENOLITH_OUT") or "out", "test", "coverage" if COVERAGE else "unix")
TOOLS = tempfile.mkdtemp(prefix="dom0.")
atexit.register(shutil.rmtree, TOOLS, ignore_errors=True)
for _name in ("read", "write", "rm", "ls", "chmod"):
    os.symlink(os.path.join(TOP, "tests/unix/dom0tool"), os.path.join(TOOLS, f"xenstore-{_name}"))
for _name in ("usleep", "vchan-socket-proxy"):
    os.symlink(os.path.join(TOP, "tests/unix/dom0tool"), os.path.join(TOOLS, _name))


class SimError(Exception):
    """What was waited for did not come."""


class SimGuest:
    """An app as a process, its console on pipes, commands over a socket."""

    domid = 5

    def __init__(self, path, arguments, options=(), pass_fds=()):
        self.machine = SimpleNamespace(run=self.run_in_dom0)
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
            threading.Thread(target=self._read, args=("out", self.process.stdout), daemon=True),
            threading.Thread(target=self._read, args=("err", self.process.stderr), daemon=True),
        ]
        for reader in self.readers:
            reader.start()

    def _read(self, which, stream):
        data = True
        while data:
            select.select([stream], [], [])
            with self.changed:  # what has been read is in texts before anybody else looks
                data = os.read(stream.fileno(), 65536)
                self.texts[which] += data.decode(errors="replace")
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
        """All that has been printed: what is on its way through the pipe is waited for."""
        with self.changed:
            while self.readers[0].is_alive() and self.changed.wait(0.05):
                pass
            return self.texts["out"]

    def printed(self):
        """What it has printed until now: after quiet(), or a line that was waited for."""
        while True:
            with self.changed:
                if not self.readers[0].is_alive() or not select.select([self.process.stdout], [], [], 0)[0]:
                    return self.texts["out"]
            time.sleep(0.001)

    def quiet(self, milliseconds=50):
        """Until it has slept for so long: what it was told, and what follows from that, is done. This is
        the guest's own time: on a busy machine it takes as long as it takes."""
        self.command(f"quiet {milliseconds}")

    def messages(self):
        """What the simulation itself has said, sanitizers included."""
        return self.texts["err"]

    def diagnosis(self):
        return f"--- console\n{self.texts['out'][-4000:]}\n--- simulation\n{self.texts['err'][-6000:]}"

    def wait(self, pattern, timeout=20, count=1):
        return self._wait_text("out", pattern, timeout, count)

    def wait_message(self, pattern, timeout=20):
        """A line of messages(), which comes by another pipe than the console."""
        return self._wait_text("err", pattern, timeout)

    def send(self, text):
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def command(self, line):
        """A command of arch/unix/sim/control.h: what follows "ok"."""
        self.ask(line)
        return self.answer(line)

    def ask(self, line):
        self.control.sendall(line.encode() + b"\n")

    def answer(self, line):
        """What follows "ok" in the answer to what has been asked."""
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

    def can(self, line):
        """Whether the command could be carried out, and there was still a guest."""
        try:
            self.command(line)
            return True
        except (SimError, OSError):
            return False

    def xl(self, command, check=True, **_keywords):
        try:
            self._xl(command)
        except SimError:
            if check:
                raise

    def _xl(self, command):
        verb, _, rest = command.partition(" ")
        if verb == "destroy":
            return self.destroy()
        if verb == "network-attach":
            there = self.run_in_dom0("xenstore-ls device/vif", check=False).out.split()
            rest = next(n for n in range(8) if str(n) not in there)
        if verb.startswith("block-"):
            letter = re.search("xvd([a-p])", rest)[1]
            rest = 51712 + 16 * (ord(letter) - ord("a"))
        return self.command({"shutdown": "shutdown poweroff", "reboot": "shutdown reboot",
                             "sysrq": f"sysrq {rest}", "network-attach": f"attach vif {rest}",
                             "network-detach": f"detach vif {rest}",
                             "block-attach": f"attach vbd {rest}",
                             "block-detach": f"detach vbd {rest}"}[verb])

    def destroy(self):
        self.process.kill()
        self.process.wait()

    def unpause(self):
        self.command("unpause")

    def stat(self):
        return SimpleNamespace(state={"running"} if self.find() else {"shutdown"})

    def run_in_dom0(self, command, check=True, timeout=60, **_keywords):
        """A shell command, with the tools of TOOLS first in the path."""
        done = subprocess.run(
            ["sh", "-c", command], pass_fds=[self.control.fileno()], capture_output=True, text=True,
            timeout=timeout, check=False,
            env=dict(os.environ, PATH=f"{TOOLS}:{os.environ['PATH']}",
                     SIM_CONTROL=str(self.control.fileno())))
        if done.returncode == 127:
            pytest.skip(f"not here: {done.stderr.strip()}")
        if check and done.returncode:
            raise SimError(f"{command}: {done.stdout}{done.stderr}\n{self.diagnosis()}")
        return SimpleNamespace(status=done.returncode, out=done.stdout)

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
        if self.process.poll() is not None and self.process.returncode < 0:
            return ""  # destroyed
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
        for _ in range(2 * COVERAGE):  # counts are written at the end; a guest without a store needs to be told twice
            if self.process.poll() is None:
                self.process.terminate()
                try:
                    self.process.wait(3)
                except subprocess.TimeoutExpired:
                    pass
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

    os.makedirs(os.path.join(TOP, os.path.dirname(OUT)), exist_ok=True)

    def build(app, sanitize=False, peers=False):
        key = (app, sanitize, peers)
        if key not in built:
            words = ["make", "-j2", f"APP={app}", f"OUT={OUT}", "TARGET=unix"]
            words += ["SANITIZE=1"] * sanitize + ["PEERS=1"] * peers
            words += ["COVERAGE=1"] * COVERAGE
            environment = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL")}
            with open(os.path.join(TOP, OUT) + ".lock", "w", encoding="utf-8") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)  # two runs of these tests build one after the other
                done = subprocess.run(words, cwd=TOP, env=environment, capture_output=True, text=True)
            assert done.returncode == 0, done.stdout + done.stderr
            built[key] = os.path.join(TOP, OUT, app + ".unix" + ".san" * sanitize + ".peers" * peers
                                      + ".cov" * COVERAGE)
        return built[key]

    return build


@pytest.fixture
def guest(request, starter):
    guests = request.node.guests = []

    def start(*arguments, **keywords):
        guests.append(starter(*arguments, **keywords))
        return guests[-1]

    yield start
    close(guests)


@pytest.fixture
def pair(guest):
    """A pair, and the grants that the second interface alone needs."""
    from pair import Pair  # here: it takes scapy a while to be imported

    p = Pair(guest)
    p.wait_up()
    assert p.bad.answers()
    p.detach()
    p.baseline = p.settled_grants()
    p.guest.command("attach vif 0")
    p.guest.wait("vif/0: link up", count=2)
    assert p.bad.answers()
    return p


@pytest.fixture(scope="module")
def module_guests():
    running = {}
    yield running
    close(running.values())


@pytest.fixture
def shared(request, starter, module_guests):
    """A guest of an app that the tests of a module use one after the other, as with real Xen."""
    guests = request.node.guests = []

    def get(app):
        g = module_guests.get(app)
        if not g or not g.find():
            close([g] * bool(g))
            g = module_guests[app] = starter(app)
        guests.append(g)
        return g

    return get


def close(guests):
    for g in guests:
        g.close()
    for g in guests:
        assert "Sanitizer" not in g.messages() and "runtime error" not in g.messages(), g.messages()


@pytest.fixture(scope="session")
def starter(program):

    def start(app, extra=None, sanitize=False, peers=False, options=(), pass_fds=(), paused=False, address=None,
              **config):
        if app == "ringtest":  # is built once, for all of its tests
            sanitize = peers = True
        path = program(app, sanitize, peers)
        options, words = list(options), shlex.split(extra or "")
        options += ["--on-reboot=exit"] * (config.get("on_reboot") == "preserve")
        options += ["--paused"] * paused
        options += [f"--memory={config['memory']}"] if "memory" in config else []
        options += map(disk_option, config.get("disk", []))
        number = next(numbers) % 250 + 2
        given, address = address, address or f"10.0.1.{number}"
        address6 = f"fd00:10::1:{number:x}"
        if has_nic(app) and not any(o.startswith("--net") for o in options):
            options += net_options(config.get("vif", [""]), number)
            if given != "" and not any(word.startswith("ip=") for word in words):
                words += [f"ip={address}/16", "gw=10.0.0.1", f"ip6={address6}/64"]
        g = SimGuest(path, words, options, pass_fds)
        g.address, g.address6 = address, address6
        return g

    return start


numbers = itertools.count()
entered = []  # the namespace of these tests, once


def has_nic(app):
    with open(os.path.join(TOP, OUT, "obj", app, "config.h"), encoding="utf-8") as f:
        return not re.search(r"^#define CONFIG_APP_NICS 0$", f.read(), re.M)


def disk_option(entry):
    """--disk of an entry of xl's disk list."""
    keys = dict(word.split("=", 1) for word in entry.split(","))
    return f"--disk={'r:' * (keys['access'] == 'r')}{keys['target']}"


@pytest.fixture
def disk(tmp_path):
    def make(mib=1, access="w", vdev="xvda"):
        path = tmp_path / f"{vdev}.img"
        path.write_bytes(bytes(mib << 20))
        return f"format=raw,vdev={vdev},access={access},target={path}"

    return make


def ip(*words):
    subprocess.run(["ip", *words], check=True)


def net_options(vifs, number):
    """--net options for xl's vif= list. An empty one: an interface that is plugged in later."""
    options = []
    for index, vif in enumerate(vifs or ["later"]):
        what = "none"
        if entered:
            name = f"vif{number}.{index}"
            subprocess.run(["ip", "link", "del", name], stderr=subprocess.DEVNULL, check=False)
            ip("tuntap", "add", name, "mode", "tap")
            ip("link", "set", name, "master", net.TapNetwork().name, "up")
            what = f"tap:{name}"
        words = [what, f"mac=00:16:3e:00:{number:02x}:{index:02x}"] + ([vif] if vif else [])
        options.append("--net=" + ",".join(words))
    return options


@pytest.fixture
def network():
    if not entered:
        try:
            net.enter()
        except (net.NetworkError, OSError) as e:
            pytest.skip(str(e))
        bridge = net.TapNetwork().name
        ip("link", "add", bridge, "type", "bridge")
        ip("link", "set", bridge, "address", net.HOST_MAC, "up")
        ip("addr", "add", "10.0.0.1/16", "dev", bridge)
        ip("addr", "add", "fd00:10::1/64", "dev", bridge, "nodad")
        entered.append(bridge)
    return net.TapNetwork.host


@pytest.fixture
def host(network):
    def run(program, *arguments, timeout=20, check=True, input=None):
        done = subprocess.run([program, *arguments], capture_output=True, text=True,
                              timeout=timeout, input=input, check=False)
        assert not check or not done.returncode, f"{done.args}\n{done.stdout}{done.stderr}"
        return done

    return run


@pytest.fixture
def xen(request):
    def run(command, **keywords):
        guests = request.node.guests
        if command.startswith("xl dmesg"):
            return SimpleNamespace(out=guests[-1].messages() if guests else "")
        return guests[-1].run_in_dom0(command, **keywords)

    return SimpleNamespace(run=run)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if call.when == "call" and report.failed:
        for g in getattr(item, "guests", []):
            report.sections.append((g.name, g.diagnosis()))
