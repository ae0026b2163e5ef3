"""A set of endpoints that serve the same, how one of them is chosen, and how the set changes while it runs."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from random import Random

from yarl import URL

from .addresses import AddressPolicy
from .affinity import SESSION, Affinity
from .balancers import P2C, Balancer, Snapshot
from .clock import Clock
from .endpoint import Endpoint, EndpointState, Ramp, check_weight
from .errors import InternalError, NoEndpoint, SessionLost
from .exchange import Attempt, Exchange
from .handler import Component
from .health import HealthPolicy
from .health.ward import Ward
from .members import MembersChanged, members_of
from .message import Response
from .slow_start import SlowStart

__all__ = ["Group"]


class Group(Component):
    """The half of an ``Upstream`` that does not forward: who its endpoints are, which of them are well, and where an
    exchange goes."""

    def __init__(
        self,
        members: tuple[Endpoint, ...],
        *,
        name: str,
        balancer: Balancer | None,
        affinity: Affinity | None,
        health: Sequence[HealthPolicy],
        panic: float,
        slow_start: SlowStart | None,
        addresses: AddressPolicy | None,
        clock: Clock,
        rng: Random | None,
    ) -> None:
        self.name: str = name
        self.balancer: Balancer = P2C() if balancer is None else balancer
        if not isinstance(self.balancer, Balancer):
            raise TypeError(f"balancer: {balancer!r} is not a Balancer object")
        if self.balancer.serves:
            raise ValueError(f"balancer: {balancer!r} serves {self.balancer.serves!r} already, and has its state")
        if affinity is not None:
            if not isinstance(affinity, Affinity):
                raise TypeError(f"affinity: {affinity!r} is not an Affinity object")
            if affinity.serves:
                raise ValueError(f"affinity: {affinity!r} serves {affinity.serves!r} already, and has its sessions")
        if isinstance(health, HealthPolicy) or not all(isinstance(each, HealthPolicy) for each in health):
            raise TypeError(f"health must be a sequence of HealthPolicy objects, got {health!r}")
        if len(set(map(id, health))) != len(health):
            raise ValueError(f"health: one is named twice in {health!r}")
        if not 0 <= panic <= 1:
            raise ValueError(f"panic must be 0 to 1, got {panic}")
        self.affinity: Affinity | None = affinity
        self._learns = self.balancer.learns
        self._slow_start = slow_start
        self._addresses = addresses
        self._clock = clock
        self._rng = rng or Random()
        self._members: frozenset[Endpoint] = frozenset(members)
        self._ward: Ward | None = None
        if health:
            self._ward = Ward(health, panic=panic, name=name, clock=clock, tell=self.tell, restored=self._begin)
        self._become(members)
        self.balancer.serves = name
        if affinity is not None:
            affinity.serves = name

    # Choosing.

    def choose(self, exchange: Exchange, now: float) -> Endpoint:
        """Where ``exchange`` would go at the monotonic time ``now``: where its session is, or the first of the
        balancer's order that accepts; where attempts have not gone well, to another one if there is any.

        Raises ``NoEndpoint`` and ``SessionLost``; and what makes the exchange be ``spent``, where anything does.
        """
        if exchange.spent is not None:
            raise exchange.spent
        tried = [each.endpoint for each in exchange.attempts if not _went_well(each)] if exchange.attempts else ()
        kept: Endpoint | None = None
        if self.affinity is not None:
            kept = self._of_session(self.affinity, exchange, now)
            if kept is not None and (self.affinity.gone == "refuse" or kept not in tried):
                return kept
        cold: Endpoint | None = None
        again: Endpoint | None = None
        for endpoint in self._order(exchange):
            if endpoint.accepts(now):
                if tried and endpoint in tried:
                    again = again or endpoint
                elif endpoint.ramp is None or self._may_have(endpoint, now):
                    break
                else:
                    cold = cold or endpoint
        else:
            last = cold or kept or again
            if last is None:
                raise NoEndpoint(f"{self.name}: none of {len(self.endpoints)} endpoints accepts")
            endpoint = last
        if endpoint not in self._members:
            raise InternalError(f"{self.name}: {self.balancer!r} chose {endpoint!r}, which is none of its endpoints")
        return endpoint

    def _of_session(self, affinity: Affinity, exchange: Exchange, now: float) -> Endpoint | None:
        """Where the session of ``exchange`` is; ``None``: anywhere will do."""
        session = exchange[SESSION] = affinity.find(exchange)
        if session is None:
            return None
        endpoint = session.endpoint
        if endpoint is not None and endpoint in self._members and endpoint.keeps(now):
            return endpoint
        if affinity.gone == "refuse":
            where = "the endpoint of a session is gone" if endpoint is None else f"{endpoint.name} takes no requests"
            raise SessionLost(f"{self.name}: {where}")
        return None

    def answered(self, attempt: Attempt, response: Response) -> None:
        """``attempt`` has got ``response``: its session may begin. Not where nothing new may go any more."""
        if self.affinity is not None and attempt.endpoint in self._members:
            session = attempt.exchange.get(SESSION)
            if not attempt.endpoint.drains or (session is not None and session.endpoint is attempt.endpoint):
                self.affinity.keep(attempt, response)

    def _may_have(self, endpoint: Endpoint, now: float) -> bool:
        """Whether a request that would go to ``endpoint``, which is new or back, may do so."""
        share = 1.0 if endpoint.ramp is None else endpoint.ramp(now)
        if share >= 1:
            endpoint.ramp = None
        return self._rng.random() < share

    def settle(self, attempt: Attempt) -> None:
        """``attempt`` is over, its body included: learn of it."""
        if self._learns:
            self.balancer.settled(attempt)
        if self._ward is not None:
            self._ward.settled(attempt)
        if attempt.endpoint.waiting and not attempt.endpoint.in_flight:
            for call in attempt.endpoint.waiting:
                call()

    # Membership. What is in flight stays where it is; what comes next sees the change as a whole.

    def add(self, *endpoints: str | URL | Endpoint) -> tuple[Endpoint, ...]:
        """Add ``endpoints``, and return them. With ``slow_start`` their shares grow. Raises ``ValueError`` for one that
        is a member already."""
        members = members_of((*self.endpoints, *endpoints), self._addresses)
        self._become(members)
        return members[-len(endpoints) :] if endpoints else ()

    def remove(self, *endpoints: Endpoint) -> None:
        """Take ``endpoints`` out: they get nothing more, and their connections are closed when what is in flight has
        ended. Raises ``ValueError`` for what is no member, and where none would be left."""
        self._check(endpoints)
        self._become(members_of([each for each in self.endpoints if each not in endpoints]))

    def replace(self, *endpoints: str | URL | Endpoint) -> tuple[Endpoint, ...]:
        """Make ``endpoints`` the members, at once, and return them. A member that is named again, by its URL and
        address, stays what it is, with all that is known of it; an ``Endpoint`` gives it its weight, priority and
        place. Raises ``ValueError``, and changes nothing, for none, or for one that is named twice."""
        wanted = {each.identity: each for each in members_of(endpoints, self._addresses)}
        kept = {each: each.settings for each in self.endpoints if each.identity in wanted}
        known = {each.identity: each for each in kept}
        brought = {each for each in endpoints if isinstance(each, Endpoint)}
        try:
            for each in kept:
                if wanted[each.identity] in brought:  # else its URL alone was named, which says nothing of the rest
                    each.settings = wanted[each.identity].settings
            self._become(tuple(known.get(identity, each) for identity, each in wanted.items()))
        except BaseException:
            for each, settings in kept.items():
                each.settings = settings
            raise
        return self.endpoints

    def weigh(self, weights: Mapping[Endpoint, int]) -> None:
        """Change the weights of members. Raises ``ValueError``, and changes nothing, for what is no member or no
        weight."""
        self._check(weights)
        for weight in weights.values():
            check_weight(weight)
        before = {each: each.settings for each in weights}
        try:
            for each, weight in weights.items():
                each.weight = weight
            self._become(self.endpoints)
        except BaseException:
            for each, settings in before.items():
                each.settings = settings
            raise

    def drain(self, *endpoints: Endpoint) -> None:
        """Give ``endpoints`` nothing new; sessions that are there go on. They stay members until they are removed;
        ``await drained(endpoint)`` before. Raises ``ValueError`` for what is no member."""
        self._check(endpoints)
        for each in endpoints:
            each.state = EndpointState.DRAINING
        if self._ward is not None:
            self._ward.look()

    def resume(self, *endpoints: Endpoint) -> None:
        """Take ``endpoints`` back that drain. Raises ``ValueError`` for what is no member."""
        self._check(endpoints)
        for each in endpoints:
            each.state = EndpointState.ACTIVE
        if self._ward is not None:
            self._ward.look()

    async def ready(self, timeout: float | None = None) -> None:
        """Return when every health policy knows enough of those who are members now: of ``ActiveHealth``, whether each
        is up. It does not say that any of them is. Raises ``TimeoutError`` if that takes more than ``timeout`` seconds.
        """
        try:
            async with asyncio.timeout(None) as scope:
                timer = None if timeout is None else self._clock.call_later(timeout, lambda: scope.reschedule(0.0))
                try:
                    for policy in () if self._ward is None else self._ward.policies:
                        await policy.ready(self.endpoints)
                finally:
                    if timer is not None:
                        timer.cancel()
        except TimeoutError:
            raise TimeoutError(f"{self.name}: not known within {timeout} s who is well") from None

    async def drained(self, endpoint: Endpoint) -> None:
        """Return when nothing is in flight to ``endpoint``, WebSockets included. It may have been removed already."""
        while endpoint.in_flight:
            event = asyncio.Event()
            endpoint.waiting.append(event.set)
            try:
                await event.wait()
            finally:
                endpoint.waiting.remove(event.set)

    def _check(self, endpoints: Iterable[Endpoint]) -> None:
        for each in endpoints:
            if not isinstance(each, Endpoint):
                raise TypeError(f"endpoints: one of {self.name}.endpoints is wanted, got {each!r}")
            if each not in self._members:
                raise ValueError(f"endpoints: {each!r} is no member of {self.name}")

    def _become(self, members: tuple[Endpoint, ...]) -> None:
        """Have ``members`` from the next request on. Raises what the balancer does, and changes nothing then."""
        order = self.balancer.bind(Snapshot(members)) if members else _nobody
        if self.affinity is not None:
            self.affinity.bind(members)
        self._order = order
        before, self._members = self._members, frozenset(members)
        self.endpoints: tuple[Endpoint, ...] = members
        if before != self._members:
            self.tell(MembersChanged.between(self.name, before, self._members))
        if self._ward is not None:
            self._ward.become(members)
        if before:
            for each in self._members - before:
                self._begin(each)
        self.left(before - self._members)

    def _begin(self, endpoint: Endpoint, ramp: Ramp | None = None) -> None:
        """``endpoint`` is new, or back."""
        if ramp is None and self._slow_start is not None:
            ramp = self._slow_start.since(self._clock.now())
        endpoint.ramp = ramp

    def left(self, endpoints: Collection[Endpoint]) -> None:
        """``endpoints`` are members no more. For what is kept of them."""

    def parts(self) -> Iterable[object]:
        policies = () if self._ward is None else self._ward.policies
        return (self.balancer, self.affinity, *policies)

    async def start(self) -> None:
        if self._ward is not None:
            self._ward.start()

    async def stop(self) -> None:
        if self._ward is not None:
            self._ward.stop()


def _went_well(attempt: Attempt) -> bool:
    if attempt.error is not None or attempt.status is None or attempt.passed_over:
        return False
    return attempt.status < 500


def _nobody(_: Exchange) -> Iterable[Endpoint]:
    """The order of no endpoints, which no balancer is asked for."""
    return ()
