"""Faults on purpose, to see what becomes of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from random import Random

from ..body import Body, StreamBody
from ..clock import SYSTEM_CLOCK, Clock
from ..errors import ConnectionLost, Truncated
from ..exchange import Exchange
from ..handler import Component, Handler
from ..message import Response

__all__ = ["Abort", "Chaos", "Delay", "Fault", "Throttle", "Truncate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What happens to a ``share`` of the exchanges, of 1. Raises ``ValueError`` for what is no share."""

    share: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise ValueError(f"share must be 0 to 1, got {self.share}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay(Fault):
    """The handler is asked only after ``seconds``, and up to ``jitter`` more."""

    seconds: float
    jitter: float = 0.0

    def __post_init__(self) -> None:
        Fault.__post_init__(self)
        _check("seconds", self.seconds)
        _check("jitter", self.jitter)


@dataclass(frozen=True, slots=True, kw_only=True)
class Abort(Fault):
    """The handler is not asked: the answer is ``status``, without a body; or, with ``None``, the exchange fails as if
    the upstream had closed the connection (``ConnectionLost``)."""

    status: int | None = 503

    def __post_init__(self) -> None:
        Fault.__post_init__(self)
        if self.status is not None and not 200 <= self.status <= 599:
            raise ValueError(f"status must be 200 to 599 or None, got {self.status}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Truncate(Fault):
    """The body of the answer is cut after ``size`` bytes, if it has more, as if its server had died (``Truncated``)."""

    size: int = 0

    def __post_init__(self) -> None:
        Fault.__post_init__(self)
        _check("size", self.size)


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttle(Fault):
    """The body of the answer comes at ``rate`` bytes a second at most."""

    rate: float

    def __post_init__(self) -> None:
        Fault.__post_init__(self)
        if not 0 < self.rate < float("inf"):
            raise ValueError(f"rate must be above 0 and finite, got {self.rate}")


class Chaos(Component):
    """Makes faults happen, to test what stands around it::

        Pipeline(Retry(), Chaos(Abort(share=0.1), Delay(share=0.2, seconds=1.0), rng=Random(1)), handler=upstream)

    Each of ``faults`` is drawn for by itself, in order. ``rng``: a seeded one makes the same faults again. ``enabled``
    may be switched while it runs. Raises ``TypeError`` for what is no fault.
    """

    def __init__(self, *faults: Fault, rng: Random | None = None, clock: Clock = SYSTEM_CLOCK) -> None:
        for each in faults:
            if not isinstance(each, Delay | Abort | Truncate | Throttle):
                raise TypeError(f"faults: {each!r} is none of Delay, Abort, Truncate, Throttle")
        self.faults: tuple[Fault, ...] = faults
        self.enabled: bool = True
        self._rng = rng or Random()
        self._clock = clock

    async def __call__(self, exchange: Exchange, handler: Handler) -> Response:
        # Drawn in one go, so that what others wait for in between does not change what is drawn.
        drawn = [each for each in self.faults if self.enabled and self._rng.random() < each.share]
        waits = [each.seconds + self._rng.random() * each.jitter for each in drawn if isinstance(each, Delay)]
        for seconds in waits:
            await self._clock.sleep(seconds)
        for each in drawn:
            if isinstance(each, Abort):
                if each.status is None:
                    raise ConnectionLost("chaos")
                return Response(each.status)
        response = await handler(exchange)
        for each in drawn:
            if isinstance(each, Truncate):
                response.body = _cut(response.body, each.size)
            elif isinstance(each, Throttle):
                response.body = _slow(response.body, each.rate, self._clock)
        return response

    def __repr__(self) -> str:
        return f"Chaos({', '.join(map(repr, self.faults))}{'' if self.enabled else ', off'})"


class _Faulty(StreamBody):
    """A body made of another one, which is closed with it."""

    __slots__ = ("_inner",)

    def __init__(self, source: AsyncIterator[bytes], inner: Body) -> None:
        super().__init__(source, length=inner.length)
        self._inner = inner

    def close(self) -> None:
        self._inner.close()


def _cut(body: Body, size: int) -> Body:
    async def pieces() -> AsyncIterator[bytes]:
        left = size
        async for chunk in body:
            if len(chunk) > left:
                if left:
                    yield chunk[:left]
                raise Truncated("chaos")
            left -= len(chunk)
            yield chunk

    return _Faulty(pieces(), body)


def _slow(body: Body, rate: float, clock: Clock) -> Body:
    async def pieces() -> AsyncIterator[bytes]:
        step = max(int(rate / 10), 1)
        async for chunk in body:
            for start in range(0, len(chunk), step):
                piece = chunk[start : start + step]
                yield piece
                await clock.sleep(len(piece) / rate)

    return _Faulty(pieces(), body)


def _check(name: str, value: float) -> None:
    if not 0 <= value < float("inf"):
        raise ValueError(f"{name} must be at least 0 and finite, got {value}")
