"""The readable text of a provider's error: found, unwrapped, cleaned of secrets and cut.

Takes any decoded JSON or a text, returns a message for people, "" when there is none worth showing. Pages of HTML are
no message. Keys, mail addresses and addresses inside a provider's network are replaced, since the message goes to
callers who share our accounts. Bytes that are no text are no message either. Never raises.
"""

import re
from typing import Final

from proxy.dialects.json_text import decode_json, make_unicode
from proxy.dialects.parts import Json

LONGEST: Final = 2048
"""Characters: enough for a validation report, too few for a page."""

_DEEPEST: Final = 6  # errors within errors: gateways behind gateways
_NAMES: Final = ("message", "detail", "msg", "error_msg", "status_msg", "errors", "error")

_HTML = re.compile(r"\s*(?:<!doctype|<html|<head|<body|<\?xml)", re.IGNORECASE).match
_SECRETS: Final = (
    (re.compile(r"\b(?:sk|pk|gsk|xai|nvapi|hf)[-_][\w*.-]{6,}"), "<key>"),
    (re.compile(r"\bAIza[\w*-]{10,}"), "<key>"),
    (re.compile(r"\b(?:ya29|1//|GOCSPX)[\w.*/-]{6,}"), "<key>"),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w.-]+"), "<key>"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=*-]{6,}"), r"\1 <key>"),
    (re.compile(
        r"(?i)((?:api[ _-]?key|token|secret|password)(?: provided)?\s*[:=]\s*)(?!\d+\b)[^\s,;.\"'][^\s,;\"']*"),
     r"\1<key>"),
    (re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}"), "<address>"),
    (re.compile(
        r"(?i)\b[a-z][a-z0-9+.-]{1,20}://(?:[^\s/@]{0,256}@)?"
        r"(?:localhost|[\w-]+|\[[0-9a-f:.]+\]|(?:\d{1,3}\.){3}\d{1,3}|[\w.-]+\.(?:internal|local|lan|svc|corp|cluster))"
        r"(?::\d+)?(?=[/?#\s\"'),;]|$)[^\s\"']*"), "<internal>"),
    (re.compile(r"([?&](?:key|api_key|access_token|token|sig|signature)=)[^\s&#\"']+"), r"\1<key>"),
)  # fmt: skip


def read_message(error: Json) -> str:
    """The innermost text of an error, clean and short."""
    return clean_message(_find_text(error, _DEEPEST))


def clean_message(text: str) -> str:
    """`text` for the eyes of callers."""
    if _HTML(text) or "\0" in text or "\ufffd" in text:
        return ""
    text = make_unicode(text[: 2 * LONGEST])
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    text = text.strip()
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _find_text(value: Json, depth: int) -> str:
    if depth <= 0 or not value:
        return ""
    if isinstance(value, str):
        return _unwrap(value, depth)
    if isinstance(value, list):
        texts = (_find_text(item, depth - 1) for item in value[:8])
        return "; ".join(text for text in texts if text)
    if not isinstance(value, dict):
        return ""
    # OpenRouter: what the provider behind it said; its own message is "Provider returned error".
    metadata = value.get("metadata")
    if isinstance(metadata, dict) and (raw := _find_text(metadata.get("raw"), depth - 1)) and not _HTML(raw):
        return raw
    for name in _NAMES:
        if text := _find_text(value.get(name), depth - 1):
            return text
    return ""


def _unwrap(text: str, depth: int) -> str:
    """The text, or what an error says that stands in it as JSON (Code Assist, OpenRouter's `raw`)."""
    if text.lstrip()[:1] not in ("{", "["):
        return text
    try:
        value = decode_json(text)
    except ValueError:
        return text
    return _find_text(value, depth - 1) or text
