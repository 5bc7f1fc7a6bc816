"""An Opener whose account has a token that is fetched instead of a key that stands in the configuration."""

from dataclasses import replace

from proxy.relay.ports import Answer, Opener, UpstreamRequest
from proxy.relay.veil import veil
from proxy.upstream.tokens import TokenSource
from proxy.wire.headers import Headers


class TokenOpener:
    """Shows the token of now, and has it fetched anew when the provider refuses it. `inner` adds no Authorization."""

    def __init__(self, inner: Opener, tokens: TokenSource) -> None:
        self.name = inner.name
        self.account = inner.account
        self._inner = inner
        self._tokens = tokens

    async def open(self, request: UpstreamRequest) -> Answer:
        token = (await self._tokens.get()).encode()
        fields = [pair for pair in request.headers if pair[0] != b"authorization"]
        fields.append((b"authorization", b"Bearer " + token))
        answer = await self._inner.open(replace(request, headers=fields))
        if answer.status == 401:
            self._tokens.expire()
        answer = veil(answer, (token,))
        if any(token in value for _, value in answer.headers.raw):  # it never goes to a caller
            kept = [pair for pair in answer.headers.raw if token not in pair[1]]
            return replace(answer, headers=Headers(tuple(kept)))
        return answer
