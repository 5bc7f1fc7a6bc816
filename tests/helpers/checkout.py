"""A checkout in a machine, as a person has it there: its releases, its scripts, and what they leave."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.helpers.installed import DROP_IN, add_release
from tests.helpers.systemd import ROOT, Machine

CHECKOUT: Final = "/srv/checkout"


def put_checkout(machine: Machine) -> None:
    for name in ("proxy", "scripts", "systemd"):
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, machine.disk / CHECKOUT.lstrip("/") / name, ignore=ignore)
    for name in ("pyproject.toml", "setup.cfg", "constraints.txt", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, machine.disk / CHECKOUT.lstrip("/") / name)


def put_built(machine: Machine, command: str = "") -> str:
    """The checkout's release as if it were built; its name. command: what runs in place of the proxy, for sh."""
    name = machine.run("bash", "-c", f"source {CHECKOUT}/scripts/deployment; name_release").stdout.strip()
    folder = Path(add_release(machine, Path(name).name, current=False))
    machine.run("cp", "-r", f"{CHECKOUT}/systemd", str(folder))
    machine.write(f"{folder}/.installed-release", f"{folder}\n")
    if command:
        machine.write(f"{folder}/bin/penstock", f"#!/bin/sh\n{command}\n", 0o755)
    return folder.name


def change(machine: Machine, name: str = "systemd/penstock@.service") -> None:
    """Make the checkout another release's."""
    with (machine.disk / CHECKOUT.lstrip("/") / name).open("a") as file:
        file.write("# changed\n")


def run(machine: Machine, script: str, *arguments: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
    return machine.run(f"{CHECKOUT}/scripts/{script}", *arguments, check=check, host_network=True, timeout=170)


def list_units(machine: Machine, state: str) -> set[str]:
    listed = machine.systemctl("list-units", "--plain", "--no-legend", f"--state={state}", "penstock@*")
    return {line.split()[0].removeprefix("penstock@").removesuffix(".service") for line in listed.splitlines()}


def list_enabled(machine: Machine) -> set[str]:
    wanted = machine.disk / "etc/systemd/system/penstock.service.wants"
    return {path.name.removeprefix("penstock@").removesuffix(".service") for path in wanted.iterdir()}


def read_current(machine: Machine) -> str:
    return os.readlink(machine.disk / "opt/penstock/current").removeprefix("releases/")


def snap(machine: Machine) -> dict[str, object]:
    """What an installation that is repeated must not change."""
    settings = machine.disk / "etc/penstock"
    files = {path: (path.read_text(), path.stat().st_mode) for path in settings.rglob("*") if path.is_file()}
    return {"files": files, "pid": machine.main_pid("penstock@blue"), "current": read_current(machine)}


@contextmanager
def checked_out() -> Iterator[Machine]:
    """A checkout whose release need not be built, and nothing installed."""
    with Machine() as machine:
        put_checkout(machine)
        put_built(machine)
        machine.write("/etc/systemd/system/penstock@.service.d/tests.conf", DROP_IN)
        yield machine
