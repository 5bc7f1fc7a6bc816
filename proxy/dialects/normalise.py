"""Puts the messages of a request into an order that every provider takes, whatever the client sent.

Takes a `Request`, returns new messages; the request stays as it is. Tool results are paired with the calls of the
assistant turn before them, ordered by them and named after them. A call that nobody answered gets a result that says
so, and a result that nobody asked for becomes text, since all providers refuse both. Empty texts go, and messages
that are empty then; no call, result or other part is ever lost. Knows nothing of any dialect and never raises.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from proxy.dialects.parts import Message, Part, Refusal, Request, Text, ToolCall, ToolResult

NO_RESULT: Final = "(no result)"


@dataclass(slots=True)
class _Turn:
    """An assistant's messages (none before the first), and what came until the next ones."""

    said: list[Message] = field(default_factory=list)
    heard: list[Message] = field(default_factory=list)


def normalise(request: Request, *, alternate: bool, results_in_user: bool, mid_system: bool) -> list[Message]:
    """The messages for a target.

    alternate: messages of one role that follow each other become one. results_in_user: the results of a turn open the
    user message behind it; otherwise they are a message of their own. mid_system: system messages may stand in the
    middle; otherwise they become user text.
    """
    messages = [message if mid_system else _lower_system(message) for message in request.messages]
    found: list[Message] = []
    for turn in _split_turns(_drop_empty(messages)):
        found += _fit_turn(turn, results_in_user)
    return _merge_roles(found, results_in_user) if alternate else found


def _lower_system(message: Message) -> Message:
    """A system message of the middle as user text: moved to the front it would mean something else, and would change
    the prefix that providers cache."""
    if message.role != "system":
        return message
    texts = [part for part in message.parts if isinstance(part, Text) and part.text]
    others = tuple(part for part in message.parts if not isinstance(part, Text))
    if not texts:
        return replace(message, role="user", parts=others)
    whole = "\n\n".join(part.text for part in texts)
    text = Text(f"<system>{whole}</system>", at=texts[0].at, cache=texts[-1].cache)
    return replace(message, role="user", parts=(text, *others))


def _drop_empty(messages: Iterable[Message]) -> Iterator[Message]:
    for message in messages:
        parts = tuple(_clean(part) for part in message.parts if not _is_empty(part))
        if parts:
            yield replace(message, parts=parts)


def _is_empty(part: Part) -> bool:
    return isinstance(part, Text | Refusal) and not part.text


def _clean(part: Part) -> Part:
    if isinstance(part, ToolResult) and any(map(_is_empty, part.content)):
        return replace(part, content=tuple(inner for inner in part.content if not _is_empty(inner)))
    return part


def _split_turns(messages: Iterable[Message]) -> Iterator[_Turn]:
    turn = _Turn()
    for message in messages:
        if message.role == "assistant" and (turn.heard or not turn.said):
            yield turn
            turn = _Turn()
        (turn.said if message.role == "assistant" else turn.heard).append(message)
    yield turn


def _fit_turn(turn: _Turn, results_in_user: bool) -> list[Message]:
    said = _join_calls(turn.said)
    calls = [part for message in said for part in message.parts if isinstance(part, ToolCall)]
    results, heard = _pair(calls, turn.heard)
    if not results:
        return said + heard
    if results_in_user and heard and heard[0].role == "user":
        first = replace(heard[0], parts=(*results, *heard[0].parts))
        return [*said, first, *heard[1:]]
    return [*said, Message("user", results, results[0].at), *heard]


def _join_calls(said: list[Message]) -> list[Message]:
    """One message from the first call on: between calls and their results nothing may stand."""
    for index, message in enumerate(said):
        if any(isinstance(part, ToolCall) for part in message.parts):
            parts = tuple(part for later in said[index:] for part in later.parts)
            return [*said[:index], replace(message, parts=parts)]
    return said


def _pair(calls: list[ToolCall], heard: list[Message]) -> tuple[tuple[Part, ...], list[Message]]:
    """The result of each call, in the order of the calls, and the messages without them."""
    given: dict[str, list[ToolResult]] = {}
    for message in heard:
        for part in message.parts:
            if isinstance(part, ToolResult):
                given.setdefault(part.call_id, []).append(part)
    # Ids that a provider gave twice in one turn are paired in order.
    taken: dict[int, ToolResult] = {}
    results: list[Part] = []
    for call in calls:
        same = given.get(call.id)
        if same:
            result = same.pop(0)
            taken[id(result)] = result
            results.append(replace(result, name=call.name))
        else:
            results.append(ToolResult(call.id, (Text(NO_RESULT),), call.name, is_error=True, at=call.at))
    rest = [replace(message, parts=tuple(_leave(message.parts, taken))) for message in heard]
    return tuple(results), [message for message in rest if message.parts]


def _leave(parts: Iterable[Part], taken: dict[int, ToolResult]) -> Iterator[Part]:
    for part in parts:
        if not isinstance(part, ToolResult):
            yield part
        elif id(part) not in taken:
            yield from _tell(part)


def _tell(result: ToolResult) -> Iterator[Part]:
    """A result without its call, as parts of a user message."""
    texts = [part.text for part in result.content if isinstance(part, Text)]
    kind = "Error" if result.is_error else "Result"
    whole = "\n".join(texts) or NO_RESULT
    yield Text(f"{kind} of tool call {result.call_id}: {whole}", at=result.at, cache=result.cache)
    for part in result.content:
        if not isinstance(part, Text):
            yield part


def _merge_roles(messages: list[Message], results_in_user: bool) -> list[Message]:
    merged: list[Message] = []
    for message in messages:
        before = merged[-1] if merged else None
        if before is None or before.role != message.role or (not results_in_user and _holds_results(before)):
            merged.append(message)
        else:
            merged[-1] = replace(before, parts=before.parts + message.parts)
    return merged


def _holds_results(message: Message) -> bool:
    return any(isinstance(part, ToolResult) for part in message.parts)
