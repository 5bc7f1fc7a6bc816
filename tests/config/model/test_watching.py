"""The console, the chat page, and what is recorded."""

from proxy.config.model import Chat, Console, Recording
from proxy.config.secret import Secret


def test_nobody_sees_what_was_said_unless_told() -> None:
    assert Console() == Console(token=Secret(""), content=False)
    assert not Chat().enabled
    recording = Recording()
    assert (recording.when, recording.bodies, recording.ring) == ((), False, 0)
    assert (recording.directory, recording.max_bytes) == ("", 1 << 30)


def test_a_token_is_not_shown() -> None:
    assert "canary" not in repr(Console(token=Secret("canary")))
