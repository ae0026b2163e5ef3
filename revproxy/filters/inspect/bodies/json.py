"""JSON (RFC 8259): the names of members, and strings."""

from __future__ import annotations

from functools import partial
from json import JSONDecodeError, loads
from typing import Any

from ..subject import Subject
from ..value import Value
from .found import MOST, Found

__all__ = ["read_json"]


def read_json(text: str, subject: Subject) -> bool:
    """Names and strings, of members that are there twice, too. Whether it is JSON; if not, that is trouble."""
    members: list[tuple[str, Any]] = []
    try:
        document = loads(text, object_pairs_hook=members.extend, parse_int=len, parse_float=len)
    except JSONDecodeError:
        subject.trouble("json", "not JSON")
        return False
    except RecursionError:
        subject.trouble("depth", "JSON nested too deeply")
        return False
    names = {name for name, _ in members}
    strings = [value for _, value in members if value.__class__ is str]
    lists = [value for _, value in members if value.__class__ is list]
    if document.__class__ is str:
        strings.append(document)
    elif document.__class__ is list:
        lists.append(document)
    for each in lists:  # to which those within it are added, meanwhile
        for value in each:
            if value.__class__ is str:
                strings.append(value)
            elif value.__class__ is list:
                lists.append(value)
    if len(names) + len(strings) > MOST:
        subject.trouble("values", "more values than are looked at")
    subject.later([*names, *strings], partial(_values, text, subject))
    return True


def _values(text: str, subject: Subject) -> list[Value]:
    """The same with their paths: of a member, that of its object and its name."""
    found = Found(subject)
    try:
        document = loads(text, object_pairs_hook=tuple, parse_int=len, parse_float=len)
    except RecursionError:  # here is less room than there was
        subject.trouble("depth", "JSON nested too deeply")
        return []
    waiting: list[tuple[str, Any]] = [("", document)]
    while waiting:
        path, item = waiting.pop()
        if item.__class__ is str:
            found.value(path, item)
        elif item.__class__ is list:
            waiting.extend((path, each) for each in reversed(item))
        elif item.__class__ is tuple:
            for name, _ in item:
                found.name(_below(path, name), name)
            waiting.extend((_below(path, name), each) for name, each in reversed(item))
    return found.values


def _below(path: str, name: str) -> str:
    """Not longer than it is of use: every value has one."""
    return f"{path}.{name[:64]}"[-256:] if path else name[:64]
