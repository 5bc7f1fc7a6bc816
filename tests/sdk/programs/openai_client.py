"""What a user of the openai SDK writes, one function per behaviour: prints JSON. Runs in the SDK's own environment.

Arguments: behaviour, base URL, key.
"""

import json
import sys
from typing import Any

import openai

MESSAGES: Any = [{"role": "user", "content": "hello"}]
TOOLS: Any = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        },
    }
]


def text_streamed(client: openai.OpenAI) -> Any:
    stream = client.chat.completions.create(
        model="demo", messages=MESSAGES, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    choices = [chunk.choices[0] for chunk in chunks if chunk.choices]
    return {
        "text": "".join(choice.delta.content or "" for choice in choices),
        "chunks": len(chunks),
        "finish": [choice.finish_reason for choice in choices if choice.finish_reason],
        "usage": [chunk.usage.total_tokens for chunk in chunks if chunk.usage],
    }


def text_whole(client: openai.OpenAI) -> Any:
    answer = client.chat.completions.create(model="demo", messages=MESSAGES)
    return {"text": answer.choices[0].message.content, "finish": answer.choices[0].finish_reason}


def tools_streamed(client: openai.OpenAI) -> Any:
    stream = client.chat.completions.create(
        model="demo", messages=MESSAGES, tools=TOOLS, tool_choice="required", stream=True
    )
    calls: dict[int, dict[str, Any]] = {}
    finish = None
    for chunk in stream:
        if not chunk.choices:
            continue
        finish = chunk.choices[0].finish_reason or finish
        for delta in chunk.choices[0].delta.tool_calls or ():
            call = calls.setdefault(delta.index, {"name": "", "arguments": "", "pieces": 0})
            if delta.function:
                call["name"] += delta.function.name or ""
                call["arguments"] += delta.function.arguments or ""
                call["pieces"] += 1
    return {"calls": list(calls.values()), "finish": finish}


def error(client: openai.OpenAI) -> Any:
    try:
        client.chat.completions.create(
            model="demo", messages=MESSAGES, stream=True, extra_headers={"x-demo": "status=429; retry_after=1"}
        )
    except openai.APIStatusError as failure:
        return describe(failure)
    return None


def refused(client: openai.OpenAI) -> Any:
    try:
        client.chat.completions.create(model="demo", messages=MESSAGES)
    except openai.APIStatusError as failure:
        return describe(failure)
    return None


def patient(client: openai.OpenAI) -> Any:
    """As its users have it: it tries twice more, when it is told to."""
    return text_whole(client.with_options(max_retries=2))


def describe(failure: openai.APIStatusError) -> Any:
    return {
        "class": type(failure).__name__,
        "status": failure.status_code,
        "request_id": failure.request_id,
        "message": str(failure),
        "code": failure.code,
    }


def abort(client: openai.OpenAI) -> Any:
    stream = client.chat.completions.create(
        model="demo", messages=MESSAGES, stream=True, extra_headers={"x-demo": "stall_after=3"}
    )
    next(iter(stream))
    stream.close()
    print(json.dumps("aborted"), flush=True)
    sys.stdin.read()  # the process lives on: it is the stream that was given up
    return "ended"


BEHAVIOURS = {row.__name__: row for row in (text_streamed, text_whole, tools_streamed, error, refused, patient, abort)}

if __name__ == "__main__":
    behaviour, base_url, key = sys.argv[1:]
    with openai.OpenAI(base_url=base_url, api_key=key, max_retries=0, timeout=20) as sdk:
        print(json.dumps(BEHAVIOURS[behaviour](sdk)), flush=True)
