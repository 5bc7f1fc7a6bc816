"""One target, driven by coverage with atheris: `python -m tests.fuzz.guided TARGET [LIBFUZZER OPTIONS]`.

The bytes that libFuzzer makes up are what a Random draws from, so it learns which draws lead to new code.
"""

import sys
from random import Random

import atheris  # type: ignore[import-untyped,unused-ignore]

with atheris.instrument_imports(include=["proxy"]):
    from tests.fuzz.targets import TARGETS


class Driven(Random):
    """Draws are bytes of `data`; when they are used up, each is 0."""

    def __init__(self, data: bytes) -> None:
        super().__init__(0)
        self._data = atheris.FuzzedDataProvider(data)

    def random(self) -> float:
        return float(self._data.ConsumeIntInRange(0, (1 << 24) - 1)) / (1 << 24)

    def getrandbits(self, k: int, /) -> int:
        return int.from_bytes(self._data.ConsumeBytes((k + 7) // 8), "little") & ((1 << k) - 1)


def main() -> None:
    name, *options = sys.argv[1:]
    target = TARGETS[name]

    def run_one(data: bytes) -> None:
        target.check(target.draw(Driven(data)))

    atheris.Setup([sys.argv[0], "-max_len=4096", "-len_control=0", *options], run_one)  # short ones draw nothing
    atheris.Fuzz()


if __name__ == "__main__":
    main()
