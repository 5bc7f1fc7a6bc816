"""A recorder on a clock to be set, and a shelf that keeps everything in memory."""

from collections.abc import Sequence
from typing import Any

from proxy.errors import UpstreamFault
from proxy.relay.outcome import EndReason, Record
from proxy.relay.ports import Answer, UpstreamRequest
from proxy.relay.record_rules import parse_rules
from proxy.relay.recorded import RecordedTake
from proxy.relay.recording import RecordedTape, Recorder, Settings
from proxy.relay.whole_upload import WholeUpload
from proxy.types import AccountName, ClientName, ProviderName, RequestId
from proxy.wire.cassette import MAGIC, Cassette, Piece, encode_pieces, parse_cassette
from proxy.wire.headers import Headers

ASKED = UpstreamRequest("POST", "/v1/chat?key=s3cret", [(b"x-api-key", b"s3cret")], WholeUpload(b'{"a": 1}'))
ANSWER = Answer(200, "OK", Headers(((b"Content-Type", b"text/event-stream"), (b"Set-Cookie", b"s3cret"))), None, None)


class FakeShelf:
    """growing and kept: pieces by name. refuses: takes no more."""

    def __init__(self) -> None:
        self.growing: dict[str, list[Piece]] = {}
        self.kept: dict[str, list[Piece]] = {}
        self.writes = 0
        self.refuses = False

    def write(self, name: str, pieces: Sequence[Piece], size: int) -> bool:
        self.writes += 1
        if not self.refuses:
            self.growing.setdefault(name, []).extend(pieces)
        return not self.refuses

    def keep(self, name: str, pieces: Sequence[Piece], size: int) -> bool:
        if not self.refuses:
            self.kept[name] = [*self.growing.pop(name, []), *pieces]
        return not self.refuses

    def drop(self, name: str) -> None:
        self.growing.pop(name, None)

    def read(self) -> Cassette:
        """The only one that is kept."""
        (pieces,) = self.kept.values()
        return read(pieces)


class Studio:
    """`now` is the clock, `chance` the next draw."""

    def __init__(self, *when: str, **settings: Any) -> None:
        self.now = 100.0
        self.chance = 0.5
        self.shelf = FakeShelf()
        self.recorder = Recorder(lambda: self.now, lambda record: b'{"id":"%b"}' % record.id.encode(), self.draw)
        self.recorder.configure(Settings(parse_rules(when), **{"shelf": self.shelf, **settings}))

    def draw(self) -> float:
        return self.chance

    def begin(self, *, client: str | None = None, model: str = "gpt-5", number: int = 1) -> "Running":
        name = RequestId(f"req_{number}")
        record = Record(name, self.now, 1_700_000_000.5, client=ClientName(client) if client else None)
        record.model_asked, record.mount = model, "/v1/chat/completions"
        return Running(self, record, self.recorder.open_tape(record))


class Running:
    """One request. tape: None where it is not recorded."""

    def __init__(self, studio: Studio, record: Record, tape: RecordedTape | None) -> None:
        self._studio = studio
        self.record = record
        self.tape = tape

    def ask(self, request: UpstreamRequest = ASKED, answer: Answer | None = ANSWER) -> RecordedTake:
        """One more attempt, answered after a tenth of a second."""
        assert self.tape is not None
        attempt = self.record.begin(ProviderName("up"), AccountName("main"), self._studio.now, "gpt-5")
        take = self.tape.open(attempt, request)
        if answer is not None:
            self._studio.now += 0.1
            take.answered(answer)
        return take

    def feed(self, take: RecordedTake, *reads: bytes) -> None:
        """A read every ten milliseconds."""
        for data in reads:
            self._studio.now += 0.01
            take.received(data)

    def finish(self, end: EndReason = EndReason.DONE, status: int = 200) -> None:
        self.record.close(end)
        self.record.status = status
        self._studio.recorder.observe(self.record)

    def run(self, *reads: bytes, end: EndReason = EndReason.DONE, fault: UpstreamFault | None = None) -> None:
        """One attempt from its beginning to its end."""
        if self.tape is None:
            self.record.begin(ProviderName("up"), None, self._studio.now)
        else:
            take = self.ask()
            self.feed(take, *reads)
            take.ended(fault)
        self.finish(end)


def read(pieces: Sequence[Piece]) -> Cassette:
    return parse_cassette(MAGIC + encode_pieces(pieces))
