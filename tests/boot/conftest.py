# SPDX-License-Identifier: ISC
"""Fixtures of the boot tests: real Xen, real dom0, real xl, and the host's own clients.

    def test_answers(guest, host):
        g = guest("echo")                   # out/echo with out/echo.cfg, started, at g.address
        g.wait("listening")                 # a line of its console
        host("ping", "-c1", g.address)      # a tool of the host, on one Ethernet with the guest

xen             a Machine (scripts/xenqemu/machine.py) in real time; xen.run("xl list").out
xen_of          the same with the Xen and dom0 of the Debian suite that the test's parameter "suite"
                names, whatever SUITE= says
xen_icount      a Machine whose clock counts instructions: figures repeat, and virtual time passes
                at once while all are idle
guest(app, paused=False, machine=xen, extra=None, address=None, **config)
                a Guest (scripts/xenqemu/guest.py): wait(), console(), send(), stat(), xl(),
                wait_gone(), wait_shutdown(). Keywords override keys of out/APP.cfg; None removes a
                key; extra is appended to the command line. An app with a vif gets the next static
                address (g.address, g.address6) unless extra says ip= itself or address is "".
                The domain is destroyed after the test, whatever happened.
shared(app)     a guest of that app that the tests of a module use one after the other
host(program, *arguments, timeout=20, check=True, input=None)
                run a tool of the host in the guests' network; a CompletedProcess (text). Python's
                sockets, scapy and dnspython need no fixture: the whole process lives there.
disk(mib=1, access="w", vdev="xvda")
                an entry of xl's disk list: an image in dom0, full of zeroes, its path behind target=
dhcp(first, last, lease=3600)
                start the DHCP server in dom0; it ends with the test.
load(guest, port, window, count, size=64, query=None)
                datagrams from dom0, window in flight until count are answered; guest instructions
                per datagram.
budget(name, value)
                compare a figure with tests/budgets.toml.

Network: host 10.0.0.1, fd00:10::1 on xentap0; dom0 10.0.0.2, fd00:10::2 on xenbr0; guests
10.0.1.x/16, fd00:10::1:x/64. It lies in a network namespace of its own; where that is not allowed,
tests that use "network" are skipped and say so.

One machine runs at a time; it is started when first asked for, shared by the tests that follow,
replaced when it has died. A failed test keeps the guest's console, xl's log and Xen's messages in
out/boot-tests/ and prints them. SUITE=bullseye|bookworm|trixie selects Xen 4.14, 4.17 (default) or
4.20.
"""

import functools
import os
import signal
import subprocess
import sys
import tomllib

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "scripts"))

from xenqemu import config as xlcfg  # noqa: E402
from xenqemu import net  # noqa: E402
from xenqemu.guest import Guest  # noqa: E402
from xenqemu.image import DEFAULT_SUITE, Builder  # noqa: E402
from xenqemu.machine import Machine, MachineError  # noqa: E402

LOGS = os.path.join(TOP, "out", "boot-tests")
# The apps as they come, whatever configurations out/ holds; tests/build has most of them built.
OUT = os.path.join(TOP, "out", "test", "apps")
os.environ["XENOLITH_OUT"] = os.path.relpath(OUT, TOP)
SUITE = os.environ.get("SUITE") or DEFAULT_SUITE
GUEST_MEMORY = 1200  # MiB for all guests of a test together


class Machines:
    """At most one running Machine, of the kind last asked for."""

    def __init__(self, images, namespace_error):
        self.images, self.namespace_error = images, namespace_error
        self.kind = self.machine = None
        self.doubted = False  # a test has failed since

    def get(self, suite=SUITE, **kind):
        kind["image"] = self.images[suite]
        if self.machine and (self.kind != kind or not self.machine.alive() or self._is_deaf()):
            self.stop()
        if not self.machine:
            network = net.UserNetwork() if self.namespace_error else net.TapNetwork()
            machine = Machine(memory=GUEST_MEMORY, network=network, **kind)
            machine.start()
            self.kind, self.machine = kind, machine
        return self.machine

    def _is_deaf(self):
        """After a failure: is there nothing from dom0 any more? Once the network card that QEMU plays had stopped for good
        ("virtio_net: transmit queue timed out"), and all tests after it failed."""
        if not self.doubted or self.namespace_error:
            return False
        self.doubted = False
        address = net.TapNetwork.address.partition("/")[0]
        return subprocess.run(["ping", "-c3", "-i0.2", "-W5", address], capture_output=True).returncode != 0

    def stop(self):
        machine, self.machine = self.machine, None
        if machine:
            machine.stop()


def _interrupted(*_):
    raise KeyboardInterrupt


def pytest_configure(config):
    # timeout(1) and a cancelled job: end as with Ctrl-C, which stops QEMU and removes its files.
    signal.signal(signal.SIGTERM, _interrupted)
    config.addinivalue_line("markers", "network: needs the host's side of the guests' network")


def pytest_collection_modifyitems(items):
    # Starting a machine takes longer than most tests: all tests of one kind in a row.
    items.sort(
        key=lambda item: (suite_of(item), "xen_icount" in getattr(item, "fixturenames", ()))
    )


def suite_of(item):
    """The Debian suite that a test asks for by name, or ""."""
    return getattr(item, "callspec", None) and item.callspec.params.get("suite", "") or ""


@pytest.fixture(scope="session")
def machines(request):
    # First what may have to be fetched, which the namespace would prevent.
    subprocess.run(["make", "-s", "fetch"], cwd=TOP, check=True)

    def progress(text):
        with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
            print(f"\n{text}", end="", flush=True)

    suites = {suite_of(item) or SUITE for item in request.session.items}
    images = {suite: Builder(suite, progress).image() for suite in suites}
    error = None
    try:
        net.enter()
        probe = net.TapNetwork()
        probe.check()
        probe.close()
    except (net.NetworkError, OSError) as e:
        error = str(e)
    pool = Machines(images, error)
    yield pool
    pool.stop()


@pytest.fixture
def xen(machines):
    return machines.get()


@pytest.fixture
def xen_of(machines, suite):
    return machines.get(suite)


@pytest.fixture
def xen_icount(machines):
    return machines.get(icount=True)


@pytest.fixture
def network(machines):
    """The address of the host on the guests' network; skips the test where there is none."""
    if machines.namespace_error:
        pytest.skip(machines.namespace_error)
    return net.TapNetwork.host


@pytest.fixture
def host(network):
    def run(program, *arguments, timeout=20, check=True, input=None):
        try:
            done = subprocess.run(
                [program, *arguments], capture_output=True, text=True, timeout=timeout, input=input
            )
        except FileNotFoundError:
            pytest.fail(f"{program} is not installed")
        if check and done.returncode:
            pytest.fail(
                f"{program} {' '.join(arguments)}: status {done.returncode}\n"
                + done.stdout
                + done.stderr
            )
        return done

    return run


@functools.lru_cache(maxsize=None)
def built(app, *options):
    """The path of an app's image, made from what the tree holds now; with CONFIG_X=Y options in a
    directory of its own."""
    out = "-".join([os.environ["XENOLITH_OUT"], *(o.replace("=", "-") for o in options)])
    done = subprocess.run(
        ["make", "-s", "-j2", f"APP={app}", f"OUT={out}", *options],
        cwd=TOP,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, f"make APP={app}:\n{done.stdout}"
    return os.path.join(TOP, out, app)


def app_config(app, *options):
    """APP.cfg as a dictionary: its kernel is the compressed image."""
    image = built(app, *options)
    with open(image + ".cfg") as f:
        return xlcfg.parse(f.read(), image + ".cfg")


class Guests:
    """Makes the guests of one test; numbers their names and addresses."""

    count = 0

    def __init__(self, default_machine):
        self.default_machine, self.made = default_machine, []

    def __call__(self, app, paused=False, machine=None, extra=None, address=None, **overrides):
        config = app_config(app) if isinstance(app, str) else dict(app)
        name = config.get("name", app if isinstance(app, str) else "guest")
        Guests.count += 1
        words = [config.get("extra", ""), extra or ""]
        config.update(overrides)
        number = Guests.count % 250 + 2
        if config.get("vif") and address != "" and "ip=" not in " ".join(words):
            words += [
                f"ip={address or f'10.0.1.{number}'}/16",
                "gw=10.0.0.1",
                f"ip6=fd00:10::1:{number:x}/64",
            ]
        config["extra"] = " ".join(filter(None, words))
        g = Guest(machine or self.default_machine(), f"{name}-{Guests.count}", config)
        g.address, g.address6 = address or f"10.0.1.{number}", f"fd00:10::1:{number:x}"
        self.made.append(g)
        return g.create(paused=paused)


def running_machine(machines):
    alive = machines.machine and machines.machine.alive()
    return machines.machine if alive else machines.get()


def destroy(guests, machines):
    for g in guests.made:
        try:
            g.destroy()
        except MachineError:
            machines.stop()  # dom0 does not answer: the next test gets a new machine


@pytest.fixture
def guest(request, machines):
    guests = request.node.guests = Guests(lambda: running_machine(machines))
    yield guests
    destroy(guests, machines)


@pytest.fixture(scope="module")
def module_guests(machines):
    guests, running = Guests(lambda: running_machine(machines)), {}
    yield guests, running
    destroy(guests, machines)


@pytest.fixture
def shared(request, xen, module_guests):
    guests, running = module_guests
    request.node.guests = guests

    def get(app):
        g = running.get(app)
        stat = g.stat() if g and g.machine is xen else None
        if not stat or stat.state & {"shutdown", "dying"}:
            g = running[app] = guests(app)
        return g

    return get


@pytest.fixture
def disk(xen):
    made = []

    def make(mib=1, access="w", vdev="xvda"):
        path = f"/tmp/{vdev}.img"
        xen.run(f"dd if=/dev/zero of={path} bs=1M count={mib}")
        made.append(path)
        return f"format=raw,vdev={vdev},access={access},target={path}"

    yield make
    if made and xen.alive():
        xen.run(f"rm -f {' '.join(made)}")


@pytest.fixture
def dhcp(xen):
    def start(first="10.0.2.1", last="10.0.2.99", router="10.0.0.1", dns="10.0.0.1", lease=3600):
        xen.run(f"dhcp-server {first},{last},{router},{dns},{lease}")

    yield start
    if xen.alive():
        xen.run("dhcp-server stop", check=False)


@pytest.fixture(scope="session")
def echoload(tmp_path_factory):
    """tests/boot/dom0/echoload.c, linked statically: dom0 has no C library to fit it."""
    program = tmp_path_factory.mktemp("dom0") / "echoload"
    compiler = os.environ.get("CROSS_COMPILE", "x86_64-linux-gnu-") + "gcc"
    source = os.path.join(TOP, "tests", "boot", "dom0", "echoload.c")
    subprocess.run([compiler, "-O2", "-static", "-o", program, source], check=True)
    return program.read_bytes()


@pytest.fixture
def load(echoload):
    def run(guest, port, window, count, size=64, query=None):
        m = guest.machine
        if m.run("test -x /tmp/echoload", check=False).status:
            m.push("/tmp/echoload", echoload, mode=0o755)
        arguments = f"{guest.address} {port} {window} %d {size} {query.hex() if query else ''}"
        m.run(f"/tmp/echoload {arguments % (count // 10 + window)}", timeout=120)  # warm
        before = guest.stat().cpu_time
        said = m.run(f"/tmp/echoload {arguments % count}", timeout=300).out.split()
        answered, lost = int(said[1]), int(said[3])
        assert answered >= count and not lost, " ".join(said)
        return (guest.stat().cpu_time - before) / answered

    yield run


@pytest.fixture(scope="session")
def budgets():
    with open(os.path.join(TOP, "tests", "budgets.toml"), "rb") as f:
        return tomllib.load(f)


FIGURES = []


def pytest_terminal_summary(terminalreporter):
    if FIGURES:
        terminalreporter.section("measured, and the budget")
        terminalreporter.write_line("\n".join(FIGURES))


@pytest.fixture
def budget(budgets):
    """Fails when value exceeds the table's entry "section.name". The run's summary lists both."""

    def check(name, value):
        section, _, key = name.partition(".")
        limit = budgets[section][key]
        FIGURES.append(f"{name:42} {value:9,} of {limit:9,}")
        assert value <= limit, f"{name} is {value}, over its budget of {limit} (tests/budgets.toml)"

    return check


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """While the guests of a failed test still exist: keep and show all that explains the
    failure."""
    report = (yield).get_result()
    guests = getattr(item, "guests", None)
    if report.failed and "machines" in item.funcargs:
        item.funcargs["machines"].doubted = True
    if call.when != "call" or not report.failed or not guests:
        return
    for g in guests.made:
        alive = g.machine.alive()
        text = g.diagnosis() if alive else "the machine has stopped\n" + g.machine.console_tail(60)
        os.makedirs(LOGS, exist_ok=True)
        path = os.path.join(LOGS, f"{item.name}-{g.name}.log".replace("/", "_"))
        with open(path, "w") as f:
            f.write(text)
        report.sections.append((f"{g.name} (kept in {os.path.relpath(path, TOP)})", text))
