# SPDX-License-Identifier: ISC
"""scripts/kconfig.py: overrides, defconfigs, edited configurations, and errors that name the option."""
import fcntl
import os
import pty
import select
import shutil
import struct
import termios

import pytest
from conftest import TOP, call, clean_environment
from test_xlcfg import load

unpacked = load("unpacked")


@pytest.fixture
def kconfig(tmp_path):
    def run(*words):
        return call("scripts/kconfig.py", *words, XENOLITH_OUT=f"{tmp_path}/out")
    return run


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def header(out):
    return (out / "obj/hello/config.h").read_text()


def test_generates_header_and_make(kconfig, out):
    assert kconfig("generate", "hello").returncode == 0
    assert '#define CONFIG_APP_NAME "hello"\n' in header(out)
    assert "#define CONFIG_APP_MAIN 1\n" in header(out)
    assert "CONFIG_NETFRONT" not in header(out)
    make = (out / "obj/hello/config.mk").read_text()
    assert "CONFIG_APP_MAIN := y\n" in make and "CONFIG_NETFRONT :=\n" in make
    assert (out / "hello.config").exists()


def test_unchanged_output_is_left_alone(kconfig, out):
    kconfig("generate", "hello")
    before = os.stat(out / "obj/hello/config.h").st_mtime_ns
    kconfig("generate", "hello")
    assert os.stat(out / "obj/hello/config.h").st_mtime_ns == before


def test_override_holds_for_one_build(kconfig, out):
    assert kconfig("generate", "hello", "CONFIG_LOG_DEBUG=y").returncode == 0
    assert "#define CONFIG_LOG_LEVEL 3\n" in header(out)
    kconfig("generate", "hello")
    assert "#define CONFIG_LOG_LEVEL 2\n" in header(out)


def test_number_with_leading_zeros_is_decimal(kconfig, out):
    assert kconfig("generate", "hello", "CONFIG_APP_MEMORY_MIB=0010").returncode == 0
    assert "#define CONFIG_APP_MEMORY_MIB 10\n" in header(out)


@pytest.mark.parametrize("text", ['a "b" c', "back\\slash", "$HOME #x", "it's", "100%"])
def test_texts_survive(kconfig, out, text):
    assert kconfig("generate", "hello", f"CONFIG_APP_CMDLINE={text}").returncode == 0
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    assert f'#define CONFIG_APP_CMDLINE "{escaped}"\n' in header(out)


@pytest.mark.parametrize("word,says", [
    ("CONFIG_NONSENSE=y", "no option CONFIG_NONSENSE"),
    ("CONFIG_SYMBOL=y", "did you mean CONFIG_SYMBOLS"),
    ("CONFIG_SYMBOLS=maybe", "must be y or n"),
    ("CONFIG_SYMBOLS=m", "must be y or n"),
    ("CONFIG_APP_MEMORY_MIB=much", "must be a whole number"),
    ("CONFIG_APP_MEMORY_MIB=0", "from 1 to 262080"),
    ("CONFIG_APP_MEMORY_MIB=99999999", "from 1 to 262080"),
    ("CONFIG_LIBC=n", "APP_MAIN needs it"),
    ("CONFIG_LOG_LEVEL=3", "CONFIG_LOG_LEVEL=3 cannot be set by hand"),
    ("CONFIG_LOG_INFO=n", "switch on the alternative"),
    ("CONFIG_NETFRONT=y", "it depends on XENBUS"),
    ("CONFIG_APP_CMDLINE=a\nb", "one line"),
    ("SYMBOLS=y", "not CONFIG_NAME=value"),
])
def test_refused_with_the_options_name(kconfig, word, says):
    done = kconfig("generate", "hello", word)
    assert done.returncode == 1
    assert says in done.stdout and word.split("=")[0] in done.stdout
    assert "Traceback" not in done.stdout


@pytest.mark.parametrize("name", ["XENSTORE", "XENBUS", "NETFRONT"])
def test_a_server_is_not_made_deaf(kconfig, name):
    done = kconfig("generate", "dns", f"CONFIG_{name}=n")
    assert done.returncode == 1 and f"CONFIG_{name}=n: NET needs it" in done.stdout, done.stdout


def test_two_of_a_choice(kconfig):
    done = kconfig("generate", "hello", "CONFIG_LOG_DEBUG=y", "CONFIG_LOG_WARN=y")
    assert done.returncode == 1
    assert "CONFIG_LOG_WARN=y contradicts CONFIG_LOG_DEBUG=y" in done.stdout


def test_unknown_app_lists_the_apps(kconfig):
    done = kconfig("generate", "nothing")
    assert done.returncode == 1 and "hello" in done.stdout


def test_edited_configuration_is_kept(kconfig, out):
    kconfig("generate", "hello")
    path = out / "hello.config"
    path.write_text(path.read_text().replace("CONFIG_SYMBOLS=y", "# CONFIG_SYMBOLS is not set"))
    edited = path.read_text()
    assert kconfig("generate", "hello").returncode == 0
    assert "CONFIG_SYMBOLS" not in header(out) and path.read_text() == edited
    assert kconfig("defconfig", "hello").returncode == 0
    assert "CONFIG_SYMBOLS=y" in path.read_text()


@pytest.mark.parametrize("line,says", [
    ("CONFIG_GONE=y", "hello.config:1: there is no option CONFIG_GONE"),
    ("CONFIG_SYMBOLS=2", "CONFIG_SYMBOLS=2: the value must be y or n"),
    ("nonsense", "hello.config:1: 'nonsense' is not CONFIG_NAME=value"),
    ("CONFIG_SYMBOLS=y\nCONFIG_SYMBOLS=n", "contradicts"),
])
def test_wrong_lines_are_named(kconfig, out, line, says):
    out.mkdir()
    (out / "hello.config").write_text(line + "\n")
    done = kconfig("generate", "hello")
    assert done.returncode == 1 and says in done.stdout, done.stdout


def test_olddefconfig_drops_what_is_gone(kconfig, out):
    out.mkdir()
    (out / "hello.config").write_text("CONFIG_GONE=y\nCONFIG_SYMBOLS=n\n")
    done = kconfig("olddefconfig", "hello")
    assert "CONFIG_GONE is gone" in done.stdout
    text = (out / "hello.config").read_text()
    assert "GONE" not in text and "# CONFIG_SYMBOLS is not set" in text
    assert kconfig("generate", "hello").returncode == 0


def test_defconfig_round_trip(copy_of_tree):
    """An edited configuration saved as defconfig is what a fresh build then takes."""
    tree = copy_of_tree("tree")
    script = os.path.join(tree, "scripts/kconfig.py")
    call(script, "generate", "hello")
    path = os.path.join(tree, "out/hello.config")
    with open(path, encoding="utf-8") as stream:
        text = stream.read()
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(text.replace("CONFIG_SYMBOLS=y", "# CONFIG_SYMBOLS is not set"))
    assert call(script, "savedefconfig", "hello").returncode == 0
    with open(os.path.join(tree, "config/hello_defconfig"), encoding="utf-8") as stream:
        assert "# CONFIG_SYMBOLS is not set" in stream.read()
    shutil.rmtree(os.path.join(tree, "out"))
    assert call(script, "generate", "hello").returncode == 0
    with open(os.path.join(tree, "out/obj/hello/config.h"), encoding="utf-8") as stream:
        assert "CONFIG_SYMBOLS" not in stream.read()
    # An untouched configuration follows its defconfig.
    with open(os.path.join(tree, "config/hello_defconfig"), "w", encoding="utf-8") as stream:
        stream.write("CONFIG_LOG_DEBUG=y\n")
    assert call(script, "generate", "hello").returncode == 0
    with open(os.path.join(tree, "out/obj/hello/config.h"), encoding="utf-8") as stream:
        text = stream.read()
    assert "CONFIG_SYMBOLS 1" in text and "CONFIG_LOG_LEVEL 3" in text


def test_options_of_one_build_are_not_for_saving(make, tmp_path):
    for goal in ("defconfig", "savedefconfig", "olddefconfig", "menuconfig"):
        done = make(goal, "APP=hello", "CONFIG_IPV6=n")
        assert done.returncode and "CONFIG_IPV6=" in done.stdout, done.stdout
    assert sorted(os.listdir(tmp_path / "out")) == [".gitignore", ".xenolith"]


def test_menuconfig(out):
    """The real menu on a terminal: search an option, switch it off, save, leave."""
    pid, terminal = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
        os.execvpe("make", ["make", "-C", TOP, "menuconfig", "APP=hello", f"OUT={out}"],
                   clean_environment(TERM="linux"))
    seen = b""
    for keys, answer in ((b"", b"Jump to symbol"), (b"/FRAME_POINTER", b"Keep frame pointers"),
                         (b"\n", b"Toggle"), (b"n", b""), (b"s", b"Filename"),
                         (b"\n", b"Configuration saved"), (b"\n", b""), (b"q", b"")):
        os.write(terminal, keys)
        while answer not in seen:
            assert select.select([terminal], [], [], 60)[0], seen
            seen += os.read(terminal, 65536)
        seen = b""
    try:
        while os.read(terminal, 65536):
            pass
    except OSError:
        pass  # the other end is closed: it has left
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert "# CONFIG_FRAME_POINTER is not set" in (out / "hello.config").read_text()


def test_menuconfig_needs_a_terminal(kconfig):
    done = kconfig("menuconfig", "hello")
    assert done.returncode == 1 and "needs a terminal" in done.stdout and "Traceback" not in done.stdout


def test_every_app_and_every_defconfig(kconfig):
    apps = [name for name in os.listdir(os.path.join(TOP, "apps"))
            if os.path.exists(os.path.join(TOP, "apps", name, "Kconfig"))]
    for app in apps:
        done = kconfig("generate", app)
        assert done.returncode == 0, done.stdout
    for name in os.listdir(os.path.join(TOP, "config")):
        if name.endswith("_defconfig"):
            assert name[:-len("_defconfig")] in apps, f"config/{name}: there is no such app"
    listing = kconfig("apps").stdout
    for app in apps:
        assert f"  {app} " in listing
    assert "(no description)" not in listing


def test_every_option_explains_itself():
    """Each option that a user can set has help text."""
    os.chdir(TOP)
    import kconfiglib
    os.environ.update(APP="hello", srctree=".")
    tree = kconfiglib.Kconfig("config/Kconfig", warn_to_stderr=False)
    assert tree.warnings == []
    for node in tree.node_iter():
        if isinstance(node.item, kconfiglib.Symbol) and node.prompt:
            assert node.help, f"{node.filename}:{node.linenr}: {node.item.name} has no help text"


def test_kconfig_frontends_comes_to_the_same(tmp_path):
    """The C tools read the same files and give every option the same default."""
    tree = unpacked.tree_of("bookworm", "kconfig-frontends", libraries=False)
    for app in sorted(os.listdir(os.path.join(TOP, "apps"))):
        if not os.path.exists(os.path.join(TOP, "apps", app, "Kconfig")):
            continue
        theirs = tmp_path / f"{app}.theirs"
        done = call(f"{tree}/usr/bin/kconfig-conf", "--alldefconfig", "config/Kconfig", APP=app,
                    KCONFIG_CONFIG=theirs, LD_LIBRARY_PATH=f"{tree}/usr/lib/x86_64-linux-gnu")
        assert done.returncode == 0 and "warning" not in done.stdout, done.stdout
        # Without the app's defconfig: this is about the Kconfig files.
        ours = call("/usr/bin/python3", "-Bc", "import sys, kconfiglib; "
                    "kconfiglib.Kconfig('config/Kconfig').write_config(sys.argv[1])",
                    tmp_path / f"{app}.ours", APP=app, srctree=".")
        assert ours.returncode == 0, ours.stdout
        assert values(tmp_path / f"{app}.ours") == values(theirs)


def values(path):
    return sorted(line for line in path.read_text().splitlines() if line.startswith("CONFIG_"))


def test_only_the_common_subset():
    """What kconfig-frontends does not know: macros, and sources relative to the file or by pattern."""
    for folder, _, names in os.walk(TOP):
        if "Kconfig" not in names or "/out" in folder or "/.git" in folder:
            continue
        with open(os.path.join(folder, "Kconfig"), encoding="utf-8") as stream:
            for number, line in enumerate(stream, 1):
                words = line.split()
                where = f"{folder}/Kconfig:{number}: {line}"
                assert "$(" not in line and ":=" not in line, where
                assert not words or words[0] not in (
                    "rsource", "osource", "orsource", "gsource", "grsource", "def_int",
                    "def_string", "def_hex", "---help---", "imply"), where
