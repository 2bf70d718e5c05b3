# SPDX-License-Identifier: ISC
"""scripts/bench where no Xen is needed: zones, queries, what the load programs say, the report."""
import importlib.machinery
import importlib.util
import json
import lzma
import os
import re
import struct
import xml.etree.ElementTree
from types import SimpleNamespace
from unittest.mock import MagicMock

import pytest
from conftest import TOP, call
from xenbench import flame, growth, iperf, linux, measure, realtime, report, systems, zones
from xenqemu.debian import DebianError
from xenqemu.machine import MachineError


def a_row(**changes):
    row = measure.Row("dns.query.100", "dns", "udpload", "queries:random", 100, 2000, 1000)
    for name, value in changes.items():
        setattr(row, name, value)
    return row


SAID = ("answered 2000 lost 3 good {good} bytes 100000 nanoseconds 500000000 guest 6000000 "
        "dom0 50000000 p50 100 p90 200 p99 300 max 400\n")


def test_zones_have_the_names_asked_for_and_repeat():
    text = zones.zone(1000)
    owners = {line.split()[0] for line in text.splitlines() if line.startswith("h")}
    assert len(owners) == 1000 and text == zones.zone(1000)
    assert len({zones.name(number) for number in range(100000)}) == 100000


def test_zones_compile(tmp_path):
    zone = tmp_path / "example.org.zone"
    zone.write_text(zones.zone(100))
    assert call("make", "-s", f"OUT={tmp_path}/out", "host-dns").returncode == 0
    done = call(f"{tmp_path}/out/host/zonec", "-o", tmp_path / "image", zone)
    assert done.returncode == 0, done.stdout


def test_existing_and_missing_queries():
    have = {tuple(line.split()[:3:2]) for line in zones.zone(100).splitlines() if line[0] == "h"}
    assert len(have) > 100
    for line in zones.queries("random", 100, 500).splitlines():
        owner, kind = line.split()
        assert (owner.removesuffix(".example.org"), kind) in have
    missing = {line.split()[0].split(".")[0] for line in
               zones.queries("missing", 100, 500).splitlines()}
    assert not missing & {owner for owner, _ in have} and len(missing) > 490
    hot = {line.split()[0] for line in zones.queries("hot", 1000, 500).splitlines()}
    assert len(hot) == zones.HOT_NAMES


def test_result_of_a_load():
    subject = measure.Subject("nsd", "dns", 1000)
    subject.memory = 160
    result = measure.load_result(a_row(), subject, SAID.format(good=2000))
    assert result["rate"] == 4000 and result["guest_instructions_per_op"] == 3000
    assert result["dom0_instructions_per_op"] == 25000 and result["lost"] == 3
    assert result["latency_ns"] == {"p50": 100, "p90": 200, "p99": 300, "max": 400}
    assert result["answer_bytes_per_op"] == 50 and result["memory_mib"] == 160


@pytest.mark.parametrize("text", ["", "answered", "answered x", SAID.format(good=1999),
                                  SAID.format(good=0), SAID.replace("2000", "0", 1).format(good=0)])
def test_wrong_answers_are_no_result(text):
    with pytest.raises(MachineError):
        measure.load_result(a_row(), measure.Subject("nsd", "dns", 1000), text)


def test_result_of_a_boot():
    subject = measure.Subject("linux", "echo", 0)
    result = measure.boot_result(subject, "first_line 5 7\nfirst_answer 11 13\n")
    assert result["name"] == "boot.echo" and result["first_line_instructions"] == 7
    assert result["first_answer_ns"] == 11 and result["first_answer_instructions"] == 13
    assert result["image_bytes"] == 0 and "image_gz_bytes" not in result
    with pytest.raises(MachineError):
        measure.boot_result(subject, "first_line 5 7\n")


def test_mean_of_boots():
    boots = [measure.boot_result(measure.Subject("xenolith", "echo", 0), f"first_line {n} 10\nfirst_answer {2 * n} 13\n") for n in (4, 5, 9)]
    mean = measure.mean_boot(boots)
    assert (mean["first_line_ns"], mean["first_answer_ns"], mean["first_line_instructions"]) == (6, 12, 10)
    assert mean["name"] == "boot.echo"


def test_result_of_a_boot_without_a_network():
    subject = measure.Subject("xenolith", "hello", 0, 64)
    subject.image_bytes, subject.image_gz_bytes = 31304, 20829
    result = measure.boot_result(subject, "first_line 5 7\n")
    assert (result["image_bytes"], result["image_gz_bytes"]) == (31304, 20829)
    assert result["name"] == "boot_at_64.hello" and result["first_line_ns"] == 5


def test_hypercalls_of_an_operation():
    row = a_row(count=20000)
    assert row.traced() == 1000
    said = "guest 4000 guest_events 2000 dom0 46000 dom0_events 500\n"
    assert measure.count_result(row, said) == {
        "hypercalls_per_op": 4.0, "events_from_guest_per_op": 2.0, "events_to_guest_per_op": 0.5,
        "dom0_hypercalls_per_op": 46.0}
    assert a_row(count=500).traced() == 500 and a_row(window=256, count=20000).traced() == 2560


def test_boots_at_sizes_that_the_system_works_with():
    rows = {row.name: row for row in measure.rows(False, ["boot_at_"])}
    assert rows["boot_at_4.dns.1000"].systems() == ["xenolith"]
    assert set(rows["boot_at_1024.dns.1000"].systems()) == {"xenolith", "knot", "nsd", "bind"}
    assert rows["boot_at_1024.hello"].systems() == ("xenolith",)
    groups = measure.subjects(list(rows.values()), ["xenolith"])
    assert len(groups) == len(rows) and groups[0][0].wanted == 4


IPERF_SAID = """domid=3 cpu_time=1000 state=blocked
domid=0 cpu_time=50 state=running
{"end": {"sum_sent": {"bytes": 4096, "seconds": 0.5}, "sum_received": {"bytes": 2048, "seconds": 0.25}}}
domid=0 cpu_time=150 state=running
domid=3 cpu_time=3000 state=blocked
"""


def test_what_iperf3_says():
    assert iperf.read(IPERF_SAID, False) == (4096, 500000000, 2000, 100)
    assert iperf.read(IPERF_SAID, True) == (2048, 250000000, 2000, 100)
    for text in ("", "{}", IPERF_SAID.replace("bytes", "octets"), IPERF_SAID.replace("}}}", "}}")):
        with pytest.raises(MachineError):
            iperf.read(text, False)


def test_the_start_of_iperf3_does_not_count():
    class Machine:
        asked = []

        def run(self, command, timeout):
            size = int(re.search("-n ([0-9]+)", command)[1])
            self.asked.append(size)
            more = 10**7 if len(self.asked) % 3 == 2 else 0  # now and then, whatever the length
            text = IPERF_SAID.replace("4096", str(size)).replace("0.5", str(1 + size / 1024 + more))
            return SimpleNamespace(out=text.replace("=3000", f"={50000 + size + more}").replace("=150", f"={999 + 2 * size}"))

    row, machine = measure.Row("tcp.receive", "iperf3", "iperf3", "", 1, 400), Machine()
    said = measure.parse_pairs(iperf.load(machine, SimpleNamespace(domid=3), "10.0.2.15", row, row.count, once=False))
    assert machine.asked == [102400] + iperf.RUNS * [102400] + iperf.RUNS * [512000]
    assert (said["answered"], said["nanoseconds"], said["guest"], said["dom0"]) == (400, 400 * 10**9, 409600, 819200)
    once = measure.parse_pairs(iperf.load(machine, SimpleNamespace(domid=3), "10.0.2.15", row, row.count, once=True))
    assert once["guest"] == 50000 + 409600 - 1000 and machine.asked[-1] == 409600


def test_at_most_so_many_operations():
    rows = measure.rows(False, most=100)
    assert all(row.most == 100 and row.count <= 100 for row in rows)
    subject, asked = measure.Subject("xenolith", "dns", 1000), []
    bench = realtime.Bench(None, None, None)
    bench._turn = lambda guest, subject, row, count: asked.append(count) or {"rate": 1e6}
    for name, most in (("dns.query.100", 100), ("dns.query.100", 0), ("dns.tcp_connection.8", 0)):
        (row,) = [row for row in measure.rows(False, [name], most=most) if row.name == name]
        asked.append(bench._operations(row, [subject], {subject: None}))
    assert asked == [100, 400, 500000, 500000, 64, realtime.CONNECTIONS]


def test_rows_and_boots():
    everything, quick = measure.rows(False), measure.rows(True)
    assert {row.name for row in quick} == set(measure.QUICK_ROWS)
    assert len({row.name for row in everything}) == len(everything) > len(quick)
    groups = measure.subjects(measure.rows(False, ["dns.query", "dns.names_100."]), ["knot"])
    assert [(s.system, s.names, len(rows)) for s, rows in groups] == [("knot", 1000, 5),
                                                                     ("knot", 100, 1)]
    for row in everything:
        assert row.count >= 20 * row.window


def test_over_ipv6_it_is_the_other_address():
    (row,) = measure.rows(False, ["dns.query6"])
    (subject,) = [s for s in row.subjects() if s.system == "nsd"]
    guest = SimpleNamespace(domid=3)
    assert f" 3 {subject.address6} 53 100 7 9 queries:" in measure._command(guest, subject, row, 7, 9)
    assert f" 3 {subject.address} 53 " in measure._command(guest, subject, a_row(), 7, 9)


def test_all_guests_may_have_the_same_memory():
    for system, wanted, memory in (("nsd", 0, 512), ("nsd", 64, 64), ("knot", 0, 512)):
        builder = systems.Builder("out", "work", None, None, 512)
        assert builder.memory_of(measure.Subject(system, "dns", 1000, wanted)) == memory
    assert systems.Builder("out", "work", None, None, 16).memory_of(measure.Subject("nsd", "dns", 1000)) > 150


JUDGE = """
#include <stdio.h>
#include <string.h>
#include "load.h"
int main(int argc, char **argv)
{
    struct messages queries = {0};
    char answer[512];
    long size = from_hex(argv[3], answer, sizeof(answer));

    read_queries(&queries, argv[2], argc > 4);
    puts(is_answer(&queries.list[0], (unsigned char *)answer, (size_t)size, expected_rcode(argv[1])) ? "right" : "wrong");
    return 0;
}
"""


def test_which_answers_are_right(tmp_path):
    """A server that refuses, or denies what is there, is fast."""
    (tmp_path / "judge.c").write_text(JUDGE)
    (tmp_path / "queries").write_text("a.example.org A\n")
    program, folder = tmp_path / "judge", os.path.join(TOP, "tests", "bench", "dom0")
    call("gcc", "-I", folder, "-o", program, tmp_path / "judge.c", os.path.join(folder, "load.c"))

    def judge(kind, answer, *more):
        return call(program, kind, tmp_path / "queries", answer, *more).stdout.strip() == "right"

    def made(flags, answers, name="0161076578616d706c65036f726700", kind="0001", additional="0000"):
        return f"1234{flags}0001{answers}0000{additional}{name}{kind}0001c00c"

    here, denied, refused = made("8400", "0001"), made("8403", "0000"), made("8405", "0000")
    with_opt = made("8400", "0001", additional="0001")
    assert judge("queries:x", here) and judge("edns:x", with_opt, "edns") and judge("missing:x", denied)
    assert not judge("edns:x", here, "edns")
    for kind, answer in (("queries:x", denied), ("missing:x", here), ("queries:x", refused), ("missing:x", refused),
                         ("queries:x", made("8400", "0000")), ("queries:x", made("0400", "0001")),
                         ("queries:x", made("8000", "0001")), ("queries:x", made("8600", "0001")),
                         ("queries:x", made("8400", "0001", kind="001c")), ("queries:x", here[:40]), ("queries:x", ""),
                         ("missing:x", made("8403", "0001")), ("queries:x", made("8400", "0001", "0162" + here[28:54]))):
        assert not judge(kind, answer), (kind, answer)


def results():
    def one(name, system, rate, guest, window=1):
        return {"name": name, "system": system, "rate": rate, "guest_instructions_per_op": guest,
                "dom0_instructions_per_op": 1, "hypercalls_per_op": 0.25, "lost": 0, "window": window,
                "zone_names": 100}
    boot = {"memory_mib": 4, "image_bytes": 1000}
    large = {"memory_mib": 64, "image_bytes": 1000, "image_gz_bytes": 600}
    return [
        one("dns.query.1", "nsd", 100, 5000), one("dns.query.1", "xenolith", 250, 1000),
        one("dns.query.100", "xenolith", 400, 500, 100), one("dns.query.100", "nsd", 200, 2000, 100),
        dict(boot, name="boot.dns", system="xenolith", first_answer_ns=2000000,
             first_answer_instructions=100),
        dict(boot, name="boot.dns", system="nsd", first_answer_ns=8000000,
             first_answer_instructions=700),
        dict(boot, name="boot_at_4.hello", system="xenolith", first_line_ns=400000,
             first_line_instructions=90),
        dict(large, name="boot_at_64.hello", system="xenolith", first_line_ns=500000,
             first_line_instructions=90),
    ]


def test_the_table_has_ratios_with_ours_first():
    lines = [[cell.strip() for cell in line.split("|")[1:-1]]
             for line in report.markdown(results(), {"Xen": "4.17"}).splitlines() if line[:1] == "|"]
    assert lines[2][:6] == ["dns.query.1", "xenolith", "250", "1.00", "1,000", "1.00"]
    assert lines[3][:6] == ["dns.query.1", "nsd", "100", "2.50", "5,000", "5.00"]
    assert lines[2][7] == "0.25"
    assert ["boot.dns", "nsd", "4", "1,000", "-", "-", "-", "8.0", "4.00", "700", "7.00"] in lines
    assert ["boot_at_64.hello", "xenolith", "64", "1,000", "600", "0.5", "90", "-", "", "-", ""] in lines


def test_ratios_of_what_was_not_measured():
    table = report.by_name(results()[:1])
    assert report.ratio(table["dns.query.1"], "nsd", "rate") is None
    assert "nsd" in report.markdown(results()[:1], {})


def test_plots(tmp_path):
    pytest.importorskip("matplotlib")
    written = report.plots(results(), tmp_path)
    assert {"instructions.png", "rate.png", "hypercalls.png", "dns-window.png", "boot.png",
            "boot-memory.png"} <= set(os.listdir(tmp_path))
    assert all(open(path, "rb").read(4) == b"\x89PNG" for path in written)


def test_plots_of_the_book(tmp_path):
    pytest.importorskip("matplotlib")
    os.mkdir(tmp_path / "bench")
    report.write_json(results(), {}, tmp_path / "bench" / "results.json")
    done = call(os.path.join(TOP, "scripts", "bench"), f"PLOTS={tmp_path}/plots", XENOLITH_OUT=tmp_path)
    assert done.returncode == 0, done.stdout
    os.mkdir(tmp_path / "again")
    report.plots(results(), tmp_path / "again", measure.QUICK_ROWS)
    names = os.listdir(tmp_path / "plots")
    assert {"instructions.png", "boot-memory.png"} <= set(names)
    tables = (tmp_path / "bench" / "tables.md").read_text()
    assert "| | xenolith | nsd |" in tables and "| `dns.query.1` | 1,000 | 5,000 |" in tables
    assert "| `dns.query.100` | 400 | 200 |" in tables and "| `boot.dns` | 2.0 | 8.0 |" in tables
    for name in names:
        assert (tmp_path / "plots" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_groups_of_growth():
    assert growth.groups([]) == list(growth.GROUPS)
    assert growth.groups(["growth.timers", "growth.guests.udp"]) == ["timers", "guests"]
    assert {s.app for s in growth.needed(growth.GROUPS, True)} == {"echo", "nettest", "growth", "dns"}
    assert [s.names for s in growth.needed(["names"], False)] == list(growth.NAMES)


def grown(scale):
    return [
        growth.result("timers", curve, number, scale * number)
        for curve in ("set", "fire") for number in (1, 100)
    ] + [growth.result("threads", "wake", 1, 5)]


def test_what_has_grown_is_written_and_kept(tmp_path):
    pytest.importorskip("matplotlib")
    os.mkdir(tmp_path / "bench")
    names = growth.write(grown(1), tmp_path / "bench")
    assert names == ["growth.json", "growth.md", "growth-timers.png", "growth-threads.png"]
    growth.write([r for r in grown(2) if r["group"] == "timers"], tmp_path / "bench")
    text = (tmp_path / "bench" / "growth.md").read_text()
    assert "| 100 | 200 | 200 |" in text and "| 1 | 5 |" in text
    done = call(os.path.join(TOP, "scripts", "bench"), "GROWTH=1", f"PLOTS={tmp_path}/plots", XENOLITH_OUT=tmp_path)
    assert done.returncode == 0, done.stdout
    for name in names[2:]:
        assert (tmp_path / "plots" / name).read_bytes() == (tmp_path / "bench" / name).read_bytes()


def sample(system, rate, p50):
    return {"name": "udp.echo.32", "system": system, "window": 32, "memory_mib": 4, "rate": rate,
            "guest_instructions_per_op": 1e9 / rate, "dom0_instructions_per_op": 5000, "lost": 1,
            "operations": 100, "latency_ns": {"p50": p50, "p90": 2, "p99": 3, "max": 4}}


def test_real_time_is_judged_round_by_round():
    ours = realtime.summary([sample("xenolith", rate, rate) for rate in (300, 100, 200)])
    theirs = realtime.summary([sample("linux", rate, 9) for rate in (100, 50, 40)])
    assert (ours["rate"], ours["rates"], ours["lost"]) == (200, [300, 100, 200], 3)
    assert ours["latency_ns"]["p50"] == 200 and ours["guest_cpu_ns_per_op"] == 5e6
    table = report.by_name([ours, theirs])
    assert realtime.ratios(table["udp.echo.32"], "linux") == (3, 2, 5)
    assert realtime.ratios(table["udp.echo.32"], "knot") is None
    lines = [[cell.strip() for cell in line.split("|")[1:-1]]
             for line in realtime.markdown(table, {"Xen": "4.17"}) if line[:1] == "|"]
    assert lines[3][:8] == ["udp.echo.32", "linux", "50", "40", "100", "3.00", "2.00", "5.00"]


def test_real_time_runs_guests_side_by_side():
    found = realtime.groups(measure.rows(False, ["dns.query", "boot_at_4"]), ["xenolith", "nsd"])
    ((subjects, rows),) = found
    assert [s.system for s in subjects] == ["xenolith", "nsd"] and len(rows) == 5
    assert len({s.address for s in subjects}) == len({s.mac for s in subjects}) == 2


def test_json(tmp_path):
    report.write_json(results(), {"Xen": "4.17"}, tmp_path / "results.json")
    with open(tmp_path / "results.json", encoding="utf-8") as stream:
        assert json.load(stream)["results"] == results()


def test_kernel_inside_a_bzimage(tmp_path):
    inside = b"\x7fELF" + bytes(5000)
    packed = lzma.compress(inside, format=lzma.FORMAT_XZ) + struct.pack("<I", len(inside))
    head = bytearray(512 * 5)
    head[0x1F1], head[0x202:0x206] = 4, b"HdrS"
    struct.pack_into("<II", head, 0x248, 16, len(packed))
    path = tmp_path / "vmlinuz"
    path.write_bytes(bytes(head) + bytes(16) + packed)
    assert linux.uncompressed_kernel(path) == inside
    path.write_bytes(bytes(head) + bytes(16) + bytes(len(packed)))
    with pytest.raises(DebianError):
        linux.uncompressed_kernel(path)
    path.write_bytes(bytes(4096))
    with pytest.raises(DebianError):
        linux.uncompressed_kernel(path)


@pytest.mark.parametrize("words, wrong", [
    (["QUICK=2"], "QUICK=2"), (["REALTIME=x"], "REALTIME=x"), (["SYSTEMS=windows"], "windows"), (["ROWS=udp nonsense"], "nonsense: no row's name begins so; the rows are\n  udp.echo.1 "),
    (["ROWS=nonsense", "QUICK=1"], "the rows of QUICK=1 are\n  udp.echo.1 "), (["ROWS=dns.hot", "QUICK=1"], "dns.hot: not with QUICK=1"),
    (["ROWS=dns.names_1000000"], "only with MILLION=1"),
    (["ROWS=udp", "SYSTEMS=knot"], "nothing to measure: these rows have xenolith, linux"), (["--fast"], "--fast"),
    (["REALTIME=1", "ROWS=boot_at", "SYSTEMS=xenolith"], "boots are not measured by the clock"), (["REALTIME=1", "ROWS=boot_at"], "boots are not measured by the clock"), (["MEMORY=lots"], "MEMORY=lots"), (["COUNT=0"], "COUNT=0"), (["GROWTH=1", "ROWS=dns"], "growth.timers"), (["GROWTH=x"], "GROWTH=x"),
])
def test_usage(words, wrong):
    done = call(os.path.join(TOP, "scripts", "bench"), *words)
    assert done.returncode == 2 and wrong in done.stdout, done.stdout


def load_bench():
    path = os.path.join(TOP, "scripts", "bench")
    loader = importlib.machinery.SourceFileLoader("bench", path)
    bench = importlib.util.module_from_spec(importlib.util.spec_from_loader("bench", loader))
    loader.exec_module(bench)
    return bench


def test_results_of_the_run_before_are_kept(monkeypatch, tmp_path):
    bench = load_bench()
    monkeypatch.setattr(bench, "OUT", str(tmp_path))
    monkeypatch.setattr(bench.report, "plots", lambda *_: [])
    for name in ("results.json", "rate.png", "growth.json", "growth-names.png", "realtime.json"):
        (tmp_path / name).write_text(name)
    written = bench.write(results(), {}, False)[1]
    monkeypatch.setattr(bench.realtime, "markdown", lambda *_: [])
    assert "previous" in written[-1] and "previous" in bench.write(results(), {}, True)[1][-1]
    assert sorted(path.name for path in (tmp_path / "previous").iterdir()) == ["rate.png", "realtime.json", "results.json"]
    assert (tmp_path / "previous" / "results.json").read_text() == "results.json"
    (tmp_path / "boot.png").touch()
    bench.write(results(), {}, False)
    assert sorted(path.name for path in (tmp_path / "previous").iterdir()) == [
        "boot.png", "realtime.json", "results.json", "results.md"]
    assert not (tmp_path / "rate.png").exists() and (tmp_path / "growth-names.png").exists()


def test_one_that_fails_leaves_the_others_results(monkeypatch, tmp_path):
    bench = load_bench()
    machine = MagicMock()
    machine.return_value.alive.side_effect = [True, False]
    builder = MagicMock(prepare_disks=lambda _: [], payload=lambda _: {}, memory_of=lambda _: 4)

    def run(subject, _):
        if subject.system == "nsd":
            raise MachineError("nsd: no answers")
        yield results()[0]

    for name, value in (("OUT", tmp_path), ("Builder", MagicMock()), ("Machine", machine)):
        monkeypatch.setattr(bench, name, value)
    monkeypatch.setattr(bench.linux, "Distribution", MagicMock())
    monkeypatch.setattr(bench.systems, "Builder", lambda *_: builder)
    monkeypatch.setattr(bench.measure, "payload", lambda *_: {})
    monkeypatch.setattr(bench.measure, "Bench", lambda m, *_: SimpleNamespace(run=run, machine=m))
    groups = [(measure.Subject(system, "dns", 1000), [a_row()]) for system in ("nsd", "knot")]
    found, _, failures = bench.measure_all([a_row()], groups, False, 0, tmp_path, lambda _: None)
    assert found == results()[:1] and failures == ["nsd: no answers"]
    with pytest.raises(MachineError):
        bench.measure_all([a_row()], groups, False, 0, tmp_path, lambda _: None)


FOLDED = "guest;main;poll 100\nguest;main;poll;udp 300\nguest;main;poll;udp;[Xen] 50\nguest;idle 50\n"


def test_a_profile_by_function():
    rows = {name: (own, total) for name, own, total in flame.functions(FOLDED)}
    assert rows["udp"] == (300, 350) and rows["poll"] == (100, 450) and rows["guest"] == (0, 500)
    assert flame.functions(FOLDED)[0][0] == "udp"
    again = {name: total for name, _, total in flame.functions("a;b;a;b 10\n")}
    assert again == {"a": 10, "b": 10}
    assert "30.0        35.0  udp" in flame.table(FOLDED, 10)


def test_a_profile_by_line():
    found = [("poll", "a.c:9", 300), ("udp", "b.h:2", 10), ("udp", "b.h:12", 600), ("udp", "b.h:2", 30),
             ("poll", "??:?", 100), ("never", "c.c:1", 0)]  # fmt: skip
    assert flame.lines(found, 10).split("\n") == [
        "     64.0  udp", "      4.0      b.h:2", "     60.0      b.h:12",
        "     40.0  poll", "     10.0      ??:0", "     30.0      a.c:9", "",
    ]  # fmt: skip


def test_a_flame_graph():
    root = xml.etree.ElementTree.fromstring(flame.svg(FOLDED, "a < b", 10))
    boxes = {}
    for group in root.iter("{http://www.w3.org/2000/svg}g"):
        name, _, figure = group[0].text.rpartition(": ")
        boxes[name] = float(group[1].get("width")), float(group[1].get("y")), figure
    width = boxes["guest"][0]
    assert boxes["udp"][0] == pytest.approx(width * 0.7, abs=0.1) and boxes["udp"][2] == "35.0"
    assert boxes["udp"][1] < boxes["poll"][1] < boxes["guest"][1]
    with pytest.raises(ValueError):
        flame.tree("")


def test_a_boot_is_profiled():
    asked, said = [], "first_line 100 2000\n"
    bench = measure.Bench(None, SimpleNamespace(create=lambda m, s: SimpleNamespace(destroy=lambda: asked.append("end"))), None)
    bench._boot = lambda guest, subject: asked.append("boot") or said
    (row,) = measure.rows(False, ["boot_at_16.hello"])
    result = bench.run_once(row.subjects()[0], row, asked.append)
    assert asked == [True, "boot", False, "end"] and result["first_line_instructions"] == 2000


@pytest.mark.parametrize("words, wrong", [
    (["nothing"], "nothing"), (["dns", "ROW=udp.echo.1"], "udp.echo.1"), (["dns", "COUNT=x"], "COUNT=x"),
])
def test_usage_of_profile(words, wrong):
    done = call(os.path.join(TOP, "scripts", "profile"), *words)
    assert done.returncode == 2 and wrong in done.stdout, done.stdout
