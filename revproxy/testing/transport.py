"""A transport without a network: answers come from a function."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from ..exchange import Attempt
from ..message import Response

__all__ = ["Answer", "FakeTransport"]

Answer: TypeAlias = Response | Exception


class FakeTransport:
    """Stands in for the wire of an ``Upstream``: no sockets, and it records what it was asked to send.

    ``answer``
        A ``Response``, or an exception to raise (``ConnectFailed``, ``ResponseTimeout``); or a function of the
        attempt, sync or async, that returns one of these. Default: 200 without a body. A function is asked each time;
        of a ``Response`` every attempt gets a copy of its own, so its body must be in memory (else ``ValueError``).

    ``attempts`` has every attempt in order::

        transport = FakeTransport(lambda attempt: Response(200, body=Body(attempt.endpoint.name.encode())))
        upstream = Upstream("http://a", "http://b", transport=transport)
        response = await upstream(exchange("GET", "/"))
    """

    def __init__(self, answer: Answer | Callable[[Attempt], Answer | Awaitable[Answer]] | None = None) -> None:
        if isinstance(answer, Response) and answer.body.data is None:
            raise ValueError(f"answer: the body of {answer!r} is not in memory, and can be given out only once")
        if isinstance(answer, Response) and answer.tunnel is not None:
            raise ValueError(f"answer: the tunnel of {answer!r} can be given out only once")
        self._answer = answer
        self.attempts: list[Attempt] = []

    async def send(self, attempt: Attempt) -> Response:
        self.attempts.append(attempt)
        answer = self._answer
        if callable(answer):
            result = answer(attempt)
            answer = await result if inspect.isawaitable(result) else result
        elif isinstance(answer, Response):
            answer = Response(answer.status, answer.headers.copy(), answer.body, answer.reason)
        if answer is None:
            answer = Response(200)
        if isinstance(answer, Exception):
            raise answer
        attempt.sent = True
        attempt.status = answer.status
        attempt.first_byte = attempt.started
        return answer

    def __repr__(self) -> str:
        return f"<FakeTransport, {len(self.attempts)} attempts>"
