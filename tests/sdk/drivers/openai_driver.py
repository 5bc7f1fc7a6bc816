"""The matrix through the openai SDK: chat completions and Responses."""

import json
from typing import Any

import openai
from driving import PLAN, PNG_URL, RESULT, SCHEMA, drive

CLIENT = openai.OpenAI(base_url=PLAN["base_url"] + "/v1", api_key=PLAN["key"], max_retries=0, timeout=20)


def ask(cell: Any, said: Any) -> None:
    (ask_chat if cell["client"] == "openai-chat" else ask_responses)(cell, said)


# Chat completions.


def ask_chat(cell: Any, said: Any) -> None:
    content: Any = cell["text"]
    if cell["image"]:
        content = [{"type": "text", "text": content}, {"type": "image_url", "image_url": {"url": PNG_URL}}]
    body: dict[str, Any] = {"model": cell["model"], "messages": [{"role": "user", "content": content}]}
    if cell["tools"]:
        functions = [{"name": name, "description": "Of a city.", "parameters": SCHEMA} for name in cell["tools"]]
        body["tools"] = [{"type": "function", "function": function} for function in functions]
    if cell["think"]:
        body["reasoning_effort"] = "low"
    if cell["limit"]:
        body["max_completion_tokens"] = cell["limit"]
    if cell["schema"]:
        form = {"name": "place", "schema": SCHEMA, "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": form}
    send = stream_chat if cell["stream"] else complete_chat
    message = send(body, said)
    if cell["follow"]:
        results = [{"role": "tool", "tool_call_id": call, "content": RESULT} for call in said.pop("ids")]
        said.update(text="", thought="", calls=[])
        send({**body, "messages": [*body["messages"], message, *results]}, said)
    said.pop("ids", None)


def complete_chat(body: Any, said: Any) -> Any:
    """The SDK's message goes back as it is."""
    answer = CLIENT.chat.completions.create(**body)
    message = answer.choices[0].message
    said["text"], said["refusal"] = message.content or "", message.refusal or ""
    said["thought"] = getattr(message, "reasoning_content", None) or ""
    said["stop"] = answer.choices[0].finish_reason
    note_chat_calls(said, [call.to_dict() for call in message.tool_calls or ()])
    note_usage(said, answer.usage, "prompt_tokens", "completion_tokens", "completion_tokens_details")
    return message


def stream_chat(body: Any, said: Any) -> Any:
    """What goes back is gathered as most programs do: text and calls, nothing else."""
    calls: dict[int, Any] = {}
    for chunk in CLIENT.chat.completions.create(**body, stream=True, stream_options={"include_usage": True}):
        said["events"] += 1
        if chunk.usage:
            note_usage(said, chunk.usage, "prompt_tokens", "completion_tokens", "completion_tokens_details")
        for choice in chunk.choices:
            said["stop"] = choice.finish_reason or said["stop"]
            said["text"] += choice.delta.content or ""
            said["refusal"] += choice.delta.refusal or ""
            said["thought"] += getattr(choice.delta, "reasoning_content", None) or ""
            for part in choice.delta.tool_calls or ():
                call = calls.setdefault(part.index, {"id": part.id, "function": {"name": "", "arguments": ""}})
                call["function"]["name"] += part.function.name or ""
                call["function"]["arguments"] += part.function.arguments or ""
    note_chat_calls(said, calls.values())
    gathered = [{"type": "function", **call} for call in calls.values()]
    return {"role": "assistant", "content": said["text"] or None, **({"tool_calls": gathered} if gathered else {})}


def note_chat_calls(said: Any, calls: Any) -> None:
    said["ids"] = [call["id"] for call in calls]
    said["calls"] = [[call["function"]["name"], json.loads(call["function"]["arguments"])] for call in calls]
    said["signed"] += sum("extra_content" in call for call in calls)


def note_usage(said: Any, usage: Any, into: str, out: str, details: str) -> None:
    said["input"], said["output"] = getattr(usage, into), getattr(usage, out)
    said["reasoning"] = getattr(getattr(usage, details), "reasoning_tokens", None)
    assert usage.total_tokens == said["input"] + said["output"]


# Responses.


def ask_responses(cell: Any, said: Any) -> None:
    content: Any = [{"type": "input_text", "text": cell["text"]}]
    if cell["image"]:
        content.append({"type": "input_image", "image_url": PNG_URL, "detail": "auto"})
    body: dict[str, Any] = {"model": cell["model"], "input": [{"role": "user", "content": content}]}
    body |= {"store": False, "include": ["reasoning.encrypted_content"]}
    if cell["tools"]:
        body["tools"] = [
            {"type": "function", "name": name, "description": "Of a city.", "parameters": SCHEMA, "strict": True}
            for name in cell["tools"]
        ]
    if cell["think"]:
        body["reasoning"] = {"effort": "low", "summary": "auto"}
    if cell["limit"]:
        body["max_output_tokens"] = cell["limit"]
    if cell["schema"]:
        form = {"type": "json_schema", "name": "place", "schema": SCHEMA, "strict": True}
        body["text"] = {"format": form}
    send = stream_responses if cell["stream"] else complete_responses
    answer = send(body, said)
    if cell["follow"]:
        calls = [item for item in answer.output if item.type == "function_call"]
        results = [{"type": "function_call_output", "call_id": call.call_id, "output": RESULT} for call in calls]
        said.update(text="", thought="", calls=[])
        send({**body, "input": [*body["input"], *answer.output, *results]}, said)


def complete_responses(body: Any, said: Any) -> Any:
    answer = CLIENT.responses.create(**body)
    read_response(said, answer)
    said["text"] = answer.output_text
    return answer


def stream_responses(body: Any, said: Any) -> Any:
    answer = None
    for event in CLIENT.responses.create(**body, stream=True):
        said["events"] += 1
        if event.type == "response.output_text.delta":
            said["text"] += event.delta
        if event.type in ("response.completed", "response.incomplete", "response.failed"):
            answer = event.response
    assert answer is not None
    read_response(said, answer)
    assert said["error"] or answer.output_text == said["text"]
    return answer


def read_response(said: Any, answer: Any) -> None:
    if answer.error is not None:
        said["error"] = {"class": "response.failed", "status": None, "message": answer.error.message}
    for item in answer.output:
        if item.type == "function_call":
            said["calls"].append([item.name, json.loads(item.arguments)])
        elif item.type == "reasoning":
            said["thought"] += "".join(part.text for part in [*item.summary, *(item.content or ())])
            said["signed"] += bool(item.encrypted_content)
        elif item.type == "message":
            said["refusal"] += "".join(part.refusal for part in item.content if part.type == "refusal")
    said["stop"] = answer.incomplete_details.reason if answer.incomplete_details else answer.status
    if answer.usage is not None:
        note_usage(said, answer.usage, "input_tokens", "output_tokens", "output_tokens_details")


drive(ask)
