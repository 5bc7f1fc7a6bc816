"""What is kept for viewers: values with their versions, and the newest of a list."""

import json

import msgspec

from proxy.ops.console.part import Part, Tail, encode, join


def test_a_value_has_the_version_of_its_last_change() -> None:
    part = Part()
    assert (part.at, part.data) == (0, b"null")
    part.put(b"1", 3)
    part.put(b"1", 4)
    assert (part.at, part.data) == (3, b"1")
    part.put(b"2", 5)
    assert (part.at, part.data) == (5, b"2")


def test_a_list_keeps_its_newest() -> None:
    tail = Tail(2)
    for version in (1, 2):
        tail.put(b"%d" % version, version)
    assert (tail.list_since(0), tail.list_since(1), tail.list_since(2)) == ([b"1", b"2"], [b"2"], [])
    assert tail.forgotten == 0
    tail.put(b"3", 3)
    assert (tail.list_since(0), tail.forgotten) == ([b"2", b"3"], 1)


def test_entries_are_joined_to_an_array() -> None:
    assert (join([]), join([b"1", b"{}"])) == (b"[]", b"[1,{}]")


class _Named(msgspec.Struct):
    name: str


def test_half_a_character_is_no_obstacle() -> None:
    assert encode(_Named("é")) == '{"name":"é"}'.encode()
    assert json.loads(encode(_Named("\ud800"))) == {"name": "\ud800"}
