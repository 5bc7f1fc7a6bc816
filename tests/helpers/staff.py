"""Several accounts in front of one upstream that tells them apart by their keys and answers each as a test says.

`staffed` runs a proxy whose providers all lead to one Recorder. `Staff.says` holds what an account answers, `asked` who
was asked, in order. An account is known by its name alone, so names are not to be used twice.
"""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from proxy.accounts.cooldown import StateStore
from tests.helpers.models import PROVIDERS, WHOLE, build, build_reply, encode
from tests.helpers.rawhttp import Reply, fetch
from tests.helpers.recorder import Recorder, Seen, recorder
from tests.helpers.service import RunningProxy, running

KEY = "key-of-account-"
Answer = bytes | Callable[[Seen], bytes]

_KINDS = {"openai-chat": "openai", "anthropic": "claude", "gemini": "gemini"}


def refuse(status: int, code: str = "", *fields: str, message: str = "not now") -> bytes:
    """An error in OpenAI's form, whose members Anthropic's has too."""
    error = {"message": message, "type": code or "error", "param": None, "code": code or None}
    return build_reply(encode({"type": "error", "error": error}), status, *fields)


LIMITED = refuse(429, "rate_limit_exceeded", "Retry-After: 600")


def find_account(seen: Seen) -> str:
    """Whose key a request shows, "" for none."""
    for name, value in seen.fields:
        if name in (b"authorization", b"x-api-key", b"x-goog-api-key") and KEY.encode() in value:
            return value.decode().rpartition(KEY)[2]
    return ""


@dataclass
class Staff:
    """An account of which nothing is said answers well, in its provider's dialect."""

    proxy: RunningProxy
    upstream: Recorder
    kinds: Mapping[str, str]
    says: dict[str, Answer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def ask(self, who: str = "openai", model: str = "m", *, headers: str = "", **more: Any) -> Reply:
        target, body = build(who, model, **more)
        if who == "gemini" and not body.pop("stream", True):
            target = target.replace("streamGenerateContent?alt=sse", "generateContent")
        return await fetch(self.proxy.port, target, body=body, headers=headers)

    async def show(self) -> Any:
        """What the admin listener says of the accounts, by provider."""
        reply = await fetch(self.proxy.admin_port, "/accounts")
        return {provider["provider"]: provider for provider in reply.json["providers"]}

    async def list_held(self) -> list[tuple[str, str]]:
        """Level and name of everything that is held against anybody."""
        shown = (await self.show()).values()
        rows = [*shown, *(row for provider in shown for row in provider["accounts"])]
        return [(held["level"], held.get("name", "")) for row in rows for held in row.get("cooldowns", ())]

    async def clear(self, name: str) -> int:
        """As an operator: lift what is held against a provider, or `provider/account`."""
        headers = "Content-Type: application/json\r\n"
        reply = await fetch(self.proxy.admin_port, "/accounts/clear", body={"name": name}, headers=headers)
        return int(reply.json["lifted"])

    async def read_states(self) -> dict[str, str]:
        """By account."""
        shown = await self.show()
        return {row["account"]: row["state"] for provider in shown.values() for row in provider["accounts"]}

    def answer(self, seen: Seen) -> bytes:
        account = find_account(seen)
        self.asked.append(account)
        said = self.says.get(account)
        if said is None:
            return answer_well(self.kinds[account], seen)
        return said if isinstance(said, bytes) else said(seen)


def answer_well(kind: str, seen: Seen) -> bytes:
    streamed = b"stream" in seen.target or json.loads(seen.body or b"{}").get("stream")
    return build_reply(PROVIDERS[kind].whole, kind="text/event-stream") if streamed else build_reply(WHOLE[kind])


def name_accounts(*names: str, **options: Any) -> dict[str, Any]:
    return {name: {"key": f"{KEY}{name}", **options} for name in names}


def provider(*names: str, **table: Any) -> dict[str, Any]:
    """Its first account is asked as long as it may be, then the next one."""
    return {"accounts": name_accounts(*names), "strategy": "fill-first", "affinity": "off", **table}


@asynccontextmanager
async def staffed(
    providers: Mapping[str, Mapping[str, Any]],
    *,
    upstream: Recorder | None = None,
    store: StateStore | None = None,
    **config: Any,
) -> AsyncIterator[Staff]:
    """providers: tables without an address, of OpenAI's dialect unless they say so. Model `m` leads to all of them in
    their order, unless `config` has models of its own. upstream: one that outlives the proxy."""
    async with AsyncExitStack() as stack:
        front = await stack.enter_async_context(recorder()) if upstream is None else upstream
        tables = {
            name: {"dialect": "openai-chat", "base_url": front.base_url, **table} for name, table in providers.items()
        }
        models = {"m": {"targets": [f"{name}/m1" for name in tables]}}
        kinds = {account: _KINDS[row["dialect"]] for row in tables.values() for account in row["accounts"]}
        config = {"providers": tables, "models": models, **config}
        staff = Staff(await stack.enter_async_context(running(config, store=store)), front, kinds)
        front.answer = staff.answer
        yield staff
        assert not front.malformed
