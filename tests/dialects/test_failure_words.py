"""The tables of errors: found by words in lower case, and none of them twice."""

import pytest

from proxy.dialects.events import FailureKind
from proxy.dialects.failure_words import PHRASES, STATUSES, VAGUE_WORDS, WORDS


@pytest.mark.parametrize("word", [*WORDS, *VAGUE_WORDS, *(phrase for phrase, _, _ in PHRASES)])
def test_words_are_compared_in_lower_case(word: str) -> None:
    assert word == word.lower().strip() != ""


def test_no_word_means_two_things() -> None:
    assert not WORDS.keys() & VAGUE_WORDS.keys()


def test_statuses_are_those_of_errors() -> None:
    assert all(400 <= status < 600 for status in STATUSES)


def test_a_phrase_changes_the_kind() -> None:
    assert all(kind not in over for _, kind, over in PHRASES)
    assert FailureKind.DISCONNECT not in {*STATUSES.values(), *WORDS.values(), *VAGUE_WORDS.values()}
