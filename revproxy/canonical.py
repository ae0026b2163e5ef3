"""The canonical form of a path: every character in its only form; and places in it."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable

from .errors import BadRequest

__all__ = ["PCHAR", "below", "canonical", "encoded_twice", "locate"]

PCHAR = "A-Za-z0-9._~!$&'()*+,;=:@-"
"""RFC 3986 section 3.3: what stands for itself in a path segment."""

_BAD_PERCENT = re.compile("%(?![0-9A-Fa-f]{2})")

_TWICE = re.compile("%25[0-9A-Fa-f]{2}")

_OTHERWISE_WRITTEN = rf"%[0-9A-Fa-f]{{2}}|[^%/{PCHAR}]"
_NOT_CANONICAL = re.compile(_OTHERWISE_WRITTEN.encode())
_NOT_PLAIN = re.compile(_OTHERWISE_WRITTEN)
_FORMS = [
    bytes([byte]) if re.fullmatch(f"[{PCHAR}]", chr(byte)) else f"%{byte:02X}".encode("ascii") for byte in range(256)
]


def canonical(raw: str) -> str:
    """``raw``, a path or a piece of one, with every character in its only form: ASCII, and its own canonical form.

    Everything is percent-decoded once and then encoded again with upper-case digits, but for what RFC 3986 section 3.3
    lets stand for itself and the slashes of ``raw``. A slash that was encoded stays ``%2F``, a percent sign ``%25``.
    Bytes from 0x80 up are those that UTF-8 with ``surrogateescape`` makes of ``raw``. Raises ``BadRequest`` for a
    percent sign without two hexadecimal digits.
    """
    if _BAD_PERCENT.search(raw) is not None:
        raise BadRequest("bad percent-encoding in the path")
    return _NOT_CANONICAL.sub(_form, raw.encode("utf-8", "surrogateescape")).decode("ascii")


def encoded_twice(path: str) -> bool:
    """Whether something of ``path``, in canonical form, is percent-encoded within a percent-encoding: ``%252e``."""
    return "%25" in path and _TWICE.search(path) is not None


def _form(match: re.Match[bytes]) -> bytes:
    found = match[0]
    return _FORMS[found[0] if len(found) == 1 else int(found[1:], 16)]


def locate(raw: str) -> Callable[[int], int | None]:
    """What finds a place in ``canonical(raw)`` in ``raw``: so that what is matched in the one can be taken from the
    other, byte for byte. It returns ``None`` for a place within a character that either of them percent-encodes.

    Raises ``BadRequest`` as ``canonical`` does.
    """
    canonical(raw)
    marks: list[tuple[int, int, int]] = []  # of such a character: where its canonical form begins, where both forms end
    shift = 0
    for found in _NOT_PLAIN.finditer(raw):
        start = found.start() + shift
        end = start + len(canonical(found[0]))
        marks.append((start, end, found.end()))
        shift = end - found.end()

    def find(place: int) -> int | None:
        before = bisect_left(marks, (place,)) - 1
        if before < 0:
            return place
        _, end, raw_end = marks[before]
        return None if place < end else raw_end + place - end

    return find


def below(prefix: str, path: str, target: str) -> str | None:
    """What is left of ``target``, whose canonical path is ``path``, without the segments of ``prefix``, byte for byte;
    ``None`` if it is not below it. Of ``prefix`` itself ``/`` is left. Raises ``BadRequest`` if two slashes would begin
    it, by which many take what follows for a host.

    ``prefix`` is canonical, without a slash at its end.
    """
    if path != prefix and not path.startswith(f"{prefix}/"):
        return None
    raw, mark, query = target.partition("?")
    for _ in range(prefix.count("/")):
        cut = raw.find("/", 1)
        raw = "" if cut < 0 else raw[cut:]
    if prefix and raw.startswith("//"):
        raise BadRequest("two slashes at the beginning of the path")
    return f"{raw or '/'}{mark}{query}"
