# SPDX-License-Identifier: ISC
"""A guest domain of a Machine: create it, watch its console and figures, end it, collect its
traces."""

import re

from .config import render
from .machine import CommandError, MachineError

REASONS = {0: "poweroff", 1: "reboot", 2: "suspend", 3: "crash", 4: "watchdog", 5: "soft reset"}


class Stat:
    """The hypervisor's figures for a domain: cpu_time in ns (instructions under icount), pages,
    state, reason."""

    def __init__(self, line):
        fields = dict(field.split("=", 1) for field in line.split())
        self.cpu_time, self.pages, self.max_pages = (
            int(fields[key]) for key in ("cpu_time", "pages", "max_pages")
        )
        self.vcpus, self.domid = int(fields["vcpus"]), int(fields["domid"])
        self.state = set(fields["state"].split("+"))
        self.reason = (
            REASONS.get(int(fields["reason"]), fields["reason"]) if "reason" in fields else None
        )


class Guest:
    """config: a dictionary of xl.cfg(5); "kernel" is a path of the host, copied into dom0."""

    _pushed = {}  # what each machine's dom0 already has, by content

    def __init__(self, machine, name, config):
        self.machine, self.name = machine, name
        self.config = dict(config, name=name)
        self.domid = None
        self.log = f"/var/log/xen/console/guest-{name}.log"
        self.cfg = f"/guest/{name}.cfg"

    def write_config(self):
        """Put the configuration and the images it names into dom0; the path of the configuration
        there."""
        config = dict(self.config)
        for key in ("kernel", "ramdisk"):
            if config.get(key):
                config[key] = self._push_image(config[key])
        self.machine.push(self.cfg, render(config).encode())
        return self.cfg

    def _push_image(self, path):
        with open(path, "rb") as f:
            data = f.read()
        key = (id(self.machine), self.machine.workdir, hash(data))
        if key not in self._pushed:
            self._pushed[key] = f"/guest/image{len(self._pushed)}"
            self.machine.push(self._pushed[key], data)
        return self._pushed[key]

    def create(self, paused=False, timeout=60):
        """xl create; the domain's id is in self.domid after."""
        cfg = self.write_config()
        self.machine.run(f"xl create {'-p ' if paused else ''}{cfg}", timeout=timeout)
        self.domid = self.find()
        return self

    def find(self):
        """The current domain id by name, or None. It changes when the guest reboots."""
        result = self.machine.run(f"xl domid {self.name}", check=False)
        return int(result.out) if result.status == 0 else None

    def xl(self, command, timeout=60, check=True):
        """An xl command on this domain: xl("shutdown"), xl("sysrq", ...) takes the verb and what
        follows the domain."""
        verb, _, rest = command.partition(" ")
        return self.machine.run(f"xl {verb} {self.name} {rest}", timeout=timeout, check=check)

    def unpause(self):
        self.xl("unpause")

    def console(self):
        """Everything the guest has printed so far."""
        return self.machine.run(f"cat {self.log}", check=False).out

    def wait(self, pattern, timeout=30, count=1):
        """Wait for count console lines matching the basic regular expression (grep's); returns the
        last one's text. The timeout is of dom0's clock, which runs fast under icount when all are
        idle."""
        quoted = pattern.replace("'", "'\\''")
        domid = self.domid if self.domid is not None else -1
        result = self.machine.run(
            f"waitlog {domid} {self.log} {count} {timeout} '{quoted}'",
            timeout=timeout + 30,
            check=False,
        )
        if result.status == 0:
            return result.out.splitlines()[-1].rstrip("\r")
        why = "the guest ended" if result.status == 3 else f"{timeout} s passed"
        raise MachineError(f"{self.name}: {why} without the console line {pattern!r}")

    def stat(self):
        """Stat of the domain, or None when it is gone."""
        result = self.machine.run(f"domstat {self.domid}", check=False)
        return Stat(result.out) if result.status == 0 else None

    def wait_gone(self, timeout=30):
        """Wait until the domain no longer exists."""
        loop = (
            f"n={timeout * 20}; while domstat {self.domid} >/dev/null 2>&1; do "
            "[ $n -le 0 ] && exit 1; n=$((n-1)); usleep 50000; done"
        )
        if self.machine.run(loop, timeout=timeout + 30, check=False).status:
            raise MachineError(
                f"{self.name} still exists after {timeout} s: "
                + self.machine.run("domstat", check=False).out
            )

    def wait_restarted(self, timeout=30):
        """Wait until xl has started the guest again after a reboot; its new domain id."""
        loop = (
            f"n={timeout * 10}; until xl domid {self.name} 2>/dev/null; do "
            "[ $n -le 0 ] && exit 1; n=$((n-1)); usleep 100000; done"
        )
        result = self.machine.run(loop, timeout=timeout + 30, check=False)
        if result.status:
            raise MachineError(f"{self.name} was not started again within {timeout} s")
        return int(result.out)

    def wait_shutdown(self, timeout=30):
        """Wait until the domain has shut down but was preserved (on_poweroff="preserve" and the
        like); its Stat."""
        loop = (
            f"n={timeout * 20}; until domstat {self.domid} | grep -q shutdown; do "
            "[ $n -le 0 ] && exit 1; n=$((n-1)); usleep 50000; done"
        )
        if self.machine.run(loop, timeout=timeout + 30, check=False).status:
            raise MachineError(f"{self.name} has not shut down within {timeout} s")
        return self.stat()

    def send(self, text):
        """Type text on the guest's console."""
        self.machine.run(
            f"cat >$(xenstore-read /local/domain/{self.domid}/console/tty)", input=text.encode()
        )

    def destroy(self):
        """End the domain if it still exists."""
        if self.machine.alive():
            self.machine.run(
                f"while xl domid {self.name} >/dev/null 2>&1; do xl destroy {self.name}; done",
                timeout=30,
                check=False,
            )

    def diagnosis(self, console=True):
        """All that helps to understand a failure: the guest's console (unless it was shown), xl's
        log, Xen's messages."""
        parts = []
        commands = (
            ("console of " + self.name, f"tail -n 200 {self.log}"),
            ("xl list", "xl list; domstat"),
            ("xl's log", f"tail -n 40 /var/log/xen/xl-{self.name}.log"),
            ("xl dmesg", "xl dmesg | tail -n 40"),
        )
        for title, command in commands[0 if console else 1 :]:
            try:
                text = self.machine.run(command, timeout=15, check=False).out
            except (MachineError, CommandError) as e:
                text = str(e)
            parts.append(f"--- {title} ---\n{_printable(text)}")
        return "\n".join(parts)


def _printable(text):
    return re.sub(r"[^\t\n -~\u00a0-\uffff]", "", text).rstrip()
