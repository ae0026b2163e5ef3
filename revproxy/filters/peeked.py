"""A body that was looked into and goes on as it came."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from ..body import Body
from ..clock import SYSTEM_CLOCK, Clock
from ..errors import DeadlineExceeded, ProxyError

__all__ = ["Peeked"]


class Peeked(Body):
    """A body that was looked into: ``beginning`` was read, and what follows is still to come. It goes on as it came."""

    __slots__ = ("_beginning", "_rest", "_source", "_taken")

    def __init__(self, source: Body) -> None:
        self.data: bytes | None = None
        self.length: int | None = source.length
        self._source = source
        self._beginning: list[bytes] = []
        self._rest: AsyncIterator[bytes] | None = None
        self._taken = False

    async def peek(self, limit: int) -> bytes | None:
        """All of it, if that is no more than ``limit`` bytes; else ``None``."""
        self._rest = aiter(self._source)
        size = 0
        self._taken = True  # should it break in the middle, a part must not be taken for the whole
        async for chunk in self._rest:
            self._beginning.append(chunk)
            size += len(chunk)
            if size > limit:
                self._taken = False
                return None
        return b"".join(self._beginning)

    @property
    def overflow(self) -> type[ProxyError]:
        return self._source.overflow

    @property
    def expects(self) -> bool:  # type: ignore[override]  # here it depends
        return self._rest is None and self._source.expects

    @property
    def taken(self) -> bool:
        return self._taken

    async def peek_until(self, deadline: float | None, limit: int, clock: Clock = SYSTEM_CLOCK) -> bytes | None:
        """``peek``, by ``deadline`` (monotonic seconds), if there is one. Raises ``DeadlineExceeded``."""
        if deadline is None:
            return await self.peek(limit)
        scope = asyncio.timeout(None)
        try:
            async with scope:
                timer = clock.call_later(max(deadline - clock.now(), 0.0), lambda: scope.reschedule(0.0))
                try:
                    return await self.peek(limit)
                finally:
                    timer.cancel()
        except TimeoutError:
            if not scope.expired():
                raise
            raise DeadlineExceeded("the time was over before enough of the answer was there to look into") from None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self._taken:
            raise RuntimeError("a streaming body can be read only once")
        self._taken = True
        beginning, self._beginning = self._beginning, []
        for chunk in beginning:
            yield chunk
        if self._rest is not None:
            async for chunk in self._rest:
                yield chunk

    def close(self) -> None:
        self._beginning = []
        self._source.close()
