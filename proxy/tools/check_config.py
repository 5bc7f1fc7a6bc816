"""`penstock check-config`: what is wrong in a configuration, all of it at once, or what it comes to."""

import argparse
import json
import os
import sys
from pathlib import Path

from proxy.config.cautions import find_cautions
from proxy.config.describe import build_schema, mask
from proxy.config.load import find_default_paths, load
from proxy.config.model import Config
from proxy.config.tree import format_place
from proxy.errors import ConfigError
from proxy.tools.exits import BAD_CONFIG, OK


def fill(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("files", metavar="FILE", type=Path, nargs="*")
    parser.add_argument("--json", action="store_true", help="print the effective configuration, or the faults, as JSON")
    parser.add_argument("--schema", action="store_true", help="print the JSON schema of a configuration file")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
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
    return report_good(config, as_json=options.json)


def report_good(config: Config, *, as_json: bool) -> int:
    """Print that it can be used, and what is worth a thought; returns the exit code."""
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
