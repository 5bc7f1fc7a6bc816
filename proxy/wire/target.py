"""Request targets as raw text: what a mount covers, where it leads, what must not leave it.

A target is forwarded byte for byte (RFC 9110 7.7), so it is never parsed into a URL. Decoding happens only to look
for a way out of the base path: a target is refused when any reading of it, that of a server which decodes twice,
collapses slashes, takes a backslash for a slash, splits before it decodes or cuts at `;` included, climbs above the
mount.
"""

import re
from urllib.parse import unquote

# More rounds than any server decodes; `%25252e` is still found at the third.
_DECODE_ROUNDS = 3
_SEPARATORS = re.compile(r"[/\\]").split
# Where a segment's name ends for one that knows parameters, reads a decoded path again as a URL, or as a C string.
_NAME_END = re.compile(r"[;?#\x00]").split
_ABSOLUTE = re.compile(r"https?://([^/?#]*)(.*)", re.IGNORECASE | re.DOTALL).fullmatch


def split_query(target: str) -> tuple[str, str | None]:
    """The path and the query of a target; the query is None without a `?` and "" for a bare one."""
    path, mark, query = target.partition("?")
    return path, query if mark else None


def join_query(path: str, query: str | None) -> str:
    """The inverse of `split_query`."""
    return path if query is None else f"{path}?{query}"


def strip_absolute_form(target: str, authorities: frozenset[str]) -> str | None:
    """The origin form of an absolute-form target that names one of our own `authorities`, else None.

    RFC 9112 3.2.2 wants absolute-form understood; where it points elsewhere it asks for an open proxy.
    """
    match = _ABSOLUTE(target)
    if match is None or match[1].lower() not in authorities:
        return None
    rest = match[2]
    return rest if rest.startswith("/") else "/" + rest


def covers(prefix: str, path: str) -> bool:
    """Whether `path` is the mount `prefix` or lies below it, compared byte by byte at `/` boundaries."""
    return path.startswith(prefix) and (len(path) == len(prefix) or path[len(prefix)] == "/")


def climbs_out(rest: str) -> bool:
    """Whether some reading of the path `rest`, taken below a base path, has a prefix that lies above the base.

    Only `/` separates for everybody. What stands between two is decoded to the end, and where one server sees several
    segments in it and another a single one, it goes up as often as it can and down at most once.
    """
    if ".." not in _decode(rest):
        return False
    depth = 0
    for segment in rest.split("/"):
        decoded = _decode(segment)
        names = [_NAME_END(part)[0] for part in _SEPARATORS(decoded)]
        if ups := names.count(".."):
            depth -= ups
            if depth < 0:
                return True
        elif any(map(_is_name, names)) and _is_name(_NAME_END(decoded)[0]):
            depth += 1
    return False


def _is_name(segment: str) -> bool:
    return segment not in ("", ".")


def _decode(text: str) -> str:
    for _ in range(_DECODE_ROUNDS):
        decoded = unquote(text, errors="replace")
        if decoded == text:
            break
        text = decoded
    return text


def take_parameters(query: str, name: str) -> tuple[list[str], str | None]:
    """The decoded values of the parameter `name`, and the query without it: None when nothing is left.

    Every other byte of the query stays where it was.
    """
    values: list[str] = []
    kept: list[str] = []
    for part in query.split("&"):
        key, _, value = part.partition("=")
        if unquote(key.replace("+", " ")) == name:
            values.append(unquote(value.replace("+", " ")))
        else:
            kept.append(part)
    if not values:
        return [], query
    return values, "&".join(kept) if kept else None
