"""Writes a `Script` as Gemini responses, one dict per event: shared by the public API and by Code Assist.

Every response is whole and its text is appended; calls come complete, the last one has `finishReason`. Families of
models differ in small ways that all stand in recordings, and in a `Voice` here: whether calls have ids, where the
signature stands, what the first and the last event look like. Pure; framing is the dialects' own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from proxy.demo import signing
from proxy.demo.script import Ask, Call, Script

STOPS: Final = {"stop": "STOP", "length": "MAX_TOKENS", "tool": "STOP", "refusal": "SAFETY"}


@dataclass(frozen=True, slots=True)
class Voice:
    """call_id: how ids of calls begin, None for calls without. response_id: how ids of responses begin. signs: what
    carries the signature: "calls" (and the last text of an answer without any), "thoughts", or "". opens: the first
    event, "" as any other, "text" an empty text, "bare" content without parts. joined: calls and finish in one event.
    counts_thoughts: beside the other tokens, not among them. late_usage: in an event of its own after the finish."""

    call_id: str | None = "demo"
    response_id: str = "demo"
    signs: str = "calls"
    opens: str = ""
    joined: bool = False
    counts_thoughts: bool = True
    late_usage: bool = False


NEW: Final = Voice()
OLD: Final = Voice(call_id=None, signs="", joined=True)


def iterate_responses(ask: Ask, script: Script, voice: Voice) -> Iterator[dict[str, Any]]:
    """The events of a stream."""
    if script.stop == "blocked":
        yield _blocked(ask, script, voice)
        return
    state = _Writer(ask, script, voice)
    if voice.opens:
        yield state.respond([{"text": ""}] if voice.opens == "text" else None)
    for thought in script.thoughts:
        state.thought += 1
        if ask.show:
            yield state.respond([{"text": thought, "thought": True}])
    if script.thoughts and ask.show and voice.signs == "thoughts":
        yield state.respond([{"text": "", "thought": True, "thoughtSignature": _sign_thought(script)}])
    for word in script.words:
        state.spoken += 1
        yield state.respond([{"text": word}])
    state.spoken = script.output_tokens - script.reasoning_tokens
    calls = build_call_parts(ask, script, voice)
    if calls and voice.joined:
        yield state.respond(calls, STOPS[script.stop], "Model generated function call(s).")
        return
    if calls:
        yield state.respond(calls)
    last: dict[str, Any] = {"text": ""}
    if script.thoughts and not calls and voice.signs == "calls":
        last["thoughtSignature"] = signing.sign(signing.GOOGLE, script.text)
    yield state.respond(None if voice.late_usage else [last], STOPS[script.stop])
    if voice.late_usage:
        yield state.usage_only()


def build_response(ask: Ask, script: Script, voice: Voice) -> dict[str, Any]:
    """The whole answer."""
    if script.stop == "blocked":
        return _blocked(ask, script, voice)
    parts: list[dict[str, Any]] = []
    if script.thoughts and ask.show:
        thought: dict[str, Any] = {"text": script.thought, "thought": True}
        if voice.signs == "thoughts":
            thought["thoughtSignature"] = _sign_thought(script)
        parts.append(thought)
    if script.words:
        parts.append({"text": script.text})
        if script.thoughts and not script.calls and voice.signs == "calls":
            parts[-1]["thoughtSignature"] = signing.sign(signing.GOOGLE, script.text)
    state = _Writer(ask, script, voice)
    state.thought, state.spoken = script.reasoning_tokens, script.output_tokens - script.reasoning_tokens
    return state.respond([*parts, *build_call_parts(ask, script, voice)], STOPS[script.stop], last=True)


def build_call_parts(ask: Ask, script: Script, voice: Voice) -> list[dict[str, Any]]:
    """All calls; the first has the signature where calls have one."""
    parts = [_call_part(ask, index, call, voice) for index, call in enumerate(script.calls)]
    if parts and voice.signs == "calls":
        text = signing.call_text(script.calls[0].name, script.calls[0].value)
        parts[0]["thoughtSignature"] = signing.sign(signing.GOOGLE, text)
    return parts


def _call_part(ask: Ask, index: int, call: Call, voice: Voice) -> dict[str, Any]:
    ids = {} if voice.call_id is None else {"id": f"{voice.call_id}{ask.serial:06d}x{index}"}
    return {"functionCall": {**ids, "name": call.name, "args": call.value}}


def _sign_thought(script: Script) -> str:
    return signing.wrap(signing.sign(signing.ANTHROPIC, script.thought))


def _blocked(ask: Ask, script: Script, voice: Voice) -> dict[str, Any]:
    """A prompt that is not answered: no candidates at all."""
    usage = {"promptTokenCount": script.input_tokens, "totalTokenCount": script.input_tokens}
    return {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": usage, **_ids(ask, voice)}


def _ids(ask: Ask, voice: Voice) -> dict[str, str]:
    return {"modelVersion": ask.model, "responseId": f"{voice.response_id}{ask.serial:06d}"}


class _Writer:
    """One answer as it grows: `thought` and `spoken` tokens so far."""

    def __init__(self, ask: Ask, script: Script, voice: Voice) -> None:
        self._ask = ask
        self._script = script
        self._voice = voice
        self.thought = 0
        self.spoken = 0

    def respond(
        self, parts: list[dict[str, Any]] | None, finish: str = "", message: str = "", *, last: bool = False
    ) -> dict[str, Any]:
        """One response; `last` when nothing follows it, as in a whole answer."""
        content: dict[str, Any] = {"role": "model"} if parts is None else {"parts": parts, "role": "model"}
        candidate: dict[str, Any] = {"content": content, "index": 0}
        if finish:
            candidate["finishReason"] = finish
        if message:
            candidate["finishMessage"] = message
        usage = {} if self._voice.late_usage and not last else {"usageMetadata": self._usage()}
        return {"candidates": [candidate], **usage, **_ids(self._ask, self._voice)}

    def usage_only(self) -> dict[str, Any]:
        return {"usageMetadata": self._usage(), **_ids(self._ask, self._voice)}

    def _usage(self) -> dict[str, int]:
        script = self._script
        beside = self.thought if self._voice.counts_thoughts else 0
        spoken = self.spoken + self.thought - beside
        usage = {
            "promptTokenCount": script.input_tokens,
            "candidatesTokenCount": spoken,
            "totalTokenCount": script.input_tokens + spoken + beside,
        }
        if beside:
            usage["thoughtsTokenCount"] = beside
        if script.cached_tokens:
            usage["cachedContentTokenCount"] = script.cached_tokens
        return usage
