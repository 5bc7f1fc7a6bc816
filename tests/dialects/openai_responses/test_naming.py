"""Names in namespaces."""

import pytest

from proxy.dialects.openai_responses.naming import join_name, split_name


@pytest.mark.parametrize(
    ("namespace", "name", "joined"), [("files", "read", "files::read"), ("", "read", "read"), (None, "a:b", "a:b")]
)
def test_a_name_comes_back(namespace: str | None, name: str, joined: str) -> None:
    assert join_name(namespace, name) == joined
    assert split_name(joined) == (namespace or "", name)


@pytest.mark.parametrize("name", ["::x", "x::", "::", ""])
def test_half_a_namespace_is_none(name: str) -> None:
    assert split_name(name) == ("", name)
