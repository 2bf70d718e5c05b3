# SPDX-License-Identifier: ISC
"""scripts/fetch: without a network from DISTDIR, and what it says when something is wrong."""
import hashlib
import io
import os
import tarfile

import pytest
from conftest import CACHE, TOP, call
from test_xlcfg import load

fetch = load("fetch")


def tarball(path, files):
    """A tar archive holding {name: text}; returns its sha256."""
    with tarfile.open(path, "w:xz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    return hashlib.sha256(path.read_bytes()).hexdigest()


PATCH = """--- a/hello.c
+++ b/hello.c
@@ -1 +1 @@
-one
+two
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A lock file for one invented package, its tarballs in a DISTDIR, an empty cache."""
    dist = tmp_path / "dist"
    dist.mkdir()
    orig = tarball(dist / "toy_1.0.orig.tar.xz", {"toy-1.0/hello.c": "one\n"})
    debian = tarball(dist / "toy_1.0-1.debian.tar.xz", {
        "debian/patches/series": "# comment\n\nfix.patch\n", "debian/patches/fix.patch": PATCH})
    monkeypatch.setenv("XENOLITH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("DISTDIR", str(dist))
    monkeypatch.setattr(fetch, "LOCK", str(tmp_path / "deps.lock"))

    def lock(patches="yes", edits="", orig=orig, debian=debian, suite="trixie"):
        (tmp_path / "deps.lock").write_text(
            f"[toy]\nrole = test\nversion = 1.0-1\nsuite = {suite}\npatches = {patches}\nfiles =\n"
            f"    toy_1.0.orig.tar.xz {orig}\n    toy_1.0-1.debian.tar.xz {debian}\n"
            + (f"edits =\n    {edits}\n" if edits else ""))
        return fetch.load_lock(str(tmp_path / "deps.lock"))["toy"]
    lock.dist = dist
    return lock


def unpacked(dep, apts=None):
    fetch.bring("toy", dep, apts or {})
    fetch.unpack("toy", dep)
    with open(os.path.join(fetch.source_dir("toy", dep), "hello.c"), encoding="utf-8") as stream:
        return stream.read()


def test_from_distdir_without_a_network(place, monkeypatch):
    monkeypatch.setattr(fetch, "Apt", None)
    assert unpacked(place()) == "two\n"
    assert unpacked(place(patches="no")) == "one\n"
    assert unpacked(place(edits="hello.c s/two/three/")) == "three\n"


def test_each_lock_has_a_directory_of_its_own(place):
    places = {fetch.source_dir("toy", place()), fetch.source_dir("toy", place(patches="no")),
              fetch.source_dir("toy", place(edits="hello.c s/two/three/"))}
    assert len(places) == 3


def test_edit_without_effect(place):
    with pytest.raises(fetch.Refused, match="changes nothing"):
        unpacked(place(edits="hello.c s/nowhere/there/"))


def test_wrong_hash_is_refused(place):
    with pytest.raises(fetch.Refused, match="toy_1.0.orig.tar.xz: sha256 is"):
        unpacked(place(orig="0" * 64))


def test_truncated_file_is_refused(place):
    dep = place()
    path = place.dist / "toy_1.0-1.debian.tar.xz"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(fetch.Refused, match="Remove the file"):
        unpacked(dep)


def test_bad_lock_line(place):
    with pytest.raises(fetch.Refused, match="want 'file sha256'"):
        place(orig="123")


class FakeApt:
    """apt with a mirror that has nothing, or another version."""
    fresh = True

    def __init__(self, versions):
        self.known = versions

    def download(self, name, version, into):
        return f"E: Can not find version '{version}' of package '{name}'\n"

    def versions(self, name):
        return self.known


def test_revision_gone_from_the_mirror(place):
    dep = place()
    (place.dist / "toy_1.0-1.debian.tar.xz").unlink()
    with pytest.raises(fetch.Refused, match="now has version 1.0-2.*config/deps.lock") as refusal:
        fetch.bring("toy", dep, {"trixie": FakeApt(["1.0-2"])})
    assert "toy_1.0-1.debian.tar.xz did not come" in str(refusal.value)


def test_damaged_on_the_way(place):
    """What came with a wrong hash is not kept: the next run fetches it again."""
    dep = place()
    target = place.dist / "toy_1.0-1.debian.tar.xz"
    whole = target.read_bytes()
    target.unlink()

    class Mirror(FakeApt):
        sends = whole[:-1]

        def download(self, name, version, into):
            with open(os.path.join(into, target.name), "wb") as stream:
                stream.write(self.sends)
            return ""

    mirror = Mirror([])
    with pytest.raises(fetch.Refused, match="sha256 is .*try again"):
        fetch.bring("toy", dep, {"trixie": mirror})
    assert os.listdir(place.dist) == ["toy_1.0.orig.tar.xz"]
    mirror.sends = whole
    assert unpacked(dep, {"trixie": mirror}) == "two\n"


def test_no_network(tmp_path, place, monkeypatch):
    """An index that cannot be read: apt's own words and the way out."""
    dep = place()
    (place.dist / "toy_1.0.orig.tar.xz").unlink()
    monkeypatch.setattr(fetch, "debian_source", lambda: ("trusted=yes", "http://127.0.0.1:9/debian"))
    with pytest.raises(fetch.Refused, match="is there a network") as refusal:
        fetch.bring("toy", dep, {})
    assert "DISTDIR" in str(refusal.value)


@pytest.mark.parametrize("text,reader,want", [
    ("deb [signed-by=/k arch=amd64] http://m/debian bookworm main contrib\n", "one_line_sources",
     [("signed-by=/k arch=amd64", "http://m/debian", ["bookworm"])]),
    ("# deb http://m/debian bookworm main\ndeb http://m/x stable contrib\n", "one_line_sources", []),
    ("Types: deb\n# a comment\nURIs: http://m/debian\nSuites: bookworm bookworm-updates\n"
     "Components: main\nSigned-By: /k\n", "deb822_sources",
     [("signed-by=/k", "http://m/debian", ["bookworm", "bookworm-updates"])]),
    ("Types: deb\nURIs: http://m/debian\nSuites: sid\nComponents: main\nEnabled: no\n",
     "deb822_sources", []),
    ("Types: deb\nURIs: http://m/x\nSuites: nodistro\nComponents: contrib\n", "deb822_sources", []),
])
def test_machines_own_apt_configuration(text, reader, want):
    assert list(getattr(fetch, reader)(text)) == want


def test_unknown_name():
    done = call("scripts/fetch", "nonsense")
    assert done.returncode == 1 and "newlib" in done.stdout and "Traceback" not in done.stdout


def test_fetched_once_means_quiet():
    done = call("scripts/fetch", XENOLITH_CACHE=CACHE)
    assert done.returncode == 0
    done = call("scripts/fetch", XENOLITH_CACHE=CACHE)
    assert (done.returncode, done.stdout) == (0, "")


def test_nothing_third_party_in_the_tree():
    """The lock is the only trace: no tarballs, no patches of others' code."""
    listing = call("git", "ls-files", cwd=TOP).stdout.splitlines()
    assert not [name for name in listing if name.endswith((".xz", ".gz", ".patch", ".diff", ".deb"))]
