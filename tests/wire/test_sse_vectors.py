"""The parser against the vectors that come with the recordings: expectations by two independent implementations."""

import base64
from typing import Any

import pytest

from proxy.wire.sse import EventCounter, Parser
from tests.helpers.feeds import every_cut
from tests.helpers.vectors import load_cases


@pytest.mark.parametrize("vector", load_cases("vectors"))
def test_vector(vector: dict[str, Any]) -> None:
    data = base64.b64decode(vector["input_b64"])
    for pieces in every_cut(data):
        parser, counter = Parser(), EventCounter()
        blocks = []
        for piece in pieces:
            blocks += parser.feed(piece)
            counter.feed(piece)
        tail = parser.tail
        parser.end()
        events = [
            {"type": block.type, "data": block.text, "last_event_id": block.last_event_id}
            for block in blocks
            if block.data is not None
        ]
        assert events == vector["events"], pieces
        assert parser.last_event_id == vector["final_last_event_id"], pieces
        assert parser.retry_ms == vector["final_retry_ms"], pieces
        assert parser.comments == vector["comment_lines"], pieces
        assert counter.events == len(events), pieces
        assert b"".join(block.raw for block in blocks) + tail == data, pieces
