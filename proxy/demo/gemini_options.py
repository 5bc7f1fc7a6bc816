"""Reads what a Gemini request says beside its contents: functions, their choice and the configuration of the answer.

As strict as the API: `parameters` is Google's own Schema, whose keywords are few, `parametersJsonSchema` takes any; a
budget and a level of thinking exclude each other; what a model of one generation takes the other refuses. Pure; raises
`BadAsk`.
"""

import re
from dataclasses import dataclass
from typing import Any, Final

from proxy.demo.answer import BadAsk
from proxy.demo.gemini_contents import TOOL_NAME
from proxy.demo.reading import Fields
from proxy.demo.schemas import OPENAPI, find_unknown
from proxy.demo.script import Tool

OLD: Final = re.compile(r"gemini-[12][.-].*")
LEVELS: Final = frozenset({
    "minimal", "low", "medium", "high", "xhigh",
})  # fmt: skip
OWN_TOOLS: Final = (
    "googleSearch", "googleSearchRetrieval", "codeExecution", "urlContext", "googleMaps", "computerUse", "fileSearch",
)  # fmt: skip
NOT_LOOKED_AT: Final = (
    "responseLogprobs", "logprobs", "responseModalities", "mediaResolution", "speechConfig", "imageConfig",
    "enableEnhancedCivicAnswers", "audioTimestamp", "routingConfig", "modelSelectionConfig",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Limits:
    """What a host takes. keywords: of a Schema; json_schema: the fields for plain JSON Schema exist."""

    keywords: frozenset[str] = OPENAPI
    json_schema: bool = True


@dataclass(frozen=True, slots=True)
class Config:
    """What an answer is to be like. thinks: None when that is left open."""

    limit: int | None = None
    thinks: bool | None = None
    shows: bool = True
    output: dict[str, Any] | None = None


def read_tools(body: Fields, model: str, limits: Limits) -> tuple[Tool, ...]:
    """The declared functions."""
    tools: list[Tool] = []
    own = False
    for group in body.children("tools"):
        tools += [_read_function(item, limits) for item in group.children("functionDeclarations")]
        own = own or any(group.raw(name) is not None for name in OWN_TOOLS)
        group.close()
    if own and tools and OLD.fullmatch(model):
        raise BadAsk("Tool use with function calling is unsupported")
    if len({tool.name for tool in tools}) < len(tools):
        raise BadAsk("Duplicate function declaration found")
    return tuple(tools)


def _read_function(item: Fields, limits: Limits) -> Tool:
    name = item.match("name", TOOL_NAME)
    item.text("description")
    item.skip("behavior", "response", "responseJsonSchema")
    schema = item.object("parameters")
    if schema is not None:
        check_schema(schema, item.place("parameters"), limits)
        if not schema.get("properties"):
            raise BadAsk(f"* {item.place('parameters')}.properties: should be non-empty for OBJECT type")
    plain = item.object("parametersJsonSchema") if limits.json_schema else None
    if schema is not None and plain is not None:
        raise item.bad("parametersJsonSchema", "must not be set together with parameters")
    item.close()
    return Tool(name, schema or plain or {})


def check_schema(schema: dict[str, Any], at: str, limits: Limits) -> None:
    """Google's own Schema. Raises `BadAsk`."""
    if place := find_unknown(schema, at, limits.keywords):
        raise BadAsk(f"Invalid JSON payload received. Unknown name or value at '{place}'.")


def read_choice(body: Fields, tools: tuple[Tool, ...]) -> tuple[tuple[Tool, ...], str]:
    """The functions that may be called, and the mode."""
    config = body.child("toolConfig")
    calling = config.child("functionCallingConfig") if config else None
    if config:
        config.skip("retrievalConfig", "includeServerSideToolInvocations")
        config.close()
    if calling is None:
        return tools, "AUTO"
    mode = calling.choice("mode", ("MODE_UNSPECIFIED", "AUTO", "ANY", "NONE", "VALIDATED")) or "AUTO"
    allowed = calling.texts("allowedFunctionNames")
    calling.flag("streamFunctionCallArguments")
    calling.close()
    if mode in ("ANY", "VALIDATED") and not tools:
        raise BadAsk("Function calling config is set without function_declarations.")
    if allowed and mode not in ("ANY", "VALIDATED"):
        raise BadAsk("Allowed function names can only be set with the modes ANY and VALIDATED.")
    if set(allowed) - {tool.name for tool in tools}:
        raise BadAsk("allowed_function_names should be a subset of the declared functions.")
    return tuple(tool for tool in tools if not allowed or tool.name in allowed), mode


def read_config(body: Fields, model: str, tools: tuple[Tool, ...], limits: Limits) -> Config:
    """`generationConfig`."""
    config = body.child("generationConfig")
    if config is None:
        return Config()
    config.number("temperature", 0, 2)
    config.number("topP", 0, 1)
    config.number("topK", 0)
    config.whole("candidateCount", 1, 8)
    config.number("presencePenalty", -2, 2)
    config.number("frequencyPenalty", -2, 2)
    config.whole("seed")
    config.texts("stopSequences", 5)
    config.skip(*NOT_LOOKED_AT)
    limit = config.whole("maxOutputTokens", 1)
    thinks, shows = _read_thinking(config, model)
    output = _read_format(config, model, tools, limits)
    config.close()
    return Config(limit, thinks, shows, output)


def _read_thinking(config: Fields, model: str) -> tuple[bool | None, bool]:
    thinking = config.child("thinkingConfig")
    if thinking is None:
        return None, True
    shows = thinking.flag("includeThoughts") is True
    budget = thinking.whole("thinkingBudget", -1, 65536)
    level = thinking.text("thinkingLevel")
    thinking.close()
    if budget is not None and level is not None:
        raise BadAsk("You can only set only one of thinking budget and thinking level.")
    if level is not None:
        if OLD.fullmatch(model):
            raise BadAsk("Thinking level is not supported for this model.")
        if level.lower() not in LEVELS:
            raise thinking.bad("thinkingLevel", "should be a level")
        return level.lower() != "minimal", shows
    if budget is not None and "2.5-pro" in model and 0 <= budget < 128:
        raise BadAsk("Budget 0 is invalid. This model only works in thinking mode.")
    return (True if shows else None) if budget is None else budget != 0, shows


def _read_format(config: Fields, model: str, tools: tuple[Tool, ...], limits: Limits) -> dict[str, Any] | None:
    mime = config.choice("responseMimeType", ("text/plain", "application/json", "text/x.enum"))
    schema = config.object("responseSchema")
    plain = config.object("responseJsonSchema") if limits.json_schema else None
    if schema is not None:
        check_schema(schema, config.place("responseSchema"), limits)
    if schema is not None and plain is not None:
        raise config.bad("responseJsonSchema", "must not be set together with responseSchema")
    if mime != "application/json":
        if schema is not None or plain is not None:
            raise BadAsk("Response schema is only supported with the response mime type application/json.")
        return None
    if tools and OLD.fullmatch(model):
        raise BadAsk("Function calling with a response mime type: 'application/json' is unsupported")
    return schema or plain or {}
