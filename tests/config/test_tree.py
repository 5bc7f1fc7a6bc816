"""Places, and tables that remember where a value came from."""

import tomllib

import pytest

from proxy.config.tree import MAX_DEPTH, Place, Table, Value, build_table, format_place, merge, shorten


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ((), ""),
        (("server", "listen"), "server.listen"),
        (("server", "listen", 1), "server.listen[1]"),
        (("mounts", "/weather", "heartbeat"), 'mounts."/weather".heartbeat'),
        (("a b", ""), '"a b".""'),
        (('say "hi"\\\n\t\x00\u2028\U000e0001',), '"say \\"hi\\"\\\\\\n\\t\\u0000\\u2028\\U000E0001"'),
        (("x" * 80,), '"' + "x" * 64 + '…"'),
    ],
)
def test_place_is_written_as_toml_writes_it(place: Place, text: str) -> None:
    assert format_place(place) == text


@pytest.mark.parametrize("key", ["plain", "/a", "a.b", 'q"', "back\\slash", "line\n", "\x00", "ü", ""])
def test_written_key_reads_back(key: str) -> None:
    assert tomllib.loads(f"{format_place((key,))} = 1") == {key: 1}


def test_shortened_text_is_short_and_printable() -> None:
    assert shorten("a" * 64) == "a" * 64
    assert shorten("a" * 65) == "a" * 64 + "…"
    assert shorten("a\x1b[31m\r\n\udc80").isprintable()


def test_later_table_merges_and_later_value_replaces() -> None:
    first = build_table({"a": {"x": 1, "y": [1]}, "b": {"z": 1}, "c": 1}, "one")
    second = build_table({"a": {"y": [2], "n": 3}, "b": 2, "c": {"d": 4}}, "two")
    assert merge(first, second) == Table(
        {
            "a": Table({"x": Value(1, "one"), "y": Value([2], "two"), "n": Value(3, "two")}, "one"),
            "b": Value(2, "two"),
            "c": Table({"d": Value(4, "two")}, "two"),
        },
        "one",
    )


def test_merging_leaves_both_tables_as_they_were() -> None:
    first, second = build_table({"a": {"x": 1}}, "one"), build_table({"a": {"x": 2}}, "two")
    merge(first, second)
    assert first == build_table({"a": {"x": 1}}, "one")


@pytest.mark.parametrize(
    ("place", "file"),
    [
        (("a", "x"), "one"),
        (("a", "y"), "two"),
        (("a", "y", 0), "two"),
        (("a", "missing"), "one"),
        (("missing", "deeper"), "one"),
        (("c", "d", "e"), "two"),
    ],
)
def test_file_is_that_of_the_deepest_thing_there_is(place: Place, file: str) -> None:
    root = merge(build_table({"a": {"x": 1}}, "one"), build_table({"a": {"y": [2]}, "c": {"d": 1}}, "two"))
    assert root.find_file(place) == file


def test_nesting_beyond_any_sense_stays_one_value() -> None:
    data: dict[str, object] = {}
    for _ in range(100_000):
        data = {"a": data}
    node: Table | Value = build_table(data, "deep")
    for _ in range(MAX_DEPTH):
        assert isinstance(node, Table)
        node = node.entries["a"]
    assert isinstance(node, Table)
    assert isinstance(node.entries["a"], Value)
