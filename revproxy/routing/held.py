"""What is held of bodies for shadows, within a budget for each and for all."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable

from ..body import Body
from ..errors import ClientDisconnected
from ..limiters.body_budget import BodyBudget
from .fate import Fate

__all__ = ["Budget", "CopiedBody", "Kept"]


class Budget:
    """Bytes that may be held: ``each`` of one body, ``total`` of all; and of what others hold, too, ``bodies``."""

    __slots__ = ("_bodies", "each", "held", "total")

    def __init__(self, each: int, total: int, bodies: BodyBudget | None = None) -> None:
        self._bodies = bodies
        self.each: int = each
        self.total: int = total
        self.held: int = 0

    def take(self, size: int, before: int = 0) -> bool:
        """Hold ``size`` bytes more of a body of which ``before`` are held. Whether there is room for them."""
        if before + size > self.each or self.held + size > self.total:
            return False
        if self._bodies is not None and not self._bodies.take(size):
            return False
        self.held += size
        return True

    def give(self, size: int) -> None:
        """These are not held any more."""
        self.held -= size
        if self._bodies is not None:
            self._bodies.give(size)

    def __repr__(self) -> str:
        return f"<Budget {self.held} of {self.total} held, {self.each} each>"


class CopiedBody(Body):
    """A request body for a shadow: what the tee of the primary's has seen, at a pace of its own. Held is what has
    passed there and was not taken here.

    ``spoilt`` is called, at most once, if there will be no whole copy: with ``TOO_MUCH`` where the budget is exceeded,
    with ``INCOMPLETE`` where the primary did not read all of it.
    """

    __slots__ = ("_budget", "_chunks", "_closed", "_ended", "_size", "_spoilt", "_taken", "_waiter")

    def __init__(self, length: int | None, budget: Budget, spoilt: Callable[[Fate], None]) -> None:
        self.data: bytes | None = None
        self.length: int | None = length
        self._budget = budget
        self._spoilt = spoilt
        self._chunks: deque[bytes] = deque()
        self._size = 0
        self._ended = False
        self._closed = False
        self._taken = False
        self._waiter: asyncio.Future[None] | None = None

    # Fed by the tee.

    def feed(self, chunk: bytes) -> None:
        if self._closed or self._ended:
            return
        if not self._budget.take(len(chunk), self._size):
            self.close()
            self._spoilt(Fate.TOO_MUCH)
            return
        self._chunks.append(chunk)
        self._size += len(chunk)
        self._wake()

    def end(self) -> None:
        self._ended = True
        self._wake()

    def broken(self) -> None:
        if not self._ended and not self._closed:
            self.close()
            self._spoilt(Fate.INCOMPLETE)

    # Taken by the shadow.

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self._taken:
            raise RuntimeError("a streaming body can be read only once")
        self._taken = True
        while True:
            while self._chunks:
                chunk = self._chunks.popleft()
                self._size -= len(chunk)
                self._budget.give(len(chunk))
                yield chunk
            if self._closed:
                raise ClientDisconnected("the request body was given up")
            if self._ended:
                return
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._chunks.clear()
            self._budget.give(self._size)
            self._size = 0
            self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def __repr__(self) -> str:
        state = "closed" if self._closed else "complete" if self._ended else "streaming"
        return f"{super().__repr__()[:-1]}, {state}, {self._size} held>"


class Kept:
    """An answer's body, to be compared: all of it, or nothing if it exceeds the budget."""

    __slots__ = ("_budget", "_over", "_parts", "_size", "ended")

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._parts: list[bytes] = []
        self._size = 0
        self._over = False
        self.ended: bool = False
        """It was seen to its end."""

    def feed(self, chunk: bytes) -> None:
        if self._over:
            return
        if self._budget.take(len(chunk), self._size):
            self._parts.append(chunk)
            self._size += len(chunk)
        else:
            self.drop()

    def end(self) -> None:
        self.ended = True

    def broken(self) -> None:
        pass

    @property
    def is_over(self) -> bool:
        """Whether it was too large to be kept."""
        return self._over

    @property
    def data(self) -> bytes | None:
        """The whole body; ``None``: it was not kept, or did not come to its end."""
        return b"".join(self._parts) if self.ended and not self._over else None

    def drop(self) -> None:
        """Hold nothing, from now on."""
        self._over = True
        self._parts.clear()
        self._budget.give(self._size)
        self._size = 0

    def __repr__(self) -> str:
        return f"<Kept {'nothing' if self._over else f'{self._size} bytes'}{', complete' if self.ended else ''}>"
