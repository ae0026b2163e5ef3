"""The one reading of a media type (RFC 9110 section 8.3.1): what cannot be read is none, never nearly one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["MediaType", "media_ranges", "media_type"]

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_QUOTED = r'"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\U0010ffff]|\\[\t \x21-\x7e\x80-\U0010ffff])*+"'
_VALUE = rf"(?:{_TOKEN}|{_QUOTED})"
_SEMICOLON = r"[ \t]*;[ \t]*"
_WHOLE = re.compile(rf"({_TOKEN}/{_TOKEN})((?:{_SEMICOLON}(?:{_TOKEN}={_VALUE})?)*+)")
"""With the empty parameters that senders leave behind, and that the grammar allows."""
_parameter = re.compile(rf"{_SEMICOLON}({_TOKEN})=({_VALUE})")
_escape = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class MediaType:
    """What ``Content-Type`` says.

    ``name``
        Type and subtype in lower case, without parameters: ``"application/json"``.
    ``parameters``
        By their names in lower case; values as they are, without quotes.
    """

    name: str
    parameters: Mapping[str, str]

    @property
    def is_json(self) -> bool:
        """Whether it is JSON: ``application/json``, ``text/json``, or any ``+json`` (RFC 6839 section 3.1)."""
        return self.name in ("application/json", "text/json") or self.name.endswith("+json")


def media_type(fields: Sequence[str]) -> MediaType | None:
    """What the values of all ``Content-Type`` fields of a message say; ``None`` where there is none or are two, where
    one does not follow the grammar, or names a parameter twice: others might read something else from it. Whitespace
    around it is no part of it."""
    if len(fields) != 1:
        return None
    found = _WHOLE.fullmatch(fields[0].strip(" \t"))
    if found is None:
        return None
    parameters: dict[str, str] = {}
    for name, value in _parameter.findall(found[2]):
        if name.lower() in parameters:
            return None
        parameters[name.lower()] = _escape.sub(r"\1", value[1:-1]) if value.startswith('"') else value
    return MediaType(found[1].lower(), MappingProxyType(parameters))


def media_ranges(types: Iterable[str], parameter: str = "types") -> frozenset[str]:
    """For each of ``types``, ``"application/json"``, ``"image/*"`` or ``"application/*+json"``, a regular expression
    that the names of its media types match in full.

    Raises ``ValueError`` that names the ``parameter`` for what is none of these.
    """
    return frozenset(_pattern(each, parameter) for each in types)


def _pattern(text: str, parameter: str) -> str:
    kind, slash, sub = text.partition("/")
    plain = sub.removeprefix("*+") if sub.startswith("*+") else "" if sub == "*" else sub
    parts = (kind, plain) if plain else (kind,)
    if not slash or not sub or any(re.fullmatch(_TOKEN, part) is None or "*" in part for part in parts):
        form = "type/subtype, type/* or type/*+suffix, no parameters"
        raise ValueError(f"{parameter}: {text!r} is no media type: {form}")
    end = re.escape(plain.lower())
    return f"{re.escape(kind.lower())}/{'[^/]+' if sub == '*' else rf'[^/]+[+]{end}' if sub != plain else end}"
