"""Bodies are pulled, never pushed into: backpressure is then nothing but not asking for more."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable
from typing import ClassVar, Protocol

from .errors import ProxyError, ResponseBodyTooLarge

__all__ = ["EMPTY", "Body", "Sink", "StreamBody", "Transform"]


class Transform(Protocol):
    """An incremental edit of a body, without I/O. Any split of the input gives the same output, joined."""

    def feed(self, chunk: bytes) -> bytes:
        """Take some input, return what output is certain by now (may be empty)."""
        ...

    def finish(self) -> bytes:
        """The input is complete: return what is left."""
        ...


class Sink(Protocol):
    """Where a body is pumped to: takes bytes at once, and says when it would rather not have more."""

    @property
    def paused(self) -> bool:
        """True while no more should be written."""
        ...

    def write(self, data: bytes) -> None:
        """Take ``data``, never blocking."""
        ...

    def on_resume(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` once, when ``paused`` becomes false. Only while ``paused``."""
        ...

    async def drain(self) -> None:
        """Return when ``paused`` is false."""
        ...


class Body:
    """The bytes of a message. This class holds them in memory; subclasses stream.

    ``data``
        The whole body, if it is in memory, else ``None``.
    ``length``
        Its length in bytes, if known before it has been read.

    ``expects``
        Whoever sends it waits to be told to go on, by ``100 Continue`` (RFC 9110 section 10.1.1): he is when somebody
        begins to iterate. The wire first asks the upstream whether it wants the body.

    Iterating yields non-empty chunks of any size. A streaming body can be iterated once.
    """

    __slots__ = ("data", "length")

    data: bytes | None
    length: int | None
    expects: ClassVar[bool] = False

    def __init__(self, data: bytes = b"") -> None:
        self.data = data
        self.length = len(data)

    @property
    def overflow(self) -> type[ProxyError]:
        """What ``read`` raises for a body over its limit."""
        return ResponseBodyTooLarge

    @classmethod
    def unsized(cls, data: bytes) -> Body:
        """A body in memory that is sent as if its length were not known: what came in chunks goes on in chunks,
        whether or not all of it was there at once."""
        self = Body(data)
        self.length = None
        return self

    @property
    def replayable(self) -> bool:
        """Whether the body can be sent a second time: only if it is in memory."""
        return self.data is not None

    @property
    def taken(self) -> bool:
        """Whether somebody has begun to read what can be read only once."""
        return False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self.data:
            yield self.data

    async def pump(self, sink: Sink) -> None:
        """Write the whole body into ``sink``, at the pace that it can take. The same bytes as by iteration."""
        async for chunk in self:
            sink.write(chunk)
            if sink.paused:
                await sink.drain()

    async def read(self, limit: int) -> bytes:
        """The whole body, of at most ``limit`` bytes.

        Raises ``BodyTooLarge`` (a request's, 413) or ``ResponseBodyTooLarge`` (a response's, 502) if it is longer;
        no more than that is ever held.
        """
        length = self.length if self.data is None else len(self.data)
        if length is not None and length > limit:
            self.close()
            raise self.overflow(f"a body of {length} bytes exceeds the limit of {limit}")
        if self.data is not None:
            return self.data
        parts: list[bytes] = []
        size = 0
        async for chunk in self:
            size += len(chunk)
            if size > limit:
                self.close()
                raise self.overflow(f"a body exceeds the limit of {limit} bytes")
            parts.append(chunk)
        return b"".join(parts)

    def through(self, transform: Transform) -> Body:
        """This body, edited by ``transform``: at once if it is in memory, else as it is read. ``EMPTY`` stays none."""
        if self.data is not None:
            edited = transform.feed(self.data) + transform.finish()
            return self if self is EMPTY and not edited else Body(edited)
        return _Transformed(self, transform)

    def close(self) -> None:
        """Give up the rest: what feeds the body is released. Harmless when repeated or at the end."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {'unknown length' if self.length is None else f'{self.length} bytes'}>"


EMPTY = Body()
"""No body at all. As a request's body it means that the request has none, not one of length 0."""


class StreamBody(Body):
    """A body that comes from an async iterable of ``bytes``.

    ``length`` declares how many bytes there will be; too few or too many are then found where the body is sent.
    """

    __slots__ = ("_source", "_taken")

    def __init__(self, source: AsyncIterable[bytes], *, length: int | None = None) -> None:
        if length is not None and length < 0:
            raise ValueError(f"length must be at least 0, got {length}")
        self.data: bytes | None = None
        self.length = length
        self._source = source
        self._taken = False

    @property
    def taken(self) -> bool:
        return self._taken

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self._taken:
            raise RuntimeError("a streaming body can be read only once")
        self._taken = True
        async for chunk in self._source:
            if chunk:
                yield chunk

    def __repr__(self) -> str:
        return f"{super().__repr__()[:-1]}{', taken' if self._taken else ''}>"


class _Transformed(Body):
    """A streaming body behind a transform. Its length is unknown until it ends."""

    __slots__ = ("_source", "_transform")

    def __init__(self, source: Body, transform: Transform) -> None:
        self.data = None
        self.length = None
        self._source = source
        self._transform = transform

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
        async for chunk in self._source:
            edited = self._transform.feed(chunk)
            if edited:
                yield edited
        rest = self._transform.finish()
        if rest:
            yield rest

    def close(self) -> None:
        self._source.close()
