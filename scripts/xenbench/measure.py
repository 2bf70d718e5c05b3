# SPDX-License-Identifier: ISC
"""What is measured, and how: rows, the load programs in dom0, their answers as results."""

import os

from xenqemu.machine import CommandError, MachineError

from . import iperf, linux, zones
from .systems import DOM0_BENCH, OURS, Subject, least_memory

FILES = os.path.join(linux.TOP, "tests", "bench", "dom0")
PROGRAMS = ("udpload", "tcpload", "bootwatch", "hypercount")
DNS_SYSTEMS = (OURS, "knot", "nsd", "bind")
ECHO_SYSTEMS = (OURS, "linux")
FLOOR = "reflect"  # our guest without a stack
HELLO = "hello"  # our guest without a network
OVERHEAD = 48  # MiB beside a guest's memory; the buffer of Xen's trace is in it
ECHO_SIZE = 64
ZONE_NAMES = 1000
# Different queries; a run that has more asks them again.
QUERIES = 5000
LOAD_SECONDS = 1200
# Operations of the pass that counts hypercalls: Xen's buffer holds all that happens meanwhile.
TRACED, TRACED_WINDOWS, TRACED_KIB = 1000, 10, 8192
BOOT_MEMORIES = (4, 16, 64, 256, 1024)  # MiB
BOOTS = 7  # of ours, before its rows: how often it is woken up before the first question is a matter of luck


class Row:
    """One line of the table: a kind of load at one window on one app and zone.

    spec: what to send, as the load program takes it; a query mix after a colon becomes the file's
    path. count: operations in a full run; QUICK does a fraction. ip6: asked over IPv6. most: operations that the user
    allows, 0 for any number.
    """

    def __init__(self, name, app, program, spec, window, count, names=0, ip6=False):
        self.name, self.app, self.program, self.spec = name, app, program, spec
        self.window, self.count, self.names, self.ip6 = window, count, names, ip6
        self.most = 0

    def systems(self):
        if self.app == FLOOR:
            return (OURS,)
        return DNS_SYSTEMS if self.app == "dns" else ECHO_SYSTEMS

    def mix(self):
        """The query mix this row needs, or ""."""
        return self.spec.partition(":")[2] if self.app == "dns" else ""

    def argument(self):
        kind, _, what = self.spec.partition(":")
        return f"{kind}:{_query_file(what, self.names)}" if self.app == "dns" else self.spec


    def subjects(self):
        """The guests that are measured."""
        return [Subject(system, self.app, self.names) for system in self.systems()]

    def traced(self):
        """How many operations the pass that counts hypercalls has."""
        return min(self.count, max(TRACED, TRACED_WINDOWS * self.window))


class BulkRow(Row):
    """A stream of iperf3's, in one direction."""

    def __init__(self, what, options, count):
        super().__init__(f"tcp.{what}", iperf.APP, iperf.APP, options, 1, count)

    def traced(self):
        return min(self.count, TRACED_KIB)


class BootRow(Row):
    """The boot of one app with so many MiB: of our guest, and of those others that work with it."""

    def __init__(self, app, memory, names=0):
        name = f"boot_at_{memory}.{app}" + (f".{names}" if names else "")
        super().__init__(name, app, None, "", 0, 0, names)
        self.memory = memory

    def systems(self):
        if self.app == HELLO:
            return (OURS,)
        return [s for s in super().systems() if least_memory(s, self.names) <= self.memory]

    def subjects(self):
        return [Subject(s, self.app, self.names, self.memory) for s in self.systems()]


def _query_file(mix, names):
    return f"{DOM0_BENCH}/queries-{mix}-{names}"


def _udp(window, count, size=ECHO_SIZE):
    name = f"udp.echo.{window}" if size == ECHO_SIZE else f"udp.echo_{size}.{window}"
    return Row(name, "echo", "udpload", f"size:{size}", window, count)


def _floor(window, count):
    return Row(f"udp.floor.{window}", FLOOR, "udpload", f"size:{ECHO_SIZE}", window, count)


def _dns(what, window, count, spec="queries:random", names=ZONE_NAMES, program="udpload", ip6=False):
    return Row(f"dns.{what}.{window}", "dns", program, spec, window, count, names, ip6)


def _plan(million):
    rows = [_udp(1, 5000), _udp(32, 20000), _udp(256, 20000), _udp(32, 10000, 1400)]
    rows += [_floor(window, 20000 if window > 1 else 5000) for window in (1, 32, 100, 256)]
    rows += [Row("tcp.echo", "echo", "tcpload", "echo:", 1, 65536)]
    rows += [BulkRow("receive", "", 524288), BulkRow("send", "-R", 524288)]
    rows += [_dns("query", window, 20000 if window > 1 else 5000) for window in (1, 32, 100, 256)]
    rows += [
        _dns("hot", 100, 20000, "queries:hot"),
        _dns("missing", 100, 20000, "missing:missing"),
        _dns("edns", 100, 20000, "edns:random"),
        _dns("query6", 100, 20000, ip6=True),
        _dns("tcp", 32, 10000, "kept:random", program="tcpload"),
        # Knot's listen queue holds ten: with more at a time its clients wait for retransmissions.
        _dns("tcp_connection", 8, 5000, "each:random", program="tcpload"),
    ]
    for names in (100, 10000) + ((1000000,) if million else ()):
        rows.append(_dns(f"names_{names}", 100, 20000, names=names))
    for memory in BOOT_MEMORIES:
        rows += [BootRow(HELLO, memory), BootRow("echo", memory), BootRow("dns", memory, ZONE_NAMES)]
    return rows


# Enough to see every system and every kind of load within five minutes.
QUICK_ROWS = {
    "udp.echo.1": 5000, "udp.echo.32": 4000, "udp.floor.100": 12000, "tcp.echo": 32768,
    "tcp.receive": 32768, "tcp.send": 32768, "dns.query.1": 5000,
    "dns.query.100": 8000, "dns.missing.100": 8000, "dns.tcp_connection.8": 4000,
}  # fmt: skip


def rows(quick, only=(), million=False, most=0):
    """The rows to measure, those whose name begins with one of only (all of them by default), of no more than so many
    operations each."""
    found = []
    for row in _plan(million):
        if quick and row.name not in QUICK_ROWS:
            continue
        if only and not any(row.name.startswith(prefix) for prefix in only):
            continue
        row.count = QUICK_ROWS[row.name] if quick else row.count
        row.most = most
        row.count = min(row.count, most) if most else row.count
        found.append(row)
    return found


def subjects(chosen, systems=()):
    """[(Subject, its rows)]: one boot for each system, app, zone and memory."""
    groups = {}
    for row in chosen:
        for subject in row.subjects():
            if not systems or subject.system in systems:
                groups.setdefault(subject, []).append(row)
    return list(groups.items())


def payload(chosen, work):
    """{path in dom0: bytes or path of the host}: the load programs and the queries."""
    files = {
        f"/bin/{name}": linux.compile_static(work, name, FILES, [f"{name}.c", "load.c"])
        for name in PROGRAMS
    }
    if any(row.app == iperf.APP for row in chosen):
        files.update(iperf.payload(linux.Distribution(lambda text: None).tree))
    for row in chosen:
        if row.mix():
            text = zones.queries(row.mix(), row.names, min(QUERIES, row.count))
            files[_query_file(row.mix(), row.names)] = text.encode()
    return files


def parse_pairs(text):
    """{name: number} of a line "name number name number ..."."""
    words = text.split()
    if not words or len(words) % 2:
        raise MachineError(f"not pairs of a name and a number: {text!r}")
    try:
        return {name: int(number) for name, number in zip(words[::2], words[1::2])}
    except ValueError as e:
        raise MachineError(f"not pairs of a name and a number: {text!r}") from e


def load_result(row, subject, text):
    """What a load program said, as a result."""
    said = parse_pairs(text)
    done = said["answered"]
    if not done:
        raise MachineError(f"{subject.system}: {row.name}: no answers: {text!r}")
    # An error is answered faster than a question.
    if said["good"] != done:
        raise MachineError(f"{subject.system}: {row.name}: wrong answers: {text!r}")
    result = {
        "name": row.name,
        "system": subject.system,
        "rate": round(done * 1e9 / said["nanoseconds"], 1),
        "guest_instructions_per_op": round(said["guest"] / done, 1),
        "dom0_instructions_per_op": round(said["dom0"] / done, 1),
        "operations": done,
        "lost": said["lost"],
        "good": said["good"],
        "answer_bytes_per_op": round(said["bytes"] / done, 1),
        "window": row.window,
        "memory_mib": subject.memory,
        **subject.image_sizes(),
    }
    if row.names:
        result["zone_names"] = row.names
    if "p50" in said:
        result["latency_ns"] = {key: said[key] for key in ("p50", "p90", "p99", "max")}
    return result


def count_result(row, text):
    """What hypercount said of one row, as fields of its result."""
    said, done = parse_pairs(text), row.traced()
    return {
        "hypercalls_per_op": round(said["guest"] / done, 3),
        "events_from_guest_per_op": round(said["guest_events"] / done, 3),
        "events_to_guest_per_op": round(said["dom0_events"] / done, 3),
        "dom0_hypercalls_per_op": round(said["dom0"] / done, 3),
    }


def boot_result(subject, text):
    """What bootwatch said, as a result."""
    place = f"boot_at_{subject.wanted}" if subject.wanted else "boot"
    result = {
        "name": f"{place}.{subject.app}" + (f".{subject.names}" if subject.names else ""),
        "system": subject.system,
        "memory_mib": subject.memory,
        **subject.image_sizes(),
    }
    for line in text.splitlines():
        event, nanoseconds, instructions = line.split()
        result[f"{event}_ns"] = int(nanoseconds)
        result[f"{event}_instructions"] = int(instructions)
    if f"first_{'line' if subject.app == HELLO else 'answer'}_ns" not in result:
        raise MachineError(f"{subject.system}: bootwatch said {text!r}")
    return result


def mean_boot(results):
    """One result of several boots of the same."""
    means = {
        key: round(sum(result[key] for result in results) / len(results))
        for key in results[0]
        if key.startswith("first_")
    }
    return {**results[0], **means}


# Any query that every zone answers, with an id of its own.
PROBE_DNS = "5858" + "00000001000000000000" + "036e7331076578616d706c65036f726700" + "00010001"
PROBE_ECHO = "5858" + "00" * (ECHO_SIZE - 2)


class Bench:
    """Measures on a running machine. builder: systems.Builder."""

    def __init__(self, machine, builder, progress):
        self.machine, self.builder, self.progress = machine, builder, progress

    def run(self, subject, chosen):
        """The results of one subject: its boot and its rows."""
        guest = self.builder.create(self.machine, subject)
        try:
            often = subject.system == OURS and not subject.wanted and subject.app not in (FLOOR, iperf.APP)
            boots = BOOTS if often else 1
            results = []
            for number in range(1, boots + 1):
                if number > 1:
                    guest.destroy()
                    guest = self.builder.create(self.machine, subject)
                booted = self._boot(guest, subject, f", boot {number} of {boots}" if boots > 1 else "")
                if booted and subject.app != FLOOR:
                    results.append(boot_result(subject, booted))
            if results:
                result = mean_boot(results)
                if subject.app == HELLO:
                    guest.destroy()
                    guest = self.builder.create(self.machine, subject)
                    result["first_line_instructions"] = self._first_line(guest)
                yield result
            for row in chosen:
                if row.program:
                    self.progress(f"{subject.system}: {row.name}")
                    result = load_result(row, subject, self._load(guest, subject, row))
                    yield dict(result, **count_result(row, self._count(guest, subject, row)))
        except CommandError as e:
            raise MachineError(f"{subject.system}: {e}\n{guest.diagnosis()}") from e
        finally:
            guest.destroy()

    def run_once(self, subject, row, counted):
        """The result of one row; counted(True) is called before what is counted, counted(False)
        after."""
        guest = self.builder.create(self.machine, subject)
        try:
            if not row.program:
                counted(True)
                text = self._boot(guest, subject)
                counted(False)
                return boot_result(subject, text)
            self._boot(guest, subject)
            self._load(guest, subject, row)
            self.progress(f"{subject.system}: {row.name}, counting")
            counted(True)
            text = self._load(guest, subject, row, warm=0)
            counted(False)
            return load_result(row, subject, text)
        finally:
            guest.destroy()

    def _boot(self, guest, subject, which=""):
        """What bootwatch says, or nothing where it cannot be asked."""
        self.progress(f"{subject.system}: booting with {subject.memory} MiB{which}")
        if subject.app == iperf.APP:
            return iperf.boot(self.machine, guest)
        probe = PROBE_DNS if subject.app == "dns" else PROBE_ECHO
        command = f"bootwatch {guest.domid} {guest.log}"
        if subject.app != HELLO:
            command += f" {subject.address} {subject.port} {subject.mac} {probe}"
        text = self.machine.run(command, timeout=LOAD_SECONDS).out
        # Whatever a server does after it answers for the first time, and the probes in flight.
        self.machine.run("sleep 3")
        return text

    def _first_line(self, guest):
        """Instructions until the event for the console's first line. dom0, for which there is the same CPU, sees
        the line only when the guest sleeps. hello's first operation on event channels binds its timer."""
        command = f"hypercount {guest.domid} sh -c 'xl unpause {guest.domid}; sleep 1'"
        return parse_pairs(self._run(command))["guest_event_2_at"]

    def _load(self, guest, subject, row, warm=None, count=0):
        count = count or row.count
        if row.app == iperf.APP:
            return iperf.load(self.machine, guest, subject.address, row, count, once=warm == 0)
        warm = max(count // 10, row.window) if warm is None else warm
        return self._run(_command(guest, subject, row, warm, count))

    def _count(self, guest, subject, row):
        if row.app == iperf.APP:
            return iperf.count(self.machine, guest, subject.address, row)
        command = _command(guest, subject, row, 0, row.traced())
        return self._run(f"hypercount {guest.domid} {command}")

    def _run(self, command):
        return self.machine.run(command, timeout=LOAD_SECONDS).out


def _command(guest, subject, row, warm, count):
    address = subject.address6 if row.ip6 else subject.address
    return (
        f"{row.program} {guest.domid} {address} {subject.port} {row.window} {warm} "
        f"{count} {row.argument()}"
    )
