"""Manual, schema and masked configuration: all from the model, none adrift."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from proxy.config.describe import build_markdown, build_schema, mask
from proxy.config.load import build_config, load
from proxy.config.model import Config

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs" / "penstock.example.toml"


def test_manual_on_disk_is_the_one_the_model_gives() -> None:
    assert (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8") == build_markdown(), (
        "run: python -m proxy.config.describe > docs/configuration.md"
    )


def test_module_prints_the_manual() -> None:
    command = [sys.executable, "-W", "error", "-m", "proxy.config.describe"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True, encoding="utf-8")
    assert printed.stdout == build_markdown()
    assert printed.stderr == ""


@pytest.mark.parametrize(
    "row",
    [
        '| `first_byte` | duration, 0 or "off" | `"1m"` | Time from the request to the head of the answer.',
        "| `key` | text, secret | one of the two |",
        "| `base_url` | URL | required |",
        "| `headers.NAME` | text, secret | none |",
        "### `[providers.PROVIDER.accounts.ACCOUNT]`",
        "| `key` | text, secret | one of the three |",
        "| `token_command` | array of text, secret | one of the three |",
        "| `images` | true or false | none | It takes images. |",
        '### `[models."MODEL"]`',
        '### `[models."MODEL".overrides."PROVIDER/MODEL"]`',
        '| `hedge_after` | duration, "p95", 0 or "off" | `"off"` |',
        '| `ttft` | duration, 0 or "off" | none | In place of `limits.ttft`. |',
        '| `proxy` | URL, secret | `""` |',
        "| `retry_budget` | number from 0 to 1 | `0.2` |",
        '### `[mounts."/PATH"]`',
        "| `PENSTOCK_ADMIN` | `server.admin` |",
        "| `GEMINI_API_KEY` or `GOOGLE_API_KEY` | `/gemini` | `gemini` |",
    ],
)
def test_manual_holds(row: str) -> None:
    assert row in build_markdown()


def test_every_table_row_of_the_manual_has_as_many_cells_as_its_head() -> None:
    rows = [line for line in build_markdown().splitlines() if line.startswith("|")]
    assert {line.replace("\\|", "").count("|") for line in rows} == {3, 5}


def _find_mistakes(schema: dict[str, Any], value: object, place: str = "") -> list[str]:
    """What of an object schema's `properties`, `required` and `additionalProperties` a value breaks."""
    if not isinstance(value, dict):
        return []
    mistakes = [f"{place}.{name} missing" for name in schema.get("required", ()) if name not in value]
    for key, entry in value.items():
        below = schema["properties"].get(key) if "properties" in schema else None
        below = below or schema["additionalProperties"]
        mistakes += [f"{place}.{key} unknown"] if below is False else _find_mistakes(below, entry, f"{place}.{key}")
    return mistakes


def test_schema_is_json_and_knows_every_key_of_a_whole_configuration() -> None:
    schema = json.loads(json.dumps(build_schema()))
    assert _find_mistakes(schema, mask(load([EXAMPLE], {}))) == []
    assert _find_mistakes(schema, {"server": {"listn": []}, "providers": {"p": {"dialect": "raw"}}}) == [
        ".server.listn unknown",
        ".providers.p.base_url missing",
    ]


def test_schema_describes_leaves() -> None:
    properties = build_schema()["properties"]
    assert properties["limits"]["properties"]["idle"]["anyOf"][0] == {"const": "off"}
    assert {"type": "number", "minimum": 0} in properties["limits"]["properties"]["idle"]["anyOf"]
    assert properties["limits"]["properties"]["max_body"]["default"] == "32MiB"
    assert properties["server"]["properties"]["listen"]["items"] == {"type": "string"}
    client = properties["clients"]["additionalProperties"]
    assert client["allOf"] == [{"oneOf": [{"required": ["key"]}, {"required": ["key_sha256"]}]}]
    assert set(client["properties"]) >= {"key", "key_sha256", "rpm", "models"}
    account = properties["providers"]["additionalProperties"]["properties"]["accounts"]["additionalProperties"]
    rivals = ("key", "token_command", "token_file")
    assert account["allOf"] == [{"oneOf": [{"required": [name]} for name in rivals]}]
    assert "default" not in account["properties"]["key"]
    assert properties["server"]["properties"]["cors"]["minItems"] == 0
    budget = properties["capabilities"]["additionalProperties"]["properties"]["budget"]
    assert (budget["minItems"], budget["maxItems"], "default" in budget) == (2, 2, False)
    assert all(table["additionalProperties"] is not True for table in properties.values())


PLAIN = {
    "token_lifetime": "50m",
    "weight": 1,
    "max_streams": 0,
    "rpm": 0,
    "tpm": 0,
    "proxy": "",
    "models": [],
}
"""What an account shows when nothing but its credential was given."""


def test_mask_shows_what_is_in_effect_and_no_secret() -> None:
    masked = mask(load([EXAMPLE], {"OPENAI_API_KEY": "canary"}))
    assert "canary" not in json.dumps(masked)
    assert masked["clients"]["dev"]["key_sha256"] == "***"
    assert (masked["clients"]["dev"]["rpm"], masked["clients"]["dev"]["models"]) == (0, [])
    assert masked["providers"]["openai"]["accounts"] == {"main": {"key": "***", **PLAIN}}
    assert masked["providers"]["weather"]["headers"] == {"X-Api-Key": "***"}
    assert masked["mounts"]["/weather"]["heartbeat"] == "15s"
    assert masked["mounts"]["/openai"]["heartbeat"] == "off"
    assert masked["server"]["listen"] == ["127.0.0.1:8088"]


def test_masked_defaults_are_a_configuration_of_their_own() -> None:
    assert build_config([("masked", mask(Config()))], {}) == Config()


def test_mask_shows_what_was_given_of_what_may_be_absent() -> None:
    accounts = {"a": {"token_command": ["print", "canary"]}, "b": {"token_file": "/run/token"}}
    data = {
        "providers": {"p": {"dialect": "raw", "base_url": "http://a", "accounts": accounts}},
        "capabilities": {"x-*": {"images": False, "budget": [1, 2]}},
    }
    masked = mask(build_config([("file", data)], {}))
    assert masked["capabilities"] == {"x-*": {"images": False, "budget": [1, 2]}}
    assert masked["providers"]["p"]["accounts"] == {
        "a": {"token_command": ["***", "***"], **PLAIN},
        "b": {"token_file": "/run/token", **PLAIN},
    }


def test_mask_of_routes_and_proxies_reads_back() -> None:
    account = {"key": "x", "proxy": "http://user:canary@10.0.0.1:3128", "models": ["a*"]}
    model = {"targets": ["p/a", "p/b"], "hedge_after": "p95", "ttft": "off", "overrides": {"p/b": {"tier": 1}}}
    data = {
        "providers": {"p": {"dialect": "gemini", "base_url": "http://a", "accounts": {"a": account}}},
        "models": {"m": model},
    }
    masked = mask(build_config([("file", data)], {}))
    assert "canary" not in json.dumps(masked)
    assert masked["models"]["m"]["overrides"] == {"p/b": {"tier": 1, "weight": 1}}
    assert "deadline" not in masked["models"]["m"]
    again = build_config([("masked", masked)], {})
    assert again.providers["p"].accounts["a"].egress == "10.0.0.1:3128"
    assert mask(again) == masked
