"""Records of finished requests, as the edge would hand them to whoever counts; only what a test is about is said."""

from typing import Any

from proxy.dialects.events import Usage
from proxy.relay.outcome import Attempt, EndReason, Record
from proxy.types import AccountName, ProviderName, RequestId
from proxy.usage.meter import REPORTED

UP = ProviderName("up")


def build_attempt(seconds: float = 0.5, started: float = 0.002, outcome: str = "won", **fields: Any) -> Attempt:
    told = {"provider": UP, "account": AccountName("a"), "status": 200, "model": "m1", **fields}
    return Attempt(seconds=seconds, started=started, outcome=outcome, **told)


def build_record(*attempts: Attempt, **fields: Any) -> Record:
    """A stream of a model route that went well: asked as `fast`, `m1` of `up` answered with ten events. Its head after
    0.51 seconds, over after 5.01."""
    told = {
        "method": "POST", "mount": "/v1/chat/completions", "dialect": "openai-chat", "provider": UP, "status": 200,
        "end": EndReason.DONE, "first_byte": 0.51, "ttft": 0.51, "duration": 5.01, "bytes_up": 100, "bytes_down": 1000,
        "events": 10, "model_asked": "fast", "model": "m1", "usage": Usage(input=20, output=30), "cost": 0.25,
        "usage_source": REPORTED, "attempts": list(attempts or (build_attempt(),)), **fields,
    }  # fmt: skip
    return Record(RequestId("req_1"), 0.0, 1.8e9, **told)


def build_whole(*attempts: Attempt, **fields: Any) -> Record:
    """An answer in one piece: its head is its end."""
    return build_record(*attempts, **{"first_byte": None, "ttft": None, "events": 0, **fields})


def build_mounted(*attempts: Attempt, **fields: Any) -> Record:
    """A mount's event stream; its attempt ends with the upstream's head and has no outcome."""
    told = {
        "mount": "/up", "dialect": "raw", "ttft": None, "model_asked": "", "model": "", "usage": None, "cost": None,
        "usage_source": "", **fields,
    }  # fmt: skip
    return build_record(*(attempts or (build_attempt(outcome="", model=""),)), **told)


def build_refused(**fields: Any) -> Record:
    """A request that came to no attempt."""
    told = {
        "status": 404, "end": EndReason.REFUSED, "error": "not_found", "provider": None, "first_byte": None,
        "ttft": None, "events": 0, "model": "", "usage": None, "cost": None, "usage_source": "", "attempts": [],
        **fields,
    }  # fmt: skip
    return build_record(**told)
