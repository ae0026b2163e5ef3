"""Endpoints that do not change."""

from __future__ import annotations

from collections.abc import AsyncIterator

from yarl import URL

from ..endpoint import Endpoint
from .base import Discovery, Found

__all__ = ["Static"]


class Static(Discovery):
    """Endpoints that are known at the start and stay: as a program is told by its environment or its command line,
    which are outside of it, so that an ``AddressPolicy`` is asked for each::

        Upstream(discovery=Static(*os.environ["BACK_ENDS"].split(",")))

    Raises ``ValueError`` or ``TypeError`` for what is no endpoint, and for none.
    """

    def __init__(self, *endpoints: str | URL | Endpoint, name: str = "") -> None:
        if not endpoints:
            raise ValueError("endpoints: there must be at least one")
        for each in endpoints:
            if not isinstance(each, str | URL | Endpoint):
                raise TypeError(f"endpoints: URLs or Endpoint objects, one argument each, got {each!r}")
        self._endpoints = tuple(each if isinstance(each, Endpoint) else Endpoint(each) for each in endpoints)
        super().__init__(name=name or self._endpoints[0].name)
        self.reopens: bool = False  # that it ends is no failure

    async def snapshots(self) -> AsyncIterator[Found]:
        yield self._endpoints

    def __repr__(self) -> str:
        return f"Static({', '.join(repr(each.name) for each in self._endpoints)})"
