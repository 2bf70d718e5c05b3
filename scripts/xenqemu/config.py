# SPDX-License-Identifier: ISC
"""Read and write xl domain configurations (xl.cfg(5)): the subset of assignments of strings,
numbers and lists."""

import ast


class ConfigError(Exception):
    """The configuration cannot be read; the text names the file and line."""


def parse(text, name="configuration"):
    """{key: value}. xl's syntax for these is Python's, so Python's own parser reads it."""
    try:
        tree = ast.parse(text, name)
        return {node.targets[0].id: ast.literal_eval(node.value) for node in tree.body}
    except SyntaxError as e:
        raise ConfigError(f"{name}:{e.lineno}: {e.msg}") from e
    except (AttributeError, ValueError) as e:
        raise ConfigError(
            f"{name}: only key = value with strings, numbers and lists is understood ({e})"
        ) from e


def render(config):
    """The text for a dictionary; keys whose value is None are left out."""
    return "".join(
        f"{key} = {_value(value)}\n" for key, value in config.items() if value is not None
    )


def _value(value):
    if isinstance(value, (list, tuple)):
        return "[ " + ", ".join(_value(item) for item in value) + " ]"
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, int):
        return str(value)
    # Not repr(): xl ends a text at the first quote of its kind, escaped or not.
    quote = "'" if '"' in value else '"'
    if quote in value or "\n" in value:
        raise ConfigError(
            f"a value with both kinds of quotes or a newline cannot be written: {value!r}"
        )
    return quote + value.replace("\\", "\\\\") + quote
