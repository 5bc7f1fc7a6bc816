"""What the public API takes, by the model that answers."""

from dataclasses import replace

from proxy.dialects.fitting import Fitting
from proxy.dialects.gemini.rules import find_rules, note
from tests.helpers.gemini import GEMINI_3, GEMINI_25, make_request, make_target


def test_gemini_3_is_told_apart() -> None:
    new, old = find_rules(make_target(GEMINI_3)), find_rules(make_target(GEMINI_25))
    assert (new.ids, new.nested, new.sentinel) == (True, True, True)
    assert (old.ids, old.nested, old.sentinel) == (False, False, False)
    assert new.native
    assert old.native


def test_a_model_without_eyes() -> None:
    assert find_rules(make_target(replace(GEMINI_25, images=False))).images == frozenset()
    assert "image/png" in find_rules(make_target()).images


def test_a_name_is_noted_once() -> None:
    fitting = Fitting(make_request(), make_target())
    note(fitting, "strict")
    note(fitting, "strict")
    assert fitting.dropped == ["strict"]
