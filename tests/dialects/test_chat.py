"""How a request is refused."""

import pytest

from proxy.dialects.chat import Invalid
from proxy.errors import PenstockError


@pytest.mark.parametrize(("param", "text"), [("messages[0].role", "messages[0].role: is wrong"), ("", "is wrong")])
def test_a_refusal_names_the_field(param: str, text: str) -> None:
    refusal = Invalid(param, "is wrong")
    assert (refusal.param, refusal.message, str(refusal)) == (param, "is wrong", text)
    assert isinstance(refusal, PenstockError)
