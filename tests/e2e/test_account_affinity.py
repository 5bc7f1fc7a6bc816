"""A conversation meets the same account each time: by its session's name, or by how it began."""

import itertools
from collections import Counter
from typing import Any

import pytest

from proxy.edge.sessions import HEADERS
from tests.helpers.staff import LIMITED, name_accounts, staffed


def converse(who: str, subject: str, turn: int) -> dict[str, Any]:
    """The `turn`-th request of a conversation about `subject`, with all that was said before."""
    said = [("user", f"tell me of {subject}")]
    for number in range(turn):
        said += [("assistant", f"well, {number}"), ("user", f"and {number}?")]
    if who == "gemini":
        roles = {"user": "user", "assistant": "model"}
        return {"contents": [{"role": roles[role], "parts": [{"text": text}]} for role, text in said]}
    messages = [{"role": role, "content": text} for role, text in said]
    if who == "responses":
        return {"input": messages, "instructions": "be kind"}
    if who == "openai":
        return {"messages": [{"role": "system", "content": "be kind"}, *messages]}
    return {"messages": messages, "system": "be kind"}


@pytest.mark.parametrize("who", ["openai", "responses", "claude", "gemini"])
async def test_a_conversation_stays_at_its_account(who: str) -> None:
    subjects = [f"subject {number}" for number in range(24)]
    async with staffed({"up": {"accounts": name_accounts("a", "b", "c", "d")}}) as staff:
        homes: dict[str, list[str]] = {}
        for turn, subject in itertools.product(range(4), subjects):
            reply = await staff.ask(who, stream=False, **converse(who, subject, turn))
            homes.setdefault(subject, []).append(reply.headers["x-penstock-account"])
        assert [set(seen) for seen in homes.values() if len(set(seen)) > 1] == []
        spread = Counter(seen[0] for seen in homes.values())
        assert set(spread) == {"a", "b", "c", "d"}, spread


@pytest.mark.parametrize("field", HEADERS)
async def test_a_session_s_name_counts_more_than_what_is_said(field: str) -> None:
    async with staffed({"up": {"accounts": name_accounts("a", "b", "c", "d")}}) as staff:
        for session, number in itertools.product(range(12), range(4)):
            await staff.ask(headers=f"{field}: s{session}\r\n", **converse("openai", f"{number}", 0))
        visits = [staff.asked[at : at + 4] for at in range(0, len(staff.asked), 4)]
        assert [len(set(visit)) for visit in visits] == [1] * 12
        assert len({visit[0] for visit in visits}) > 1


async def test_a_session_goes_elsewhere_while_its_account_cools_and_then_comes_back() -> None:
    async with staffed({"up": {"accounts": name_accounts("a", "b", "c", "d")}}) as staff:
        session = "x-session-id: 7\r\n"
        home = (await staff.ask(headers=session)).headers["x-penstock-account"]
        staff.says[home] = LIMITED
        away = [(await staff.ask(headers=session)).headers["x-penstock-account"] for _ in range(3)]
        assert home not in away
        assert len(set(away)) == 1
        del staff.says[home]
        assert await staff.clear(f"up/{home}") == 1
        assert (await staff.ask(headers=session)).headers["x-penstock-account"] == home
