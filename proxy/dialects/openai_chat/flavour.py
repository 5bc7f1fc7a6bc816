"""What sets the dialects of the OpenAI family apart, as one row each.

OpenAI's own row is here, those of others are in their rooms. A row is data and two classes; it does nothing itself.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from proxy.dialects.chat import Target
from proxy.dialects.events import FailureKind, Reason
from proxy.dialects.openai_chat.decode import ChatDecoder
from proxy.dialects.openai_chat.errors import NO_CODES
from proxy.dialects.openai_chat.quirks import Quirk, find_quirk
from proxy.dialects.openai_chat.reasons import FAILING, REASONS
from proxy.dialects.openai_chat.request_out import RequestWriter


@dataclass(frozen=True, slots=True, kw_only=True)
class Flavour:
    """name: as in the registry. find_quirk: what the server takes. writer, decoder: classes, which may add to what all
    do. origin: of the provider's signatures. codes: what its error codes mean. reasons, failing: its finish reasons.
    reasoning_names: what thoughts are called towards clients of this dialect."""

    name: str
    find_quirk: Callable[[Target], Quirk]
    writer: type[RequestWriter] = RequestWriter
    decoder: type[ChatDecoder] = ChatDecoder
    origin: str = ""
    codes: Mapping[str, FailureKind] = field(default_factory=lambda: NO_CODES)
    reasons: Mapping[str, Reason] = field(default_factory=lambda: REASONS)
    failing: Mapping[str, FailureKind] = field(default_factory=lambda: FAILING)
    reasoning_names: tuple[str, ...] = ("reasoning_content",)


OPENAI_CHAT: Final = Flavour(name="openai-chat", find_quirk=find_quirk)
