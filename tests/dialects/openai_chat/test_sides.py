"""Both sides of the dialect are what the rest of the proxy expects of every dialect."""

import json

from proxy.dialects.chat import ClientSide, Decoder, Encoder, ProviderSide
from proxy.dialects.openai_chat import CLIENT, PROVIDER
from proxy.dialects.openai_chat.flavour import OPENAI_CHAT
from tests.helpers.openai_chat import make_request, make_target, make_turn, parse


def test_they_satisfy_the_protocols() -> None:
    client: ClientSide = CLIENT
    provider: ProviderSide = PROVIDER
    encoder: Encoder = client.open_encoder(make_turn())
    decoder: Decoder = provider.open_decoder(make_turn())
    assert (decoder.malformed, decoder.complete, decoder.ended, encoder.keepalive) == (
        0,
        False,
        False,
        b": keepalive\n",
    )
    assert (client.content_type, provider.origin) == ("text/event-stream; charset=utf-8", "")
    assert client.build_count(7) == b""


def test_they_share_a_row() -> None:
    assert CLIENT.flavour is PROVIDER.flavour is OPENAI_CHAT
    assert parse({}).dialect == OPENAI_CHAT.name == "openai-chat"
    assert json.loads(PROVIDER.build_request(make_request(), make_target()).body)["model"] == "model-1"
