"""The shipped table of models, and what is said of a wrong one."""

from importlib.resources import files

import pytest

from proxy.dialects.capabilities import find_capabilities
from proxy.dialects.capability_rows import build_rows, parse_rows
from proxy.dialects.parts import Effort

SHIPPED = parse_rows((files("proxy.dialects") / "capabilities.toml").read_bytes())


def show(model: str) -> str:
    """The fields that matter most, as one line."""
    found = find_capabilities(model, SHIPPED)
    flags = [name for name in ("off", "sampling", "both", "prefill", "json_schema", "signed_calls", "images")
             if getattr(found, name)]  # fmt: skip
    return f"{found.family} {found.thinking} {' '.join(flags)}"


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("claude-opus-9", "claude adaptive off json_schema images"),
        ("claude-opus-4-7", "claude adaptive off json_schema images"),
        ("anthropic/claude-opus-4.8", "claude adaptive off json_schema images"),
        ("claude-opus-5-5", "claude adaptive json_schema images"),
        ("claude-sonnet-4-6", "claude adaptive off sampling json_schema images"),
        ("anthropic/claude-opus-4.6", "claude adaptive off sampling json_schema images"),
        ("claude-sonnet-4-5-20250929", "claude budget off sampling prefill json_schema images"),
        ("claude-haiku-4-5", "claude budget off sampling prefill json_schema images"),
        ("claude-opus-4-1-20250805", "claude budget off sampling prefill images"),
        ("claude-opus-4-20250514", "claude budget off sampling both prefill images"),
        ("claude-sonnet-4-0", "claude budget off sampling both prefill images"),
        ("claude-sonnet-4@20250514", "claude budget off sampling both prefill images"),
        ("anthropic/claude-sonnet-4", "claude budget off sampling both prefill images"),
        ("claude-3-7-sonnet-20250219", "claude budget off sampling both prefill images"),
        ("claude-3-5-sonnet-20241022", "claude none off sampling both prefill images"),
        ("claude-3-haiku-20240307", "claude none off sampling both prefill images"),
        ("claude-opus-4-6-thinking", "claude budget sampling json_schema images"),
        ("claude-opus-4-5-thinking", "claude budget sampling json_schema images"),
        ("gemini-2.5-pro", "gemini budget sampling both prefill json_schema images"),
        ("gemini-2.5-flash", "gemini budget off sampling both prefill json_schema images"),
        ("gemini-2.5-flash-lite", "gemini budget off sampling both prefill json_schema images"),
        ("gemini-3-pro-preview", "gemini level sampling both prefill json_schema signed_calls images"),
        ("gemini-3.1-pro-low", "gemini level sampling both prefill json_schema signed_calls images"),
        ("gemini-2.0-flash", "gemini none off sampling both prefill json_schema images"),
        ("gpt-5", "gpt effort prefill json_schema images"),
        ("gpt-5-mini-2025-08-07", "gpt effort prefill json_schema images"),
        ("gpt-5.1", "gpt effort off prefill json_schema images"),
        ("openai/gpt-5.2", "gpt effort off prefill json_schema images"),
        ("gpt-5-chat-latest", "gpt none off sampling both prefill json_schema images"),
        ("o3", "gpt effort prefill json_schema images"),
        ("o1-mini", "gpt effort prefill json_schema images"),
        ("o4-mini", "gpt effort prefill json_schema images"),
        ("gpt-4o", "gpt none off sampling both prefill json_schema images"),
        ("gpt-oss-120b-medium", "gpt effort sampling both prefill json_schema"),
        ("glm-4.6", "other effort off sampling both prefill"),
        ("z-ai/glm-4.5v", "other effort off sampling both prefill images"),
        ("deepseek-chat", "other none off sampling both prefill"),
        ("unheard-of", "other effort off sampling both prefill json_schema images"),
    ],
)
def test_a_model_is_known_by_its_name(model: str, expected: str) -> None:
    assert show(model) == expected


@pytest.mark.parametrize(
    ("model", "budget", "output"),
    [
        ("gemini-2.5-pro", (128, 32768), 65536),
        ("gemini-2.5-flash", (0, 24576), 65536),
        ("gemini-2.5-flash-lite-preview", (512, 24576), 65536),
        ("claude-sonnet-4-5", (1024, 63000), 64000),
        ("claude-opus-4-1", (1024, 31000), 32000),
        ("claude-opus-4-5-thinking", (1024, 32768), 64000),
        ("claude-3-opus-20240229", (1024, 127000), 4096),
        ("claude-opus-4-7", (1024, 127000), 128000),
    ],
)
def test_budgets_and_caps(model: str, budget: tuple[int, int], output: int) -> None:
    found = find_capabilities(model, SHIPPED)
    assert (found.budget, found.output) == (budget, output)


@pytest.mark.parametrize(
    ("model", "context"),
    [
        ("claude-opus-4-7", 1_000_000),
        ("claude-sonnet-4-6", 1_000_000),
        ("anthropic/claude-haiku-4.5", 200_000),
        ("claude-opus-4-1-20250805", 200_000),
        ("claude-3-5-sonnet-20241022", 200_000),
        ("gemini-2.5-pro", 1_048_576),
        ("gemini-3-pro-image-preview", 65_536),
        ("gpt-5", 400_000),
        ("gpt-5-chat-latest", 128_000),
        ("gpt-5.2-pro", 400_000),
        ("gpt-5.4", 1_050_000),
        ("gpt-5.4-mini", 400_000),
        ("gpt-4.1-mini", 1_047_576),
        ("gpt-4o", 128_000),
        ("gpt-4-0613", 8_192),
        ("o1-mini", 128_000),
        ("o3", 200_000),
        ("z-ai/glm-4.6", 200_000),
        ("glm-4.5v", 65_536),
        ("deepseek-v4-pro", 1_000_000),
        ("deepseek-v3.2", 128_000),
        ("unheard-of", 0),
    ],
)
def test_contexts(model: str, context: int) -> None:
    assert find_capabilities(model, SHIPPED).context == context


@pytest.mark.parametrize(
    ("model", "efforts"),
    [
        ("claude-opus-4-7", "low medium high xhigh max"),
        ("claude-sonnet-4-6", "low medium high max"),
        ("gemini-3-pro-preview", "low high"),
        ("gemini-3.1-pro-preview", "low medium high"),
        ("gemini-3-flash-preview", "minimal low medium high"),
        ("gpt-5", "minimal low medium high"),
        ("gpt-5.1", "none low medium high"),
        ("gpt-5.4", "none low medium high xhigh"),
        ("gpt-5-codex", "low medium high"),
        ("o3-mini", "low medium high"),
    ],
)
def test_efforts(model: str, efforts: str) -> None:
    assert [effort.value for effort in find_capabilities(model, SHIPPED).efforts] == efforts.split()


@pytest.mark.parametrize("row", SHIPPED, ids=lambda row: row[0])
def test_every_row_is_needed(row: tuple[str, dict[str, object]]) -> None:
    model = row[0].replace("?", ".").replace("*", "")
    assert row[0] == row[0].lower()
    assert find_capabilities(model, SHIPPED) != find_capabilities(model, [other for other in SHIPPED if other != row])


def test_values_take_the_types_of_their_fields() -> None:
    data = b'["m*"]\nefforts = ["max", "low"]\nbudget = [0, 5]\noff = false\noutput = 7\nfamily = "mine"\n'
    expected = {"efforts": (Effort.LOW, Effort.MAX), "budget": (0, 5), "off": False, "output": 7, "family": "mine"}
    assert parse_rows(data) == [("m*", expected)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('["m"]\nx = 1', 'capabilities "m": unknown field x'),
        ("m = 1", 'capabilities "m": must be a table'),
        ('[""]\noff = true', "a row without a pattern"),
        ('["m"]\noff = 1', 'capabilities "m": off must be true or false'),
        ('["m"]\noutput = true', 'capabilities "m": output must be a number of tokens'),
        ('["m"]\noutput = 0', 'capabilities "m": output must be a number of tokens'),
        ('["m"]\noutput = 1000000000', 'capabilities "m": output must be a number of tokens'),
        ('["m"]\nthinking = "hard"', 'capabilities "m": thinking must be one of none, effort, budget, adaptive, level'),
        ('["m"]\nthinking = []', 'capabilities "m": thinking must be one of'),
        ('["m"]\nefforts = []', 'capabilities "m": efforts must be a list of none, minimal'),
        ('["m"]\nefforts = ["much"]', 'capabilities "m": efforts must be a list of none, minimal'),
        ('["m"]\nefforts = [[]]', 'capabilities "m": efforts must be a list of none, minimal'),
        ('["m"]\nefforts = "low"', 'capabilities "m": efforts must be a list of none, minimal'),
        ('["m"]\nbudget = [1]', 'capabilities "m": budget must be the least and the most tokens'),
        ('["m"]\nbudget = [2, 1]', 'capabilities "m": budget must have the smaller number first'),
        ('["m"]\nbudget = ["1", 2]', 'capabilities "m": budget must be a number of tokens'),
        ('["m"]\nbudget = [false, 2]', 'capabilities "m": budget must be a number of tokens'),
        ('["m"]\nfamily = ""', 'capabilities "m": family must be a word'),
        ("[", "capabilities: "),
        ('["m"]\n["m"]', "capabilities: "),
    ],
)
def test_what_is_wrong_is_named(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=r"^capabilities") as wrong:
        parse_rows(text.encode())
    assert said in str(wrong.value)


def test_a_file_that_is_no_text_is_refused() -> None:
    with pytest.raises(ValueError, match="not UTF-8"):
        parse_rows(b"\xff")


def test_a_decoded_table_is_read_alike() -> None:
    assert build_rows({"m": {"off": True}}) == parse_rows(b'["m"]\noff = true')
