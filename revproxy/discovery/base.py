"""What every source of endpoints is."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from random import Random
from typing import TypeAlias

from yarl import URL

from ..endpoint import Endpoint

__all__ = ["Backoff", "Discovery", "DiscoveryFailed", "Found"]

Found: TypeAlias = Iterable[str | URL | Endpoint]
"""A set of endpoints, as a source has found it: all that there are, not what has changed."""


class DiscoveryFailed(Exception):
    """A source cannot say where the endpoints are; or an upstream has none at its start. The message is for the
    operator's log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """How long a source that has failed is left alone, in seconds: ``first``, twice that after the next failure, and so
    on up to ``most``. Between a half of it and all is left to chance, lest many proxies ask at once.

    Raises ``ValueError`` for what is not above 0.
    """

    first: float = 1.0
    most: float = 30.0

    def __post_init__(self) -> None:
        if not 0 < self.first < math.inf:
            raise ValueError(f"first must be above 0 and finite, got {self.first}")
        if not self.first <= self.most < math.inf:
            raise ValueError(f"most must be at least first and finite, got {self.most}")

    def delay(self, failures: int, rng: Random) -> float:
        """How long after ``failures`` of them, one after the other."""
        return min(self.most, self.first * 2.0 ** min(failures - 1, 64)) * (1 - rng.random() / 2)


class Discovery(ABC):
    """Where an upstream's endpoints are, as something outside of the program says it: a name server, a file.

    ``snapshots`` gives one set after the other, the first one at once, and each with all endpoints that there are. What
    it raises is told of once (``SourceFailed``), the last good set stays in use, and it is called again after a while;
    so it is if it returns, unless the source can only be had once (``reopens``): then the last set stays for good.

    ``name``
        What an upstream that has no other name is called.
    ``initial``
        Seconds that the start of an upstream without endpoints waits for the first set; then it fails, with
        ``DiscoveryFailed``. ``None``: it starts without any, and answers 503 until there are some.
    ``allow_empty``
        Whether a set may be empty: then the upstream has no endpoints, and answers 503. By default that is taken for a
        failure of the source, and the set before stays in use.

    Raises ``ValueError`` that names the parameter and its value.
    """

    name: str = ""
    initial: float | None = 10.0
    allow_empty: bool = False
    backoff: Backoff = Backoff()
    """How long it is left alone after a failure."""
    limit: int = 10_000
    """Endpoints that a set may have."""
    reopens: bool = True
    """Whether ``snapshots`` may be called again."""

    def __init__(self, *, name: str = "", initial: float | None = 10.0, allow_empty: bool = False) -> None:
        if initial is not None and not 0 < initial < math.inf:
            raise ValueError(f"initial must be above 0 and finite, or None, got {initial}")
        self.name = name
        self.initial = initial
        self.allow_empty = allow_empty

    @abstractmethod
    def snapshots(self) -> AsyncIterator[Found]:
        """The sets, one after the other; usually an async generator. It is asked for the next when the one before is
        in place, and closed when the upstream stops."""
