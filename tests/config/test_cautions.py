"""Warnings about good configurations."""

from pathlib import Path

from proxy.config.cautions import TERMS, find_cautions
from proxy.config.model import Account, Config, Provider


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
