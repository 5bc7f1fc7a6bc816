"""Log lines: what stands in them, that they stay lines, and that nothing foreign gets in."""

import asyncio
import io
import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from proxy.dialects.events import Usage
from proxy.ops import log, messages
from proxy.relay.outcome import Attempt, EndReason, Phase, Record
from proxy.types import AccountName, ClientName, ProviderName, RequestId


def build_record(**fields: Any) -> Record:
    record = Record(
        RequestId("req_1"), 0.0, 1_700_000_000.25, method="GET", remote="127.0.0.1", mount="/up", status=200
    )
    for name, value in fields.items():
        setattr(record, name, value)
    return record


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_line_holds_what_is_known_and_leaves_out_what_is_not() -> None:
    fields = log.build_fields(build_record(end=EndReason.DONE, first_byte=0.01234, duration=2.0), "info")
    assert fields == {
        "level": "info", "ts": "2023-11-14T22:13:20.250Z", "request_id": "req_1", "remote": "127.0.0.1",
        "method": "GET", "route": "/up", "status": 200, "end_reason": "done", "ttfb_ms": 12.3, "duration_ms": 2000.0,
        "bytes_up": 0, "bytes_down": 0, "events": 0, "attempts": 0,
    }  # fmt: skip


def test_the_phase_tells_where_a_client_was_lost_and_only_that() -> None:
    lost = build_record(end=EndReason.CLIENT_GONE, phase=Phase.WAITING)
    assert log.build_fields(lost, "info")["phase"] == "waiting"
    assert "phase" not in log.build_fields(build_record(end=EndReason.DONE, phase=Phase.ENDED), "info")


def test_everything_that_can_be_known_is_written() -> None:
    record = build_record(
        door="admin", client=ClientName("dev"), dialect="raw", provider=ProviderName("up"), error="upstream_cut",
        detail="ClientOSError", heartbeats=2, tap_failed=True, attempts=[Attempt(ProviderName("up"), None)],
        end=EndReason.UPSTREAM_CUT, events=3,
    )  # fmt: skip
    fields = log.build_fields(record, "warning")
    for name, value in {"door": "admin", "client": "dev", "provider": "up", "error": "upstream_cut", "heartbeats": 2,
                        "detail": "ClientOSError", "tap_failed": True, "attempts": 1, "events": 3}.items():  # fmt: skip
        assert fields[name] == value


def test_what_a_request_has_cost_is_told_by_kind_and_by_whose_word() -> None:
    usage = Usage(10, 4, 2, 30, 20)
    record = build_record(usage=usage, usage_source="reported", cost=0.25, finish="stop")
    fields = log.build_fields(record, "info")
    wanted = {"tokens_in": 10, "tokens_cached": 4, "tokens_cache_write": 2, "tokens_out": 30, "tokens_reasoning": 20}
    for name, value in {**wanted, "usage_source": "reported", "cost": 0.25, "finish": "stop"}.items():
        assert fields[name] == value


@pytest.mark.parametrize("form", ["json", "logfmt", "text"])
async def test_half_a_character_costs_no_line(form: str) -> None:
    """A JSON string can hold one, and a caller's may be the name of a model."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, "utf-8", errors="backslashreplace")  # as standard error is
    access = log.AccessLog(form, "info", stream, {})
    access.write(build_record(model_asked="openai/\ud800"))
    access.flush()
    stream.flush()
    assert b"openai/\\ud800" in raw.getvalue().replace(b"\\\\", b"\\")


FAILED = Attempt(ProviderName("up"), AccountName("a"), 0.25, 429, "", "gpt-5", 0.0, "account")
WON = Attempt(ProviderName("other"), None, 0.5, 200, "", "", 0.3, "won")


def test_several_attempts_are_told_one_by_one() -> None:
    record = build_record(attempts=[FAILED, WON], ttft=1.5, rescues=1, hedges=2)
    line = json.loads(log.encode_json(log.build_line(record, "info")))
    assert (line["attempts"], line["ttft_ms"], line["rescues"], line["hedges"]) == (2, 1500.0, 1, 2)
    assert line["trail"] == [
        {"provider": "up", "account": "a", "model": "gpt-5", "at_ms": 0.0, "ms": 250.0, "status": 429,
         "outcome": "account"},
        {"provider": "other", "at_ms": 300.0, "ms": 500.0, "status": 200, "outcome": "won"},
    ]  # fmt: skip


@pytest.mark.parametrize("form", ["logfmt", "text"])
async def test_for_people_an_attempt_is_a_word(form: str) -> None:
    stream = io.StringIO()
    access = log.AccessLog(form, "info", stream, {})
    access.write(build_record(attempts=[FAILED, WON]))
    access.flush()
    assert ' trail="up/a:gpt-5@0+250ms:429:account other@300+500ms:200:won"' in stream.getvalue()


def test_a_request_that_went_well_at_once_has_no_trail() -> None:
    fields = log.build_fields(build_record(attempts=[WON]), "info")
    assert fields.keys().isdisjoint({"trail", "ttft_ms", "rescues", "hedges"})


@pytest.mark.parametrize(
    ("end", "level"),
    [
        (EndReason.DONE, "info"),
        (EndReason.CLIENT_GONE, "info"),
        (EndReason.REFUSED, "info"),
        (EndReason.UPSTREAM_CUT, "warning"),
        (EndReason.WRITE_STALL, "warning"),
        (EndReason.LIMIT, "warning"),
        (EndReason.ERROR, "error"),
        (EndReason.KILLED, "error"),
    ],
)
async def test_how_a_request_ended_decides_the_level_of_its_line(end: EndReason, level: str) -> None:
    stream = io.StringIO()
    access = log.AccessLog("json", "info", stream, {})
    access.write(build_record(end=end))
    access.flush()
    assert json.loads(stream.getvalue())["level"] == level


async def test_lines_below_the_level_are_not_written() -> None:
    stream = io.StringIO()
    access = log.AccessLog("json", "warning", stream, {})
    access.write(build_record(end=EndReason.DONE))
    access.write(build_record(end=EndReason.IDLE))
    access.flush()
    assert len(stream.getvalue().splitlines()) == 1


async def test_lines_are_gathered_and_written_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "FLUSH_AFTER", 0.001)
    written = asyncio.Event()

    class Stream(io.StringIO):
        def flush(self) -> None:
            written.set()

    stream = Stream()
    access = log.AccessLog("logfmt", "info", stream, {})
    for _ in range(3):
        access.write(build_record(end=EndReason.DONE))
    assert stream.getvalue() == ""
    async with asyncio.timeout(5):
        await written.wait()
    assert len(stream.getvalue().splitlines()) == 3


async def test_a_stream_that_fails_loses_lines_and_no_request() -> None:
    stream = io.StringIO()
    access = log.AccessLog("json", "info", stream, {})
    access.write(build_record(end=EndReason.DONE))
    stream.close()
    access.flush()


@pytest.mark.parametrize("form", ["json", "logfmt", "text"])
async def test_nothing_from_outside_begins_a_line(form: str) -> None:
    stream = io.StringIO()
    access = log.AccessLog(form, "info", stream, {})
    access.write(build_record(end=EndReason.DONE, mount='/a"b\r\n<0>forged\x1b[2J\u2028=', detail=""))
    access.flush()
    line = stream.getvalue()
    assert line.count("\n") == 1
    assert line.endswith("\n")
    assert len(line.splitlines()) == 1 or form == "json"
    assert "\x1b" not in line
    if form == "json":
        assert json.loads(line)["route"].startswith('/a"b\r\n')


def test_logfmt_quotes_what_would_be_misread() -> None:
    line = log.encode_logfmt({"a": "x", "b": "x y", "c": 'x"y', "d": "a=b", "e": "", "f": True, "g": 1.5})
    assert line == 'a=x b="x y" c="x\\"y" d="a=b" e="" f=true g=1.5'


def test_text_puts_first_what_people_look_for() -> None:
    fields = {"level": "info", "ts": "2023-11-14T22:13:20.250Z", "logger": "penstock", "message": "up\n", "a": 1}
    assert log.encode_text(fields) == "22:13:20.250 info    up\\n a=1"


def test_auto_is_text_for_people_and_json_for_machines() -> None:
    assert log.choose_format("auto", Terminal()) == "text"
    assert log.choose_format("auto", io.StringIO()) == "json"
    assert log.choose_format("logfmt", Terminal()) == "logfmt"


async def test_under_the_journal_a_line_begins_with_its_priority(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w+") as stream:
        stat = os.fstat(stream.fileno())
        access = log.AccessLog("logfmt", "info", stream, {"JOURNAL_STREAM": f"{stat.st_dev}:{stat.st_ino}"})
        access.write(build_record(end=EndReason.DONE))
        access.write(build_record(end=EndReason.IDLE))
        access.flush()
        stream.seek(0)
        assert [line[:3] for line in stream] == ["<6>", "<4>"]


@pytest.mark.parametrize("journal", ["", "1:2"])
async def test_elsewhere_it_does_not(journal: str, tmp_path: Path) -> None:
    with (tmp_path / "log").open("w+") as real:
        for stream in (io.StringIO(), real):
            access = log.AccessLog("logfmt", "info", stream, {"JOURNAL_STREAM": journal})
            access.write(build_record(end=EndReason.DONE))
            access.flush()
            stream.seek(0)
            assert stream.read(6) == "level="


@pytest.fixture
def clean_logging() -> Iterator[None]:
    root, own = logging.getLogger(), logging.getLogger("penstock")
    before = (root.handlers[:], root.level, own.level, logging.raiseExceptions)
    yield
    root.handlers[:], level, own_level, logging.raiseExceptions = before
    root.setLevel(level)
    own.setLevel(own_level)


@pytest.mark.usefixtures("clean_logging")
def test_our_own_messages_are_written_whole() -> None:
    stream = io.StringIO()
    log.set_up("json", "info", stream, {})
    messages.announce(["http://127.0.0.1:1", "unix:/x"], ["http://127.0.0.1:2"])
    logging.getLogger("penstock.edge").debug("not this")
    first, line = (json.loads(text) for text in stream.getvalue().splitlines())
    assert first["message"] == "console on http://127.0.0.1:2"
    assert line["message"] == "listening on http://127.0.0.1:1, unix:/x"
    assert (line["level"], line["logger"]) == ("info", "penstock")


@pytest.mark.usefixtures("clean_logging")
def test_of_others_only_who_spoke_and_where_something_broke_is_written() -> None:
    stream = io.StringIO()
    log.set_up("json", "info", stream, {})
    try:
        raise ValueError("sk-secret")
    except ValueError as error:
        logging.getLogger("aiohttp.server").error("secret %s", "sk-secret", exc_info=error)
        logging.getLogger("penstock.edge").error("unexpected", exc_info=error, extra={"request_id": "req_9"})
    logging.getLogger("aiohttp.server").info("not even this")
    foreign, own = (json.loads(line) for line in stream.getvalue().splitlines())
    assert "sk-secret" not in stream.getvalue()
    assert foreign["message"] == "error from aiohttp.server"
    assert foreign["exception"] == "ValueError"
    assert foreign["at"].startswith("test_log.py:")
    assert own["request_id"] == "req_9"


@pytest.mark.usefixtures("clean_logging")
def test_a_name_that_only_begins_like_ours_is_foreign() -> None:
    stream = io.StringIO()
    log.set_up("text", "info", stream, {})
    logging.getLogger("penstockish").error("secret")
    assert "secret" not in stream.getvalue()


async def test_who_only_looks_leaves_no_line_at_info() -> None:
    stream = io.StringIO()
    access = log.AccessLog("json", "info", stream, {})
    for method, status in (("GET", 200), ("HEAD", 200), ("GET", 401), ("POST", 200)):
        access.write(build_record(door="admin", method=method, status=status))
    access.flush()
    told = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(line["method"], line["status"]) for line in told] == [("GET", 401), ("POST", 200)]
