"""The `response` object that three events and a whole answer carry (openai-python, types/responses/response.py).

Made once per answer from what was asked; `build` fills in how far it is. Instructions and tools are not said again:
the API repeats them in each of the three events, which for an agent is most of the stream, and no client reads them.
"""

from typing import Final

from proxy.dialects.chat import Turn
from proxy.dialects.events import Start, Usage
from proxy.dialects.ids import make_id
from proxy.dialects.json_text import encode_json, encode_string
from proxy.dialects.openai_responses.naming import split_name
from proxy.dialects.openai_responses.usage import build_usage
from proxy.dialects.parts import Json, OutputFormat, Request, ToolChoice, ToolMode

_MODES: Final = {ToolMode.AUTO: "auto", ToolMode.NONE: "none", ToolMode.ANY: "required"}


class ResponseObject:
    """start: what the provider said of itself. told: the client knows its id, whatever that looks like."""

    __slots__ = ("_head", "_tail")

    def __init__(self, turn: Turn, start: Start, *, told: bool = False) -> None:
        own = start.id.startswith("resp_") or (told and start.id)
        response_id = start.id if own else make_id("resp_", turn.seed)
        self._head = b'{"id":%b,"object":"response","created_at":%d,"model":%b' % (
            encode_string(response_id),
            turn.created,
            encode_string(start.model or turn.request.model),
        )
        self._tail = encode_json(_build_settings(turn.request))[1:]

    def build(
        self,
        status: bytes,
        output: list[bytes] | None = None,
        usage: Usage | None = None,
        *,
        error: bytes = b"null",
        cause: str | None = None,
    ) -> bytes:
        """status: one of the API's words. output: finished items. cause: why it is incomplete."""
        details = b"null" if cause is None else b'{"reason":%b}' % encode_string(cause)
        return b'%b,"status":"%b","error":%b,"incomplete_details":%b,"output":[%b],"usage":%b,%b' % (
            self._head,
            status,
            error,
            details,
            b",".join(output or ()),
            encode_json(None if usage is None else build_usage(usage)),
            self._tail,
        )


def _build_settings(request: Request) -> dict[str, Json]:
    reasoning = request.reasoning
    return {
        "background": False,
        "instructions": None,
        "max_output_tokens": request.max_tokens,
        "metadata": request.metadata,
        "parallel_tool_calls": request.parallel_tools is not False,
        "previous_response_id": None,
        "reasoning": {"effort": reasoning.effort.value if reasoning and reasoning.effort else None, "summary": None},
        "service_tier": request.service_tier,
        "store": False,
        "temperature": request.temperature,
        "text": {"format": _build_format(request.output)},
        "tool_choice": _build_choice(request.tool_choice),
        "tools": [],
        "top_p": request.top_p,
        "truncation": "disabled",
        "user": request.user,
    }


def _build_format(output: OutputFormat | None) -> dict[str, Json]:
    if output is None:
        return {"type": "text"}
    if output.schema is None:
        return {"type": "json_object"}
    return {"type": "json_schema", "name": output.name, "schema": output.schema, "strict": output.strict}


def _build_choice(choice: ToolChoice | None) -> Json:
    if choice is None:
        return "auto"
    if choice.mode is ToolMode.ANY and len(choice.names) == 1:
        return {"type": "function", "name": split_name(choice.names[0])[1]}
    return _MODES[choice.mode]
