"""How much a client, or all of them, may ask for in a time."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Mapping
from functools import partial
from typing import Any, TypeAlias

from ..balancers.keys import HashKey, client_address
from ..clock import SYSTEM_CLOCK, Clock
from ..errors import ProxyError, RateLimited
from ..exchange import Exchange
from ..handler import Component, Handler
from ..limiters.limiter import Limiter, LimiterKey, Verdict
from ..limiters.shedding import Shedding
from ..message import Response
from ..security_log import Refusals
from .costs import Settled
from .quota import Cost, Quota, policy, service_limit

__all__ = ["RateLimit"]

_Hit: TypeAlias = tuple[Quota, LimiterKey, float, Verdict]
"""What was taken for a request: of what, for whom, how much, and what was said."""


class RateLimit(Component):
    """Refuses who asks for more than he may have in a time: 429, with ``Retry-After`` (``RateLimited``). ::

        ProxyHandler(rules, filters=[RateLimit(Gcra(10, 20)), ...])      # 10 a second, 20 at once, for each client

    ``limits``
        One or several, as ``Limiter`` objects; or as ``Quota`` objects, where keys, costs and names differ. A request
        passes if all of them allow it; if one refuses it, it takes from none.
    ``key``
        Whom a request is counted for: see ``balancers.keys``, or any function of the exchange. By default the client's
        address, of IPv6 its /64. Who has the key ``None`` is **not limited**: a field that the client may leave out is
        no key by itself, but ``keys.first_of(keys.header("X-Api-Key"), keys.client_address())`` is.
    ``cost``
        What a request costs, in units: a number; a function of the exchange; or what it turns out to be, in
        ``Milliseconds`` or ``Bytes``.
    ``fields``
        Whether answers say how much is left, by ``RateLimit`` and ``RateLimit-Policy``
        (draft-ietf-httpapi-ratelimit-headers-11), those that are refused included. It tells everybody what the limits
        are.
    ``shadow``
        Refuses nobody and changes nothing; counts and tells what it would have refused.
    ``name``
        For errors and events: ``SheddingBegan`` and ``SheddingEnded``.

    What a request has taken stays taken, however it ends. Raises ``ValueError`` or ``TypeError`` that names the
    parameter and its value; a cost that is none, of a function, ends the exchange with 500.
    """

    def __init__(
        self,
        *limits: Limiter | Quota,
        key: HashKey | None = None,
        cost: Cost = 1.0,
        fields: bool = False,
        shadow: bool = False,
        name: str = "rate limit",
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        if not limits:
            raise ValueError("limits: there is none")
        if key is not None and not callable(key):
            raise TypeError(f"key: {key!r} is no function of an exchange")
        whose = client_address() if key is None else key
        self._quotas = tuple(
            _completed(each, whose, cost, "default" if len(limits) == 1 else f"limit-{number}")
            for number, each in enumerate(limits, 1)
        )
        names = [each.name for each in self._quotas]
        if len(set(names)) < len(names):
            raise ValueError(f"limits must have names of their own, got {names}: name them by Quota(..., name=...)")
        self._checks = tuple((each, each.limiter.hit, *_asked(each)) for each in self._quotas)
        self._settles = any(isinstance(each.cost, Settled) for each in self._quotas)
        self._lone = self._checks[0] if len(limits) == 1 and not fields and not self._settles else None
        self._fields = fields and not shadow
        self._published = frozenset(each for each in self._quotas if policy(each))
        self._policy = ", ".join(filter(None, map(policy, self._quotas)))
        self._shadow = shadow
        self._now = clock.now
        self._refusals = Refusals(name, shadow=shadow, clock=clock)
        self._shedding = Shedding(name, tell=self.tell, clock=clock, shadow=shadow)
        self.name: str = name
        self.allowed: int = 0
        """How many have passed, ever, those without a key included."""

    @property
    def limits(self) -> tuple[Quota, ...]:
        """The limits, with all that was left to defaults; each counts what was refused for it (``refused``)."""
        return self._quotas

    @property
    def refused(self) -> int:
        """How many were refused, ever; in shadow, how many would have been."""
        return self._shedding.count

    def __call__(self, exchange: Exchange, handler: Handler) -> Coroutine[Any, Any, Response]:
        now = self._now()
        if self._lone is not None:  # the way of most: a third of what the other takes
            quota, hit, whose, cost, cost_of = self._lone
            key = whose(exchange)
            if key is not None:
                if cost_of is not None:
                    cost = cost_of(exchange)
                verdict = hit(key, now, cost)
                if not verdict.allowed:
                    return self._over(exchange, handler, (quota, key, cost, verdict))
            self.allowed += 1
            return handler(exchange)
        hits: list[_Hit] = []
        over: _Hit | None = None
        try:
            for quota, hit, whose, price, cost_of in self._checks:
                key = whose(exchange)
                if key is None:
                    continue
                cost = price if cost_of is None else cost_of(exchange)
                verdict = hit(key, now, cost)
                if not verdict.allowed:
                    over = (quota, key, cost, verdict)
                    break
                hits.append((quota, key, cost, verdict))
        except Exception:
            _give_back(hits, now)
            raise
        if over is not None:
            _give_back(hits, now)
            return self._over(exchange, handler, over)
        self.allowed += 1
        if hits and (self._fields or self._settles):
            return self._followed(exchange, handler, now, hits)
        return handler(exchange)

    # None of this awaits but for the handler: what is taken, and what is given back, is so in one step.

    def _over(self, exchange: Exchange, handler: Handler, over: _Hit) -> Coroutine[Any, Any, Response]:
        quota, _, _, verdict = over
        quota.refused += 1
        limiter = quota.limiter
        why = f"{quota.name}: more than {limiter.rate:g}/s, {limiter.burst:g} at once, from {exchange.inbound.client}"
        self._shedding.shed(why)
        fields = self._said([over]) if self._fields else {}
        error = RateLimited(f"{self.name}: {why}", retry_after=verdict.retry_after, fields=fields)
        try:
            self._refusals.refuse(exchange, error, detail=quota.name)
        except RateLimited as refused:
            return _refuse(refused)
        return handler(exchange)

    async def _followed(self, exchange: Exchange, handler: Handler, began: float, hits: list[_Hit]) -> Response:
        """Hand on a request whose answer is looked at."""
        try:
            response = await handler(exchange)
        except BaseException as error:
            for settle in self._settlements(None, began, hits):
                settle()
            if self._fields and isinstance(error, ProxyError):
                error.fields = _joined(error.fields, self._said(hits))
            raise
        if self._fields:
            # A copy: it may be its handler's to give out again.
            headers = response.headers.copy()
            headers.extend(self._said(hits))
            response = Response(response.status, headers, response.body, response.reason, response.tunnel)
        for settle in self._settlements(response, began, hits):
            exchange.defer(settle)
        return response

    def _settlements(self, response: Response | None, began: float, hits: list[_Hit]) -> list[Callable[[], None]]:
        """What there is to do when the exchange is over."""
        seconds = max(self._now() - began, 0.0)
        return [
            partial(self._settle, quota.limiter, key, began, reserved, quota.cost.measure(response, seconds))
            for quota, key, reserved, _ in hits
            if isinstance(quota.cost, Settled)
        ]

    def _settle(
        self, limiter: Limiter, key: LimiterKey, began: float, reserved: float, measured: Callable[[float], float]
    ) -> None:
        now = self._now()
        limiter.settle(key, now, measured(max(now - began, 0.0)) - reserved)

    def _said(self, hits: Iterable[_Hit]) -> dict[str, str]:
        """The response fields."""
        said = ", ".join(service_limit(quota, verdict) for quota, _, _, verdict in hits if quota in self._published)
        return {"RateLimit-Policy": self._policy, "RateLimit": said} if said else {}

    def parts(self) -> Iterable[object]:
        return [each.limiter for each in self._quotas]

    async def stop(self) -> None:
        self._shedding.stop()
        self._refusals.flush()

    def __repr__(self) -> str:
        shadow = " shadow" if self._shadow else ""
        limits = ", ".join(f"{each.name} {each.limiter!r} refused {each.refused}" for each in self._quotas)
        return f"<RateLimit {self.name}{shadow} allowed {self.allowed} refused {self.refused}: {limits}>"


async def _refuse(error: RateLimited) -> Response:
    # Awaited, like any other: whoever makes a task of it finds the error there.
    raise error


def _give_back(hits: Iterable[_Hit], now: float) -> None:
    for quota, key, cost, _ in hits:
        quota.limiter.settle(key, now, -cost)


def _completed(limit: Limiter | Quota, key: HashKey, cost: Cost, name: str) -> Quota:
    """``limit`` with what it leaves to defaults; always a new one, for it counts."""
    if isinstance(limit, Quota):
        return Quota(
            limit.limiter,
            key=limit.key or key,
            cost=cost if limit.cost is None else limit.cost,
            name=limit.name or name,
        )
    return Quota(limit, key=key, cost=cost, name=name)


def _asked(quota: Quota) -> tuple[HashKey, float, Callable[[Exchange], float] | None]:
    """For whom, and for how much: a number, or what says one."""
    key, cost = quota.key, quota.cost
    assert key is not None
    assert cost is not None
    if isinstance(cost, Settled):
        return key, cost.reserve, None
    return (key, 0.0, cost) if callable(cost) else (key, float(cost), None)


def _joined(fields: Mapping[str, str], more: Mapping[str, str]) -> dict[str, str]:
    """Both; of a list that both have, the members of both (RFC 9110 section 5.3)."""
    return {**fields, **{name: f"{fields[name]}, {said}" if name in fields else said for name, said in more.items()}}
