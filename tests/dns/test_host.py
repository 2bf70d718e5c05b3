# SPDX-License-Identifier: ISC
"""lib/dns on the host: options, connections, and what zonec says.

XENOLITH_HOST_BIN is the directory of the host programs zonec and hostserver; without it they are made.
"""

import os
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


SMALL = "$TTL 60\n@ SOA a b 1 2 3 4 5\n@ NS a\na A 192.0.2.1\n"


@pytest.mark.parametrize("names", [0, 5000], ids=["at the end", "at once"])
def test_an_output_that_cannot_be_written(images, tmp_path, names):
    """The reason is told, and nothing of zones that are not there, whether the image fits into a buffer or not."""
    zone = tmp_path / "example.org.zone"
    zone.write_text(SMALL + "".join(f"a{i} A 192.0.2.1\n" for i in range(names)))

    def said(*words):
        done = subprocess.run([BIN / "zonec", *words, zone, f"example.net={zone}"], capture_output=True, text=True)
        assert done.returncode == 1 and not done.stdout and not list(tmp_path.glob("out*"))
        return done.stderr

    full = "zonec: /dev/full: No space left on device\n"
    assert said("-o", "/dev/full") == full
    assert said("-M", "/dev/full", "-o", tmp_path / "out") == full
    assert said("-o", tmp_path / "none" / "out").startswith(f"zonec: {tmp_path}/none/out.tmp: No such file")
    assert said("-M", tmp_path / "none" / "d", "-o", tmp_path / "out").startswith(f"zonec: {tmp_path}/none/d: No such")


def test_an_output_that_cannot_be_moved_to_its_place(images, tmp_path):
    zone, pipe, out = tmp_path / "example.org.zone", tmp_path / "pipe", tmp_path / "out"
    zone.write_text(SMALL + "$INCLUDE pipe\n")
    os.mkfifo(pipe)
    with subprocess.Popen([BIN / "zonec", "-o", out, zone], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True) as zonec:
        with pipe.open("w"):  # once zonec reads it
            out.mkdir()
        said, reason = zonec.communicate(timeout=60)
    assert (zonec.returncode, said, reason) == (1, "", f"zonec: {out}: Is a directory\n")
    assert not list(tmp_path.glob("*.tmp"))


def test_what_the_server_is_without_is_a_known_word(images, tmp_path):
    zone = tmp_path / "example.org.zone"
    zone.write_text(SMALL)
    for words, code, reason in [(["dname", "-w", "dnssec"], 0, ""), (["dnames"], 2, "zonec: -w dnames: no such feature\n")]:
        done = subprocess.run([BIN / "zonec", "-w", *words, "-o", tmp_path / "out", zone], capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (code, reason)
        assert (tmp_path / "out").exists() == bool(done.stdout) == (code == 0)
        (tmp_path / "out").unlink(missing_ok=True)
