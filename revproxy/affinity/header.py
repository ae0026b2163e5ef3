"""Sessions by a field of the proxy's own, for clients that are programs."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence

from multidict import istr

from ..clock import SYSTEM_CLOCK, Clock
from ..exchange import Attempt, Exchange
from ..headers import RESPONSE_DROPPED, is_token
from ..message import Response
from .base import Gone
from .token import TokenAffinity

__all__ = ["HeaderAffinity"]

_TAKEN = RESPONSE_DROPPED | {
    *("authorization", "cache-control", "content-encoding", "content-length", "content-type", "cookie", "date"),
    *("host", "location", "set-cookie", "vary", "via"),
}


class HeaderAffinity(TokenAffinity):
    """A client stays at one endpoint by sending back a field that it got with its first answer. Of the same kind as
    ``CookieAffinity``'s cookie: nobody else can make or read it.

    ``name``: the field's, in answers and requests alike; one for each upstream. The others: see ``TokenAffinity``.
    Answers say it when a session begins and when the client should use another value from now on.
    """

    def __init__(
        self,
        keys: bytes | Sequence[bytes],
        *,
        name: str = "X-Affinity",
        max_age: float | None = None,
        gone: Gone = "redistribute",
        clock: Clock = SYSTEM_CLOCK,
        nonces: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        if not is_token(name):
            raise ValueError(f"name: {name!r} is not a field name")
        if name.lower() in _TAKEN:
            raise ValueError(f"name: {name!r} has a meaning of its own")
        super().__init__(keys, f"field {name.lower()}", max_age=max_age, gone=gone, clock=clock, nonces=nonces)
        self.mark: str = f"field {name.lower()}"
        self._name = istr(name)
        self._needle = name.lower().encode("ascii")

    def brought(self, exchange: Exchange) -> Iterable[str]:
        return exchange.inbound.headers.getall(self._name, ())

    def clean(self, response: Response) -> None:
        if response.lines is None or self._needle in response.lines.lower():
            response.headers.popall(self._name, None)

    def give(self, token: str, attempt: Attempt, response: Response) -> None:
        response.headers[self._name] = token

    def __repr__(self) -> str:
        return f"HeaderAffinity(name={str(self._name)!r}, gone={self.gone!r})"
