"""`penstock demo`: the proxy in front of the embedded upstream, and lines to paste.

Both are real servers on loopback in one process: the proxy on the port that was asked for, the upstream on a free one,
behind the mount `/demo` and, once for each dialect that it speaks, as a provider of models. No key, no file, no name
outside this machine.
"""

import shlex
import sys
from typing import Any, Final

from proxy.config.load import build_config
from proxy.demo import DemoUpstream
from proxy.lifecycle import Service
from proxy.ops import log

_BANNER = """
penstock demo: a proxy on {base}, in front of an upstream that needs no key

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


async def run(port: int) -> int:
    """Serve until told to stop. Raises BindError when a port is taken."""
    upstream = DemoUpstream()
    await upstream.start()
    try:
        log.set_up("text", "info")
        config = build_config([("demo", _build_settings(port, upstream.base_url))], {})
        finished = await Service(config).run(lambda names: print(_build_banner(names[0]), file=sys.stderr))
    finally:
        await upstream.stop()
    return 0 if finished else 130


def _build_settings(port: int, upstream: str) -> dict[str, Any]:
    speaking = {name: {"dialect": name, "base_url": upstream + path} for name, path in PROVIDERS.items()}
    speaking["code-assist"]["project"] = "demo"
    return {
        "server": {
            "listen": [f"127.0.0.1:{port}"],
            "admin": f"127.0.0.1:{port + 1 if 0 < port < 65535 else 0}",
        },
        "limits": {"drain": "2s"},
        "providers": {"demo": {"dialect": "raw", "base_url": upstream}, **speaking},
        "models": {name: {"targets": [target]} for name, target in MODELS.items()},
        "state": {"path": ":memory:"},
        "mounts": {"/demo": {"provider": "demo", "auth": "none"}},
        "log": {"format": "text"},
    }


def _build_banner(base: str) -> str:
    return _BANNER.format(base=base, python=shlex.quote(sys.executable), models=" ".join(MODELS))
