"""Endpoints as a program of one's own finds them."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable
from typing import TypeAlias

from .base import Discovery, Found

__all__ = ["Source", "Stream"]

Source: TypeAlias = Callable[[], AsyncIterable[Found]] | AsyncIterable[Found]
"""A function that returns an async iterator of sets (an async generator function), or one such iterator."""


class Stream(Discovery):
    """The sets that an async iterator gives, of URLs or ``Endpoint`` objects, as a watch of Consul or etcd does::

        async def watch() -> AsyncIterator[list[str]]:
            while True:
                yield await ask_the_registry()
                await asyncio.sleep(5)

        Upstream(discovery=Stream(watch, name="api"))

    Sets may come as fast as they like. Ten in a second are put in place at most, the newest ones.

    A function is called again after a failure, and when its iterator has ended. What is an iterator itself cannot be
    begun again: its failure is told of, and the last set stays.
    """

    def __init__(
        self, source: Source, *, name: str = "", initial: float | None = 10.0, allow_empty: bool = False
    ) -> None:
        if not callable(source) and not isinstance(source, AsyncIterable):
            raise TypeError(f"source must be an async iterator or a function that returns one, got {source!r}")
        called = getattr(source, "__name__", type(source).__name__)
        super().__init__(name=name or called, initial=initial, allow_empty=allow_empty)
        self._source = source
        self._called = called
        self.reopens: bool = callable(source)
        self._opened = False

    def snapshots(self) -> AsyncIterator[Found]:
        """The sets. Raises ``ValueError`` for an iterator that somebody has begun already."""
        if callable(self._source):
            return aiter(self._source())
        if self._opened:
            raise ValueError(f"source: {self._called} was begun already; a function could be called again")
        self._opened = True
        return aiter(self._source)

    def __repr__(self) -> str:
        return f"Stream({self._called})"
