# SPDX-License-Identifier: ISC
"""The complete example in docs/apps.md is what it says: complete."""
import os
import re

from conftest import TOP


def test_the_callback_example_builds(make, copy_of_tree):
    tree = copy_of_tree("tree")
    with open(os.path.join(TOP, "docs", "apps.md"), encoding="utf-8") as stream:
        text = stream.read()
    files = re.findall(r"`apps/ticker/(\S+)`:\n\n((?:    .*\n|\n)+)", text)
    assert [name for name, _ in files] == ["Kconfig", "files.mk", "main.c"]
    os.mkdir(os.path.join(tree, "apps", "ticker"))
    for name, body in files:
        with open(os.path.join(tree, "apps", "ticker", name), "w", encoding="utf-8") as stream:
            stream.write(re.sub(r"(?m)^    ", "", body).strip("\n") + "\n")
    done = make("APP=ticker", cwd=tree)
    assert done.returncode == 0, done.stdout
