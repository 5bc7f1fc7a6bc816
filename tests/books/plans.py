"""What is asked of the proxy, thousands of times: a seeded mix of everything that can become of a request.

A `Plan` is one request and how its caller behaves. Its key is part of the model's name, which every book of it writes
down: the caller, the access line, the ledger and the upstream. Where the provider speaks the caller's own dialect the
header `x-demo` reaches it and tells it how to fail; where it does not, the provider is configured to.
"""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final
from urllib.parse import quote

CHAT: Final = "/v1/chat/completions"
VERSION: Final = "anthropic-version: 2023-06-01\r\n"
KIN: Final = ("openai-chat", "openai-responses", "anthropic", "gemini")
"""Dialects of clients that have a provider of their own here."""

PROVIDERS: Final = (*KIN, "glm", "openrouter", "code-assist")
ROLES: Final = {"assistant": "model"}
"""Gemini's words for them."""

CALLERS: Final = (*KIN, "openrouter", "ui-message")


class Leave(Enum):
    """When a caller goes: never, before its body is sent, after a moment, once so much of the answer was read, with the
    model's finish; or it stays, and the operator ends the request."""

    NEVER = "never"
    UPLOADING = "uploading"
    SOON = "soon"
    READING = "reading"
    FINISHED = "finished"
    KILLED = "killed"


@dataclass(frozen=True)
class Plan:
    """key: "" where no model is named. mark: what a caller reads before it acts; after: seconds before it leaves."""

    kind: str
    key: str
    target: str
    body: Any = None
    method: str = "POST"
    headers: str = ""
    caller: str = "alice"
    leave: Leave = Leave.NEVER
    mark: bytes = b""
    after: float = 0.0

    def encode(self) -> bytes:
        return (
            self.body if isinstance(self.body, bytes) else b"" if self.body is None else json.dumps(self.body).encode()
        )


@dataclass
class Maker:
    """Makes plans; `serial` counts them."""

    random: random.Random
    serial: int = 0
    made: list[Plan] = field(default_factory=list)

    def key(self, kind: str) -> str:
        self.serial += 1
        return f"{kind}-{self.serial:05d}"

    def text(self) -> str:
        """Of any length, so that no two requests cost the same; some make a model think, some call a tool."""
        words = ["water"] * self.random.randrange(1, 40)
        return " ".join([*words, self.random.choice(["", "", "", "think", "refuse", "weather"])])


def ask(
    dialect: str, model: str, text: str, *, stream: bool, limit: int = 20, before: str = "", **more: Any
) -> tuple[str, Any, str]:
    """Target, body and headers of a question in a caller's dialect. before: what was said until then, for a cache."""
    said = [("user", before), ("assistant", before), ("user", text)] if before else [("user", text)]
    plain = [{"role": role, "content": words} for role, words in said]
    if dialect == "openai-responses":
        return "/v1/responses", {"model": model, "input": plain, "stream": stream, "max_output_tokens": limit}, ""
    if dialect == "anthropic":
        return "/v1/messages", {"model": model, "messages": plain, "stream": stream, "max_tokens": limit}, VERSION
    if dialect == "gemini":
        verb = "streamGenerateContent?alt=sse" if stream else "generateContent"
        contents = [{"role": ROLES.get(role, role), "parts": [{"text": words}]} for role, words in said]
        body = {"contents": contents, "generationConfig": {"maxOutputTokens": limit}}
        return f"/v1beta/models/{quote(model)}:{verb}", body, ""
    if dialect == "ui-message":
        messages = [
            {"id": str(number), "role": role, "parts": [{"type": "text", "text": words}]}
            for number, (role, words) in enumerate(said)
        ]
        return "/api/chat", {"id": "1", "model": model, "messages": messages, "trigger": "submit-message"}, ""
    target = "/api" + CHAT if dialect == "openrouter" else CHAT
    return target, {"model": model, "messages": plain, "stream": stream, "max_tokens": limit, **more}, ""


def _with_usage(make: Maker) -> dict[str, Any]:
    options = make.random.choice([None, None, {"include_usage": True}, {"include_usage": False}, {}])
    return {} if options is None else {"stream_options": options}


def _tell(dialect: str) -> bytes:
    """What stands in an answer once its first words are there."""
    return {"anthropic": b"text_delta", "gemini": b'"text"', "openai-responses": b"output_text.delta"}.get(
        dialect, b'"content":"H'
    )


def succeed(make: Maker) -> Plan:
    """Any caller, any provider, streamed or whole."""
    pick = make.random.choice
    dialect, provider = pick(CALLERS), pick(PROVIDERS)
    key, stream = make.key("ok"), dialect == "ui-message" or pick([True, True, False])
    more = _with_usage(make) if stream and dialect == "openai-chat" else {}
    more["before"] = pick(["", "", "wheel " * make.random.randrange(1, 30)])
    limit = make.random.randrange(16, 40)
    target, body, headers = ask(dialect, f"{provider}/{key}", make.text(), stream=stream, limit=limit, **more)
    return Plan("ok", key, target, body, headers=headers, caller=pick(["alice", "bob"]))


def succeed_oddly(make: Maker) -> Plan:
    """The provider writes as few do."""
    wishes = ["slice=1", "eol=crlf", "eol=cr", "giant=70000", "length=1", "eof=1", "gzip=1"]
    return _fail(make, "odd", "{dialect}/{key}-\u00e9\u20ac", make.random.choice(wishes))


def _fail(make: Maker, kind: str, model: str, wishes: str, dialects: tuple[str, ...] = KIN, **how: Any) -> Plan:
    dialect = make.random.choice(dialects)
    key = make.key(kind)
    stream = how.pop("stream", True)
    name = model.format(dialect=dialect, key=key)
    more = {name: how.pop(name) for name in ("limit", "stream_options") if name in how}
    target, body, headers = ask(dialect, name, "water " * make.random.randrange(1, 9), stream=stream, **more)
    mark = how.pop("mark", None)
    mark = _tell(dialect) if mark is None else mark
    return Plan(kind, key, target, body, headers=f"{headers}x-demo: {wishes}\r\n", mark=mark, **how)


def go_on(make: Maker) -> Plan:
    """The first provider fails before it has said anything, the next one answers."""
    wishes = make.random.choice(["status=500", "status=503", "cut_after=0", "reset_after=1", "error_after=0"])
    stream = make.random.choice([True, False])
    return _fail(make, "fo", "{key}", wishes, ("openai-chat",), stream=stream)


def go_round(make: Maker) -> Plan:
    """The first target is one that never answers well, whoever asks: limited, dead, or too slow."""
    kind = make.random.choice(["limited", "dead", "slow"])
    return _fail(make, kind, "{key}", "", stream=make.random.choice([True, False]))


def hedge(make: Maker) -> Plan:
    """The first provider takes its time, and a second one is asked beside it."""
    return _fail(make, "hd", "{key}", f"delay={make.random.choice(['100ms', '600ms'])}", ("openai-chat",))


def rescue(make: Maker) -> Plan:
    """The answer breaks off, and another provider goes on with it."""
    return _fail(make, "rs", "{key}", f"cut_after={make.random.randrange(4, 15)}", ("openai-chat",))


def cut(make: Maker) -> Plan:
    """The answer breaks off, fails or ends too early, and nobody goes on."""
    fault = make.random.choice(["cut_after", "reset_after", "error_after", "end_after", "cut_bytes"])
    count = make.random.randrange(6, 18) * (150 if fault == "cut_bytes" else 1)
    return _fail(make, "cut", "{dialect}/{key}", f"{fault}={count}")


def end_late(make: Maker) -> Plan:
    """Only the end mark is missing."""
    return _fail(make, "late", "{dialect}/{key}", "no_done=1")


def stall(make: Maker) -> Plan:
    """Nothing comes any more: the proxy's own clocks end it."""
    kind, wishes = make.random.choice([("ttft", "stall=60s"), ("progress", "stall_after=8")])
    return _fail(make, kind, "{key}", wishes, ("openai-chat",))


def leave_early(make: Maker) -> Plan:
    """The caller goes while the upstream has not answered, or has sent a head and no more."""
    wishes = make.random.choice(["accept_only=1", "delay=30s", "stall=60s"])
    return _fail(make, "gone", "{dialect}/{key}", wishes, leave=Leave.SOON, after=make.random.uniform(0.1, 0.5))


def leave_reading(make: Maker) -> Plan:
    count = make.random.randrange(6, 12)
    return _fail(make, "gone", "{dialect}/{key}", f"stall_after={count}", leave=Leave.READING)


def leave_finished(make: Maker) -> Plan:
    """The caller has all that it wants and does not wait for the end. Its provider says usage, and then nothing."""
    stalls = {"openai-chat": 3 + 6, "anthropic": 5 + 6}  # words, and what stands around them but for the end mark
    dialect = make.random.choice(list(stalls))
    marks = {"openai-chat": b'"usage":{', "anthropic": b'"stop_reason":"max_tokens"'}
    wishes = f"stall_after={stalls[dialect]}"
    how = {"leave": Leave.FINISHED, "limit": 6, "mark": marks[dialect]}
    if dialect == "openai-chat":
        how["stream_options"] = {"include_usage": True}
    return _fail(make, "fin", "{dialect}/{key}", wishes, (dialect,), **how)


def leave_draining(make: Maker) -> Plan:
    """The caller goes, with the first words or with the finish, and the proxy reads on for the usage."""
    mark = make.random.choice([None, b'"finish_reason":"'])
    return _fail(make, "dr", "{key}", "pace=5ms", ("openai-chat",), leave=Leave.READING, mark=mark)


def leave_uploading(make: Maker) -> Plan:
    return Plan("gone", "", CHAT, {"model": "openai-chat/x", "messages": []}, leave=Leave.UPLOADING)


def kill(make: Maker) -> Plan:
    return _fail(make, "kill", "{dialect}/{key}", "stall_after=8", leave=Leave.KILLED)


def refuse(make: Maker) -> Plan:
    """By the proxy, or by the provider for what the request asks."""
    pick, key = make.random.choice, make.key("no")
    target, body, _ = ask("openai-chat", f"openai-chat/{key}", "hi", stream=True)
    wrong: list[Callable[[], Plan]] = [
        lambda: Plan("no", key, target, body, caller="nobody"),
        lambda: Plan("no", "", target, {**body, "model": key}),
        lambda: Plan("no", "", target, b'{"model":'),
        lambda: Plan("no", key, target, {**body, "temperature": "hot"}),
        lambda: Plan("no", key, target, {**body, "model": f"anthropic/{key}", "messages": 5}),
        lambda: Plan("no", key, target, body, headers="x-demo: status=400\r\n"),
        lambda: Plan("no", key, target, body, headers="x-demo: status=404\r\n"),
        lambda: Plan("no", "", "/nothing/here", method="GET"),
        lambda: Plan("no", "", CHAT, method="GET"),
        lambda: Plan("no", key, target, body, caller="carol"),
    ]
    return pick(wrong)()


def mount(make: Maker) -> Plan:
    """Byte for byte: a clock, an answer that is nobody's business, and their faults."""
    pick = make.random.choice
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": pick([True, False])}
    plans = [
        Plan("mount", "", f"/m/clock?n={make.random.randrange(1, 20)}&every=0", method="GET"),
        Plan("mount", "", f"/m{CHAT}?pace=0", body),
        Plan("mount", "", "/m/clock?every=0&cut_after=7", method="GET"),
        Plan("mount", "", "/m/clock?every=0&n=9&stall_after=5", method="GET", leave=Leave.READING, mark=b"data"),
        Plan("mount", "", "/m/nothing", method="GET"),
        Plan("mount", "", "/m/clock?accept_only=1", method="GET", leave=Leave.SOON, after=0.05),
        Plan("mount", "", "/m/clock?every=0&stall_after=3", method="GET", leave=Leave.KILLED, mark=b"data"),
    ]
    return pick(plans)


def look(make: Maker) -> Plan:
    """What costs nothing."""
    count = {"model": "anthropic/x", "messages": [{"role": "user", "content": "hi"}]}
    plans = [
        Plan("look", "", "/v1/models", method="GET"),
        Plan("look", "", "/v1/messages/count_tokens", count, headers=VERSION),
        Plan("look", "", "/v1/messages/count_tokens", {**count, "model": "openai-chat/x"}, headers=VERSION),
        Plan("look", "", "/healthz", method="GET"),
        Plan("look", "", CHAT, method="HEAD"),
        Plan("look", "", CHAT, method="OPTIONS"),
        Plan("look", "", "/", method="GET", headers="Bad Field: 1\r\n"),
        Plan("look", "", CHAT, {"model": "openai-chat/half-\ud800", "messages": []}),
        Plan("look", "", "/v1/embeddings", {"model": "openai-chat/x", "input": "hi"}),
    ]
    return make.random.choice(plans)


MIX: Final[dict[Callable[[Maker], Plan], int]] = {
    succeed: 53, succeed_oddly: 2, go_on: 7, go_round: 5, hedge: 1, rescue: 3, cut: 7, end_late: 2, stall: 1,
    leave_early: 4, leave_reading: 3, leave_finished: 2, leave_draining: 1, leave_uploading: 1, kill: 2, refuse: 6,
    mount: 7, look: 3,
}  # fmt: skip
"""How many of each kind in about a hundred requests."""


def build_plans(count: int, seed: int) -> Iterator[Plan]:
    """The same ones for the same seed; of every kind as many as are its due."""
    make, total = Maker(random.Random(seed)), sum(MIX.values())
    kinds = [kind for kind, share in MIX.items() for _ in range(max(count * share // total, 1))]
    kinds += [succeed] * (count - len(kinds))
    make.random.shuffle(kinds)
    for kind in kinds:
        yield kind(make)
