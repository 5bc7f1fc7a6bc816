"""What is shared about one request."""

import asyncio

import pytest

from proxy.dialects.registry import DIALECTS, RAW
from proxy.edge.scope import make_request_id
from proxy.relay.outcome import EndReason
from tests.helpers.edge import build_house, build_scope


def test_ids_are_short_safe_and_never_the_same() -> None:
    ids = {make_request_id() for _ in range(1000)}
    assert len(ids) == 1000
    for made in ids:
        assert len(made) == 28
        assert made.startswith("req_")
        assert made.replace("_", "").isalnum()


def test_the_dialect_is_the_mounts_and_raw_without_one() -> None:
    house = build_house("/up", dialect="anthropic")
    scope = build_scope(house)
    assert scope.dialect is RAW
    scope.mount = house.find_mount("/up")
    assert scope.dialect is DIALECTS["anthropic"]


def test_fields_that_have_served_are_forgotten_and_the_rest_of_the_head_stays() -> None:
    scope = build_scope(build_house(), "GET", "/a", (b"x", b"1"))
    scope.headers = [(b"x", b"1")]
    scope.forget_fields()
    assert (scope.head.method, scope.head.target, scope.head.version) == ("GET", "/a", (1, 1))
    assert (scope.head.headers.raw, scope.headers) == ((), [])


def test_a_running_stream_is_stopped_and_keeps_the_first_reason() -> None:
    scope = build_scope(build_house())
    reasons: list[EndReason] = []
    scope.stop = reasons.append
    scope.end(EndReason.DRAIN)
    scope.end(EndReason.KILLED)
    assert reasons == [EndReason.DRAIN, EndReason.KILLED]
    assert scope.record.end is EndReason.DRAIN


async def test_before_a_stream_runs_its_task_is_cancelled() -> None:
    scope = build_scope(build_house())
    scope.end(EndReason.DRAIN)  # no task: nothing to cancel
    scope.task = asyncio.create_task(asyncio.Event().wait())
    scope.end(EndReason.DRAIN)
    with pytest.raises(asyncio.CancelledError):
        await scope.task
