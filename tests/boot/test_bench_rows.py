# SPDX-License-Identifier: ISC
"""What the rows of make bench cost our guests: the benchmark itself, run for them alone."""

import json
import os
import subprocess
import tomllib

import pytest

from conftest import TOP

# All that have no program of the peers', which would have to be fetched; those of iperf3 are in test_iperf.py.
ROWS = "udp. tcp.echo dns. boot_at_4 boot_at_1024"
COUNT = 5000  # what a row has to begin with is hardly seen any more
OUT = os.path.join("out", "test", "bench")
NAMES = ("QUICK", "MEMORY", "MILLION", "REALTIME", "GROWTH", "PLOTS", "COUNT")  # what else would be measured

with open(os.path.join(TOP, "tests", "budgets.toml"), "rb") as f:
    BUDGETS = tomllib.load(f)


@pytest.fixture(scope="module")
def results(machines):
    machines.stop()  # where other tests run in this process: one machine at a time
    ours = {name: value for name, value in os.environ.items() if name not in NAMES}
    done = subprocess.run(
        ["scripts/bench", "SYSTEMS=xenolith", f"ROWS={ROWS}", f"COUNT={COUNT}"], cwd=TOP, env=dict(ours, XENOLITH_OUT=OUT),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    with open(os.path.join(TOP, OUT, "bench", "results.json")) as f:
        return {result["name"]: result for result in json.load(f)["results"]}


def test_every_row_has_a_budget(results):
    loads = {name for name, result in results.items() if "rate" in result}
    boots = {name for name in results if name.startswith("boot_at_")}
    assert loads == set(BUDGETS["bench_instructions"]) == set(BUDGETS["bench_hypercalls"])
    assert boots == set(BUDGETS["bench_boot"])
    assert all(not results[name]["lost"] for name in loads)


@pytest.mark.parametrize("name", BUDGETS["bench_instructions"])
def test_row(results, budget, name):
    budget(f"bench_instructions.{name}", results[name]["guest_instructions_per_op"])
    budget(f"bench_hypercalls.{name}", results[name]["hypercalls_per_op"])


@pytest.mark.parametrize("name", BUDGETS["bench_boot"])
def test_boot(results, budget, name):
    """Until the first answer, or of hello, which gives none, until the first line."""
    result = results[name]
    budget(f"bench_boot.{name}", result.get("first_answer_instructions", result["first_line_instructions"]))


def test_dns_is_near_the_floor(results, budget):
    """How many times what the same packets cost without a stack."""
    query, floor = (results[name]["guest_instructions_per_op"] for name in ("dns.query.100", "udp.floor.100"))
    budget("bench.floors_of_a_query", round(query / floor, 3))
