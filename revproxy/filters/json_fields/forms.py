"""The forms in which a response is JSON."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Literal, TypeAlias

from ...body import Transform
from ...json_stream import EventData, JsonEditor, JsonLines, JsonSequence
from ...media_types import MediaType

__all__ = ["Form", "form_of", "in_form", "is_utf8"]

Form: TypeAlias = Literal["document", "lines", "sequence", "events"]

_FORMS: dict[str, Form] = {
    "application/x-ndjson": "lines",
    "application/ndjson": "lines",
    "application/jsonl": "lines",
    "application/x-jsonlines": "lines",
    "application/stream+json": "lines",
    "application/json-seq": "sequence",
    "application/geo+json-seq": "sequence",
    "text/event-stream": "events",
}
_LIKE_ASCII = re.compile(r"(?:utf-?8|(?:us-)?ascii|iso-8859-\d+|latin1|windows-125\d|cp125\d)?", re.IGNORECASE)
_BEGINNINGS = (b"{", b"[", b'"')


def form_of(kind: MediaType | None) -> Form | None:
    """In which form a response is JSON, by what it says; ``None``: in none."""
    if kind is None:
        return None
    return _FORMS.get(kind.name) or ("document" if kind.is_json else None)


def is_utf8(kind: MediaType) -> bool:
    """Whether those who believe ``charset`` find the same strings and names in UTF-8 as others do: in Shift_JIS, say,
    half a character may be the backslash, or hide a quote."""
    return _LIKE_ASCII.fullmatch(kind.parameters.get("charset", "")) is not None


def in_form(
    form: Form, editor: JsonEditor, *, words: Collection[bytes], passes: bool, strict: bool, longest: int
) -> Transform:
    """A transform of a whole response of that ``form``, by an ``editor`` of the documents in it.

    ``words``, ``passes``
        Data of events that stay as they are; and whether all do that do not begin like an object, array or string.
    ``strict``
        Of events only what is known to be a part of one stays.
    ``longest``
        Bytes of the data of an event.
    """
    if form == "document":
        return editor
    if form == "lines":
        return JsonLines(editor)
    if form == "sequence":
        return JsonSequence(editor)

    def edit(data: bytes) -> bytes | None:
        if data in words or (passes and not data.lstrip(b" \t\r\n").startswith(_BEGINNINGS)):
            return data
        editor.again()
        edited = editor.feed(data) + editor.finish()
        return None if editor.empty else edited

    return EventData(edit, strict=strict, longest=longest)
