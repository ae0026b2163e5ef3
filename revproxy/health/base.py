"""What every health policy is, and what it may say."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ..endpoint import Endpoint, Ramp
from ..exchange import Attempt
from ..handler import Component

__all__ = ["Await", "Eject", "HealthPolicy", "Restore", "Verdict", "Verdicts"]


@dataclass(frozen=True, slots=True)
class Await:
    """``endpoint`` is new, and shall get nothing until it is restored. It is not among those who are well, nor among
    those who are not: panic does not change it."""

    endpoint: Endpoint


@dataclass(frozen=True, slots=True)
class Eject:
    """``endpoint`` shall get nothing for ``seconds``, or until it is restored (``None``); ``why``, in a few words.
    ``ramp``: how its share grows from when the seconds are over, as that of ``Restore``."""

    endpoint: Endpoint
    why: str
    seconds: float | None = None
    ramp: Ramp | None = None


@dataclass(frozen=True, slots=True)
class Restore:
    """What the policy has held against ``endpoint`` is over. ``ramp``: how its share grows from now on; by default as
    the upstream's ``slow_start`` says. ``overrules``: what those policies that yield hold against it is over, too."""

    endpoint: Endpoint
    why: str = ""
    ramp: Ramp | None = None
    overrules: bool = False


Verdict: TypeAlias = Eject | Await | Restore
Verdicts: TypeAlias = Callable[[Verdict], None]
"""Takes what a policy finds out at any time."""


class HealthPolicy(Component, ABC):
    """Finds out which endpoints of an upstream should get nothing for a while. It says so; what follows is the
    upstream's business, which keeps to ``max_ejected`` and may panic.

    An ejection belongs to the policy that said it: only it, or the time, lifts it, unless it yields to one that knows
    better. Where several hold something against an endpoint, all of it has to be over.

    ``interval``
        Seconds between two calls of ``judge``; ``None``: it is not called.
    ``max_ejected``
        The share of the endpoints that it may have ejected at once, of 1. One it may always, if there are two or more;
        all it may only with a share of 1.
    ``yields``
        Its ejections end where another policy restores an endpoint and ``overrules``.
    """

    interval: float | None = None
    max_ejected: float = 1.0
    yields: bool = True

    @abstractmethod
    def bind(self, endpoints: Sequence[Endpoint], verdicts: Verdicts) -> None:
        """These are the members of an upstream from now on; ``verdicts`` takes what is found out about them other than
        by the methods below. Called once per change of membership, and when the upstream starts; with no endpoints when
        it stops. A policy that serves several upstreams tells them apart by ``verdicts``."""

    def settled(self, attempt: Attempt) -> Verdict | None:
        """An attempt has ended. What the client did is not in its ``error``."""
        return None

    def judge(self, endpoints: Sequence[Endpoint], now: float) -> Iterable[Verdict]:
        """Look across all members, at the monotonic time ``now``; those that are held out are among them."""
        return ()

    def declined(self, endpoint: Endpoint) -> None:
        """An ejection of ``endpoint`` that it has said is not carried out: as many as may be are ejected."""

    def overruled(self, endpoint: Endpoint) -> None:
        """What it held against ``endpoint`` was lifted by another policy."""

    async def ready(self, endpoints: Sequence[Endpoint]) -> None:
        """Return when it knows enough of ``endpoints``: at once, if it does not go and see."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"
