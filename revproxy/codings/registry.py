"""Which codings can be undone here."""

from __future__ import annotations

from collections.abc import Callable

from .base import Decoder, Encoder
from .deflate import DeflateDecoder, DeflateEncoder, GzipDecoder, GzipEncoder

__all__ = ["decoder", "encoder", "is_readable", "readable"]

_CODINGS: dict[str, tuple[Callable[[], Decoder], Callable[[], Encoder]]] = {
    "gzip": (GzipDecoder, GzipEncoder),
    "x-gzip": (GzipDecoder, GzipEncoder),
    "deflate": (DeflateDecoder, DeflateEncoder),
}
try:
    from .br import BrotliDecoder, BrotliEncoder
except ImportError:
    pass
else:
    _CODINGS["br"] = BrotliDecoder, BrotliEncoder
try:
    from .zst import ZstdDecoder, ZstdEncoder
except ImportError:
    pass
else:
    _CODINGS["zstd"] = ZstdDecoder, ZstdEncoder


def readable() -> tuple[str, ...]:
    """The codings, in lower case, that can be undone and put on: gzip and deflate always, br and zstd with the extra
    ``coding`` (zstd on Python 3.14 without)."""
    return tuple(_CODINGS)


def is_readable(coding: str) -> bool:
    """Whether ``coding``, in lower case, is one of them."""
    return coding in _CODINGS


def decoder(coding: str) -> Decoder | None:
    """What undoes ``coding``; ``None`` if nothing here does."""
    found = _CODINGS.get(coding.lower())
    return None if found is None else found[0]()


def encoder(coding: str) -> Encoder | None:
    """What puts ``coding`` on; ``None`` if nothing here does."""
    found = _CODINGS.get(coding.lower())
    return None if found is None else found[1]()
