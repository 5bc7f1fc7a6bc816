"""Fits a request to what a target can take: every parameter is translated, dropped with its name, or refused by name.

A dialect's `build_request` asks a `Fitting` and never drops anything behind its back.
"""

from collections.abc import Iterable

from proxy.dialects.chat import Invalid, Target
from proxy.dialects.parts import Request


class Fitting:
    """`dropped` collects, in order and once each, the client's names of what does not go along."""

    def __init__(self, request: Request, target: Target) -> None:
        self._request = request
        self._drop = target.drop
        self.dropped: list[str] = []

    def name(self, field: str) -> str:
        """The client's name of a field of Request."""
        return self._request.named.get(field, field)

    def drop(self, field: str) -> None:
        """Leave `field` out, where the specification says that nobody misses it. Nothing if it was not given."""
        if self._is_given(field):
            self.drop_name(self.name(field))

    def refuse(self, field: str, why: str = "the model that answers cannot take it") -> None:
        """Raise Invalid for `field`, if it was given and `drop_params` does not name it."""
        if self._is_given(field):
            self.refuse_name(self.name(field), why)

    def refuse_name(self, name: str, why: str = "the model that answers cannot take it") -> None:
        """The same by the client's own name, given for sure."""
        if name not in self._drop:
            raise Invalid(name, why)
        self.drop_name(name)

    def drop_name(self, name: str) -> None:
        """Leave something out by the client's own name of it, given for sure."""
        if name not in self.dropped:
            self.dropped.append(name)

    def refuse_extra(self, known: Iterable[str] = (), droppable: Iterable[str] = ()) -> None:
        """Go through `request.extra`: what is `known` was translated by the caller, what is `droppable` or one of the
        request's hints is dropped, anything else is refused. `None` values ask for nothing."""
        known, droppable = frozenset(known), self._request.hints.union(droppable)
        for name, value in self._request.extra.items():
            if name in known or value is None:
                continue
            if name in droppable:
                self.drop_name(name)
            else:
                self.refuse_name(name)

    def _is_given(self, field: str) -> bool:
        return field in self._request.named
