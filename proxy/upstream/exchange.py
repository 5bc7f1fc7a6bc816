"""One request and its answer on one connection.

`send` writes the request, `read_head` waits for the final head; from then on the Exchange is the answer's Source: it
drives a Receiver out of the connection's `data_received`, through our own body framing. The connection goes back to the
pool at the end of a sound body whose request was sent whole, and is aborted in every other case.
"""

import asyncio
from collections.abc import Callable

from aiohttp.connector import Connection
from aiohttp.http import RawResponseMessage, StreamWriter

from proxy.errors import Code, PenstockError, UpstreamFault
from proxy.relay.ports import Receiver, Upload
from proxy.upstream.faults import describe
from proxy.upstream.handler import PushHandler, is_final
from proxy.wire.framing import LAST_CHUNK, BodyDecoder, FramingError, encode_chunk


class Exchange:
    """`start`, `pause`, `resume` and `abort` are a Source's; `decoder` is set once the head is known."""

    __slots__ = ("_connection", "_feed", "_handler", "_over", "_paused", "_receiver", "_upload", "decoder")

    def __init__(self, connection: Connection, handler: PushHandler) -> None:
        self._connection = connection
        self._handler = handler
        self._upload: asyncio.Task[None] | None = None
        self._over = False
        self._paused = False
        self._receiver: Receiver
        self._feed: Callable[[bytes], None]
        self.decoder: BodyDecoder

    def send(self, head: bytes, upload: Upload | None) -> None:
        """Write the request. A body that has arrived goes out with the head in one write, another follows as it
        comes. Raises ConnectionError when the connection is gone already."""
        transport = self._handler.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the connection is closed")
        whole = upload.take_whole() if upload else b""
        if whole is not None:
            if upload is not None and upload.length is None:
                whole = (encode_chunk(whole) if whole else b"") + LAST_CHUNK
            transport.write(head + whole)
            return
        transport.write(head)
        if upload is not None:
            loop = asyncio.get_running_loop()
            self._upload = loop.create_task(self._send_upload(upload, StreamWriter(self._handler, loop)))

    async def read_head(self) -> RawResponseMessage:
        """The final head; informational ones before it are dropped. Raises what aiohttp raises."""
        while True:
            message, _ = await self._handler.read()
            if is_final(message.code):
                return message

    def finish(self) -> None:
        """The answer is complete: the connection serves on, unless the request was never sent whole."""
        if self._paused:
            self.resume()  # a receiver may pause within the very read that ends the body
        self._over = True
        uploading = self._upload is not None and not self._upload.done()
        if uploading and self._upload is not None:
            self._upload.cancel()
        excess = self.decoder.excess if hasattr(self, "decoder") else b""
        self._handler.let_go(reusable=not (uploading or excess))
        self._connection.release()

    # Source.

    def start(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._feed = receiver.feed
        held, lost = self._handler.take_body(self._on_data, self._on_lost)
        if held:
            self._on_data(b"".join(held))  # at once, so that the framing sees what follows the body
        if lost is not None:
            self._on_lost(lost[0])

    def pause(self) -> None:
        transport = self._handler.transport
        if transport is not None and not self._over:
            self._paused = True
            transport.pause_reading()

    def resume(self) -> None:
        transport = self._handler.transport
        self._paused = False
        if transport is not None and not self._over and not transport.is_closing():
            transport.resume_reading()

    def abort(self) -> None:
        if self._over:
            return
        self._over = True
        if self._upload is not None:
            self._upload.cancel()
        self._handler.let_go(reusable=False)
        self._handler.abort()
        self._connection.close()

    # From the connection.

    def _on_data(self, data: bytes) -> None:
        decoder = self.decoder
        try:
            payload = decoder.feed(data)
        except FramingError as error:
            self._break(error.payload, UpstreamFault(Code.PROTOCOL, error.what))
            return
        if payload:
            self._feed(payload)
        if decoder.done and not self._over:
            self.finish()
            self._receiver.end()

    def _on_lost(self, exc: BaseException | None) -> None:
        if self._over:
            return
        try:
            self.decoder.end()
        except FramingError as error:
            self._break(b"", UpstreamFault(Code.CUT, error.what if exc is None else describe(exc)))
            return
        if exc is not None:  # a reset where the close is the end of the body: nobody knows what is missing
            self._break(b"", UpstreamFault(Code.CUT, describe(exc)))
            return
        self.finish()
        self._receiver.end()

    def _break(self, payload: bytes, fault: UpstreamFault) -> None:
        if payload:
            self._feed(payload)
        self.abort()
        self._receiver.fail(fault)

    # The request's body.

    async def _send_upload(self, upload: Upload, writer: StreamWriter) -> None:
        if upload.length is None:
            writer.enable_chunking()
        try:
            async for data in upload.read():
                await writer.write(data)
            await writer.write_eof()
        except PenstockError:
            self._handler.abort()  # the client's side failed and says so itself; upstream must not wait for the rest
        except ConnectionError:
            return  # upstream has closed its side: what it answered, or that it did not, is read from the connection
