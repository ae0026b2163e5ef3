"""What the upstream is told of the codings that a client accepts."""

from __future__ import annotations

from functools import lru_cache

from multidict import istr

from ...codings import is_readable
from ...message import Request

__all__ = ["narrow", "narrowed"]

_ACCEPT_ENCODING = istr("Accept-Encoding")
_LONGEST = 256


def narrow(draft: Request) -> None:
    """Have ``draft`` ask for no coding that nothing here undoes (RFC 9110 section 12.5.3)."""
    values = draft.headers.getall(_ACCEPT_ENCODING, None)
    if values is not None:
        draft.headers[_ACCEPT_ENCODING] = narrowed(", ".join(values))


def narrowed(value: str) -> str:
    """``Accept-Encoding`` of the ``value``, without what cannot be undone; ``identity`` if nothing is left of it."""
    return _remembered(value) if len(value) <= _LONGEST else _narrowed(value)


def _narrowed(value: str) -> str:
    elements = [element.strip(" \t") for element in value.split(",")]
    kept = [element for element in elements if _is_kept(element)]
    return value if kept == elements else ", ".join(kept) or "identity"


_remembered = lru_cache(maxsize=256)(_narrowed)


def _is_kept(element: str) -> bool:
    coding = element.partition(";")[0].rstrip(" \t").lower()
    if coding == "*":  # all else: fine where it says no
        return element.rpartition("=")[2].strip(" \t0.") == ""
    return coding == "identity" or is_readable(coding)
