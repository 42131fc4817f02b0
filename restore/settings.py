"""Settings from files: `restore.toml`, or `[tool.restore]` in `pyproject.toml`, found upward from the working
directory.

Keys are the long options of `clean`, `detect` and `explain` (`threshold = 0.8`, `field = ["title", "body"]`); each takes
those that it has, and the other commands none. Paths in a file are relative to it. What is said on the command line
comes first.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from restore.documents.streams import STANDARD

FILE: Final = "restore.toml"
PROJECT: Final = "pyproject.toml"
_PATHS: Final = frozenset(("lexicon", "output", "rejects", "report"))
_LEFT_OUT: Final = frozenset(("help", "version", "config", "install-completion", "show-completion"))


class SettingsError(ValueError):
    """A settings file that cannot be used; the message names file, key and remedy."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a file says. values: by option; path: the file, None where there is none."""

    values: dict[str, Any]
    path: Path | None = None


def find(folder: Path) -> Settings:
    """The settings of the nearest folder that has some, upward from one. Raises SettingsError."""
    for place in (folder, *folder.parents):
        if (place / FILE).is_file():
            return read(place / FILE)
        if (place / PROJECT).is_file():
            settings = read(place / PROJECT)
            if settings.path:
                return settings
    return Settings({})


def read(path: Path) -> Settings:
    """The settings of one file. Raises SettingsError."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not TOML ({error}); mend it") from None
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror}); check the name given with --config") from None
    if path.name == PROJECT:
        tool = values.get("tool", {})
        if not isinstance(tool, dict) or "restore" not in tool:
            return Settings({})
        values = tool["restore"]
        if not isinstance(values, dict):
            raise SettingsError(f"{path}: tool.restore = {values!r}: make it a table, [tool.restore]")
    return Settings(values, path)


def named(path: Path) -> Settings:
    """The settings of a file that was asked for. Raises SettingsError where it has none."""
    settings = read(path)
    if settings.path is None:
        raise SettingsError(f"{path}: no table [tool.restore]; add one, or name another file")
    return settings


def options(command: Any) -> Iterator[tuple[str, Any]]:
    """The settable options of a command: name in files, parameter."""
    for parameter in command.params:
        names = [o.lstrip("-") for o in parameter.opts if o.startswith("--")]
        if names and names[0] not in _LEFT_OUT:
            yield names[0], parameter


def defaults(settings: Settings, commands: dict[str, Any], context: Any) -> dict[str, dict[str, Any]]:
    """For each command the values of its options that the settings give, checked. Raises SettingsError."""
    if settings.path is None:
        return {}
    known = {name: dict(options(command)) for name, command in commands.items()}
    _check_keys(settings, {key for those in known.values() for key in those})
    out: dict[str, dict[str, Any]] = {}
    for name, those in known.items():
        out[name] = {
            those[key].name: _value(settings.path, key, value, those[key], context)
            for key, value in settings.values.items()
            if key in those
        }
    return out


def _check_keys(settings: Settings, known: Iterable[str]) -> None:
    for key in settings.values:
        if key not in known:
            from rapidfuzz.process import extractOne

            near = extractOne(key, sorted(known), score_cutoff=60)
            hint = f"did you mean '{near[0]}'?" if near else "restore config lists all"
            raise SettingsError(f"{settings.path}: unknown setting '{key}'; {hint}")


def _value(path: Path, key: str, value: Any, parameter: Any, context: Any) -> Any:
    """A value as the option takes it. Raises SettingsError."""
    if parameter.is_flag != isinstance(value, bool):
        wanted = "true or false" if parameter.is_flag else "a value of its own"
        raise SettingsError(f"{path}: {key} = {value!r}: give {wanted}")
    if isinstance(value, dict) or (isinstance(value, list) and not parameter.multiple):
        raise SettingsError(f"{path}: {key} = {value!r}: give one value, not several")
    several = value if isinstance(value, list) else [value]
    wanted = "" if parameter.is_flag else _other_type(several, parameter.type.name)
    if wanted:
        raise SettingsError(f"{path}: {key} = {value!r}: give {wanted}")
    values = [_placed(path, key, v) for v in several]
    try:
        parameter.process_value(context, values if parameter.multiple else values[0])
    except Exception as error:  # BadParameter, of whichever click typer brings
        raise SettingsError(f"{path}: {key} = {value!r}: {getattr(error, 'message', error)}") from None
    return values if parameter.multiple else values[0]


def _other_type(values: list[Any], name: str) -> str:
    """What an option of the named type takes, if these are of another, which it would convert unasked; else ""."""
    types: tuple[type, ...] = (str,)
    wanted = "text in quotation marks"
    if name.startswith("int"):  # "int range", or "integer range" of another version
        types, wanted = (int,), "a whole number"
    elif name.startswith("float"):
        types, wanted = (int, float), "a number"
    return "" if all(type(value) in types for value in values) else wanted


def _placed(path: Path, key: str, value: Any) -> Any:
    """A path relative to the file that names it; an entry of `allow` is one if there is such a file, "-" never is."""
    if not isinstance(value, str) or value == STANDARD:
        return value
    placed = key in _PATHS or (key == "allow" and (path.parent / value).is_file())
    return str(path.parent / value) if placed else value


def in_force(command: Any, context: Any, path: Path | None) -> Iterator[tuple[str, str, str]]:
    """Each option of a command parsed in a context: name, value as TOML ("" for none), and where it comes from."""
    for name, parameter in options(command):
        source = context.get_parameter_source(parameter.name).name
        where = {"COMMANDLINE": "command line", "DEFAULT_MAP": str(path)}.get(source, "default")
        yield name, _toml(context.params[parameter.name]), where


def _toml(value: Any) -> str:
    if value is None or value in ((), []):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(v) for v in value) + "]"
    if isinstance(value, int | float):
        return str(value)
    text = str(getattr(value, "value", value))
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
