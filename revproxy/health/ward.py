"""Which endpoints of an upstream are ejected, by whom, and until when."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from ..clock import Clock, Timer
from ..endpoint import Endpoint, Ramp
from ..events import Event
from ..exchange import Attempt
from .base import Await, Eject, HealthPolicy, Restore, Verdict
from .events import EndpointAwaited, EndpointEjected, EndpointRestored, PanicBegan, PanicEnded

__all__ = ["Ward"]


class _Case:
    """One policy, what it holds against whom, and when it judges next."""

    __slots__ = ("awaited", "ejected", "policy", "returning", "take", "timer")

    def __init__(self, policy: HealthPolicy, take: Callable[[_Case, Verdict], None]) -> None:
        self.policy = policy
        self.ejected: dict[Endpoint, Timer | None] = {}
        """With the timer that lifts it, if it has an end."""
        self.returning: dict[Endpoint, Ramp] = {}
        """Those that it has let back for a part of their share, which grows."""
        self.awaited: set[Endpoint] = set()
        """Those who are new to it. They may be ejected as well."""
        self.take: Callable[[Verdict], None] = partial(take, self)
        self.timer: Timer | None = None

    def may_eject(self, endpoint: Endpoint, count: int, now: float) -> bool:
        """Whether ``endpoint``, of ``count``, may be ejected, too. Those that have only a part of their share yet count
        as if they were: the others have what they do not get, and would be ejected for it one after the other."""
        self.returning = {each: ramp for each, ramp in self.returning.items() if each is not endpoint and ramp(now) < 1}
        share, after = self.policy.max_ejected, len({*self.ejected, *self.returning}) + 1
        return share >= 1 or (after < count and (after == 1 or after <= share * count))

    def forget(self, endpoint: Endpoint) -> bool:
        """Hold nothing against ``endpoint``; whether there was something."""
        self.returning.pop(endpoint, None)
        if endpoint not in self.ejected and endpoint not in self.awaited:
            return False
        self.awaited.discard(endpoint)
        _cancel(self.ejected.pop(endpoint, None))
        endpoint.release(self)
        return True


class Ward:
    """Carries out what the health policies of one upstream say: holds endpoints out and takes them back, keeps to each
    policy's ``max_ejected``, and lets everybody in where fewer than ``panic`` of the members, of 1, are well (Envoy's
    panic threshold).

    ``restored`` is called with an endpoint that takes requests again, and the ramp that the policy asks for.
    """

    def __init__(
        self,
        policies: Sequence[HealthPolicy],
        *,
        panic: float,
        name: str,
        clock: Clock,
        tell: Callable[[Event], None],
        restored: Callable[[Endpoint, Ramp | None], None],
    ) -> None:
        self._cases = [_Case(policy, self._carry_out) for policy in policies]
        self._learning = [case for case in self._cases if type(case.policy).settled is not HealthPolicy.settled]
        self._panic = panic
        self._name = name
        self._clock = clock
        self._tell = tell
        self._restored = restored
        self._members: tuple[Endpoint, ...] = ()
        self._present: frozenset[Endpoint] = frozenset()
        self._binds: tuple[Endpoint, ...] | None = None
        self.panics: bool = False

    @property
    def policies(self) -> tuple[HealthPolicy, ...]:
        return tuple(case.policy for case in self._cases)

    def become(self, members: tuple[Endpoint, ...]) -> None:
        """These are the members from now on. What was held against others is forgotten."""
        before, self._members, self._present = self._members, members, frozenset(members)
        gone = [each for each in before if each not in self._present]
        for case in self._cases:
            for each in gone:
                case.forget(each)
        for each in gone:
            each.pardoned = False
        self._bind(members)

    def start(self) -> None:
        """Have the policies judge at their intervals."""
        for case in self._cases:
            self._wait(case)
        self._bind(self._members)

    def stop(self) -> None:
        """Judge no more, and hold nobody whom nobody would let go."""
        for case in self._cases:
            _cancel(case.timer)
            case.timer = None
            for endpoint in {*case.ejected, *case.awaited}:
                case.forget(endpoint)
        self.panics = False  # nobody is told that it is over: nobody knows
        for each in self._members:
            each.pardoned = False
        self._bind(())

    def _bind(self, members: tuple[Endpoint, ...]) -> None:
        self._binds = members  # many may say something of each, and to look is to look at all
        try:
            for case in self._cases:
                case.policy.bind(members, case.take)
                if self._binds is not members:
                    return  # who was told of it has changed them
        finally:
            self._binds = None
            self.look()

    def settled(self, attempt: Attempt) -> None:
        """An attempt has ended: have the policies learn of it."""
        for case in self._learning:
            verdict = case.policy.settled(attempt)
            if verdict is not None:
                self._carry_out(case, verdict)

    def look(self) -> None:
        """See whether enough are well, and begin or end panic. Called whenever that may have changed."""
        if self._binds is not None:
            return
        awaited = {each for case in self._cases for each in case.awaited}
        counted = [each for each in self._members if not each.drains and each not in awaited]
        well = sum(not each.held for each in counted)
        panics = well < self._panic * len(counted)
        for each in self._members:
            each.pardoned = panics and each not in awaited
        if panics != self.panics:
            self.panics = panics
            self._tell((PanicBegan if panics else PanicEnded)(self._name, well, len(counted)))

    def _wait(self, case: _Case) -> None:
        if case.policy.interval is not None:
            case.timer = self._clock.call_later(case.policy.interval, partial(self._judge, case))

    def _judge(self, case: _Case) -> None:
        self._wait(case)
        for verdict in case.policy.judge(self._members, self._clock.now()):
            self._carry_out(case, verdict)

    def _carry_out(self, case: _Case, verdict: Verdict) -> None:
        if verdict.endpoint in self._present:
            if isinstance(verdict, Eject):
                self._eject(case, verdict)
            elif isinstance(verdict, Await):
                self._await(case, verdict.endpoint)
            else:
                self._restore(case, verdict)

    def _eject(self, case: _Case, verdict: Eject) -> None:
        endpoint, seconds = verdict.endpoint, verdict.seconds
        known = endpoint in case.ejected
        if not known and not case.may_eject(endpoint, len(self._members), self._clock.now()):
            case.policy.declined(endpoint)
            return
        _cancel(case.ejected.get(endpoint))
        lift = partial(self._restore, case, Restore(endpoint, "its time is over", verdict.ramp))
        case.ejected[endpoint] = None if seconds is None else self._clock.call_later(seconds, lift)
        if not known:
            endpoint.hold(case)
            self._tell(EndpointEjected(self._name, endpoint.name, str(case.policy), verdict.why, seconds))
            self.look()

    def _await(self, case: _Case, endpoint: Endpoint) -> None:
        if endpoint not in case.awaited:
            case.awaited.add(endpoint)
            endpoint.hold(case)
            self._tell(EndpointAwaited(self._name, endpoint.name, str(case.policy)))
            self.look()

    def _restore(self, case: _Case, verdict: Restore) -> None:
        endpoint = verdict.endpoint
        forgotten = case.forget(endpoint)
        if forgotten and verdict.ramp is not None:
            case.returning[endpoint] = verdict.ramp
        if verdict.overrules:
            for other in self._cases:
                if other.policy.yields and other.forget(endpoint):
                    other.policy.overruled(endpoint)
                    forgotten = True
        if forgotten and not endpoint.held:
            self._restored(endpoint, verdict.ramp)
            self._tell(EndpointRestored(self._name, endpoint.name, verdict.why))
            self.look()

    def __repr__(self) -> str:
        held = sum(each.held for each in self._members)
        return f"<Ward of {self._name}: {held} of {len(self._members)} ejected{', in panic' if self.panics else ''}>"


def _cancel(timer: Timer | None) -> None:
    if timer is not None:
        timer.cancel()
