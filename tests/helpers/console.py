"""The console in a browser, in the words of somebody who looks at it."""

import json
from typing import Any, Final

from tests.helpers.chromium_page import Page

ROWS: Final = "#rows tr:not([data-phase=ended])"


async def wait_rows(page: Page, count: int = 1) -> None:
    await page.wait_for(f"document.querySelectorAll({json.dumps(ROWS)}).length >= {count}")


async def wait_text(page: Page, selector: str, part: str) -> None:
    await page.wait_for(f"document.querySelector({json.dumps(selector)})?.textContent.includes({json.dumps(part)})")


async def filter_by(page: Page, words: str, count: int = 1) -> None:
    """Until so many streams are left."""
    await page.type(words, into="#filter")
    await page.wait_for(f"document.querySelectorAll('#rows tr').length === {count}")


async def read_column(page: Page, column: str) -> list[str]:
    """What stands in a column, from the top."""
    found = f"[...document.querySelectorAll('{ROWS} .c-{column}')].map(cell => cell.textContent)"
    return list(await page.evaluate(found))


async def is_link(page: Page, state: str) -> None:
    """connecting, live, lost, refused."""
    await page.wait_for(f"document.querySelector('#link').dataset.state === {json.dumps(state)}")


async def read_focus(page: Page) -> Any:
    """The id of what has the focus; of a row, which one."""
    return await page.evaluate("document.activeElement.id || document.activeElement.dataset.id || ''")
