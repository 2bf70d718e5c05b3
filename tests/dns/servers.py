# SPDX-License-Identifier: ISC
"""Name servers for the DNS tests, as child processes on 127.0.0.1: NSD, and lib/dns on the host."""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
START_SECONDS = 20


def find_nsd():
    """The NSD binary: XENOLITH_NSD, else from the PATH (Debian keeps it in sbin). None if there is none."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"
    return os.environ.get("XENOLITH_NSD") or shutil.which("nsd", path=path)


def free_port():
    """A port that is free for UDP and for TCP."""
    for _ in range(50):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp:
            tcp.bind(("127.0.0.1", 0))
            port = tcp.getsockname()[1]
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, contextlib.suppress(OSError):
                udp.bind(("127.0.0.1", port))
                return port
    raise RuntimeError("no free port")


def wait_until_answering(address, process, log):
    """Waits until the server at `address` accepts a TCP connection."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError), socket.create_connection(address, timeout=1):
            return
        time.sleep(0.05)
    process.kill()
    raise RuntimeError(f"server did not start:\n{Path(log).read_text(errors='replace')}")


@contextlib.contextmanager
def _running(argv, address, log):
    with open(log, "wb") as out:
        process = subprocess.Popen(argv, stdout=out, stderr=subprocess.STDOUT)
    try:
        wait_until_answering(address, process, log)
        yield address
        if process.poll() is not None:
            raise RuntimeError(f"server died:\n{Path(log).read_text(errors='replace')}")
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
        process.wait()


def nsd(zones, directory, minimal=False):
    """Context: NSD serving `zones`, a dict of zone name to file; yields (address, port)."""
    address = ("127.0.0.1", free_port())
    directory = Path(directory)
    lines = [
        "server:",
        f"  ip-address: {address[0]}@{address[1]}",
        '  username: ""',
        '  chroot: ""',
        '  database: ""',
        f'  zonesdir: "{Path(next(iter(zones.values()))).parent}"',
        f'  pidfile: "{directory}/nsd.pid"',
        f'  xfrdfile: "{directory}/xfrd.state"',
        f'  xfrdir: "{directory}"',
        f'  zonelistfile: "{directory}/zone.list"',
        f"  minimal-responses: {'yes' if minimal else 'no'}",
        "  server-count: 1",
        "  rrl-ratelimit: 0",
        "  rrl-whitelist-ratelimit: 0",
        "remote-control:",
        "  control-enable: no",
    ]
    for name, file in zones.items():
        lines += ["zone:", f"  name: {name}", f'  zonefile: "{file}"', "  provide-xfr: 127.0.0.1 NOKEY"]
    conf = directory / "nsd.conf"
    conf.write_text("\n".join(lines) + "\n")
    return _running([find_nsd(), "-d", "-c", str(conf)], address, directory / "nsd.log")


def host(server, images, directory, minimal=False):
    """Context: the host server (tests/dns/hostserver.c) on a file of images; yields (address, port)."""
    address = ("127.0.0.1", free_port())
    argv = [str(server), *(["-m"] if minimal else []), str(address[1]), str(images)]
    return _running(argv, address, Path(directory) / "hostserver.log")
