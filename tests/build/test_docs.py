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


def test_links_lead_somewhere_and_every_chapter_is_listed():
    folder = os.path.join(TOP, "docs")
    chapters = {name for name in os.listdir(folder) if name.endswith(".md")} - {"README.md"}
    for path in [os.path.join(TOP, "README.md")] + [
            os.path.join(folder, name) for name in chapters | {"README.md"}]:
        with open(path, encoding="utf-8") as stream:
            links = re.findall(r"\]\(([^)#:]+)[^)]*\)", stream.read())
        for link in links:
            assert os.path.exists(os.path.join(os.path.dirname(path), link)), f"{path}: {link}"
        if path == os.path.join(folder, "README.md"):
            assert chapters <= set(links), f"not in docs/README.md: {chapters - set(links)}"
