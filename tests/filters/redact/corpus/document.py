"""A text with marks around what must go."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CLOSE", "OPEN", "Document", "document"]

OPEN, CLOSE = "\ue000", "\ue001"
"""Around the secret, while a document is written; no escape is made of them."""


@dataclass(frozen=True, slots=True)
class Document:
    """``kind``: of the secret, or of what only looks like one. ``type``: its media type. ``start``, ``end``: where the
    secret stands in ``body``, escapes and all; both 0: there is none."""

    kind: str
    where: str
    type: str
    body: bytes
    start: int = 0
    end: int = 0


def document(kind: str, where: str, type: str, text: str) -> Document:
    """``text`` without the marks, in UTF-8."""
    before, mark, rest = text.partition(OPEN)
    if not mark:
        return Document(kind, where, type, text.encode())
    secret, mark, after = rest.partition(CLOSE)
    assert mark, "a secret without an end"
    assert OPEN not in after, "two secrets"
    start = len(before.encode())
    return Document(kind, where, type, (before + secret + after).encode(), start, start + len(secret.encode()))
