"""One request to the admin listener of a running proxy, over TCP or a Unix socket: JSON there and back.

Where the listener wants a token, `$PENSTOCK_CONSOLE_TOKEN` is it. No variable of the environment leads the request
through a proxy, and no redirect is followed. Raises AdminError, whose text names the address and quotes at most the
listener's own words.
"""

import http.client
import json
import os
import socket
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from proxy.config.address import Address
from proxy.errors import PenstockError
from proxy.tools.event_lines import escape

PATIENCE: Final = 10.0
"""Seconds for connecting, and for each read: the listener answers from memory."""

TOKEN: Final = "PENSTOCK_CONSOLE_TOKEN"  # noqa: S105 - the variable's name

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


def ask_admin(address: Address, target: str, body: object = None, environ: Mapping[str, str] = os.environ) -> Any:
    """GET, or with a body POST. Returns what was answered."""
    status, text = _exchange(address, target, body, environ)
    return _read(address, status, text)


def fetch_admin(address: Address, target: str, environ: Mapping[str, str] = os.environ) -> bytes:
    """GET of what is no JSON."""
    status, data = _exchange(address, target, None, environ)
    return data if status == HTTPStatus.OK else bytes(_read(address, status, data))


def _exchange(address: Address, target: str, body: object, environ: Mapping[str, str]) -> tuple[int, bytes]:
    connection = _open(address)
    fields = build_credential(environ)
    try:
        if body is None:
            connection.request("GET", target, headers=fields)
        else:
            connection.request("POST", target, json.dumps(body), fields | {"Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, response.read(LARGEST)
    except TimeoutError:
        raise AdminError(f"the admin listener at {address} does not answer") from None
    except OSError as error:
        reason = (error.strerror or "the connection broke off").lower()
        raise AdminError(f"cannot reach the admin listener at {address}: {reason}") from None
    except (http.client.HTTPException, ValueError):
        raise AdminError(f"what answers at {address} is no admin listener") from None
    finally:
        connection.close()


def build_credential(environ: Mapping[str, str]) -> dict[str, str]:
    """The header field that holds the token, where there is one. Raises AdminError for what no field can hold."""
    token = environ.get(TOKEN, "")
    if not (token.isascii() and token.isprintable()):
        raise AdminError(f"{TOKEN} holds characters that a token cannot have")
    return {"Authorization": f"Bearer {token}"} if token else {}


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
    if status == HTTPStatus.UNAUTHORIZED and message:
        message += f" Set {TOKEN} to it."
    raise AdminError(message or f"what answers at {address} is no admin listener (status {status})")
