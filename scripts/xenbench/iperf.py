# SPDX-License-Identifier: ISC
"""The rows of TCP in bulk: Debian's iperf3 client in dom0, against our server and against its own in a Linux guest.

A run has a beginning and an end that are not what is measured: the program is loaded, connections are made, results are
exchanged. So there are runs of two lengths, and what the longer ones cost more is the cost of what they move more. Of each
length the cheapest counts, for about every second run costs a Linux guest ten million instructions more than the others,
whatever its length: 300 a KiB in the difference of QUICK's. There are RUNS of each then; and after some connections all are
such runs, so where there is time the long ones are so long that it hardly matters (19 a KiB), and FEW will do. The first run is
not counted: the first connection may cost more than those after it.
"""

import json
import os

from xenqemu import image
from xenqemu.machine import MachineError

from . import linux
from .systems import DOM0_BENCH

APP = "iperf3"
PORT = 5201
KIB = 1024
PATIENCE = 600  # seconds
RUNS, FEW = 7, 3
MANY_KIB = 262144
FOLDER = f"{DOM0_BENCH}/iperf3"
# Reads the clocks around a run, as the other load programs do: what reading them costs is the same in both runs.
COMMAND = "domstat {domid}; domstat 0; {client}; domstat 0; domstat {domid}"


class _Payload(dict):
    """What image.add_libraries() takes for an archive: files of dom0 below FOLDER."""

    def copy(self, name, path, _mode):
        self[f"{FOLDER}/{name}"] = path

    def symlink(self, name, target):
        """The loader is called by its own name."""


def payload(tree):
    """{path in dom0: path of the host}: the client with the libraries of its own Debian, unpacked in tree."""
    program = os.path.join(tree, linux.PEERS[APP].program)
    files = _Payload()
    files.copy(APP, program, 0o755)
    image.add_libraries(files, tree, [program])
    return dict(files)


def boot(machine, guest):
    """Until the guest's server listens."""
    guest.unpause()
    guest.wait("istening on", timeout=PATIENCE)
    machine.run("sleep 3")  # its network, and whatever Linux does after its start


def _cpu_time(line):
    return int(dict(field.split("=", 1) for field in line.split())["cpu_time"])


def read(text, reverse):
    """(octets, nanoseconds, guest's CPU time, dom0's) of what COMMAND has printed."""
    first, rest = text.find("{"), text.rfind("}") + 1
    before, after = text[:first].splitlines(), text[rest:].splitlines()[1:]
    try:
        said = json.loads(text[first:rest])
        # What was sent has left the client, or has come to it: each end is sure of its own.
        total = said["end"]["sum_received" if reverse else "sum_sent"]
        octets, seconds = total["bytes"], total["seconds"]
        guest = _cpu_time(after[1]) - _cpu_time(before[0])
        dom0 = _cpu_time(after[0]) - _cpu_time(before[1])
    except (ValueError, KeyError, IndexError) as e:
        raise MachineError(f"iperf3 said {text!r}") from e
    return octets, round(seconds * 1e9), guest, dom0


def _client(address, kib, options):
    loader = f"{FOLDER}/{image.LIBRARIES}/ld-linux-x86-64.so.2"
    return (f"{loader} --library-path {FOLDER}/{image.LIBRARIES} {FOLDER}/{APP} "
            f"-c {address} -p {PORT} -n {kib * KIB} -J {options}")  # fmt: skip


def load(machine, guest, address, row, wanted, once):
    """What a load program would say about so many KiB. once: of one run, with all that belongs to it."""

    def run(kib):
        command = COMMAND.format(domid=guest.domid, client=_client(address, kib, row.spec))
        return read(machine.run(command, timeout=PATIENCE).out, row.spec == "-R")

    def cheapest(kib):
        return min((run(kib) for _ in range(FEW if wanted >= MANY_KIB else RUNS)), key=lambda said: said[2])

    if once:
        octets, nanoseconds, spent, dom0 = run(wanted)
    else:
        some = max(wanted // 4, 1)
        run(some)
        short, long = cheapest(some), cheapest(some + wanted)
        octets, nanoseconds, spent, dom0 = (b - a for a, b in zip(short, long))
    moved = octets // KIB
    return f"answered {moved} lost 0 good {moved} bytes {octets} nanoseconds {nanoseconds} guest {spent} dom0 {dom0}"


def count(machine, guest, address, row):
    """What hypercount would say about row.traced() KiB."""

    def cheapest(kib):
        command = f"hypercount {guest.domid} {_client(address, kib, row.spec)}"
        runs = (machine.run(command, timeout=PATIENCE).out.split() for _ in range(RUNS))
        runs = ({name: int(number) for name, number in zip(words[::2], words[1::2])} for words in runs)
        return min(runs, key=lambda said: said["guest"])

    some = row.traced()
    short, long = cheapest(some), cheapest(2 * some)
    return " ".join(f"{name} {long[name] - short[name]}" for name in short)
