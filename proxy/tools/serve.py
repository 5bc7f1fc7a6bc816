"""`penstock serve`: run the proxy until told to stop."""

import argparse
import os
import sys
from pathlib import Path

from proxy.config.cautions import find_cautions
from proxy.config.load import find_default_paths, load
from proxy.config.model import Config
from proxy.config.tree import format_place
from proxy.errors import PenstockError
from proxy.lifecycle import Service, prepare_process
from proxy.loop import run_loop
from proxy.ops import log, messages
from proxy.ops.notify import Manager, take_manager
from proxy.tools.check_config import report_good
from proxy.tools.exits import FAILED, INTERRUPTED, OK


def fill(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "--config",
        metavar="FILE",
        type=Path,
        action="append",
        default=[],
        help="may be given several times, later over earlier; conf.d/*.toml beside the first is read too",
    )
    parser.add_argument("--check-config", action="store_true", help="only check the configuration, as check-config")
    parser.add_argument("--log-format", choices=("auto", "json", "logfmt", "text"), help="instead of [log] format")
    parser.add_argument("--loop", choices=("auto", "uvloop", "asyncio"), default="auto")
    parser.add_argument("--workers", nargs="?", action=_NoWorkers, help=argparse.SUPPRESS)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
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
        return report_good(config, as_json=False)
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


class _NoWorkers(argparse.Action):
    """Other servers have it; here a service manager looks after the processes."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: object, option: str | None = None
    ) -> None:
        parser.error(
            "there are no workers: one process uses one core; for more, run several on one socket of systemd's"
        )
