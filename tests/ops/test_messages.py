"""What the process says of itself."""

import logging

import pytest

from proxy.ops import messages
from tests.helpers.cooldowns import build_cooldown, build_spot


def test_each_is_one_line_of_the_level_that_it_deserves(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "penstock"):
        messages.announce(["http://127.0.0.1:1"], [])
        messages.warn_nothing_mounted()
        messages.warn_caution("server.admin", "not on loopback")
        messages.warn_guarded("a.b", "10.0.0.1", "private")
        messages.warn_attention(build_cooldown(build_spot("a")))
    told = [(record.levelno, record.getMessage()) for record in caplog.records]
    assert told[0] == (logging.INFO, "listening on http://127.0.0.1:1")
    assert [level for level, _ in told[1:]] == [logging.WARNING] * 4
    assert told[2][1] == "configuration: server.admin: not on loopback"
    assert told[3][1].endswith('[providers."a.b"] takes private_networks = ["10.0.0.1"]')
    assert told[4][1].startswith("account up/a needs attention: ")
