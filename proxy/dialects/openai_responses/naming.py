"""Names of tools in namespaces: Responses puts a tool into a namespace, the hub has one name.

A client's `{"namespace": "mcp__files", "name": "read"}` is `mcp__files::read` in the hub, whose name maps fit it to
what a provider takes. Two colons are legal in no name of OpenAI's, so that the way back is not ambiguous.
"""

from typing import Final

_BETWEEN: Final = "::"


def join_name(namespace: str | None, name: str) -> str:
    return f"{namespace}{_BETWEEN}{name}" if namespace else name


def split_name(name: str) -> tuple[str, str]:
    """Namespace ("" for none) and name."""
    namespace, between, rest = name.partition(_BETWEEN)
    return (namespace, rest) if between and namespace and rest else ("", name)
