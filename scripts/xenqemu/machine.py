# SPDX-License-Identifier: ISC
"""A running Xen-on-QEMU: start it, run commands in its dom0, stop it, leave nothing behind.

    with Machine(Builder().image(), network=UserNetwork()) as m:
        print(m.run("xl list").out)

Xen and dom0 write to a serial port kept in a file; commands go over virtio-serial ports to the
agents (dom0/agent). There are two such ports, so that a hung command does not prevent a look at its
traces. Every wait has a limit.
"""

import os
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

from . import accel, cpio
from .net import NetworkError
from .signals import uninterrupted

MEMINFO = "/proc/meminfo"
CONTROL_PORTS = 2
DOM0_MEMORY = 320  # MiB, the payload not included
XEN_MEMORY = 96  # MiB for Xen itself; with icount or without, independent of the guests
FATAL = ("Panic on CPU", "Kernel panic", "FATAL TRAP", "FATAL PAGE FAULT")


class MachineError(Exception):
    """The machine does not start, has stopped or does not answer; the text says which."""


class CommandError(MachineError):
    """A command in dom0 failed."""

    def __init__(self, command, result):
        super().__init__(
            f"dom0: {command!r} ended with status {result.status}\n"
            + (result.out + result.err).rstrip()
        )
        self.result = result


class Result:
    """What a command left: status, and its output as bytes (raw) and text (out, err)."""

    def __init__(self, status, raw, err):
        self.status, self.raw = status, raw
        self.out, self.err = raw.decode(errors="replace"), err.decode(errors="replace")


class ShortOfMemory(MachineError):
    """The host has not that much memory. lacking: MiB."""

    def __init__(self, needed, free, total):
        self.lacking = needed - free
        super().__init__(
            f"the emulated machine needs {needed} MiB in all, and this host has {free} of its {total} MiB free"
        )


def check_memory(guests, dom0=DOM0_MEMORY):
    """Raises ShortOfMemory when the host cannot hold a machine whose guests have so many MiB together."""
    with open(MEMINFO, encoding="ascii") as f:
        mib = {name: int(size) >> 10 for name, size in re.findall(r"(?m)^(\w+): +(\d+) kB$", f.read())}
    free = mib["MemAvailable"] + mib["SwapFree"]
    if guests + dom0 + XEN_MEMORY > free:
        raise ShortOfMemory(guests + dom0 + XEN_MEMORY, free, mib["MemTotal"] + mib["SwapTotal"])


class Machine:
    """One QEMU process with Xen in it.

    memory       MiB for all guests together; dom0_memory: MiB for dom0, payload included
    pcpus        physical CPUs of the machine; dom0 gets as many vcpus, or dom0_vcpus if that is given,
                 which are then pinned to the first CPUs
    icount       virtual time counts instructions (one a nanosecond): repeatable; one pcpu only
    network      UserNetwork, TapNetwork or None
    disks        (file of the host, "r" or "w"): in dom0 /dev/vda, /dev/vdb ...
    payload      {path in dom0: bytes, or a path of the host}
    extra        further arguments of QEMU
    console_port adds the port /dev/con0 in dom0, which is self.console here (a connected socket)
    """

    bridge = "xenbr0"  # of dom0, made by its init

    def __init__(
        self,
        image,
        *,
        memory=256,
        dom0_memory=DOM0_MEMORY,
        pcpus=1,
        dom0_vcpus=0,
        icount=False,
        network=None,
        disks=(),
        payload=None,
        console_port=False,
        dhcp="",
        cpu="",
        extra=(),
        boot_timeout=240,
        progress=lambda text: None,
    ):
        if icount and pcpus != 1:
            raise MachineError("icount needs pcpus=1: only one CPU's instructions can be the clock")
        self.image, self.network, self.progress = image, network, progress
        self.memory, self.dom0_memory, self.pcpus, self.icount = memory, dom0_memory, pcpus, icount
        self.dom0_vcpus = dom0_vcpus
        self.disks, self.payload, self.dhcp, self.cpu = list(disks), dict(payload or {}), dhcp, cpu
        self.boot_timeout, self.extra = boot_timeout, list(extra)
        self.console = None
        self._names = [f"ctl{i}" for i in range(CONTROL_PORTS)] + (["con0"] if console_port else [])
        self._controls, self._process, self._next = [], None, 0
        self._claim = threading.Semaphore(CONTROL_PORTS)
        self.workdir = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        """Boot until the agents answer. On any failure everything is cleaned up and MachineError
        raised."""
        check_memory(self.memory, self.dom0_memory)
        self.workdir = tempfile.mkdtemp(prefix="xenolith.")
        try:
            if self.network:
                self.network.check()
            self._launch()
            self._wait_ready()
        except BaseException:
            self.stop()
            raise

    def stop(self):
        """End QEMU and remove every trace, however impatient the user is. Safe to call at any time,
        twice too."""
        with uninterrupted():
            self._stop()

    def _stop(self):
        process, self._process = self._process, None
        if process and process.poll() is None:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for link in self._controls + ([self.console] if self.console else []):
            link.close()
        self._controls, self.console = [], None
        if hasattr(self.network, "close"):
            self.network.close()
        if self.workdir:
            shutil.rmtree(self.workdir, ignore_errors=True)
            self.workdir = None

    def alive(self):
        return self._process is not None and self._process.poll() is None

    def last_cpu(self):
        """The number of the last physical CPU."""
        return self.pcpus - 1

    def poweroff(self, grace=10):
        """Shut dom0 down in order; True if the machine went off by itself in time."""
        try:
            self.run("poweroff -f", timeout=grace)
        except MachineError:
            pass  # there is no answer to this one
        try:
            self._process.wait(grace)
            return True
        except subprocess.TimeoutExpired:
            return False

    # Commands in dom0.

    def run(self, command, input=b"", timeout=60, check=True):
        """Run a shell command in dom0; Result. Raises CommandError if it fails and check is set,
        MachineError if there is no answer within timeout seconds of the host's clock (None: however
        long it takes)."""
        if not self._claim.acquire(timeout=timeout):
            raise MachineError(
                f"both control ports of dom0 are busy, {command!r} had to wait over {timeout} s"
            )
        try:
            if not self._controls:
                raise MachineError("dom0 does not answer any more (every control port is lost)")
            link = self._controls.pop()
            result = self._exchange(link, command.encode(), input, timeout)
            self._controls.append(link)
        finally:
            self._claim.release()
        if check and result.status:
            raise CommandError(command, result)
        return result

    def push(self, path, data, mode=0o644):
        """Write bytes to a file of dom0."""
        self.run(
            f"mkdir -p '{os.path.dirname(path)}' && cat >'{path}' && chmod {mode:o} '{path}'",
            input=data,
        )

    def pull(self, path):
        """The bytes of a file of dom0."""
        return self.run(f"cat '{path}'").raw

    def _exchange(self, link, command, data, timeout):
        self._next += 1
        # dom0 ends the command a little later than we give up; under icount its clock runs ahead of
        # ours, so not there.
        limit = 0 if self.icount or timeout is None else int(timeout) + 5
        head = b"%d %d %d %d\n" % (self._next, limit, len(command), len(data))
        try:
            link.deadline = None if timeout is None else time.monotonic() + timeout
            link.send(head + command + data)
            ident, status, size, errors = (int(field) for field in link.line().split())
            return Result(status, link.take(size), link.take(errors))
        except TimeoutError:
            link.close()
            raise MachineError(
                f"dom0: no answer to {command.decode()!r} within {timeout} s"
            ) from None
        except OSError as e:
            raise MachineError(f"lost the machine: {e}\n{self.console_tail()}") from e

    # Xen's and dom0's own console.

    def console_text(self):
        try:
            with open(os.path.join(self.workdir, "console"), errors="replace") as f:
                return f.read()
        except (OSError, TypeError):
            return ""

    def console_tail(self, lines=30):
        tail = self.console_text().splitlines()[-lines:]
        return "\n".join(["--- end of the console of Xen and dom0 ---"] + tail)

    def _launch(self):
        self._write_initrd()
        for name, target in (("xen", self.image.xen), ("vmlinuz", self.image.kernel)):
            os.symlink(target, os.path.join(self.workdir, name))
        arguments, descriptors, ours = self._arguments()
        log = open(os.path.join(self.workdir, "qemu.log"), "wb")
        try:
            self._process = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.workdir,
                pass_fds=descriptors,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )
        except FileNotFoundError as e:
            raise MachineError(f"no {arguments[0]} (Debian: qemu-system-x86)") from e
        finally:
            log.close()
            for s in ours:
                s.close()

    def _arguments(self):
        kind = "tcg,thread=single" if self.icount else accel.choose(self.image, self.progress)
        model = self.cpu or ("host" if kind == "kvm" else "qemu64")
        xen = (
            "console=com1 com1=115200,8n1 bootscrub=0 "
            f"dom0_mem={self.dom0_memory}M,max:{self.dom0_memory}M "
            f"dom0_max_vcpus={self.dom0_vcpus or self.pcpus}"
            + (" dom0_vcpus_pin" if self.dom0_vcpus else "")
        )
        settings = {"dhcp": self.dhcp}
        if self.network:
            settings.update(
                address=self.network.address,
                address6=self.network.address6,
                gateway=self.network.gateway,
            )
        # The kernel's tests of its ciphers take a fifth of its boot.
        linux = "console=hvc0 rdinit=/init quiet cryptomgr.notests " + " ".join(
            f"dom0.{k}={v}" for k, v in settings.items() if v
        )
        arguments = [
            "qemu-system-x86_64",
            "-accel",
            kind,
            "-cpu",
            model,
            "-smp",
            str(self.pcpus),
            "-display",
            "none",
            "-nodefaults",
            "-no-user-config",
            "-no-reboot",
            "-m",
            str(self.memory + self.dom0_memory + XEN_MEMORY),
            "-serial",
            "file:console",
            "-kernel",
            "xen",
            "-append",
            xen,
            "-initrd",
            f"vmlinuz {linux},initrd",
            "-device",
            "virtio-serial-pci",
            "-device",
            "virtio-rng-pci",
        ]
        if self.icount:
            # The random numbers of virtio-rng and the clock of the day repeat with it.
            arguments += ["-icount", "shift=0,sleep=off", "-seed", "1", "-rtc", "clock=vm"]
        descriptors, ours = [], []
        for name in self._names:
            near, far = socket.socketpair()
            (
                self._controls.append(_Link(near))
                if name.startswith("ctl")
                else setattr(self, "console", near)
            )
            ours.append(far)
            descriptors.append(far.fileno())
            arguments += [
                "-chardev",
                f"socket,id={name},fd={far.fileno()}",
                "-device",
                f"virtserialport,chardev={name},name={name}",
            ]
        for path, mode in self.disks:
            lock = ",readonly=on" if mode == "r" else ""
            name = os.path.abspath(path).replace(",", ",,")
            arguments += ["-drive", f"if=virtio,format=raw{lock},file={name}"]
        if self.network:
            link, files = self.network.qemu_arguments()
            arguments, descriptors = arguments + link, descriptors + files
        return arguments + self.extra, descriptors, ours

    def _write_initrd(self):
        archive = cpio.Archive()
        for path, source in self.payload.items():
            if isinstance(source, bytes):
                archive.file(path, source, 0o755)
            else:
                archive.copy(path, source)
        with open(os.path.join(self.workdir, "initrd"), "wb") as out:
            with open(self.image.initrd, "rb") as f:
                shutil.copyfileobj(f, out)
            out.write(archive.bytes())

    def _wait_ready(self):
        deadline = time.monotonic() + self.boot_timeout
        stages = _Stages(self.progress, time.monotonic())
        for link in self._controls:
            link.deadline = deadline
            while not select.select([link.socket], [], [], 0.1)[0]:
                stages.look(self.console_text(), time.monotonic())
                self._check_boot(deadline)
            try:
                greeting = link.line()
            except ConnectionError:
                self._process.wait(5)
                self._check_boot(deadline)
                raise
            if greeting != b"agent ready":
                raise MachineError("dom0's agent does not follow the protocol")
        stages.look(self.console_text(), time.monotonic())

    def _check_boot(self, deadline):
        text = self.console_text()
        if self._process.poll() is not None:
            with open(os.path.join(self.workdir, "qemu.log"), errors="replace") as f:
                said = f.read().strip()
            if "host forwarding" in said:  # two runs looked at the same port at once
                raise NetworkError(f"{said[said.find('Could not'):]}; choose another with PORT=")
            raise MachineError(
                f"QEMU ended with status {self._process.returncode}\n{said}\n{self.console_tail()}"
            )
        if any(mark in text for mark in FATAL):
            time.sleep(0.5)
            raise MachineError(f"Xen or dom0 crashed while booting\n{self.console_tail(60)}")
        if time.monotonic() > deadline:
            raise MachineError(
                f"dom0 was not up after {self.boot_timeout} s\n{self.console_tail()}"
            )


class _Stages:
    """What a booting machine is at, as its console shows: some lines of Xen's, and those that dom0's
    init writes for this. It is said again where nothing new is for a while."""

    XEN = {
        "(XEN) Brought up ": "Xen is up, and unpacks the kernel of dom0",
        "(XEN) *** Serial input to DOM0": "Xen has started dom0, whose Linux boots",
    }
    PATIENCE = 1.8  # seconds: nobody is to look at nothing for two

    def __init__(self, progress, now):
        self.progress, self.said, self.lines, self.stage = progress, now, 0, "Xen boots"

    def look(self, console, now):
        lines = console.split("\n")[:-1]
        for line in lines[self.lines :]:
            stage = line.strip() if line.startswith("dom0: ") else ""
            for begin, meaning in self.XEN.items():
                stage = meaning if line.startswith(begin) else stage
            if stage:
                self._say(stage, stage, now)
        self.lines = len(lines)
        if now >= self.said + self.PATIENCE:
            self._say(self.stage, f"still: {self.stage}", now)

    def _say(self, stage, text, now):
        self.progress(text)
        self.stage, self.said = stage, now


class _Link:
    """A control port: lines and counted bytes, with a deadline."""

    def __init__(self, near):
        self.socket, self.buffer, self.deadline = near, b"", 0

    def close(self):
        self.socket.close()

    def send(self, data):
        self._limit()
        self.socket.sendall(data)

    def line(self):
        while b"\n" not in self.buffer:
            self._more()
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line

    def take(self, size):
        while len(self.buffer) < size:
            self._more()
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def _limit(self):
        left = None if self.deadline is None else self.deadline - time.monotonic()
        if left is not None and left <= 0:
            raise TimeoutError
        self.socket.settimeout(left)

    def _more(self):
        self._limit()
        data = self.socket.recv(1 << 16)
        if not data:
            raise ConnectionError("QEMU closed the control port")
        self.buffer += data


def _die_with_parent():
    """Runs in the child before QEMU: the kernel shall end it with us, however we end."""
    import ctypes

    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
