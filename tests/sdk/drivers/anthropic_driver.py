"""The matrix through the anthropic SDK."""

from typing import Any

import anthropic
from driving import PLAN, RESULT, SCHEMA, drive

CLIENT = anthropic.Anthropic(base_url=PLAN["base_url"], api_key=PLAN["key"], max_retries=0, timeout=20)


def ask(cell: Any, said: Any) -> None:
    content: Any = [{"type": "text", "text": cell["text"]}]
    if cell["image"]:
        source = {"type": "base64", "media_type": "image/png", "data": PLAN["png"]}
        content.append({"type": "image", "source": source})
    body: dict[str, Any] = {"model": cell["model"], "messages": [{"role": "user", "content": content}]}
    body["max_tokens"] = cell["limit"] or 4000
    if cell["tools"]:
        body["tools"] = [{"name": name, "description": "Of a city.", "input_schema": SCHEMA} for name in cell["tools"]]
    if cell["think"]:
        body["thinking"] = {"type": "enabled", "budget_tokens": 1024, "display": "summarized"}
    if cell["schema"]:
        body["output_config"] = {"format": {"type": "json_schema", "schema": SCHEMA}}
    send = stream if cell["stream"] else complete
    message = send(body, said)
    if cell["follow"]:
        results = [
            {"type": "tool_result", "tool_use_id": block.id, "content": RESULT}
            for block in message.content
            if block.type == "tool_use"
        ]
        said.update(text="", thought="", calls=[])
        answer = [{"role": "assistant", "content": message.content}, {"role": "user", "content": results}]
        send({**body, "messages": [*body["messages"], *answer]}, said)


def complete(body: Any, said: Any) -> Any:
    message = CLIENT.messages.create(**body)
    said["text"] = "".join(block.text for block in message.content if block.type == "text")
    read(said, message)
    return message


def stream(body: Any, said: Any) -> Any:
    with CLIENT.messages.stream(**body) as events:
        for event in events:
            said["events"] += 1
            if event.type == "text":
                said["text"] += event.text
        message = events.get_final_message()
    read(said, message)
    assert said["text"] == "".join(block.text for block in message.content if block.type == "text")
    return message


def read(said: Any, message: Any) -> None:
    for block in message.content:
        if block.type == "tool_use":
            said["calls"].append([block.name, block.input])
        elif block.type == "thinking":
            said["thought"] += block.thinking
            said["signed"] += bool(block.signature)
    said["stop"] = message.stop_reason
    usage = message.usage
    said["input"] = usage.input_tokens + (usage.cache_read_input_tokens or 0)
    said["output"] = usage.output_tokens
    said["reasoning"] = getattr(getattr(usage, "output_tokens_details", None), "thinking_tokens", None)


drive(ask)
