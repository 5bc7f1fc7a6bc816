"""A folder of answers as an API: whoever asks for the model NAME gets the file NAME. The readers beside it share it."""

import json
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

FOLDER = Path(sys.argv[1])


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        name = asked.get("model") or self.path.partition("/models/")[2].partition(":")[0]
        body = (FOLDER / name).read_bytes()
        self.send_response(200)
        self.send_header("content-type", "text/event-stream" if name.endswith(".sse") else "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


def serve() -> str:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


def read_all(read: Callable[[str, Any], None]) -> None:
    """`read(name, said)` notes what the SDK made of a file; all is printed as one JSON object by the files' names."""
    found = {}
    for path in sorted(FOLDER.iterdir()):
        said: Any = {"text": "", "thought": "", "refusal": "", "calls": [], "stop": None, "error": None}
        try:
            read(path.name, said)
        except Exception as error:
            said["error"] = f"{type(error).__module__.partition('.')[0]}: {type(error).__name__}: {error}"[:4000]
        found[path.name] = said
    json.dump(found, sys.stdout)
