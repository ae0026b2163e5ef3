"""What came of one exchange down one lane."""

from __future__ import annotations

from collections.abc import Callable

from ..errors import Interrupted, Origin, ProxyError
from ..exchange import Exchange

__all__ = ["Passage"]


class Passage:
    """An exchange that was handed to a handler at ``started`` (monotonic seconds), and what the handler made of it.

    ``status``, ``error``
        What it answered with, or failed with; neither of them if it was given up before.
    ``seconds``
        How long it took to answer or to fail, ``None`` while it has not.
    """

    __slots__ = ("_exchange", "error", "seconds", "started", "status")

    def __init__(self, exchange: Exchange, started: float) -> None:
        self._exchange = exchange
        self.started: float = started
        self.status: int | None = None
        self.error: ProxyError | None = None
        self.seconds: float | None = None

    def outcome(self, is_failure: Callable[[int], bool]) -> tuple[bool | None, bool]:
        """Whether it has failed, ``None`` if that cannot be said or is not the lane's doing; and whether there was an
        answer other than of a failure, whose time says how fast the lane is. To be asked when the exchange is over."""
        status = self.status
        if status is not None and is_failure(status):
            return True, False
        is_answered = status is not None
        error = self.error or self._exchange.error
        if error is None:
            return False if is_answered else None, is_answered
        if error.origin is Origin.CLIENT or isinstance(error, Interrupted):
            return None, is_answered
        if error.origin is Origin.POLICY:
            return None if error.status is None else is_failure(error.status), is_answered
        return True, is_answered

    def __repr__(self) -> str:
        result = self.error or self.status or "nothing yet"
        return f"<Passage {result!r} after {self.seconds} s>"
