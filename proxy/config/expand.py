"""Placeholders inside strings: `${VAR}`, `${VAR:-x}`, `${file:PATH}`, `${cred:NAME}`, and `$$` for a dollar.

Takes a text and the environment, returns the text with every placeholder replaced. Raises `ExpandError`
holding one message for every placeholder that cannot be replaced. What a placeholder gives is not looked at
again, so a dollar inside a secret stays as it is. Where a path is wanted, `${cred:NAME}` gives the path of the
credential: whoever opens it later finds what is there then. No message ever holds a value, nor the text of a
placeholder that is not well formed: it may be a secret that was pasted into the wrong place.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

MAX_FILE: Final = 64 * 1024  # bytes of one secret; a key, a token or a short certificate, never a data file

_PLACEHOLDER: Final = re.compile(r"\$\$|\$\{([^}]*)\}|\$")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CREDENTIAL: Final = re.compile(r"[A-Za-z0-9_.@:-]{1,255}")


class ExpandError(ValueError):
    """Placeholders that cannot be replaced; `messages` has one for each."""

    def __init__(self, messages: list[str]) -> None:
        self.messages = messages
        super().__init__("; ".join(messages))


def expand(text: str, environ: Mapping[str, str], *, to_path: bool = False) -> str:
    """The text with its placeholders replaced from `environ` and from files. to_path: a path is wanted."""
    messages: list[str] = []

    def replace(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        try:
            if match[1] is None:
                raise ValueError("a lone $: write $$ for a dollar, ${VAR} with both braces for a variable")
            return _resolve(match[1], environ, to_path)
        except ValueError as error:
            messages.append(str(error))
            return ""

    expanded = _PLACEHOLDER.sub(replace, text)
    if messages:
        raise ExpandError(messages)
    return expanded


def has_placeholder(text: str) -> bool:
    """True when `expand` would look at the text."""
    return "$" in text


def _resolve(inner: str, environ: Mapping[str, str], to_path: bool) -> str:
    kind, colon, name = inner.partition(":")
    if colon and kind == "file":
        return _read_file(Path(name), f"${{file:{_shown(name)}}}")
    if colon and kind == "cred":
        path = _find_credential(name, environ)
        return str(path) if to_path else _read_file(path, f"${{cred:{_shown(name)}}}")
    if not _VARIABLE.fullmatch(kind):
        raise ValueError("${...} holds no variable name: write ${VAR}, ${VAR:-x}, ${file:PATH} or ${cred:NAME}")
    if colon and not name.startswith("-"):
        raise ValueError(f"after ${{{_shown(kind)} only :- is known: write ${{VAR:-x}}")
    if not colon and kind not in environ:
        raise ValueError(f"the environment variable {_shown(kind)} is not set")
    # As in a shell, the default stands in for a variable that is empty too.
    return _checked(environ.get(kind, ""), f"${{{_shown(kind)}}}") or name.removeprefix("-")


def _find_credential(name: str, environ: Mapping[str, str]) -> Path:
    if not _CREDENTIAL.fullmatch(name) or name in (".", ".."):
        raise ValueError("${cred:NAME} needs the name of a credential: letters, digits and _.@:- without a slash")
    directory = environ.get("CREDENTIALS_DIRECTORY")
    if not directory:
        raise ValueError(f"${{cred:{_shown(name)}}}: the environment variable CREDENTIALS_DIRECTORY is not set")
    return Path(directory) / name


def _read_file(path: Path, called: str) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE + 1)
    except OSError as error:
        raise ValueError(f"{called} cannot be read: {error.strerror}") from None
    except ValueError:  # a NUL in the path
        raise ValueError(f"{called} cannot be read: not a path") from None
    if len(content) > MAX_FILE:
        raise ValueError(f"{called} is longer than {MAX_FILE} bytes")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError(f"{called} is not UTF-8 text") from None
    return _checked(text.removesuffix("\r\n" if text.endswith("\r\n") else "\n"), called)


def _checked(value: str, called: str) -> str:
    """Refuse what would break a header, a line or a path; a key with a line end in it is a copying slip."""
    if any(character in value for character in "\0\n\r"):
        raise ValueError(f"{called} gives a text with a line end or NUL in it")
    return value


def _shown(name: str) -> str:
    return name[:64].encode("unicode_escape").decode("ascii")
