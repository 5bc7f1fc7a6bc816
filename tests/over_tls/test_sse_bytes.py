"""tests/e2e/test_sse_bytes.py, by TLS."""

from tests.e2e.test_sse_bytes import *  # noqa: F403
