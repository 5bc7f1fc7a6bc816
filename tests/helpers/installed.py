"""The service in a machine of tests/helpers/systemd.py, as scripts/install leaves it, without its half minute.

`put_service` puts units, user, configuration and keys there; nothing is started or enabled. `add_release` puts the code
under test, over the packages that the tests themselves run with, at a release's place below /opt/penstock. `put_demo`
runs an upstream beside it. Loopback is let out, because a machine has no other network and the upstreams are there.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from proxy.tools.demo import PROVIDERS
from tests.helpers.systemd import ROOT, Machine

CLIENT_KEY: Final = "key-of-the-client-in-the-machine"
PORT: Final = 8088  # as shipped in systemd/penstock.socket
DEMO_PORT: Final = 9100

CONFIG: Final = """\
[limits]
drain = "55m"
connect = "1s"
[clients.main]
key = "${cred:key_client}"
"""

DEMO_CONFIG: Final = CONFIG + "".join(
    f'[providers.{name}]\ndialect = "{name}"\nbase_url = "http://127.0.0.1:{DEMO_PORT}{path}"\n'
    'accounts.main.key = "${cred:key_demo}"\n'
    for name, path in PROVIDERS.items()
    if name != "code-assist"
)

FULL_CONFIG: Final = f"""\
{DEMO_CONFIG}
[providers.gone]
dialect = "anthropic"
base_url = "http://127.0.0.1:9"
accounts.main.key = "x"
[models."gone/demo"]
targets = ["gone/demo"]
attempts = 1
[providers.raw]
dialect = "raw"
base_url = "http://127.0.0.1:{DEMO_PORT}"
[mounts."/demo"]
provider = "raw"
[ledger]
"""
"""With a provider that is not there, a mount and a ledger."""

DROP_IN: Final = """\
[Service]
IPAddressAllow=127.0.0.0/8
# an interpreter that looks for its library below a home would not find it
Environment=LD_LIBRARY_PATH=/srv/python/lib
"""

DEMO: Final = f"""
import asyncio
from proxy.demo import DemoUpstream
async def main():
    await DemoUpstream().start(port={DEMO_PORT})
    print("listening", flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


def put_service(machine: Machine, config: str = CONFIG, keys: dict[str, str] | None = None) -> None:
    """keys: by the names of their files; that of the one client is CLIENT_KEY."""
    machine.run("systemd-sysusers", "/srv/source/systemd/penstock.sysusers")
    add_release(machine)
    for unit in (ROOT / "systemd").glob("penstock*.s*"):
        if unit.suffix in (".socket", ".service"):
            machine.write(f"/etc/systemd/system/{unit.name}", unit.read_text())
    machine.write("/etc/systemd/system/penstock@.service.d/tests.conf", DROP_IN)
    put_config(machine, config)
    for name, key in {"client": CLIENT_KEY, "demo": "demo-key", **(keys or {})}.items():
        machine.write(f"/etc/penstock/keys/{name}", key, 0o600)
    (machine.disk / "etc/penstock/keys").chmod(0o700)
    machine.systemctl("daemon-reload")


def put_config(machine: Machine, text: str) -> None:
    machine.write("/etc/penstock/config.toml", text, 0o640)
    machine.run("chgrp", "penstock", "/etc/penstock/config.toml")


@contextmanager
def put_demo(machine: Machine) -> Iterator["subprocess.Popen[str]"]:
    """An upstream of every dialect on DEMO_PORT, as DEMO_CONFIG has it."""
    with machine.enter(["/opt/penstock/current/bin/python", "-c", DEMO], stdout=subprocess.PIPE) as demo:
        try:
            assert demo.stdout is not None
            assert demo.stdout.readline() == "listening\n"
            yield demo
        finally:
            demo.kill()


def ask(machine: Machine, dialect: str, *, stream: bool = False, key: str = CLIENT_KEY, text: str = "hello") -> str:
    """What the service answers to an OpenAI client whose model speaks this dialect."""
    body: dict[str, Any] = {
        "model": f"{dialect}/demo",
        "stream": stream,
        "messages": [{"role": "user", "content": text}],
    }
    return machine.run(
        "curl", "--silent", "--fail", "--no-buffer", f"http://127.0.0.1:{PORT}/v1/chat/completions",
        "--header", f"Authorization: Bearer {key}", "--header", "Content-Type: application/json",
        "--data", json.dumps(body),
    ).stdout  # fmt: skip


def add_release(machine: Machine, name: str = "test", *, current: bool = True) -> str:
    """Its path in the machine. current: the one that units start."""
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    place = f"/opt/penstock/releases/{name}"
    folder = machine.disk / place.lstrip("/")
    packages = folder / f"lib/python{version}/site-packages"
    packages.mkdir(parents=True)
    (packages / "tests.pth").write_text("/srv/source\n/srv/packages\n")
    (folder / "pyvenv.cfg").write_text(f"home = /srv/python/bin\nversion = {version}\n")
    (folder / "bin").mkdir()
    (folder / "bin/python").symlink_to(f"/srv/python/bin/python{version}")
    command = "import sys\nfrom proxy.cli import main\nsys.exit(main())\n"
    machine.write(f"{place}/bin/penstock", f"#!{place}/bin/python\n{command}", 0o755)
    if current:
        link = machine.disk / "opt/penstock/current"
        link.unlink(missing_ok=True)
        link.symlink_to(f"releases/{name}")
    return place
