"""Everything that is fuzzed without sockets, by name: how an input is drawn, and what has to hold of it."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from tests.fuzz import answers, files, requests, settings


@dataclass(frozen=True, slots=True)
class Target:
    """check raises whatever is wrong."""

    draw: Callable[[Random], Any]
    check: Callable[[Any], None]


TARGETS: Final[dict[str, Target]] = {
    "decoded": Target(answers.draw_stream, answers.check_decoded),
    "crossed": Target(answers.draw_stream, answers.check_crossed),
    "passed": Target(answers.draw_passed, answers.check_passed),
    "resumed": Target(answers.draw_stream, answers.check_resumed),
    "documents": Target(answers.draw_document, answers.check_document),
    "errors": Target(answers.draw_wrong, answers.check_wrong),
    "requests": Target(requests.draw_asking, requests.check_asking),
    "chunks": Target(files.draw_chunks, files.check_chunks),
    "events": Target(files.draw_events, files.check_events),
    "cassettes": Target(files.draw_cassette, files.check_cassette),
    "configurations": Target(settings.draw_configuration, settings.check_configuration),
    "fields": Target(settings.draw_head, settings.check_head_fields),
    "quotes": Target(files.draw_quoted, files.check_quoted),
}
