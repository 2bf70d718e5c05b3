# SPDX-License-Identifier: ISC
"""apps/conformance: what Xen and xenstored answer to calls right and wrong. There is one table of the
answers, verdicts.txt, those of Xen 4.17; tests/unix/test_conformance.py has the simulated Xen answer too."""

import os

import pytest
from conftest import SUITE

HERE = os.path.dirname(os.path.abspath(__file__))


def programs(text):
    """The verdicts of each program."""
    found = {}
    for line in text.replace("\r", "").splitlines():
        word, _, rest = line.partition(" ")
        if word == "program":
            found[rest] = lines = []
        elif word == "verdict":
            lines.append(rest)
    return found


with open(os.path.join(HERE, "verdicts.txt"), encoding="ascii") as _table:
    EXPECTED = programs(_table.read())


@pytest.mark.skipif(SUITE != "bookworm", reason="other Xens, other answers")
def test_answers(xen, guest):
    """One guest runs all programs; what each says wrong is listed."""
    g = guest("conformance", extra=" ".join(EXPECTED), on_poweroff="preserve", on_crash="preserve")
    g.wait("end of the programs", timeout=60)
    said = programs(g.console())
    wrong = [f"{name}: {theirs}, not {ours}" for name, table in EXPECTED.items()
             for ours, theirs in zip(table, said.get(name, []), strict=False) if ours != theirs]
    assert not wrong, "\n".join(wrong)
    assert {name: len(table) for name, table in said.items()} == \
        {name: len(table) for name, table in EXPECTED.items()}
