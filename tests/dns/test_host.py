# SPDX-License-Identifier: ISC
"""lib/dns on the host: options, connections, and what zonec says.

XENOLITH_HOST_BIN is the directory of the host programs zonec and hostserver; without it they are made.
"""

import re
import subprocess
from pathlib import Path

import pytest

import options
import servers
import transport

HERE = Path(__file__).resolve().parent
BIN = servers.BIN


@pytest.fixture(scope="module")
def images(plain):
    return plain[1]


def test_options(images, tmp_path):
    """Cookie, NSID, keepalive, padding, extended error and CHAOS, as dnspython and its like see them."""
    with servers.host(BIN / "hostserver", images, tmp_path) as ours:
        options.check(ours)


@pytest.mark.parametrize("check", transport.CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
def test_connections(images, tmp_path, check):
    with servers.host(BIN / "hostserver", images, tmp_path) as ours:
        check(ours)


def test_a_name_has_one_zone(images, tmp_path):
    zone = HERE / "zones" / "example.test.zone"
    done = subprocess.run([BIN / "zonec", "-o", tmp_path / "out", zone, f"Example.TEST={zone}"],
                          capture_output=True, text=True)
    assert done.returncode == 1 and "is already the zone in" in done.stderr
    assert not list(tmp_path.glob("out*"))


def test_messages_are_in_the_order_of_the_file(images, tmp_path):
    """Whether it was the reader who complained, the builder, or of an included file."""
    zone = tmp_path / "example.org.zone"
    zone.write_text("$TTL 60\n@ SOA a b 1 2 3 4 5\n@ NS ns\n$INCLUDE more\nz CNAME b\nz A 192.0.2.1\n"
                    "f A 192.0.2.1\na CNAME b\na A 192.0.2.1\nns A 192.0.2.1\n")
    (tmp_path / "more").write_text("y CNAME b\ny A 192.0.2.1\n")

    def said(*files):
        done = subprocess.run([BIN / "zonec", "-o", tmp_path / "out", *files], capture_output=True, text=True)
        assert done.returncode == 1 and not list(tmp_path.glob("out*"))
        return re.sub(r"(?m)^(zonec: )?" + re.escape(f"{tmp_path}/"), "", done.stderr).splitlines()

    lines = said(zone)
    assert [line.split(": ")[0] for line in lines[:-1]] == [
        "example.org.zone:6", "example.org.zone:9", "more:2"], lines
    assert lines[-1] == "example.org.zone: no zone made"
    zone.write_text(zone.read_text().replace("INCLUDE more", "INCLUDE gone").replace("f A", "f AA"))
    assert said(zone, tmp_path / "none", tmp_path) == [
        "example.org.zone:4: cannot open gone: No such file or directory",
        "example.org.zone:7: unknown type: AA", "example.org.zone: no zone made",
        "none: cannot open: No such file or directory", "none: no zone made",
        f"{tmp_path}: cannot open: Is a directory", f"zonec: {tmp_path}: no zone made"]
