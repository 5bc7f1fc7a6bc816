"""The page itself: a registry's families as text, in slices that a busy loop can take.

The official encoder takes some 15 us per line, and a busy proxy has ten thousand lines: in one piece that would hold up
every stream for a tenth of a second. So each family is encoded SLICE samples at a time, and the loop goes
round in between.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, Metric, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

SLICE: Final = 64
"""Samples: about one millisecond."""


@dataclass(frozen=True, slots=True)
class Format:
    """kind: the Content-Type. end: what closes the page."""

    kind: str
    write: Callable[[Collector], bytes]
    end: bytes = b""

    def encode(self, families: Iterable[Metric]) -> Iterator[bytes]:
        """The page, piece by piece."""
        for family in families:
            head = self._put(family, [])
            yield head
            for at in range(0, len(family.samples), SLICE):
                yield self._put(family, family.samples[at : at + SLICE])[len(head) :]
        yield self.end

    def _put(self, family: Metric, samples: list[Sample]) -> bytes:
        part = Metric(family.name, family.documentation, family.type)
        part.samples = samples
        return self.write(_One(part)).removesuffix(self.end)


TEXT: Final = Format(CONTENT_TYPE_PLAIN_0_0_4, generate_latest)
OPENMETRICS: Final = Format(openmetrics.CONTENT_TYPE_LATEST, openmetrics.generate_latest, b"# EOF\n")


def choose_format(accept: str) -> Format:
    """OpenMetrics for who can read it. The official choice is not asked: it repeats the version that was asked for, and
    fails on one that is no number."""
    for offer in accept.lower().split(","):
        kind, *parameters = (part.strip() for part in offer.split(";"))
        if kind == "application/openmetrics-text" and not any(_is_zero(parameter) for parameter in parameters):
            return OPENMETRICS
    return TEXT


@dataclass(frozen=True, slots=True)
class _One:
    """What the encoders take for a registry."""

    family: Metric

    def collect(self) -> Iterable[Metric]:
        return [self.family]


def _is_zero(parameter: str) -> bool:
    """`q=0`: not acceptable (RFC 9110 12.4.2)."""
    name, _, value = parameter.partition("=")
    return name.rstrip() == "q" and not value.strip(" 0.")
