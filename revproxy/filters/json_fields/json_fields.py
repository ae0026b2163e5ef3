"""Responses of which only those members of JSON leave that may."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Coroutine, Iterable
from functools import partial
from typing import Any, Literal

from multidict import istr

from ...body import EMPTY, Transform
from ...clock import SYSTEM_CLOCK, Clock
from ...errors import ResponseRefused
from ...exchange import Exchange
from ...handler import Handler
from ...json_stream import JsonEditor, JsonPath, json_paths, places
from ...logged import escaped, type_said
from ...media_types import MediaType
from ...message import Response
from ...security_log import LOGGER, Refusals, SecurityLog, Severity
from ..content import ContentFilter, Handling
from ..content.kind import kind_of
from .forms import form_of, in_form, is_utf8
from .redirects import is_redirect, without_content
from .stream import Guarded, NoContent, Watched

__all__ = ["JsonFields"]

_CONTENT_TYPE = istr("Content-Type")
_DEEPEST = 1024
_MOST_TOLD = 8


class JsonFields(ContentFilter):
    """Lets only those members of JSON leave that may, as it streams. ::

        Pipeline(JsonFields(only=["items[*].id", "items[*].name", "next"]), handler=api)
        Pipeline(JsonFields(without=["**.password"]), handler=api)

    ``only``
        Paths (``JsonPath``) of what may leave, each with all that is in it. Objects and arrays on the way there stay,
        with nothing else in them; what is of another kind than the path says goes: of ``{"user": "root"}`` with
        ``user.name`` nothing is left. ``None``: everything may.
    ``without``
        Paths of what must not, each with all that is in it. It counts more than ``only``.
    ``mask``
        The value becomes ``null``, and its name stays.
    ``ignore_case``
        Whether ``Password`` is ``password`` (by ``str.casefold``).
    ``otherwise``
        What becomes of a response that says that it is something else than JSON, or nothing. ``"refuse"``: 502;
        ``"pass"``: it goes on untouched, unless what it says cannot be understood, for others may take it for JSON. One
        without a byte of content passes; a redirect (3xx) that would be refused goes on without its content, as nobody
        reads that. For server-sent events it says the same of data that do not begin like an
        object, an array or a string.
    ``words``
        Data of server-sent events that pass though they are no JSON.
    ``depth``
        Containers in one another at most: 1 to 1,024.
    ``longest_event``
        Bytes of a server-sent event at most, which is read before it goes on.
    ``hold``
        Bytes that come out, or all if there are fewer, before the head goes out, so that what is found to be wrong up
        to there is an answer with 502. What is found later cuts the connection. Streams wait for nothing.
    ``shadow``
        Nothing is changed or refused; the security log says what would be (``shadow remove``), by up to eight paths a
        response, never by values.
    ``severity``, ``logger``, ``fold``, ``name``
        Of the security log: see ``Refusals``.
    ``handling``
        See ``Handling``.

    Names are compared as they are once escapes are undone, and every member of a name that is there twice. What stays
    is byte for byte as it was. It has to be JSON by RFC 8259 to the last byte, in UTF-8 and without a byte order mark;
    what is not is refused (``ResponseRefused``), and what breaks off, too. Lines (NDJSON), sequences (RFC 7464) and the
    data of server-sent events are documents each; lines of events that are of no known field go. All statuses are
    looked into.

    Raises ``ValueError`` or ``TypeError`` that names the parameter and its value.
    """

    def __init__(
        self,
        *,
        only: Iterable[str | JsonPath] | None = None,
        without: Iterable[str | JsonPath] | None = None,
        mask: bool = False,
        ignore_case: bool = False,
        otherwise: Literal["refuse", "pass"] = "refuse",
        words: Collection[str] = ("[DONE]",),
        depth: int = 64,
        longest_event: int = 1 << 20,
        hold: int = 65536,
        shadow: bool = False,
        severity: Severity | None = Severity.WARNING,
        name: str = "json fields",
        logger: logging.Logger = LOGGER,
        fold: float = 10.0,
        clock: Clock = SYSTEM_CLOCK,
        handling: Handling | None = None,
    ) -> None:
        super().__init__(handling=handling, clock=clock)
        if only is None and without is None:
            raise ValueError("only, without: one of them must be given")
        if otherwise not in ("refuse", "pass"):
            raise ValueError(f"otherwise must be 'refuse' or 'pass', got {otherwise!r}")
        if isinstance(words, str) or not all(isinstance(word, str) for word in words):
            raise TypeError(f"words must be several str, in a list, got {words!r}")
        for parameter, value, least, most in (
            ("depth", depth, 1, _DEEPEST),
            ("longest_event", longest_event, 1, 1 << 30),
            ("hold", hold, 0, 1 << 30),
        ):
            if type(value) is not int or not least <= value <= most:
                raise ValueError(f"{parameter} must be an integer of {least} to {most}, got {value!r}")
        self.only: tuple[JsonPath, ...] | None = None if only is None else json_paths("only", only)
        self.without: tuple[JsonPath, ...] = () if without is None else json_paths("without", without)
        self._root = places(only=self.only, without=self.without, ignore_case=ignore_case)
        self._mask = mask
        self._ignore_case = ignore_case
        self._passes = otherwise == "pass"
        self._words = frozenset(word.encode() for word in words)
        self._depth = depth
        self._longest_event = longest_event
        self._hold = hold
        self._severity = severity
        self._refusals = Refusals(name, severity=severity, shadow=shadow, logger=logger, fold=fold, clock=clock)
        self.edits: bool = not shadow
        self._log = SecurityLog(logger, fold=fold, clock=clock)
        self.edited: int = 0
        """From how many responses something was removed, ever; in shadow, would have been."""

    @property
    def refused(self) -> int:
        """How many responses were refused or cut, ever; in shadow, how many would have been."""
        return self._refusals.count

    @property
    def hold(self) -> int:
        return self._hold

    def __call__(self, exchange: Exchange, handler: Handler) -> Coroutine[Any, Any, Response]:
        if self._refusals.shadow:
            return super().__call__(exchange, handler)
        return super().__call__(exchange, partial(self._asked, handler))

    async def _asked(self, handler: Handler, exchange: Exchange) -> Response:
        response = await handler(exchange)
        if not is_redirect(response):
            return response
        kind = kind_of(response)
        if form_of(kind) is not None or self._lets(response, kind):
            return response
        return await without_content(response, self._time)

    def _lets(self, response: Response, kind: MediaType | None) -> bool:
        """Whether what is no JSON goes on as it is."""
        return self._passes and (kind is not None or _CONTENT_TYPE not in response.headers)

    def transform(self, exchange: Exchange, response: Response, kind: MediaType | None) -> Transform | None:
        form = form_of(kind)
        refuse = partial(self._refuse, exchange)
        if kind is None or form is None:
            body = response.body
            if self._lets(response, kind) or body is EMPTY or body.length == 0 or is_redirect(response):
                return None
            said = response.headers.getall(_CONTENT_TYPE, ())
            refuse_type = partial(refuse, f"Content-Type: not JSON: {type_said(said)}")
            if said or body.length is not None:
                refuse_type()
                return None
            return NoContent(refuse_type)
        if not is_utf8(kind):
            if self.handling.unreadable == "refuse":
                refuse(f"Content-Type: not in UTF-8: {type_said(response.headers.getall(_CONTENT_TYPE, ()))}")
            return None
        found = _Found(self, exchange)
        inner = in_form(
            form, found.editor, words=self._words, passes=self._passes, strict=True, longest=self._longest_event
        )
        if self._refusals.shadow:
            return Watched(inner, refuse, found.tell, each=form != "document")
        return Guarded(inner, refuse, found.tell)

    def _editor(self, gone: Callable[[JsonPath], object]) -> JsonEditor:
        return JsonEditor(
            self._root,
            depth=self._depth,
            ignore_case=self._ignore_case,
            null=self._mask,
            gone=gone if self._refusals.shadow else None,
        )

    def _count(self) -> None:
        self.edited += 1

    def _tell(self, exchange: Exchange, paths: Iterable[str]) -> None:
        if self._severity is not None:
            self._log.note(
                exchange,
                rule=self._refusals.name,
                severity=self._severity,
                action="shadow remove",
                detail=", ".join(paths),
            )

    def _refuse(self, exchange: Exchange, detail: str) -> None:
        self._refusals.refuse(exchange, ResponseRefused(f"{self._refusals.name}: {escaped(detail)}"), detail=detail)

    async def stop(self) -> None:
        self._refusals.flush()
        self._log.flush()

    def __repr__(self) -> str:
        said = [] if self.only is None else [f"only {', '.join(map(str, self.only))}"]
        said += [f"without {', '.join(map(str, self.without))}"] if self.without else []
        state = "shadow, " if self._refusals.shadow else ""
        counts = f"{self.edited} edited, {self.refused} refused"
        return f"<JsonFields {self._refusals.name!r}: {'; '.join(said)}; {state}{counts}>"


class _Found:
    """What is removed from one response."""

    __slots__ = ("_counted", "_exchange", "_filter", "_paths", "_told", "editor")

    def __init__(self, filter: JsonFields, exchange: Exchange) -> None:
        self._filter = filter
        self._exchange = exchange
        self.editor: JsonEditor = filter._editor(self._add)
        self._paths: dict[str, None] = {}
        self._told = 0
        self._counted = False

    def _add(self, path: JsonPath) -> None:
        if len(self._paths) < _MOST_TOLD:
            self._paths[str(path)] = None

    def tell(self) -> None:
        """Log what has been found since the last time, and count the response."""
        if not self._counted and self.editor.edited:
            self._counted = True
            self._filter._count()
        if len(self._paths) > self._told:
            self._filter._tell(self._exchange, list(self._paths)[self._told :])
            self._told = len(self._paths)
