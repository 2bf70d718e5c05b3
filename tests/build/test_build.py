# SPDX-License-Identifier: ISC
"""make: what it builds, rebuilds, refuses and reproduces."""
import filecmp
import gzip
import json
import os
import pathlib
import re
import shutil

import pytest
from conftest import APPS_OUT, CACHE, TOP, call
from test_xlcfg import load


def stamp(path):
    return os.stat(path).st_mtime_ns


def compiled(done):
    """The sources a make compiled."""
    return sorted(line.split()[1] for line in done.stdout.splitlines()
                  if line.startswith("  CC "))


def built(done):
    """The build went well; if not, its last lines say why."""
    assert done.returncode == 0, "\n".join(done.stdout.splitlines()[-15:])


def apps():
    return sorted(name for name in os.listdir(os.path.join(TOP, "apps"))
                  if os.path.exists(os.path.join(TOP, "apps", name, "Kconfig")))


def test_products(app):
    out = app("hello")
    assert (out / "hello").exists() and (out / "hello.elf").exists() and (out / "hello.cfg").exists()
    assert (out / "hello").stat().st_size < (out / "hello.elf").stat().st_size
    sections = call("objdump", "-h", out / "hello").stdout
    assert ".debug" not in sections and ".comment" not in sections
    assert ".debug_info" in call("objdump", "-h", out / "hello.elf").stdout
    segments = call("readelf", "-lW", out / "hello").stdout
    assert "RWE" not in segments and "INTERP" not in segments and "DYNAMIC" not in segments


@pytest.mark.parametrize("name, some", [("echo", False), ("libctest", True)])
def test_kernel_side_uses_no_vector_registers(app, name, some):
    """In an image newlib does, which has no line numbers, and apps may."""
    elf = app(name) / f"{name}.elf"
    code = call("objdump", "-d", "--no-show-raw-insn", elf).stdout
    users = re.findall(r"^ +([0-9a-f]+):.*%(?:xmm|st)", code, re.M)
    assert users or not some
    places = call("addr2line", "-e", elf, *users).stdout.splitlines() if users else []
    assert [p for p in places if not p.endswith((":?", ":0")) and "apps/" not in p] == []


def test_the_image_compressed(make, tmp_path):
    """What xl boots is the image, the same bytes each time, whatever the environment asks gzip for; and always there."""
    done = make("APP=hello", GZIP="-1 --rsyncable")
    built(done)
    image, packed = tmp_path / "out/hello", tmp_path / "out/hello.gz"
    first = packed.read_bytes()
    assert gzip.decompress(first) == image.read_bytes() and len(first) < 0.7 * len(image.read_bytes())
    assert first[3:8] == bytes(5)  # flags, among them that of a name, and the time
    assert f'kernel = "{packed}"\n' in (tmp_path / "out/hello.cfg").read_text()
    assert (f"  IMAGE    {image}, {image.stat().st_size} bytes; {packed}, {len(first)}\n") in done.stdout
    packed.unlink()
    built(make("APP=hello"))
    assert packed.read_bytes() == first
    built(make("APP=hello", f"KERNEL={image}"))
    assert f'kernel = "{image}"\n' in (tmp_path / "out/hello.cfg").read_text()


def test_second_build_does_nothing(app):
    out = app("hello")
    products = [out / name for name in ("hello", "hello.gz", "hello.elf")]
    before = [stamp(path) for path in products]
    done = call("make", "APP=hello", f"OUT={APPS_OUT}")
    built(done)
    assert compiled(done) == [] and [stamp(path) for path in products] == before


def test_a_changed_source_header_flag_or_option_rebuilds_what_it_must(copy_of_tree):
    tree = copy_of_tree("tree")

    def build(*words):
        done = call("make", "-j2", "APP=hello", *words, cwd=tree)
        built(done)
        return compiled(done)

    def append(path, text="\n"):
        with open(f"{tree}/{path}", "a", encoding="utf-8") as stream:
            stream.write(text)

    everything = build()
    assert "kernel/fmt.c" in everything and "apps/hello/main.c" in everything
    assert build() == []
    append("kernel/fmt.c")
    assert build() == ["kernel/fmt.c"]
    append("kernel/log.h")
    users = build()
    assert "kernel/log.c" in users and len(users) < len(everything)
    # The table of symbols is no source of its own, but has a header.
    table = f"{tree}/out/obj/hello/symtab-2.o"
    before = stamp(table)
    append("lib/symbols.h")
    build()
    assert stamp(table) > before
    # An object that is no longer listed leaves the image.
    append("apps/hello/extra.c",
           "int extra_thing(void);\nint extra_thing(void)\n{\n    return 1;\n}\n"
           "__attribute__((used, section(\".data.keep\"))) int (*extra)(void) = extra_thing;\n")
    append("apps/hello/files.mk", "obj-y += apps/hello/extra.c\n")
    assert build() == ["apps/hello/extra.c"]
    os.rename(f"{tree}/apps/hello/extra.c", f"{tree}/extra.c")
    with open(f"{tree}/apps/hello/files.mk", "w", encoding="utf-8") as stream:
        stream.write("obj-y += apps/hello/main.c\n")
    assert build() == []
    assert "extra_thing" not in call("nm", f"{tree}/out/hello.elf").stdout
    with gzip.open(f"{tree}/out/hello.gz") as packed, open(f"{tree}/out/hello", "rb") as image:
        assert packed.read() == image.read()
    # One source of each rule, after what must compile all of them.
    sources = ["apps/hello/main.c", "arch/x86_64/traps.S", "kernel/fmt.c", "lib/symbols.c"]
    objects = [f"out/obj/hello/{source}.o" for source in sources]
    # Other headers of Xen's, older than the objects.
    shutil.copytree("/usr/include/xen", f"{tree}/headers", symlinks=True)
    assert build(*objects) == []
    for words in ([f"XEN_HEADERS={tree}/headers"], ["CONFIG_LOG_DEBUG=y"],
                  ["CONFIG_FRAME_POINTER=n"], []):
        assert build(*words, *objects) == sources, words
        assert build(*words, *objects) == []


def test_lwip_depends_on_our_options(app):
    """Its headers are the system's to the compiler, and include ours."""
    out = app("echo")
    read = (out / "obj/echo/lwip/core/netif.c.d").read_text()
    assert "lib/net/include/lwipopts.h" in read and "obj/echo/config.h" in read


def test_a_zone_file_that_is_gone_is_named_once_and_not_for_good(make, tmp_path):
    image = tmp_path / "out/obj/dns/gen/zones.img"
    zone = tmp_path / "example.net.zone"
    zone.write_text("$TTL 60\n@ SOA a b 1 2 3 4 5\n@ NS a\n$INCLUDE more\n")
    (tmp_path / "more").write_text("a A 192.0.2.1\n")
    built(make("APP=dns", image, f"ZONE={zone}"))
    (tmp_path / "more").rename(tmp_path / "renamed")
    done = make("APP=dns", image, f"ZONE={zone}")
    assert done.returncode and f"{zone}:4: cannot open more: No such file or directory" in done.stdout, done.stdout
    zone.write_text(zone.read_text().replace("more", "renamed"))
    built(make("APP=dns", image, f"ZONE={zone}"))
    zone.unlink()
    built(make("APP=dns", image))
    quoted = tmp_path / "it's.zone"
    quoted.write_text("$ORIGIN example.net.\n$TTL 60\n@ SOA a b 1 2 3 4 5\n@ NS a\na A 192.0.2.1\n")
    built(make("APP=dns", image, f"ZONE={quoted}"))
    quoted.write_text(quoted.read_text() + "d DNAME a\n")
    done = make("APP=dns", image, f"ZONE={quoted}")
    assert done.returncode and "CONFIG_DNS_DNAME is off" in done.stdout, done.stdout
    built(make("APP=dns", image, f"ZONE={quoted}", "CONFIG_DNS_DNAME=y"))
    done = make("APP=dns", image, "ZONE=")
    assert done.returncode and "ZONE=: name at least one zone file" in done.stdout, done.stdout


def test_mistakes_in_a_zone_are_reported_before_anything_of_the_guest_is_compiled(make, tmp_path):
    zone = tmp_path / "home/example.net.zone"
    zone.parent.mkdir()
    zone.write_text("$TTL 60\n@ SOA a b 1 2 3 4 5\n@ NS a\na A 192.0.2.1\nb A 192.0.2\n")
    done = make("APP=dns", "ZONE=~/example.net.zone", HOME=zone.parent, XENOLITH_CACHE=CACHE)
    lines = done.stdout.splitlines()
    assert done.returncode and lines[:2] == [f"  HOSTCC   {tmp_path}/out/host/zonec",
                                             f"  ZONEC    {zone}"], done.stdout
    assert lines[2:4] == [f"{zone}:5: not an IPv4 address: 192.0.2", f"zonec: {zone}: no zone made"]
    assert not list((tmp_path / "out").rglob("*.o"))
    # The digest (ZONEMD) is that of RFC 8976 appendix A.1, then another one.
    text = ("$ORIGIN example.\n$TTL 86400\n@ SOA ns1 admin 2018031900 1800 900 604800 86400\n@ NS ns1\n@ NS ns2\n"
            "ns1 3600 A 203.0.113.63\nns2 3600 AAAA 2001:db8::63\n@ ZONEMD 2018031900 1 1 c68090d90a7aed716bc459f9340e"
            "3d7c1370d4d24b7e2fc3a1ddc0b9a87153b9a9713b3c9ae5cc27777f98b8e730044c\n")
    zone.write_text(text)
    built(make("APP=dns", tmp_path / "out/obj/dns/gen/zones.img", f"ZONE={zone}"))
    zone.write_text(text.replace("::63", "::64"))
    done = make("APP=dns", f"ZONE={zone}")
    assert done.returncode and done.stdout.splitlines()[1:3] == [
        f"{zone}:8: the zone's digest (ZONEMD) is wrong: that of the records is another",
        f"zonec: {zone}: no zone made"], done.stdout


def test_host_programs_follow_their_compiler(make, tmp_path):
    def hostcc(*words):
        done = make("APP=dns", tmp_path / "out/host/zonec", *words)
        built(done)
        return "  HOSTCC " in done.stdout

    assert hostcc() and not hostcc()
    assert hostcc("HOST_CC=gcc -pipe") and not hostcc("HOST_CC=gcc -pipe")


def test_warnings_are_errors(copy_of_tree):
    tree = copy_of_tree("tree")
    with open(f"{tree}/apps/hello/main.c", "a", encoding="utf-8") as stream:
        stream.write("static int nobody_calls_me(void)\n{\n    return 1;\n}\n")
    for compiler in ([], ["CC=clang"]):
        done = call("make", "APP=hello", *compiler, cwd=tree)
        assert done.returncode != 0 and "nobody_calls_me" in done.stdout


def variables_of_scripts():
    """What make's user can set for the scripts that make runs."""
    names = {name for script in ("run", "run-unix", "bench") for name in load(script).NAMES}
    # CFG= is for calls by hand.
    return sorted(names | set(load("xlcfg").NAMES) - {"CFG"})


def test_unknown_variables_are_refused_before_anything_is_done(make, tmp_path):
    for word, hint in (("MEMROY=8", "did you mean MEMORY=?"), ("memory=8", "did you mean MEMORY=?"),
                       ("CFLAGS=-O3", "make help names them"), ("mark=x", "no such variable"),
                       ("it's=1", "it's=: no such variable")):
        done = make("run", "APP=dns", word)
        assert done.returncode and hint in done.stdout and done.stdout.count("\n") == 1, done.stdout
    assert not os.path.exists(tmp_path / "out")


@pytest.mark.parametrize("words,said", [
    (["tset"], "tset: no such goal; did you mean test?"), (["Run", "APP=dns"], "did you mean run?"),
    (["compile_commands"], "did you mean compile_commands.json?"), (["tests"], "did you mean test?"),
    (["it's"], "it's: no such goal; make help names them"),
    (["run", "APP=helo"], "APP=helo: no such app; did you mean hello? there are: "),
    (["menuconfig", "APP=xyzzy"], "APP=xyzzy: no such app; there are: " + " ".join(apps())),
    (["bench", "ROW=dns.query.1"], "ROW=: make bench takes ROWS="), (["profile", "APP=dns", "ROWS=dns"], "make profile takes ROW="),
    (["test", "TEST=unit"], "make test takes TESTS="), (["run", "APP=dns", "XENOLITH_ACCEL=foo"], "XENOLITH_ACCEL=foo: tcg or kvm;"),
    (["APP=dns hello"], "APP=dns hello: no such app"), (["APP=hello/../dns"], "no such app"),
])
def test_names_that_do_not_exist_are_refused_before_anything_is_done(make, tmp_path, words, said):
    done = make(*words)
    assert done.returncode and said in done.stdout and done.stdout.count("\n") == 1, done.stdout
    assert not os.path.exists(tmp_path / "out")


def test_what_a_folder_lacks_to_be_an_app(copy_of_tree):
    tree = copy_of_tree("tree")
    folder = pathlib.Path(tree, "apps/toy")
    folder.mkdir()

    def said(*words):
        done = call("make", *words, "APP=toy", cwd=tree)
        assert done.returncode and done.stdout.count("\n") == 1 and not os.path.exists(f"{tree}/out"), done.stdout
        return done.stdout

    assert "APP=toy: there is no apps/toy/Kconfig and no apps/toy/files.mk; docs/apps.md says" in said()
    (folder / "files.mk").write_text("")
    assert "there is no apps/toy/Kconfig; " in said("run")
    (folder / "Kconfig").write_text("")
    (folder / "files.mk").unlink()
    assert "there is no apps/toy/files.mk; " in said("menuconfig")


def test_a_source_that_an_app_names_and_does_not_have(copy_of_tree):
    tree = copy_of_tree("tree")
    folder = pathlib.Path(tree, "apps/toy")
    folder.mkdir()
    (folder / "Kconfig").write_text("config APP_TOY\n\tbool\n\tdefault y\n")
    (folder / "files.mk").write_text("obj-y += apps/toy/main.c apps/toy/there.c\n")
    (folder / "there.c").touch()
    done = call("make", "APP=toy", cwd=tree)
    assert done.returncode and "apps/toy/main.c: there is no such source" in done.stdout, done.stdout


@pytest.mark.parametrize("words", [[], ["CC=clang"], ["TARGET=unix"]])
def test_an_app_without_the_function_that_the_kernel_enters_it_by(copy_of_tree, words):
    tree = copy_of_tree("tree")
    folder = pathlib.Path(tree, "apps/toy")
    folder.mkdir()
    (folder / "files.mk").write_text("obj-y += apps/toy/main.c\n")
    for selects, function, wanted in (("", "main", "app_init"), ("\tselect APP_MAIN\n", "app_init", "main"),
                                      ("\tselect APP_MAIN\n", "main", "")):
        (folder / "Kconfig").write_text(f"config APP_TOY\n\tbool\n\tdefault y\n{selects}")
        line = f"int {function}(int argc, char **argv)"
        (folder / "main.c").write_text(f"{line};\n{line}\n{{\n    return 0;\n}}\n")
        done = call("make", "-j2", "APP=toy", *words, cwd=tree)
        assert "undefined reference" not in done.stdout and "multiple definition" not in done.stdout
        if wanted:
            assert done.returncode and f"APP=toy: there is no {wanted}(): " in done.stdout, done.stdout
            assert "apps/toy/Kconfig" in done.stdout and "docs/apps.md" in done.stdout
        else:
            built(done)


def test_known_variables_are_taken(make, tmp_path):
    built(make("apps", *(f"{name}=" for name in variables_of_scripts()), "CC=clang", "LLVM=1", "V=1",
               "CROSS_COMPILE=x-", "HOST_CC=cc", "XEN_HEADERS=/x", "SHELL=/bin/bash", "CONFIG_ANY=y"))
    # A make above this one, and the environment, may have others.
    (tmp_path / "above.mk").write_text(f"all: ; $(MAKE) -C {TOP} apps OUT={tmp_path}/out\n")
    built(call("make", "-f", tmp_path / "above.mk", "DESTDIR=/x"))
    built(make("apps", DESTDIR="/x"))


@pytest.mark.parametrize("words,hint", [
    (["run", "dns"], "make run APP=dns"), (["dns"], "make APP=dns"), (["size", "hello"], "make size APP=hello"),
])
def test_an_app_as_a_goal(make, words, hint):
    done = make(*words)
    assert done.returncode and f"as in: {hint}" in done.stdout and "No rule" not in done.stdout, done.stdout


def test_git_sees_nothing_of_out(copy_of_tree):
    tree = copy_of_tree("tree")
    os.remove(f"{tree}/.gitignore")
    call("git", "init", "-q", cwd=tree)
    call("git", "add", ".", cwd=tree)
    for out in ("out", "out-z"):
        built(call("make", "APP=hello", f"{out}/obj/hello/kernel/fmt.c.o", f"OUT={out}", cwd=tree))
        assert os.path.exists(f"{tree}/{out}/obj/hello/kernel/fmt.c.o")
    assert call("git", "status", "--porcelain", "--untracked-files=all", cwd=tree).stdout.count("??") == 0


@pytest.mark.parametrize("words", [["APP=nothing"], ["app"], ["run"], ["menuconfig"], ["size"]])
def test_app_must_be_named_and_exist(make, words):
    done = make(*words)
    assert done.returncode != 0
    assert "hello" in done.stdout and "Traceback" not in done.stdout


def test_bad_option_stops_the_build(make):
    done = make("APP=hello", "CONFIG_NONSENSE=y")
    assert done.returncode != 0 and "CONFIG_NONSENSE" in done.stdout


def test_no_such_compiler(make):
    done = make("APP=hello", "CROSS_COMPILE=nowhere-")
    assert done.returncode != 0 and "nowhere-gcc" in done.stdout and "CROSS_COMPILE" in done.stdout


@pytest.mark.parametrize("name", apps())
def test_every_app(app, name):
    app(name)


@pytest.mark.parametrize("name", apps())
def test_every_app_with_clang(app, name):
    app(name, "CC=clang", out="out/test/clang")


def test_clang_with_its_own_linker(make):
    built(make("APP=hello", "LLVM=1"))


@pytest.mark.parametrize("options", [
    ["CONFIG_OPTIMIZE_SPEED=y"], ["CONFIG_OPTIMIZE_DEBUG=y"], ["CONFIG_DEBUG_CHECKS=y"],
    ["CONFIG_STACK_PROTECTOR=n"], ["CONFIG_FRAME_POINTER=n", "CONFIG_SYMBOLS=n"],
    ["CONFIG_LOG_ERROR=y"], ["CONFIG_LOG_DEBUG=y"], ["CONFIG_LIBC_STDIO_SMALL=y"],
    ["CONFIG_LIBC_STDIO_SMALL=y", "CONFIG_LIBC_PRINTF_FLOAT=y"], ["CONFIG_XENSTORE=n"],
], ids=lambda options: " ".join(options))
def test_options_build(make, options):
    built(make("APP=hello", *options))


@pytest.mark.parametrize("app_name, option", [
    ("echo", "IPV6=n"), ("echo", "TCP=n"), ("echo", "DHCP=n"), ("echo", "IPV4=n"), ("echo", "IGMP=n"),
    ("dns", "IPV6=n"), ("dns", "TCP=n"), ("dns", "DHCP=n"), ("echo-sockets", "RESOLVER=y"),
    ("dns", "OPTIMIZE_DEBUG=y"), ("dns", "OPTIMIZE_SPEED=y"), ("dns", "IP_REASSEMBLY=y"), ("echo", "NET_GSO=n"),
    ("echo", "IP_REASSEMBLY=n"), ("echo", "NET_TCP_OOSEQ=n"), ("iperf3", "NET_TCP_WINDOW_KIB=64")])
def test_network_options_build(make, app_name, option):
    built(make(f"APP={app_name}", f"CONFIG_{option}"))


def test_same_bytes_in_another_directory_and_with_another_cache(copy_of_tree, tmp_path):
    """Two copies of the tree at places of different length, each compiled; the second builds newlib anew, too."""
    first, second = copy_of_tree("a"), copy_of_tree("elsewhere/far/away")
    cache = tmp_path / "cache-of-its-own"
    cache.mkdir()
    shutil.copytree(os.path.join(CACHE, "dist"), cache / "dist")
    built(call("make", "-j2", "APP=dns", cwd=first, CCACHE_DISABLE=1))
    built(call("make", "-j2", "APP=dns", cwd=second, XENOLITH_CACHE=cache, CCACHE_DISABLE=1))
    for product in ("dns", "dns.gz", "dns.elf"):
        assert filecmp.cmp(f"{first}/out/{product}", f"{second}/out/{product}", shallow=False), \
            f"{product} differs"
    with open(f"{first}/out/dns.elf", "rb") as stream:
        assert str(tmp_path).encode() not in stream.read()
    # All of newlib, not only what this image took of it.
    (newlib,) = (cache / "build").glob("newlib-*/lib")
    for library in ("libc.a", "libm.a"):
        assert filecmp.cmp(newlib / library, os.path.join(CACHE, "build", newlib.parent.name, "lib",
                                                          library), shallow=False), library


def test_clean_keeps_configurations(make, tmp_path):
    built(make("APP=hello", tmp_path / "out/obj/hello/kernel/fmt.c.o"))
    for product in ("hello", "hello.gz"):
        (tmp_path / "out" / product).write_text("as if linked")
    built(make("clean"))
    assert sorted(os.listdir(tmp_path / "out")) == [".gitignore", ".xenolith", "hello.config"]
    make("distclean", cwd=TOP)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["", " ", "/", ".", "..", "tests", "a b", "it's", "x;y"])
def test_no_build_and_no_clean_where_it_would_harm(copy_of_tree, name):
    tree = copy_of_tree("tree")
    before = sorted(os.listdir(tree)), sorted(os.listdir(f"{tree}/tests"))
    for goal in ("APP=hello", "clean", "distclean"):
        done = call("make", goal, f"OUT={name}", cwd=tree)
        assert done.returncode != 0, done.stdout
        assert "OUT=" in done.stdout or "nothing is removed" in done.stdout
    assert (sorted(os.listdir(tree)), sorted(os.listdir(f"{tree}/tests"))) == before


def test_the_environments_out_is_not_ours(copy_of_tree, tmp_path):
    tree = copy_of_tree("tree")
    (tmp_path / "other").mkdir()
    (tmp_path / "other/work").write_text("of weeks")
    os.mkdir(f"{tree}/out")
    for goal in ("savedefconfig", "clean", "distclean"):
        call("make", goal, "APP=hello", cwd=tree, OUT=f"{tmp_path}/other")
    assert os.listdir(tmp_path / "other") == ["work"]
    assert not os.path.exists(f"{tree}/out")


def test_blanks_in_a_path_are_refused_by_name(copy_of_tree, tmp_path):
    tree = copy_of_tree("a tree")
    done = call("make", "APP=hello", cwd=tree)
    assert done.returncode != 0 and "a tree" in done.stdout and "move the tree" in done.stdout
    assert not os.path.exists(f"{tree}/out")
    done = call("make", "apps", XENOLITH_CACHE=f"{tmp_path}/a cache")
    assert done.returncode != 0 and "XENOLITH_CACHE" in done.stdout


def test_jobs(tmp_path):
    """As many as there are processors, unless the caller says how many or has two goals in mind."""
    (tmp_path / "nproc").write_text("#!/bin/sh\necho 7\n")
    (tmp_path / "nproc").chmod(0o755)

    def jobs(*words):
        done = call("make", *words, "-f", tmp_path / "show.mk",
                    PATH=f"{tmp_path}:{os.environ['PATH']}")
        return re.findall(r"jobs ?(\d*)", done.stdout)

    (tmp_path / "show.mk").write_text(
        "include Makefile\nshow show2: ; @echo jobs $(patsubst -j%,%,$(filter -j%,$(MAKEFLAGS)))\n")
    assert jobs("show") == ["7"]
    assert jobs("-j2", "show") == ["2"]
    assert jobs("show", "show2") == ["", ""]


def test_help_names_every_goal(make):
    shown = make().stdout
    assert shown == make("help").stdout
    with open(os.path.join(TOP, "Makefile"), encoding="utf-8") as stream:
        text = stream.read()
    for goal in ("run", "test", "unit", "lint", "apps", "size", "clean", "distclean", "menuconfig",
                 "defconfig", "savedefconfig", "olddefconfig", "setup", "fetch",
                 "compile_commands.json"):
        assert f"make {goal}" in shown and goal in text
    assert len(max(shown.splitlines(), key=len)) <= 100


def test_size(app):
    app("hello")
    done = call("make", "size", "APP=hello", f"OUT={APPS_OUT}")
    assert done.returncode == 0, done.stdout
    assert "newlib" in done.stdout and "kernel" in done.stdout and "bytes" in done.stdout
    assert "symbol table " in done.stdout and "symtab" not in done.stdout
    done = call("make", "size", "APP=hello", "TARGET=unix", f"OUT={APPS_OUT}")
    assert done.returncode == 2 and "image for Xen" in done.stdout


def test_compile_commands(copy_of_tree):
    tree = copy_of_tree("tree")
    done = call("make", "compile_commands.json", cwd=tree)
    assert done.returncode == 0, done.stdout
    with open(f"{tree}/compile_commands.json", encoding="utf-8") as stream:
        entries = {entry["file"]: entry["arguments"] for entry in json.load(stream)}
    assert "kernel/main.c" in entries and "apps/hello/main.c" in entries
    assert "-ffreestanding" in entries["kernel/main.c"]
