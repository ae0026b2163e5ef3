"""Sessions that the proxy remembers: by the client's address, or by whatever tells sessions apart."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence

from multidict import istr

from ..balancers.keys import HashKey, client_address, hash_of
from ..clock import SYSTEM_CLOCK, Clock
from ..endpoint import Endpoint
from ..exchange import Attempt, Exchange
from ..headers import is_token
from ..message import Response
from .base import SESSION, Affinity, Gone, Session

__all__ = ["TableAffinity", "set_cookie"]

_SET_COOKIE = istr("Set-Cookie")


def set_cookie(name: str) -> Callable[[Response], str | None]:
    """For ``TableAffinity(learn=...)``: the value that a response sets the cookie ``name`` to; ``None`` if it does not,
    or deletes it."""
    if not is_token(name):
        raise ValueError(f"name: {name!r} is not a cookie's name")

    def value(response: Response) -> str | None:
        for line in response.headers.getall(_SET_COOKIE, ()):
            said, equals, rest = line.partition(";")[0].partition("=")
            if equals and said.strip(" \t") == name:
                found = rest.strip(" \t")
                return (found[1:-1] if len(found) > 1 and found[0] == found[-1] == '"' else found) or None
        return None

    return value


class TableAffinity(Affinity):
    """Requests with the same key go to the endpoint that the first of them went to: HAProxy's stick table.

    ``key``
        What a session is known by; see ``balancers.keys``. By default the client's address. Requests without one have
        no session.
    ``learn``
        Where the application itself gives out what its sessions are known by: what it says in a response. ``key`` is
        then what clients bring back: ``TableAffinity(keys.cookie("JSESSIONID"), learn=set_cookie("JSESSIONID"))``.
    ``size``
        Sessions that are remembered at most; beyond, the one that was silent longest is forgotten.
    ``idle``
        Seconds after which a session without a request is forgotten.

    Where several proxies stand side by side each has a table of its own: let them hash instead (``balancers.Maglev``),
    or let clients carry their session (``CookieAffinity``). Raises ``ValueError`` that names the parameter.
    """

    def __init__(
        self,
        key: HashKey | None = None,
        *,
        learn: Callable[[Response], str | bytes | None] | None = None,
        size: int = 65536,
        idle: float = 1800.0,
        gone: Gone = "redistribute",
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        super().__init__(gone)
        if size < 1:
            raise ValueError(f"size must be at least 1, got {size}")
        if not 0 < idle < float("inf"):
            raise ValueError(f"idle must be above 0 and finite, got {idle}")
        self._key = client_address() if key is None else key
        self._learn = learn
        self._size = size
        self._idle = idle
        self._clock = clock
        self._members: dict[str, Endpoint] = {}
        self._sessions: OrderedDict[int, tuple[str, float]] = OrderedDict()
        """Where each is and when it was last heard of, that longest ago first. By the hash of its key, since clients
        choose how long a key is."""

    def bind(self, endpoints: Sequence[Endpoint]) -> None:
        self._members = {each.identity: each for each in endpoints}

    def find(self, exchange: Exchange) -> Session | None:
        value = self._key(exchange)
        if value is None:
            return None
        hashed = hash_of(value)
        known = self._sessions.get(hashed)
        if known is None:
            return None
        url, since = known
        now = self._clock.now()
        if now - since >= self._idle:
            del self._sessions[hashed]
            return None
        self._sessions[hashed] = url, now
        self._sessions.move_to_end(hashed)
        return Session(self._members.get(url))

    def keep(self, attempt: Attempt, response: Response) -> None:
        if self._learn is not None:
            said = self._learn(response)
            if said is not None:
                self._note(said, attempt.endpoint)
                return
        session = attempt.exchange.get(SESSION)
        if session is not None and session.endpoint is attempt.endpoint:
            return
        value = self._key(attempt.exchange)
        if value is not None:
            self._note(value, attempt.endpoint)

    def _note(self, key: str | bytes, endpoint: Endpoint) -> None:
        hashed = hash_of(key)
        self._sessions[hashed] = endpoint.identity, self._clock.now()
        self._sessions.move_to_end(hashed)
        while len(self._sessions) > self._size:
            self._sessions.popitem(last=False)

    def __repr__(self) -> str:
        return f"<TableAffinity of {len(self._sessions)} sessions, gone={self.gone!r}>"
