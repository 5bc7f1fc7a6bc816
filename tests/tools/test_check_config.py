"""`penstock check-config` as a process: exit codes, and what stands on which stream."""

import json
from pathlib import Path

import pytest

from proxy.config.load import load
from proxy.errors import ConfigError
from tests.helpers.command import EXAMPLE, ROOT, ran

BROKEN = {
    "failover": 33,
    "models": 33,
    "names": 18,
    "placeholders": 10,
    "together": 6,
    "types": 14,
    "unknown": 9,
    "values": 22,
}
"""Sample and how many faults are in it."""


def find_sample(name: str) -> Path:
    return ROOT / "tests" / "config" / "samples" / f"{name}.toml"


async def test_good_configuration_is_accepted() -> None:
    finished = await ran("check-config", str(EXAMPLE))
    assert (finished.code, finished.out, finished.err) == (
        0,
        "configuration ok: 1 clients, 6 providers, 3 models, 2 mounts\n",
        "",
    )


async def test_effective_configuration_is_shown_without_secrets() -> None:
    finished = await ran(
        "check-config", "--json", str(EXAMPLE), env={"OPENAI_API_KEY": "canary", "PENSTOCK_DEV_KEY": "canary"}
    )
    shown = json.loads(finished.out)
    assert shown["ok"] is True
    assert shown["config"]["limits"]["head_timeout"] == "10s"
    assert shown["config"]["providers"]["openai"]["accounts"]["main"]["key"] == "***"
    assert "canary" not in finished.out


@pytest.mark.parametrize("name", BROKEN)
async def test_broken_configuration_exits_with_78_and_every_fault(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load([find_sample(name)], {})
    finished = await ran("check-config", str(find_sample(name)))
    assert (finished.code, finished.out) == (78, "")
    assert len(caught.value.faults) == BROKEN[name]
    assert finished.err == f"{caught.value}\n"
    assert finished.err.splitlines()[0] == "invalid configuration:"
    assert all(f"{fault.place}: " in finished.err for fault in caught.value.faults)
    assert "canary" not in finished.err


@pytest.mark.parametrize("name", BROKEN)
async def test_broken_configuration_as_json_names_file_place_and_message(name: str) -> None:
    finished = await ran("check-config", "--json", str(find_sample(name)))
    shown = json.loads(finished.out)
    assert (finished.code, shown["ok"], len(shown["faults"])) == (78, False, BROKEN[name])
    assert all(fault["file"] and fault["place"] and fault["message"] for fault in shown["faults"])


async def test_schema_is_json_schema() -> None:
    finished = await ran("check-config", "--schema")
    schema = json.loads(finished.out)
    assert finished.code == 0
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["properties"]["mounts"]["additionalProperties"]["required"] == ["provider"]
