"""A body that somebody else sees, too, as it passes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Protocol

from ..body import Body, Sink
from ..errors import ProxyError

__all__ = ["Tap", "Tee"]


class Tap(Protocol):
    """Sees a body pass. Never blocks, never raises."""

    def feed(self, chunk: bytes) -> None:
        """A piece has passed."""
        ...

    def end(self) -> None:
        """That was all of it."""
        ...

    def broken(self) -> None:
        """No more will pass. Means nothing after ``end``."""
        ...


class Tee(Body):
    """``source``, unchanged and at the pace of whoever takes it; ``tap`` sees every piece. What is pumped stays so."""

    __slots__ = ("_source", "_tap")

    def __init__(self, source: Body, tap: Tap) -> None:
        self.data: bytes | None = None
        self.length: int | None = source.length
        self._source = source
        self._tap = tap

    @property
    def overflow(self) -> type[ProxyError]:
        return self._source.overflow

    @property
    def expects(self) -> bool:  # type: ignore[override]  # here it depends
        return self._source.expects

    @property
    def taken(self) -> bool:
        return self._source.taken

    async def __aiter__(self) -> AsyncIterator[bytes]:
        tap = self._tap
        try:
            async for chunk in self._source:
                tap.feed(chunk)
                yield chunk
            tap.end()
        finally:
            tap.broken()

    async def pump(self, sink: Sink) -> None:
        tap = self._tap
        try:
            await self._source.pump(_TappedSink(sink, tap))
            tap.end()
        finally:
            tap.broken()

    def close(self) -> None:
        self._source.close()
        self._tap.broken()


class _TappedSink:
    """``sink``, and ``tap`` sees what is written to it."""

    __slots__ = ("_sink", "_tap", "drain", "on_resume")

    def __init__(self, sink: Sink, tap: Tap) -> None:
        self._sink = sink
        self._tap = tap
        self.drain = sink.drain
        self.on_resume: Callable[[Callable[[], None]], None] = sink.on_resume

    @property
    def paused(self) -> bool:
        return self._sink.paused

    def write(self, data: bytes) -> None:
        self._sink.write(data)
        self._tap.feed(data)
