"""What one endpoint of Google's takes and another does not, as values: read by whoever builds a request, decided here.

`find_rules` is for the public API, by the model's capabilities; Code Assist has its own beside its envelope.
"""

from dataclasses import dataclass

from proxy.dialects import names
from proxy.dialects.chat import Target
from proxy.dialects.fitting import Fitting
from proxy.dialects.gemini.marks import ORIGIN

IMAGES = frozenset({"image/png", "image/jpeg", "image/webp", "image/heic", "image/heif"})
"""ai.google.dev/gemini-api/docs/image-understanding"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """origin: of the signatures that go back, "" for none. thoughts: signed thoughts go back with their text.
    sentinel: calls of the current turn without a signature are marked as such. ids: calls and responses have them.
    nested: an image in a tool's result stands within its response. references: files by URL are followed.
    openapi: schemas are in Google's own subset; claude: and without what Claude refuses there.
    error_key: under which a tool's failure stands. fits: what names of tools may be. extras: parameters of a Gemini
    caller that go along, by the head of their path. infer_tools: calls in the history need declarations."""

    origin: str
    thoughts: bool
    sentinel: bool
    ids: bool
    nested: bool
    references: bool
    openapi: bool
    claude: bool
    error_key: str
    fits: names.Charset
    images: frozenset[str]
    audio: bool
    extras: frozenset[str]
    infer_tools: bool

    @property
    def native(self) -> bool:
        """A model of Google's answers: it knows what only Google's callers say."""
        return self.origin == ORIGIN


def find_rules(target: Target) -> Rules:
    able = target.capabilities
    # Gemini 3 is told apart by its levels: it issues ids and takes images within responses, older models refuse both.
    newest = able.thinking == "level"
    return Rules(
        origin=ORIGIN,
        thoughts=False,
        sentinel=able.signed_calls,
        ids=newest,
        nested=newest,
        references=True,
        openapi=False,
        claude=False,
        error_key="error",
        fits=names.GEMINI,
        images=IMAGES if able.images else frozenset(),
        audio=True,
        extras=frozenset({"generationConfig", "toolConfig", "safetySettings", "cachedContent", "labels", "store"}),
        infer_tools=False,
    )


def note(fitting: Fitting, name: str) -> None:
    """Drop something that is no field of the request, by the client's name of it."""
    if name not in fitting.dropped:
        fitting.dropped.append(name)
