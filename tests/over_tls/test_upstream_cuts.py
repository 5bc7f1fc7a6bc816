"""tests/e2e/test_upstream_cuts.py, by TLS."""

from tests.e2e.test_upstream_cuts import *  # noqa: F403
