"""Penstock: a streaming proxy for model APIs and any other server-sent-event API."""

__version__ = "0.1.0"
