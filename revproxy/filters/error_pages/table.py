"""Which page is for which status."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from http import HTTPStatus
from typing import Literal, TypeAlias

from .page import Function, Page, PageFrom, PageOf, source_of

__all__ = ["Pages", "Status", "Table", "phrase", "statuses_of"]

Status: TypeAlias = int | Literal["4xx", "5xx"]
"""The status of an error, or all of a class."""

Pages: TypeAlias = PageOf | Mapping[Status, PageOf]
"""One page for all statuses, or some by status or class of them."""

_CLASSES: Mapping[str, range] = {"4xx": range(400, 500), "5xx": range(500, 600)}


class Table:
    """Pages by status: that of the status itself, else that of its class.

    ``named``: the statuses that it has pages for by name.

    Raises ``ValueError`` or ``TypeError`` that names the ``parameter``.
    """

    def __init__(self, parameter: str, pages: Pages | None) -> None:
        self.named: frozenset[int] = frozenset()
        self._default: Page | Function | PageFrom | None = None
        self._by_status: dict[int, Page | Function | PageFrom] = {}
        if not isinstance(pages, Mapping):
            if pages is not None:
                self._default = source_of(parameter, pages)
            return
        for key in (*_CLASSES, *(each for each in pages if each not in _CLASSES)):  # statuses over their class
            if key not in pages:
                continue
            source = source_of(f"{parameter}[{key!r}]", pages[key])  # type: ignore[index]  # a key of it
            if key in _CLASSES:
                self._by_status.update(dict.fromkeys(_CLASSES[str(key)], source))
            elif type(key) is int and 400 <= key <= 599:
                self._by_status[key] = source
            else:
                raise ValueError(f"{parameter}: {key!r} is neither a status from 400 to 599, nor '4xx' or '5xx'")
        self.named = frozenset(self._by_status)

    def __bool__(self) -> bool:
        return self._default is not None or bool(self._by_status)

    def __getitem__(self, status: int) -> Page | Function | PageFrom | None:
        """What is there for ``status``."""
        return self._by_status.get(status, self._default)

    def parts(self) -> Iterable[object]:
        """The handlers that are asked for pages."""
        for each in dict.fromkeys((*self._by_status.values(), self._default)):
            if isinstance(each, PageFrom):
                yield each.handler

    def __repr__(self) -> str:
        return f"<Table of {len(set(map(id, self._by_status.values()))) + (self._default is not None)} pages>"


def statuses_of(parameter: str, given: Collection[Status]) -> frozenset[int]:
    """All statuses that are ``given``. Raises ``ValueError`` or ``TypeError`` that names the ``parameter``."""
    if isinstance(given, str) or not isinstance(given, Collection):
        raise TypeError(f"{parameter} must be several, in a list or the like, got {given!r}")
    found: set[int] = set()
    for each in given:
        if isinstance(each, str) and each in _CLASSES:
            found.update(_CLASSES[each])
        elif type(each) is int and 400 <= each <= 599:
            found.add(each)
        else:
            raise ValueError(f"{parameter}: {each!r} is neither a status from 400 to 599, nor '4xx' or '5xx'")
    return frozenset(found)


def phrase(status: int) -> str:
    """What is said of ``status``: nothing of the inside. One that is not known is one of its class (RFC 9110 section
    15)."""
    known = next((each for each in HTTPStatus if each == status), None)
    return known.phrase if known is not None else "Client error" if status < 500 else "Server error"
