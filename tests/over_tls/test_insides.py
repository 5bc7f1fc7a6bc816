"""tests/edge/test_insides.py, by TLS."""

from tests.edge.test_insides import (
    proxy,
    test_a_draining_server_closes_idle_connections_and_ends_the_others_with_their_answer,
    test_a_head_that_cannot_be_read_is_answered_and_written_down_without_a_word_of_it,
    test_who_asks_on_and_on_and_reads_nothing_fills_no_memory_and_is_cut_off,
    test_who_asks_on_and_on_and_reads_slowly_gets_every_answer,
)

__all__ = [
    "proxy",
    "test_a_draining_server_closes_idle_connections_and_ends_the_others_with_their_answer",
    "test_a_head_that_cannot_be_read_is_answered_and_written_down_without_a_word_of_it",
    "test_who_asks_on_and_on_and_reads_nothing_fills_no_memory_and_is_cut_off",
    "test_who_asks_on_and_on_and_reads_slowly_gets_every_answer",
]
