"""Looking for attacks in requests, by score."""

from __future__ import annotations

import logging
from collections.abc import Coroutine, Iterable
from functools import partial
from typing import Any

from multidict import istr

from ...answers import block
from ...body import Body
from ...clock import SYSTEM_CLOCK, Clock
from ...errors import BodyTooLarge, BudgetSpent, ResponseBodyTooLarge
from ...exchange import Exchange, Key
from ...handler import Component, Handler
from ...limiters.body_budget import BodyBudget
from ...media_types import MediaType, media_type
from ...message import Response
from ...rules import Rule
from ...security_log import LOGGER, SecurityLog, Severity
from ...when import anything
from ..peeked import Peeked
from ..prefilter import PrefilterName
from .bodies import is_read, read_body
from .coding import CannotDecode, decoded
from .engine import Engine
from .exclusion import Exclusion
from .finding import INSPECTION, Inspection
from .head import head_texts, head_values
from .pack import Pack
from .packs import ALL
from .subject import Subject

__all__ = ["Inspect"]

_CONTENT_TYPE = istr("Content-Type")
_CONTENT_ENCODING = istr("Content-Encoding")
_MORE, _ENOUGH = 20, 64
"""A score that is so much beyond the threshold, or so much, is enough."""


class Inspect(Component):
    """Looks for attacks in requests, in the manner of the OWASP Core Rule Set: each signature that is found adds to a
    score, and a request whose score reaches the threshold is answered by ``then``. ::

        cms = Exclusion(ids="xss-*", names="body", when=when.path("/cms/*"))
        ProxyHandler(site, filters=[Inspect(exclusions=[cms])])

    ``packs``
        The families of signatures, those and no others; by default all (``packs.ALL``).
    ``paranoia``
        1 to 4. Level 1 stops attacks and no ordinary traffic; each level beyond adds signatures that need exclusions.
    ``threshold``
        The score from which on a request is stopped: at 5 one ``CRITICAL`` finding is enough, or several lesser ones.
    ``exclusions``
        What is not looked for where.
    ``shadow``
        Only log, and hand on.
    ``body``
        Whether bodies are looked into: JSON, XML, forms, text, and what multipart says of files. They are held in
        memory for that, and sent on as they came. Pictures, archives and the like stream through.
    ``max_body``
        Bytes of a body that is looked into, and those it may be when a coding is undone. Beyond them ``BodyTooLarge``
        (413) is raised; in shadow the body goes on, not looked into. Put larger uploads on a route without ``Inspect``,
        or raise it.
    ``budget``
        What is held of bodies counts there, with all else that is given it; 503 where it has no room.
    ``then``
        A handler: ``block(403)``, ``drop()``, ``tarpit(...)``, one of your own. The client never learns why.
    ``prefilter``
        ``"hyperscan"`` (extra ``inspect``), ``"words"``, or ``"auto"``: the former if it is installed. The results are
        the same.
    ``logger``, ``fold``, ``clock``
        As of ``Rules``: one line a request that is stopped, at the severity of the gravest finding, and one at
        ``NOTICE`` of what is found and does not reach the threshold. Of what matched the log has the shape.

    Where the score is far beyond the threshold nothing more is looked for. What was found is on the exchange
    (``INSPECTION``), for rules and handlers further in.

    Raises ``ValueError`` or ``TypeError`` that names the parameter and its value.
    """

    guards = True
    provides: frozenset[Key[Any]] = frozenset({INSPECTION})

    def __init__(
        self,
        *packs: Pack,
        paranoia: int = 1,
        threshold: int = 5,
        exclusions: Iterable[Exclusion] = (),
        shadow: bool = False,
        body: bool = True,
        max_body: int = 131072,
        budget: BodyBudget | None = None,
        then: Handler | None = None,
        prefilter: PrefilterName = "auto",
        name: str = "inspect",
        logger: logging.Logger = LOGGER,
        fold: float = 10.0,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        for pack in packs:
            if not isinstance(pack, Pack):
                raise TypeError(f"packs: {pack!r} is not a Pack")
        names = [pack.name for pack in packs]
        if len(set(names)) < len(names):
            raise ValueError(f"packs: two of the same name, of {', '.join(names)}")
        if paranoia not in (1, 2, 3, 4):
            raise ValueError(f"paranoia must be 1 to 4, got {paranoia!r}")
        for parameter, value in (("threshold", threshold), ("max_body", max_body)):
            if type(value) is not int or value < 1:
                raise ValueError(f"{parameter} must be a positive integer, got {value!r}")
        if isinstance(exclusions, Exclusion):
            raise TypeError("exclusions: several of them, in a list, got one")
        exclusions = tuple(exclusions)
        for exclusion in exclusions:
            if not isinstance(exclusion, Exclusion):
                raise TypeError(f"exclusions: {exclusion!r} is not an Exclusion")
        then = block(403) if then is None else then
        if not callable(then):
            raise TypeError(f"then: {then!r} is not a handler: it is not callable")
        self.paranoia: int = paranoia
        self.threshold: int = threshold
        self.shadow: bool = shadow
        self.name: str = name
        self.inspected: int = 0
        """How many requests were looked at, ever."""
        self.stopped: int = 0
        """How many of them were stopped; in shadow, how many would have been."""
        self._engine = Engine(packs or ALL, paranoia, exclusions, prefilter, min(threshold + _MORE, _ENOUGH))
        self._then = then
        self._reads_body = body
        self._max_body = max_body
        self._budget = budget
        self._rules = {
            severity: Rule(anything, then, name=name, severity=severity, shadow=shadow) for severity in Severity
        }
        self._log = SecurityLog(logger, fold=fold, clock=clock)
        self.requires: frozenset[Key[Any]] = frozenset().union(
            *(each.when.requires for each in exclusions if each.when is not None)
        )
        self.reads_path: bool = any(each.when is not None and each.when.reads_path for each in exclusions)

    def __call__(self, exchange: Exchange, handler: Handler) -> Coroutine[Any, Any, Response]:
        body = exchange.request.body
        if self._reads_body and not (body.data == b"" or body.length == 0):
            kind = media_type(exchange.inbound.headers.getall(_CONTENT_TYPE, ()))
            if is_read(kind):  # so is what has no type, or one that cannot be read
                return self._with_body(exchange, handler, kind)
        return self._decide(exchange, handler, self._subject(exchange))

    async def _with_body(self, exchange: Exchange, handler: Handler, kind: MediaType | None) -> Response:
        subject = self._subject(exchange)
        draft = exchange.request
        came = draft.body
        if came.data is None and self._engine.inspect(subject).score >= self.threshold:
            return await self._decide(exchange, handler, subject)  # the head says enough: the body need not come
        data = await self._read(exchange, came)
        if data is None:
            return await self._decide(exchange, handler, subject)
        if came.data is None:
            draft.body = Body.unsized(data) if came.length is None else Body(data)
        try:
            text = decoded(data, self._coding(exchange), self._max_body)
        except CannotDecode as error:
            subject.trouble("coding", str(error))
        else:
            if kind is None and _CONTENT_TYPE in exchange.inbound.headers:
                subject.trouble("form", "a Content-Type that cannot be read")
            read_body(text, kind, subject)
        return await self._decide(exchange, handler, subject)

    def _coding(self, exchange: Exchange) -> str:
        """What the body is still in: the server may have undone it."""
        if _CONTENT_ENCODING not in exchange.inbound.headers:
            return ""
        return ",".join(exchange.request.headers.getall(_CONTENT_ENCODING, ()))

    async def _read(self, exchange: Exchange, body: Body) -> bytes | None:
        """All of ``body``; in shadow ``None`` if that is too much to look into: it goes on then as it came."""
        limit = self._max_body
        try:
            if not self.shadow or body.data is not None:
                return await (body.read(limit) if self._budget is None else self._budget.read(exchange, body, limit))
            if self._budget is not None:
                self._budget.hold(exchange, limit if body.length is None else min(body.length, limit))
            exchange.request.body = peeked = Peeked(body)
            data = await peeked.peek(limit)
            if data is not None:
                return data
            raise BodyTooLarge(f"a body exceeds the limit of {limit} bytes")
        except (BodyTooLarge, ResponseBodyTooLarge, BudgetSpent) as error:
            action = f"{'shadow ' * self.shadow}block {503 if isinstance(error, BudgetSpent) else 413}"
            self._log.note(
                exchange, rule=self.name, severity=Severity.WARNING, action=action, detail="a body that is too large"
            )
            if not self.shadow:
                raise
            return None

    def _subject(self, exchange: Exchange) -> Subject:
        subject = Subject(exchange)
        inbound = exchange.inbound
        # Of cookies the values are among the texts.
        lasting = [text for name, text in inbound.headers.items() if name != "Cookie" and name.lower() != "cookie"]
        subject.later(head_texts(inbound), partial(head_values, inbound), lasting=lasting)
        return subject

    def _decide(self, exchange: Exchange, handler: Handler, subject: Subject) -> Coroutine[Any, Any, Response]:
        self.inspected += 1
        inspection = exchange[INSPECTION] = self._engine.inspect(subject)
        if not inspection.findings:
            return handler(exchange)
        if inspection.score < self.threshold:
            self._note(exchange, inspection, Severity.NOTICE, "pass")
            return handler(exchange)
        self.stopped += 1
        rule = self._rules[inspection.severity]
        action = str(getattr(self._then, "action", "answer"))
        self._note(exchange, inspection, inspection.severity, f"shadow {action}" if self.shadow else action)
        for hook in exchange.hooks.ruled:
            hook(exchange, rule)
        if self.shadow:
            return handler(exchange)
        exchange.rule = rule
        return self._then(exchange)

    def _note(self, exchange: Exchange, inspection: Inspection, severity: Severity, action: str) -> None:
        self._log.note(exchange, rule=self.name, severity=severity, action=action, detail=str(inspection))

    def parts(self) -> Iterable[object]:
        return (self._then,)

    async def stop(self) -> None:
        self._log.flush()

    def __repr__(self) -> str:
        shadow = " shadow" if self.shadow else ""
        return (
            f"<Inspect {self.name}{shadow} at paranoia {self.paranoia}: stopped {self.stopped} of {self.inspected}"
            f" from {self.threshold} on, {self._engine!r}>"
        )
