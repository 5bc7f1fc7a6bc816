"""Arguments that JavaScript can take pass as one line; any other are told apart."""

import json

import pytest

from proxy.dialects.ui_message.inputs import encode_input


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ("", b"{}"),
        ("  \n", b"{}"),
        ("{}", b"{}"),
        ('{\n  "a": 1\r\n}', b'{"a":1}'),
        ('{"b":1,"a":123456789012345678901234567890}', b'{"b":1,"a":123456789012345678901234567890}'),
        ('{"a":"\\u2028"}', b'{"a":"\\u2028"}'),
        ('{"a":"\\ud800"}', b'{"a":"\\ud800"}'),
        ('{"constructor":1,"prototype":{}}', b'{"constructor":1,"prototype":{}}'),
        ('{"a":"__proto__"}', b'{"a":"__proto__"}'),
    ],
)
def test_what_passes(arguments: str, wanted: bytes) -> None:
    assert encode_input(arguments) == wanted


@pytest.mark.parametrize(
    "arguments",
    [
        "{",
        "null",
        "[]",
        '"a"',
        "1",
        '{"a":NaN}',
        '{"a":-Infinity}',
        '{"__proto__":1}',
        '{"\\u005f_proto__":1}',
        '{"a":[{"b":{"__proto__":null}}]}',
        '{"constructor":{"prototype":1}}',
        '{"a":1}{',
        "[" * 100_000,
        pytest.param('{"a":' + "9" * 5000 + "}", id="a number that Python refuses"),
        '{"a":' * 300 + "1" + "}" * 300,
    ],
    ids=lambda text: text[:20],
)
def test_what_does_not(arguments: str) -> None:
    assert encode_input(arguments) is None


def test_deep_nesting_that_passes_is_whole() -> None:
    arguments = '{"a":' * 200 + "1" + "}" * 200
    assert json.loads(encode_input(arguments) or b"") == json.loads(arguments)
