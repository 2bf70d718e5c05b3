# SPDX-License-Identifier: ISC
"""The complete example in docs/apps.md is what it says: complete. What the documents name is there."""
import fnmatch
import glob
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


# Files that are named and not in the tree: of Xen and lwIP, of the example, of those that are made.
ELSEWHERE = {"elfnote.h", "xen/include/public/io/netif.h", "opt.h", "tcp_in.c", "apps/ticker/*", "config.h", "config.mk",
             "results.md", "realtime.md", "dns.txt"}


def documents():
    return [os.path.join(TOP, "README.md")] + sorted(glob.glob(os.path.join(TOP, "docs", "*.md")))


def alternatives(word):
    """a{b,c} as two words."""
    braces = re.search(r"\{([^{}]*)\}", word)
    if not braces:
        return [word]
    return [full for part in braces[1].split(",")
            for full in alternatives(word[:braces.start()] + part + word[braces.end():])]


def named_files(text):
    """The words in backquotes that are files or folders of the tree: from one of its folders, or by the
    suffix. Placeholders are in capitals."""
    folders = [name + "/" for name in os.listdir(TOP) if os.path.isdir(os.path.join(TOP, name)) and name != "out"]
    for span in re.findall(r"`([^`]+)`", text):
        for word in (full for word in span.split() for full in alternatives(word.strip("(),;:"))):
            suffix = re.fullmatch(r"[\w*/-][\w.*/-]*\.(c|h|S|lds|mk|py|md|txt|toml|lock|sh)", word)
            if (suffix or word.startswith(tuple(folders))) and re.fullmatch(r"[\w.*/-]+", word) \
                    and not re.search(r"[A-Z]{2}|^/|^out/", word):
                yield word


def test_files_that_are_named_exist(copy_of_tree):
    tree = copy_of_tree("tree")
    there = [os.path.relpath(os.path.join(where, name), tree)
             for where, folders, names in os.walk(tree) for name in folders + names]

    def missing(text):
        # A path is from the top of the tree; a file's name alone is of a folder that the text is about.
        return {word for word in named_files(text)
                if not any(fnmatch.fnmatch(word, pattern) for pattern in ELSEWHERE)
                and not fnmatch.filter(there, word.rstrip("/"))
                and ("/" in word.rstrip("/") or not fnmatch.filter(there, "*/" + word.rstrip("/")))}

    for path in documents():
        with open(path, encoding="utf-8") as stream:
            text = stream.read()
        assert missing(text) == set(), path
    assert missing("`link.lds` `config/{build,none}.mk`, `kernel/` and `kernel/*.c`; `gso.h` `net/gso.h` (`sim/no.h`)") == {
        "link.lds", "config/none.mk", "net/gso.h", "sim/no.h"}


def test_links_lead_somewhere_and_every_chapter_is_listed():
    folder = os.path.join(TOP, "docs")
    chapters = {name for name in os.listdir(folder) if name.endswith(".md")} - {"README.md"}
    for path in documents():
        with open(path, encoding="utf-8") as stream:
            links = re.findall(r"\]\(([^)#:]+)[^)]*\)", stream.read())
        for link in links:
            assert os.path.exists(os.path.join(os.path.dirname(path), link)), f"{path}: {link}"
        if path == os.path.join(folder, "README.md"):
            assert chapters <= set(links), f"not in docs/README.md: {chapters - set(links)}"
