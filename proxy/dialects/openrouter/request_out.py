"""A request for OpenRouter, from the hub's: OpenAI's, with its own way to ask for reasoning and to give it back.

`reasoning` says effort or tokens, never both (openrouter.ai/docs/use-cases/reasoning-tokens). Thoughts of earlier turns
go back in `reasoning_details`, as far as the model's vendor takes them (`formats.py`); for models whose thoughts are
mere text they go back as `reasoning` within the current turn.
"""

from typing import Final

from proxy.dialects.capabilities import to_effort
from proxy.dialects.openai_chat.messages_out import fit_tool_id
from proxy.dialects.openai_chat.quirks import EVERY_CHOICE, OPENAI_EXTRAS, Quirk
from proxy.dialects.openai_chat.reasoning_out import find_effort
from proxy.dialects.openai_chat.request_out import RequestWriter
from proxy.dialects.openrouter.formats import FORMATS, build_sealed, build_text, find_vendor, takes
from proxy.dialects.parts import Json, Message, Redacted, Thinking, ToolCall

OWN: Final = frozenset({
    "debug", "image_config", "min_p", "models", "plugins", "provider", "repetition_penalty", "route", "session_id",
    "top_a", "trace", "transforms", "usage",
})  # fmt: skip
"""Parameters that only OpenRouter knows; callers of OpenAI's dialect send them along too."""

ROW: Final = Quirk(
    top_k=True,
    mid_system=True,
    null_content=True,
    files=True,
    audio=True,
    cache=True,
    thinking="none",  # asked for by this writer
    reasoning_field="reasoning",
    tool_ids="any",
    choices=EVERY_CHOICE - {"allowed"},
    strict=True,
    unsent=frozenset(),
    pass_extra=OWN | OPENAI_EXTRAS,
)


class RouterWriter(RequestWriter):
    """One request."""

    def write_reasoning(self) -> None:
        reasoning, capabilities = self.request.reasoning, self.target.capabilities
        if reasoning is None or (capabilities.thinking == "none" and reasoning.mode == "off"):
            return
        wanted: dict[str, Json] = {}
        if reasoning.mode == "off":
            wanted = {"enabled": False} if capabilities.off else {"effort": find_effort(reasoning, capabilities)}
        elif reasoning.budget is not None and reasoning.budget > 0:
            wanted["max_tokens"] = reasoning.budget
        elif (effort := to_effort(reasoning)) is not None:
            wanted["effort"] = effort.value
        elif self.fitting.name("reasoning") != "include_reasoning":
            wanted["enabled"] = True
        if reasoning.show is False:
            wanted["exclude"] = True
        if wanted:
            self.body["reasoning"] = wanted

    def build_thoughts(self, message: Message, *, current: bool) -> dict[str, Json]:
        details: list[Json] = []
        texts: list[str] = []
        model = self.target.model
        for part in message.parts:
            match part:
                case Thinking(text=text, signature=signature):
                    if signature is None:
                        texts.append(text)
                    elif takes(signature, model):
                        details.append(build_text(signature, text, len(details)))
                case Redacted(signature=signature) if takes(signature, model):
                    details.append(build_sealed(signature, len(details)))
                case ToolCall(signature=signature) if signature is not None and takes(signature, model):
                    call_id = fit_tool_id(part.id, self.quirk.tool_ids)
                    details.append(build_sealed(signature, len(details), call_id))
                case _:
                    pass
        if details:
            return {"reasoning_details": details}
        plain = "".join(texts)
        return {"reasoning": plain} if plain and current and find_vendor(model) not in FORMATS else {}
