"""What of a request may stand in a log."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["escaped", "type_said", "without_values"]

_PATH = re.compile("[^?#]*")
_SEMICOLON = re.compile("(;|%3[Bb])")


def without_values(target: str) -> str:
    """``target`` with the names of its query's parameters and of those in its path (``;name=value``), and three dots
    for their values, and for what has no name: passwords and keys are sent there, and logs are read by many. In linear
    time."""
    path = _PATH.match(target)[0]  # type: ignore[index]  # it may be empty
    mark, query = target[len(path) : len(path) + 1], target[len(path) + 1 :]
    if "=" in path:
        path = "/".join(map(_without_parameters, path.split("/")))
    return f"{path}{mark}{'&'.join(map(_without_value, query.split('&')))}"


def _without_value(parameter: str) -> str:
    name, equals, value = parameter.partition("=")
    if not equals:
        return "..." if name else ""
    return f"{name}=..." if value else parameter


def _without_parameters(segment: str) -> str:
    name, *rest = _SEMICOLON.split(segment)
    said, has_value = [name], False
    for semicolon, parameter in zip(rest[::2], rest[1::2], strict=True):
        has_value = has_value or "=" in parameter
        said += semicolon, _without_value(parameter) if has_value else parameter  # a semicolon may be one of a value
    return "".join(said)


def escaped(text: str) -> str:
    """``text`` in printable ASCII, without a way out of double quotes, of at most some 256 characters of it."""
    said = text[:256].encode("unicode_escape").decode("ascii").replace('"', '\\"')
    return f"{said}..." if len(text) > 256 else said


def type_said(values: Sequence[str]) -> str:
    """What ``Content-Type`` says in all of its ``values``, of at most some 64 characters; still to be escaped."""
    said = ", ".join(values[:4])
    if not values:
        return "there is none"
    return said if len(said) <= 64 else f"{said[:64]}..."
