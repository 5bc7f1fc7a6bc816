"""A client of a stream that nobody has begun to answer: held, then kept waiting.

While it is held nothing was sent, and a failure is still a status. After `hold` seconds the head goes out and the
client is kept alive in its dialect's form, whatever is tried behind it; from then on a failure is said in-band. The
ticker does both, so that the fast majority pays for one entry in it and nothing else.
"""

import asyncio
from collections.abc import Callable

from aiohttp import ClientConnectionResetError, web

from proxy.dialects.events import Failure
from proxy.dialects.translate import encode_failure
from proxy.edge.client_stream import ClientStream, open_stream
from proxy.edge.downstream import Downstream, Fields
from proxy.edge.question import Question
from proxy.relay.clocks import Stillness, Ticker
from proxy.relay.ports import Sink


class Waiting:
    """From acceptance to `take`, or to `fail`. Seconds; 0 for `hold` is for ever. beats: keep-alives written."""

    def __init__(
        self,
        request: web.BaseRequest,
        question: Question,
        build_fields: Callable[[], Fields],
        ticker: Ticker,
        hold: float,
        heartbeat: float,
        since: float,
    ) -> None:
        self._request = request
        self._question = question
        self._build_fields = build_fields
        self._ticker = ticker
        self._hold = Stillness(hold, since)
        self._heartbeat = heartbeat
        self._opening: asyncio.Task[None] | None = None
        self._stream: ClientStream | None = None
        self._keeper: Keeper | None = None
        self._closed = False
        self.response: Downstream | None = None
        ticker.watch(self)

    @property
    def beats(self) -> int:
        return self._keeper.beats if self._keeper else 0

    @property
    def began(self) -> bool:
        """The head is out: nothing can become a status any more."""
        return self._opening is not None

    def tick(self, now: float) -> None:
        if self._opening is None and self._hold.expired(0, now):
            self._ticker.release(self)
            self._opening = self._ticker.loop.create_task(self._open())

    async def take(self, fields: Fields) -> tuple[Downstream, ClientStream]:
        """The client's stream: the one that was opened, or a new one with `fields`. Raises ConnectionError when the
        client is gone."""
        self.close()
        if self._opening is not None:
            await self._opening
            if self._stream is None or self.response is None:
                raise ClientConnectionResetError("the client is gone")
            return self.response, self._stream
        return await self._prepare(fields)

    async def fail(self, failure: Failure) -> Downstream:
        """Say it in-band, and end. Only after `began`. Raises ConnectionError as `take`."""
        response, stream = await self.take([])
        stream.write(encode_failure(self._question.client, self._question.open_turn(), failure))
        await stream.finish()
        return response

    def close(self) -> None:
        """No further keep-alive. Harmless when it has been called."""
        self._closed = True
        self._ticker.release(self)
        if self._keeper is not None:
            self._keeper.close()

    async def _open(self) -> None:
        try:
            self.response, self._stream = await self._prepare(self._build_fields())
        except ConnectionError:
            return  # the client is gone, and whoever serves it is told by aiohttp
        if self._closed:
            return  # somebody answers after all, and the head goes out with it
        keepalive = self._question.client.open_encoder(self._question.open_turn()).keepalive
        self._keeper = Keeper(self._stream, lambda: keepalive, self._heartbeat, self._ticker)
        self._keeper.beat()
        self._stream.flush()

    async def _prepare(self, fields: Fields) -> tuple[Downstream, ClientStream]:
        response = Downstream(200, "OK", fields, None)
        return response, await open_stream(self._request, response)


class Keeper:
    """Writes what `build` gives into `sink` every `heartbeat` seconds, until it is closed."""

    def __init__(self, sink: Sink, build: Callable[[], bytes], heartbeat: float, ticker: Ticker) -> None:
        self._sink = sink
        self._build = build
        self._ticker = ticker
        self._heartbeat = Stillness(heartbeat, ticker.now())
        self.beats = 0
        ticker.watch(self)

    def tick(self, now: float) -> None:
        if self._heartbeat.expired(0, now):
            self._heartbeat.restart(now)
            self.beat()

    def beat(self) -> None:
        data = self._build()
        if not data:
            return
        try:
            self._sink.write(data)
        except ConnectionError:
            self.close()  # the client is gone, and whoever serves it is told by aiohttp
            return
        self.beats += 1

    def close(self) -> None:
        self._ticker.release(self)
