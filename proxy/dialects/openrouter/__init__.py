"""OpenRouter: both sides of the dialect, OpenAI's with its own reasoning, usage and errors."""

from typing import Final

from proxy.dialects.openai_chat.details import OPENROUTER
from proxy.dialects.openai_chat.flavour import Flavour
from proxy.dialects.openai_chat.sides import Provider
from proxy.dialects.openrouter.client import RouterClient
from proxy.dialects.openrouter.decode import RouterDecoder
from proxy.dialects.openrouter.request_out import ROW, RouterWriter

__all__ = ["CLIENT", "PROVIDER"]

FLAVOUR: Final = Flavour(
    name="openrouter",
    find_quirk=lambda _target: ROW,
    writer=RouterWriter,
    decoder=RouterDecoder,
    origin=OPENROUTER,
    reasoning_names=("reasoning",),
)

CLIENT: Final = RouterClient(FLAVOUR)
PROVIDER: Final = Provider(FLAVOUR)
