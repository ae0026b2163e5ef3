"""Undoing the coding of a request's body, within bounds (S-51)."""

from __future__ import annotations

import zlib

__all__ = ["CannotDecode", "decoded"]


class CannotDecode(Exception):
    """The coding is not known, its data is broken, or there is too much of it."""


_WINDOWS = {"gzip": 31, "x-gzip": 31, "deflate": 15}


def decoded(data: bytes, codings: str, limit: int) -> bytes:
    """``data`` without the ``codings`` that ``Content-Encoding`` names (RFC 9110 section 8.4): one of gzip and deflate,
    or none. At most ``limit`` bytes come of it.

    Raises ``CannotDecode``.
    """
    coding = codings.strip(" \t").lower()
    if coding in ("", "identity"):
        return data
    window = _WINDOWS.get(coding)
    if window is None:
        raise CannotDecode("a coding that is not looked into")
    try:
        return _inflated(data, window, limit)
    except zlib.error:
        if coding != "deflate":
            raise CannotDecode("broken data in its coding") from None
    try:
        return _inflated(data, -15, limit)  # without the wrapper, as many send it
    except zlib.error:
        raise CannotDecode("broken data in its coding") from None


def _inflated(data: bytes, window: int, limit: int) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while data:  # several members of gzip are one body (RFC 1952 section 2.2)
        decoder = zlib.decompressobj(window)
        piece = decoder.decompress(data, limit - size + 1)
        size += len(piece)
        if size > limit:
            raise CannotDecode("more than is looked into when decoded")
        if not decoder.eof:
            raise CannotDecode("broken data in its coding")
        pieces.append(piece)
        data = decoder.unused_data
        if data and window != 31:
            raise CannotDecode("broken data in its coding")
    return b"".join(pieces)
