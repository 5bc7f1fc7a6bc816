"""The admin routes of the recorder: the last failed streams, each to be had as a cassette, and what is recorded now.

`GET /failures` lists them with their log lines, `GET /failures/{id}` is one; `GET /record` says what is recorded, and
`POST /record` asks for a while of it, or with `seconds` 0 for no more. What was said is in a cassette only where the
console may show it; otherwise it has moments and lengths.
"""

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from aiohttp import web

from proxy.config.syntax import check_name, check_pattern
from proxy.edge.downstream import WholeAnswer
from proxy.ops.admin import PLACES, PRIVATE, Routes, build_json
from proxy.ops.admin_body import Rejected, read_object
from proxy.relay.record_rules import Wish
from proxy.relay.recording import Failed, Recorder
from proxy.store.cassettes import CassetteShelf
from proxy.wire.cassette import SUFFIX

LONGEST: Final = 24 * 3600.0
"""Seconds that may be recorded at a time: what is to last longer belongs into the configuration."""

_BAD: Final = 'The body must be {"seconds": N}, with "client" and "model" (which may hold *) or without.'

_LOG = logging.getLogger("penstock.admin")


class FailureView(msgspec.Struct, frozen=True):
    """cassette: where it is to be had. line: the request's log line."""

    id: str
    cassette: str
    line: msgspec.Raw


class WishView(msgspec.Struct, frozen=True):
    client: str | None
    model: str | None
    seconds_left: float


class RecordView(msgspec.Struct, frozen=True):
    """rules: as configured. directory: "" for none. recording: requests under way. kept, lost: since the start. files,
    bytes: in the directory."""

    rules: list[str]
    wishes: list[WishView]
    directory: str
    ring: int
    recording: int
    kept: int
    lost: int
    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Recording:
    """What is configured now. content: what was said may be seen by who reaches the listener. clients: their names."""

    rules: tuple[str, ...] = ()
    shelf: CassetteShelf | None = None
    content: bool = False
    clients: frozenset[str] = frozenset()


def build_recorder_routes(recorder: Recorder, read: Callable[[], Recording], now: Callable[[], float]) -> Routes:
    """now: the recorder's clock."""

    async def show_failures(request: web.BaseRequest) -> web.StreamResponse:
        return build_json({"failures": [_view_failure(failed) for failed in recorder.list_failures()]})

    async def give_cassette(request: web.BaseRequest) -> web.StreamResponse:
        failed = recorder.find_failure(request[PLACES]["id"])
        if failed is None:
            raise Rejected(404, "unknown_failure", "No failed stream of this id is remembered.")
        name = f'attachment; filename="{failed.id}{SUFFIX}"'.encode()
        fields = [
            (b"Content-Type", b"application/octet-stream"), (b"Content-Disposition", name), *PRIVATE,
        ]  # fmt: skip
        return WholeAnswer(200, fields, failed.encode(content=read().content))

    async def show_record(request: web.BaseRequest) -> web.StreamResponse:
        return build_json(_view(recorder, read(), now()))

    async def ask_for_record(request: web.BaseRequest) -> web.StreamResponse:
        seconds, client, model = _read_wish(await read_object(request))
        recording = read()
        if recording.shelf is None:
            raise Rejected(409, "no_directory", "There is no directory to record to: set [record] directory.")
        if client is not None and client not in recording.clients:
            raise Rejected(404, "unknown_client", "No client of this name is configured.")
        if not seconds:
            recorder.clear_wishes()
            _LOG.info("recording on request ended by hand")
        elif not recorder.add_wish(seconds, client, model):
            raise Rejected(409, "too_many", "Too much is being recorded on request already.")
        else:
            _LOG.info("recording for %g s, asked by hand: client %s, model %s", seconds, client or "*", model or "*")
        return build_json(_view(recorder, recording, now()))

    return {
        "/failures": {"GET": show_failures},
        "/failures/{id}": {"GET": give_cassette},
        "/record": {"GET": show_record, "POST": ask_for_record},
    }


def _view_failure(failed: Failed) -> FailureView:
    return FailureView(failed.id, f"/failures/{failed.id}", msgspec.Raw(failed.line))


def _view(recorder: Recorder, recording: Recording, now: float) -> RecordView:
    shelf = recording.shelf
    state = shelf.read_state() if shelf is not None else None
    return RecordView(
        rules=list(recording.rules),
        wishes=[_view_wish(wish, now) for wish in recorder.list_wishes()],
        directory=str(shelf.directory) if shelf is not None else "",
        ring=recorder.settings.ring,
        recording=recorder.recording,
        kept=state.kept if state else 0,
        lost=state.lost if state else 0,
        files=state.files if state else 0,
        bytes=state.bytes if state else 0,
    )


def _view_wish(wish: Wish, now: float) -> WishView:
    return WishView(wish.client, wish.model, round(max(0.0, wish.until - now), 1))


def _read_wish(body: dict[str, Any]) -> tuple[float, str | None, str | None]:
    seconds, client, model = body.get("seconds"), body.get("client"), body.get("model")
    try:
        if body.keys() - {"seconds", "client", "model"} or isinstance(seconds, bool):
            raise ValueError
        if not isinstance(seconds, int | float) or not (math.isfinite(seconds) and 0 <= seconds <= LONGEST):
            raise ValueError
        return float(seconds), _check(client, check_name), _check(model, check_pattern)
    except (ValueError, OverflowError):
        raise Rejected(400, "bad_wish", _BAD) from None


def _check(value: object, check: Callable[[str], str]) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError
    return check(value)
