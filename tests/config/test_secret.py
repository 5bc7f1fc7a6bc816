"""A secret shows itself to nobody who does not ask by name."""

import copy
import json
import pickle

import msgspec
import pytest

from proxy.config.secret import Secret


def test_secret_is_hidden_in_every_printed_form() -> None:
    secret = Secret("canary")
    assert f"{secret} {secret!r} {[secret]} {secret!s:>4}" == "*** *** [***]  ***"


def test_secret_is_revealed_on_request() -> None:
    assert Secret("canary").reveal() == "canary"


def test_secrets_compare_by_text() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("ü\udc80") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2


@pytest.mark.parametrize("encode", [json.dumps, msgspec.json.encode, pickle.dumps, copy.deepcopy])
def test_secret_does_not_travel(encode: object) -> None:
    assert callable(encode)
    with pytest.raises(TypeError):
        encode(Secret("canary"))
