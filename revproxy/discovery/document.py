"""Endpoints as they are written in a file."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias, get_args

from ..endpoint import Endpoint
from .base import DiscoveryFailed

__all__ = ["Format", "read_endpoints"]

Format: TypeAlias = Literal["json", "toml"]


def read_endpoints(content: bytes, format: Format) -> list[Endpoint]:
    """The endpoints that ``content`` lists.

    It has one entry, ``endpoints``: a list of URLs, or of tables with a ``url`` and what else an ``Endpoint`` takes, by
    the same names. Raises ``DiscoveryFailed`` that says what is wrong, and where; also for an entry that there is
    none of, since a word that is misspelt would else mean its default.
    """
    try:
        document = _READERS[format](content.decode())
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError, JSONDecodeError, TOMLDecodeError among them
        raise DiscoveryFailed(f"not {format.upper()}: {error}") from None
    if not isinstance(document, dict) or document.keys() != {"endpoints"}:
        raise DiscoveryFailed('there must be "endpoints", and nothing else')
    listed = document["endpoints"]
    if not isinstance(listed, list):
        raise DiscoveryFailed("endpoints must be a list")
    return [_endpoint(each, f"endpoints[{number}]") for number, each in enumerate(listed)]


def _endpoint(entry: object, where: str) -> Endpoint:
    said = {"url": entry} if isinstance(entry, str) else entry
    if not isinstance(said, dict):
        raise DiscoveryFailed(f"{where} must be a URL or a table")
    if "url" not in said:
        raise DiscoveryFailed(f"{where} has no url")
    for name, value in said.items():
        kind = _KINDS.get(name)
        if kind is None:
            raise DiscoveryFailed(f"{where}: {name!r} is none of {', '.join(_KINDS)}")
        if not _IS[kind](value):
            raise DiscoveryFailed(f"{where}.{name} must be {kind}")
    if "location" in said:
        said = said | {"location": tuple(said["location"])}
    try:
        return Endpoint(said.pop("url"), **said)
    except (ValueError, TypeError) as error:
        raise DiscoveryFailed(f"{where}: {error}") from None


_KINDS: Mapping[str, str] = {
    "url": "a string",
    "address": "a string",
    "name": "a string",
    "weight": "an integer",
    "priority": "an integer",
    "zone": "a string",
    "region": "a string",
    "location": "a list of two numbers",
    "labels": "a table of strings",
    "limit": "an integer",
}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_IS: Mapping[str, Callable[[Any], bool]] = {
    "a string": lambda value: isinstance(value, str),
    "an integer": lambda value: type(value) is int,
    "a list of two numbers": lambda value: isinstance(value, list) and len(value) == 2 and all(map(_is_number, value)),
    "a table of strings": lambda value: (
        isinstance(value, dict) and all(isinstance(each, str) for each in value.values())
    ),
}


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an entry is there twice")
    return found


def _constant(name: str) -> float:
    raise ValueError(f"{name} is no number")


_READERS: Mapping[Format, Callable[[str], Any]] = {
    "json": lambda text: json.loads(text, object_pairs_hook=_once, parse_constant=_constant),
    "toml": tomllib.loads,
}
assert set(_READERS) == set(get_args(Format))
