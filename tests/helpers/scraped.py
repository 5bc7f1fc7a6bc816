"""A page of metrics as a scraper reads it: samples by name and labels, in the order of the page.

Both official parsers are used; what they cannot read fails the test that asked.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from proxy.ops.metrics.page import OPENMETRICS, TEXT


@dataclass(frozen=True)
class Sample:
    """labels: without those that are empty, which a scraper takes for absent."""

    name: str
    labels: Mapping[str, str]
    value: float


class Scrape:
    def __init__(self, families: Iterable[Metric]) -> None:
        self.families = list(families)
        self.samples = [
            Sample(sample.name, {name: value for name, value in sample.labels.items() if value}, sample.value)
            for family in self.families
            for sample in family.samples
        ]

    @property
    def names(self) -> set[str]:
        return {sample.name for sample in self.samples}

    def find(self, name: str, **labels: str) -> dict[tuple[str, ...], float]:
        """The samples with these labels among theirs: values of the other labels, in the order of their names, to the
        sample's value."""
        return {
            tuple(value for key, value in sorted(sample.labels.items()) if key not in labels): sample.value
            for sample in self.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        }

    def total(self, name: str, **labels: str) -> float:
        return sum(self.find(name, **labels).values())

    def one(self, name: str, **labels: str) -> float:
        (value,) = self.find(name, **labels).values()
        return value


def read_page(page: bytes) -> Scrape:
    """Whichever of the two forms it is in."""
    text = page.decode()
    parse = parse_openmetrics if page.endswith(OPENMETRICS.end) else parse_text
    return Scrape(parse(text))


def scrape(families: Iterable[Metric]) -> Scrape:
    """Through the text and back."""
    return read_page(b"".join(TEXT.encode(families)))
