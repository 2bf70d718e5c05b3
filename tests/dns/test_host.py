# SPDX-License-Identifier: ISC
"""lib/dns on the host: compared with NSD, which serves the same zones; and its use of connections.

XENOLITH_HOST_BIN is the directory of the host programs zonec and hostserver; without it they are made.
Without NSD the tests are skipped, unless XENOLITH_NSD_REQUIRED is set: then they fail.
"""

import os
import subprocess
from pathlib import Path

import pytest

import differential
import servers
import transport

HERE = Path(__file__).resolve().parent
BIN = Path(os.environ.get("XENOLITH_HOST_BIN", servers.TOP / "out/host"))
ZONES = {p.name.removesuffix(".zone"): p for p in sorted((HERE / "zones").glob("*.zone"))}


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    if "XENOLITH_HOST_BIN" not in os.environ:
        subprocess.run(["make", "-s", "host-dns"], cwd=servers.TOP, check=True)
    out = tmp_path_factory.mktemp("dns") / "zones.img"
    subprocess.run([BIN / "zonec", "-o", out, *ZONES.values()], check=True)
    return out


@pytest.mark.parametrize("minimal", [False, True], ids=["full", "minimal"])
def test_same_answers_as_nsd(images, tmp_path, minimal):
    if not servers.find_nsd():
        assert not os.environ.get("XENOLITH_NSD_REQUIRED"), "nsd is missing"
        pytest.skip("nsd is not installed")
    with servers.nsd(ZONES, tmp_path, minimal) as nsd:
        with servers.host(BIN / "hostserver", images, tmp_path, minimal) as ours:
            queries = differential.generate(differential.load_owners(nsd, ZONES), ZONES)
            asked, unexpected = differential.run(ours, nsd, queries, differential.expected)
    print(f"{asked} queries")
    assert asked > 5000
    assert not unexpected, f"{len(unexpected)} of {asked} differ:\n" + "\n".join(
        differential.describe(q, f) for q, f in unexpected[:20]
    )


@pytest.mark.parametrize("check", transport.CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
def test_connections(images, tmp_path, check):
    with servers.host(BIN / "hostserver", images, tmp_path) as ours:
        check(ours)
