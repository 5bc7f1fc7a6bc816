"""The command `penstock`: arguments in, exit code out.

0 ok · 1 a fault at run time · 2 wrong usage · 69 a listener could not be opened · 78 the configuration is unusable
(the last three as in sysexits.h) · 130 interrupted twice.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import proxy
from proxy.config.cautions import find_cautions
from proxy.config.describe import build_schema, mask
from proxy.config.load import find_default_paths, load
from proxy.config.model import Config
from proxy.config.tree import format_place
from proxy.errors import ConfigError, PenstockError
from proxy.lifecycle import Service, prepare_process
from proxy.listeners import BindError
from proxy.loop import run_loop
from proxy.ops import log, messages
from proxy.ops.notify import Manager, take_manager
from proxy.tools import accounts, chat, demo, record, replay, show, tail, top, usage

OK: Final = 0
FAILED: Final = 1
UNAVAILABLE: Final = 69  # EX_UNAVAILABLE
BAD_CONFIG: Final = 78  # EX_CONFIG
INTERRUPTED: Final = 130  # 128 + SIGINT, as a shell reports it


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. argparse itself exits with 2 on wrong usage."""
    options = build_parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = options.run
    try:
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
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="run the proxy")
    serve.add_argument(
        "--config",
        metavar="FILE",
        type=Path,
        action="append",
        default=[],
        help="may be given several times, later over earlier; conf.d/*.toml beside the first is read too",
    )
    serve.add_argument("--check-config", action="store_true", help="only check the configuration, as check-config")
    serve.add_argument("--log-format", choices=("auto", "json", "logfmt", "text"), help="instead of [log] format")
    serve.add_argument("--loop", choices=("auto", "uvloop", "asyncio"), default="auto")
    serve.add_argument("--workers", nargs="?", action=_NoWorkers, help=argparse.SUPPRESS)
    serve.set_defaults(run=run_serve)

    play = commands.add_parser("demo", help="run the proxy in front of a built-in upstream that needs no key")
    play.add_argument("--port", type=int, default=8088, help="of the proxy; health is answered on the next one")
    play.add_argument("--loop", choices=("auto", "uvloop", "asyncio"), default="auto")
    play.set_defaults(run=run_demo)

    check = commands.add_parser("check-config", help="check a configuration and name everything that is wrong")
    check.add_argument("files", metavar="FILE", type=Path, nargs="*")
    check.add_argument("--json", action="store_true", help="print the effective configuration, or the faults, as JSON")
    check.add_argument("--schema", action="store_true", help="print the JSON schema of a configuration file")
    check.set_defaults(run=run_check)

    accounts.add_parser(commands)
    chat.add_parser(commands)
    record.add_parser(commands)
    replay.add_parser(commands)
    show.add_parser(commands)
    tail.add_parser(commands)
    top.add_parser(commands)
    usage.add_parser(commands)
    return parser


class _NoWorkers(argparse.Action):
    """Other servers have it; here a service manager looks after the processes."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: object, option: str | None = None
    ) -> None:
        parser.error(
            "there are no workers: one process uses one core; for more, run several on one socket of systemd's"
        )


def run_serve(options: argparse.Namespace) -> int:
    manager = take_manager(os.environ)
    try:
        return _serve(options, manager)
    except PenstockError as error:
        manager.tell_failure(f"not started: {error}")
        raise
    finally:
        manager.close()


def _serve(options: argparse.Namespace, manager: Manager) -> int:
    paths = tuple(options.config) or find_default_paths(os.environ)

    def load_config() -> Config:
        return load(paths, os.environ)

    config = load_config()
    if options.check_config:
        return _report_good(config, as_json=False)
    prepare_process()
    log.set_up(options.log_format or config.log.format, config.log.level)

    for place, message in find_cautions(config):
        messages.warn_caution(format_place(place), message)
    if not config.mounts and all(provider.dialect == "raw" for provider in config.providers.values()):
        messages.warn_nothing_mounted()

    async def serve() -> int:
        service = Service(config, load_config, options.log_format, manager)
        return OK if await service.run(messages.announce) else INTERRUPTED

    try:
        return run_loop(serve, options.loop)
    except OSError as error:
        print(f"penstock: {error.strerror or type(error).__name__}: {error.filename or ''}", file=sys.stderr)
        return FAILED


def run_check(options: argparse.Namespace) -> int:
    if options.schema:
        print(json.dumps(build_schema(), indent=2))
        return OK
    paths = tuple(options.files) or find_default_paths(os.environ)
    try:
        config = load(paths, os.environ)
    except ConfigError as error:
        if not options.json:
            raise
        faults = [
            {name: value for name in ("file", "place", "message", "line", "column")
             if (value := getattr(fault, name)) not in (None, "")}
            for fault in error.faults
        ]  # fmt: skip
        print(json.dumps({"ok": False, "faults": faults}, indent=2))
        return BAD_CONFIG
    return _report_good(config, as_json=options.json)


def run_demo(options: argparse.Namespace) -> int:
    return run_loop(lambda: demo.run(options.port), options.loop)


def _report_good(config: Config, *, as_json: bool) -> int:
    cautions = [(format_place(place), message) for place, message in find_cautions(config)]
    if as_json:
        warnings = [{"place": place, "message": message} for place, message in cautions]
        print(json.dumps({"ok": True, "warnings": warnings, "config": mask(config)}, indent=2))
    else:
        for place, message in cautions:
            print(f"warning: {place}: {message}", file=sys.stderr)
        counts = (
            (len(config.clients), "clients"),
            (len(config.providers), "providers"),
            (len(config.models), "models"),
            (len(config.mounts), "mounts"),
        )
        print("configuration ok: " + ", ".join(f"{count} {what}" for count, what in counts))
    return OK
