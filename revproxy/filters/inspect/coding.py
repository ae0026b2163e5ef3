"""Undoing the coding of a request's body, within bounds (S-51)."""

from __future__ import annotations

from ...codings import CodingError, decoder

__all__ = ["CannotDecode", "decoded"]

_AT_ONCE = 8192
_MEMBERS = 1000
"""Nobody sends as many who wants to be read, and each costs as much as a thousand bytes do."""


class CannotDecode(Exception):
    """The coding is not known, its data is broken, or there is too much of it."""


def decoded(data: bytes, codings: str, limit: int) -> bytes:
    """``data`` without the ``codings`` that ``Content-Encoding`` names (RFC 9110 section 8.4): one of those that can be
    undone here, or none. At most ``limit`` bytes come of it.

    Raises ``CannotDecode``.
    """
    coding = codings.strip(" \t").lower()
    if coding in ("", "identity"):
        return data
    undoing = decoder(coding)
    if undoing is None:
        raise CannotDecode("a coding that is not looked into")
    pieces: list[bytes] = []
    size = 0
    try:
        for start in range(0, len(data), _AT_ONCE):
            for piece in undoing.feed(data[start : start + _AT_ONCE]):
                size += len(piece)
                if size > limit:
                    raise CannotDecode("more than is looked into when decoded")
                pieces.append(piece)
            if undoing.members > _MEMBERS:
                raise CannotDecode("more members than are looked into")
        undoing.finish()
    except CodingError:
        raise CannotDecode("broken data in its coding") from None
    return b"".join(pieces)
