# SPDX-License-Identifier: ISC
"""One interactive run of an app in Xen-on-QEMU: boot, tell when it answers, show its console, shut
everything down."""

import contextlib
import os
import select
import sys
import threading
import time

from .cmdline import complete
from .debian import DebianError
from .guest import Guest
from .image import Builder
from .machine import Machine, MachineError, ShortOfMemory, check_memory
from .net import NetworkError, UserNetwork

GUEST_ADDRESS = "10.0.2.15"
OVERHEAD = 32  # MiB beside each guest's memory: its page tables and what the toolstack rounds up
ANSWER_SECONDS = 30
SHUTDOWN_SECONDS = 8


class Session:
    """options: see scripts/run. service: services.Service or None. config: the guest's xl.cfg as a
    dictionary. Raises ValueError when its command line gets too long."""

    def __init__(self, options, config, service, served=""):
        self.options, self.config, self.service, self.served = options, config, service, served
        self.shown = config.get("extra", "")
        if config.get("vif"):
            config["extra"], self.shown = command_line(config)
        self.network = network_of(service)
        self.began = time.monotonic()
        self.machine = self.guest = None
        self.ended = threading.Event()
        self.verdict = ""

    def say(self, text):
        show(f"[{time.monotonic() - self.began:5.1f} s] {text}")

    def run(self):
        """The exit status of the program. Ctrl-C ends the guest in order: status 0."""
        status = 1
        try:
            # Before minutes of fetching and building, not after them.
            check(self.config, self.service)
            image = Builder(self.options.suite, self.say).image()
            self.machine = self._make_machine(image)
            self.say(f"starting Xen {image.manifest['xen']} on QEMU")
            self.machine.start()
            self._start_guest()
            self._follow()
            status = 1 if "reason code 3" in self.verdict else 0
        except KeyboardInterrupt:
            show()
            status = 0
        except (DebianError, MachineError, NetworkError, OSError) as e:
            show(f"run: {e}", file=sys.stderr)
            self._explain()
        finally:
            self._shut_down()
        return status

    def _make_machine(self, image):
        self.disks = [disk_file(entry) for entry in self.config.get("disk", [])]
        return Machine(
            image,
            memory=self.config["memory"] + OVERHEAD,
            network=self.network,
            disks=self.disks,
            pcpus=self.options.pcpus,
            icount=self.options.icount,
            console_port=True,
            progress=self.say,
        )

    def _start_guest(self):
        config = dict(self.config)
        # The images are dom0's own disks, in the same order.
        for index, (path, mode) in enumerate(self.disks):
            letter = chr(ord("a") + index)
            config["disk"][index] = f"phy:/dev/vd{letter},xvd{letter},{mode}"
        self.guest = Guest(self.machine, config.pop("name"), config)
        self.guest.create(paused=True)
        self.say(
            f"guest {self.guest.name} created: {config['memory']} MiB, "
            f"{config.get('vcpus', 1)} vcpu, "
            f'extra="{self.shown}"'
        )
        threading.Thread(target=self._attach, daemon=True).start()
        self.guest.unpause()
        self.say("guest started; its console follows, Ctrl-C ends it")

    def _attach(self):
        try:
            self.verdict = self.machine.run(
                f"attach {self.guest.name}", timeout=None
            ).out.strip()
        except MachineError as e:
            self.verdict = str(e)
        self.ended.set()

    def _follow(self):
        """Console out, terminal in, until the guest or our input's patience ends; meanwhile look
        whether it answers."""
        inputs = [sys.stdin] if self.options.forward_input else []
        probing = self.service and self.service.probe
        if probing:
            threading.Thread(target=self._probe, daemon=True).start()
        elif self.service:
            port = self.service.host_port
            self.say(f"127.0.0.1:{port} leads to it: {self.service.attempt.format(port=port)}")
        quiet = 0
        while quiet < 2:
            readable = [stream for stream in inputs if may_read(stream)]
            ready = select.select([self.machine.console] + readable, [], [], 0.25)[0]
            if self.machine.console in ready:
                data = self.machine.console.recv(1 << 16)
                if not data:
                    raise MachineError("QEMU ended")
                sys.stdout.buffer.write(data.replace(b"\r\n", b"\n"))
                sys.stdout.flush()
            if sys.stdin in ready:
                data = os.read(sys.stdin.fileno(), 4096)
                if data:
                    self.machine.console.sendall(data)
                else:
                    inputs.remove(sys.stdin)
            quiet = quiet + 1 if self.ended.is_set() and not ready else 0
        self.say(f"guest ended: {self.verdict or 'it is gone'}")
        if "reason code 3" in self.verdict:
            self._explain()

    def _probe(self):
        deadline = time.monotonic() + ANSWER_SECONDS
        port = self.service.host_port
        while not self.ended.is_set():
            began = time.monotonic()
            if self.service.probe(port):
                self.say(
                    f"the guest answers on 127.0.0.1:{port} (UDP and TCP). Try:\n\n"
                    f"    {self.service.attempt.format(port=port, served=self.served)}\n"
                )
                return
            if began > deadline:
                self.say(
                    f"the guest has not answered on 127.0.0.1:{port} within {ANSWER_SECONDS} s; "
                    f"the port leads to {GUEST_ADDRESS}, is that its address?"
                )
                return
            time.sleep(max(0, 0.2 - (time.monotonic() - began)))

    def _explain(self):
        if self.guest and self.machine.alive():
            show(self.guest.diagnosis(console=False), file=sys.stderr)

    def _shut_down(self):
        try:
            self._shut_down_in_order()
        except KeyboardInterrupt:
            pass  # a second Ctrl-C: at once
        finally:
            if self.machine:
                self.machine.stop()

    def _shut_down_in_order(self):
        if not self.machine or not self.machine.alive():
            return
        try:
            if self.guest and self.guest.domid is not None and not self.ended.is_set():
                self.say("shutting the guest down")
                self.guest.xl("shutdown", check=False, timeout=SHUTDOWN_SECONDS)
                self._drain(SHUTDOWN_SECONDS)
                if not self.ended.is_set():
                    self.say(f"it has not ended within {SHUTDOWN_SECONDS} s: destroying it")
        except (MachineError, OSError) as e:
            self.say(str(e))
        self.say("switching the machine off")
        self.machine.poweroff(grace=5)

    def _drain(self, seconds):
        """Show what the guest prints on its way out, if there is still somebody to see it."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self.ended.is_set():
            if select.select([self.machine.console], [], [], 0.1)[0]:
                data = self.machine.console.recv(1 << 16)
                if not data:
                    raise MachineError("QEMU ended")
                with contextlib.suppress(OSError):
                    sys.stdout.buffer.write(data.replace(b"\r\n", b"\n"))
                    sys.stdout.flush()


def show(*words, file=None):
    """print(), but where the terminal has gone: that is a reason to end, and not to end out of order."""
    with contextlib.suppress(OSError):
        print(*words, file=file, flush=True)


def may_read(stream):
    """Not without an input; and who reads a terminal in whose background it is, is stopped."""
    try:
        return stream is not None and (
            not stream.isatty() or os.tcgetpgrp(stream.fileno()) == os.getpgrp()
        )
    except OSError:
        return False  # the terminal of another session, or one that has gone


def command_line(config):
    """complete() of the guest's own: the emulated CPU has no RDRAND, so a seed of the host's is in it."""
    address = [f"ip={GUEST_ADDRESS}/24", f"gw={UserNetwork.gateway}"]
    return complete(config.get("extra", ""), address)


def check(config, service):
    """Raises MachineError or NetworkError when the host has not what a session needs: memory, the port; and
    ValueError when the command line is too long."""
    network_of(service).check()
    if config.get("vif"):
        command_line(config)
    memory = config["memory"]
    try:
        check_memory(memory + OVERHEAD)
    except ShortOfMemory as e:
        most = memory - e.lacking
        remedy = f"take MEMORY={most} or less, or " if most > 0 else ""
        raise MachineError(f"MEMORY={memory}: {e}; {remedy}end other programs") from e


def network_of(service):
    """The machine's network, with the service's port of 127.0.0.1 leading to the guest."""
    if not service:
        return UserNetwork()
    return UserNetwork(
        (protocol, service.host_port, GUEST_ADDRESS, service.guest_port)
        for protocol in ("udp", "tcp")
    )


def disk_file(entry):
    """(path, "r" or "w") of a disk entry as scripts/xlcfg writes it: key=value, the target last."""
    options, _, path = entry.partition("target=")
    return path, "r" if "access=r," in options else "w"
