"""What the openai SDK makes of Responses streams and answers, as a list of JSON: one entry per answer of the server.

Arguments: behaviour, base URL, key. The server answers requests one after the other, and 404 when it has no more.
"""

import json
import sys
from collections.abc import Callable
from typing import Any

import openai
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter, ValidationError

EVENTS: Any = TypeAdapter(ResponseStreamEvent)


def streamed(client: openai.OpenAI) -> Any:
    """The helper that gathers a response while it streams, and checks its order."""
    with client.responses.stream(model="m", input="hello") as stream:
        events = list(stream)
        last = events[-1]
        final = stream.get_final_response() if last.type == "response.completed" else last.response  # type: ignore[union-attr]
    return {"types": [event.type for event in events], "final": describe(final)}


def raw(client: openai.OpenAI) -> Any:
    """Every event held against the SDK's own type of it."""
    events = list(client.responses.create(model="m", input="hello", stream=True))
    return {
        "types": [event.type for event in events],
        "numbers": [event.sequence_number for event in events],
        "faults": [fault for event in events for fault in find_faults(event)],
        "texts": {
            kind: "".join(event.delta for event in events if event.type == kind)  # type: ignore[union-attr]
            for kind in {event.type for event in events if event.type.endswith(".delta")}
        },
    }


def whole(client: openai.OpenAI) -> Any:
    answer = client.responses.create(model="m", input="hello")
    try:
        Response.model_validate(answer.to_dict())
    except ValidationError as fault:
        return {"faults": [str(fault)]}
    return {"faults": [], "final": describe(answer)}


def describe(answer: Response) -> Any:
    return {
        "id": answer.id,
        "model": answer.model,
        "status": answer.status,
        "error": answer.error.to_dict() if answer.error else None,
        "cause": answer.incomplete_details.reason if answer.incomplete_details else None,
        "text": answer.output_text,
        "output": [item.to_dict() for item in answer.output],
        "usage": answer.usage.to_dict() if answer.usage else None,
    }


def find_faults(event: Any) -> list[str]:
    try:
        EVENTS.validate_python(event.to_dict())
    except ValidationError as fault:
        return [f"{event.type}: {fault}"]
    return []


def collect(behaviour: Callable[[openai.OpenAI], Any], client: openai.OpenAI) -> list[Any]:
    found: list[Any] = []
    while True:
        try:
            found.append(behaviour(client))
        except openai.NotFoundError:
            return found
        except openai.APIError as failure:
            found.append({"class": type(failure).__name__, "message": failure.message, "code": failure.code})


BEHAVIOURS = {row.__name__: row for row in (streamed, raw, whole)}

if __name__ == "__main__":
    behaviour, base_url, key = sys.argv[1:]
    with openai.OpenAI(base_url=base_url, api_key=key, max_retries=0, timeout=20) as sdk:
        print(json.dumps(collect(BEHAVIOURS[behaviour], sdk)), flush=True)
