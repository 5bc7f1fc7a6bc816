"""`penstock show`: a cassette for people, for programs, and as the bytes that it was made of."""

import json
from pathlib import Path

import pytest

from proxy.cli import main
from proxy.wire.cassette import About, Asked, Cassette, End, Take, build_cassette
from tests.helpers.cassettes import build_take

TEXT = b'data: {"id":"c1","model":"gpt-5","choices":[{"delta":{"content":"Hi \\u001b[31m"}}]}\n\n'
END = b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
ASKED = Asked("openai", "main", "gpt-5", "openai-chat", "POST", "/v1/chat/completions")
TAKES = [
    build_take(number=1, asked=ASKED, head=None, answered=None, end=End("failed", "upstream_refused"), ended=0.01),
    build_take((0.52, TEXT), (0.6, END), number=2, asked=ASKED, begun=0.25, answered=0.5, ended=0.61),
]


def show(tmp_path: Path, *arguments: str, takes: list[Take] | None = None, outcome: bool = True) -> int:
    told: dict[str, object] | None = {"status": 200, "end_reason": "done", "attempts": 2} if outcome else None
    about = About("req_1", 0.0, "alice", "/v1/chat/completions", "openai-chat", "gpt")
    (tmp_path / "x.cassette").write_bytes(build_cassette(Cassette(about, takes or TAKES, told)))
    return main(["show", str(tmp_path / "x.cassette"), *arguments])


def test_people_read_events_and_gaps(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert show(tmp_path) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:14] == [
        "req_1  client alice  route /v1/chat/completions  dialect openai-chat  model gpt",
        "status 200  end_reason done",
        "",
        "take 1: openai/main gpt-5 at 0.0 ms: POST /v1/chat/completions",
        "+  0.010s  end: failed upstream_refused",
        "",
        "take 2: openai/main gpt-5 at 250 ms: POST /v1/chat/completions",
        f"+  0.250s  head: status 200, 2 reads, {len(TEXT + END)} bytes, complete",
        "    Content-Type: text/event-stream",
        "    Transfer-Encoding: chunked",
        "+  0.270s  start gpt-5 c1 · text 'Hi \\x1b[31m'",
        '+  0.080s  {"choices":[{"delta":{},"finish_reason":"stop"}]}',
        "+  0.000s  finish stop (stop)",
        "+  0.010s  end: complete",
    ]
    assert lines[15] == "1 gap: median 80 ms, 90 % up to 80 ms, longest 80 ms"


def test_one_take_raw(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert show(tmp_path, "--take", "2", "--raw") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[7].startswith('+  0.270s  {"id":"c1"')
    assert not any(line.startswith("take 1") for line in lines)


def test_programs_read_an_object_per_event(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert show(tmp_path, "--json") == 0
    first, *_ = map(json.loads, capsys.readouterr().out.splitlines())
    assert first["means"] == ["start gpt-5 c1", "text 'Hi \\x1b[31m'"]
    assert {name: first[name] for name in ("take", "at_ms", "gap_ms", "bytes", "type")} == {
        "take": 2, "at_ms": 270.0, "gap_ms": 270.0, "bytes": len(TEXT), "type": "message",
    }  # fmt: skip


def test_the_body_is_its_bytes(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert show(tmp_path, "--body") == 0
    assert capfdbinary.readouterr().out == TEXT + END


def test_a_long_event_is_cut_and_whole_with_raw(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    take = build_take((0.1, b"event: tick\ndata: " + b"x" * 2000 + b"\n\n"))
    assert show(tmp_path, takes=[take]) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) < 450
    assert show(tmp_path, "--raw", takes=[take]) == 0
    assert "x" * 2000 in capsys.readouterr().out


def test_a_recording_that_broke_off_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert show(tmp_path, takes=[build_take((0.1, TEXT), end=None)], outcome=False) == 0
    assert "the recording broke off" in capsys.readouterr().out


def test_nothing_drives_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hostile = b"event: \x1b[31m\ndata: \x1b]0;x\x07\ndata: \xe2\x80\xae\n\n"
    take = build_take((0.1, hostile), asked=Asked("up\x1b[1m", target="/\x1b"), end=End("failed", "\x1b", "\x9b"))
    for arguments in ((), ("--raw",), ("--json",)):
        assert show(tmp_path, *arguments, takes=[take]) == 0
        out = capsys.readouterr().out
        assert all(char.isprintable() or char == "\n" for char in out)


def test_a_take_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert show(tmp_path, "--take", "9") == 1
    assert "there is no take 9; it has 2" in capsys.readouterr().err
