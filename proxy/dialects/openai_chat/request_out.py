"""A request for a chat completion at a provider of the OpenAI family, from the hub's.

`RequestWriter` writes one request, part by part, and fits it to the server's `Quirk` and the model's `Capabilities`:
what they do not take is translated, dropped with its name, or refused with it (Invalid). Messages are built by
`messages_out.py`, tools by `tools_out.py`. Dialects of the family subclass it and override what is theirs.
"""

import hashlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from proxy.dialects.chat import Outgoing, Target
from proxy.dialects.fitting import Fitting
from proxy.dialects.json_text import encode_json
from proxy.dialects.names import NameMap
from proxy.dialects.openai_chat.decode import THINK
from proxy.dialects.openai_chat.messages_out import build_messages, build_thoughts
from proxy.dialects.openai_chat.reasoning_out import FORMS
from proxy.dialects.openai_chat.tools_out import Tooling
from proxy.dialects.parts import Json, Message, Request, Text, ToolCall

if TYPE_CHECKING:
    from proxy.dialects.openai_chat.flavour import Flavour

_SAMPLING: Final = ("temperature", "top_p", "presence_penalty", "frequency_penalty")
_LONGEST_USER: Final = 64  # platform.openai.com: a longer one is a 400, and Claude Code's is

_RENAMED: Final[Mapping[str, str]] = {
    "text.verbosity": "verbosity",
    "generationConfig.responseLogprobs": "logprobs",
    "generationConfig.logprobs": "top_logprobs",
}
"""Parameters that other dialects call otherwise."""

_DROPPABLE: Final = frozenset({
    # OpenAI's own, at servers that do not know them; `user` is told once
    "store", "prompt_cache_key", "prompt_cache_retention", "prompt_cache_options", "safety_identifier", "verbosity",
    "text.verbosity", "usage", "provider", "transforms", "session_id", "include", "truncation", "client_metadata",
    "logprobs", "top_logprobs", "max_tool_calls", "access_programs", "user", "request_id", "tool_stream",
    # Anthropic
    "context_management", "cache_control", "speed", "inference_geo", "output_config.task_budget",
    # Gemini
    "safetySettings", "labels", "generationConfig.responseLogprobs", "generationConfig.logprobs",
    "generationConfig.mediaResolution", "generationConfig.routingConfig",
})  # fmt: skip
"""What asks for no other answer: hints, storage, caching, accounting and switches of one vendor's own screens."""

_DROPPABLE_PREFIXES: Final = ("tools.", "metadata.")

_TIERS: Final[Mapping[str, str]] = {
    "auto": "auto", "default": "default", "flex": "flex", "scale": "scale", "priority": "priority", "fast": "fast",
    "standard_only": "default", "standard": "default",
}  # fmt: skip

_JSON_HINT: Final = "Answer with a JSON object."
_SCHEMA_HINT: Final = "Answer with a JSON object that matches this JSON Schema, and nothing else:\n"


class RequestWriter:
    """One request. `body` is what will be sent; `finish` has the last word on it."""

    path = "/chat/completions"

    def __init__(self, request: Request, target: Target, flavour: "Flavour") -> None:
        self.request = request
        self.target = target
        self.flavour = flavour
        self.quirk = flavour.find_quirk(target)
        self.fitting = Fitting(request, target)
        self.names = NameMap(_list_names(request))
        self.forms: dict[str, str] = {}
        self.body: dict[str, Json] = {}
        self._native = request.dialect == flavour.name
        self.hints: list[str] = []  # texts that go behind the system prompt

    def build(self) -> Outgoing:
        self.write_model()
        self.write_tools()
        self.write_output()
        self.write_messages()
        self.write_limits()
        self.write_sampling()
        self.write_reasoning()
        self.write_rest()
        self.write_extra()
        self.write_forms()
        self.finish()
        return Outgoing(
            self.path,
            encode_json(self.body),
            None,
            self.headers(),
            tuple(self.fitting.dropped),
            self.names,
            self.forms,
        )

    def write_model(self) -> None:
        self.body["model"] = self.target.model
        self.body["messages"] = []
        if self.request.stream:
            self.body["stream"] = True
            if self.quirk.stream_options:
                self.body["stream_options"] = {"include_usage": True}

    def write_messages(self) -> None:
        self.body["messages"] = build_messages(self)

    def write_limits(self) -> None:
        request, limit, capabilities = self.request, self.quirk.stop_limit, self.target.capabilities
        if request.max_tokens is not None:
            self.body[self.quirk.max_tokens] = request.max_tokens
        if capabilities.family == "gpt" and not capabilities.sampling:
            self.fitting.drop("stop")  # OpenAI's reasoning models refuse it as they refuse temperature
        elif request.stop:
            self.body["stop"] = request.stop[:limit]
            if limit is not None and len(request.stop) > limit:
                self.fitting.drop("stop")

    def write_sampling(self) -> None:
        request, capabilities = self.request, self.target.capabilities
        for field in _SAMPLING:
            if not capabilities.sampling or (field == "top_p" and not capabilities.both and "temperature" in self.body):
                self.fitting.drop(field)
            else:
                self.send(field, getattr(request, field))
        self.send("seed", request.seed, self.quirk.seed)
        if self.quirk.top_k and capabilities.sampling:
            self.send("top_k", request.top_k)
        else:
            self.fitting.drop("top_k")

    def write_tools(self) -> None:
        Tooling(self).write()

    def write_output(self) -> None:
        output, capabilities = self.request.output, self.target.capabilities
        if output is None:
            return
        schema = output.schema
        beside_tools = "tools" not in self.body or capabilities.json_tools
        if schema is not None and beside_tools and self.quirk.json_schema and capabilities.json_schema:
            native = self.request.dialect.startswith("openai") and self.quirk.strict
            wanted = {
                "name": _fit_name(output.name),
                "description": output.description or None,
                "schema": schema,
                "strict": output.strict if native else None,
            }
            inner = {name: value for name, value in wanted.items() if value is not None}
            self.body["response_format"] = {"type": "json_schema", "json_schema": inner}
            return
        if schema is not None:
            self.hints.append(_SCHEMA_HINT + encode_json(schema).decode())
        elif not any("json" in text.lower() for text in _iterate_texts(self.request)):
            self.hints.append(_JSON_HINT)  # OpenAI refuses json_object where no message says JSON
        if beside_tools:
            self.body["response_format"] = {"type": "json_object"}

    def write_reasoning(self) -> None:
        reasoning = self.request.reasoning
        if reasoning is None:
            return
        capabilities = self.target.capabilities
        wanted = FORMS[self.quirk.thinking](reasoning, capabilities) if capabilities.thinking != "none" else {}
        self.body.update(wanted)
        if not wanted and reasoning.mode == "on":
            self.fitting.drop("reasoning")

    def write_rest(self) -> None:
        request = self.request
        if request.n > 1:
            if not self._native or "n" in self.quirk.unsent:
                self.fitting.refuse_name(self.fitting.name("n"), "only one answer can be had from this model")
            else:
                self.body["n"] = request.n
        if request.user and len(request.user) > _LONGEST_USER:
            digest = hashlib.sha256(request.user.encode("utf-8", "surrogatepass")).hexdigest()
            self.send("user", digest)
        else:
            self.send("user", request.user)
        self._write_tier()
        if request.dialect.startswith("openai"):
            self.send("metadata", request.metadata or None)
        else:
            self.fitting.drop("metadata")

    def _write_tier(self) -> None:
        tier = self.request.service_tier
        wanted = tier if tier is None or self._native else _TIERS.get(tier.lower())
        if wanted is None:
            self.fitting.drop("service_tier")
        self.send("service_tier", wanted)

    def write_extra(self) -> None:
        """Parameters without a field in the hub: all of a client of this very dialect, else what the server knows."""
        known = set()
        for name, value in self.request.extra.items():
            wire = _RENAMED.get(name, name)
            if name.endswith("].name") and self._native:
                known.add(name)  # stands in its message
            elif value is not None and (self._native or wire in self.quirk.pass_extra):
                self.body.setdefault(wire, value)
                known.add(name)
        if "top_logprobs" in self.body:
            self.body.setdefault("logprobs", True)
        prefixed = {name for name in self.request.extra if name.startswith(_DROPPABLE_PREFIXES)}
        self.fitting.refuse_extra(known, _DROPPABLE | prefixed)

    def write_forms(self) -> None:
        """Tells the decoder that thoughts stand in the content."""
        mode = self.target.options.get("think_tags", self.quirk.think_tags)
        if mode in ("tags", "open"):
            self.forms[THINK] = mode

    def finish(self) -> None:
        """The last word on `body`."""

    def headers(self) -> Mapping[str, str]:
        return {}

    def send(self, field: str, value: Json, name: str = "") -> None:
        """A field under its name at the server, unless the server does not take it."""
        if value is None:
            return
        if field in self.quirk.unsent:
            self.fitting.drop(field)
        else:
            self.body[name or field] = value

    def build_thoughts(self, message: Message, *, current: bool) -> dict[str, Json]:
        """What goes into an assistant message for its thoughts. current: nothing genuine of the user follows it."""
        return build_thoughts(self, message, current=current)

    def find_name(self, message: Message) -> dict[str, Json]:
        """The `name` that a client of this very dialect gave a message's author."""
        name = self.request.extra.get(f"{message.at}.name") if self._native else None
        return {} if name is None else {"name": name}

    def build_call_extras(self, call: ToolCall) -> dict[str, Json]:
        """What goes into a call beside id, type and function."""
        signature = call.signature
        if signature is None or signature.origin != "g" or not self.quirk.google_signatures:
            return {}
        return {"extra_content": {"google": {"thought_signature": signature.value}}}


def _list_names(request: Request) -> Iterator[str]:
    yield from (tool.name for tool in request.tools)
    for message in request.messages:
        yield from (part.name for part in message.parts if isinstance(part, ToolCall))


def _iterate_texts(request: Request) -> Iterator[str]:
    yield from (text.text for text in request.system)
    for message in request.messages:
        yield from (part.text for part in message.parts if isinstance(part, Text))


def _fit_name(name: str) -> str:
    return NameMap([name]).there(name) if name else "response"
