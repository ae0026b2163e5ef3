"""Sessions that the proxy remembers: by the client's address, or by whatever tells sessions apart."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from email.utils import mktime_tz, parsedate_tz

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


def set_cookie(name: str, *, clock: Clock = SYSTEM_CLOCK) -> Callable[[Response], str | None]:
    """For ``TableAffinity(learn=...)``: the value that a response sets the cookie ``name`` to, by the last of several
    lines, as browsers read it; ``None`` if it does not set or deletes it."""
    if not is_token(name):
        raise ValueError(f"name: {name!r} is not a cookie's name")

    def value(response: Response) -> str | None:
        found: str | None = None
        for line in response.headers.getall(_SET_COOKIE, ()):
            pair, _, attributes = line.partition(";")
            said, equals, rest = pair.partition("=")
            if equals and said.strip(" \t") == name:
                rest = rest.strip(" \t")
                rest = rest[1:-1] if len(rest) > 1 and rest[0] == rest[-1] == '"' else rest
                found = None if not rest or _is_over(attributes, clock.wall()) else rest
        return found

    return value


def _is_over(attributes: str, now: float) -> bool:
    """Whether a cookie with these attributes is one that is deleted (RFC 6265 section 5.3)."""
    over = False
    for attribute in attributes.split(";"):
        name, _, value = attribute.strip(" \t").partition("=")
        if name.lower() == "max-age" and value.lstrip("-").isdigit():
            return int(value[:12]) <= 0  # it has precedence
        if name.lower() == "expires":
            date = parsedate_tz(value)
            over = date is not None and mktime_tz(date) <= now
    return over


class TableAffinity(Affinity):
    """Requests with the same key go to the endpoint that the first of them went to: HAProxy's stick table.

    ``key``
        What a session is known by; see ``balancers.keys``. By default the client's address, of IPv6 the
        first 64 bits. Requests without one have no session.
    ``learn``
        Where the application itself gives out what its sessions are known by: what it says in a response. ``key`` is
        then what clients bring back: ``TableAffinity(keys.cookie("JSESSIONID"), learn=set_cookie("JSESSIONID"))``.
    ``size``
        Sessions that are remembered at most, of those that were learnt and of others by themselves, so that keys that
        somebody has made up push out none that were learnt; beyond, the one that was silent longest is forgotten.
    ``idle``
        Seconds after which a session without a request is forgotten. One that cannot go on where it was is not kept
        alive by asking.

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
        self._idle = idle
        self._clock = clock
        self._members: dict[str, Endpoint] = {}
        self._learnt = _Sessions(size)
        self._brought = _Sessions(size)

    def bind(self, endpoints: Sequence[Endpoint]) -> None:
        self._members = {each.identity: each for each in endpoints}

    def find(self, exchange: Exchange) -> Session | None:
        value = self._key(exchange)
        if value is None:
            return None
        hashed = hash_of(value)
        table = self._table_of(hashed)
        known = table.get(hashed)
        if known is None:
            return None
        identity, since = known
        now = self._clock.now()
        if now - since >= self._idle:
            del table[hashed]
            return None
        endpoint = self._members.get(identity)
        if endpoint is not None:
            table.note(hashed, identity, now)
        return Session(endpoint)

    def keep(self, attempt: Attempt, response: Response) -> None:
        exchange, endpoint, now = attempt.exchange, attempt.endpoint, self._clock.now()
        said = None if self._learn is None else self._learn(response)
        if said is not None:
            self._learnt.note(hash_of(said), endpoint.identity, now)
            return
        session = exchange.get(SESSION)
        if session is not None and session.endpoint is endpoint:
            return
        value = self._key(exchange)
        if value is not None:
            hashed = hash_of(value)
            table = self._table_of(hashed)
            known = table.get(hashed)
            # Of several first requests at once the one that is answered first decides.
            if session is not None or known is None or known[0] not in self._members:
                table.note(hashed, endpoint.identity, now)

    def _table_of(self, hashed: int) -> _Sessions:
        return self._learnt if hashed in self._learnt else self._brought

    def __repr__(self) -> str:
        return f"<TableAffinity of {len(self._learnt) + len(self._brought)} sessions, gone={self.gone!r}>"


class _Sessions(OrderedDict[int, tuple[str, float]]):
    """Where each session is and when it was last heard of, that longest ago first. By the hash of its key, since
    clients choose how long a key is."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self._size = size

    def note(self, hashed: int, identity: str, now: float) -> None:
        self[hashed] = identity, now
        self.move_to_end(hashed)
        while len(self) > self._size:
            self.popitem(last=False)
