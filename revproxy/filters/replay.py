"""A request body that streams, and can be sent again while it is small."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from ..body import Body
from ..errors import Interrupted, ProxyError
from ..limiters.body_budget import BodyBudget

__all__ = ["ReplayBody"]


class ReplayBody(Body):
    """``source``, kept as it is sent, up to ``limit`` bytes: until then each iteration begins at the beginning, and
    goes on where the source is. Beyond it nothing is kept, and whoever iterates is the last.

    ``budget``
        What is kept counts there; where it has no room nothing is kept.

    Whoever is cancelled in the middle loses no piece: the source is read by a task of its own as long as there may be
    another iteration, and in the same breath after that. ``leave`` says that there will be none; ``end`` that nobody
    reads it any more.
    """

    __slots__ = (
        "_budget",
        "_chunks",
        "_closed",
        "_ended",
        "_error",
        "_first",
        "_iterator",
        "_kept",
        "_limit",
        "_over",
        "_pull",
        "_readers",
        "_size",
        "_source",
    )

    def __init__(self, source: Body, limit: int, budget: BodyBudget | None = None) -> None:
        self.data: bytes | None = None
        self.length: int | None = source.length
        self._source = source
        self._limit = limit
        self._budget = budget
        self._iterator: AsyncIterator[bytes] | None = None
        self._chunks: list[bytes] = []
        self._first = 0
        """The number of the first chunk that is there."""
        self._size = 0
        self._kept = True
        self._over = False
        """A piece is there that is more than is kept, and nobody has taken it."""
        self._ended = self._closed = False
        self._error: BaseException | None = None
        self._pull: asyncio.Task[None] | None = None
        self._readers = 0

    @property
    def overflow(self) -> type[ProxyError]:
        return self._source.overflow

    @property
    def expects(self) -> bool:  # type: ignore[override]  # here it depends
        return self._iterator is None and self._source.expects

    @property
    def replayable(self) -> bool:
        """Whether all of it that was read is kept."""
        return self._kept

    @property
    def taken(self) -> bool:
        return not self._kept and self._iterator is not None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self.taken:
            raise RuntimeError("a streaming body can be read only once")
        iterator = self._iterator
        if iterator is None:
            iterator = self._iterator = aiter(self._source)
        self._closed = False
        self._readers += 1
        try:
            at = 0
            while True:
                while self._first <= at < self._first + len(self._chunks):
                    at += 1
                    yield self._chunks[at - 1 - self._first]
                if at < self._first:
                    raise RuntimeError("a streaming body can be read only once")
                if self._error is not None:
                    raise self._error
                if self._ended:
                    return
                if not self._kept and self._pull is None:
                    self._drop()
                    async for chunk in iterator:
                        yield chunk
                    self._ended = True
                    return
                await self._next(iterator)
                if self._over and self._kept:
                    self._over = self._kept = False
                    self._drop(at)
        finally:
            self._readers -= 1
            if not self._kept and not self._readers:
                self._drop()
                if self._pull is not None:  # who asked for it is gone
                    self._pull.cancel()

    async def _next(self, iterator: AsyncIterator[bytes]) -> None:
        """Return when there is another chunk, or will be none."""
        pull = self._pull
        if pull is None:
            pull = self._pull = asyncio.get_running_loop().create_task(self._fetch(iterator))
        await asyncio.wait((pull,))

    async def _fetch(self, iterator: AsyncIterator[bytes]) -> None:
        try:
            chunk = await anext(iterator)
        except StopAsyncIteration:
            self._ended = True
        except Exception as error:
            self._error = error
        except BaseException:
            # A part must not be taken for the whole.
            self._error = Interrupted("the request body was given up")
            raise
        else:
            self._keep(chunk)
        finally:
            self._pull = None

    def _keep(self, chunk: bytes) -> None:
        if self._kept:
            size = self._size + len(chunk)
            if size <= self._limit and (self._budget is None or self._budget.take(len(chunk))):
                self._size = size
            else:  # whoever asked for it may be cancelled already: then the next one has to have all of it
                self._over = True
        else:
            self._drop()
        self._chunks.append(chunk)

    def _drop(self, before: int | None = None) -> None:
        """Hold nothing of what has passed, and no chunk that comes ``before`` this one."""
        count = len(self._chunks) if before is None else before - self._first
        self._first += count
        del self._chunks[:count]
        if self._budget is not None:
            self._budget.give(self._size)
        self._size = 0

    async def leave(self) -> None:
        """No other iteration follows. One that is under way goes on."""
        self._kept = False
        pull = self._pull
        if pull is not None and not self._readers:  # who asked for it is gone
            pull.cancel()
            await asyncio.wait((pull,))
        if not self._readers:
            self._drop()
        if self._closed:
            self._source.close()

    def end(self) -> None:
        """It is over, whoever still reads it."""
        self._kept = False
        if self._pull is not None:
            self._pull.cancel()
        self._drop()

    def close(self) -> None:
        self._closed = True
        if not self._kept:
            self._source.close()

    def __repr__(self) -> str:
        state = f"{self._size} held" if self._kept else "not kept"
        return f"{super().__repr__()[:-1]}, {state}>"
