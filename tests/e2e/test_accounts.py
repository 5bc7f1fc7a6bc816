"""Several accounts: who is asked, what is held against whom, and what a caller hears when nobody is left."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from proxy.relay.outcome import EndReason
from proxy.store.sqlite import SqliteStore
from tests.helpers.command import ran
from tests.helpers.models import build_reply
from tests.helpers.recorder import recorder
from tests.helpers.staff import LIMITED, Staff, name_accounts, provider, refuse, staffed

DAYS = 18 * 86400
SPENT = refuse(429, "insufficient_quota")
BAD_KEY = refuse(401, "invalid_api_key", message="no such key")
BAD_REQUEST = refuse(400, "invalid_request_error", message="what is this")
OVERLOADED = refuse(529, "overloaded_error")


@asynccontextmanager
async def pair(**config: Any) -> AsyncIterator[Staff]:
    """Accounts `a` and `b`; `a` is asked first, as long as it may be."""
    async with staffed({"up": provider("a", "b")}, **config) as staff:
        yield staff


# What one account says, and who is asked next.


@pytest.mark.parametrize(
    ("refusal", "state", "why"),
    [
        (refuse(429, "rate_limit_exceeded", "Retry-After: 30"), "cooling", "rate_limit"),
        (refuse(429, "rate_limit_exceeded"), "cooling", "rate_limit"),
        (SPENT, "cooling", "quota"),
        (BAD_KEY, "attention", "upstream_auth"),
    ],
    ids=["limited", "limited without a delay", "quota", "key"],
)
@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
async def test_the_next_account_answers_in_place_of_one_that_cannot(
    refusal: bytes, state: str, why: str, stream: bool
) -> None:
    async with pair() as staff:
        staff.says["a"] = refusal
        reply = await staff.ask(stream=stream)
        assert reply.status == 200
        assert b"lo" in reply.body
        assert (reply.headers["x-penstock-account"], reply.headers["x-penstock-attempts"]) == ("b", "2")
        await staff.ask(stream=stream)
        assert staff.asked == ["a", "b", "b"]
        (row, _) = (await staff.show())["up"]["accounts"]
        assert row["state"] == state
        assert [cooldown["why"] for cooldown in row["cooldowns"]] == [why]
        record = await staff.proxy.wait_record(1)
        assert [(a.account, a.status, a.error, a.outcome) for a in record.attempts] == [
            ("a", int(refusal[9:12]), why, "account"),
            ("b", 200, "", "won"),
        ]


async def test_a_delay_of_days_is_not_believed() -> None:
    async with pair(limits={"cooldown_max": "20m"}) as staff:
        staff.says["a"] = refuse(429, "rate_limit_exceeded", f"Retry-After: {DAYS}")
        await staff.ask()
        (row, _) = (await staff.show())["up"]["accounts"]
        assert 1100 < row["cooldowns"][0]["seconds_left"] <= 1200


@pytest.mark.parametrize("form", ["http", "stream"])
async def test_an_overload_is_the_service_s_and_locks_no_account(form: str) -> None:
    """Whether it is a status, or an event in an answer that began well."""
    providers = {"up": provider("a", "b", dialect="anthropic"), "other": provider("c")}
    event = b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"not now"}}\n\n'
    async with staffed(providers) as staff:
        staff.says["a"] = OVERLOADED if form == "http" else build_reply(event, kind="text/event-stream")
        reply = await staff.ask("claude")
        assert (reply.status, reply.headers["x-penstock-provider"]) == (200, "other")
        assert staff.asked == ["a", "c"]
        assert await staff.list_held() == [("provider", "")]
        assert await staff.read_states() == {"a": "open", "b": "open", "c": "open"}


async def test_accounts_behind_one_dead_proxy_blame_the_way_out(dead_port: int) -> None:
    accounts = name_accounts("a", "b", proxy=f"http://127.0.0.1:{dead_port}") | name_accounts("c")
    async with staffed({"up": provider() | {"accounts": accounts}}) as staff:
        assert (await staff.ask()).headers["x-penstock-account"] == "c"
        assert staff.asked == ["c"]
        record = await staff.proxy.wait_record()
        assert [(a.account, a.error) for a in record.attempts] == [("a", "upstream_proxy"), ("c", "")]
        assert await staff.list_held() == [("egress", f"127.0.0.1:{dead_port}")]
        assert set((await staff.read_states()).values()) == {"open"}


async def test_a_key_that_has_just_worked_is_not_blamed_for_one_request() -> None:
    async with pair() as staff:
        await staff.ask()
        staff.says["a"] = BAD_KEY
        assert (await staff.ask()).status == 200
        assert await staff.list_held() == []
        del staff.says["a"]
        await staff.ask()
        assert staff.asked == ["a", "a", "b", "a"]


@pytest.mark.parametrize("status", [400, 404, 422])
async def test_a_request_that_is_wrong_is_told_so_once_and_blames_nobody(status: int) -> None:
    async with staffed({"up": provider("a", "b"), "other": provider("c")}) as staff:
        staff.says["a"] = refuse(status, "invalid_request_error", message="what is this")
        reply = await staff.ask()
        assert (reply.status, reply.json["error"]["message"]) == (status, "what is this")
        assert staff.asked == ["a"]
        assert await staff.list_held() == []
        assert (await staff.proxy.wait_record()).end is EndReason.REFUSED


# Nobody is left.


@pytest.mark.parametrize("who", ["openai", "claude"])
@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
async def test_the_last_provider_s_own_error_comes_with_the_earliest_delay(who: str, stream: bool) -> None:
    async with staffed({"up": provider("a"), "other": provider("b")}) as staff:
        staff.says["a"] = refuse(429, "rate_limit_exceeded", "Retry-After: 90", message="the first one")
        staff.says["b"] = refuse(429, "rate_limit_exceeded", "Retry-After: 300", message="the last one")
        reply = await staff.ask(who, stream=stream)
        assert reply.status == 429
        assert reply.json["error"]["message"] == "the last one"
        assert 89 <= int(reply.headers["retry-after"]) <= 90
        assert reply.headers["x-should-retry"] == "false"
        assert reply.raw.lower().count(b"\nretry-after:") == 1
        assert staff.asked == ["a", "b"]
        again = await staff.ask(who, stream=stream)
        assert (again.status, again.headers["x-should-retry"]) == (429, "false")
        assert 88 <= int(again.headers["retry-after"]) <= 90
        assert staff.asked == ["a", "b"]
        assert (await staff.proxy.wait_record(2)).attempts == []


async def test_a_delay_of_less_than_a_minute_may_be_waited_for() -> None:
    async with staffed({"up": provider("a")}) as staff:
        staff.says["a"] = refuse(429, "rate_limit_exceeded", "Retry-After: 40")
        for _ in range(2):
            reply = await staff.ask()
            assert (reply.status, reply.headers["x-should-retry"]) == (429, "true")
            assert 38 <= int(reply.headers["retry-after"]) <= 40
        assert staff.asked == ["a"]


@pytest.mark.parametrize("who", ["openai", "claude", "gemini"])
async def test_accounts_that_all_need_attention_are_503(who: str, caplog: pytest.LogCaptureFixture) -> None:
    """And each is spoken of once in the log."""
    async with pair() as staff:
        staff.says |= {"a": BAD_KEY, "b": BAD_KEY}
        assert (await staff.ask(who)).status in (500, 502)  # and not 401, which would be about the caller's key
        second = await staff.ask(who)
        assert second.status == 503
        assert b"attention" in second.body
        assert staff.asked == ["a", "b"]
    said = [record.getMessage() for record in caplog.records if record.name == "penstock"]
    assert [text.split(":")[0].rpartition("/")[2] for text in said] == ["a needs attention", "b needs attention"]


async def test_a_model_that_no_account_serves_is_503() -> None:
    accounts = name_accounts("a", models=["other-*"])
    async with staffed({"up": provider() | {"accounts": accounts}}) as staff:
        assert (await staff.ask()).status == 503
        assert staff.asked == []


# A restart, and an operator.


async def test_cooldowns_outlive_a_restart_until_somebody_lifts_them(tmp_path: Path) -> None:
    file, table = tmp_path / "penstock.db", {"up": provider("a", "b")}
    async with recorder() as upstream:
        async with staffed(table, upstream=upstream, store=SqliteStore(file)) as staff:
            staff.says["a"] = LIMITED
            await staff.ask()
            assert staff.asked == ["a", "b"]
        async with staffed(table, upstream=upstream, store=SqliteStore(file)) as staff:
            assert await staff.read_states() == {"a": "cooling", "b": "open"}
            await staff.ask()
            assert staff.asked == ["b"]
            done = await ran("accounts", "--admin", f"127.0.0.1:{staff.proxy.admin_port}", "--clear", "up/a")
            assert (done.code, done.out) == (0, "1 cool-down lifted\n")
            await staff.ask()
            assert staff.asked == ["b", "a"]
        async with staffed(table, upstream=upstream, store=SqliteStore(file)) as staff:
            assert await staff.read_states() == {"a": "open", "b": "open"}


async def test_a_new_key_is_not_blamed_for_the_old_one_after_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "penstock.db"
    async with recorder() as upstream:
        async with staffed({"up": provider("a", "b")}, upstream=upstream, store=SqliteStore(file)) as staff:
            staff.says["a"] = BAD_KEY
            await staff.ask()
            assert await staff.read_states() == {"a": "attention", "b": "open"}
        accounts = {"a": name_accounts("new")["new"], **name_accounts("b")}
        table = provider() | {"accounts": accounts}
        async with staffed({"up": table}, upstream=upstream, store=SqliteStore(file)) as staff:
            staff.kinds = {"new": "openai"}
            assert await staff.read_states() == {"a": "open", "b": "open"}
            await staff.ask()
            assert staff.asked == ["new"]


async def test_an_account_that_is_cleared_serves_the_very_next_request() -> None:
    async with pair() as staff:
        staff.says |= {"a": LIMITED, "b": LIMITED}
        assert (await staff.ask()).status == 429
        staff.says.clear()
        assert (await staff.ask()).status == 429
        assert await staff.clear("up") == 2
        assert (await staff.ask()).status == 200
        assert staff.asked == ["a", "b", "a"]
