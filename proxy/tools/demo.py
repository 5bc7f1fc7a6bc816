"""`penstock demo`: the proxy in front of the embedded upstream, and lines to paste.

Both are real servers on loopback in one process: the proxy on the port that was asked for, the upstream on a free one,
behind the mount `/demo` and, once for each dialect that it speaks, as a provider of models. The chat page is on, and
the console shows what is said. No key, no file that stays, no name outside this machine.
"""

import argparse
import shlex
import sys
import tempfile
from typing import Any, Final

from proxy.config.load import build_config
from proxy.demo import DemoUpstream
from proxy.lifecycle import Service
from proxy.loop import run_loop
from proxy.ops import log
from proxy.tools.exits import INTERRUPTED, OK

_BANNER = """
penstock demo: a proxy on {base}, in front of an upstream that needs no key

  a chat in a browser:
    {base}/chat

  what it is doing, live, and what it has used:
    {admin}/
    {python} -m proxy usage --file {ledger}

  a clock, event by event:
    curl --no-buffer {base}/demo/clock

  a chat, streamed, as OpenAI's clients ask for it, from an upstream that speaks as Anthropic does:
    curl --no-buffer {base}/v1/chat/completions \\
      -H 'content-type: application/json' \\
      -d '{{"model":"anthropic/demo","stream":true,"messages":[{{"role":"user","content":"hello"}}]}}'

  the other way round, with a tool:
    {python} -m proxy chat \\
      --url {base} --dialect anthropic -m openai-chat/demo --tool weather "the weather in Paris"

  an SDK (pip install openai; docs/clients.md has more):
    OPENAI_BASE_URL={base}/v1 OPENAI_API_KEY=demo python3 -c '
import openai
for chunk in openai.OpenAI().chat.completions.create(model="demo", stream=True,
        messages=[{{"role": "user", "content": "hello"}}]):
    print(chunk.choices[0].delta.content or "" if chunk.choices else "", end="", flush=True)'

  its models:
    {models}

  what else it can do, misbehaving included:
    curl {base}/demo/

Ctrl-C ends it.
"""

PROVIDERS: Final = {
    "openai-chat": "/v1",
    "openai-responses": "/v1",
    "anthropic": "",
    "gemini": "",
    "glm": "/api/paas/v4",
    "openrouter": "/api/v1",
    "code-assist": "",
}
"""The dialects that the upstream speaks, and the path that their base URLs have there. Providers bear their names."""

MODELS: Final = {"demo": "openai-chat/demo", **{f"{name}/demo": f"{name}/demo" for name in PROVIDERS}}
"""The names that can be asked for, and where they lead."""

BROKEN: Final = "broken"
"""One more, whose answers fail half way: how that looks in a client is worth knowing."""

_FAILING: Final = {"x-demo": "error_after=20"}


def fill(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("--port", type=int, default=8088, help="of the proxy; health is answered on the next one")
    parser.add_argument("--loop", choices=("auto", "uvloop", "asyncio"), default="auto")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    return run_loop(lambda: _serve(options.port), options.loop)


async def _serve(port: int) -> int:
    """Until told to stop. Raises BindError when a port is taken."""
    upstream = DemoUpstream()
    await upstream.start()
    try:
        log.set_up("text", "info")
        with tempfile.TemporaryDirectory(prefix="penstock-demo-") as folder:
            settings = {**build_settings(port, upstream.base_url), **_build_books(folder)}
            service = Service(build_config([("demo", settings)], {}))
            ledger = settings["ledger"]["path"]
            finished = await service.run(lambda public, admin: _announce(public, admin, ledger))
    finally:
        await upstream.stop()
    return OK if finished else INTERRUPTED


def build_settings(port: int, upstream: str) -> dict[str, Any]:
    """What a configuration file would hold. upstream: the base URL of a DemoUpstream."""
    speaking: dict[str, dict[str, Any]] = {
        name: {"dialect": name, "base_url": upstream + path} for name, path in PROVIDERS.items()
    }
    speaking["code-assist"]["project"] = "demo"
    speaking[BROKEN] = {"dialect": "anthropic", "base_url": upstream, "headers": _FAILING}
    return {
        "server": {
            "listen": [f"127.0.0.1:{port}"],
            "admin": f"127.0.0.1:{port + 1 if 0 < port < 65535 else 0}",
        },
        "limits": {"drain": "2s"},
        "providers": {"demo": {"dialect": "raw", "base_url": upstream}, **speaking},
        "models": {name: {"targets": [target]} for name, target in (MODELS | {BROKEN: f"{BROKEN}/demo"}).items()},
        "chat": {"enabled": True},
        "state": {"path": ":memory:"},
        "mounts": {"/demo": {"provider": "demo", "auth": "none"}},
        "log": {"format": "text"},
    }


def _build_books(folder: str) -> dict[str, Any]:
    """What there is to see in the console; the prices are made up."""
    return {
        "ledger": {"path": f"{folder}/ledger.db"},
        "prices": {"*/demo": {"input": 1.25, "cached_input": 0.125, "output": 10.0}},
        "record": {"ring": 20, "directory": f"{folder}/cassettes"},
        "console": {"content": True},
    }


def _announce(public: list[str], admin: list[str], ledger: str) -> None:
    models = " ".join([*MODELS, BROKEN])
    python = shlex.quote(sys.executable)
    banner = _BANNER.format(base=public[0], admin=admin[0], ledger=ledger, python=python, models=models)
    print(banner, file=sys.stderr)
