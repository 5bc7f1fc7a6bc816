"""Accounts on a mount: asked once, but where nobody can have done anything yet."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.helpers.rawhttp import Reply, fetch
from tests.helpers.recorder import Seen
from tests.helpers.staff import LIMITED, Staff, name_accounts, provider, refuse, staffed


@asynccontextmanager
async def mounted(*names: str, **options: Any) -> AsyncIterator[Staff]:
    table = provider(*names) | options
    async with staffed({"up": table}, mounts={"/up": {"provider": "up", "auth": "none"}}) as staff:
        yield staff


async def ask_mount(staff: Staff, body: Any = None) -> Reply:
    return await fetch(staff.proxy.port, "/up/x", body=body)


async def test_a_mount_passes_a_limit_on_and_learns_of_it() -> None:
    async with mounted("a", "b") as staff:
        staff.says["a"] = LIMITED
        reply = await ask_mount(staff, {"x": 1})
        assert (reply.status, reply.headers["retry-after"]) == (429, "600")
        assert reply.headers["x-penstock-account"] == "a"
        assert (await ask_mount(staff, {"x": 1})).headers["x-penstock-account"] == "b"
        assert staff.asked == ["a", "b"]


async def test_a_mount_whose_accounts_are_all_limited_says_when() -> None:
    async with mounted("a") as staff:
        staff.says["a"] = LIMITED
        await ask_mount(staff)
        reply = await ask_mount(staff)
        assert reply.status == 429
        assert 598 <= int(reply.headers["retry-after"]) <= 600
        assert staff.asked == ["a"]


@pytest.mark.parametrize("body", [None, {"x": 1}], ids=["get", "post"])
async def test_a_mount_goes_on_where_nobody_has_listened(body: Any, dead_port: int) -> None:
    accounts = name_accounts("a", proxy=f"http://127.0.0.1:{dead_port}") | name_accounts("b")
    async with mounted(accounts=accounts) as staff:
        reply = await ask_mount(staff, body)
        assert (reply.status, reply.headers["x-penstock-account"]) == (200, "b")
        assert [attempt.error for attempt in (await staff.proxy.wait_record()).attempts] == ["upstream_proxy", ""]


@pytest.mark.parametrize("status", [401, 500, 503, 529])
async def test_a_mount_asks_once_and_passes_on_what_it_hears(status: int) -> None:
    async with mounted("a", "b") as staff:
        staff.says["a"] = refuse(status, "whatever")
        assert (await ask_mount(staff, {"x": 1})).status == status
        assert staff.asked == ["a"]
        assert await staff.list_held() == []


@pytest.mark.parametrize(("body", "asked"), [(None, ["a", "b"]), ({"x": 1}, ["a"])], ids=["get", "post"])
async def test_a_mount_asks_again_after_a_cut_only_what_changes_nothing(body: Any, asked: list[str]) -> None:
    async with mounted("a", "b") as staff:

        def cut(seen: Seen) -> bytes:
            for conversation in staff.upstream.open:
                conversation.transport.close()
            return b""

        staff.says["a"] = cut
        reply = await ask_mount(staff, body)
        assert (reply.status, staff.asked) == (200 if body is None else 502, asked)
