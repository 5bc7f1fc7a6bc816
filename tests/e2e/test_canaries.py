"""Secrets planted wherever there is one, a provider that quotes all it is shown, and every output searched for them."""

from pathlib import Path

import pytest

from tests.helpers.canaries import SECRET, WORDS, ask_all, house, look


@pytest.mark.parametrize("content", [True, False], ids=["content", "without content"])
async def test_no_secret_is_told_and_words_only_where_they_may_be(tmp_path: Path, content: bool) -> None:
    async with house(tmp_path, content=content) as found:
        await ask_all(found)
        told = await look(found)
    kept = {str(path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".toml"}
    lines = {"lines": "".join(found.lines).encode()}
    assert [name for name, data in {**told, **kept, **lines}.items() if SECRET.search(data)] == []
    spoken = {name for name, data in {**told, **kept, **lines}.items() if WORDS.search(data)}
    cassettes = {name for name in kept if name.endswith(".cassette")}
    failures = {name for name in told if name.startswith("/failures/")}
    assert len(failures) >= 3
    assert len(cassettes) >= 5
    assert spoken == cassettes | (failures if content else set())
