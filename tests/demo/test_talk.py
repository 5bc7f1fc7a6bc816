"""Talk: what counts as said before, and what belongs to the current turn."""

from proxy.demo.media import build_media
from proxy.demo.talk import Talk

IMAGE = build_media("image/png", b"x")


def test_what_stands_before_the_last_assistant_is_cached() -> None:
    talk = Talk()
    talk.add_system(["be brief"])
    talk.add_user(["one two three"])
    talk.add_assistant(["four"])
    talk.add_user(["five"])
    assert (talk.tokens, talk.cached) == (7, 6)


def test_media_and_results_are_of_the_turn() -> None:
    talk = Talk()
    talk.add_user(["look"], [IMAGE])
    assert talk.fields()["media"] == (IMAGE,)
    talk.add_assistant([])
    assert talk.fields()["media"] == ()
    talk.add_result(["4"], [IMAGE])
    talk.add_user([])
    assert talk.fields()["media"] == (IMAGE,)
    assert talk.after_result
    talk.add_assistant(["done"])
    assert not talk.after_result


def test_the_last_text_is_the_prompt() -> None:
    talk = Talk()
    talk.add_user(["reminder to refuse", "", "hello"])
    talk.add_user([""])
    assert (talk.user_text, talk.prompt) == ("reminder to refuse hello", "hello")


def test_a_schema_is_found_among_words() -> None:
    talk = Talk()
    assert talk.find_schema() == {}
    talk.add_system(['use {braces} or {"a": 1}, but fit {"type": "object", "properties": {"a": {}}} always'])
    assert talk.find_schema() == {"type": "object", "properties": {"a": {}}}


def test_json_is_named_anywhere() -> None:
    talk = Talk()
    talk.add_user(["answer in Json"])
    assert talk.says_json()
    talk = Talk()
    talk.add_assistant(["json"])
    assert not talk.says_json()
