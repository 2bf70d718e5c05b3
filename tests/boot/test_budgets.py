# SPDX-License-Identifier: ISC
"""Budgets of tests/budgets.toml: image bytes and instructions, the same on every machine and under
any load."""

import os
import subprocess

import nettools
import pytest

from conftest import OUT, TOP, built, xlcfg


def compiled(folder, name):
    """A program of tests/bench/dom0 for dom0."""
    sources = [os.path.join(TOP, "tests", "bench", "dom0", source) for source in (f"{name}.c", "load.c")]
    compiler = os.environ.get("CROSS_COMPILE", "x86_64-linux-gnu-") + "gcc"
    subprocess.run([compiler, "-O2", "-static", "-o", folder / name, *sources], check=True, capture_output=True)
    return (folder / name).read_bytes()


@pytest.fixture(scope="module")
def growload(tmp_path_factory):
    return compiled(tmp_path_factory.mktemp("dom0"), "growload")


@pytest.fixture(scope="module")
def hypercount(tmp_path_factory):
    return compiled(tmp_path_factory.mktemp("dom0"), "hypercount")


def instructions(guest, machine, memory):
    """From unpause to hello's shutdown, Xen's work for it included."""
    g = guest(
        "hello",
        machine=machine,
        paused=True,
        memory=memory,
        on_poweroff="preserve",
        on_crash="preserve",
    )
    g.unpause()
    stat = g.wait_shutdown()
    assert stat.reason == "poweroff", g.console()
    g.xl("destroy")
    return stat.cpu_time


@pytest.mark.parametrize("memory", [1, 4, 1024])
def test_hello_boot(xen_icount, guest, budget, memory):
    budget("hello.boot_instructions", instructions(guest, xen_icount, memory))


@pytest.mark.parametrize("memory", [1, 1024])
def test_hello_first_line(xen_icount, guest, budget, hypercount, memory):
    """From the unpause until the event for the console's first line, with what Xen takes to write down each hypercall.
    The guest's first operation on event channels binds its timer, the second is that event."""
    xen_icount.push("/tmp/hypercount", hypercount, mode=0o755)
    g = guest("hello", machine=xen_icount, paused=True, memory=memory, on_poweroff="preserve")
    said = xen_icount.run(f"/tmp/hypercount {g.domid} sh -c 'xl unpause {g.domid}; sleep 1'").out.split()
    assert g.wait_shutdown().reason == "poweroff", g.console()
    g.xl("destroy")
    found = {name: int(value) for name, value in zip(said[::2], said[1::2])}
    budget("hello.first_line_instructions", found["guest_event_2_at"])
    # The window alone takes more than this, and so does the line.
    assert found["guest_event_1_at"] > 18000, found
    assert found["guest_event_2_at"] > found["guest_event_1_at"] + 2000, found


def test_hello_boot_does_not_depend_on_memory(xen_icount, guest, budget):
    # The least of three: Xen's own clock may tick in between, and costs as much as all that is looked for.
    few, many = (min(instructions(guest, xen_icount, memory) for _ in range(3)) for memory in (4, 1024))
    budget("hello.memory_spread_instructions", abs(many - few))


def test_large_image(xen_icount, guest, budget, tmp_path):
    """What a page of zones costs at boot, with a megabyte or seven of them."""
    spent, pages = [], []
    for names in 4000, 30000:
        zone = tmp_path / "large.zone"
        zone.write_text("@ 60 SOA ns host 1 2 3 4 5\n@ 60 NS ns\n"
                        f"$GENERATE 1-{names} n$ 60 TXT {200 * 'x'}\n")
        out = f"{OUT}-large"
        subprocess.run(["make", "-s", "-j2", "APP=dns", f"OUT={out}", f"ZONE=example.org={zone}"], cwd=TOP, check=True)
        with open(os.path.join(out, "dns.cfg")) as f:
            config = dict(xlcfg.parse(f.read(), f.name), kernel=os.path.join(out, "dns"), memory=16)
        g = guest(config, machine=xen_icount, paused=True)
        g.unpause()
        g.wait("listening on port 53")
        g.wait(r"address 10\.0\.1\.[0-9]*/16")
        spent.append(g.stat().cpu_time)
        pages.append(os.path.getsize(config["kernel"]) // 4096)
        g.xl("destroy")
    budget("dns.boot_instructions_per_page", round((spent[1] - spent[0]) / (pages[1] - pages[0])))


@pytest.mark.parametrize("app", ["hello", "dns"])
def test_image_size(app, budget):
    budget(f"{app}.image_bytes", os.path.getsize(built(app)))
    budget(f"{app}.image_gz_bytes", os.path.getsize(built(app) + ".gz"))
    budget(f"{app}.small_image_bytes", os.path.getsize(built(app, "CONFIG_SMALL=y")))


# --- growth (docs/growth.md) -------------------------------------------------------------------


def grow(guest, growload, arguments):
    """What growload says last, as a dictionary."""
    m = guest.machine
    if m.run("test -x /tmp/growload", check=False).status:
        m.push("/tmp/growload", growload, mode=0o755)
    words = m.run(f"/tmp/growload {guest.domid} {guest.address} {arguments}", timeout=120).out.splitlines()[-1].split()
    return {name: int(value) for name, value in zip(words[::2], words[1::2])}


def test_tcp_echo(xen_icount, guest, budget, tmp_path):
    """A stream to the echo service and back, by the benchmark's client."""
    xen_icount.push("/tmp/tcpload", compiled(tmp_path, "tcpload"), mode=0o755)
    g = guest("echo", machine=xen_icount)
    g.wait("address 10")
    words = xen_icount.run(f"/tmp/tcpload {g.domid} {g.address} 7 1 4096 16384 echo:", timeout=120).out.split()
    said = {name: int(value) for name, value in zip(words[::2], words[1::2])}
    assert said["bytes"] == 16384 << 10
    budget("echo.tcp_instructions_per_kib", round(said["guest"] / 16384))


def test_beside_many_connections(xen_icount, guest, growload, budget):
    g = guest("echo", machine=xen_icount)
    nettools.wait_ready(g, g.address)
    said = grow(g, growload, "7 connections 3 0 500")
    for what in ("any", "open", "replace"):
        budget(f"echo.tcp_{what}_beside_500", said[what])


def test_beside_many_timers_and_threads(xen_icount, guest, growload, budget):
    g = guest("growth", machine=xen_icount)
    nettools.wait_ready(g, g.address)
    for things, jobs in (("timers", ["set"]), ("threads", ["switch", "wake", "create"]), ("due", ["fire"])):
        grow(g, growload, f"7 tell '{things} 3000'")
        for job in jobs:
            cost = grow(g, growload, f"7 tell '{job} 5000'")["guest"] / 5000
            budget(f"growth.{job}_beside_3000", round(cost))
