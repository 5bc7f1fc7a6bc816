"""What a user of the anthropic SDK writes, one function per behaviour: prints JSON. Runs in the SDK's own environment.

Arguments: behaviour, base URL, key.
"""

import json
import sys
from typing import Any

import anthropic

ASK: Any = {"model": "demo", "max_tokens": 500, "messages": [{"role": "user", "content": "hello"}]}
TOOLS: Any = [
    {
        "name": "get_weather",
        "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    }
]


def text_streamed(client: anthropic.Anthropic) -> Any:
    with client.messages.stream(**ASK) as stream:
        pieces = list(stream.text_stream)
        message = stream.get_final_message()
    return {
        "text": "".join(pieces),
        "chunks": len(pieces),
        "finish": message.stop_reason,
        "usage": message.usage.output_tokens,
    }


def text_whole(client: anthropic.Anthropic) -> Any:
    message = client.messages.create(**ASK)
    return {"text": "".join(block.text for block in message.content), "finish": message.stop_reason}


def tools_streamed(client: anthropic.Anthropic) -> Any:
    pieces = 0
    with client.messages.stream(**ASK, tools=TOOLS, tool_choice={"type": "any"}) as stream:
        for event in stream:
            pieces += event.type == "content_block_delta" and event.delta.type == "input_json_delta"
        message = stream.get_final_message()
    calls = [{"name": block.name, "input": block.input} for block in message.content if block.type == "tool_use"]
    return {"calls": calls, "pieces": pieces, "finish": message.stop_reason}


def error(client: anthropic.Anthropic) -> Any:
    try:
        with client.messages.stream(**ASK, extra_headers={"x-demo": "status=529"}):
            return None
    except anthropic.APIStatusError as failure:
        return describe(failure)


def refused(client: anthropic.Anthropic) -> Any:
    try:
        client.messages.create(**ASK)
    except anthropic.APIStatusError as failure:
        return describe(failure)
    return None


def patient(client: anthropic.Anthropic) -> Any:
    """As its users have it: it tries twice more, when it is told to."""
    return text_whole(client.with_options(max_retries=2))


def describe(failure: anthropic.APIStatusError) -> Any:
    return {
        "class": type(failure).__name__,
        "status": failure.status_code,
        "request_id": failure.request_id,
        "message": str(failure),
        "body": failure.body,
    }


def abort(client: anthropic.Anthropic) -> Any:
    with client.messages.stream(**ASK, extra_headers={"x-demo": "stall_after=3"}) as stream:
        next(iter(stream))
    print(json.dumps("aborted"), flush=True)
    sys.stdin.read()  # the process lives on: it is the stream that was given up
    return "ended"


BEHAVIOURS = {row.__name__: row for row in (text_streamed, text_whole, tools_streamed, error, refused, patient, abort)}

if __name__ == "__main__":
    behaviour, base_url, key = sys.argv[1:]
    with anthropic.Anthropic(base_url=base_url, api_key=key, max_retries=0, timeout=20) as sdk:
        print(json.dumps(BEHAVIOURS[behaviour](sdk)), flush=True)
