"""Finding, reading and merging configuration files: TOML to one `Config`, or `ConfigError` with every fault.

Files are read in the order given, then `conf.d/*.toml` beside the first in name order, then the overrides
of the environment. A file that cannot be read, or is not TOML, is reported alone: what else is wrong cannot
be known before. Blocking file access: call it at start, or from a thread.
"""

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from proxy.config.convert import convert
from proxy.config.model import Config
from proxy.config.tree import Table, build_table, merge, shorten
from proxy.config.zero import build_zero
from proxy.errors import ConfigError, Fault

MAX_FILE: Final = 4 * 1024 * 1024  # bytes; thousands of mounts fit, a log file given by mistake does not

DEFAULT_PATHS: Final = ("penstock.toml", "/etc/penstock/config.toml")
OVERRIDES: Final[Mapping[str, tuple[str, str]]] = {
    "PENSTOCK_LISTEN": ("server", "listen"),
    "PENSTOCK_ADMIN": ("server", "admin"),
    "PENSTOCK_LOG_LEVEL": ("log", "level"),
}
ENVIRONMENT: Final = "environment"

_POSITION: Final = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")

Source = tuple[str, Mapping[str, object]]
"""What messages call it, and the parsed TOML."""


def find_default_paths(environ: Mapping[str, str] | None = None) -> tuple[Path, ...]:
    """PENSTOCK_CONFIG when set, else the first default path that exists, else () for zero configuration."""
    named = (environ or {}).get("PENSTOCK_CONFIG")
    if named:
        return (Path(named),)
    return tuple(path for path in map(Path, DEFAULT_PATHS) if _may_exist(path))[:1]


def load(paths: Sequence[Path], environ: Mapping[str, str]) -> Config:
    """The configuration of these files and of `conf.d` beside the first; no path gives zero configuration.

    Raises ConfigError with every fault.
    """
    if not paths:
        return build_config([(ENVIRONMENT, build_zero(environ))], environ)
    faults: list[Fault] = []
    sources: list[Source] = []
    for path in (*paths, *_find_drop_ins(paths[0].parent / "conf.d", faults)):
        data = _read_file(path, faults)
        if data is not None:
            sources.append((_name(path), data))
    if faults:
        raise ConfigError(faults)
    return build_config(sources, environ)


def build_config(sources: Sequence[Source], environ: Mapping[str, str]) -> Config:
    """Merge parsed sources, later over earlier, the environment's overrides last, and convert. Raises ConfigError."""
    root = Table({}, sources[0][0] if sources else ENVIRONMENT)
    for file, data in (*sources, *_build_overrides(environ)):
        root = merge(root, build_table(data, file))
    return convert(root, environ)


def _build_overrides(environ: Mapping[str, str]) -> list[Source]:
    """One source for each variable that is set; an empty one counts as not set, as systemd units leave it."""
    overrides: list[Source] = []
    for variable, (section, key) in OVERRIDES.items():
        text = environ.get(variable, "").replace("$", "$$")  # what comes from a variable is not expanded again
        if text:
            value = [part.strip() for part in text.split(",")] if key == "listen" else text
            overrides.append((variable, {section: {key: value}}))
    return overrides


def _find_drop_ins(directory: Path, faults: list[Fault]) -> list[Path]:
    """The `*.toml` of a directory in name order, without hidden files; none when there is no such directory."""
    try:
        names = sorted(os.listdir(directory))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except (OSError, ValueError) as error:
        faults.append(Fault(_name(directory), "", f"cannot be read: {_reason(error)}"))
        return []
    return [directory / name for name in names if name.endswith(".toml") and not name.startswith(".")]


def _read_file(path: Path, faults: list[Fault]) -> dict[str, object] | None:
    """The parsed file, or None and a fault."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE + 1)
    except (OSError, ValueError) as error:
        faults.append(Fault(_name(path), "", f"cannot be read: {_reason(error)}"))
        return None
    if len(content) > MAX_FILE:
        faults.append(Fault(_name(path), "", f"longer than {MAX_FILE} bytes: not a configuration file"))
        return None
    try:
        return tomllib.loads(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        line, column = _locate(content, error.start)
        faults.append(Fault(_name(path), "", "not UTF-8 text", line, column))
    except (ValueError, RecursionError) as error:
        faults.append(_describe_syntax_error(_name(path), content.decode("utf-8"), error))
    return None


def _describe_syntax_error(file: str, text: str, error: Exception) -> Fault:
    """tomllib tells the position inside its message, or says "end of document"."""
    if isinstance(error, RecursionError):
        return Fault(file, "", "not TOML: nested too deeply")
    if not isinstance(error, tomllib.TOMLDecodeError):  # Python refuses to read a number of thousands of digits
        return Fault(file, "", "not TOML: a number that is too long")
    message = str(error)
    match = _POSITION.search(message)
    if match is None:
        return Fault(file, "", f"not TOML: {shorten(message)}")
    if match[1] is None:
        line, column = _locate(text.encode("utf-8"), len(text.encode("utf-8")))
    else:
        line, column = int(match[1]), int(match[2])
    return Fault(file, "", f"not TOML: {shorten(message[: match.start()])}", line, column)


def _locate(content: bytes, offset: int) -> tuple[int, int]:
    """Line and column, counted from 1, of a byte in UTF-8 text that is well formed up to it."""
    before = content[:offset]
    line_start = before.rfind(b"\n") + 1
    return before.count(b"\n") + 1, len(before[line_start:].decode("utf-8")) + 1


def _may_exist(path: Path) -> bool:
    """True also when access is denied: another configuration in its place, without a word, would be worse."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        pass
    return True


def _name(path: Path) -> str:
    return str(path).encode("utf-8", "backslashreplace").decode("utf-8")


def _reason(error: OSError | ValueError) -> str:
    return (isinstance(error, OSError) and error.strerror) or "not a path"
