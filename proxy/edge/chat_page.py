"""`GET /chat`: a page to talk to the models with, from the files in `page/`.

It holds nothing that is anybody's and asks nobody, so it needs no key and no place among the requests in flight; what
it asks afterwards are model routes, with the key that was typed in.
"""

import functools
from importlib.resources import files
from typing import Final

from proxy.edge.downstream import WholeAnswer
from proxy.types import RequestId
from proxy.wire.page import Page, build_page

PATH: Final = "/chat"
METHODS: Final = ("GET", "HEAD")


def answer_page(request_id: RequestId) -> WholeAnswer:
    page = _open_page()
    return WholeAnswer(200, [*page.fields, (b"x-penstock-request-id", request_id.encode())], page.body)


@functools.cache
def _open_page() -> Page:
    """Read when it is first asked for: it does not change while the process lives."""
    folder = files("proxy.edge") / "page"
    return build_page(lambda name: (folder / name).read_bytes())
