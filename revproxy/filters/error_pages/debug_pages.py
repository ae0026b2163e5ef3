"""Debug pages and stack traces, caught before a client sees them."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import TYPE_CHECKING, Any, ClassVar

from ...body import Transform
from ...clock import SYSTEM_CLOCK, Clock
from ...errors import ResponseRefused
from ...exchange import Exchange, Key
from ...media_types import MediaType
from ...message import Response
from ...security_log import LOGGER, Refusals
from ...when import When
from ..content import ContentFilter, Handling
from ..content.kind import is_endless

if TYPE_CHECKING:
    from ..leaks import LeakPack, Watch

__all__ = ["DebugPageShown", "DebugPages"]

_TEXTUAL = ("text/", "application/xml", "application/xhtml", "application/javascript", "application/x-httpd-php")
_GRPC = "application/grpc"


class DebugPageShown(ResponseRefused):
    """A response shows a debug page or a stack trace, and is not let out: 500. The server has failed, whatever status
    it says.

    ``came``: that status. ``kind``: what the response said it was.
    """

    status: ClassVar[int | None] = 500
    title = "Internal Server Error"

    def __init__(self, message: str, *, came: int = 500, kind: MediaType | None = None) -> None:
        super().__init__(message)
        self.came: int = came
        self.kind: MediaType | None = kind


class DebugPages(ContentFilter):
    """Has no response out that begins with a debug page or a stack trace, whatever its status: of Django, Werkzeug,
    Laravel, Symfony, Rails, ASP.NET, Express, Spring, Tomcat, PHP, Go, Rust and others. It is what
    ``ErrorPages(traces=True)`` puts around what is further in; alone the client gets a problem document. ::

        ProxyHandler(site, filters=[ErrorPages(sorry, traces=DebugPages(look=16384, shadow=True))])

    Looked at is the beginning of what is text by its type, or has none, in whatever coding it comes; the head waits for
    it. Pictures, archives, parts (206), gRPC and what clients read as it comes (``text/event-stream``,
    ``application/x-ndjson``) go on at once.

    ``packs``
        What is looked for; by default ``leaks.packs.TRACES``.
    ``look``
        Bytes of the content, with its coding undone, that are looked at.
    ``threshold``
        The score from which on it is one: ``CRITICAL`` signatures count 5, ``ERROR`` 4, ``WARNING`` 3, ``NOTICE`` 2.
        What a document that is no error only quotes, as in ``<pre>``, does not count.
    ``left_out``
        The ids of signatures that are not looked for.
    ``unless``
        Where it holds nothing is looked at: routes that trickle text out, or that are about stack traces.
    ``shadow``
        Only log.
    ``handling``
        What becomes of what cannot be read: by default it goes on, and ranges are asked for as ever.
    ``name``, ``logger``, ``fold``, ``clock``
        As of ``Refusals``: a line in the security log at the severity of the gravest signature, with the shape of what
        matched.

    Raises ``ValueError`` or ``TypeError`` that names the parameter and its value. Requests end with ``DebugPageShown``.
    """

    edits: bool = False

    def __init__(
        self,
        *packs: LeakPack,
        look: int = 65536,
        threshold: int = 4,
        left_out: Collection[str] = (),
        unless: When | None = None,
        shadow: bool = False,
        handling: Handling | None = None,
        name: str = "debug-pages",
        logger: logging.Logger = LOGGER,
        fold: float = 10.0,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        handling = Handling(unreadable="pass", ranges="keep") if handling is None else handling
        super().__init__(handling=handling, clock=clock)
        for parameter, value in (("look", look), ("threshold", threshold)):
            if type(value) is not int or value < 1:
                raise ValueError(f"{parameter} must be a positive integer, got {value!r}")
        if unless is not None and not isinstance(unless, When):
            raise TypeError(f"unless: {unless!r} is no condition: wrap a function in when.check()")
        from ..leaks import Search  # here, for what these need takes half a second to compile
        from ..leaks.packs import TRACES

        self._search = Search(packs or TRACES, enough=threshold)
        self._left_out = frozenset(left_out)
        unknown = self._left_out - {each.id for each in self._search.signatures}
        if isinstance(left_out, str) or unknown:
            raise ValueError(f"left_out must be ids of signatures, got {left_out!r}")
        self._look = look
        self._threshold = threshold
        self._unless = unless
        self._refusals = Refusals(name, shadow=shadow, logger=logger, fold=fold, clock=clock)
        self.requires: frozenset[Key[Any]] = frozenset() if unless is None else unless.requires
        self.reads_path: bool = unless is not None and unless.reads_path

    @property
    def caught(self) -> int:
        """How many there were, ever."""
        return self._refusals.count

    @property
    def hold(self) -> int:
        return self._look

    def transform(self, exchange: Exchange, response: Response, kind: MediaType | None) -> Transform | None:
        if response.status == 206 or not _is_textual(kind) or is_endless(kind):
            return None
        if self._unless is not None and self._unless.test(exchange):
            return None
        watch = self._search.watch(
            quotes=response.status < 400, json=None if kind is None else kind.is_json, left_out=self._left_out
        )
        return _Looking(self, exchange, response.status, kind, watch)

    def decide(self, exchange: Exchange, status: int, kind: MediaType | None, watch: Watch) -> bool:
        """Whether the search is over, by what it has found."""
        if watch.score < self._threshold:
            return False
        found = watch.inspection
        error = DebugPageShown(f"an answer of {status} shows a trace: {found}", came=status, kind=kind)
        self._refusals.refuse(exchange, error, detail=f"{found}, with status {status}", severity=found.severity)
        return True

    async def stop(self) -> None:
        self._refusals.flush()

    def __repr__(self) -> str:
        shadow = " in shadow" if self._refusals.shadow else ""
        return f"<DebugPages {self._refusals.name}{shadow}: {self.caught} caught, {len(self._search)} signatures>"


class _Looking:
    """Lets everything go on, and looks at its beginning."""

    __slots__ = ("_exchange", "_is_over", "_kind", "_left", "_pages", "_status", "_watch")

    def __init__(
        self, pages: DebugPages, exchange: Exchange, status: int, kind: MediaType | None, watch: Watch
    ) -> None:
        self._pages = pages
        self._exchange = exchange
        self._status = status
        self._kind = kind
        self._watch = watch
        self._left = pages.hold
        self._is_over = False

    def feed(self, chunk: bytes) -> bytes:
        if not self._is_over:
            self._watch.feed(chunk[: self._left])
            self._left -= len(chunk)
            if self._left <= 0:
                self._watch.finish(cut=True)
            self._is_over = self._decided() or self._left <= 0
        return chunk

    def finish(self) -> bytes:
        if not self._is_over:
            self._is_over = True
            self._watch.finish()
            self._decided()
        return b""

    def _decided(self) -> bool:
        return self._pages.decide(self._exchange, self._status, self._kind, self._watch)


def _is_textual(kind: MediaType | None) -> bool:
    if kind is None:
        return True
    name = kind.name
    return name.startswith(_TEXTUAL) or kind.is_json or name.endswith("+xml")
