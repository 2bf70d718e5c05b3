#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Configuration of an app: Kconfig in, config.h and config.mk out.

    scripts/kconfig.py generate APP      read out/APP.config, write out/obj/APP/config.{h,mk}
    scripts/kconfig.py menuconfig APP    edit out/APP.config
    scripts/kconfig.py defconfig APP     out/APP.config from config/APP_defconfig
    scripts/kconfig.py olddefconfig APP  bring out/APP.config up to date, dropping what is gone
    scripts/kconfig.py savedefconfig APP config/APP_defconfig from out/APP.config
    scripts/kconfig.py apps              list the apps
    scripts/kconfig.py get APP SYMBOL    print one value of out/APP.config

NAME=VALUE words after APP override options for "generate" alone; nothing is saved.

The first line of an out/APP.config that the build made itself holds a hash of the rest: while that
hash is right nobody has edited the file, and it follows config/APP_defconfig and the Kconfig files.
Once edited it is the user's, and is only ever read.

kconfiglib is lenient: it warns about a wrong assignment and goes on. Here every assignment is
checked against the result, and one that had no effect is an error that names the option.
"""
import difflib
import hashlib
import os
import re
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OUT = os.environ.get("XENOLITH_OUT") or "out"
MARK = "# Made by the build from config/{app}_defconfig; edit it and it is yours. "
TYPES = {}


class Refused(Exception):
    """An error whose text is the whole message for the user."""


def import_kconfiglib():
    """kconfiglib, of Debian's python3-kconfiglib."""
    try:
        import kconfiglib
    except ImportError:
        raise Refused("python3-kconfiglib is missing: run scripts/setup") from None
    TYPES.update({kconfiglib.BOOL: "y or n", kconfiglib.TRISTATE: "y or n",
                  kconfiglib.INT: "a whole number", kconfiglib.HEX: "a number such as 0x1f",
                  kconfiglib.STRING: "a text"})
    return kconfiglib


def app_names():
    """The apps: folders of apps/ with a Kconfig fragment."""
    return sorted(name for name in os.listdir("apps")
                  if os.path.exists(os.path.join("apps", name, "Kconfig")))


def load_kconfig(app):
    """The option tree for one app."""
    if app not in app_names():
        raise Refused(f"APP={app}: no such app; there are: {', '.join(app_names())}")
    kconfiglib = import_kconfiglib()
    os.environ.update(APP=app, srctree=".", KCONFIG_AUTOHEADER_HEADER="", CONFIG_="CONFIG_")
    try:
        tree = kconfiglib.Kconfig("config/Kconfig", warn=True, warn_to_stderr=False)
    except kconfiglib.KconfigError as error:
        raise Refused(str(error)) from error
    for warning in tree.warnings:
        raise Refused(warning)
    return tree


def parse_assignments(text, origin):
    """[(name, value, where)] of a configuration file; '# CONFIG_X is not set' counts as n."""
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        unset = re.fullmatch(r"# CONFIG_(\w+) is not set", line)
        given = re.fullmatch(r"CONFIG_(\w+)=(.*)", line)
        if unset or given:
            name = (unset or given)[1]
            value = "n" if unset else given[2]
            if name in found and found[name][1] != value:
                raise Refused(f"{origin}:{number}: CONFIG_{name}={value} contradicts "
                              f"{found[name][2]}, which says {found[name][1]}")
            found[name] = (name, value, f"{origin}:{number}")
        elif line and not line.startswith("#"):
            raise Refused(f"{origin}:{number}: '{line}' is not CONFIG_NAME=value")
    return list(found.values())


def unquote(value):
    """The text of a quoted value, or the value as it is."""
    if len(value) >= 2 and value[0] == value[-1] == '"':
        return re.sub(r"\\(.)", r"\1", value[1:-1])
    return value


def check_known(tree, name, where):
    sym = tree.syms.get(name)
    if sym is not None and sym.nodes:
        return sym
    near = difflib.get_close_matches(name, [s.name for s in tree.unique_defined_syms], 1)
    hint = f"; did you mean CONFIG_{near[0]}?" if near else ""
    if where.startswith(OUT):
        hint += " (make olddefconfig drops options that are gone)"
    raise Refused(f"{where}: there is no option CONFIG_{name}{hint}")


def set_value(tree, name, value, where):
    """Set one option, or say what is wrong with the value itself."""
    kconfiglib = import_kconfiglib()
    sym = check_known(tree, name, where)
    value = unquote(value)
    if not has_prompt(sym):
        return sym, value
    if "\n" in value or "\r" in value:
        raise Refused(f"{where}: CONFIG_{name}: a value is one line")
    if any("\ud800" <= character <= "\udfff" for character in value):  # an octet that is no character
        raise Refused(f"{where}: CONFIG_{name}: the value is not UTF-8 text")
    if sym.type == kconfiglib.INT and is_number(sym, value):
        value = str(int(value))  # a leading zero would mean octal to the compiler
    if not is_number(sym, value) or not sym.set_value(value) or value == "m":
        raise Refused(f"{where}: CONFIG_{name}={value}: the value must be {TYPES[sym.type]}")
    low, high = range_of(tree, sym)
    if low is not None and not low <= int(value, 0) <= high:
        raise Refused(f"{where}: CONFIG_{name}={value}: the value must be from {low} to {high}")
    return sym, value


def is_number(sym, text):
    """Whether an option of a number's type can be this to a compiler; others can be anything.
    kconfiglib takes what Python takes: "1_0" and the digits of other scripts, too."""
    kconfiglib = import_kconfiglib()
    form = {kconfiglib.INT: r"-?[0-9]+", kconfiglib.HEX: r"0[xX][0-9a-fA-F]+"}.get(sym.type)
    return form is None or re.fullmatch(form, text) is not None


def has_prompt(sym):
    return any(node.prompt for node in sym.nodes)


def range_of(tree, sym):
    """The active range of a number, as (low, high), or (None, None)."""
    for low, high, condition, *_ in sym.ranges:
        if import_kconfiglib().expr_value(condition):
            return int(low.str_value, 0), int(high.str_value, 0)
    return None, None


def chosen_twice(sets):
    """Refuse two members of one choice that are both asked for."""
    chosen = {}
    for sym, value, where in sets:
        if sym.choice is not None and value == "y":
            other = chosen.setdefault(sym.choice, (sym, where))
            if other[0] is not sym:
                raise Refused(f"{where}: CONFIG_{sym.name}=y contradicts CONFIG_{other[0].name}=y "
                              f"({other[1]}): they are alternatives, keep one")


def apply(tree, assignments):
    """Set options, then check that each assignment holds in the result."""
    for name, _, where in assignments:
        check_known(tree, name, where)
    # What an option may be can depend on others, so all are set before any result is looked at.
    sets = [(*set_value(tree, name, value, where), where) for name, value, where in assignments]
    chosen_twice(sets)
    for sym, value, where in sets:
        if not holds(sym, value):
            why_not(tree, sym, value, where)


def holds(sym, value):
    """Whether an option has the value in the end."""
    kconfiglib = import_kconfiglib()
    if sym.str_value == value:
        return True
    if sym.type in (kconfiglib.INT, kconfiglib.HEX) and sym.str_value and is_number(sym, value):
        return int(sym.str_value, 0) == int(value, 0)
    return value in ("n", "") and kconfiglib.expr_value(sym.direct_dep) == 0 and not sym.str_value


def why_not(tree, sym, value, where):
    """Say why an assignment had no effect."""
    kconfiglib = import_kconfiglib()
    what = f"{where}: CONFIG_{sym.name}={value}"
    if not has_prompt(sym):
        raise Refused(f"{what} cannot be set by hand: other options decide it (here it is "
                      f"'{sym.str_value}')")
    if value == "n" and kconfiglib.expr_value(sym.rev_dep):
        who = [kconfiglib.expr_str(part) for part in
               kconfiglib.split_expr(sym.rev_dep, kconfiglib.OR) if kconfiglib.expr_value(part)]
        raise Refused(f"{what}: {', '.join(who)} needs it; switch that off as well")
    if sym.choice is not None and value == "n":
        others = ", ".join(f"CONFIG_{other.name}" for other in sym.choice.syms if other is not sym)
        raise Refused(f"{what}: switch on the alternative you want instead: {others}")
    if kconfiglib.expr_value(sym.direct_dep) == 0:
        raise Refused(f"{what} has no effect: it depends on "
                      f"{kconfiglib.expr_str(sym.direct_dep)}, which does not hold")
    raise Refused(f"{what} has no effect: another option decides it (it is '{sym.str_value}')")


def config_path(app):
    return os.path.join(OUT, f"{app}.config")


def defconfig_path(app):
    return os.path.join("config", f"{app}_defconfig")


def read(path):
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.read()
    except UnicodeDecodeError:
        raise Refused(f"{path}: it is not UTF-8 text") from None


def write_if_changed(path, text):
    """Write a file only when its content changes, so that make rebuilds only what must be."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.exists(path) and read(path) == text:
        return
    with open(f"{path}.{os.getpid()}", "w", encoding="utf-8") as stream:
        stream.write(text)
    os.replace(stream.name, path)


def automatic(app):
    """Whether out/APP.config is absent or as the build left it."""
    path = config_path(app)
    if not os.path.exists(path):
        return True
    first, _, rest = read(path).partition("\n")
    digest = hashlib.sha256(rest.encode()).hexdigest()[:16]
    return first == MARK.format(app=app) + digest


def full_text(tree):
    """The complete .config as kconfiglib writes it."""
    path = os.path.join(OUT, f".config.{os.getpid()}")
    os.makedirs(OUT, exist_ok=True)
    try:
        tree.write_config(path, save_old=False)
        return read(path)
    finally:
        if os.path.exists(path):
            os.unlink(path)


def save_automatic(app, tree):
    rest = full_text(tree)
    digest = hashlib.sha256(rest.encode()).hexdigest()[:16]
    write_if_changed(config_path(app), f"{MARK.format(app=app)}{digest}\n{rest}")


def load_defconfig(app):
    """The option tree with config/APP_defconfig applied; an app without one has the defaults."""
    tree = load_kconfig(app)
    path = defconfig_path(app)
    if os.path.exists(path):
        apply(tree, parse_assignments(read(path), path))
    return tree


def load_current(app, overrides=()):
    """The option tree of the app's current configuration with the overrides applied."""
    if automatic(app):
        tree = load_defconfig(app)
        save_automatic(app, tree)
        assignments = []
        if os.path.exists(defconfig_path(app)):
            assignments = parse_assignments(read(defconfig_path(app)), defconfig_path(app))
    else:
        # A full .config also states what other options decide: those lines are not requests.
        tree = load_kconfig(app)
        assignments = [line for line in parse_assignments(read(config_path(app)), config_path(app))
                       if has_prompt(check_known(tree, line[0], line[2]))]
        if not overrides:
            apply(tree, assignments)
    if not overrides:
        return tree
    return with_overrides(app, assignments, overrides)


def with_overrides(app, assignments, overrides):
    """Overrides win over the file: of the file, only what they leave possible is kept."""
    tree = load_kconfig(app)
    given = []
    for word in overrides:
        name, equals, value = word.partition("=")
        if not equals or not name.startswith("CONFIG_"):
            raise Refused(f"'{word}' is not CONFIG_NAME=value")
        given.append((name[len("CONFIG_"):], value, "command line"))
    for name, _, where in given:
        check_known(tree, name, where)
    chosen = {tree.syms[name].choice for name, value, _ in given if unquote(value) == "y"} - {None}
    names = {name for name, _, _ in given}
    for name, value, where in assignments:
        sym = check_known(tree, name, where)
        if not is_number(sym, unquote(value)):
            raise Refused(f"{where}: CONFIG_{name}={value}: the value must be {TYPES[sym.type]}")
        if name not in names and not (sym.choice in chosen):
            sym.set_value(unquote(value))
    apply(tree, given)
    return tree


def value_for_make(sym, kconfiglib):
    if sym.type in (kconfiglib.BOOL, kconfiglib.TRISTATE):
        return "y" if sym.str_value == "y" else ""
    return sym.str_value.replace("$", "$$").replace("#", "\\#")


def generate(app, overrides):
    """Write config.h and config.mk for the build."""
    kconfiglib = import_kconfiglib()
    tree = load_current(app, overrides)
    header = ["/* Generated from the configuration by scripts/kconfig.py. */"]
    make = ["# Generated from the configuration by scripts/kconfig.py."]
    for sym in tree.unique_defined_syms:
        if sym.env_var is not None:
            continue
        make.append(f"override CONFIG_{sym.name} := {value_for_make(sym, kconfiglib)}".rstrip())
        if sym.type in (kconfiglib.BOOL, kconfiglib.TRISTATE):
            if sym.str_value == "y":
                header.append(f"#define CONFIG_{sym.name} 1")
        elif sym.type == kconfiglib.STRING:
            header.append(f'#define CONFIG_{sym.name} "{kconfiglib.escape(sym.str_value)}"')
        elif sym.str_value:
            header.append(f"#define CONFIG_{sym.name} {sym.str_value}")
    folder = os.path.join(OUT, "obj", app)
    write_if_changed(os.path.join(folder, "config.h"), "\n".join(header) + "\n")
    write_if_changed(os.path.join(folder, "config.mk"), "\n".join(make) + "\n")


def menuconfig(app):
    try:
        from menuconfig import menuconfig as menu
    except ImportError:
        raise Refused("kconfiglib's menuconfig is missing: run scripts/setup") from None
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Refused(f"menuconfig needs a terminal; without one, edit {config_path(app)}")
    load_current(app)
    tree = load_kconfig(app)
    os.environ["KCONFIG_CONFIG"] = config_path(app)
    menu(tree)


def olddefconfig(app):
    """Drop options that are gone or have impossible values, saying which, and save the rest."""
    if automatic(app):
        load_current(app)
        print(f"{config_path(app)} follows {defconfig_path(app)}")
        return
    tree = load_kconfig(app)
    for name, value, _ in parse_assignments(read(config_path(app)), config_path(app)):
        sym = tree.syms.get(name)
        if sym is None or not sym.nodes:
            print(f"CONFIG_{name} is gone: dropped")
        elif not sym.set_value(unquote(value)):
            print(f"CONFIG_{name}={value} is not a value it takes: dropped")
    write_if_changed(config_path(app), full_text(tree))
    print(f"{config_path(app)} is up to date")


def defconfig(app):
    tree = load_defconfig(app)
    save_automatic(app, tree)
    print(f"{config_path(app)} made from {defconfig_path(app)}")


def savedefconfig(app):
    tree = load_current(app)
    tree.write_min_config(defconfig_path(app), header="")
    print(f"{defconfig_path(app)} saved")


def list_apps():
    width = max(len(name) for name in app_names())
    for name in app_names():
        print(f"  {name:{width}}  {load_defconfig(name).syms['APP_TITLE'].str_value}")


def get(app, name):
    sym = load_current(app).syms.get(name)
    if sym is None:
        raise Refused(f"there is no option CONFIG_{name}")
    print(sym.str_value)


def main(words):
    os.chdir(TOP)
    commands = {"menuconfig": menuconfig, "olddefconfig": olddefconfig, "defconfig": defconfig,
                "savedefconfig": savedefconfig}
    if words[:1] == ["apps"] and len(words) == 1:
        list_apps()
    elif words[:1] == ["generate"] and len(words) >= 2:
        generate(words[1], words[2:])
    elif words[:1] == ["get"] and len(words) == 3:
        get(words[1], words[2])
    elif len(words) == 2 and words[0] in commands:
        commands[words[0]](words[1])
    else:
        raise Refused(__doc__)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
    except (Refused, OSError) as problem:
        sys.exit(f"config: {problem}")
