"""Warnings about good configurations."""

from pathlib import Path

import pytest

from proxy.config.cautions import TERMS, find_cautions
from proxy.config.model import Account, Config, Model, Provider


def test_nothing_to_say() -> None:
    assert list(find_cautions(Config(providers={"p": Provider(dialect="gemini", base_url="http://a")}))) == []


def test_code_assist_has_terms() -> None:
    config = Config(providers={"p": Provider(dialect="code-assist", base_url="http://a")})
    assert list(find_cautions(config)) == [(("providers", "p", "dialect"), TERMS)]


def test_token_file_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "token"
    accounts = {"main": Account(token_file=str(path))}
    config = Config(providers={"p": Provider(dialect="raw", base_url="http://a", accounts=accounts)})
    place = ("providers", "p", "accounts", "main", "token_file")
    assert list(find_cautions(config)) == [(place, "there is no such file yet")]
    path.touch()
    assert list(find_cautions(config)) == []


@pytest.mark.parametrize(
    ("targets", "rescue", "said"),
    [
        (("bare/x",), "restart", True),
        (("bare/x", "bare/x"), "restart", True),
        (("bare/x",), "off", False),
        (("bare/x", "bare/y"), "continue", False),
        (("bare/x", "one/x"), "continue", False),
        (("one/x",), "continue", True),
        (("two/x",), "restart", False),
    ],
)
def test_rescue_needs_somebody_else(targets: tuple[str, ...], rescue: str, said: bool) -> None:
    providers = {
        name: Provider(dialect="gemini", base_url="http://a", accounts={str(n): Account() for n in range(count)})
        for name, count in (("bare", 0), ("one", 1), ("two", 2))
    }
    config = Config(providers=providers, models={"m": Model(targets=targets, rescue=rescue)})
    assert [place for place, _ in find_cautions(config)] == [("models", "m", "rescue")] * said
