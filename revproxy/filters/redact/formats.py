"""What a media type says about how a text is written."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from ...media_types import MediaType, media_ranges
from .spelling import FORM, JSON, MARKUP, SSE, Spelling

__all__ = ["Ends", "Format", "Types", "format_of"]


@dataclass(frozen=True, slots=True)
class Ends:
    """How the parts of a text end that are read one by one, each as it comes.

    ``end``
        Matches what stands between two of them.
    ``unfinished``
        Matches what may become that, at the end of a text.
    ``leading``
        The bytes that belong to no part where they come before one.
    """

    end: re.Pattern[bytes]
    unfinished: re.Pattern[bytes]
    leading: bytes


_LINES = Ends(re.compile(rb"\r?\n"), re.compile(rb"\r\Z"), b"")
_EVENTS = Ends(re.compile(rb"[\r\n]*(?:\n[\r\n]|\r\r)[\r\n]*"), re.compile(rb"(?<![\r\n])(?:\r\n|\r|\n)\Z"), b"\r\n")


@dataclass(frozen=True, slots=True)
class Format:
    """How a text is written, and whether it is JSON; ``ends``: how its parts end, if it is read one by one."""

    spelling: Spelling
    json: bool = False
    ends: Ends | None = None


_MOST = 256

_JSON = Format(JSON, json=True)
_SCRIPT = Format(JSON)
_MARKUP = Format(MARKUP)
_FORM = Format(FORM)
_JSON_LINES = Format(JSON, json=True, ends=_LINES)
_SERVER_EVENTS = Format(SSE, json=True, ends=_EVENTS)

_JSON_LINE_TYPES = frozenset(
    {
        *("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"),
        *("application/json-seq", "application/stream+json", "application/jsonlines"),
    }
)
_SCRIPT_TYPES = frozenset(
    f"{kind}/{name}" for kind in ("application", "text") for name in ("javascript", "ecmascript", "x-javascript")
)
_TEXTS = re.compile(
    r"(?:text|message)/.*|multipart/(?!x-mixed-replace).*|[^/]+/(?:.*\+)?(?:json|xml|yaml)|application/(?:"
    r"(?:x-)?(?:json|csv|ndjson|jsonl|jsonlines|yaml|toml|sh|httpd-php|sql|latex|tex|ecmascript|javascript)|"
    r"json-seq|json5|dns-json|csp-report|jwt|jose|graphql|typescript|x-www-form-urlencoded|xml-dtd|x-pem-file|pem-certificate-chain|"
    r"pkcs8|x-subrip|rtf)"
)


def format_of(kind: MediaType | None) -> Format:
    """How a text of this media type is written; without one, as anything may be."""
    if kind is None:
        return _MARKUP
    name = kind.name
    if name == "text/event-stream":
        return _SERVER_EVENTS
    if name in _JSON_LINE_TYPES:
        return _JSON_LINES
    if kind.is_json:
        return _JSON
    if name in _SCRIPT_TYPES:
        return _SCRIPT
    return _FORM if name == "application/x-www-form-urlencoded" else _MARKUP


class Types:
    """Which media types are looked into: ``ranges``, or those of texts. So is what has no type, or one that cannot be
    understood: browsers take it for whatever it looks like."""

    def __init__(self, ranges: Collection[str] | None) -> None:
        self._said = None if ranges is None else tuple(ranges)
        if isinstance(ranges, str):
            raise TypeError(f"types: several of them, in a list, got {ranges!r}")
        self._known: dict[str, bool] = {}
        self._pattern = _TEXTS if self._said is None else re.compile("|".join(sorted(media_ranges(self._said))))

    def __contains__(self, kind: MediaType | None) -> bool:
        if kind is None:
            return True
        known = self._known.get(kind.name)
        if known is None:
            known = self._pattern.fullmatch(kind.name) is not None
            if len(self._known) < _MOST:
                self._known[kind.name] = known
        return known

    def __repr__(self) -> str:
        return "Types of texts" if self._said is None else f"Types({', '.join(self._said)})"
