"""The body of a response that is edited, or watched, whatever coding it is in."""

from __future__ import annotations

from asyncio import sleep
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence

from ...body import Body, Transform
from ...codings import CodingError, Decoder, decoder, encoder
from ...codings.base import PIECE
from ...errors import BadContent, ProxyError
from .handling import Handling
from .pace import Pace
from .stages import Stages

__all__ = ["ContentBody"]

_FROM = 65536
_WAITING = 1 << 20
_WORTH_SENDING = 16384
_CODED = 4096
"""Bytes in a coding that are undone at once. They may be hundreds of members."""


class ContentBody(Body):
    """``source`` behind ``transforms``.

    ``coding``
        What the source is in; ``""`` for none.
    ``edits``
        Whether the transforms change anything. If not, the source goes on byte for byte, each of its chunks once they
        have let go of what it says.
    ``recode``
        Whether the coding is put on again; not looked at unless something changes.
    ``handling``
        Has the limits.
    ``length``
        In bytes, if it is known what comes out.

    However much there is in a chunk, others have their turn after every 64 KiB of it, and after some milliseconds
    (``Pace``).
    """

    __slots__ = ("_taken", "coding", "edits", "handling", "recode", "source", "transforms")

    def __init__(
        self,
        source: Body,
        transforms: Sequence[Transform],
        *,
        coding: str,
        edits: bool,
        recode: bool,
        handling: Handling,
        length: int | None,
    ) -> None:
        self.data: bytes | None = None
        self.length: int | None = length
        self.source: Body = source
        self.transforms: Sequence[Transform] = transforms
        self.coding: str = coding
        self.edits: bool = edits
        self.recode: bool = recode
        self.handling: Handling = handling
        self._taken = False

    @property
    def overflow(self) -> type[ProxyError]:
        return self.source.overflow

    @property
    def taken(self) -> bool:
        return self._taken

    def __aiter__(self) -> AsyncIterator[bytes]:
        if self._taken:
            raise RuntimeError("a streaming body can be read only once")
        self._taken = True
        return self._edited() if self.edits else self._watched()

    async def _edited(self) -> AsyncIterator[bytes]:
        stages = Stages(self.transforms)
        pace = Pace(stages)
        content = _Content(self.coding, self.handling)
        encode = encoder(self.coding) if self.recode else None
        async for chunk in self.source:
            begun, is_new = b"", False
            for edited in _fed(content, pace, chunk):
                if edited is None:
                    await sleep(0)
                elif not edited:
                    continue
                elif encode is None:
                    yield edited
                else:
                    is_new = True
                    begun += encode.feed(edited)
                    if len(begun) >= _WORTH_SENDING:
                        yield begun
                        begun = b""
            if is_new and encode is not None:  # what the upstream has sent is not kept back (F-71)
                yield begun + encode.flush()
        content.finish()
        edited = stages.finish()
        if encode is not None:
            edited = encode.feed(edited) + encode.finish()
        if edited:
            yield edited

    async def _watched(self) -> AsyncIterator[bytes]:
        stages = Stages(self.transforms)
        pace = Pace(stages)
        content = _Content(self.coding, self.handling)
        waiting: deque[tuple[int, bytes]] = deque()
        held = passed = 0
        async for chunk in self.source:
            for edited in _fed(content, pace, chunk):
                if edited is None:
                    await sleep(0)
                else:
                    passed += len(edited)
            waiting.append((content.size, chunk))
            held += len(chunk)
            while waiting and waiting[0][0] <= passed:
                gone = waiting.popleft()[1]
                held -= len(gone)
                yield gone
            if held > _WAITING + 2 * (content.size - passed):
                raise BadContent(f"{held} bytes of a coding that say nearly nothing")
        content.finish()
        stages.finish()
        for _, chunk in waiting:
            yield chunk

    def close(self) -> None:
        self.source.close()


def _fed(content: _Content, pace: Pace, chunk: bytes) -> Iterator[bytes | None]:
    """What comes of ``chunk``, bit by bit; ``None`` where others should have their turn before the next."""
    for piece in content.feed(chunk):
        if piece is None:
            yield None
        else:
            yield from pace.feed(piece)


class _Content:
    """What chunks in a coding say, within bounds (S-51). ``size``: the bytes of it so far."""

    __slots__ = ("_came", "_decoder", "_handling", "size")

    def __init__(self, coding: str, handling: Handling) -> None:
        self._decoder: Decoder | None = decoder(coding)
        self._handling = handling
        self._came = 0
        self.size = 0

    def feed(self, chunk: bytes) -> Iterator[bytes | None]:
        """In pieces, none of them longer than 64 KiB; ``None`` where others should have their turn before the next."""
        decoder = self._decoder
        step = PIECE if decoder is None else _CODED
        for start in range(0, len(chunk), step):
            if start:
                yield None
            part = chunk[start : start + step]
            if decoder is None:
                self.size += len(part)
                yield part
            else:
                yield from self._decoded(decoder, part)

    def _decoded(self, decoder: Decoder, part: bytes) -> Iterator[bytes | None]:
        self._came += len(part)
        most = self._handling.max_decoded
        allowed = max(_FROM, self._handling.max_ratio * self._came)
        given = 0
        try:
            for piece in decoder.feed(part):
                self.size += len(piece)
                if self.size > allowed:
                    raise BadContent(f"{self._came} bytes in their coding are more than {allowed} without")
                if most is not None and self.size > most:
                    raise BadContent(f"a content exceeds the limit of {most} bytes when its coding is undone")
                given += len(piece)
                if given > PIECE:
                    given = len(piece)
                    yield None
                yield piece
        except CodingError as error:
            raise BadContent(f"broken data in a content coding: {error}") from None

    def finish(self) -> None:
        if self._decoder is not None and self._came:
            try:
                self._decoder.finish()
            except CodingError as error:
                raise BadContent(f"broken data in a content coding: {error}") from None
