# SPDX-License-Identifier: ISC
"""scripts/run and scripts/bench on a machine that runs Xen itself: in a dom0 that has the tree and this machine's Python.
It has no compiler: what they would build is there already."""

import json
import os
import re
import subprocess
import sys
import sysconfig

import pytest

from conftest import SUITE, TOP, built
from xenbench import linux, measure, systems
from xenqemu.guest import Guest
from xenqemu.machine import DOM0_MEMORY, CommandError, Machine

TREE = "/xenolith"
FAKE = "/fake"  # make, which has nothing to do, and gcc, whose programs lie in FAKE/bin
GCC = f"""#!/bin/sh
while [ "$1" != -o ]; do shift; done
cp {FAKE}/bin/${{2##*/}} $2
"""
NOT_IMPORTED = {"__pycache__", "dist-packages", "test", "idlelib", "lib2to3", "tkinter", "ensurepip", "pydoc_data", "distutils"}
ROWS = ("udp.echo.1", "udp.echo.32", "tcp.echo")
BENCH = (f"cd {TREE} && PATH={FAKE}:$PATH CROSS_COMPILE={FAKE}/ python3 scripts/bench REALTIME=1 QUICK=1 SYSTEMS=xenolith "
         f"ROWS='{' '.join(ROWS)}'")  # fmt: skip
GUEST = "xenolith-bench-xenolith-echo"


def files_below(folder, target, skip=()):
    found = {}
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in skip and not name.startswith("config-")]
        inside = os.path.normpath(os.path.join(target, os.path.relpath(place, folder)))
        found.update({f"{inside}/{name}": os.path.join(place, name) for name in names})
    return {name: path for name, path in found.items() if os.path.isfile(path)}


def python():
    """{path in dom0: path here or bytes}: this interpreter with its library and its own C library, which may be another
    than dom0's."""
    library = sysconfig.get_path("stdlib")
    found = files_below(library, f"/py/lib/{os.path.basename(library)}", NOT_IMPORTED)
    program = os.path.realpath(sys.executable)
    modules = [path for path in found.values() if path.endswith(".so")]
    said = subprocess.run(["ldd", program, *modules], capture_output=True, text=True, check=True).stdout
    libraries = set(re.findall(r"(?m)^\s(?:\S+ => )?(/\S+) \(", said))
    found.update({f"/py/so/{os.path.basename(path)}": path for path in libraries})
    found["/py/bin/python3"] = program
    wrapper = "#!/bin/sh\nPYTHONHOME=/py exec /py/so/ld-linux-x86-64.so.2 --library-path /py/so /py/bin/python3 \"$@\"\n"
    return {**found, "/usr/bin/python3": wrapper.encode()}


def outputs(app, target):
    """What a build leaves that is wanted where it is to run."""
    image = built(app)
    folder = os.path.dirname(image)
    found = {f"{target}/{app}{end}": image + end for end in ("", ".gz", ".cfg")}
    return {**found, **files_below(os.path.join(folder, "obj", app), f"{target}/obj/{app}")}


@pytest.fixture(scope="module")
def xen_host(machines, tmp_path_factory):
    machines.stop()  # there is one processor for each machine
    work = str(tmp_path_factory.mktemp("programs"))
    payload = {
        **python(), **files_below(f"{TOP}/scripts", f"{TREE}/scripts", ("__pycache__",)),
        **files_below(f"{TOP}/config", f"{TREE}/config"),
        **outputs("echo", f"{TREE}/out/bench/echo"), **outputs("hello", f"{TREE}/out"),
        f"{FAKE}/make": b"#!/bin/sh\n", f"{FAKE}/gcc": GCC.encode(),
    }  # fmt: skip
    for name in measure.PROGRAMS:
        payload[f"{FAKE}/bin/{name}"] = linux.compile_static(work, name, measure.FILES, [f"{name}.c", "load.c"])
    image = machines.images[SUITE]
    size = sum(len(source) if isinstance(source, bytes) else os.path.getsize(source) for source in payload.values())
    machine = Machine(
        image, memory=100, dom0_memory=DOM0_MEMORY + 3 * (size >> 20) + 64, pcpus=2, dom0_vcpus=1, payload=payload
    )
    with machine:
        # Made with the headers of this Xen; the compiler is not there to do it once more.
        machine.run(f"cp /bin/domstat {FAKE}/bin/domstat")
        yield machine


def left(machine):
    """What a benchmark might leave behind: guests, the bridge, files."""
    return machine.run(
        f"xl list | tail -n +3; ps | grep '[c]at /dev'; ls -d {systems.DOM0_BENCH} /tmp/xenolith.* /sys/class/net/xenbench 2>/dev/null; true"
    ).out


def test_bench_measures_on_the_hosts_own_xen(xen_host):
    said = xen_host.run(BENCH, timeout=300).out
    found = json.loads(xen_host.pull(f"{TREE}/out/bench/realtime.json"))["results"]
    assert sorted(result["name"] for result in found) == sorted(ROWS), said
    for result in found:
        assert result["lost"] == 0 and result["rate"] > 100 and len(result["rates"]) == 5
        assert result["guest_cpu_ns_per_op"] > 0 and result["dom0_cpu_ns_per_op"] > 0
    assert "that of this machine" in said and "2 CPUs; guests on the last of them" in said
    assert left(xen_host) == ""


@pytest.mark.parametrize("again", [False, True])
def test_an_end_of_bench_leaves_nothing_behind(xen_host, again):
    """By a signal, while a guest is up; or by one after the other, whatever they meet."""
    background = BENCH.replace("python3", "exec python3")
    xen_host.run(f"({background}) >/tmp/said 2>&1 & echo $! >/tmp/bench; "
                 f"n=0; until xl domid {GUEST} 2>/dev/null; do n=$((n + 1)); [ $n -lt 300 ] || exit 1; sleep 0.1; done",
                 timeout=60)  # fmt: skip
    assert left(xen_host) and xen_host.run(f"xl vcpu-list {GUEST}").out.split()[-3] == "1"  # the last CPU
    xen_host.run(f"kill -TERM $(cat /tmp/bench); n=0; while kill -{'HUP' if again else '0'} $(cat /tmp/bench) 2>/dev/null; do "
                 "n=$((n + 1)); [ $n -lt 200 ] || exit 1; sleep 0.1; done", timeout=60)  # fmt: skip
    said = xen_host.run("cat /tmp/said").out
    assert left(xen_host) == "" and "this is a Xen host" in said and "Traceback" not in said


def test_bench_leaves_others_domains_alone(xen_host):
    image = built("hello")
    other = Guest(xen_host, GUEST, {"kernel": image, "memory": 4}).create(paused=True)
    try:
        done = xen_host.run(BENCH, timeout=120, check=False)
        assert done.status == 1 and f"a domain called {GUEST} is running: xl destroy {GUEST} first" in done.err
        assert other.find() == other.domid
    finally:
        other.destroy()
    assert left(xen_host) == ""


def test_two_benches_at_once_are_refused(xen_host):
    xen_host.run(f"mkdir {systems.DOM0_BENCH}")
    done = xen_host.run(BENCH, timeout=120, check=False)
    assert done.status == 1 and "another benchmark is running. If one was killed, take away what it left" in done.err
    xen_host.run(f"rmdir {systems.DOM0_BENCH}")
    assert left(xen_host) == ""


def test_too_little_memory(xen_host):
    done = xen_host.run(f"{BENCH} MEMORY=3000", timeout=120, check=False)
    assert done.status == 1 and "needs 3008 MiB, and Xen has " in done.err and "xl mem-set" in done.err
    assert left(xen_host) == ""


def test_headers_of_another_xen(xen_host):
    xen_host.run(f"mv {FAKE}/bin/domstat /tmp/domstat; printf '#!/bin/sh\\necho no domain 0 >&2; exit 1\\n' "
                 f">{FAKE}/bin/domstat; chmod +x {FAKE}/bin/domstat")  # fmt: skip
    done = xen_host.run(BENCH, timeout=120, check=False)
    xen_host.run(f"mv /tmp/domstat {FAKE}/bin/domstat")
    assert done.status == 1 and "are of another version than the Xen that runs" in done.err and left(xen_host) == ""


def test_run_uses_the_hosts_own_xl(xen_host):
    try:
        said = xen_host.run(f"cd {TREE} && python3 scripts/run hello MEMORY=2 </dev/null", timeout=60).out
    except CommandError as e:
        pytest.fail(str(e))
    assert "this is a Xen host: xl create -c" in said and "Hello" in said, said
    assert left(xen_host) == ""
