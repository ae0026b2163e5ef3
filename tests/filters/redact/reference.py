"""What redaction does, as simply as it can be said: the whole text at once, every detector everywhere."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from html import unescape

from revproxy.filters.redact.detector import Detector

__all__ = ["found_in", "meaning_of", "spans_in"]

_ESCAPES = {
    "json": re.compile(rb"\\u[dD][89abAB][0-9A-Fa-f]{2}\\u[dD][c-fC-F][0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\[^u]"),
    "sse": re.compile(
        rb"\\u[dD][89abAB][0-9A-Fa-f]{2}\\u[dD][c-fC-F][0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\[^u]|(?<!\n)\ndata:[ ]?"
    ),
    "html": re.compile(rb"&#[0-9]{1,16};?|&#[xX][0-9A-Fa-f]{1,16};?|&[A-Za-z][A-Za-z0-9]{1,31};|\\u[0-9A-Fa-f]{4}|\\/"),
}
_ONE = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}


def _spelling(type: str) -> str:
    if type.endswith("json"):
        return "json"
    return "sse" if type == "text/event-stream" else "html"


def _means(escape: bytes) -> bytes:
    if escape.startswith(b"\n"):
        return b"\n"
    if escape.startswith(b"\\u"):
        return bytes.fromhex(escape.replace(b"\\u", b"").decode()).decode("utf-16-be").encode("utf-8", "surrogatepass")
    if escape.startswith(b"\\"):
        return _ONE.get(escape[1:], escape[1:])
    return unescape(escape.decode()).replace("\xa0", " ").encode()


def meaning_of(body: bytes, type: str) -> tuple[bytes, list[tuple[int, int, int]]]:
    """What ``body`` means, and where the pieces of the meaning stand: from where in it on, and from and to where in
    ``body``; what stands for itself and what is escaped by turns."""
    meaning, pieces, at = b"", [], 0
    for escape in _ESCAPES[_spelling(type)].finditer(body):
        pieces.append((len(meaning), at, escape.start()))
        meaning += body[at : escape.start()]
        pieces.append((len(meaning), escape.start(), escape.end()))
        meaning += _means(escape[0])
        at = escape.end()
    pieces.append((len(meaning), at, len(body)))
    return meaning + body[at:], pieces


def found_in(text: bytes, detector: Detector) -> list[tuple[int, int]]:
    """Where the secrets of one kind are in ``text``."""
    spans = []
    at = 0
    while (match := detector.regex.search(text, at)) is not None:
        start, end = match.span("secret") if "secret" in detector.regex.groupindex else match.span()
        if start < 0 or not detector.accepts(match["secret"] if "secret" in detector.regex.groupindex else match[0]):
            at = match.start() + 1
            continue
        if detector.swallow:
            run = re.compile(b"[" + detector.swallow + b"]*").match(text, match.end())
            assert run is not None
            end = run.end()
        spans.append((start, end))
        at = end
    return spans


def spans_in(body: bytes, type: str, detectors: Iterable[Detector]) -> list[tuple[int, int, str]]:
    """Where in ``body`` something is masked, escapes and all, and by which detector."""
    text, pieces = meaning_of(body, type)
    begins = [piece[0] for piece in pieces]
    spans = []
    for detector in detectors:
        for start, end in found_in(text, detector):
            first = bisect_right(begins, start) - 1
            last = bisect_right(begins, end - 1) - 1
            raw_start = pieces[first][1] + (0 if first % 2 else start - pieces[first][0])
            raw_end = pieces[last][2] if last % 2 else pieces[last][1] + end - pieces[last][0]
            spans.append((raw_start, raw_end, detector.name))
    return sorted(spans)
