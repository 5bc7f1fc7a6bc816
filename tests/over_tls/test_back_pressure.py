"""tests/e2e/test_back_pressure.py, by TLS: those that the layer below the bytes could break."""

from tests.e2e.test_back_pressure import test_a_client_that_reads_nothing_is_cut_after_write_stall as test_stall
from tests.e2e.test_back_pressure import (
    test_a_client_that_stops_reading_pauses_upstream_and_then_gets_every_byte as test_down,
)
from tests.e2e.test_back_pressure import (
    test_an_upstream_that_stops_reading_pauses_the_client_and_then_gets_every_byte as test_up,
)

__all__ = ["test_down", "test_stall", "test_up"]
