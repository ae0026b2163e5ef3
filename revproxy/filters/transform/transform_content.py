"""A transform of one's own."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ...body import Transform
from ...exchange import Exchange
from ...media_types import MediaType
from ...message import Response
from ..content import ContentFilter, Handling
from .replace_text import compiled_types

__all__ = ["TransformContent"]


class TransformContent(ContentFilter):
    """Edits responses by a ``Transform`` of one's own, as they stream, whatever coding they are in. ::

        class Upper:
            def feed(self, chunk: bytes) -> bytes:
                return chunk.upper()

            def finish(self) -> bytes:
                return b""

        TransformContent(Upper, types=["text/plain"])

    ``new``
        Returns a new one for each response. Any split of what it is fed has to give the same. It may raise
        ``ResponseRefused``.
    ``types``
        Media types that it edits; ``None``: all, also without a type.
    ``hold``
        Bytes that it has to let go of before the head goes out, so that what it refuses until then is an answer with
        502.
    ``handling``
        See ``Handling``.

    Raises ``ValueError`` or ``TypeError`` that names the parameter and its value.
    """

    reads_text = False

    def __init__(
        self,
        new: Callable[[], Transform],
        *,
        types: Iterable[str] | None,
        hold: int = 0,
        handling: Handling | None = None,
    ) -> None:
        super().__init__(handling=handling)
        if not callable(new):
            raise TypeError(f"new: {new!r} is not callable: it has to return a new transform for each response")
        if type(hold) is not int or hold < 0:
            raise ValueError(f"hold must be an integer of at least 0, got {hold!r}")
        self._new = new
        self._types = None if types is None else compiled_types(types)
        self._hold = hold

    @property
    def hold(self) -> int:
        return self._hold

    def transform(self, exchange: Exchange, response: Response, kind: MediaType | None) -> Transform | None:
        if self._types is not None and (kind is None or self._types.fullmatch(kind.name) is None):
            return None
        return self._new()

    def __repr__(self) -> str:
        return f"<TransformContent {getattr(self._new, '__qualname__', None) or repr(self._new)}>"
