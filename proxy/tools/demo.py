"""`penstock demo`: the proxy in front of the embedded upstream, and lines to paste.

Both are real servers on loopback in one process: the proxy on the port that was asked for, the upstream on a free one
behind the mount `/demo`. No key, no file, no name outside this machine.
"""

import sys

from proxy.config.load import build_config
from proxy.demo import DemoUpstream
from proxy.lifecycle import Service
from proxy.ops import log

_BANNER = """
penstock demo: a proxy on {base}, in front of an upstream that needs no key

  a clock, event by event:
    curl --no-buffer {base}/demo/clock

  a chat, streamed:
    curl --no-buffer {base}/demo/v1/chat/completions \\
      -H 'content-type: application/json' \\
      -d '{{"model":"demo","stream":true,"messages":[{{"role":"user","content":"hello"}}]}}'

  an SDK (pip install openai):
    OPENAI_BASE_URL={base}/demo/v1 OPENAI_API_KEY=demo python3 -c '
import openai
for chunk in openai.OpenAI().chat.completions.create(model="demo", stream=True,
        messages=[{{"role": "user", "content": "hello"}}]):
    print(chunk.choices[0].delta.content or "" if chunk.choices else "", end="", flush=True)'

  what else it can do, misbehaving included:
    curl {base}/demo/

Ctrl-C ends it.
"""


async def run(port: int) -> int:
    """Serve until told to stop. Raises BindError when a port is taken."""
    upstream = DemoUpstream()
    await upstream.start()
    try:
        log.set_up("text", "info")
        config = build_config(
            [
                (
                    "demo",
                    {
                        "server": {
                            "listen": [f"127.0.0.1:{port}"],
                            "admin": f"127.0.0.1:{port + 1 if 0 < port < 65535 else 0}",
                        },
                        "limits": {"drain": "2s"},
                        "providers": {"demo": {"dialect": "raw", "base_url": upstream.base_url}},
                        "mounts": {"/demo": {"provider": "demo", "auth": "none"}},
                        "log": {"format": "text"},
                    },
                )
            ],
            {},
        )
        finished = await Service(config).run(lambda names: print(_BANNER.format(base=names[0]), file=sys.stderr))
    finally:
        await upstream.stop()
    return 0 if finished else 130
