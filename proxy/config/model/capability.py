"""What a model can take, where that differs from what the package knows of it.

The fields are those of the capabilities that the dialects go by; here each may be left out, and is None then.
"""

from typing import Annotated, Final

from msgspec import Struct

from proxy.config import kinds
from proxy.config.kind import choice
from proxy.config.marks import Leaf

FAMILIES: Final = ("claude", "gemini", "gpt", "other")
THINKING: Final = ("none", "effort", "budget", "adaptive", "level")
EFFORTS: Final = ("none", "minimal", "low", "medium", "high", "xhigh", "max")


class Capability(Struct, frozen=True, kw_only=True):
    family: Annotated[
        str | None,
        Leaf(choice(*FAMILIES), "Whose rules hold for the history and for signatures of reasoning."),
    ] = None
    thinking: Annotated[
        str | None,
        Leaf(
            choice(*THINKING),
            "How reasoning is asked for: not at all, by a word, by a number of tokens, by a word where the model "
            "decides for itself (Claude 4.6 and later), or by a level (Gemini 3).",
        ),
    ] = None
    efforts: Annotated[
        tuple[str, ...] | None,
        Leaf(choice(*EFFORTS), "The words for reasoning that it takes; another becomes the nearest.", many=True),
    ] = None
    budget: Annotated[
        tuple[int, ...] | None,
        Leaf(
            kinds.TOKENS_OR_ZERO,
            "Least and most tokens of reasoning that may be asked for.",
            many=True,
            least=2,
            most=2,
        ),
    ] = None
    off: Annotated[bool | None, Leaf(kinds.FLAG, "Its reasoning can be switched off.")] = None
    sampling: Annotated[bool | None, Leaf(kinds.FLAG, "It takes `temperature`, `top_p` and `top_k`.")] = None
    both: Annotated[bool | None, Leaf(kinds.FLAG, "It takes `temperature` and `top_p` together.")] = None
    output: Annotated[
        int | None,
        Leaf(kinds.TOKENS, "Most tokens of an answer: sent where a dialect wants a number and the caller gave none."),
    ] = None
    context: Annotated[
        int | None,
        Leaf(
            kinds.TOKENS_OR_ZERO,
            "Tokens of prompt and answer together; 0 for not known. A request that is too long for one target goes to "
            "one with more.",
        ),
    ] = None
    prefill: Annotated[bool | None, Leaf(kinds.FLAG, "It goes on with an assistant message that comes last.")] = None
    images: Annotated[bool | None, Leaf(kinds.FLAG, "It takes images.")] = None
    json_tools: Annotated[bool | None, Leaf(kinds.FLAG, "It takes a JSON output format beside tools.")] = None
    json_schema: Annotated[bool | None, Leaf(kinds.FLAG, "It takes a schema for its output.")] = None
    signed_calls: Annotated[
        bool | None, Leaf(kinds.FLAG, "It refuses tool calls of the current turn without its signature.")
    ] = None

    def list_given(self) -> dict[str, object]:
        """What was given, as a file would hold it."""
        given = ((name, getattr(self, name)) for name in self.__struct_fields__)
        return {name: list(value) if isinstance(value, tuple) else value for name, value in given if value is not None}
