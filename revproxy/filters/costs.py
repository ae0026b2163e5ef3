"""What a request costs, where that is known only when it is over."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

from ..message import Response
from ..routing.tee import Tee

__all__ = ["Bytes", "Milliseconds", "Settled"]


class Settled(ABC):
    """A cost that is settled when the exchange is over. Until then it counts as ``reserve`` units: as many are taken
    when the request comes, and the difference is taken, or given back, at the end.

    With a ``reserve`` of 0 requests that are under way cost nothing yet, however many they are; with more only as many
    come in at once as there is room for. Raises ``ValueError`` for one that is below 0 or not finite.
    """

    __slots__ = ("reserve",)

    unit: ClassVar[str] = ""
    """As ``RateLimit-Policy`` calls it (``qu``); empty: it has no name for it."""

    def __init__(self, *, reserve: float = 0.0) -> None:
        if not 0 <= reserve < float("inf"):
            raise ValueError(f"reserve must be at least 0 and finite, got {reserve}")
        self.reserve: float = reserve

    @abstractmethod
    def measure(self, response: Response | None, seconds: float) -> Callable[[float], float]:
        """Begin to measure: there is a response, ``seconds`` after the request was let in, or there will be none. What
        is returned is called when the exchange is over, with the seconds that it has taken by then, and says how many
        units that was."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({f'reserve={self.reserve:g}' if self.reserve else ''})"


class Milliseconds(Settled):
    """The time from when a request was let in until its response has ended, its body included; as a WebSocket until it
    was switched. A client that is slow to take an answer pays for that."""

    __slots__ = ()

    def measure(self, response: Response | None, seconds: float) -> Callable[[float], float]:
        if response is not None and response.status == 101:
            return lambda _: 1000 * seconds
        return lambda whole: 1000 * whole


class Bytes(Settled):
    """The bytes of the response's body that went towards the client; of a WebSocket those that its upstream sent."""

    __slots__ = ()

    unit = "content-bytes"

    def measure(self, response: Response | None, seconds: float) -> Callable[[float], float]:
        if response is None:
            return lambda _: 0.0
        tunnel, data = response.tunnel, response.body.data
        if tunnel is not None:
            return lambda _: tunnel.received
        if data is not None:
            return lambda _: len(data)
        count = _Count()
        response.body = Tee(response.body, count)
        return lambda _: count.bytes


class _Count:
    """Counts what passes."""

    __slots__ = ("bytes",)

    def __init__(self) -> None:
        self.bytes = 0

    def feed(self, chunk: bytes) -> None:
        self.bytes += len(chunk)

    def end(self) -> None:
        pass

    def broken(self) -> None:
        pass
