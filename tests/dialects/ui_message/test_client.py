"""What the room says of itself."""

import pytest

from proxy.dialects.chat import ClientSide
from proxy.dialects.ui_message import CLIENT, EVENT_SOURCE
from proxy.dialects.ui_message.client import ChatPage


@pytest.mark.parametrize("side", [CLIENT, EVENT_SOURCE])
def test_a_stream_s_head_and_what_is_not_there(side: ClientSide) -> None:
    assert isinstance(side, ChatPage)
    assert side.content_type == "text/event-stream; charset=utf-8"
    assert side.stream_headers == {"x-vercel-ai-ui-message-stream": "v1"}
    assert side.build_count(5) == b""
