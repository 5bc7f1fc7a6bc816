"""python -m scripts.pictures [PAGE...]: each page in light and dark, as docs/images/PAGE-light.png and -dark.png."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from scripts.pictures import chat, console

FOLDER = Path(__file__).parents[2] / "docs" / "images"
PAGES: dict[str, Callable[[Path], Awaitable[None]]] = {"chat": chat.take, "console": console.take}


async def main(names: list[str]) -> None:
    FOLDER.mkdir(exist_ok=True)
    for name in names or PAGES:
        await PAGES[name](FOLDER)


if __name__ == "__main__":
    if unknown := set(sys.argv[1:]) - PAGES.keys():
        sys.exit(f"no such page: {' '.join(unknown)}; there are {' '.join(PAGES)}")
    asyncio.run(main(sys.argv[1:]))
