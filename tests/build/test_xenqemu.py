# SPDX-License-Identifier: ISC
"""scripts/xenqemu and scripts/run where no Xen is needed: ports, and what an interruption leaves."""
import contextlib
import errno
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading

import pytest
from conftest import TOP, call
from test_xlcfg import load
from xenqemu import accel, addresses, cmdline, debian, machine, net, services, session


@pytest.fixture
def port():
    """A UDP port of this machine that is taken."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("0.0.0.0", 0))
        yield s.getsockname()[1]


@pytest.fixture
def refused(tmp_path):
    """What make run says, which must refuse these words before anything is fetched or built."""
    def run(*words):
        done = call("make", "run", *words, f"OUT={tmp_path}/out", XENOLITH_CACHE=f"{tmp_path}/cache")
        assert done.returncode != 0
        assert not os.path.exists(tmp_path / "cache")
        made = [name for _, _, names in os.walk(tmp_path / "out") for name in names]
        assert set(made) <= {".xenolith", ".gitignore", f"{words[0][4:]}.config", "config.h", "config.mk"}
        return done.stdout.splitlines()[0]
    return run


def test_a_port_in_use_is_refused_before_anything_is_fetched(refused, port):
    said = refused("APP=dns", f"PORT={port}")
    assert str(port) in said and "in use" in said and "PORT=" in said


@pytest.mark.parametrize("words, complaint", [
    (["APP=dns", "MEMORY=lots"], "run: MEMORY='lots': a whole number from 1"),
    (["APP=dns", "VCPUS=0"], "VCPUS='0'"), (["APP=dns", "DISK=/none"], "/none does not exist"),
    (["APP=dns", "IP=192.0.2"], "IP='192.0.2'"), (["APP=dns", "PORT=99999"], "PORT: '99999'"),
    (["APP=dns", "EXTRA=x ip=1.2.3"], "run: EXTRA='x ip=1.2.3': ip=1.2.3: want a host's IPv4 address and prefix length"),
    (["APP=dns", "TARGET=unix", "EXTRA=ip=1.2.3"], "run: EXTRA=ip=1.2.3: ip=1.2.3: want a host's IPv4 address"),
    (["APP=dns", "IP6=2001:db8::2/48"], "IP6='2001:db8::2/48': ip6=2001:db8::2/48: want an IPv6 address such as"),
    (["APP=hello", "PORT=53"], "HOST:GUEST"), (["APP=hello", "PCPUS=x"], "PCPUS=x"),
    (["APP=hello", "SUITE=sarge"], "bookworm"), (["APP=hello", "TARGET=xyz"], "TARGET=xyz"),
    (["APP=hello", "TARGET=unix", "MEMORY=0"], "MEMORY=0"),
    (["APP=dns", "ZONE=/none"], "cannot open '/none' for reading: No such file or directory"),
    (["APP=dns", "ZONE=apps/dns/example.org.zone a.org=/"], "'/': Is a directory"),
    (["APP=dns", "ZONE=b.org=~/none.zone"], os.path.expanduser("~/none.zone")),
])
def test_a_wrong_value_is_refused_before_anything_is_fetched(refused, words, complaint):
    assert complaint in refused(*words)


def test_more_memory_than_the_host_has(monkeypatch, tmp_path):
    (tmp_path / "meminfo").write_text("MemTotal: 4194304 kB\nMemFree: 1 kB\nMemAvailable: 2097152 kB\n"
                                      "SwapTotal: 2097152 kB\nSwapFree: 1048576 kB\nHugePages_Free: 0\n")
    monkeypatch.setattr(machine, "MEMINFO", tmp_path / "meminfo")
    around = machine.DOM0_MEMORY + machine.XEN_MEMORY + session.OVERHEAD
    session.check({"memory": 3072 - around}, None)
    with pytest.raises(machine.MachineError) as refusal:
        session.check({"memory": 3072 - around + 1}, None)
    assert str(refusal.value) == (
        f"MEMORY={3073 - around}: the emulated machine needs 3073 MiB in all, and this host has 3072 of its "
        f"6144 MiB free; take MEMORY={3072 - around} or less, or end other programs")
    with pytest.raises(machine.MachineError, match="MiB free; end other programs"):
        monkeypatch.setattr(machine, "XEN_MEMORY", 9999)
        session.check({"memory": 4}, None)
    with pytest.raises(machine.MachineError, match="needs 10320 MiB"):
        machine.Machine(image=None, memory=1).start()


def test_command_line_is_checked_before_the_build():
    with pytest.raises(ValueError, match="bytes with address and seed"):
        session.check({"memory": 4, "vif": [""], "extra": "x" * 1000}, None)


def test_default_ports():
    """Not one that Debian's own daemons hold, and as the documents say."""
    port = services.service_of("dns", "").host_port
    assert port == 5300
    for name in ("README.md", "docs/simulator.md", "scripts/run", "scripts/run-unix"):
        with open(os.path.join(TOP, name), encoding="utf-8") as stream:
            text = stream.read()
        assert str(port) in text and "5353" not in text


@pytest.mark.parametrize("line, shown", [
    ("", "ip=A gw=G"),
    ("one 'two  words'", "ip=A gw=G one 'two  words'"),
    ("-- 7", "ip=A gw=G -- 7"),
    ("-- ip=x seed=y", "ip=A gw=G -- ip=x seed=y"),
    ("'--' ip=dhcp", "'--' ip=dhcp"),
    ("'ip=dhcp' x", "'ip=dhcp' x"),
    ("zip=1 \"a ip=b\" c\\ ip=d", "ip=A gw=G zip=1 \"a ip=b\" c\\ ip=d"),
    ("ip6=none gw=B", "ip=A gw=G ip6=none gw=B"),  # the guest takes the last of two
    ("'not closed ip=1", "ip=A gw=G 'not closed ip=1"),
])
def test_address_and_seed_come_first(line, shown):
    """Behind "--" they would be the app's arguments, the secret seed among them."""
    given, seen = cmdline.complete(line, ["ip=A", "gw=G"])
    seed, rest = given.split(" ", 1)
    assert seen == shown == rest and re.fullmatch("seed=[0-9a-f]{32}", seed)


ALL = {"NET": "1", "IPV4": "1", "IPV6": "1", "DHCP": "1"}


def without(*names):
    return {name: value for name, value in ALL.items() if name not in names}


@pytest.mark.parametrize("line, want, config", [
    ("ip=1.2.3", "ip", ALL), ("ip=192.0.2.2", "ip", ALL), ("ip=192.0.2.2/33", "ip", ALL), ("ip=192.0.2.2/0", "ip", ALL),
    ("ip=192.0.2.256/24", "ip", ALL), ("ip=192.0.2.0/24", "ip", ALL), ("ip=192.0.2.255/24", "ip", ALL),
    ("ip=127.0.0.1/8", "ip", ALL), ("ip=", "ip", ALL), ("ip=DHCP", "ip", ALL), ("ip=192.0.2.2/24 'ip=x'", "ip", ALL),
    ("ip=192.0.2.2/024", "", ALL), ("ip=192.000.002.002/24", "", ALL), ("ip=192.0.2.2/31", "", ALL), ("ip=192.0.2.255/32", "", ALL),
    ("ip=x ip=192.0.2.2/24", "", ALL), ("-- ip=x gw=x ip6=x", "", ALL), ("zip=x", "", ALL), ("ip4=x", "", ALL),
    ("ip1=x", "ip1", ALL), ("ip61=x", "ip61", ALL), ("ip63=x", "ip63", ALL), ("ip3=dhcp gw63=fe80::1", "", ALL),
    ("ip=192.0.2.2/24 gw=192.0.2.1", "", ALL), ("ip=192.0.2.2/24 gw=192.0.3.1", "gw", ALL),
    ("ip=192.0.2.2/24 gw=192.0.2.2", "gw", ALL), ("ip=192.0.2.2/24 gw=192.0.2.255", "gw", ALL),
    ("ip=192.0.2.2/24 gw=x", "gw", ALL), ("ip=dhcp gw=192.0.2.1", "gw", ALL), ("gw=192.0.2.1", "", ALL),
    ("ip6=2001:db8::2/64 gw6=fe80::1", "", ALL), ("ip6=2001:db8::2", "", ALL), ("ip6=auto", "", ALL), ("ip6=none", "", ALL),
    ("ip6=1:2:3:4:5:6:7::", "", ALL), ("ip6=2001:db8::2/65", "ip6", ALL), ("ip6=2001:db8::2/", "ip6", ALL),
    ("ip6=::ffff:192.0.2.1", "ip6", ALL), ("ip6=::ffff:c000:201", "ip6", ALL),
    ("gw6=::ffff:c000:201", "gw6", ALL), ("ip6=fe80::1%0", "ip6", ALL), ("ip6=::1", "ip6", ALL), ("ip6=ff02::1", "ip6", ALL),
    ("gw6=x", "gw6", ALL), ("ip=dhcp", "ip", without("DHCP")), ("ip=none", "", without("DHCP")),
    ("ip=192.0.2.2/24", "ip", without("IPV4")), ("ip=none ip6=none", "", without("IPV4", "IPV6")),
    ("ip6=fe80::1", "ip6", without("IPV6")), ("gw6=fe80::1", "gw6", without("IPV6")), ("ip=x ip6=x", "", without("NET")),
    ("ip=x", "", dict(ALL, NET_BARE="1")),
])
def test_addresses_that_the_guest_would_refuse(line, want, config):
    """In the guest's own words, which are in one C file."""
    said = ""
    try:
        addresses.check(line, config)
    except ValueError as problem:
        said = str(problem)
    assert said.partition("=")[0] == want, said
    with open(os.path.join(TOP, "lib/net/address.c"), encoding="utf-8") as stream:
        words = re.sub(r'"\s+"', "", stream.read())
    assert not want or f'"{said.partition(": want ")[2]}"' in words


def test_command_line_with_a_seed_or_too_long():
    assert cmdline.complete("ip=dhcp seed=12 -- x", ["ip=A"]) == ("ip=dhcp seed=12 -- x",) * 2
    added = len("seed= ip=A ") + 32
    cmdline.complete("x" * (cmdline.MAX - added), ["ip=A"])
    with pytest.raises(ValueError, match="EXTRA=xxx.*1024 bytes.*1023"):
        cmdline.complete("x" * (cmdline.MAX - added + 1), ["ip=A"])


def test_a_long_command_line_is_refused_before_anything_is_fetched(app, tmp_path):
    done = call("scripts/run", "echo", "EXTRA=" + "x" * 1000, XENOLITH_OUT=app("echo"),
                XENOLITH_CACHE=f"{tmp_path}/cache")
    assert done.returncode == 2 and "Xen takes 1023" in done.stdout, done.stdout
    assert not os.path.exists(tmp_path / "cache")


def test_end_of_qemu_is_seen_while_the_guest_ends():
    s = session.Session(None, {}, None)
    s.machine = machine.Machine(image=None)
    s.machine.console, far = socket.socketpair()
    far.close()
    with pytest.raises(machine.MachineError, match="QEMU ended"):
        s._drain(seconds=20)


# A session's loop, with a terminal on which somebody has typed, before or behind which it is.
FOLLOWING = """
import fcntl, os, pty, signal, socket, sys, termios
from types import SimpleNamespace
from xenqemu import session
master, slave = pty.openpty()
os.setsid()
fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
os.write(master, b"typed\\n")
child = os.fork()
if not child:
    if sys.argv[1] == "background":
        os.setpgid(0, 0)
    os.dup2(slave, 0)
    sys.stdin = open(0) if sys.argv[1] != "none" else None
    s = session.Session(SimpleNamespace(forward_input=True), {}, None)
    near, far = socket.socketpair()
    s.machine = SimpleNamespace(console=near)
    s.ended.set()
    s._follow()
    near.close()
    print("typed" if far.recv(99) else "nothing", flush=True)
    os._exit(0)
if os.WIFSTOPPED(os.waitpid(child, os.WUNTRACED)[1]):
    os.kill(child, signal.SIGKILL)
    print("stopped")
"""


@pytest.mark.parametrize("where, read", [("foreground", "typed"), ("background", "nothing"), ("none", "nothing")])
def test_in_the_background_the_terminal_is_not_read(where, read):
    """Who does that is stopped."""
    done = call("/usr/bin/python3", "-Bc", FOLLOWING, where, PYTHONPATH=os.path.join(TOP, "scripts"))
    assert done.stdout.splitlines()[-1] == read, done.stdout


class Ending:
    """A machine and its guest, whose last words come as it is told to end; what they are asked is noted."""

    def __init__(self, running):
        self.session, self.asked = running, []
        self.console, self.far = socket.socketpair()
        self.name, self.domid = "guest", 1

    def alive(self):
        return True

    def xl(self, verb, **_):
        self.asked.append(verb)
        self.far.sendall(b"goodbye\n")
        threading.Timer(0.3, self.session.ended.set).start()

    def poweroff(self, grace):
        self.asked.append("poweroff")

    def stop(self):
        self.asked.append("stop")
        self.console.close()
        self.far.close()


@pytest.mark.parametrize("terminal", [True, False])
def test_a_lost_terminal_does_not_keep_a_session_from_ending_in_order(monkeypatch, capfd, terminal):
    s = session.Session(None, {}, None)
    ending = s.machine = s.guest = Ending(s)

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(session, "check", interrupted)  # is where SIGHUP comes
    with open(os.devnull if terminal else "/dev/full", "w", encoding="utf-8") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        assert s.run() == 0
        monkeypatch.undo()
        with contextlib.suppress(OSError):
            stdout.close()
    assert ending.asked == ["shutdown", "poweroff", "stop"] and capfd.readouterr().err == ""


def full(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/tmp/xenolith.x")


def test_a_host_without_room_is_told_in_a_line(monkeypatch, capsys):
    monkeypatch.setattr(session, "check", full)
    assert session.Session(None, {}, None).run() == 1
    assert capsys.readouterr().err == "run: [Errno 28] No space left on device: '/tmp/xenolith.x'\n"


def test_a_process_that_cannot_be_run_is_told_in_a_line(tmp_path, monkeypatch, capsys):
    program = load("run-unix")
    monkeypatch.setattr(program, "OUT", str(tmp_path))
    monkeypatch.setattr(program.signal, "signal", lambda *_: None)

    def said(*words):
        monkeypatch.setattr(sys, "argv", ["run-unix", "hello", *words])
        assert program.main() == 2
        return capsys.readouterr().err.rstrip("\n")

    (tmp_path / "obj/hello").mkdir(parents=True)
    (tmp_path / "obj/hello/config.h").write_text("#define CONFIG_APP_NICS 1\n")
    assert said() == "run: hello is not built: make APP=hello TARGET=unix"
    (tmp_path / "hello.unix").touch()
    assert said("SANITIZE=1") == "run: hello is not built: make APP=hello TARGET=unix SANITIZE=1"

    def refused(*_):
        raise net.NetworkError("no TAP now, though there was one")

    monkeypatch.setattr(program, "network_kind", lambda *_: refused)
    assert said() == "run: no TAP now, though there was one"
    (tmp_path / "obj/hello/config.h").write_text("#define CONFIG_APP_NICS 0\n")
    assert said() == f"run: [Errno 13] Permission denied: '{tmp_path}/hello.unix'"


@pytest.mark.parametrize("losetup, status, node, said", [
    ('[ "$1" != -f ] || echo /dev/null', 0, "/dev/null", "connected"),
    ('[ "$1" = -f ] && echo /dev/null', 1, None, "no loop device for {image}"),  # taken, again and again
    ("exit 1", 1, None, "no loop device for {image}"),
    ('[ "$1" != -f ] || echo {image}.none', 1, "{image}.none", "no device {image}"),
])
def test_a_disk_without_a_loop_device_is_not_connected(tmp_path, losetup, status, node, said):
    """dom0's hotplug script, with tools that write files in the place of the store's nodes."""
    image = tmp_path / "a.img"
    image.write_bytes(bytes(512))
    for name, text in {"xenstore-read": 'cat "$1"', "usleep": "exit 0", "losetup": losetup.format(image=image),
                       "xenstore-write": 'while [ $# != 0 ]; do echo "$2" >"$1"; shift 2; done'}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "params").write_text(f"{image}\n")
    done = call("sh", os.path.join(TOP, "scripts/xenqemu/dom0/block"), "add",
                XENBUS_PATH=tmp_path, PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert done.returncode == status

    def read(name):
        return (tmp_path / name).read_text().strip() if (tmp_path / name).exists() else None

    assert read("node") == (node and node.format(image=image))
    assert read("hotplug-error" if status else "hotplug-status") == said.format(image=image)
    assert read("hotplug-status") == ("error" if status else "connected")


def test_interrupted_probe_leaves_no_verdict(tmp_path, monkeypatch):
    class Image:
        path = str(tmp_path / "image")

    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.delenv("XENOLITH_ACCEL", raising=False)
    monkeypatch.setattr(accel, "_cpu_can", lambda: True)
    monkeypatch.setattr(os, "access", lambda *_: True)
    monkeypatch.setattr(accel, "_probe", interrupted)
    with pytest.raises(KeyboardInterrupt):
        accel.choose(Image)
    monkeypatch.setattr(accel, "_probe", lambda _: True)
    assert accel.choose(Image) == "kvm"
    monkeypatch.setattr(accel, "_probe", interrupted)
    assert accel.choose(Image) == "kvm"  # remembered


def test_failed_download_leaves_nothing(tmp_path, monkeypatch):
    packages = debian.Packages("bookworm", str(tmp_path))
    os.mkdir(packages.debs)

    def fails(*_, cwd):
        with open(os.path.join(cwd, "half.deb"), "wb") as stream:
            stream.write(b"!<arch>")
        raise debian.DebianError("gone")

    monkeypatch.setattr(packages, "_apt", fails)
    with pytest.raises(debian.DebianError):
        packages.fetch({"toy": "1"})
    assert os.listdir(packages.debs) == []


def test_impatience_while_the_machine_stops(tmp_path):
    """Ctrl-C during stop(): it goes on, and its directory is removed."""
    m = machine.Machine(image=None)
    m.workdir = str(tmp_path / "work")
    os.mkdir(m.workdir)
    m._process = subprocess.Popen(["sh", "-c", "trap 'sleep 0.5; exit 0' TERM; sleep 20 & echo; wait"],
                                  stdout=subprocess.PIPE, start_new_session=True)
    m._process.stdout.readline()
    process, work = m._process, m.workdir
    timer = threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    m.stop()
    timer.join()
    os.killpg(process.pid, signal.SIGKILL)  # its sleep
    assert process.returncode == 0 and not os.path.exists(work)


def test_a_boot_is_never_silent_for_two_seconds():
    """Each stage once, as soon as its line is complete; and again where nothing else is said."""
    said = []
    stages = machine._Stages(lambda text: said.append((now, text)), 0)
    console = {0.2: "(XEN) Xen version 4.17\n", 0.9: "(XEN) Brought up 1 CPUs\n(XEN) *** Serial in",
               3.4: "put to DOM0 (type\n", 7.0: "dom0: 2.9 s: ready\r\n"}
    text = ""
    for now in (tenth / 10 for tenth in range(80)):
        text += console.get(now, "")
        stages.look(text, now)
    first, second = machine._Stages.XEN.values()
    assert said == [(0.9, first), (2.7, f"still: {first}"), (3.4, second), (5.2, f"still: {second}"),
                    (7.0, "dom0: 2.9 s: ready")]


def test_port_lost_to_another_run(tmp_path):
    """Two runs looked at one port at once: QEMU's own words become ours."""
    m = machine.Machine(image=None)
    m.workdir = str(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken, open(tmp_path / "qemu.log", "wb") as log:
        rule = f"user,id=n0,hostfwd=tcp:127.0.0.1:{taken.getsockname()[1]}-10.0.2.15:7"
        m._process = subprocess.Popen(
            ["qemu-system-x86_64", "-display", "none", "-nodefaults", "-machine", "none",
             "-netdev", rule], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        assert m._process.wait(20)
    with pytest.raises(net.NetworkError, match="^Could not .*PORT="):
        m._check_boot(deadline=float("inf"))


def test_command_without_a_limit():
    """The one that tells how the guest ended may take as long as the guest lives."""
    near, far = socket.socketpair()
    m = machine.Machine(image=None)
    m._controls = [machine._Link(near)]
    timer = threading.Timer(0.2, lambda: far.sendall(b"1 0 2 0\nhi"))
    timer.start()
    assert m.run("wait", timeout=None).out == "hi"
    assert far.recv(99) == b"1 0 4 0\nwait"  # 0: dom0 is to set no limit either
    timer.join()


@pytest.fixture
def xen_host(app, tmp_path, monkeypatch):
    """scripts/run on a machine that says it is a dom0, with an xl that writes down what it is asked. There is
    a domain while there is the file xl.domain."""
    program = load("run")
    out = str(app("hello"))
    monkeypatch.setattr(program, "OUT", out)
    monkeypatch.setattr(program, "is_dom0", lambda: True)
    monkeypatch.setenv("XENOLITH_OUT", out)
    for name in program.NAMES + ("NAME",):
        monkeypatch.delenv(name, raising=False)

    def run(*words, xl="exit 0"):
        log = tmp_path / "log"
        (tmp_path / "xl").write_text(
            f'#!/bin/sh\necho "$@" >>{log}\n[ "$1" != create ] || cat "$3" >>{log}\n'
            f'case $1 in create) : >"$0.domain" ;; domid) [ -e "$0.domain" ] || exit 1 ;; esac\n{xl}\n')
        (tmp_path / "xl").chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin" if xl else "/nowhere")
        monkeypatch.setattr(sys, "argv", ["run", *words])
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
        old = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
        try:
            status = program.main()
        except KeyboardInterrupt:
            status = 130
        finally:
            for number, handler in old.items():
                signal.signal(number, handler)
        assert not list(tmp_path.glob("xenolith*"))
        return status, log.read_text() if log.exists() else ""
    return run


def test_on_a_xen_host_its_own_xl_is_used(xen_host):
    status, asked = xen_host("hello", "MEMORY=5")
    assert status == 0
    assert asked.startswith("domid hello\ncreate -c ") and "memory = 5\n" in asked and "out/test/apps/hello" in asked
    assert asked.endswith("domid hello\nshutdown -w hello\n")  # it was still there


def test_on_a_xen_host_whose_guest_has_ended(xen_host):
    status, asked = xen_host("hello", xl='rm -f "$0.domain"')
    assert status == 0 and asked.count("domid hello\n") == 2 and "shutdown" not in asked


def test_on_a_xen_host_whose_guest_cannot_be_created(xen_host):
    status, asked = xen_host("hello", xl='[ "$1" != create ] || { rm "$0.domain"; exit 3; }')
    assert status == 3 and asked.endswith("domid hello\n")


def test_on_a_xen_host_a_guest_that_runs_already_is_left_alone(xen_host, tmp_path, capsys):
    (tmp_path / "xl.domain").touch()
    status, asked = xen_host("hello")
    assert status == 2 and asked == "domid hello\n"
    assert "run: a domain called hello is running: xl shutdown hello first" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("terminal", [True, False])
def test_signal_on_a_xen_host_ends_the_guest(xen_host, monkeypatch, number, terminal):
    """A connection that breaks, a service manager: the guest and the file do not stay behind."""
    def show(*words, **_):
        if words[0].startswith("xl") and not terminal:
            raise OSError("the terminal has gone")

    monkeypatch.setattr("builtins.print", show)
    status, asked = xen_host("hello", xl=f'[ "$1" != create ] || {{ kill -{int(number)} $PPID; sleep 5; }}')
    assert status == 130 and asked.endswith("domid hello\nshutdown -w hello\n")


def test_a_terminal_that_goes_is_told_twice(xen_host):
    status, asked = xen_host("hello", xl='case $1 in create|shutdown) kill -HUP $PPID; sleep 0.5; esac')
    assert status == 130 and asked.endswith("shutdown -w hello\n")


def test_second_signal_on_a_xen_host_destroys_the_guest(xen_host):
    status, asked = xen_host("hello", xl='case $1 in create|shutdown) kill -TERM $PPID; sleep 5; esac')
    assert status == 130 and asked.endswith("shutdown -w hello\ndestroy hello\n")


def test_a_xen_host_without_room(xen_host, monkeypatch, capsys):
    monkeypatch.setattr(tempfile, "NamedTemporaryFile", lambda *_, **__: full())
    assert xen_host("hello") == (2, "domid hello\n") and capsys.readouterr().err.startswith("run: [Errno 28] ")


def test_xen_host_without_xl(xen_host, capsys):
    status, asked = xen_host("hello", xl="")
    assert status == 2 and not asked and "xl is not to be found" in capsys.readouterr().err
