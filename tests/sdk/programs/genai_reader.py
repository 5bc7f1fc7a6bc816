"""Reads answers by the google-genai SDK, which checks them against its own types."""

import json
from typing import Any

from folder import read_all, serve
from google import genai
from google.genai import types

CLIENT = genai.Client(api_key="none", vertexai=False, http_options=types.HttpOptions(base_url=serve()))


def read(name: str, said: Any) -> None:
    if name.endswith(".sse"):
        for response in CLIENT.models.generate_content_stream(model=name, contents="hello"):
            note(response, said)
    else:
        note(CLIENT.models.generate_content(model=name, contents="hello"), said)


def note(response: Any, said: Any) -> None:
    if response.prompt_feedback and response.prompt_feedback.block_reason:
        said["stop"] = response.prompt_feedback.block_reason.value
    for candidate in response.candidates or ():
        if candidate.finish_reason:
            said["stop"] = candidate.finish_reason.value
        for part in (candidate.content and candidate.content.parts) or ():
            if part.function_call:
                said["calls"].append([part.function_call.name, json.dumps(part.function_call.args)])
            else:
                said["thought" if part.thought else "text"] += part.text or ""


read_all(read)
