"""The SDKs' environments, made when a test first asks for one, and the proxy that they are pointed at."""

import subprocess
from collections.abc import AsyncIterator

import pytest

from proxy.demo import DemoUpstream
from tests.helpers.command import ROOT
from tests.helpers.sdk import UPSTREAM_KEY, Sdk
from tests.helpers.service import RunningProxy, demo_upstream, running


def find_interpreter(name: str) -> str:
    made = subprocess.run([ROOT / "scripts" / "sdk-environment", name], capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.skip(f"the environment of the {name} SDK could not be made: {made.stderr[-300:]}")
    return made.stdout.strip()


@pytest.fixture(scope="session")
def openai_python() -> str:
    return find_interpreter("openai")


@pytest.fixture(scope="session")
def anthropic_python() -> str:
    return find_interpreter("anthropic")


@pytest.fixture(scope="session")
def ai_node() -> str:
    return find_interpreter("ai")


@pytest.fixture
async def upstream() -> AsyncIterator[DemoUpstream]:
    async with demo_upstream() as demo:
        yield demo


@pytest.fixture
async def proxy(upstream: DemoUpstream) -> AsyncIterator[RunningProxy]:
    """Both dialects mounted, each with an account; callers show a key of their own."""
    account = {"accounts": {"main": {"key": UPSTREAM_KEY}}}
    config = {
        "clients": {"dev": {"key": Sdk.KEY}},
        "providers": {
            "openai": {"dialect": "openai-chat", "base_url": f"{upstream.base_url}/v1", **account},
            "anthropic": {"dialect": "anthropic", "base_url": upstream.base_url, **account},
        },
        "mounts": {"/openai": {"provider": "openai"}, "/anthropic": {"provider": "anthropic"}},
    }
    async with running(config) as proxy:
        yield proxy
