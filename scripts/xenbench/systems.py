# SPDX-License-Identifier: ISC
"""The systems under test as guests of one machine: started paused, one at a time, all with the same
address, one vcpu and as little memory as each serves with."""

import os
import subprocess

from xenqemu import config as xlcfg
from xenqemu.guest import Guest
from xenqemu.machine import MachineError

from . import linux, zones

TOP = linux.TOP
OURS = "xenolith"
ADDRESS, MAC_PREFIX = "198.18.0.15", "00:16:3e:00:00"  # the first guest's, in net.IsolatedNetwork; others' follow it
NETWORK6 = "2001:2::"  # with the last number of the IPv4 address
MIB = 1 << 20
SECTOR = 512
MEMORY_BESIDE = 8  # MiB that a domain takes beside its own
TTY_TRIES = 50  # a tenth of a second each
DOM0_BENCH = "/run/xenolith-bench"  # on a Xen host, the only place we have


class PlacedGuest(Guest):
    """A guest whose kernel and RAM disk are already files of dom0."""

    def __init__(self, machine, name, config):
        super().__init__(machine, name, config)
        self.cfg = f"{DOM0_BENCH}/{name}.cfg"

    def _push_image(self, path):
        return path


class HostGuest(PlacedGuest):
    """One on a Xen host, whose domains are not all ours, and whose xenconsoled need not write logs."""

    def __init__(self, machine, name, config):
        super().__init__(machine, f"xenolith-bench-{name}", config)
        self.log = f"{DOM0_BENCH}/{name}.log"

    def create(self, paused=False, timeout=60):
        if self.find() is not None:
            raise MachineError(f"a domain called {self.name} is running: xl destroy {self.name} first")
        # xl would take it from dom0, unasked, and nobody gave it back.
        free, needed = int(self.machine.facts()["free_memory"]), self.config["memory"] + MEMORY_BESIDE
        if free < needed:
            raise MachineError(
                f"{self.name} needs {needed} MiB, and Xen has {free} MiB free: measure fewer at once (SYSTEMS=), or let dom0 "
                "have less (xl mem-set Domain-0 MIB, or dom0_mem= on Xen's command line)"
            )
        self.machine.destroy_at_end(self.name)
        super().create(paused, timeout)
        self._log_console()
        return self

    def _log_console(self):
        """As dom0's xenconsoled does where it is told to. The terminal ends with the domain, and with it cat."""
        tty = f"/local/domain/{self.domid}/console/tty"
        self.machine.run(
            f"n=0; until tty=$(xenstore-read {tty} 2>/dev/null) && [ -n \"$tty\" ]; do n=$((n + 1)); [ $n -lt {TTY_TRIES} ]"
            f" || exit 1; sleep 0.1; done; : >{self.log}; cat \"$tty\" >{self.log} 2>/dev/null </dev/null &"
        )


class Subject:
    """One system with one zone (or none), with wanted MiB (0: as little as it serves with).
    image_bytes, image_gz_bytes (of ours) and memory are for the report."""

    def __init__(self, system, app, names, wanted=0):
        self.system, self.app, self.names, self.wanted = system, app, names, wanted
        self.port = 53 if app == "dns" else 7
        # What a Linux guest of this subject runs: an entry of linux.PEERS.
        self.peer = app if app in linux.PEERS else system
        self.place(0)
        self.cpus = ""  # the physical CPUs it may use, as xl.cfg(5) has them
        self.memory = self.image_bytes = self.image_gz_bytes = 0

    def place(self, index):
        """Tells it from its neighbours when several run side by side: its addresses."""
        network, _, host = ADDRESS.rpartition(".")
        self.address, self.mac = f"{network}.{int(host) + index}", f"{MAC_PREFIX}:{index + 1:02x}"
        self.address6 = f"{NETWORK6}{int(host) + index}"

    def image_sizes(self):
        """The fields of a result that tell them."""
        sizes = {"image_bytes": self.image_bytes}
        return sizes if self.system != OURS else dict(sizes, image_gz_bytes=self.image_gz_bytes)

    def _key(self):
        return self.app, self.names, self.system, self.wanted

    def __eq__(self, other):
        return self._key() == other._key()

    def __hash__(self):
        return hash(self._key())


def least_memory(system, names):
    """MiB that a guest of this system (or what it runs: Subject.peer) serves a zone of that many names with; of ours
    the build knows, which is never more than 4 for the zones of the boot rows."""
    if system == OURS:
        return 0
    peer = linux.PEERS[system]
    return peer.memory + -(-names * peer.per_name // MIB)


class Builder:
    """Makes what the subjects boot; out: where ours are built, work: scratch; memory: MiB that each has at least;
    on_host: where this machine itself runs Xen."""

    def __init__(self, out, work, distribution, progress, memory=0, on_host=False):
        self.out, self.work, self.distribution, self.progress = out, work, distribution, progress
        self.memory, self.on_host = memory, on_host
        self.ours, self.disks = {}, {}

    def zone_file(self, names):
        folder = os.path.join(self.out, f"zone-{names}")
        os.makedirs(folder, exist_ok=True)
        path = os.path.join(folder, "example.org.zone")
        text = zones.zone(names)
        if not os.path.exists(path) or open(path).read() != text:
            with open(path, "w") as f:
                f.write(text)
        return path

    def build_ours(self, app, names):
        """(path of the image, MiB): our app with a zone of that many names in it."""
        key = (app, names)
        if key not in self.ours:
            self.progress(f"building {app}" + (f", {names} names" if names else ""))
            folder = os.path.join(self.out, f"{app}-{names}" if names else app)
            words = [f"APP={app}", f"OUT={os.path.relpath(folder, TOP)}"]
            # make bench CONFIG_X=y: options of a run, for comparing.
            words += [f"{k}={v}" for k, v in os.environ.items() if k.startswith("CONFIG_")]
            if names:
                # As the peers are asked to: no authority section that nobody needs.
                zone = os.path.relpath(self.zone_file(names), TOP)
                words += [f"ZONE={zone}"]
            subprocess.run(
                ["make", "-s", "-j2", *words], cwd=TOP, env=_environment(), check=True
            )
            image = os.path.join(folder, app)
            with open(image + ".cfg") as f:
                memory = xlcfg.parse(f.read(), image + ".cfg")["memory"]
            self.ours[key] = image, memory
        return self.ours[key]

    def memory_of(self, subject):
        """MiB that the subject's guest gets."""
        if subject.wanted:
            return subject.wanted
        if subject.system == OURS:
            return max(self.memory, self.build_ours(subject.app, subject.names)[1])
        return max(self.memory, least_memory(subject.peer, subject.names))

    def prepare_disks(self, subjects):
        """The files of the host that dom0 shall have as its disks, in order. The peers' systems are
        too large to be unpacked into dom0's memory all at once."""
        peers = sorted({s.peer for s in subjects if s.system != OURS})
        images = {peer: self.distribution.base(linux.PEERS[peer], self.work) for peer in peers}
        if peers:
            images["vmlinux"] = linux.uncompressed_kernel(self.distribution.kernel())
        for index, (name, data) in enumerate(images.items()):
            path = os.path.join(self.work, name + ".disk")
            with open(path, "wb") as f:
                f.write(data + bytes(-len(data) % SECTOR))
            self.disks[name] = path, path if self.on_host else f"/dev/vd{chr(ord('a') + index)}"
        return [(path, "r") for path, _ in self.disks.values()]

    def payload(self, subjects):
        """{path in dom0: bytes or path of the host} for all of them."""
        files = {}
        for names in {s.names for s in subjects if s.system != OURS and s.names}:
            with open(self.zone_file(names)) as f:
                files[f"{DOM0_BENCH}/zone-{names}.cpio"] = linux.zone_part(f.read())
        for subject in subjects:
            if subject.system == OURS:
                path, _ = self.build_ours(subject.app, subject.names)
                files[_our_image(subject)] = path
        return files

    def create(self, machine, subject):
        """The guest, paused; sets subject.memory and the image's sizes."""
        subject.memory = self.memory_of(subject)
        make = self._ours if subject.system == OURS else self._linux
        config = dict(make(machine, subject), memory=subject.memory, vcpus=1)
        # QEMU's CPU does not say that its TSC is invariant, as every real one does: by default Xen would
        # emulate each reading of it, for 1,300 instructions. Our own configuration says the same.
        config["tsc_mode"] = "native"
        if subject.app != "hello":
            config["vif"] = [f"mac={subject.mac},bridge={machine.bridge},script=vif-bridge"]
        if subject.cpus:
            config["cpus"] = subject.cpus
        guest = (HostGuest if self.on_host else PlacedGuest)(machine, f"{subject.system}-{subject.app}", config)
        return guest.create(paused=True)

    def _ours(self, _, subject):
        image, _ = self.build_ours(subject.app, subject.names)
        subject.image_bytes, subject.image_gz_bytes = (os.path.getsize(image + end) for end in ("", ".gz"))
        return {
            # As it is, for the peers' kernel is not compressed either: see linux.uncompressed_kernel.
            "kernel": _our_image(subject),
            "extra": _our_words(subject),
            # hello ends before dom0 has looked at its CPU time.
            "on_poweroff": "preserve",
        }

    def _linux(self, machine, subject):
        kernel, ramdisk = f"{DOM0_BENCH}/vmlinux", f"{DOM0_BENCH}/ramdisk"
        machine.run(f"[ -e {kernel} ] || cat {self.disks['vmlinux'][1]} >{kernel}")
        system = self.disks[subject.peer][1]
        zone = f"{DOM0_BENCH}/zone-{subject.names}.cpio" if subject.names else "/dev/null"
        machine.run(f"cat {system} {zone} >{ramdisk}")
        size = int(machine.run(f"stat -c %s {ramdisk}").out)
        subject.image_bytes = os.path.getsize(self.distribution.kernel()) + size
        return {
            "kernel": kernel,
            "ramdisk": ramdisk,
            # norandmaps: where its memory lies decides whether a connection costs NSD 132,000 instructions or 136,000.
            "extra": f"console=hvc0 quiet norandmaps cryptomgr.notests rdinit=/init "
            f"address={subject.address}/24 address6={subject.address6}/64",
        }


def _our_words(subject):
    """Our guest's command line. hello, which has no network, gets none."""
    if subject.app == "hello":
        return ""
    # Not random, so that runs repeat.
    return f"ip={subject.address}/24 ip6={subject.address6}/64 seed={'5a' * 16}"


def _our_image(subject):
    return f"{DOM0_BENCH}/{OURS}-{subject.app}-{subject.names}"


def _environment():
    """Without what the surrounding make was given: APP=, OUT= and the like are for another."""
    drop = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES", "APP", "XENOLITH_OUT", "ZONE")
    return {key: value for key, value in os.environ.items() if key not in drop}
