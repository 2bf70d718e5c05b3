# SPDX-License-Identifier: ISC
"""The second mode: real time on two CPUs, dom0 on one and the guests on the other; or on the Xen that this machine runs.

Here a rate depends on the machine and on what else it does, and varies. So the guests that are
compared run side by side, all but one of them idle, and take turns: a row is measured in rounds, in
each of which every system has its turn, and what counts is the ratio within a round.
"""

import statistics
import sys

from xenqemu.machine import CommandError, MachineError

from . import iperf, measure
from .systems import OURS

ROUNDS = 5
SECONDS = 0.5  # that a turn takes, with the slowest of the systems
CONNECTIONS = 4000  # in a turn: each takes a port of dom0's for a minute, of 28,000 that it has for a guest
TRIED = 64  # operations of the first try, or four windows
FIELDS = {
    "rate": "rate",
    "guest_cpu_ns_per_op": "guest_instructions_per_op",
    "dom0_cpu_ns_per_op": "dom0_instructions_per_op",
}
PERCENTILES = ("p50", "p90", "p99")


def groups(chosen, systems=()):
    """[([Subject], rows)]: those that are measured side by side."""
    sides = {}
    for subject, rows in measure.subjects([row for row in chosen if row.program], systems):
        subjects, _ = sides.setdefault((subject.app, subject.names), ([], rows))
        subject.place(len(subjects))
        subjects.append(subject)
    return list(sides.values())


def summary(samples):
    """One result of a row's results in all rounds: medians, and the least and the largest rate."""
    rates = [sample["rate"] for sample in samples]
    result = {key: samples[0][key] for key in ("name", "system", "window", "memory_mib")}
    for name, field in FIELDS.items():
        result[name] = round(statistics.median(sample[field] for sample in samples), 1)
    result["rates"] = rates
    result["lost"] = sum(sample["lost"] for sample in samples)
    result["operations"] = sum(sample["operations"] for sample in samples)
    if "latency_ns" in samples[0]:
        result["latency_ns"] = {
            key: round(statistics.median(sample["latency_ns"][key] for sample in samples))
            for key in PERCENTILES
        }
    return result


def ratios(row, system):
    """(median, least, largest) of how many times theirs our rate is, round by round; None if one
    of them is missing."""
    if system not in row or OURS not in row:
        return None
    found = [ours / other for ours, other in zip(row[OURS]["rates"], row[system]["rates"])]
    return statistics.median(found), min(found), max(found)


class Bench(measure.Bench):
    """Measures on a running machine in real time."""

    def run(self, subjects, chosen):
        """The results of what runs side by side, row by row."""
        guests = {}
        try:
            for subject in subjects:
                subject.cpus = str(self.machine.last_cpu())  # dom0 has the first, or takes what it likes
                guests[subject] = self.builder.create(self.machine, subject)
                self._boot(guests[subject], subject)
            for row in chosen:
                taking_part = [s for s in subjects if s.system in row.systems()]
                yield from self._rounds(row, taking_part, guests)
        except CommandError as e:
            said = "\n".join(guest.diagnosis() for guest in guests.values())
            raise MachineError(f"{e}\n{said}") from e
        finally:
            for guest in guests.values():
                guest.destroy()

    def _rounds(self, row, subjects, guests):
        samples = {subject: [] for subject in subjects}
        count = self._operations(row, subjects, guests)
        self.progress(f"{row.name}: {ROUNDS} rounds of {count} operations")
        for _ in range(ROUNDS):
            for subject in subjects:
                samples[subject].append(self._turn(guests[subject], subject, row, count))
        return [summary(samples[subject]) for subject in subjects]

    def _operations(self, row, subjects, guests):
        """How many operations make a turn of SECONDS: what few of them take says too little."""
        most = min(row.most or sys.maxsize, CONNECTIONS if row.spec.startswith("each:") else sys.maxsize)
        count = min(most, row.traced() if row.app == iperf.APP else max(TRIED, 4 * row.window))
        while count < most:
            slowest = min(self._turn(guests[s], s, row, count)["rate"] for s in subjects)
            wanted = min(most, int(SECONDS * slowest))
            if wanted < 2 * count:
                return max(count, wanted)
            count = wanted
        return count

    def _turn(self, guest, subject, row, count):
        # Of two runs of iperf3 by the clock, the longer one need not take longer: one of them.
        warm = 0 if row.app == iperf.APP else count // 10 + row.window
        text = self._load(guest, subject, row, warm, count)
        return measure.load_result(row, subject, text)


def markdown(table, facts):
    """Lines of the report: facts, and a table of {name: {system: result}}."""
    yield "# Benchmark in real time"
    yield ""
    yield from (f"- {key}: {value}" for key, value in facts.items())
    yield ""
    yield "The figures vary with the machine and with what else it does: only ratios within one run"
    yield f"count. Of {ROUNDS} rounds, the median; x: how many times theirs our rate is, round by round,"
    yield "the median, the least and the largest."
    yield ""
    head = ("what", "system", "a second", "from", "to", "x", "from", "to", "guest CPU µs",
            "dom0 CPU µs", "p50 µs", "p90 µs", "p99 µs", "lost")  # fmt: skip
    yield "| " + " | ".join(head) + " |"
    yield "|---|---|" + "---:|" * (len(head) - 2)
    for name, row in table.items():
        for system, r in row.items():
            times = ratios(row, system)
            latency = r.get("latency_ns")
            cells = [name, system]
            cells += [f"{rate:,.0f}" for rate in (r["rate"], min(r["rates"]), max(r["rates"]))]
            cells += [f"{value:.2f}" for value in times] if times else [""] * 3
            cells += [f"{r[key] / 1000:.1f}" for key in FIELDS if key != "rate"]
            cells += [f"{latency[key] / 1000:.0f}" if latency else "-" for key in PERCENTILES]
            yield "| " + " | ".join(cells + [str(r["lost"])]) + " |"
    yield ""
