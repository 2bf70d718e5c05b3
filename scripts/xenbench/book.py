# SPDX-License-Identifier: ISC
"""The tables of docs/bench.md: one figure each, the systems side by side."""

from . import report

# The rows whose latencies are told.
LATENCIES = ("udp.echo.1", "udp.echo.32", "dns.query.1", "dns.query.100", "dns.tcp.32", "dns.tcp_connection.8")


def _figure(field):
    return lambda result: f"{result[field]:,.0f}"


def _latency(result):
    return ", ".join(f"{result['latency_ns'][key] / 1000:,.0f}" for key in ("p50", "p99"))


TABLES = (
    # what it is, which results have it, how it is written
    ("guest instructions an operation", lambda r: "rate" in r, _figure("guest_instructions_per_op")),
    ("operations a second", lambda r: "rate" in r, _figure("rate")),
    ("hypercalls an operation", lambda r: "rate" in r, lambda r: f"{r['hypercalls_per_op']:.3g}"),
    ("microseconds: half, 99 in a hundred", lambda r: r["name"] in LATENCIES and "latency_ns" in r, _latency),
    ("milliseconds to the first answer", lambda r: r["name"].startswith("boot.") and "first_answer_ns" in r,
     lambda r: f"{r['first_answer_ns'] / 1e6:,.1f}"),
    ("guest instructions until dom0 sees the first line, of hello until its event", lambda r: r["name"].startswith("boot_at_"), _figure("first_line_instructions")),
    ("guest instructions to the first answer",
     lambda r: r["name"].startswith("boot_at_") and "first_answer_ns" in r, _figure("first_answer_instructions")),
)  # fmt: skip


def tables(results):
    """The text, table by table."""
    table = report.by_name(results)
    systems = [system for system in report.ORDER if any(system in row for row in table.values())]
    for title, has, cell in TABLES:
        rows = {
            name: [cell(row[s]) if s in row and has(row[s]) else "" for s in systems] for name, row in table.items()
        }
        yield f"{title}:\n"
        yield "| | " + " | ".join(systems) + " |"
        yield "|---|" + "---:|" * len(systems)
        for name, cells in rows.items():
            if any(cells):
                yield f"| `{name}` | " + " | ".join(cells) + " |"
        yield ""
