"""A request for GLM, from the hub's: OpenAI's with fewer parameters (docs.z.ai/api-reference/llm/chat-completion).

What `ROW` says is left out or said otherwise by the writer of the family; here is what has another name or range:
temperatures end at 1, `user` is `user_id`, thinking is a switch, with an effort for the models that know one.
"""

import hashlib
from collections.abc import Mapping
from typing import Final

from proxy.dialects.openai_chat.quirks import Quirk
from proxy.dialects.openai_chat.reasoning_out import find_effort
from proxy.dialects.openai_chat.request_out import RequestWriter
from proxy.dialects.parts import Json, Message

ROW: Final = Quirk(
    stop_limit=1,
    mid_system=True,
    thinking="switch",
    replay="turn",
    tool_ids="any",
    choices=frozenset(),  # nothing but "auto"
    parallel=False,
    json_schema=False,
    unsent=frozenset({"presence_penalty", "frequency_penalty", "seed", "n", "metadata", "service_tier"}),
    pass_extra=frozenset({"request_id", "tool_stream", "do_sample"}),
)

_LOWEST_TOP_P: Final = 0.01
_USER: Final = range(6, 129)  # characters


class GlmWriter(RequestWriter):
    """One request."""

    def write_sampling(self) -> None:
        super().write_sampling()
        for name, low in (("temperature", 0), ("top_p", _LOWEST_TOP_P)):
            value: Json = self.body.get(name)
            if value is not None:
                self.body[name] = max(low, min(value, 1))

    def write_reasoning(self) -> None:
        """A switch, which older models leave at that, and the effort, which they ignore."""
        super().write_reasoning()
        reasoning, capabilities = self.request.reasoning, self.target.capabilities
        thinks = capabilities.thinking != "none"
        if reasoning is not None and reasoning.mode == "adaptive" and thinks:
            self.body["thinking"] = {"type": "enabled"}  # there is no switch that leaves it to the model
        if self.body.get("thinking", {}).get("type") == "enabled" and reasoning is not None:
            effort = find_effort(reasoning, capabilities)
            if effort is not None and effort != "none":
                self.body["reasoning_effort"] = effort
        if self._keeps_thoughts() and thinks:
            self.body.setdefault("thinking", {"type": "enabled"})["clear_thinking"] = False

    def build_thoughts(self, message: Message, *, current: bool) -> dict[str, Json]:
        return super().build_thoughts(message, current=current or self._keeps_thoughts())

    def finish(self) -> None:
        user = self.body.pop("user", None)
        if isinstance(user, str):
            fits = len(user) in _USER
            digest = hashlib.sha256(user.encode("utf-8", "surrogatepass")).hexdigest()
            self.body["user_id"] = user if fits else digest

    def headers(self) -> Mapping[str, str]:
        """Messages of errors come in Chinese otherwise."""
        return {"Accept-Language": "en-US,en"}

    def _keeps_thoughts(self) -> bool:
        """Whether the thoughts of earlier turns go along too, as the provider's configuration may ask."""
        return self.target.options.get("clear_thinking") == "false"
