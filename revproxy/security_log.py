"""The log of what was decided about requests: one line a decision, and one for all of a kind that follow soon."""

from __future__ import annotations

import logging
from collections import OrderedDict
from enum import IntEnum
from hashlib import sha256
from typing import TypeAlias

from .balancers.keys import client_address
from .clock import SYSTEM_CLOCK, Clock, Timer
from .errors import ProxyError
from .exchange import Exchange
from .logged import escaped, without_values

__all__ = ["LOGGER", "Refusals", "SecurityLog", "Severity"]

LOGGER = logging.getLogger("revproxy.security")

_KINDS = 1024
_AT_ONCE = 5
_DETAILS = 16
_client_of = client_address()


class Severity(IntEnum):
    """How much a match of a rule matters. They have an order."""

    NOTICE = logging.INFO
    WARNING = logging.WARNING
    ERROR = logging.ERROR
    CRITICAL = logging.CRITICAL

    @property
    def level(self) -> int:
        """The level that ``logging`` knows it by."""
        return int(self)


_Of: TypeAlias = tuple[str, str, Severity, object]
"""A rule, what it does, how much that matters, and the client."""


class _Kind:
    """What a rule has decided about one client's requests lately."""

    __slots__ = ("count", "details", "facts", "last", "level", "lines", "since")

    def __init__(self, since: float, facts: dict[str, str], level: int) -> None:
        self.since = since
        self.lines = 1
        self.details = {facts["detail"]}
        self.count = 0
        self.facts = facts  # records have it, too, and some handlers look at it later
        self.level = level
        self.last = ""


class SecurityLog:
    """Writes to ``logger``, at the severity's level: the first five decisions of a rule about a client's requests at
    once, and those for another reason than the ones before, up to 16 of these; others of the same severity within
    ``fold`` seconds are counted, and told in one line when that time is over, lest an attack is a flood of lines. A
    client is an address, or a /64 of IPv6. With a ``fold`` of 0 each has a line of its own.

    Told apart are 1,024 such kinds; where there are more, the oldest is told of, and begins anew.

    What the request says is escaped and cut to 256 characters, so that it forges no line; values of the query, and of
    parameters in the path, are left out. It stands also in the record's attributes: ``rule``, ``severity``, ``action``,
    ``client``, ``source`` (whose word that is, see ``ClientAddress``), ``method``, ``host``, ``target``, ``digest`` (of
    method, host and target: the same for the same request), ``exchange_id``; ``detail``, what was found; and
    ``repeats``, how many more there were.

    Raises ``ValueError`` for a ``fold`` below 0.
    """

    def __init__(self, logger: logging.Logger = LOGGER, *, fold: float = 10.0, clock: Clock = SYSTEM_CLOCK) -> None:
        if not 0 <= fold < float("inf"):
            raise ValueError(f"fold must be at least 0 and finite, got {fold}")
        self._logger = logger
        self._fold = fold
        self._clock = clock
        self._kinds: OrderedDict[_Of, _Kind] = OrderedDict()
        self._timer: Timer | None = None

    def note(self, exchange: Exchange, *, rule: str, severity: Severity, action: str, detail: str = "") -> None:
        """``rule`` has decided about ``exchange``: ``action``, for ``detail``."""
        if not self._logger.isEnabledFor(severity.level):
            return
        if not self._fold:
            self._say(severity.level, _facts(exchange, rule, severity, action, detail))
            return
        now = self._clock.now()
        key = rule, action, severity, _client_of(exchange)
        kind = self._kinds.get(key)
        if kind is not None and now - kind.since < self._fold:
            is_new = len(kind.details) < _DETAILS and escaped(detail) not in kind.details
            if kind.lines < _AT_ONCE or is_new:
                kind.lines += 1
                kind.details.add(escaped(detail))
                self._say(severity.level, _facts(exchange, rule, severity, action, detail))
                return
            kind.count += 1
            kind.last = exchange.id
            if self._timer is None:
                self._timer = self._clock.call_later(kind.since + self._fold - now, self._told)
            return
        if kind is not None:
            self._forget(key)
        elif len(self._kinds) >= _KINDS:
            self._forget(next(iter(self._kinds)))
        facts = _facts(exchange, rule, severity, action, detail)
        self._kinds[key] = _Kind(now, facts, severity.level)
        self._say(severity.level, facts)

    def flush(self) -> None:
        """Tell of all that were counted."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._kinds:
            self._forget(next(iter(self._kinds)))

    def _told(self) -> None:
        self._timer = None
        now = self._clock.now()
        while self._kinds:  # the oldest first
            key, kind = next(iter(self._kinds.items()))
            if now - kind.since < self._fold:
                break
            self._forget(key)
        waits = [kind.since for kind in self._kinds.values() if kind.count]
        if waits:
            self._timer = self._clock.call_later(waits[0] + self._fold - now, self._told)

    def _forget(self, key: _Of) -> None:
        kind = self._kinds.pop(key)
        if kind.count:
            seconds = f"{self._clock.now() - kind.since:.3g}"
            facts = {**kind.facts, "exchange_id": escaped(kind.last), "repeats": str(kind.count), "seconds": seconds}
            self._logger.log(kind.level, _REPEATS, facts, extra=facts)

    def _say(self, level: int, facts: dict[str, str]) -> None:
        self._logger.log(level, _LINE_WITH_DETAIL if facts["detail"] else _LINE, facts, extra=facts)

    def __repr__(self) -> str:
        return f"<SecurityLog {self._logger.name}: {len(self._kinds)} kinds within {self._fold:g} s>"


class Refusals:
    """What a filter does with requests that it refuses: a line in the security log, as of a rule that blocks, and then
    the error; or in ``shadow`` the line alone, and the request goes on. ::

        self._refusals = Refusals("inspect", severity=severity, shadow=shadow, logger=logger, fold=fold, clock=clock)
        ...
        self._refusals.refuse(exchange, Forbidden("an injection in the query"), detail="sql-3 in query")

    ``name``
        What the log calls it.
    ``severity``
        The level; ``None``: nothing is logged.
    ``logger``, ``fold``, ``clock``
        Those of the ``SecurityLog``. Whoever has one of these calls ``flush`` where it stops.

    Raises ``TypeError`` for a severity that is none, ``ValueError`` for an empty name.
    """

    def __init__(
        self,
        name: str,
        *,
        severity: Severity | None = Severity.WARNING,
        shadow: bool = False,
        logger: logging.Logger = LOGGER,
        fold: float = 10.0,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        if not name:
            raise ValueError("name must not be empty")
        if severity is not None and not isinstance(severity, Severity):
            raise TypeError(f"severity: {severity!r} is not a Severity")
        self.name: str = name
        self.shadow: bool = shadow
        self.count: int = 0
        """How many were refused, ever; in shadow, how many would have been."""
        self._severity = severity
        self._log = SecurityLog(logger, fold=fold, clock=clock)

    def refuse(
        self, exchange: Exchange, error: ProxyError, *, detail: str = "", severity: Severity | None = None
    ) -> None:
        """Note that ``exchange`` is refused with ``error``, and raise that; in shadow only note it.

        ``detail`` is for the log, where it is escaped: where something was found, never what. ``severity``: another one
        than that of all.
        """
        self.count += 1
        severity = severity or self._severity
        if severity is not None:
            action = "drop" if error.status is None else f"block {error.status}"
            self._log.note(
                exchange,
                rule=self.name,
                severity=severity,
                action=f"shadow {action}" if self.shadow else action,
                detail=detail,
            )
        if not self.shadow:
            raise error

    def flush(self) -> None:
        """Tell of all that were counted and not yet told of."""
        self._log.flush()

    def __repr__(self) -> str:
        return f"<Refusals of {self.name!r}: {self.count}{' in shadow' if self.shadow else ''}>"


_LINE = (
    'rule "%(rule)s": %(action)s, client %(client)s, %(method)s "%(target)s" for host "%(host)s", id %(exchange_id)s'
)
_LINE_WITH_DETAIL = (
    'rule "%(rule)s": %(action)s for "%(detail)s", client %(client)s, %(method)s "%(target)s" for host "%(host)s",'
    " id %(exchange_id)s"
)
_REPEATS = (
    'rule "%(rule)s": %(action)s, client %(client)s: %(repeats)s more like it in %(seconds)s s, the last one'
    " id %(exchange_id)s"
)


def _facts(exchange: Exchange, rule: str, severity: Severity, action: str, detail: str) -> dict[str, str]:
    inbound = exchange.inbound
    asked = f"{inbound.method}\n{inbound.host}\n{inbound.target}"
    return {
        "rule": escaped(rule),
        "severity": severity.name.lower(),
        "action": action,
        "client": str(inbound.client),
        "source": inbound.client.source,
        "method": escaped(inbound.method),
        "host": escaped(inbound.host),
        "target": escaped(without_values(inbound.target)),
        "digest": sha256(asked.encode("utf-8", "surrogateescape")).hexdigest()[:16],
        "exchange_id": escaped(exchange.id),
        "detail": escaped(detail),
        "repeats": "0",
    }
