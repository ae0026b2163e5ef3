"""What is odd about the texts of a request, as they were sent: the predicates of ``PROTOCOL`` that look at characters
which a form does not keep."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import chain

from multidict import istr

from ..subject import Subject

__all__ = ["CONTROLS", "NOT_UTF_8", "any_text", "has_nul", "is_disguised", "is_interrupted", "lines"]

_CONTENT_LENGTH = istr("Content-Length")
_TRANSFER_ENCODING = istr("Transfer-Encoding")
_FIELDS = (
    r"(?:(?:set-cookie2?|content-(?:type|length|encoding|security-policy)|transfer-encoding|x-[\w-]{2,30}+"
    r"|access-control-[\w-]{4,30}+)\s?:|location\s?:\s?(?:https?:|/|javascript:)|refresh\s?:\s?\d)"
)
_SPLITS = re.compile(
    rf"(?!--)[^\s`\u560d\u560a]{{0,80}}+\s?[\r\n\u560d\u560a][\s\u560d\u560a]*+(?:{_FIELDS}|HTTP/[\d.]{{1,3}} \d\d\d)",
    re.IGNORECASE,
)
_SMUGGLED = re.compile(
    r"(?:[^\s]{0,80}+\s?[\r\n]\s*+(?:0\s++)?|0\s++)"
    r"(?:GET|POST|PUT|DELETE|HEAD|OPTIONS|TRACE|CONNECT|PATCH) (?:/|https?:)\S{0,400} HTTP/\d"
)
_MAILED = re.compile(
    r"[^\s]{0,80}+\s?[\r\n]\s*+(?:b?cc\s?:\s?[^\s@]{1,64}@|(?:mime-version|content-transfer-encoding|reply-to)\s?:)",
    re.IGNORECASE,
)
_NAMED = re.compile(r"[?&](?:%0[AaDd])+(?:%20|\+)*[\w-]{2,40}(?:%0[AaDd])*(?::|%3[Aa])")
CONTROLS = re.compile(r"[\x01-\x08\x0b\x0c\x0e-\x1f]")
NOT_UTF_8 = re.compile("[\udc80-\udcff\ufffd]")
_DISGUISED = re.compile("[\uff02\uff07\uff1c\uff1e\uff0f\uff3c\ufe64\ufe65\u2215\u2216\u276e\u276f\u2024]")
_NO_WIDTH = re.compile("[A-Za-z][\u200b-\u200f\u2060-\u2064\ufeff\u00ad][A-Za-z]")
_LINES = ("\r", "\n", "\u560d", "\u560a")


def any_text(pattern: re.Pattern[str], seen: str) -> Callable[[Subject], str | None]:
    def test(subject: Subject) -> str | None:
        unusual = (
            text for text in chain(subject.texts, subject.lasting) if not (text.isprintable() and text.isascii())
        )
        return seen if any(pattern.search(text) is not None for text in unusual) else None

    return test


_OF_ANOTHER = (
    (_SPLITS, "a field of a response behind a line break"),
    (_SMUGGLED, "a request behind a line break"),
    (_MAILED, "a field of a mail behind a line break"),
)


def lines(subject: Subject) -> str | None:
    """Of a path, whether it has two lines; of a value that has, whether what follows the first is no text."""
    inbound = subject.exchange.inbound
    target = inbound.target
    if "%0" in target:
        path = target.partition("?")[0].lower()
        if "%0a" in path or "%0d" in path:
            return "a line break in the path"
        if _NAMED.search(target) is not None:
            return "a field behind a line break in a parameter's name"
    elif _CONTENT_LENGTH not in inbound.headers and _TRANSFER_ENCODING not in inbound.headers:
        return None  # a field has no line break, and nothing else is there
    raw = subject.raw
    if not any(line in raw for line in _LINES):
        return None
    for text in subject.texts:
        if not text.isprintable() or not text.isascii():
            start = text[:1024]
            if any(line in start for line in _LINES):
                for pattern, seen in _OF_ANOTHER:
                    if pattern.match(start) is not None:
                        return seen
    return None


def has_nul(subject: Subject) -> str | None:
    """At the end it is a frame's of STOMP."""
    if "\0" not in subject.raw:
        return None
    return "NUL in a value" if any("\0" in text[:-1] for text in subject.texts if "\0" in text) else None


def is_disguised(subject: Subject) -> str | None:
    found = any(
        _DISGUISED.search(text) is not None for text in chain(subject.texts, subject.lasting) if not text.isascii()
    )
    return "a character that some take for a quote, a slash or a bracket" if found else None


def is_interrupted(subject: Subject) -> str | None:
    found = any(
        _NO_WIDTH.search(text) is not None for text in chain(subject.texts, subject.lasting) if not text.isascii()
    )
    return "a character without width in a word" if found else None
