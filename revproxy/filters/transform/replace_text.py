"""Texts and bytes that are replaced in what responses say."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from ...body import Transform
from ...errors import ResponseRefused
from ...exchange import Exchange
from ...media_types import MediaType, media_ranges
from ...message import Response
from ..content import ContentFilter, Handling
from .charsets import InCharset, codec_of
from .given import searchers_of
from .replacing import END_OF_LINE, END_OF_LINE_IN_BYTES, ByLine, Replacing
from .searchers import Searcher

__all__ = ["ReplaceBytes", "ReplaceText"]

# The keys are texts and patterns. As types cannot say that a mapping may have keys of either kind alone, they are
# checked when the filter is made.
TextReplacements: TypeAlias = Mapping[Any, str | Callable[[re.Match[str]], str]]
BytesReplacements: TypeAlias = Mapping[Any, bytes | Callable[[re.Match[bytes]], bytes]]

_TEXT = (
    "text/*",
    "application/json",
    "application/*+json",
    "application/x-ndjson",
    "application/jsonl",
    "application/javascript",
    "application/xml",
    "application/*+xml",
    "application/yaml",
)
_BY_LINE = frozenset(
    {"text/event-stream", "application/x-ndjson", "application/ndjson", "application/jsonl", "application/stream+json"}
)


class ReplaceText(ContentFilter):
    r"""Replaces texts in responses, as they stream, whatever coding and charset they are in. ::

        ReplaceText({"http://10.0.0.1:8080": "https://example.com", "Intranet": "Example"})
        ReplaceText({re.compile(r"\bticket-(\d{1,9})\b"): r"<a href='/t/\1'>\1</a>"}, types=["text/html"])

    ``replacements``
        What is looked for, and what takes its place; 64 at most. A ``str`` of up to 1,024 characters stands for itself,
        and so does what replaces it. A compiled pattern is replaced by a template (as of ``re.sub``) or by what a
        function of the match returns. It must have a bound, of 4,096 characters, also for what it looks behind or
        ahead, as no more than that is held back; it must not ask where the text begins or ends; and it must take linear
        time (see ``costly``).
    ``ignore_case``
        Of texts. A pattern says so itself (``re.IGNORECASE``).
    ``types``
        Media types that are looked into, as ``"text/html"``, ``"text/*"``, ``"application/*+json"``. By default text,
        JSON, XML, JavaScript and YAML; a response without a type is not.
    ``charset``
        Of a response that says none.
    ``costly``
        Takes patterns that are not known to take linear time.
    ``handling``
        See ``Handling``. A charset that is not known is ``unreadable``.

    It goes from the left: what begins first is replaced, and of what begins at one place the longest text, else the
    first pattern. What was put in is not looked into. Characters count, never parts of them. Server-sent events and
    lines of JSON do not wait for what follows: there each line is a text of its own, without its end. Where what is put
    in at once exceeds 16 Mi characters, and four times what came, it is ``ResponseRefused``.

    It knows no HTML and no JSON: ``http:\/\/`` and ``&#x2f;`` are other texts than ``/``. For values in JSON there is
    ``MapJson``.

    Raises ``ValueError`` or ``TypeError`` that names the parameter and its value.
    """

    def __init__(
        self,
        replacements: TextReplacements,
        *,
        ignore_case: bool = False,
        types: Iterable[str] = _TEXT,
        charset: str = "utf-8",
        costly: bool = False,
        handling: Handling | None = None,
    ) -> None:
        super().__init__(handling=handling)
        self._types = compiled_types(types)
        if codec_of(charset) is None:
            raise ValueError(f"charset: {charset!r} is none that is known")
        self._charset = charset
        self._count = len(replacements)
        self._searchers: tuple[Searcher[str], ...] = searchers_of(
            replacements, str, ignore_case=ignore_case, costly=costly
        )
        # UTF-8 can be searched as bytes: no character begins within another.
        literal = not ignore_case and all(isinstance(each, str) for each in replacements)
        self._bytes: tuple[Searcher[bytes], ...] | None = None
        if literal:
            try:
                encoded = {str(given).encode(): str(instead).encode() for given, instead in replacements.items()}
            except UnicodeEncodeError:
                raise ValueError("replacements: half a surrogate pair is no character") from None
            self._bytes = searchers_of(encoded, bytes, ignore_case=False, costly=False, longest=4096)

    def transform(self, exchange: Exchange, response: Response, kind: MediaType | None) -> Transform | None:
        if kind is None or self._types.fullmatch(kind.name) is None:
            return None
        codec = codec_of(kind.parameters.get("charset", self._charset))
        if codec is None:
            if self.handling.unreadable == "pass":
                return None
            raise ResponseRefused("a charset that is not known")
        by_line = kind.name in _BY_LINE
        if self._bytes is not None and codec == "utf-8":
            replaced = Replacing(self._bytes, b"")
            return ByLine(replaced, END_OF_LINE_IN_BYTES) if by_line and replaced.by_line else replaced
        text = Replacing(self._searchers, "")
        return InCharset(codec, ByLine(text, END_OF_LINE) if by_line and text.by_line else text)

    def __repr__(self) -> str:
        return f"<ReplaceText of {self._count}>"


class ReplaceBytes(ContentFilter):
    """Replaces bytes in responses, as they stream, whatever coding they are in: as ``ReplaceText`` does with text, for
    what is none, or has its own ideas of characters.

    ``replacements``
        As of ``ReplaceText``, of ``bytes``.
    ``types``
        Media types that are looked into; ``None``: all, also without a type.

    Raises ``ValueError`` or ``TypeError`` that names the parameter and its value.
    """

    reads_text = False

    def __init__(
        self,
        replacements: BytesReplacements,
        *,
        types: Iterable[str] | None,
        ignore_case: bool = False,
        costly: bool = False,
        handling: Handling | None = None,
    ) -> None:
        super().__init__(handling=handling)
        self._types = None if types is None else compiled_types(types)
        self._count = len(replacements)
        self._searchers: tuple[Searcher[bytes], ...] = searchers_of(
            replacements, bytes, ignore_case=ignore_case, costly=costly
        )

    def transform(self, exchange: Exchange, response: Response, kind: MediaType | None) -> Transform | None:
        if self._types is not None and (kind is None or self._types.fullmatch(kind.name) is None):
            return None
        replaced = Replacing(self._searchers, b"")
        by_line = replaced.by_line and kind is not None and kind.name in _BY_LINE
        return ByLine(replaced, END_OF_LINE_IN_BYTES) if by_line else replaced

    def __repr__(self) -> str:
        return f"<ReplaceBytes of {self._count}>"


def compiled_types(types: Iterable[str]) -> re.Pattern[str]:
    """What the names of those media ``types`` match. Raises ``ValueError`` or ``TypeError`` that names ``types``."""
    if isinstance(types, str):
        raise TypeError(f"types must be several, in a list, got {types!r}")
    ranges = media_ranges(types)
    if not ranges:
        raise ValueError("types must not be empty")
    return re.compile("|".join(sorted(ranges)))
