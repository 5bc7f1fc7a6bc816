"""The recorder: who is recorded, what is kept, what is dropped, and what the ring remembers."""

import pytest

from proxy.relay.outcome import EndReason
from proxy.relay.record_rules import Wish, parse_rules
from proxy.relay.recorded import HELD
from proxy.relay.recording import MOST_WISHES, Settings
from proxy.wire.cassette import parse_cassette
from tests.helpers.recordings_made import Studio

LONG = [b"x" * 1000] * (3 * HELD // 1000)


def test_nothing_is_recorded_unless_it_is_wanted() -> None:
    studio = Studio()
    running = studio.begin()
    assert running.tape is None
    running.run(b"x", end=EndReason.ERROR)
    assert (studio.shelf.kept, studio.recorder.list_failures(), studio.recorder.recording) == ({}, [], 0)


@pytest.mark.parametrize("end", [EndReason.DONE, EndReason.CLIENT_GONE, EndReason.DRAIN])
@pytest.mark.parametrize("reads", [[b"short"], LONG])
def test_of_failed_only_what_failed_is_kept(end: EndReason, reads: list[bytes]) -> None:
    studio = Studio("failed")
    studio.begin(number=1).run(*reads, end=end)
    assert (studio.shelf.kept, studio.shelf.growing) == ({}, {})
    assert studio.shelf.writes == (0 if len(reads) == 1 else 3)
    studio.begin(number=2).run(*reads, end=EndReason.UPSTREAM_CUT)
    (take,) = studio.shelf.read().takes
    assert [data for _, data in take.data] == reads
    assert studio.recorder.recording == 0


def test_a_name_sorts_by_time_and_ends_with_the_request() -> None:
    studio = Studio("all")
    studio.begin().run(b"x")
    assert list(studio.shelf.kept) == ["20231114T221320.500Z-req_1"]


def test_one_client_is_recorded_and_another_is_not() -> None:
    studio = Studio("client:alice")
    assert studio.begin(client="bob").tape is None
    studio.begin(client="alice", number=2).run(b"x")
    assert studio.shelf.read().about.client == "alice"


def test_a_request_that_was_never_asked_of_anybody_is_no_recording() -> None:
    studio = Studio("failed", ring=5)
    studio.begin().finish(EndReason.REFUSED, 401)
    assert (studio.shelf.kept, studio.recorder.list_failures()) == ({}, [])


def test_attempts_stand_in_one_cassette() -> None:
    studio = Studio("all")
    running = studio.begin()
    one, two = running.ask(), running.ask()
    running.feed(two, b"two")
    running.feed(one, *LONG)
    one.aborted()
    running.feed(two, b"end")
    two.ended(None)
    running.finish()
    takes = studio.shelf.read().takes
    assert [take.number for take in takes] == [1, 2]
    assert [data for _, data in takes[0].data] == LONG
    assert takes[1].answer == b"twoend"


def test_a_shelf_that_refuses_loses_the_recording_and_the_ring_still_remembers() -> None:
    studio = Studio("all", ring=3)
    studio.shelf.refuses = True
    studio.begin().run(*LONG, end=EndReason.IDLE)
    studio.shelf.refuses = False
    assert studio.shelf.writes == 1
    assert studio.shelf.kept == {}
    assert len(studio.recorder.list_failures()) == 1


def test_the_ring_holds_the_last_failures_only() -> None:
    studio = Studio(ring=2, shelf=None)
    for number in range(1, 5):
        studio.begin(number=number).run(b"x%d" % number, end=EndReason.UPSTREAM_CUT)
    studio.begin(number=5).run(b"well")
    assert [failed.id for failed in studio.recorder.list_failures()] == ["req_4", "req_3"]
    assert studio.recorder.find_failure("req_2") is None
    found = studio.recorder.find_failure("req_4")
    assert found is not None
    cassette = parse_cassette(found.encode(content=True))
    assert cassette.takes[0].answer == b"x4"
    assert cassette.outcome == {"id": "req_4"}
    assert found.line == b'{"id":"req_4"}'


def test_a_smaller_ring_forgets_at_once_and_none_remembers_nothing_more() -> None:
    studio = Studio(ring=3)
    for number in range(1, 4):
        studio.begin(number=number).run(b"x", end=EndReason.IDLE)
    running = studio.begin(number=4)
    studio.recorder.configure(Settings(ring=1))
    assert [failed.id for failed in studio.recorder.list_failures()] == ["req_3"]
    studio.recorder.configure(Settings())
    running.run(b"x", end=EndReason.IDLE)
    assert studio.recorder.list_failures() == []


def test_without_a_directory_rules_record_nothing() -> None:
    assert Studio("all", shelf=None).begin().tape is None


def test_a_wish_holds_for_its_time() -> None:
    studio = Studio()
    assert studio.recorder.add_wish(60.0, "alice", "gpt-*")
    assert studio.begin(client="bob").tape is None
    studio.begin(client="alice", number=2).run(b"x")
    assert studio.shelf.read().about.client == "alice"
    studio.now += 60.0
    assert studio.begin(client="alice", number=3).tape is None
    assert studio.recorder.list_wishes() == []


def test_wishes_end_when_asked_and_have_a_bound() -> None:
    studio = Studio()
    assert all(studio.recorder.add_wish(60.0) for _ in range(MOST_WISHES))
    assert not studio.recorder.add_wish(60.0)
    assert studio.recorder.list_wishes()[0] == Wish(160.0)
    studio.recorder.clear_wishes()
    assert studio.begin().tape is None
    assert studio.recorder.add_wish(60.0)


def test_a_request_ends_under_the_settings_that_it_began_with() -> None:
    studio = Studio("all")
    running = studio.begin()
    studio.recorder.configure(Settings(parse_rules(["failed"])))
    running.run(b"x")
    assert studio.shelf.read().takes[0].answer == b"x"
