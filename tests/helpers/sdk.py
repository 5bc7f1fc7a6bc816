"""An official SDK as a process: runs one behaviour of a program in tests/sdk/programs and reads the JSON it prints."""

import json
from contextlib import AbstractAsyncContextManager
from typing import Any, ClassVar

from tests.helpers.command import ROOT, Running, ran, started

UPSTREAM_KEY = "key-of-the-account"


class Sdk:
    """python: the interpreter of the SDK's environment. program: the file's name without its ending."""

    KEY: ClassVar[str] = "key-of-the-caller"

    def __init__(self, python: str, program: str, base_url: str) -> None:
        self._command = (python, str(ROOT / "tests" / "sdk" / "programs" / f"{program}.py"))
        self._base_url = base_url

    async def run(self, behaviour: str, *, key: str = KEY) -> Any:
        finished = await ran(behaviour, self._base_url, key, command=self._command)
        assert finished.code == 0, finished.err
        return json.loads(finished.out)

    def start(self, behaviour: str) -> AbstractAsyncContextManager[Running]:
        return started(behaviour, self._base_url, self.KEY, command=self._command)
