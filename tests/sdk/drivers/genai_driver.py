"""The matrix through the google-genai SDK, whose chat keeps the history."""

from typing import Any

from driving import PLAN, PNG, RESULT, SCHEMA, drive
from google import genai
from google.genai import types

CLIENT = genai.Client(
    api_key=PLAN["key"], vertexai=False, http_options=types.HttpOptions(base_url=PLAN["base_url"], timeout=20_000)
)


def ask(cell: Any, said: Any) -> None:
    parts = [types.Part.from_text(text=cell["text"])]
    if cell["image"]:
        parts.append(types.Part.from_bytes(data=PNG, mime_type="image/png"))
    chat = CLIENT.chats.create(model=cell["model"], config=build_config(cell))
    send = stream if cell["stream"] else complete
    send(chat, parts, said)
    if cell["follow"]:
        results = []
        for part in (part for content in chat.get_history() for part in content.parts if part.function_call):
            result = types.FunctionResponse(
                id=part.function_call.id, name=part.function_call.name, response={"output": RESULT}
            )
            results.append(types.Part(function_response=result))
        said.update(text="", thought="", calls=[])
        send(chat, results, said)


def build_config(cell: Any) -> Any:
    config = types.GenerateContentConfig(
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True), max_output_tokens=cell["limit"]
    )
    if cell["tools"]:
        declared = [
            types.FunctionDeclaration(name=name, description="Of a city.", parameters_json_schema=SCHEMA)
            for name in cell["tools"]
        ]
        config.tools = [types.Tool(function_declarations=declared)]
    if cell["think"]:
        config.thinking_config = types.ThinkingConfig(include_thoughts=True, thinking_budget=1024)
    if cell["schema"]:
        config.response_mime_type, config.response_json_schema = "application/json", SCHEMA
    return config


def complete(chat: Any, parts: Any, said: Any) -> None:
    read(chat.send_message(parts), said)


def stream(chat: Any, parts: Any, said: Any) -> None:
    for response in chat.send_message_stream(parts):
        said["events"] += 1
        read(response, said)


def read(response: Any, said: Any) -> None:
    for candidate in response.candidates or ():
        if candidate.finish_reason:
            said["stop"] = candidate.finish_reason.value
        for part in (candidate.content and candidate.content.parts) or ():
            said["signed"] += bool(part.thought_signature)
            if part.function_call:
                said["calls"].append([part.function_call.name, part.function_call.args])
            elif part.thought:
                said["thought"] += part.text or ""
            else:
                said["text"] += part.text or ""
    usage = response.usage_metadata
    if usage is not None and usage.prompt_token_count is not None:
        said["input"], said["reasoning"] = usage.prompt_token_count, usage.thoughts_token_count
        said["output"] = (usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0)


drive(ask)
