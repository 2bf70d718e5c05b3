# SPDX-License-Identifier: ISC
"""The fuzz targets of tests/fuzz for some seconds each, from seeds; XENOLITH_FUZZ_SECONDS for longer.

A crash, a leak, an answer that is no well-formed message or one that takes too long fails the test; the
input is then in the test's directory.
"""

import os
import shutil
import subprocess
from pathlib import Path

import dns.message
import dns.name
import dns.tsig
import dns.tsigkeyring
import pytest

import differential
import servers

HERE = Path(__file__).resolve().parent
SECONDS = os.environ.get("XENOLITH_FUZZ_SECONDS", "5")
COOKIE = bytes.fromhex("000a00081122334455667788")


def query_seeds():
    """Queries for names of tests/fuzz/dns_zone.c, behind an octet that chooses the transport."""
    for name in ("example.", "x.d.example.", "a.wild.example.", "alias2.example.", "nx.sub.example."):
        for rdtype in (1, 15, 43, 46, 251, 252):
            for additional in ((), (differential.edns(flags=0x8000, options=COOKIE),)):
                shown = dns.name.from_text(name).to_wire()
                for transport in (b"\0", b"\1"):
                    yield transport + differential.build(shown, rdtype, additional=additional)
    query = dns.message.make_query("example.", "AXFR")
    query.use_tsig(dns.tsigkeyring.from_text({"key.example.": "c2VjcmV0"}), algorithm=dns.tsig.HMAC_SHA256)
    yield b"\1" + query.to_wire()


def zonefile_seeds():
    for file in [*HERE.glob("zones/*.zone"), HERE / "zones/signed/template"]:
        yield file.read_bytes().replace(b"example.test", b"example")


@pytest.mark.parametrize("target, seeds", [("dns_query", query_seeds), ("dns_zonefile", zonefile_seeds)])
def test_fuzz(tmp_path, target, seeds):
    if not shutil.which("clang"):
        pytest.skip("clang is not installed")
    subprocess.run(["make", "-s", "host-fuzz"],
                   cwd=servers.TOP, check=True, stdout=subprocess.DEVNULL)  # fmt: skip
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for i, seed in enumerate(seeds()):
        (corpus / f"seed{i}").write_bytes(seed)
    words = [f"-max_total_time={SECONDS}", "-max_len=4096", "-timeout=10", "-print_final_stats=1"]
    done = subprocess.run([servers.TOP / "out/host" / f"fuzz-{target}", *words, corpus], cwd=tmp_path,
                          capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert int(done.stderr.split("number_of_executed_units:")[1].split()[0]) > 100, done.stderr[-500:]
