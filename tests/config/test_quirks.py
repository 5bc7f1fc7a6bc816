"""Whose way of speaking is meant."""

import pytest

from proxy.config.quirks import QUIRKS, choose_quirks
from proxy.dialects.openai_chat import quirks as rows


@pytest.mark.parametrize(
    ("base_url", "quirks"),
    [
        ("https://api.openai.com/v1", "openai"),
        ("https://eu.api.openai.com/v1", "openai"),
        ("https://API.OpenAI.com./v1", "openai"),
        ("https://api.openai.com.evil.example/v1", "compatible"),
        ("https://notapi.openai.com/v1", "compatible"),
        ("https://api.deepseek.com", "deepseek"),
        ("https://api.groq.com/openai/v1", "groq"),
        ("https://api.mistral.ai/v1", "mistral"),
        ("https://dashscope-intl.aliyuncs.com/compatible-mode/v1", "qwen"),
        ("https://api.moonshot.cn/v1", "moonshot"),
        ("https://api.moonshot.ai/v1", "moonshot"),
        ("https://api.x.ai/v1", "xai"),
        ("https://mine.openai.azure.com/openai/v1", "azure"),
        ("https://mine.services.ai.azure.com/openai/v1", "azure"),
        ("https://generativelanguage.googleapis.com/v1beta/openai", "google"),
        ("https://europe-west1-aiplatform.googleapis.com/v1/projects/p/locations/l/endpoints/openapi", "google"),
        ("http://gpu-box:11434/v1", "ollama"),
        ("https://ollama.com/v1", "ollama"),
        ("http://[::1]:8000/v1", "compatible"),
    ],
)
def test_told_by_the_host(base_url: str, quirks: str) -> None:
    assert choose_quirks("", base_url) == quirks
    assert quirks in QUIRKS


def test_every_word_has_its_row_in_the_dialect() -> None:
    assert set(QUIRKS) == set(rows.QUIRKS)


def test_what_was_written_goes_first() -> None:
    assert choose_quirks("vllm", "https://api.openai.com/v1") == "vllm"
