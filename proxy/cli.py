"""The command `penstock`: arguments in, exit code out.

Each command is a module of `proxy/tools`, with `fill(parser)` for its options, that is imported when it is asked for:
the proxy takes most of a second to import, and who wants to see a table shall not wait for it.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, Final

import proxy
from proxy.errors import ConfigError, PenstockError
from proxy.listeners import BindError
from proxy.tools.exits import BAD_CONFIG, FAILED, INTERRUPTED, UNAVAILABLE

_COMMANDS: Final = {
    "serve": "run the proxy",
    "demo": "run the proxy in front of a built-in upstream that needs no key",
    "check-config": "check a configuration and name everything that is wrong",
    "accounts": "show how a running proxy's accounts are, and lift their cool-downs",
    "chat": "ask a model through the proxy and show the answer as it comes",
    "record": "have a running proxy record streams for a while",
    "replay": "serve a recorded stream as its provider did, byte and tick exact",
    "show": "show a recorded stream: its events, the gaps between them, and a plot",
    "tail": "show the events of a stream as they arrive, with the time between them",
    "top": "watch a running proxy's streams as a table",
    "usage": "sum up what requests used and cost, from the ledger",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. argparse itself exits with 2 on wrong usage."""
    try:
        options = build_parser().parse_args(arguments)
        run: Callable[[argparse.Namespace], int] = options.run
        return run(options)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return BAD_CONFIG
    except BindError as error:
        print(f"penstock: {error}", file=sys.stderr)
        return UNAVAILABLE
    except PenstockError as error:
        print(f"penstock: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()  # whoever read us has gone, and the interpreter would complain about it
        return FAILED


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("penstock", description=proxy.__doc__)
    parser.add_argument("--version", action="version", version=f"penstock {proxy.__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND", parser_class=_Command)
    for name, text in _COMMANDS.items():
        commands.add_parser(name, help=text).module = f"proxy.tools.{name.replace('-', '_')}"
    return parser


class _Command(argparse.ArgumentParser):
    """One command's. `module` fills it once it is to parse something."""

    module = ""

    def parse_known_args(self, *arguments: Any, **settings: Any) -> Any:
        module, self.module = self.module, ""
        if module:
            import_module(module).fill(self)
        return super().parse_known_args(*arguments, **settings)
