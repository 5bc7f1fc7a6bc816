"""tests/e2e/test_client_disconnect.py, by TLS."""

from tests.e2e.test_client_disconnect import (
    how,
    test_an_upload_that_upstream_does_not_read_ends_with_the_client,
    test_upload_of_known_length_is_cut_when_the_client_leaves,
    test_upstream_is_closed_at_once_when_the_client_leaves,
)

__all__ = [
    "how",
    "test_an_upload_that_upstream_does_not_read_ends_with_the_client",
    "test_upload_of_known_length_is_cut_when_the_client_leaves",
    "test_upstream_is_closed_at_once_when_the_client_leaves",
]
