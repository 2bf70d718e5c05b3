# SPDX-License-Identifier: ISC
"""The Xen that this machine itself runs, for those who know a Machine: what that runs in its dom0 is run here.

    with Host(FOLDER, IsolatedNetwork()) as dom0:
        print(dom0.run("xl list").out)

The guests get a bridge of their own, without a way out. Beside these there is FOLDER, a link to a temporary directory. All go
with us, whatever happens: what is undone at the end is noted before it is done. A second one is refused meanwhile.
"""

import contextlib
import ipaddress
import os
import re
import shutil
import signal
import subprocess
import tempfile

from . import image
from .machine import CommandError, MachineError, Result
from .signals import uninterrupted

CAPABILITIES = "/proc/xen/capabilities"
HEADERS = "/usr/include"
PROGRAMS = {"xl": "xen-utils-common", "xenstore-read": "xenstore-utils", "ip": "iproute2"}
SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
DESTROY_SECONDS = 60
PATIENCE = 10  # seconds that a command has to end after Ctrl-C: half a domain is worse than a late end


def is_dom0():
    try:
        with open(CAPABILITIES) as f:
            return "control_d" in f.read()
    except OSError:
        return False


class Host:
    """folder: an absolute path that does not exist yet, the same in both kinds of dom0. payload, set before the start: {path:
    bytes or a path of this machine}; each path is below folder, or in /bin: such a program is found by its name only here."""

    bridge = "xenbench"

    def __init__(self, folder, network, progress=lambda text: None):
        self.folder, self.network, self.progress = folder, network, progress
        self.payload = {}
        self.root, self._made = None, contextlib.ExitStack()

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def destroy_at_end(self, name):
        """A domain that is about to be created."""
        self._made.callback(
            self.run, f"while xl domid {name} && xl destroy {name}; do :; done", timeout=DESTROY_SECONDS, check=False
        )

    def stop(self):
        """Leave nothing behind, however impatient the user is. Safe to call twice."""
        with uninterrupted():
            self._made.close()
            self.root = None

    def alive(self):
        return self.root is not None

    def facts(self):
        """{name: value} of "xl info"."""
        return dict(re.findall(r"(?m)^(\S+) *: (.*)$", self.run("xl info").out))

    def last_cpu(self):
        """As Machine.last_cpu()."""
        return int(self.run("xl cpupool-list -c Pool-0").out.split()[-1].split(",")[-1])

    def run(self, command, input=b"", timeout=60, check=True):
        """As Machine.run()."""
        environment = dict(os.environ, PATH=f"{self.root}/bin:{SYSTEM_PATH}:{os.environ.get('PATH', '')}")
        process = subprocess.Popen(
            ["sh", "-c", command], cwd=self.root, env=environment, start_new_session=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        try:
            out, err = process.communicate(input, timeout)
        except subprocess.TimeoutExpired:
            _kill(process)
            raise MachineError(f"no end of {command!r} within {timeout} s") from None
        except BaseException:
            with uninterrupted():
                self.progress("ending")
                _end(process)
            raise
        result = Result(process.returncode, out, err)
        if check and result.status:
            raise CommandError(command, result)
        return result

    def push(self, path, data, mode=0o644):
        """Write bytes to a file below folder, or a program of /bin."""
        place = self._place(path)
        with open(place, "wb") as f:
            f.write(data)
        os.chmod(place, mode)

    def _place(self, path):
        inside = os.path.relpath(path, self.folder)
        if inside.startswith(".."):
            inside = path.lstrip("/")
            assert inside.startswith("bin/"), path
        place = os.path.join(self.root, inside)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        return place

    def check(self):
        """Raises MachineError where start would, as far as can be seen at once."""
        if os.geteuid():
            raise MachineError("this Xen host starts guests for root only: sudo make bench REALTIME=1 ...")
        path = f"{SYSTEM_PATH}:{os.environ.get('PATH', '')}"
        for program, package in PROGRAMS.items():
            if not shutil.which(program, path=path):
                raise MachineError(f"no {program} (Debian: {package})")
        if os.path.lexists(self.folder) or os.path.exists(f"/sys/class/net/{self.bridge}"):
            raise MachineError(
                "another benchmark is running. If one was killed, take away what it left: its domains (xl list) with "
                f"xl destroy; ip link del {self.bridge}; rm -rf $(readlink {self.folder}) {self.folder}"
            )

    def _start(self):
        self.check()
        with uninterrupted():
            self.root = self._made.enter_context(tempfile.TemporaryDirectory(prefix="xenolith."))
            os.symlink(self.root, self.folder)
            self._made.callback(os.unlink, self.folder)
        for path, source in self.payload.items():
            if isinstance(source, bytes):
                self.push(path, source, 0o755)
            else:
                os.symlink(os.path.abspath(source), self._place(path))
        self._add_programs()
        self._add_bridge()

    def _add_programs(self):
        domstat = self._place("/bin/domstat")
        image.compile_domstat(HEADERS, domstat)
        shutil.copy(os.path.join(image.HERE, "dom0", "waitlog"), self._place("/bin/waitlog"))
        said = self.run("domstat 0", check=False)
        if "no domain" in said.err:
            raise MachineError(
                f"the headers in {HEADERS}/xen are of another version than the Xen that runs: install its libxen-dev"
            )
        if said.status:
            raise MachineError(f"{domstat}: {said.err.strip()}; if programs may not be run there, set TMPDIR")

    def _add_bridge(self):
        for address in (self.network.address, self.network.address6):
            network = ipaddress.ip_interface(address).network
            if self.run(f"ip -{network.version} addr show to {network}").out.strip():
                raise MachineError(f"this machine has an address in {network} already, where the guests would be")
        settings = f"/proc/sys/net/ipv6/conf/{self.bridge}"
        self._made.callback(self.run, f"ip link del {self.bridge}", check=False)
        # As in the emulated dom0 (dom0/init).
        self.run(
            f"set -e; ip link add {self.bridge} type bridge; echo 0 >/sys/class/net/{self.bridge}/bridge/forward_delay; "
            f"echo 0 >{settings}/accept_ra; echo 0 >{settings}/accept_dad; "
            f"ip -6 addr add {self.network.address6} dev {self.bridge}; "
            f"ip addr add {self.network.address} dev {self.bridge}; ip link set {self.bridge} up"
        )


def _kill(process):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _end(process):
    """Ctrl-C does not reach what has a session of its own."""
    try:
        process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        _kill(process)
