"""What may be said of a model is what the dialects go by."""

import tomllib
from pathlib import Path
from typing import get_args, get_type_hints

from msgspec.structs import asdict

from proxy.config.load import build_config
from proxy.config.model.capability import EFFORTS, FAMILIES, THINKING, Capability
from proxy.dialects import capabilities
from proxy.dialects.capabilities import Capabilities, find_capabilities
from proxy.dialects.capability_rows import build_rows, parse_rows
from proxy.dialects.parts import Effort


def test_every_field_of_the_dialects_can_be_overridden_and_no_other() -> None:
    assert list(Capability.__struct_fields__) == list(Capabilities.__dataclass_fields__)


def test_words_are_those_of_the_dialects() -> None:
    assert list(EFFORTS) == [effort.value for effort in Effort]
    assert get_args(get_type_hints(Capabilities)["thinking"]) == THINKING
    assert Capabilities().family in FAMILIES


def test_types_are_those_of_the_dialects() -> None:
    for name, value in asdict(
        Capability(off=True, output=1, context=1, budget=(1, 2), efforts=("low",), family="gpt")
    ).items():
        assert value is None or type(value) is type(getattr(Capabilities(), name))


def test_what_is_given_makes_rows_for_the_dialects() -> None:
    given = Capability(family="gpt", efforts=("low", "max"), budget=(0, 5), off=False, output=10**8)
    rows = build_rows({"m": given.list_given()})
    assert rows == [
        (
            "m",
            {"family": "gpt", "efforts": (Effort.LOW, Effort.MAX), "budget": (0, 5), "off": False, "output": 10**8},
        )
    ]
    assert find_capabilities("M", rows).efforts == (Effort.LOW, Effort.MAX)


def test_what_the_package_ships_could_stand_in_a_configuration() -> None:
    shipped = (Path(capabilities.__file__).parent / "capabilities.toml").read_bytes()
    config = build_config([("shipped", {"capabilities": tomllib.loads(shipped.decode())})], {})
    given = {pattern: row.list_given() for pattern, row in config.capabilities.items()}
    assert build_rows(given) == parse_rows(shipped)


def test_nothing_is_said_by_default() -> None:
    assert set(asdict(Capability()).values()) == {None}
