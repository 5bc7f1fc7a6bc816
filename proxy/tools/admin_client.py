"""One request to the admin listener of a running proxy, over TCP or a Unix socket: JSON there and back.

No variable of the environment leads it through a proxy, and no redirect is followed. Raises AdminError, whose text
names the address and quotes at most the listener's own words.
"""

import http.client
import json
import socket
from typing import Any, Final

from proxy.config.address import Address
from proxy.errors import PenstockError
from proxy.tools.event_lines import escape

PATIENCE: Final = 10.0
"""Seconds for connecting, and for each read: the listener answers from memory."""

LARGEST: Final = 64 * 1024 * 1024
"""Bytes of an answer: thousands of accounts with hundreds of models each."""


class AdminError(PenstockError):
    """The admin listener could not be asked, or did not do what it was asked."""


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=PATIENCE)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(self._path)


def ask_admin(address: Address, target: str, body: object = None) -> Any:
    """GET, or with a body POST. Returns what was answered."""
    connection = _open(address)
    try:
        if body is None:
            connection.request("GET", target)
        else:
            connection.request("POST", target, json.dumps(body), {"Content-Type": "application/json"})
        response = connection.getresponse()
        status, text = response.status, response.read(LARGEST)
    except TimeoutError:
        raise AdminError(f"the admin listener at {address} does not answer") from None
    except OSError as error:
        reason = (error.strerror or "the connection broke off").lower()
        raise AdminError(f"cannot reach the admin listener at {address}: {reason}") from None
    except (http.client.HTTPException, ValueError):
        raise AdminError(f"what answers at {address} is no admin listener") from None
    finally:
        connection.close()
    return _read(address, status, text)


def _open(address: Address) -> http.client.HTTPConnection:
    if address.is_unix:
        return _UnixConnection(address.path)
    if not address.port:
        raise AdminError("the admin listener's port is chosen when it starts: give --admin with the one that it got")
    return http.client.HTTPConnection(address.host or "127.0.0.1", address.port, timeout=PATIENCE)


def _read(address: Address, status: int, text: bytes) -> Any:
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        raise AdminError(f"what answers at {address} is no admin listener (status {status})") from None
    if status == 200:
        return answer
    try:
        message = escape(str(answer["error"]["message"]))
    except (TypeError, KeyError):
        message = ""
    raise AdminError(message or f"what answers at {address} is no admin listener (status {status})")
