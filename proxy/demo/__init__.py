"""The embedded upstream that needs no key: `DemoUpstream`, a scripted SSE and model server that fails on
request.
"""

from proxy.demo.record import RequestRecord
from proxy.demo.server import DemoUpstream

__all__ = ["DemoUpstream", "RequestRecord"]
