"""A chat page of the AI SDK as a process, and the server it talks to: this dialect's room and answers from a list.

The server parses each request as the proxy would and answers with the encoder's bytes, cut small; what it understood
stays in `requests`. An answer that is a Failure only comes before the head.
"""

import json
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from proxy.dialects.chat import Asked, Invalid, Outgoing, Turn
from proxy.dialects.events import Event, Failure, FailureKind
from proxy.dialects.parts import Request
from proxy.dialects.ui_message import CLIENT
from tests.helpers.command import ROOT, ran

MODEL = "the-default"


@dataclass
class Room:
    """url: of /api/chat. cut: the size of the pieces that go out."""

    answers: list[Sequence[Event]]
    cut: int = 7
    url: str = ""
    requests: list[Request] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)

    async def answer(self, http: web.Request) -> web.StreamResponse:
        body = await http.read()
        self.bodies.append(json.loads(body))
        try:
            request = CLIENT.parse_request(body, Asked(model=MODEL))
        except Invalid as error:
            return _refuse(Failure(FailureKind.INVALID, str(error), param=error.param))
        self.requests.append(request)
        events = self.answers.pop(0)
        if isinstance(events[0], Failure):
            return _refuse(events[0])
        response = web.StreamResponse(headers={"content-type": CLIENT.content_type})
        await response.prepare(http)
        encoder = CLIENT.open_encoder(Turn(request, Outgoing("/", b""), f"req_{len(self.bodies)}", 1_700_000_000))
        data = b"".join(encoder.encode(event) + encoder.keepalive for event in events)
        for at in range(0, len(data), self.cut):
            await response.write(data[at : at + self.cut])
        await response.write_eof()
        return response


def _refuse(failure: Failure) -> web.Response:
    status, headers, body = CLIENT.build_error(failure, "req_1")
    return web.Response(status=status, headers=headers, body=body, content_type="application/json")


@asynccontextmanager
async def serving(*answers: Sequence[Event], cut: int = 7) -> AsyncIterator[Room]:
    room = Room(list(answers), cut)
    app = web.Application()
    app.router.add_post("/api/chat", room.answer)
    async with TestServer(app) as server:
        room.url = str(server.make_url("/api/chat"))
        yield room


@dataclass(frozen=True)
class Page:
    """node: the interpreter of the SDK's environment. package: which version of it."""

    node: str
    package: str

    async def run(self, behaviour: str, url: str, **options: Any) -> Any:
        program = ROOT / "tests" / "sdk" / "programs" / "ui_message_client.mjs"
        folder = Path(os.path.dirname(self.node), "node_modules", self.package)
        command = (self.node, str(program), behaviour, str(folder), url, json.dumps(options))
        finished = await ran(command=command)
        assert finished.code == 0, finished.err
        return json.loads(finished.out)
