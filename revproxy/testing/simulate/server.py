"""A server of a simulation: what it is, and how it does."""

from __future__ import annotations

from asyncio import Future
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from ...endpoint import Endpoint
from ...errors import ConnectFailed, ConnectionLost, ProxyError
from .faults import LOST, Fails, Fault
from .times import Times
from .virtual import VirtualLoop

__all__ = ["Host", "Server"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One server of a simulation: ``workers`` requests at a time, the others wait in line.

    ``service``
        How long a request takes once it has its turn.
    ``fails``
        Whether a request goes wrong at a time, and how: ``failing(REFUSED, start=20, end=40)``.
    ``down``
        From when to when, in seconds, it is dead. What is there when it dies is lost, what comes is refused, and it
        comes back with nothing to do.
    ``joins``, ``leaves``
        When it becomes a member of the upstream, and when it is taken out. What it has then it brings to its end.
    ``weight``, ``priority``, ``zone``, ``region``, ``location``, ``labels``, ``limit``
        Those of its ``Endpoint``.

    A request that nobody waits for any more is passed over when its turn comes; one that has its turn already keeps a
    worker to its end, as in most servers. Raises ``ValueError`` that names the parameter and its value.
    """

    service: Times
    workers: int = 8
    fails: Fails | None = None
    down: Sequence[tuple[float, float]] = ()
    joins: float = 0.0
    leaves: float = float("inf")
    weight: int = 1
    priority: int = 0
    zone: str | None = None
    region: str | None = None
    location: tuple[float, float] | None = None
    labels: Mapping[str, str] | None = None
    limit: int | None = None

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise ValueError(f"workers must be at least 1, got {self.workers}")
        if not 0 <= self.joins < self.leaves:
            raise ValueError(f"joins must be at least 0 and before leaves, got {self.joins} and {self.leaves}")
        before = 0.0
        for start, end in self.down:
            if not before <= start < end:
                raise ValueError(f"down must be from when to when, one after the other, got {self.down}")
            before = end

    def endpoint(self, number: int) -> Endpoint:
        """What the upstream knows of it. ``number`` is that of the server, and makes its URL."""
        return Endpoint(
            f"http://{number}.test",
            weight=self.weight,
            priority=self.priority,
            zone=self.zone,
            region=self.region,
            location=self.location,
            labels=self.labels,
            limit=self.limit,
        )


class Host:
    """A server while the simulation runs."""

    def __init__(self, server: Server, endpoint: Endpoint, loop: VirtualLoop, rng: Random) -> None:
        self.endpoint = endpoint
        self.most = 0
        """Requests in flight at most, those that waited included."""
        self._server = server
        self._loop = loop
        self._rng = rng
        self._alive = True
        self._served: set[Future[int]] = set()
        self._line: deque[Future[int]] = deque()
        for start, end in server.down:
            loop.call_at(start, self._die)
            loop.call_at(end, self._revive)

    def fault(self) -> Fault | None:
        """How a request goes wrong that arrives now, if it does. Raises ``ConnectFailed`` if nobody is there."""
        if not self._alive:
            raise ConnectFailed("simulated: it is down")
        fault = None if self._server.fails is None else self._server.fails(self._rng, self._loop.time())
        return LOST if fault is True else fault or None

    def take(self, answer: Future[int]) -> None:
        """A request arrives; ``answer`` gets its status."""
        if len(self._served) < self._server.workers:
            self._serve(answer)
        else:
            self._line.append(answer)

    def _serve(self, answer: Future[int]) -> None:
        seconds = self._server.service(self._rng, self._loop.time())
        if not 0 <= seconds < float("inf"):
            raise RuntimeError(f"service must be finite seconds of at least 0, got {seconds}")
        self._served.add(answer)
        self._loop.call_later(seconds, self._end, answer)

    def _end(self, answer: Future[int]) -> None:
        if answer not in self._served:
            return  # it was lost when the server died
        self._served.discard(answer)
        if not answer.done():
            answer.set_result(200)
        while self._line:
            waiting = self._line.popleft()
            if not waiting.done():
                self._serve(waiting)
                break

    def _die(self) -> None:
        self._alive = False
        lost = [*self._served, *self._line]
        self._served.clear()
        self._line.clear()
        for answer in lost:
            if not answer.done():
                error: ProxyError = ConnectionLost("simulated: it died")
                answer.set_exception(error)

    def _revive(self) -> None:
        self._alive = True

    def __repr__(self) -> str:
        state = "" if self._alive else " down"
        return f"<Host {self.endpoint.name}{state} serves={len(self._served)} waiting={len(self._line)}>"
