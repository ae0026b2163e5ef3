"""Which format a body is read as."""

from __future__ import annotations

from json import loads

from ....media_types import MediaType
from ..subject import Subject
from .charsets import CHARSETS
from .form import read_form
from .found import Found
from .json import read_json
from .multipart import read_multipart
from .xml import read_xml

__all__ = ["is_read", "read_body"]

_FORM = "application/x-www-form-urlencoded"


def is_read(kind: MediaType | None) -> bool:
    """Whether a body of this type is looked into; pictures, archives and the like are not."""
    if kind is None:
        return True
    name = kind.name
    return (
        kind.is_json
        or name == _FORM
        or name.startswith(("text/", "multipart/"))
        or name.endswith(("+json", "+xml", "/xml", "/graphql", "/javascript", "/csp-report", "/x-ndjson"))
    )


def read_body(data: bytes, kind: MediaType | None, subject: Subject) -> None:
    """The values of ``data``. Without a type that can be read, it is taken for what it looks like: many read JSON,
    whatever it is called."""
    name = "" if kind is None else kind.name
    charset = "utf-8" if kind is None else kind.parameters.get("charset", "utf-8").lower()
    if charset not in CHARSETS:
        subject.trouble("charset", "a charset that is not looked into")
        charset = "utf-8"
    found = Found(subject)
    if name.startswith("multipart/"):
        read_multipart(data, None if kind is None else kind.parameters.get("boundary"), found)
    elif name.endswith(("+xml", "/xml")):
        read_xml(data, found)
    else:
        text = data.decode(charset, "replace").removeprefix("\ufeff")
        if name == _FORM:
            read_form(text, found)
        elif kind is not None and kind.is_json:
            if text.strip() and not read_json(text, subject):
                found.value("", text)
        elif not (_looks_like_json(text) and read_json(text, subject)):
            found.value("", text)
    subject.add(found.values)


def _looks_like_json(text: str) -> bool:
    try:
        return text.lstrip()[:1] in ("{", "[") and loads(text, parse_int=len, parse_float=len) is not None
    except (ValueError, RecursionError):
        return False
