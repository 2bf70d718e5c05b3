# SPDX-License-Identifier: ISC
"""What an operation of ours costs when there are many of a thing (make bench GROWTH=1): connections, timers, threads,
guests on the bridge, names in a zone. docs/growth.md says what each curve is."""

import json
import os

from xenqemu.image import Builder as Image
from xenqemu.machine import DOM0_MEMORY, CommandError, Machine, MachineError
from xenqemu.net import IsolatedNetwork

from . import linux, measure, report, systems, zones
from .systems import ADDRESS, DOM0_BENCH, OURS, Subject

PROGRAMS = ("growload", "udpload")
CONNECTIONS = (1, 10, 100, 1000, 10000)
TIMERS = (1, 10, 100, 1000, 10000, 100000)
THREADS = (1, 10, 100, 1000, 10000)
GUESTS = (1, 2, 5, 10, 20, 50)
NAMES = (100, 1000, 10000, 100000)
MILLION = 1000000
SHORT = 10000
CONNECTIONS_MEMORY = 16  # MiB that hold ten thousand
SOCKETS_MEMORY = 128  # MiB of dom0 for its ends of them
SLICES, SECONDS = 11, 30  # of growload
OPERATIONS = 20000  # of a job of apps/growth
QUESTIONS = 1000
SERVER_PORTS = 200  # of the client, so that it comes back to connections in TIME_WAIT
GUEST_MEMORY = 4
OVERHEAD = 32  # MiB beside a guest's memory
MIXES = {"query": "random", "missing": "missing"}  # of zones.queries()
LIMIT = 3600  # seconds of the host

# What is measured, in order; each gives curves "growth.GROUP.CURVE".
GROUPS = ("connections", "short", "timers", "threads", "guests", "names")
# The plots: file, what is counted, the y axis, and the curves of a group with what they are.
PLOTS = (
    ("growth-connections", "open TCP connections", "guest instructions an operation", "connections", {
        "udp": "a datagram echoed", "first": "echo on one of them, again and again",
        "any": "echo on any of them", "open": "open, echo, close: one more",
        "replace": "any one closes, another opens",
    }),
    ("growth-seconds", "open TCP connections", "guest instructions a second", "connections", {
        "silence": "all are idle", "trickle": "one of them is asked, 20 times a second",
    }),
    ("growth-timers", "timers armed", "guest instructions an operation", "timers", {
        "set": "set one more and cancel it", "fire": "one is due, runs, and is set anew",
    }),
    ("growth-threads", "threads that wait", "guest instructions an operation", "threads", {
        "switch": "another gives way, and goes on", "wake": "any is woken, and waits again",
        "create": "another is made, runs, ends",
    }),
    ("growth-guests", "guests on the bridge", "instructions of one guest", "guests", {
        "udp": "a datagram echoed, 32 in flight", "arp": "an ARP question for nobody",
    }),
    ("growth-bridge", "guests on the bridge", "instructions of dom0", "guests", {
        "dom0_udp": "a datagram echoed, 32 in flight", "dom0_arp": "an ARP question for nobody",
    }),
    ("growth-names", "names in the zone", "guest instructions a query, 100 in flight", "names", {
        "query": "random names", "missing": "names that do not exist",
    }),
)  # fmt: skip


def groups(only):
    """The groups of which a curve's name begins with one of only (all by default)."""
    names = [f"growth.{group}" for group in GROUPS]
    return [
        name.partition(".")[2]
        for name in names
        if not only or any(name.startswith(o) or o.startswith(name) for o in only)
    ]


def result(group, curve, number, value, **more):
    return {
        "name": f"growth.{group}.{curve}.{number}", "system": OURS, "group": group, "curve": curve,
        "number": number, "guest_instructions_per_op": value, **more,
    }  # fmt: skip


class Growth:
    """Measures on a running machine."""

    def __init__(self, machine, builder, progress, million):
        self.machine, self.builder, self.progress, self.million = machine, builder, progress, million

    def run(self, group):
        self.progress(group)
        try:
            yield from getattr(self, group)()
        except CommandError as e:
            raise MachineError(f"{group}: {e}") from e

    def _start(self, app, names=0, memory=None, number=0):
        """A guest that is on the network; number tells those that are there at once apart."""
        subject = Subject(OURS, app, names)
        address = f"{ADDRESS.rpartition('.')[0]}.{100 + number}" if number else ADDRESS
        config = {
            "kernel": image_file(subject),
            "memory": memory or self.builder.memory_of(subject),
            "vcpus": 1,
            "tsc_mode": "native",  # as its own configuration has it
            "vif": [f"bridge={self.machine.bridge}"],
            "extra": f"ip={address}/24 ip6=none seed={'5a' * 16}",
        }
        guest = systems.PlacedGuest(self.machine, f"growth-{app}-{number}", config).create()
        guest.wait(f"address {address}")
        self.machine.run("sleep 3")
        return guest

    def _load(self, guest, arguments, program="growload"):
        """What a load program said, line by line."""
        text = self.machine.run(f"{program} {guest.domid} {ADDRESS} {arguments}", timeout=LIMIT).out
        return [measure.parse_pairs(line) for line in text.splitlines()]

    def connections(self):
        guest = self._start("echo", memory=CONNECTIONS_MEMORY)
        numbers = " ".join(map(str, CONNECTIONS))
        for said in self._load(guest, f"7 connections {SLICES} {SECONDS} {numbers}"):
            number = said.pop("connections")
            for curve, value in said.items():
                yield result("connections", curve, number, value)
        guest.destroy()

    def short(self):
        for app, port, ports, curve in (
            ("echo", 7, 0, "client_closes"), ("nettest", 13, SERVER_PORTS, "server_closes"),
        ):  # fmt: skip
            guest = self._start(app)
            (said,) = self._load(guest, f"{port} short {SHORT} {ports}")
            latency = {key: said[key] for key in ("p50", "p99", "max")}
            cost = round(said["guest"] / said["answered"])
            yield result("short", curve, SHORT, cost, operations=said["answered"], latency_ns=latency)
            guest.destroy()

    def _tell(self, guest, text):
        (said,) = self._load(guest, f"7 tell '{text}'")
        return said["guest"]

    def _jobs(self, group, numbers, jobs):
        """Jobs of apps/growth, (what there is to be many of, the operation), with every number."""
        guest = self._start("growth")
        for number in numbers:
            for things, curve in jobs:
                self._tell(guest, f"{things} {number}")
                self._tell(guest, f"{curve} {number}")  # as if it had been so for long
                cost = self._tell(guest, f"{curve} {OPERATIONS}") / OPERATIONS
                yield result(group, curve, number, round(cost, 1))
        guest.destroy()

    def timers(self):
        return self._jobs("timers", TIMERS, (("timers", "set"), ("due", "fire")))

    def threads(self):
        jobs = [("threads", curve) for curve in ("switch", "wake", "create")]
        return self._jobs("threads", THREADS, jobs)

    def guests(self):
        guests = [self._start("echo")]
        for number in GUESTS:
            while len(guests) < number:
                guests.append(self._start("echo", number=len(guests)))
            (said,) = self._load(guests[0], "7 32 500 5000 size:64", "udpload")
            done = said["answered"]
            (noise,) = self._load(guests[0], f"{self.machine.bridge} arp {QUESTIONS}")
            for curve, guest, dom0 in (
                ("udp", said["guest"] / done, said["dom0"] / done), ("arp", noise["guest"], noise["dom0"]),
            ):  # fmt: skip
                yield result("guests", curve, number, round(guest))
                yield result("guests", f"dom0_{curve}", number, round(dom0))
        for guest in guests:
            guest.destroy()

    def names(self):
        for names in names_of(self.million):
            guest = self._start("dns", names)
            for curve, mix in MIXES.items():
                (said,) = self._load(
                    guest, f"53 100 500 5000 queries:{query_file(mix, names)}", "udpload"
                )
                yield result("names", curve, names, round(said["guest"] / said["answered"]))
            guest.destroy()


def names_of(million):
    return NAMES + ((MILLION,) if million else ())


def needed(chosen, million):
    """The guests that the groups start, without their memory."""
    apps = {
        "connections": ["echo"], "short": ["echo", "nettest"], "timers": ["growth"],
        "threads": ["growth"], "guests": ["echo"],
    }  # fmt: skip
    found = {app for group in chosen for app in apps.get(group, ())}
    subjects = [Subject(OURS, app, 0) for app in sorted(found)]
    if "names" in chosen:
        subjects += [Subject(OURS, "dns", names) for names in names_of(million)]
    return subjects


def image_file(subject):
    return f"{DOM0_BENCH}/growth-{subject.app}-{subject.names}"


def query_file(mix, names):
    return f"{DOM0_BENCH}/growth-{mix}-{names}"


def payload(subjects, builder, work):
    files = {
        f"/bin/{name}": linux.compile_static(work, name, measure.FILES, [f"{name}.c", "load.c"])
        for name in PROGRAMS
    }
    for subject in subjects:
        files[image_file(subject)] = builder.build_ours(subject.app, subject.names)[0]
        for mix in MIXES.values() if subject.names else ():
            text = zones.queries(mix, subject.names, measure.QUERIES)
            files[query_file(mix, subject.names)] = text.encode()
    return files


def measure_all(chosen, million, out, work, progress):
    """The results of these groups, as each is measured."""
    image = Image(progress=progress).image()
    builder = systems.Builder(out, work, None, progress)
    subjects = needed(chosen, million)
    files = payload(subjects, builder, work)
    size = sum(len(f) if isinstance(f, bytes) else os.path.getsize(f) for f in files.values())
    largest = max([CONNECTIONS_MEMORY, *map(builder.memory_of, subjects)])
    if "guests" in chosen:
        largest = max(largest, GUESTS[-1] * (GUEST_MEMORY + 1))
    machine = Machine(
        image,
        memory=largest + OVERHEAD,
        dom0_memory=DOM0_MEMORY + SOCKETS_MEMORY + (3 * size >> 20),
        icount=True,
        cpu="qemu64,+rdrand",
        network=IsolatedNetwork(),
        payload=files,
        progress=progress,
    )
    progress(f"starting Xen {image.manifest['xen']} on QEMU")
    with machine:
        growth = Growth(machine, builder, progress, million)
        for group in chosen:
            yield from growth.run(group)


# --- what is written -------------------------------------------------------------------------


def tables(results):
    """Markdown: a table for each group, a line for each number."""
    lines = []
    for group in GROUPS:
        found = [r for r in results if r["group"] == group]
        curves = list(dict.fromkeys(r["curve"] for r in found))
        if not found:
            continue
        lines += [f"| {group} | " + " | ".join(curves) + " |", "|---:|" + "---:|" * len(curves)]
        for number in sorted({r["number"] for r in found}):
            cells = {r["curve"]: f"{r['guest_instructions_per_op']:,.0f}" for r in found if r["number"] == number}
            lines.append(f"| {number:,} | " + " | ".join(cells.get(c, "") for c in curves) + " |")
        lines.append("")
    return "\n".join(lines)


def write(results, folder):
    """Writes growth.json, growth.md and the plots; their names. What the last run has of groups that were not
    measured now stays."""
    path = os.path.join(folder, "growth.json")
    measured = {r["group"] for r in results}
    if os.path.exists(path):
        with open(path) as f:
            results = [r for r in json.load(f)["results"] if r["group"] not in measured] + results
    report.write_json(results, {"machine": "QEMU with -icount, one CPU"}, path)
    with open(os.path.join(folder, "growth.md"), "w") as f:
        f.write(tables(results))
    return ["growth.json", "growth.md", *map(os.path.basename, plots(results, folder))]


def plots(results, folder):
    """Writes the PNG files; their paths. Needs matplotlib."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    written = []
    for file, x, y, group, curves in PLOTS:
        figure, axes = pyplot.subplots(figsize=(7, 4))
        for curve, label in curves.items():
            points = sorted(
                (r["number"], r["guest_instructions_per_op"])
                for r in results
                if r["group"] == group and r["curve"] == curve
            )
            if points:
                axes.plot(*zip(*points), marker="o", label=label)
        if axes.lines:
            axes.set_xscale("log")
            axes.set_ylim(bottom=0)
            axes.set_xlabel(x)
            axes.set_ylabel(y)
            axes.grid(alpha=0.3)
            axes.legend(fontsize=8)
            path = os.path.join(folder, file + ".png")
            figure.savefig(path, dpi=80, bbox_inches="tight", metadata={"Software": None})
            written.append(path)
        pyplot.close(figure)
    return written
