"""Requests as a hypothesis strategy: the subset that every dialect can express, and what of one has to be kept."""

from typing import Any, Final

from hypothesis import strategies as st

from proxy.dialects.capabilities import to_effort
from proxy.dialects.json_text import parse_arguments
from proxy.dialects.parts import (
    Effort,
    Image,
    Media,
    Message,
    OutputFormat,
    Part,
    Reasoning,
    Request,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolMode,
    ToolResult,
)
from tests.helpers.event_strategies import TOOLS, arguments, texts

PNG: Final = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="

spoken = texts.filter(lambda text: text.strip() != "" and not text.lstrip().startswith("{"))
"""A text of blanks is none to some; a tool's result that is a JSON object is an object to Gemini."""

_properties = st.dictionaries(
    st.sampled_from(["place", "unit", "type", "n"]),
    st.sampled_from([{"type": "string"}, {"type": "integer", "description": "How many."}, {"type": "boolean"}]),
    min_size=1,
    max_size=3,
)
schemas = _properties.map(
    lambda properties: {"type": "object", "properties": properties, "required": sorted(properties)}
)
_tools = st.builds(Tool, st.sampled_from(TOOLS), st.sampled_from(["", "Does it."]), schemas)
_outputs = schemas.map(lambda schema: OutputFormat({**schema, "additionalProperties": False}, "answer"))
_images = st.just(Image(Media("image/png", PNG)))


@st.composite
def _rounds(draw: st.DrawFn, number: int) -> list[Message]:
    """What a user says, and what the model and its tools say to it, short of the answer."""
    asked: list[Part] = [Text(draw(spoken)), *draw(st.lists(_images, max_size=1))]
    if draw(st.booleans()):
        return [Message("user", tuple(asked)), Message("assistant", (Text(draw(spoken)),))]
    names = draw(st.lists(st.sampled_from(TOOLS), min_size=1, max_size=3))
    calls = [ToolCall(f"call_{number}_{place}", name, draw(arguments)) for place, name in enumerate(names)]
    said: list[Part] = [Text(draw(spoken))] if draw(st.booleans()) else []
    results = [ToolResult(call.id, (Text(draw(spoken)),), call.name) for call in calls]
    return [Message("user", tuple(asked)), Message("assistant", (*said, *calls)), Message("user", tuple(results))]


@st.composite
def requests(draw: st.DrawFn) -> Request:
    """As a client of another dialect would have asked."""
    rounds = [message for number in range(draw(st.integers(0, 2))) for message in draw(_rounds(number))]
    called = any(isinstance(part, ToolCall) for message in rounds for part in message.parts)
    # Some want the tools of a history, and would be given made-up ones.
    tools = draw(st.lists(_tools, min_size=int(called), max_size=3, unique_by=lambda tool: tool.name))
    names = tuple(tool.name for tool in tools)
    choices = [None, ToolChoice(ToolMode.AUTO), ToolChoice(ToolMode.ANY), ToolChoice(ToolMode.ANY, names[:1])]
    fields: dict[str, Any] = {
        "stream": draw(st.booleans()),
        "max_tokens": draw(st.none() | st.integers(5000, 8000)),
        "temperature": draw(st.none() | st.sampled_from([0.0, 0.25, 1.0])),
        "stop": draw(st.lists(st.sampled_from(["END", "\n\nHuman:", "é\u2028"]), max_size=2, unique=True)),
        "tool_choice": draw(st.sampled_from(choices)) if tools else None,
        "reasoning": draw(st.none() | st.sampled_from([*map(_ask, (Effort.LOW, Effort.MEDIUM, Effort.HIGH))])),
        "output": draw(st.none() | _outputs),
    }
    if fields["reasoning"]:  # Claude then takes neither
        fields |= {"temperature": None, "tool_choice": None}
    given = {name: value for name, value in fields.items() if value not in (None, [])}
    system = [Text(draw(spoken))] if draw(st.booleans()) else []
    messages = [*rounds, Message("user", (Text(draw(spoken)),))]
    named = {name: name for name in given} | ({"tools": "tools"} if tools else {})
    return Request("m", messages, "ui-message", system=system, tools=tools, named=named, **given)


def _ask(effort: Effort) -> Reasoning:
    return Reasoning("on", effort)


def describe_request(request: Request) -> dict[str, Any]:
    """What is asked, without ids and without the borders between neighbouring messages of one role."""
    turns: list[tuple[str, list[Any]]] = []
    order: dict[str, int] = {}
    for message in request.messages:
        if not turns or turns[-1][0] != message.role:
            turns.append((message.role, []))
        turns[-1][1].extend(_describe(part, order) for part in message.parts)
    return {
        "stream": request.stream,
        "system": [part.text for part in request.system],
        "turns": turns,
        "tools": [(tool.name, tool.description, tool.schema) for tool in request.tools],
        "choice": _describe_choice(request.tool_choice),
        "limits": (request.max_tokens, request.temperature, request.stop),
        "effort": to_effort(request.reasoning) if request.reasoning else None,
        "output": request.output.schema if request.output else None,
    }


def _describe(part: Part, order: dict[str, int]) -> Any:
    match part:
        case ToolCall():
            order[part.id] = len(order)
            return "call", part.name, parse_arguments(part.arguments)
        case ToolResult():
            return "result", order.get(part.call_id), [_describe(each, order) for each in part.content]
        case Text():
            return "text", part.text
        case Image():
            return "image", part.media
        case _:
            return part


def _describe_choice(choice: ToolChoice | None) -> Any:
    """To say nothing is to leave it to the model."""
    return (ToolMode.AUTO, ()) if choice is None else (choice.mode, choice.names)
