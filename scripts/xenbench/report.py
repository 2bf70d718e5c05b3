# SPDX-License-Identifier: ISC
"""What is written about the results: JSON, a Markdown table with ratios, plots."""

import json
import os

OURS = "xenolith"
ORDER = (OURS, "knot", "nsd", "bind", "linux")
BARS = {OURS: "#1b7837", "knot": "#2166ac", "nsd": "#67a9cf", "bind": "#b2182b", "linux": "#999999"}
COUNTS = ("hypercalls_per_op", "events_from_guest_per_op", "events_to_guest_per_op")


def by_name(results):
    """{name: {system: result}}, in the order of first appearance."""
    table = {}
    for result in results:
        table.setdefault(result["name"], {})[result["system"]] = result
    return table


def systems_of(row):
    return [system for system in ORDER if system in row]


def ratio(row, system, field):
    """How many times ours the other's figure is; None if one of them is missing or nothing."""
    ours, other = row.get(OURS, {}).get(field), row.get(system, {}).get(field)
    return other / ours if ours and other else None


def write_json(results, facts, path):
    with open(path, "w") as f:
        json.dump({"facts": facts, "results": results}, f, indent=1)
        f.write("\n")


def _thousands(value):
    return f"{value:,.0f}" if value is not None else "-"


def _few(value):
    return f"{value:.3g}" if value is not None else "-"


def _milliseconds(value):
    return f"{value / 1e6:.1f}" if value is not None else "-"


def _times(value):
    return f"{value:.2f}" if value is not None else ""


def _table(head, lines):
    lines = list(lines)
    if not lines:
        return
    yield "| " + " | ".join(head) + " |"
    yield "|---|---|" + "---:|" * (len(head) - 2)
    for line in lines:
        yield "| " + " | ".join(str(cell) for cell in line) + " |"
    yield ""


def _load_lines(table):
    for name, row in table.items():
        for system in systems_of(row):
            r = row[system]
            if "rate" not in r:
                continue
            latency = r.get("latency_ns", {})
            yield (
                name, system, _thousands(r["rate"]),
                _times(1 / ratio(row, system, "rate") if ratio(row, system, "rate") else None),
                _thousands(r["guest_instructions_per_op"]),
                _times(ratio(row, system, "guest_instructions_per_op")),
                _thousands(r["dom0_instructions_per_op"]),
                *(_few(r.get(key)) for key in COUNTS),
                *(f"{latency[key] / 1000:.0f}" if latency else "-" for key in ("p50", "p90", "p99")),
                r["lost"],
            )  # fmt: skip


def _boot_lines(table):
    for name, row in table.items():
        for system in systems_of(row):
            r = row[system]
            if "rate" in r:
                continue
            yield (
                name, system, r["memory_mib"], _thousands(r["image_bytes"]),
                _thousands(r.get("image_gz_bytes")),
                _milliseconds(r.get("first_line_ns")),
                _thousands(r.get("first_line_instructions")),
                _milliseconds(r.get("first_answer_ns")),
                _times(ratio(row, system, "first_answer_ns")),
                _thousands(r.get("first_answer_instructions")),
                _times(ratio(row, system, "first_answer_instructions")),
            )  # fmt: skip


def markdown(results, facts):
    """The tables as text."""
    table = by_name(results)
    lines = ["# Benchmark", ""]
    lines += [f"- {key}: {value}" for key, value in facts.items()]
    lines += [
        "",
        "An instruction is a nanosecond of the machine's clock. Guest: the guest's CPU time for an",
        "operation, Xen's work for it included. x: how many times ours; for the rate, how many",
        "times theirs ours is. Events out: the guest's event channel operations; in: dom0's. An",
        "operation of tcp.echo is a KiB there and back, one of tcp.receive and tcp.send a KiB that the",
        "guest has received or sent.",
        "",
    ]
    lines += _table(
        ("what", "system", "a second", "x", "guest instr.", "x", "dom0 instr.", "hypercalls",
         "events out", "events in", "p50 µs", "p90 µs", "p99 µs", "lost"),
        _load_lines(table),
    )  # fmt: skip
    lines += _table(
        ("boot", "system", "MiB", "image bytes", "gzip", "first line ms", "guest instr.",
         "first answer ms", "x", "guest instr.", "x"),
        _boot_lines(table),
    )  # fmt: skip
    return "\n".join(lines)


def plots(results, folder, bars=None):
    """Writes the PNG files; their paths. bars: the names of the rows that are shown as bars (all of
    them by default). Needs matplotlib."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    table = by_name(results)
    written = []

    def save(figure, name):
        path = os.path.join(folder, name + ".png")
        figure.savefig(path, dpi=80, bbox_inches="tight", metadata={"Software": None})
        pyplot.close(figure)
        written.append(path)

    loads = {
        name: row
        for name, row in table.items()
        if any("rate" in r for r in row.values()) and (bars is None or name in bars)
    }
    if loads:
        save(_bars(pyplot, loads, "guest_instructions_per_op", "guest instructions an operation"),
             "instructions")  # fmt: skip
        save(_bars(pyplot, loads, "rate", "operations a second"), "rate")
        save(_bars(pyplot, loads, "hypercalls_per_op", "hypercalls an operation", "{:,.2f}"),
             "hypercalls")  # fmt: skip
    for prefix, what, file in (
        ("dns.query.", "queries in flight", "dns-window"),
        ("udp.echo.", "datagrams in flight", "udp-window"),
    ):
        curves = _curves(table, lambda name: name.startswith(prefix), lambda r: r["window"])
        if any(len(points) > 1 for points in curves.values()):
            save(_lines(pyplot, curves, what), file)
    curves = _curves(
        table,
        lambda name: name.startswith("dns.names_") or name == "dns.query.100",
        lambda r: r["zone_names"],
    )
    if any(len(points) > 1 for points in curves.values()):
        save(_lines(pyplot, curves, "names in the zone, 100 queries in flight"), "dns-names")
    boots = {name: row for name, row in table.items() if name.startswith("boot.")}
    if boots:
        save(_bars(pyplot, boots, "first_answer_instructions", "instructions to the first answer"),
             "boot")  # fmt: skip
        save(_bars(pyplot, boots, "memory_mib", "MiB of memory"), "memory")
    curves = _boot_curves(table)
    if any(len(points) > 1 for points in curves.values()):
        save(_boot_lines_plot(pyplot, curves), "boot-memory")
    return written


def _bars(pyplot, rows, field, label, form="{:,.0f}"):
    figure, axes = pyplot.subplots(figsize=(8, 0.9 + 0.9 * len(rows)))
    present = [s for s in ORDER if any(s in row for row in rows.values())]
    height, ticks = 0.8 / len(present), []
    for place, (name, row) in enumerate(rows.items()):
        shown = [system for system in systems_of(row) if field in row[system]]
        for index, system in enumerate(shown):
            at = place + (index - (len(shown) - 1) / 2) * height
            value = row[system][field]
            axes.barh(at, value, height * 0.92, color=BARS[system])
            axes.text(value, at, f" {form.format(value)}", va="center", fontsize=7)
        ticks.append(name)
    axes.set_yticks(range(len(ticks)), ticks)
    axes.invert_yaxis()
    axes.set_xlabel(label)
    largest = [r[field] for row in rows.values() for r in row.values() if field in r]
    if max(largest) > 50 * min(largest) > 0:
        axes.set_xscale("log")
    axes.margins(x=0.12)
    marks = [pyplot.Rectangle((0, 0), 1, 1, color=BARS[system]) for system in present]
    axes.legend(
        marks, present, fontsize=8, ncols=len(present), loc="lower left", bbox_to_anchor=(0, 1)
    )
    return figure


def _curves(table, wanted, place):
    """{system: sorted [(x, instructions)]} of the rows whose name is wanted."""
    curves = {}
    for name, row in table.items():
        if wanted(name):
            for system, r in row.items():
                curves.setdefault(system, []).append((place(r), r["guest_instructions_per_op"]))
    return {system: sorted(points) for system, points in curves.items()}


def _lines(pyplot, curves, what):
    figure, axes = pyplot.subplots(figsize=(7, 4))
    for system in (s for s in ORDER if s in curves):
        x, y = zip(*curves[system])
        axes.plot(x, y, marker="o", label=system, color=BARS[system])
    axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    axes.set_xlabel(what)
    axes.set_ylabel("guest instructions an operation")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    return figure


def _boot_curves(table):
    """{(system, app): sorted [(MiB, ms)]} of the boots with so much memory: to the first answer, or to
    the first line of what answers nothing."""
    curves = {}
    for name, row in table.items():
        if name.startswith("boot_at_"):
            app = name.split(".")[1]
            for system, r in row.items():
                until = r.get("first_answer_ns", r.get("first_line_ns"))
                curves.setdefault((system, app), []).append((r["memory_mib"], until / 1e6))
    return {key: sorted(points) for key, points in curves.items()}


def _boot_lines_plot(pyplot, curves):
    figure, axes = pyplot.subplots(figsize=(7, 4))
    styles = dict(zip(sorted({app for _, app in curves}), ("-", "--", ":")))
    for system, app in sorted(curves, key=lambda key: (ORDER.index(key[0]), key[1])):
        x, y = zip(*curves[system, app])
        label = f"{system} {app}" + (", first line" if app == "hello" else "")
        axes.plot(x, y, styles[app], marker="o", label=label, color=BARS[system])
    sizes = sorted({x for points in curves.values() for x, _ in points})
    axes.set_xscale("log", base=2)
    axes.set_xticks(sizes, [str(size) for size in sizes])
    axes.set_yscale("log")
    axes.set_xlabel("MiB of memory")
    axes.set_ylabel("ms to the first answer")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    return figure
