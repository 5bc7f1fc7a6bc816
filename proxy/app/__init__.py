"""The composition root."""

from proxy.app.penstock import Penstock, open_store
from proxy.app.sites import Sites

__all__ = ["Penstock", "Sites", "open_store"]
