"""The proxies under test, each a process of its own on one core's worth of threads: Penstock, nginx, Envoy."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

_NGINX = """worker_processes 1; daemon off; pid nginx.pid; error_log error.log;
events {{ worker_connections 9000; }}
http {{
  access_log off; client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp; uwsgi_temp_path tmp;
  scgi_temp_path tmp;
  upstream source {{ server 127.0.0.1:{source}; keepalive 512; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      proxy_pass http://source; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_buffering off; proxy_request_buffering off; proxy_read_timeout 600s; keepalive_requests 1000000;
    }}
  }}
}}
"""

_ENVOY = """static_resources:
  listeners:
  - address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: x
          http_filters:
          - name: envoy.filters.http.router
            typed_config: {{"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}
          route_config:
            virtual_hosts:
            - {{name: a, domains: ["*"], routes: [{{match: {{prefix: "/"}}, route: {{cluster: source, timeout: 0s}}}}]}}
  clusters:
  - name: source
    type: STATIC
    connect_timeout: 5s
    circuit_breakers: {{thresholds: [{{max_connections: 100000, max_requests: 100000, max_pending_requests: 100000}}]}}
    load_assignment:
      cluster_name: source
      endpoints:
      - lb_endpoints:
        - endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {source}}}}}}}
"""

PENSTOCK = """[server]
listen = ["127.0.0.1:{port}"]
admin = "127.0.0.1:{admin}"
[limits]
connections_per_address = 0
[clients.bench]
key = "bench"
[providers.source]
dialect = "openai-chat"
base_url = "http://127.0.0.1:{source}"
accounts.main.key = "bench"
[mounts."/source"]
provider = "source"
[providers.claude]
dialect = "anthropic"
base_url = "http://127.0.0.1:{source}"
accounts.main.key = "bench"
[log]
format = "json"
[state]
path = ":memory:"
"""

_CHAT = "/v1/chat/completions"


@dataclass(frozen=True)
class Peer:
    """A running proxy: where it listens, what stands before the path, which header it wants. path, vendor: when it is
    asked at a path of its own, and for a vendor's model."""

    name: str
    pid: int
    port: int
    prefix: str = ""
    header: str = ""
    path: str = ""
    vendor: str = ""


def start_source(stack: ExitStack) -> int:
    """The event source; returns its port."""
    port = _find_port()
    _start(stack, [sys.executable, "-m", "scripts.benchmark.source", str(port)], port)
    return port


def start_peers(stack: ExitStack, folder: Path, source: int) -> list[Peer]:
    """Everything that is installed, nginx first: it is the base of the ratios."""
    peers: list[Peer] = []
    if nginx := shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin"):
        port = _find_port()
        (folder / "tmp").mkdir(mode=0o777)
        (folder / "nginx.conf").write_text(_NGINX.format(port=port, source=source))
        peers.append(
            Peer("nginx", _start(stack, [nginx, "-p", str(folder), "-c", str(folder / "nginx.conf")], port), port)
        )
    if envoy := os.environ.get("ENVOY") or shutil.which("envoy"):
        port = _find_port()
        (folder / "envoy.yaml").write_text(_ENVOY.format(port=port, source=source))
        command = [
            envoy,
            "-c",
            str(folder / "envoy.yaml"),
            "--concurrency",
            "1",
            "--log-level",
            "error",
            "--use-dynamic-base-id",
        ]
        peers.append(Peer("envoy", _start(stack, command, port), port))
    penstock, _ = start_penstock(stack, folder / "penstock.toml", source)
    return [*peers, penstock]


def start_penstock(stack: ExitStack, file: Path, source: int, more: str = "") -> tuple[Peer, int]:
    """It, and the port of its admin listener. more: of its configuration, which is written to `file`."""
    port, admin = _find_port(), _find_port()
    file.write_text(PENSTOCK.format(port=port, admin=admin, source=source) + more)
    pid = _start(stack, [sys.executable, "-m", "proxy", "serve", "--config", str(file)], port)
    return Peer("penstock", pid, port, "/source", "Authorization: Bearer bench"), admin


def translate(peers: list[Peer]) -> list[Peer]:
    """The same, and the last once more as an OpenAI client of an Anthropic provider."""
    last = peers[-1]
    return [*peers, Peer("translated", last.pid, last.port, header=last.header, path=_CHAT, vendor="claude/")]


def read_cpu(pid: int) -> float:
    """Microseconds of CPU that a process and its children have used (scheduler statistics: idle time of others and
    of the machine do not count)."""
    return sum(
        int(stat.read_text().split()[0]) / 1000
        for each in _find_tree(pid)
        for stat in Path(f"/proc/{each}/task").glob("*/schedstat")
    )


def read_memory(pid: int) -> int:
    """Resident bytes of a process and its children."""
    pages = sum(int(Path(f"/proc/{each}/statm").read_text().split()[1]) for each in _find_tree(pid))
    return pages * os.sysconf("SC_PAGE_SIZE")


def _find_tree(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in children for each in _find_tree(int(child)))]


def _find_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def _start(stack: ExitStack, command: list[str], port: int) -> int:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    stack.callback(stop, process)
    for _ in range(200):
        if process.poll() is not None:
            break
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return process.pid
    raise SystemExit(f"{Path(command[0]).name} did not start: {' '.join(command)}")


def stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
