"""A handler that takes its time."""

from __future__ import annotations

from .answers import Block
from .clock import SYSTEM_CLOCK, Clock
from .exchange import Exchange
from .handler import Handler
from .message import Response

__all__ = ["tarpit"]


class _Tarpit(Block):
    """Refuses late; see ``tarpit``."""

    __slots__ = ("_at_once", "_clock", "_seconds", "held")

    def __init__(self, seconds: float, status: int, title: str, at_once: int, clock: Clock) -> None:
        super().__init__(status, title)
        self.action = f"tarpit {seconds:g} s, block {status}"
        self._seconds = seconds
        self._at_once = at_once
        self._clock = clock
        self.held = 0

    async def __call__(self, exchange: Exchange) -> Response:
        if self.held < self._at_once:
            self.held += 1
            try:
                await self._clock.sleep(self._seconds)
            finally:
                self.held -= 1
        return await super().__call__(exchange)

    def __repr__(self) -> str:
        return f"tarpit({self._seconds:g}, {self.status}, at_once={self._at_once})"


def tarpit(
    seconds: float = 10.0,
    status: int = 403,
    *,
    title: str = "Forbidden",
    at_once: int = 100,
    clock: Clock = SYSTEM_CLOCK,
) -> Handler:
    """Refuse with ``status`` (400 to 599), as ``block`` does, but only after ``seconds``: a scanner that asks one thing
    after the other gets little done. (HAProxy has it under this name.)

    ``at_once``
        How many are held at most: each costs a connection and a few kilobytes here, too. Others are refused at once. A
        client that goes away is held no longer.

    It holds the client's body, as far as that has come, in the kernel only. A rule with it that has no severity is
    logged as a warning. Raises ``ValueError`` that names the parameter and its value.
    """
    if not 0 < seconds <= 300:
        raise ValueError(f"seconds must be above 0 and at most 300, got {seconds}")
    if not 400 <= status <= 599:
        raise ValueError(f"status must be 400 to 599, got {status!r}")
    if type(at_once) is not int or at_once < 1:
        raise ValueError(f"at_once must be an integer of at least 1, got {at_once!r}")
    return _Tarpit(seconds, status, title, at_once, clock)
