"""Tokens under the AI SDK's names; what is unknown is not there."""

import pytest

from proxy.dialects.events import Usage
from proxy.dialects.ui_message.usage import build_usage


@pytest.mark.parametrize(
    ("usage", "wanted"),
    [
        (Usage(), {}),
        (Usage(input=3), {"inputTokens": 3}),
        (Usage(output=0), {"outputTokens": 0}),
        (Usage(input=3, output=4), {"inputTokens": 3, "outputTokens": 4, "totalTokens": 7}),
        (
            Usage(input=10, cache_read=4, cache_write=1, output=9, reasoning=2),
            {
                "inputTokens": 10,
                "inputTokenDetails": {"noCacheTokens": 5, "cacheReadTokens": 4, "cacheWriteTokens": 1},
                "outputTokens": 9,
                "outputTokenDetails": {"textTokens": 7, "reasoningTokens": 2},
                "totalTokens": 19,
            },
        ),
        (
            Usage(input=1, cache_read=5),
            {"inputTokens": 1, "inputTokenDetails": {"noCacheTokens": 0, "cacheReadTokens": 5}},
        ),
        (Usage(cache_read=5), {"inputTokenDetails": {"cacheReadTokens": 5}}),
    ],
)
def test_usage(usage: Usage, wanted: dict[str, object]) -> None:
    assert build_usage(usage) == wanted
