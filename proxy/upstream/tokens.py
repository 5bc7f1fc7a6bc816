"""Bearer tokens that do not stand in the configuration: printed by a command, or kept in a file by another program.

A `TokenSource` gives the token of now. It fetches when somebody asks and never on its own: at first, in the background
shortly before the token expires (requests go on with the old one meanwhile), and after `expire()`, which whoever was
refused with a token calls. However many ask, one fetch runs; when it fails they all get a TokenFault, and the next
fetch waits a moment. Nothing here shows a token: a fault says what the command or the file did, never what it gave.
"""

import asyncio
import os
import re
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final, Protocol

from proxy.errors import Code, UpstreamFault
from proxy.upstream.faults import describe, is_exhausted

COMMAND_TIME: Final = 30.0
"""Seconds a command may take: several times what a round trip to an identity provider does."""

LONGEST: Final = 16 * 1024
"""Characters of a token: more than most servers take as a header field; JWTs with many claims have a few thousand."""

EARLY: Final = 60.0
"""Seconds before the end of a token's life at which the next one is fetched: twice a command's time."""

PAUSE: Final = 2.0
"""Seconds after a failed fetch in which there is no other: a broken command is not run by every request."""

YOUNG: Final = 5.0
"""Seconds in which a new token is not fetched again: those who were refused with the one before it come late."""

FILE_LOOK: Final = 5.0
"""Seconds between two looks at a token file: a program that renews one does so minutes before it must."""

FILE_LIFE: Final = 60.0
"""Seconds what a file held is used when it cannot be read any more."""

_TOKEN: Final = re.compile(r"[!-~]+")

Clock = Callable[[], float]
"""Seconds that only go forwards."""


class TokenFault(UpstreamFault):
    """No token could be had. `detail` says why, in words for the log."""

    def __init__(self, detail: str) -> None:
        super().__init__(Code.TOKEN, detail)


class TokenSource(Protocol):
    """Where an account's bearer token comes from."""

    async def get(self) -> str:
        """The token to use now. Raises TokenFault, or another UpstreamFault where nobody is to blame for it."""

    def expire(self) -> None:
        """The provider refused the token: the next `get` fetches another, unless this one has just come."""


class CachedTokens:
    """Tokens from `fetch`, each used for `life` seconds, and renewed in the background `early` seconds before."""

    def __init__(
        self,
        fetch: Callable[[], Awaitable[str]],
        life: float,
        early: float,
        now: Clock = time.monotonic,
    ) -> None:
        self._fetch = fetch
        self._life = life
        self._early = early
        self._now = now
        self._token = ""
        self._fetched_at = 0.0
        self._fault: UpstreamFault = TokenFault("")
        self._failed_at = -PAUSE
        self._running: asyncio.Task[None] | None = None

    async def get(self) -> str:
        age = self._now() - self._fetched_at
        if self._token and age < self._life:
            if age >= self._life - self._early:
                self._start()
            return self._token
        self._token = ""
        running = self._start()
        if running is not None:
            await asyncio.shield(running)  # who gives up must not take the token from the others
        if not self._token:
            raise self._fault.with_traceback(None)
        return self._token

    def expire(self) -> None:
        if self._now() - self._fetched_at >= YOUNG:
            self._token = ""

    def _start(self) -> asyncio.Task[None] | None:
        """The fetch that runs, or a new one; None shortly after one that failed."""
        if self._running is None and self._now() - self._failed_at >= PAUSE:
            self._running = asyncio.get_running_loop().create_task(self._run())
        return self._running

    async def _run(self) -> None:
        try:
            token = await self._fetch()
        except UpstreamFault as fault:
            self._fault, self._failed_at = fault, self._now()
        else:
            self._token, self._fetched_at = token, self._now()
        finally:
            self._running = None


def open_command(arguments: Sequence[str], life: float, now: Clock = time.monotonic) -> TokenSource:
    """Tokens that a command prints, each good for `life` seconds."""
    return CachedTokens(lambda: run_command(arguments), life, min(EARLY, life / 5), now)


def open_file(path: str, now: Clock = time.monotonic) -> TokenSource:
    """The token in a file that somebody else renews."""
    return CachedTokens(lambda: asyncio.to_thread(read_file, path), FILE_LIFE, FILE_LIFE - FILE_LOOK, now)


async def run_command(arguments: Sequence[str], within: float = COMMAND_TIME) -> str:
    """What a program prints, run without a shell. Raises TokenFault. Nothing of it is left when this is cancelled."""
    loop = asyncio.get_running_loop()
    try:
        transport, output = await loop.subprocess_exec(
            _Output,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,  # what a command complains of may quote what it was given
            start_new_session=True,
        )
    except OSError as error:
        raise _map_error(error, "token_command cannot be run") from None
    try:
        async with asyncio.timeout(within):
            await output.enough.wait()
    except TimeoutError:
        raise TokenFault(f"token_command did not end within {within:g} s") from None
    finally:
        if not output.ended.is_set():
            _kill(transport.get_pid())
        transport.close()
        await output.ended.wait()
    code = transport.get_returncode()
    if code and len(output.content) <= LONGEST:
        how = f"status {code}" if code > 0 else f"signal {-code}"
        raise TokenFault(f"token_command ended with {how}")
    return parse_token(bytes(output.content), "token_command printed")


def read_file(path: str) -> str:
    """The token in a file. Blocks; raises TokenFault."""
    try:
        with open(path, "rb") as file:
            content = file.read(LONGEST + 1)
    except OSError as error:
        raise _map_error(error, "token_file cannot be read") from None
    return parse_token(content, "token_file holds")


def parse_token(content: bytes, called: str) -> str:
    """One token, with blanks and line ends around it. Raises TokenFault."""
    if len(content) > LONGEST:
        raise TokenFault(f"{called} more than {LONGEST} bytes")
    text = content.decode("ascii", "replace").strip()
    if not text:
        raise TokenFault(f"{called} nothing")
    if not _TOKEN.fullmatch(text):
        raise TokenFault(f"{called} something else than one token")
    return text


class _Output(asyncio.SubprocessProtocol):
    """Gathers what a process prints. ended: it is over and its output closed; enough: that, or too much was printed."""

    def __init__(self) -> None:
        self.content = bytearray()
        self.enough = asyncio.Event()
        self.ended = asyncio.Event()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        self.content += data[: LONGEST + 1]
        if len(self.content) > LONGEST:
            self.enough.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.enough.set()
        self.ended.set()


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)  # its session is its own, and so are its children


def _map_error(error: OSError, what: str) -> UpstreamFault:
    if is_exhausted(error):
        return UpstreamFault(Code.DESCRIPTORS, describe(error))
    return TokenFault(f"{what}: {(error.strerror or type(error).__name__).lower()}")
