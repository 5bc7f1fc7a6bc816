"""Placeholders in strings."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.config.expand import MAX_FILE, ExpandError, expand

ENVIRON = {"NAME": "value", "EMPTY": "", "DOLLAR": "a$b${NAME}", "LINES": "canary\nsecond", "_x1": "y"}

CASES = [
    ("plain", "plain"),
    ("", ""),
    ("${NAME}", "value"),
    ("a-${NAME}-${_x1}", "a-value-y"),
    ("${EMPTY}", ""),
    ("${EMPTY:-x}", "x"),
    ("${MISSING:-x}", "x"),
    ("${MISSING:-}", ""),
    ("${MISSING:-:-${}", ":-${"),
    ("${NAME:-x}", "value"),
    ("$$", "$"),
    ("$${NAME}", "${NAME}"),
    ("$$$$", "$$"),
    ("${DOLLAR}", "a$b${NAME}"),
]
FAULTS = [
    ("${MISSING}", "MISSING is not set"),
    ("$", "lone"),
    ("$NAME", "lone"),
    ("${NAME", "lone"),
    ("${}", "no variable name"),
    ("${canary-name}", "no variable name"),
    ("${NAME:=canary}", "only :-"),
    ("${NAME:canary}", "only :-"),
    ("${LINES}", r"\$\{LINES\} gives a text with a line end"),
    ("${file:/no/such/canary-free/file}", "No such file"),
    ("${file:\0}", "not a path"),
    ("${cred:token}", "CREDENTIALS_DIRECTORY is not set"),
    ("${cred:../canary}", "without a slash"),
    ("${cred:..}", "without a slash"),
    ("${cred:}", "without a slash"),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_placeholder_is_replaced(text: str, expected: str) -> None:
    assert expand(text, ENVIRON) == expected


@pytest.mark.parametrize(("text", "message"), FAULTS)
def test_placeholder_that_cannot_be_replaced_is_a_fault(text: str, message: str) -> None:
    with pytest.raises(ExpandError, match=message) as caught:
        expand(text, ENVIRON)
    if "canary-free" not in text:
        assert "canary" not in str(caught.value)


def test_every_placeholder_that_fails_is_named() -> None:
    with pytest.raises(ExpandError) as caught:
        expand("${A} ${NAME} ${B} $", ENVIRON)
    assert [message.split()[3] for message in caught.value.messages[:2]] == ["A", "B"]
    assert len(caught.value.messages) == 3


@pytest.mark.parametrize(
    ("content", "expected"), [(b"k", "k"), (b"k\n", "k"), (b"k\r\n", "k"), (b" k ", " k "), (b"", "")]
)
def test_file_loses_one_line_end(tmp_path: Path, content: bytes, expected: str) -> None:
    (tmp_path / "secret").write_bytes(content)
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert expand(f"<${{file:{tmp_path}/secret}}>", {}) == f"<{expected}>"
    assert expand("<${cred:secret}>", environ) == f"<{expected}>"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"canary\n\n", "line end"),
        (b"canary\ncanary", "line end"),
        (b"canary\r", "line end"),
        (b"canary\0", "NUL"),
        (b"canary\xff", "not UTF-8"),
        (b"canary" * MAX_FILE, "longer than"),
    ],
)
def test_file_that_is_no_secret_is_a_fault(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "secret").write_bytes(content)
    with pytest.raises(ExpandError, match=message) as caught:
        expand("${cred:secret}", {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert "canary" not in str(caught.value)


def test_directory_in_place_of_a_file_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(ExpandError, match="cannot be read"):
        expand(f"${{file:{tmp_path}}}", {})


def test_credential_is_a_path_where_one_is_wanted(tmp_path: Path) -> None:
    (tmp_path / "cert.pem").write_text("first line\nsecond line\n")
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert expand("${cred:cert.pem}", environ, to_path=True) == f"{tmp_path}/cert.pem"
    assert expand("${cred:later.pem}", environ, to_path=True) == f"{tmp_path}/later.pem"
    with pytest.raises(ExpandError, match="CREDENTIALS_DIRECTORY is not set"):
        expand("${cred:cert.pem}", {}, to_path=True)


@given(st.text(alphabet=st.sampled_from("${}:-$ABfilecred/\n\0é")))
def test_any_text_is_expanded_or_an_expand_error(text: str) -> None:
    try:
        expanded = expand(text, {"A": "1"})
    except ExpandError:
        assert "$" in text
    else:
        assert "$" in text or expanded == text
