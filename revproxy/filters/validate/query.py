"""A query as an object that a schema can be asked of."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

from .schema import Schema
from .strict_json import is_underflow

__all__ = ["BadQuery", "QueryReader"]

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,307})", re.ASCII)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,307})(?:\.[0-9]{1,308})?(?:[eE][+-]?[0-9]{1,4})?", re.ASCII)
_BAD_PERCENT = re.compile("%(?![0-9a-fA-F]{2})")
_FROM_TEXT = frozenset({"boolean", "integer", "number", "string"})
_SAYS = frozenset({"type", "properties", "items"})
_MOST_REFS = 32

_Read: TypeAlias = Callable[[list[str]], object]


class BadQuery(ValueError):
    """A query that is read in more than one way. The message says why, and quotes nothing of it.

    ``reason``
        ``"encoding"``: a percent sign without two digits, or what is not UTF-8; ``"separator"``: a bare semicolon,
        which some take for ``&``; ``"duplicate"``: a name twice that is no array.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason: str = reason


class QueryReader:
    """Reads queries by what a ``schema`` of an object declares of its ``properties``.

    A value is text. It becomes an integer, a number or a boolean where the ``type`` of its property says so and it has
    the form that JSON has for it (``5``, ``-0.5``, ``true``); where there are several types, the first of boolean,
    integer, number and string that it can be. Else it stays text, of which the schema then says that it does not fit. A
    property of type ``array`` has all values of its name, one or more, each read by its ``items``. What is not in
    ``properties`` is read by ``additionalProperties``. A ``$ref`` into the schema itself is followed; what stands in
    ``allOf`` and the like is asked as well, but does not say how a value is read.

    Raises ``ValueError`` for a schema whose property could never be in a query.
    """

    __slots__ = ("_named", "_other")

    def __init__(self, schema: Schema) -> None:
        root = schema.document
        declared = _followed(root, root)
        properties = declared.get("properties", {})
        self._named = {name: _reader(name, each, root) for name, each in properties.items()}
        self._other = _reader("additionalProperties", declared.get("additionalProperties", True), root)

    def read(self, query: str) -> dict[str, object]:
        """The object that a raw ``query`` says. Raises ``BadQuery``."""
        if ";" in query:
            raise BadQuery("separator")
        if _BAD_PERCENT.search(query) is not None:
            raise BadQuery("encoding")
        try:
            query.encode()  # a byte that is not UTF-8 came as a surrogate
            pairs = parse_qsl(query, keep_blank_values=True, errors="strict")
        except UnicodeError:
            raise BadQuery("encoding") from None
        found: dict[str, list[str]] = {}
        for name, value in pairs:
            found.setdefault(name, []).append(value)
        return {name: self._named.get(name, self._other)(values) for name, values in found.items()}


def _reader(name: str, schema: object, root: object) -> _Read:
    declared = _followed(schema, root)
    types = _types(declared)
    if not types:
        return partial(_one, ())
    read, types = (_many, _types(_followed(declared.get("items"), root))) if "array" in types else (_one, types)
    if types and _FROM_TEXT.isdisjoint(types):
        raise ValueError(f"query: {name!r} is of type {', '.join(types)}, which nothing in a query has")
    return partial(read, types)


def _followed(schema: object, root: object) -> Mapping[str, Any]:
    """What ``schema`` declares by itself, or by a reference into its own document."""
    for _ in range(_MOST_REFS):
        if not isinstance(schema, Mapping):
            return {}
        reference = schema.get("$ref")
        if not isinstance(reference, str) or not reference.startswith("#/") or not _SAYS.isdisjoint(schema):
            return schema
        schema = root
        for step in reference[2:].split("/"):
            key = step.replace("~1", "/").replace("~0", "~")
            schema = schema.get(key) if isinstance(schema, Mapping) else None
    return {}


def _types(declared: Mapping[str, Any]) -> tuple[str, ...]:
    said = declared.get("type", ())
    return (said,) if isinstance(said, str) else tuple(said)


def _one(types: tuple[str, ...], values: list[str]) -> object:
    if len(values) > 1:
        raise BadQuery("duplicate")
    return _value(types, values[0])


def _many(types: tuple[str, ...], values: list[str]) -> object:
    return [_value(types, value) for value in values]


def _value(types: tuple[str, ...], text: str) -> object:
    if "boolean" in types and text in ("true", "false"):
        return text == "true"
    if ("integer" in types or "number" in types) and _INTEGER.fullmatch(text):
        return int(text)
    if "number" in types and _NUMBER.fullmatch(text):
        value = float(text)
        return text if value in (float("inf"), float("-inf")) or is_underflow(text, value) else value
    return text
