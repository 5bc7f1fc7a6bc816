"""A token goes along with each request, is given up when it is refused, and never comes back."""

from dataclasses import replace

import pytest

from proxy.errors import Code, UpstreamFault
from proxy.relay.ports import Answer, UpstreamRequest
from proxy.upstream.token_opener import TokenOpener
from proxy.upstream.tokens import TokenFault
from proxy.wire.headers import Headers
from tests.helpers.fakes import FakeOpener, FakeSource
from tests.helpers.upstreams import Collector


class FakeTokens:
    """`fault`: raised instead of a token."""

    def __init__(self) -> None:
        self.asked = 0
        self.expired = 0
        self.prefix = "token"
        self.fault: TokenFault | None = None

    async def get(self) -> str:
        self.asked += 1
        if self.fault is not None:
            raise self.fault
        return f"{self.prefix}-{self.expired}"

    def expire(self) -> None:
        self.expired += 1


class Rig:
    def __init__(self, status: int = 200, *fields: tuple[bytes, bytes]) -> None:
        self.answer = Answer(status, "Said", Headers(fields), 5, None)
        self.inner = FakeOpener(self._act)
        self.tokens = FakeTokens()
        self.opener = TokenOpener(self.inner, self.tokens)

    async def _act(self) -> Answer:
        return self.answer

    async def open(self, *fields: tuple[bytes, bytes]) -> Answer:
        return await self.opener.open(UpstreamRequest("POST", "/a?b", list(fields), None))


async def test_the_token_of_now_is_shown_and_everything_else_stays() -> None:
    rig = Rig()
    assert await rig.open((b"accept", b"*/*"), (b"x-a", b"1")) is rig.answer
    (asked,) = rig.inner.asked
    assert asked == UpstreamRequest(
        "POST", "/a?b", [(b"accept", b"*/*"), (b"x-a", b"1"), (b"authorization", b"Bearer token-0")], None
    )
    assert (rig.opener.name, rig.opener.account) == (rig.inner.name, rig.inner.account)


async def test_no_other_authorization_goes_beside_it() -> None:
    rig = Rig()
    await rig.open((b"authorization", b"Bearer caller"), (b"authorization", b"Basic x"))
    assert rig.inner.asked[0].headers == [(b"authorization", b"Bearer token-0")]


async def test_the_request_that_was_given_is_not_changed() -> None:
    rig = Rig()
    request = UpstreamRequest("GET", "/", [(b"a", b"b")], None)
    await rig.opener.open(request)
    assert request.headers == [(b"a", b"b")]


@pytest.mark.parametrize(("status", "expired"), [(200, 0), (400, 0), (401, 1), (403, 0), (500, 0)])
async def test_a_refused_token_is_given_up_and_the_next_request_shows_another(status: int, expired: int) -> None:
    rig = Rig(status)
    assert (await rig.open()).status == status
    assert rig.tokens.expired == expired
    await rig.open()
    assert rig.inner.asked[1].headers == [(b"authorization", b"Bearer token-%d" % expired)]


async def test_a_field_that_shows_the_token_does_not_come_back() -> None:
    rig = Rig(401, (b"X-Echo", b"Bearer token-0"), (b"X-Fine", b"1"), (b"WWW-Authenticate", b'x="token-0"'))
    answer = await rig.open()
    assert answer.headers.raw == ((b"X-Fine", b"1"),)
    assert (answer.status, answer.reason, answer.length) == (401, "Said", 5)
    assert b"x-echo" not in answer.headers


async def test_without_a_token_nothing_is_asked() -> None:
    rig = Rig()
    rig.tokens.fault = TokenFault("token_command ended with status 1")
    with pytest.raises(UpstreamFault) as caught:
        await rig.open()
    assert caught.value.code is Code.TOKEN
    assert rig.inner.asked == []


async def test_a_fault_of_the_provider_passes_and_the_token_stays() -> None:
    rig = Rig()

    async def fail() -> Answer:
        raise UpstreamFault(Code.CUT)

    rig.inner = FakeOpener(fail)
    rig.opener = TokenOpener(rig.inner, rig.tokens)
    with pytest.raises(UpstreamFault):
        await rig.open()
    assert rig.tokens.expired == 0


async def test_an_error_that_quotes_the_token_does_not_show_it() -> None:
    rig = Rig(403)
    source, collector = FakeSource([], held=[b"no: a-longer-token-0", None]), Collector()
    rig.answer = replace(rig.answer, source=source)
    rig.tokens.prefix = "a-longer-token"
    answer = await rig.open()
    assert answer.source is not None
    answer.source.start(collector)
    assert collector.body == b"no: " + b"*" * 16
