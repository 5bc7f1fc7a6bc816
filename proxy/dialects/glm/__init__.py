"""GLM (Zhipu, Z.ai): the provider's side. Its callers speak OpenAI's chat completions, or Anthropic's messages."""

from typing import Final

from proxy.dialects.glm.errors import CODES
from proxy.dialects.glm.reasons import FAILING, REASONS
from proxy.dialects.glm.request_out import ROW, GlmWriter
from proxy.dialects.openai_chat.flavour import Flavour
from proxy.dialects.openai_chat.sides import Provider

__all__ = ["CODES", "PROVIDER"]

FLAVOUR: Final = Flavour(
    name="glm",
    find_quirk=lambda _target: ROW,
    writer=GlmWriter,
    codes=CODES,
    reasons=REASONS,
    failing=FAILING,
)

PROVIDER: Final = Provider(FLAVOUR)
