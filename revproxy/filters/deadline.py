"""How long an exchange may take until its answer begins."""

from __future__ import annotations

import re
from collections.abc import Coroutine, Iterable
from typing import Any, Literal, get_args

from multidict import istr

from ..clock import SYSTEM_CLOCK, Clock
from ..exchange import Exchange
from ..facts import ClientAddress
from ..handler import Component, Handler
from ..headers import is_token
from ..message import Response
from ..networks import IPNetwork, Networks
from ..patience import PATIENCE

__all__ = ["Deadline", "TimeLeft", "Unit"]

Unit = Literal["s", "ms"]
"""Of the number in a field: seconds, which may have a fraction, or milliseconds."""

_PER_SECOND = {"s": 1, "ms": 1000}
_NUMBER = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?")


class Deadline(Component):
    """Sets ``exchange.deadline``: the response head must be there within ``seconds``. Waiting for a connection,
    connecting, sending and every further attempt happen within it; whoever waits for something himself looks at it.
    When it is over the client is told 504. A response that has begun is not cut: its body has an idle time-out instead.

    ``field``, ``trusted``
        A request field in which those of the networks ``trusted`` who are directly connected (another proxy, a service)
        may ask for less time, in ``unit``: the rest of their own. What others say there, or what is no number, does not
        count. That such a time is over says nothing about the servers: it counts for no health policy, and opens no
        circuit.

    Several of them may stand around a handler: the earliest deadline holds. ``TimeLeft`` passes it on. Raises
    ``ValueError`` that names the parameter.
    """

    def __init__(
        self,
        seconds: float,
        *,
        field: str | None = None,
        unit: Unit = "ms",
        trusted: Iterable[str | IPNetwork] = (),
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        if not 0 < seconds < float("inf"):
            raise ValueError(f"seconds must be above 0 and finite, got {seconds}")
        self._field = None if field is None else _field(field)
        self._trusted = Networks(trusted)
        if (field is None) != (not self._trusted.all):
            raise ValueError("field and trusted: one is of no use without the other")
        self._seconds = seconds
        self._per_second = _per_second(unit)
        self._clock = clock

    def __call__(self, exchange: Exchange, handler: Handler) -> Coroutine[Any, Any, Response]:
        seconds = self._seconds
        asked = float("inf") if self._field is None else self._asked(exchange, self._field)
        deadline = self._clock.now() + min(seconds, asked)
        if exchange.deadline is None or deadline < exchange.deadline:
            exchange.deadline = deadline
            if asked < seconds:
                exchange[PATIENCE] = deadline
        return handler(exchange)

    def _asked(self, exchange: Exchange, field: istr) -> float:
        """How long who is directly connected would have it take; without end, if he does not say or is not trusted."""
        values = exchange.inbound.headers.getall(field, ())
        if len(values) != 1 or _NUMBER.fullmatch(values[0]) is None:
            return float("inf")
        peer = ClientAddress.of_peer(exchange.inbound.peer).ip
        return float(values[0]) / self._per_second if peer is not None and peer in self._trusted else float("inf")

    def __repr__(self) -> str:
        field = "" if self._field is None else f", field={str(self._field)!r}"
        return f"Deadline({self._seconds:g}{field})"


class TimeLeft(Component):
    """Tells the upstream how long it may take: what is left until ``exchange.deadline``, in a request field, in
    ``unit``. Without a deadline there is no such field; a client's own is not passed on.

    Put it next to the upstream, inside of what asks twice, so that every attempt tells what is left then.
    """

    def __init__(self, field: str, *, unit: Unit = "ms", clock: Clock = SYSTEM_CLOCK) -> None:
        self._field = _field(field)
        self._unit = unit
        self._per_second = _per_second(unit)
        self._clock = clock

    def __call__(self, exchange: Exchange, handler: Handler) -> Coroutine[Any, Any, Response]:
        headers = exchange.request.headers
        if exchange.deadline is None:
            headers.popall(self._field, None)
        else:
            left = max(exchange.deadline - self._clock.now(), 0.0) * self._per_second
            headers[self._field] = str(int(left)) if self._unit == "ms" else f"{left:.3f}"
        return handler(exchange)

    def __repr__(self) -> str:
        return f"TimeLeft({str(self._field)!r}, unit={self._unit!r})"


def _field(name: str) -> istr:
    if not is_token(name):
        raise ValueError(f"field: {name!r} is not a field name")
    return istr(name)


def _per_second(unit: Unit) -> int:
    if unit not in get_args(Unit):
        raise ValueError(f"unit must be one of {', '.join(map(repr, get_args(Unit)))}, got {unit!r}")
    return _PER_SECOND[unit]
