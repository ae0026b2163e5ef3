"""Values of JSON that a function edits."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Collection
from enum import Enum
from functools import partial
from inspect import iscoroutinefunction
from typing import Any, Final, TypeAlias

from ...body import Transform
from ...clock import SYSTEM_CLOCK, Clock
from ...errors import ResponseRefused
from ...exchange import Exchange
from ...json_stream import JsonEditor, JsonPath, places
from ...media_types import MediaType
from ...message import Response
from ...security_log import LOGGER, Refusals, Severity
from ..content import ContentFilter, Handling
from ..json_fields.forms import form_of, in_form
from ..json_fields.stream import Guarded

__all__ = ["DROP", "KEEP", "Instead", "MapJson"]

_SUCCESS = range(200, 300)
_WHOLE = JsonPath(())


class Instead(Enum):
    """What a function returns in place of a value."""

    DROP = "drop"
    KEEP = "keep"

    def __repr__(self) -> str:
        return self.name


DROP: Final = Instead.DROP
"""The value goes: an element or member with its comma, a line of NDJSON, the data of a server-sent event; in place of a
whole document ``null`` is left."""
KEEP: Final = Instead.KEEP
"""The value stays, byte for byte as it was."""

Function: TypeAlias = Callable[[Any], Any]


class MapJson(ContentFilter):
    """Has a function edit the values in responses of JSON, one after the other, as they stream. ::

        def public(user):
            return {"id": user["id"], "name": user["name"]} if user["visible"] else DROP

        MapJson(public, each="users[*]")

    ``function``
        Is given a value, as ``json.loads`` makes it, and returns another one, or the same once it has changed it;
        ``DROP`` to leave it out, ``KEEP`` if nothing is to be changed. It may be called often and must be quick: it is
        no coroutine. What it raises is the answer (500), or cuts the connection.
    ``each``
        The path (``JsonPath``) of the values; ``None``: each document, which is the whole of a response of JSON, a line
        of NDJSON, a text of a sequence (RFC 7464) or the data of a server-sent event. All else is as it was, and any
        array may be of any length.
    ``limit``
        Bytes of one value at most; more is ``ResponseRefused``.
    ``statuses``
        Of which responses; others go on as they came. Errors rarely have the same form.
    ``words``
        Data of server-sent events that stay though they are no JSON.
    ``depth``
        Containers in one another at most: 1 to 255.
    ``hold``
        Bytes that come out, or all if there are fewer, before the head goes out, so that what is found to be wrong up
        to there is an answer with 502. What is found later cuts the connection. Streams wait for nothing.
    ``severity``, ``logger``, ``fold``, ``name``
        Of the security log, which is told of what is refused: see ``Refusals``.
    ``handling``
        See ``Handling``.

    What says that it is no JSON goes on as it came. What says so and is none (RFC 8259, in UTF-8) is refused
    (``ResponseRefused``). Of a name that is there twice in an object the function sees the last. What it returns is
    written without spaces.

    Raises ``ValueError`` or ``TypeError`` that names the parameter and its value.
    """

    def __init__(
        self,
        function: Function,
        *,
        each: str | JsonPath | None = None,
        limit: int = 1 << 20,
        statuses: Collection[int] = _SUCCESS,
        words: Collection[str] = ("[DONE]",),
        depth: int = 64,
        hold: int = 65536,
        severity: Severity | None = Severity.WARNING,
        name: str = "map json",
        logger: logging.Logger = LOGGER,
        fold: float = 10.0,
        clock: Clock = SYSTEM_CLOCK,
        handling: Handling | None = None,
    ) -> None:
        super().__init__(handling=handling)
        if not callable(function):
            raise TypeError(f"function: {function!r} is not callable")
        if iscoroutinefunction(function) or iscoroutinefunction(getattr(function, "__call__", None)):  # noqa: B004
            raise TypeError(f"function: {function!r} is a coroutine function: values are edited as they pass")
        for parameter, value, least, most in (
            ("limit", limit, 1, 1 << 30),
            ("depth", depth, 1, 255),
            ("hold", hold, 0, 1 << 30),
        ):
            if type(value) is not int or not least <= value <= most:
                raise ValueError(f"{parameter} must be an integer of {least} to {most}, got {value!r}")
        if isinstance(words, str) or not all(isinstance(word, str) for word in words):
            raise TypeError(f"words must be several str, in a list, got {words!r}")
        try:
            path = _WHOLE if each is None else each if isinstance(each, JsonPath) else JsonPath.of(each)
        except (TypeError, ValueError) as error:
            raise type(error)(f"each: {error}") from None
        self.each: JsonPath | None = None if each is None else path
        self._function = function
        self._root = places(take=(path,))
        self._limit = limit
        self._statuses = statuses
        self._words = frozenset(word.encode() for word in words)
        self._depth = depth
        self._hold = hold
        self._refusals = Refusals(name, severity=severity, logger=logger, fold=fold, clock=clock)

    @property
    def refused(self) -> int:
        """How many responses were refused or cut, ever."""
        return self._refusals.count

    @property
    def hold(self) -> int:
        return self._hold

    def transform(self, exchange: Exchange, response: Response, kind: MediaType | None) -> Transform | None:
        form = form_of(kind)
        if form is None or response.status not in self._statuses:
            return None
        take = self._mapped_whole if form == "document" and self.each is None else self._mapped
        editor = JsonEditor(self._root, depth=self._depth, take=take, longest=self._limit)
        inner = in_form(form, editor, words=self._words, passes=False, strict=False, longest=2 * self._limit)
        return Guarded(inner, partial(self._refuse, exchange), _nothing)

    def _mapped_whole(self, value: bytes) -> bytes:
        return self._mapped(value) or b"null"

    def _mapped(self, value: bytes) -> bytes | None:
        mapped = self._function(json.loads(value))
        if mapped is KEEP:
            return value
        if mapped is DROP:
            return None
        return json.dumps(mapped, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()

    def _refuse(self, exchange: Exchange, detail: str) -> None:
        self._refusals.refuse(exchange, ResponseRefused(f"it cannot be mapped: {detail}"), detail=detail)

    async def stop(self) -> None:
        self._refusals.flush()

    def __repr__(self) -> str:
        what = getattr(self._function, "__qualname__", None) or repr(self._function)
        return f"<MapJson {what} on {'each document' if self.each is None else self.each}; {self.refused} refused>"


def _nothing() -> None:
    pass
