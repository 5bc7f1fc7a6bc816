"""In what the servers of the OpenAI-compatible family differ: one row of data each, chosen by a provider's `quirks`.

A row says what a server takes; `request_out.py` fits requests to it, and whatever does not fit is translated, dropped
with its name, or refused. Nothing here is about models: that is in `capabilities.py`. The last row, for a server of
which nothing is known, keeps to what nearly all of them take.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from proxy.dialects.chat import Target

EVERY_CHOICE: Final = frozenset({"none", "required", "named", "allowed"})
_PLAIN_CHOICES: Final = EVERY_CHOICE - {"allowed"}

OPENAI_EXTRAS: Final = frozenset({
    "audio", "logit_bias", "logprobs", "modalities", "moderation", "prediction", "prompt_cache_key",
    "prompt_cache_options", "prompt_cache_retention", "safety_identifier", "store", "top_logprobs", "verbosity",
    "web_search_options",
})  # fmt: skip
_COMMON_EXTRAS: Final = frozenset({"logit_bias", "logprobs", "top_logprobs"})
_SAMPLER_EXTRAS: Final = _COMMON_EXTRAS | {"min_p", "repetition_penalty", "chat_template_kwargs"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Quirk:
    """max_tokens, seed: their names. mid_system: system messages may stand anywhere. alternate: wants no two messages
    of one role in sequence. text_parts: several texts may stay parts, else are joined. null_content: an assistant's
    content may be null beside calls, else "". images_by_url: fetches them.

    thinking: how reasoning is asked for, a name in `reasoning_out.FORMS`. replay: in which earlier messages thoughts go
    back, in `reasoning_field`: never, in those with calls (tools), after the last genuine user message (turn), always.
    google_signatures: takes thought signatures with calls. think_tags: thoughts stand in the content between <think>
    and </think> (tags), or open it without the first tag (open).

    tool_ids: any, at most 40 characters (short), or Mistral's nine. choices: what tool_choice takes beside "auto".
    parallel: knows parallel_tool_calls. strict: knows strict tools. json_schema: takes a schema for its output, else
    `json_object` and the schema as text. unsent: fields of Request that are left out. pass_extra: parameters of the
    family without a field there that go along. stream_options: `include_usage` may be asked for.
    """

    max_tokens: str = "max_tokens"
    seed: str = "seed"
    stop_limit: int | None = 4
    top_k: bool = False
    mid_system: bool = False
    alternate: bool = False
    text_parts: bool = True
    null_content: bool = False
    images_by_url: bool = True
    files: bool = False
    audio: bool = False
    refusals: bool = False
    cache: bool = False
    thinking: Literal["effort", "switch", "qwen", "template", "none"] = "effort"
    replay: Literal["never", "tools", "turn", "always"] = "never"
    reasoning_field: str = "reasoning_content"
    google_signatures: bool = False
    think_tags: Literal["", "tags", "open"] = ""
    tool_ids: Literal["any", "short", "nine"] = "short"
    choices: frozenset[str] = _PLAIN_CHOICES
    parallel: bool = True
    strict: bool = False
    custom_tools: bool = False
    json_schema: bool = True
    stream_options: bool = True
    unsent: frozenset[str] = frozenset({"metadata", "service_tier"})
    pass_extra: frozenset[str] = _COMMON_EXTRAS


COMPATIBLE: Final = Quirk()

OPENAI: Final = Quirk(
    max_tokens="max_completion_tokens",  # max_tokens is a 400 on reasoning models
    mid_system=True,
    null_content=True,
    files=True,
    audio=True,
    refusals=True,
    choices=EVERY_CHOICE,
    strict=True,
    custom_tools=True,
    unsent=frozenset(),
    pass_extra=OPENAI_EXTRAS,
)

_NO_ACCOUNTING: Final = frozenset({"metadata", "service_tier", "user"})

QUIRKS: Final[Mapping[str, Quirk]] = MappingProxyType({
    "compatible": COMPATIBLE,
    "openai": OPENAI,
    "azure": OPENAI,
    # api-docs.deepseek.com: thoughts must come back within a turn with tools, older models refuse them in others
    "deepseek": Quirk(
        thinking="switch", replay="turn", stop_limit=16, parallel=False, json_schema=False,
        unsent=_NO_ACCOUNTING | {"seed"},
    ),
    # console.groq.com/docs/openai: n must be 1, raw thoughts unless another reasoning_format is asked for
    "groq": Quirk(
        max_tokens="max_completion_tokens", mid_system=True, null_content=True, think_tags="tags",
        reasoning_field="reasoning", unsent=frozenset({"metadata", "service_tier", "n"}), pass_extra=frozenset(),
    ),
    # docs.mistral.ai/api: an unknown parameter is a 422, usage always comes
    "mistral": Quirk(
        seed="random_seed", thinking="none", tool_ids="nine", stop_limit=None, stream_options=False,
        unsent=_NO_ACCOUNTING, pass_extra=frozenset(),
    ),
    # alibabacloud.com/help/model-studio, OpenAI compatibility: tool_choice knows auto, none and one function
    "qwen": Quirk(
        thinking="qwen", replay="turn", stop_limit=None, top_k=True, json_schema=False,
        choices=frozenset({"none", "named"}), unsent=_NO_ACCOUNTING | {"frequency_penalty"},
    ),
    # platform.moonshot.ai/docs: thinking models want their thoughts back with every call; images by value only
    "moonshot": Quirk(
        thinking="switch", replay="tools", stop_limit=5, json_schema=False, images_by_url=False,
        choices=frozenset({"none"}), parallel=False, unsent=_NO_ACCOUNTING | {"seed"}, pass_extra=frozenset(),
    ),
    # docs.x.ai/docs/api-reference
    "xai": Quirk(
        max_tokens="max_completion_tokens", mid_system=True, null_content=True, strict=True,
        unsent=frozenset({"metadata", "service_tier"}),
    ),
    # docs.vllm.ai, OpenAI-compatible server: models' templates want system first, roles in turn and plain texts
    "vllm": Quirk(
        thinking="template", replay="turn", stop_limit=None, top_k=True, alternate=True, text_parts=False, audio=True,
        tool_ids="any", pass_extra=_SAMPLER_EXTRAS,
    ),
    # docs.ollama.com/openai: no tool_choice, no URLs of images
    "ollama": Quirk(
        think_tags="tags", stop_limit=None, images_by_url=False, choices=frozenset(), parallel=False,
        unsent=_NO_ACCOUNTING | {"n"}, pass_extra=frozenset(),
    ),
    # ai.google.dev/gemini-api/docs/openai: Gemini 3 wants the signatures of its calls back
    "google": Quirk(google_signatures=True, unsent=_NO_ACCOUNTING, pass_extra=frozenset()),
})  # fmt: skip


def find_quirk(target: Target) -> Quirk:
    """The row that a provider's options name; one that is not known is as good as none."""
    return QUIRKS.get(target.options.get("quirks", ""), COMPATIBLE)
