"""A tool call's arguments as the page may be given them, or why it may not.

The page's parser is stricter than models are: it takes no NaN (`JSON.parse`), and it ends the whole stream at an
object with the key `__proto__`, or with `constructor` holding `prototype` (`secureJsonParse` of
npm `@ai-sdk/provider-utils` 4.0.65). Such a call is shown as one with broken input instead.
"""

import json
import re
from typing import Final

from proxy.dialects.json_text import encode_json, parse_arguments
from proxy.dialects.parts import Json

BROKEN: Final = "The model gave arguments that are no JSON object."
"""What is said of such a call, to the page and, as its result, to the model."""

_SUSPECT: Final = re.compile(r"proto|constructor|\\u").search
"""Only texts with one of these can hold a key that is forbidden: others are not walked."""


def encode_input(arguments: str) -> bytes | None:
    """The arguments as one line of JSON, None when the page could not take them."""
    if parse_arguments(arguments) is None:
        return None
    try:
        value = json.loads(arguments, parse_constant=_refuse) if arguments.strip() else {}
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or (_SUSPECT(arguments) and _is_forbidden(value)):
        return None
    return encode_json(value)


def _refuse(word: str) -> Json:
    raise ValueError(word)


def _is_forbidden(value: Json) -> bool:
    nodes = [value]
    while nodes:
        node = nodes.pop()
        if isinstance(node, dict):
            inner = node.get("constructor")
            if "__proto__" in node or (isinstance(inner, dict) and "prototype" in inner):
                return True
            nodes.extend(node.values())
        elif isinstance(node, list):
            nodes.extend(node)
    return False
