"""The log of what was decided about requests: one line a decision, and one for all of a kind that follow soon."""

from __future__ import annotations

import logging
from collections import OrderedDict
from enum import IntEnum
from hashlib import sha256

from .balancers.keys import client_address
from .clock import SYSTEM_CLOCK, Clock, Timer
from .exchange import Exchange

__all__ = ["LOGGER", "SecurityLog", "Severity"]

LOGGER = logging.getLogger("revproxy.security")

_KINDS = 1024
_AT_ONCE = 5
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


class _Kind:
    """What a rule has decided about one client's requests lately."""

    __slots__ = ("count", "facts", "level", "lines", "since")

    def __init__(self, since: float, facts: dict[str, str], level: int) -> None:
        self.since = since
        self.lines = 1
        self.count = 0
        self.facts = facts
        self.level = level


class SecurityLog:
    """Writes to ``logger``, at the severity's level: the first five decisions of a rule about a client's requests at
    once; others within ``fold`` seconds are counted, and told in one line when that time is over, lest an attack is a
    flood of lines. A client is an address, or a /64 of IPv6. With a ``fold`` of 0 each has a line of its own.

    Told apart are 1,024 such kinds; where there are more, the oldest is told of, and begins anew.

    What the request says is escaped and cut to 256 characters, so that it forges no line; it stands also in the
    record's attributes: ``rule``, ``severity``, ``action``, ``client``, ``source`` (whose word that is, see
    ``ClientAddress``), ``method``, ``host``, ``target``, ``digest`` (of method, host and target: the same for the same
    request), ``exchange_id``; and ``repeats``, how many more there were.

    Raises ``ValueError`` for a ``fold`` below 0.
    """

    def __init__(self, logger: logging.Logger = LOGGER, *, fold: float = 10.0, clock: Clock = SYSTEM_CLOCK) -> None:
        if not 0 <= fold < float("inf"):
            raise ValueError(f"fold must be at least 0 and finite, got {fold}")
        self._logger = logger
        self._fold = fold
        self._clock = clock
        self._kinds: OrderedDict[tuple[str, str, object], _Kind] = OrderedDict()
        self._timer: Timer | None = None

    def note(self, exchange: Exchange, *, rule: str, severity: Severity, action: str) -> None:
        """``rule`` has decided about ``exchange``: ``action``."""
        if not self._logger.isEnabledFor(severity.level):
            return
        if not self._fold:
            self._say(severity.level, _facts(exchange, rule, severity, action))
            return
        now = self._clock.now()
        key = rule, action, _client_of(exchange)
        kind = self._kinds.get(key)
        if kind is not None and now - kind.since < self._fold:
            if kind.lines < _AT_ONCE:
                kind.lines += 1
                self._say(severity.level, _facts(exchange, rule, severity, action))
                return
            kind.count += 1
            kind.facts["exchange_id"] = escaped(exchange.id)
            if self._timer is None:
                self._timer = self._clock.call_later(kind.since + self._fold - now, self._told)
            return
        if kind is not None:
            self._forget(key)
        elif len(self._kinds) >= _KINDS:
            self._forget(next(iter(self._kinds)))
        facts = _facts(exchange, rule, severity, action)
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

    def _forget(self, key: tuple[str, str, object]) -> None:
        kind = self._kinds.pop(key)
        if kind.count:
            facts = {**kind.facts, "repeats": str(kind.count), "seconds": f"{self._clock.now() - kind.since:.3g}"}
            self._logger.log(kind.level, _REPEATS, facts, extra=facts)

    def _say(self, level: int, facts: dict[str, str]) -> None:
        self._logger.log(level, _LINE, facts, extra=facts)

    def __repr__(self) -> str:
        return f"<SecurityLog {self._logger.name}: {len(self._kinds)} kinds within {self._fold:g} s>"


_LINE = (
    'rule "%(rule)s": %(action)s, client %(client)s, %(method)s "%(target)s" for host "%(host)s", id %(exchange_id)s'
)
_REPEATS = (
    'rule "%(rule)s": %(action)s, client %(client)s: %(repeats)s more like it in %(seconds)s s, the last one'
    " id %(exchange_id)s"
)


def _facts(exchange: Exchange, rule: str, severity: Severity, action: str) -> dict[str, str]:
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
        "target": escaped(inbound.target),
        "digest": sha256(asked.encode("utf-8", "surrogateescape")).hexdigest()[:16],
        "exchange_id": escaped(exchange.id),
        "repeats": "0",
    }


def escaped(text: str) -> str:
    """``text`` in printable ASCII, without a way out of double quotes, of at most some 256 characters of it."""
    said = text[:256].encode("unicode_escape").decode("ascii").replace('"', '\\"')
    return f"{said}..." if len(text) > 256 else said
