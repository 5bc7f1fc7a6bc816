"""The composition root."""

from proxy.app.penstock import Penstock, open_store

__all__ = ["Penstock", "open_store"]
