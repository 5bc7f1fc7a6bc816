"""Which requests are recorded, and what becomes of their recordings.

`Recorder.open_tape` decides, once per request, whether it is wanted, and gives a tape or None; `observe` takes the
finished record and settles the tape: to be kept, to be dropped, remembered among the last failures. A request that is
kept only if it fails is recorded all the same, for nobody knows how a stream will end: it grows in memory, then, by a
shelf's thread, in a file that is thrown away when all went well. One that is short and goes well never meets the disk.

Nothing here waits, and nothing raises; what the shelf cannot take is lost, and counted there.
"""

import random
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Final, Protocol

import msgspec

from proxy.relay.outcome import Attempt, Record
from proxy.relay.ports import UpstreamRequest
from proxy.relay.record_rules import Rules, Wish, has_failed
from proxy.relay.recorded import RecordedTake, Secrets, build_asked, find_body
from proxy.types import RequestId
from proxy.wire import cassette
from proxy.wire.cassette import MAGIC, Piece, encode_pieces, hide_content
from proxy.wire.hiding import find_secrets

MOST_WISHES: Final = 100


class Shelf(Protocol):
    """Where recordings go."""

    def write(self, name: str, pieces: Sequence[Piece], size: int) -> bool: ...
    def keep(self, name: str, pieces: Sequence[Piece], size: int) -> bool: ...
    def drop(self, name: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Settings:
    """bodies: of requests are kept. ring: how many failures are remembered. shelf: None where there is no directory.
    dialects, secrets: of the providers, by name."""

    rules: Rules = field(default_factory=Rules)
    bodies: bool = False
    ring: int = 0
    shelf: Shelf | None = None
    dialects: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, tuple[bytes, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Failed:
    """A failure that is remembered. line: the request's log line, JSON."""

    id: RequestId
    line: bytes
    pieces: Sequence[Piece]

    def encode(self, *, content: bool) -> bytes:
        """As a cassette; without content it has of what was said no more than moments and lengths."""
        return MAGIC + encode_pieces(self.pieces if content else hide_content(self.pieces))


class Recorder:
    """now: the monotonic clock that records are written by. describe: a finished record as its log line, JSON."""

    def __init__(
        self,
        now: Callable[[], float],
        describe: Callable[[Record], bytes],
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._now = now
        self._describe = describe
        self._draw = draw
        self._tapes: dict[RequestId, RecordedTape] = {}
        self._wishes: list[Wish] = []
        self._ring: deque[Failed] = deque()
        self._idle = True
        self.settings = Settings()

    def configure(self, settings: Settings) -> None:
        """For requests that begin from now on."""
        self.settings = settings
        while len(self._ring) > settings.ring:
            self._ring.popleft()
        self._look()

    def open_tape(self, record: Record) -> "RecordedTape | None":
        """Who records this request. Its client, route and model are known."""
        if self._idle:
            return None
        settings = self.settings
        wanted = settings.shelf is not None and (self._is_wished(record) or settings.rules.wants(record, self._draw))
        spools = wanted or (settings.shelf is not None and settings.rules.failed)
        if not (spools or settings.ring):
            return None
        tape = self._tapes[record.id] = RecordedTape(settings, record, self._now, wanted=wanted, spools=spools)
        return tape

    def observe(self, record: Record) -> None:
        """A request is over."""
        tape = self._tapes.pop(record.id, None)
        if tape is None:
            return
        failed = has_failed(record)
        if not (failed or tape.wanted):
            tape.drop()
            return
        line = self._describe(record)
        last = Piece(0, self._now() - record.started, cassette.OUTCOME, line)
        if failed and tape.ring:
            self._ring.append(Failed(record.id, line, [*tape.list_kept(), last]))
            while len(self._ring) > self.settings.ring:
                self._ring.popleft()
        tape.keep(last)

    # What an operator asks.

    def add_wish(self, seconds: float, client: str | None = None, model: str | None = None) -> bool:
        """Record for a while. False: there are too many wishes already."""
        if len(self.list_wishes()) >= MOST_WISHES:
            return False
        self._wishes.append(Wish(self._now() + seconds, client, model))
        self._look()
        return True

    def clear_wishes(self) -> None:
        self._wishes = []
        self._look()

    def list_wishes(self) -> list[Wish]:
        """Those that hold still."""
        now = self._now()
        self._wishes = [wish for wish in self._wishes if wish.until > now]
        self._look()
        return self._wishes

    def list_failures(self) -> list[Failed]:
        """The latest first."""
        return list(reversed(self._ring))

    def find_failure(self, request_id: str) -> Failed | None:
        return next((failed for failed in self._ring if failed.id == request_id), None)

    @property
    def recording(self) -> int:
        """Requests that are being recorded now."""
        return len(self._tapes)

    def _is_wished(self, record: Record) -> bool:
        return bool(self._wishes) and any(wish.wants(record) for wish in self.list_wishes())

    def _look(self) -> None:
        """Whether nothing at all is to be recorded: the state in which a request is asked about for nothing."""
        settings = self.settings
        shelved = settings.shelf is not None and (settings.rules != Rules() or bool(self._wishes))
        self._idle = not (shelved or settings.ring)


class RecordedTape:
    """wanted: it is kept however the request ends. spools: it is written as it grows. ring: it may be remembered."""

    __slots__ = ("_name", "_now", "_record", "_settings", "_shelf", "_takes", "_written", "ring", "spools",
                 "wanted")  # fmt: skip

    def __init__(
        self, settings: Settings, record: Record, now: Callable[[], float], *, wanted: bool, spools: bool
    ) -> None:
        self._settings = settings
        self._shelf = settings.shelf
        self._record = record
        self._now = now
        self._takes: list[RecordedTake] = []
        self._name = ""
        self._written = False
        self.wanted = wanted
        self.spools = spools
        self.ring = settings.ring > 0

    def open(self, attempt: Attempt, request: UpstreamRequest) -> "RecordedTake":
        settings, provider = self._settings, attempt.provider
        secrets = _choose_secrets(settings.secrets, provider, request)
        take = RecordedTake(self, len(self._takes) + 1, self._record.started, self._now, secrets)
        self._takes.append(take)
        take.ask(build_asked(attempt, request, settings.dialects), find_body(request) if settings.bodies else None)
        return take

    def write(self, pieces: list[Piece], size: int) -> None:
        """Hand a take's pieces to the shelf. Once one is refused no more is written: a recording is whole, or lost."""
        if self._shelf is not None and not self._shelf.write(self._find_name(), self._open(pieces), size):
            self.spools = False
        self._written = True

    def keep(self, last: Piece) -> None:
        if not self.spools or self._shelf is None:
            return
        size, pieces = 0, self._open([])
        for take in self._takes:
            more, length = take.flush()
            pieces += more
            size += length
        self._shelf.keep(self._find_name(), [*pieces, last], size + len(last.data))
        self.spools = self.ring = False

    def drop(self) -> None:
        if self._written and self.spools and self._shelf is not None:
            self._shelf.drop(self._name)
        self.spools = self.ring = False

    def list_kept(self) -> list[Piece]:
        """What the ring remembers."""
        return [self._build_about(), *(piece for take in self._takes for piece in take.list_kept())]

    def _open(self, pieces: list[Piece]) -> list[Piece]:
        return pieces if self._written else [self._build_about(), *pieces]

    def _build_about(self) -> Piece:
        record = self._record
        about = cassette.About(
            record.id, record.wall, record.client or "", record.mount, record.dialect, record.model_asked
        )
        return Piece(0, 0.0, cassette.ABOUT, msgspec.json.encode(about))

    def _find_name(self) -> str:
        """Sorts by time."""
        if not self._name:
            wall = self._record.wall
            stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime(wall))
            self._name = f"{stamp}.{int(wall % 1 * 1000):03d}Z-{self._record.id}"
        return self._name


def _choose_secrets(secrets: Mapping[str, tuple[bytes, ...]], provider: str, request: UpstreamRequest) -> Secrets:
    shown = find_secrets(request.headers, request.target)
    return Secrets((*secrets.get(provider, ()), *shown), (*chain.from_iterable(secrets.values()), *shown))
