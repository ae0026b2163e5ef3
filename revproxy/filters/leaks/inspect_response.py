"""Looking for leaks in responses, by score."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Iterable
from typing import Any

from ...body import Transform
from ...clock import SYSTEM_CLOCK, Clock
from ...errors import ResponseRefused
from ...exchange import Exchange, Key
from ...handler import Handler
from ...media_types import MediaType, media_ranges
from ...message import Response
from ...rules import Rule
from ...security_log import LOGGER, SecurityLog, Severity
from ...when import anything
from ..content import ContentFilter, Handling
from ..content.handling import SHADOW
from ..content.kind import is_endless
from ..inspect.exclusion import Exclusion
from ..inspect.finding import Inspection
from ..prefilter import PrefilterName
from .left_out import LeftOut
from .pack import LeakPack
from .packs import ALL
from .search import Search, Watch, checked_packs

__all__ = ["LEAKS", "TEXTS", "InspectResponse"]

LEAKS: Key[Inspection] = Key("leaks")
"""What ``InspectResponse`` has found in the response so far, if anything."""

TEXTS = (
    *("text/html", "text/plain", "text/xml", "text/json", "text/csv", "text/markdown", "text/yaml", "text/x-php"),
    *("text/event-stream", "application/json", "application/*+json", "application/xml", "application/*+xml"),
    *("application/x-ndjson", "application/ndjson", "application/jsonl", "application/json-seq", "application/yaml"),
    *("application/x-yaml", "application/toml", "application/sql", "application/x-sql", "application/x-sh"),
    *("application/x-httpd-php", "application/x-php", "text/x-python", "text/x-ruby", "text/x-shellscript"),
)
"""Media types that are looked into by default."""

_MORE, _ENOUGH = 20, 64


class InspectResponse(ContentFilter):
    """Looks for what should not leave in responses: stack traces, errors of databases, sources, directory listings,
    outputs of web shells, credentials of clouds. Each signature that is found adds to a score, as in the OWASP Core
    Rule Set; a response whose score reaches the threshold is refused. ::

        about_errors = Exclusion(ids="*-error-*", when=when.path("/blog/*"))
        ProxyHandler(site, filters=[InspectResponse(exclusions=[about_errors])])

    ``packs``
        The families of signatures, those and no others; by default all (``leaks.packs.ALL``).
    ``paranoia``
        1 to 4. Level 1 stops no ordinary page; each level beyond adds signatures that need exclusions. From the second
        on also what a document quotes, as in ``<pre>``, counts.
    ``threshold``
        The score from which on a response is refused: at 4 one ``ERROR`` or ``CRITICAL`` finding is enough, or two
        lesser ones.
    ``exclusions``
        What is not looked for, in answers to which requests. Neither ``names`` nor ``where``: a response has none.
    ``types``
        Media types that are looked into, as ``"text/html"`` or ``"application/*+json"``; by default ``TEXTS``. What has
        no type, or one that cannot be read, always is. All else goes on untouched.
    ``hold``
        Bytes of the content, with its coding undone, that are looked at before the head goes out, so that the client
        gets a proper answer where something is found. Beyond them, and of what clients read as it comes
        (``text/event-stream``, ``application/x-ndjson``), each piece goes out once it was looked at; where something is
        found then, the client's connection is cut.
    ``shadow``
        Only log, and hand on; a response that cannot be read is handed on, too.
    ``then``
        A handler that answers instead, where the head has not gone out; by default the error is ``ResponseRefused``
        (502). The client never learns why.
    ``handling``
        What becomes of what cannot be read. By default as of ``Handling()``: 502; in ``shadow`` it goes on, but for a
        coding that is broken.
    ``prefilter``
        As of ``Inspect``. The results are the same.
    ``logger``, ``fold``, ``clock``
        As of ``Rules``: one line a response that is refused, at the severity of the gravest finding, and one at
        ``NOTICE`` of what is found and does not reach the threshold. Of what matched the log has the shape.

    What was found is on the exchange (``LEAKS``). Once the threshold is reached nothing more is looked for.

    Raises ``ValueError`` or ``TypeError`` that names the parameter and its value.
    """

    edits: bool = False

    def __init__(
        self,
        *packs: LeakPack,
        paranoia: int = 1,
        threshold: int = 4,
        exclusions: Iterable[Exclusion] = (),
        types: Collection[str] = TEXTS,
        hold: int = 65536,
        shadow: bool = False,
        then: Handler | None = None,
        handling: Handling | None = None,
        prefilter: PrefilterName = "auto",
        name: str = "inspect response",
        logger: logging.Logger = LOGGER,
        fold: float = 10.0,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        if handling is None:
            handling = SHADOW if shadow else Handling()
        super().__init__(handling=handling, clock=clock)
        if type(threshold) is not int or threshold < 1:
            raise ValueError(f"threshold must be a positive integer, got {threshold!r}")
        if type(hold) is not int or hold < 0:
            raise ValueError(f"hold must be an integer of at least 0, got {hold!r}")
        if isinstance(types, str):
            raise TypeError(f"types must be several, got {types!r}")
        if then is not None and not callable(then):
            raise TypeError(f"then: {then!r} is not a handler: it is not callable")
        packs = checked_packs(packs or ALL)
        self._left_out = LeftOut(exclusions, packs)
        self._search = Search(
            packs,
            paranoia=paranoia,
            without=self._left_out.always,
            prefilter=prefilter,
            enough=max(min(threshold + _MORE, _ENOUGH), threshold),
        )
        self.paranoia: int = paranoia
        self.threshold: int = threshold
        self.shadow: bool = shadow
        self.name: str = name
        self.inspected: int = 0
        """How many responses were looked into, ever."""
        self.stopped: int = 0
        """How many of them were refused; in shadow, how many would have been."""
        self._ranges = re.compile("|".join(sorted(media_ranges(types))))
        self._hold = hold
        self._then = then
        self._rules = {
            severity: Rule(anything, then or _refused, name=name, severity=severity, shadow=shadow)
            for severity in Severity
        }
        self._log = SecurityLog(logger, fold=fold, clock=clock)
        self._looking: Key[_Looking] = Key(name)
        self.requires: frozenset[Key[Any]] = self._left_out.requires
        self.reads_path: bool = self._left_out.reads_path

    @property
    def hold(self) -> int:
        return self._hold

    @property
    def narrows(self) -> bool:
        return not self.shadow

    def transform(self, exchange: Exchange, response: Response, kind: MediaType | None) -> Transform | None:
        if kind is not None and self._ranges.fullmatch(kind.name) is None:
            return None
        if self.shadow and response.status == 206:
            return None
        watch = self._search.watch(
            quotes=response.status < 400,
            json=True if kind is not None and (kind.is_json or is_endless(kind)) else None,
            left_out=self._left_out.of(exchange),
        )
        looking = exchange[self._looking] = _Looking(self, exchange, watch)
        return looking

    async def __call__(self, exchange: Exchange, handler: Handler) -> Response:
        try:
            response = await super().__call__(exchange, handler)
        except ResponseRefused as error:
            looking = exchange.get(self._looking)
            if self._then is None or looking is None or looking.error is not error:
                raise
            return await self._then(exchange)
        looking = exchange.get(self._looking)
        if looking is not None:
            looking.is_out = True
        return response

    # Told by what looks into one response.

    def decide(self, exchange: Exchange, inspection: Inspection, *, is_out: bool) -> ResponseRefused | None:
        """The threshold is reached: log it; the error to raise, ``None`` in shadow."""
        self.stopped += 1
        rule = self._rules[inspection.severity]
        action = "cut" if is_out else str(getattr(self._then, "action", "answer" if self._then else "block 502"))
        self.note(exchange, inspection, inspection.severity, f"shadow {action}" if self.shadow else action)
        for hook in exchange.hooks.ruled:
            hook(exchange, rule)
        if self.shadow:
            return None
        exchange.rule = rule
        return ResponseRefused(f"{self.name}: {inspection}")

    def note(self, exchange: Exchange, inspection: Inspection, severity: Severity, action: str) -> None:
        """A line in the security log."""
        self._log.note(exchange, rule=self.name, severity=severity, action=action, detail=str(inspection))

    def parts(self) -> Iterable[object]:
        return () if self._then is None else (self._then,)

    async def stop(self) -> None:
        self._log.flush()

    def __repr__(self) -> str:
        shadow = " shadow" if self.shadow else ""
        return (
            f"<InspectResponse {self.name!r}{shadow} at paranoia {self.paranoia}: stopped {self.stopped} of"
            f" {self.inspected} from {self.threshold} on, {self._search!r}>"
        )


class _Looking:
    """Looks into one response; what was looked at goes on."""

    __slots__ = ("_begun", "_exchange", "_filter", "_over", "_watch", "error", "is_out")

    def __init__(self, filter: InspectResponse, exchange: Exchange, watch: Watch) -> None:
        self._filter = filter
        self._exchange = exchange
        self._watch = watch
        self._begun = False
        self._over = False
        self.error: ResponseRefused | None = None
        self.is_out = False
        """Whether the head may have gone out."""

    def feed(self, chunk: bytes) -> bytes:
        if not self._over:
            if not self._begun:
                self._begun = True
                self._filter.inspected += 1
            self._watch.feed(chunk)
            self._judge()
        return chunk

    def finish(self) -> bytes:
        if not self._over:
            self._watch.finish()
            self._judge()
        if not self._over and self._watch.findings:
            inspection = self._exchange[LEAKS] = self._watch.inspection
            self._filter.note(self._exchange, inspection, Severity.NOTICE, "pass")
        return b""

    def _judge(self) -> None:
        if self._watch.score < self._filter.threshold:
            return
        self._over = True
        inspection = self._exchange[LEAKS] = self._watch.inspection
        self.error = self._filter.decide(self._exchange, inspection, is_out=self.is_out)
        if self.error is not None:
            raise self.error


async def _refused(exchange: Exchange) -> Response:
    raise ResponseRefused("it says what it must not")
