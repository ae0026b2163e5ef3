"""Who may connect: caps on connections in all, for each network of clients, and on how fast they come."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TypeAlias

from ..clock import Clock
from ..networks import IPAddress, Networks, parse_address
from .settings import Guard, PrefixCap

__all__ = ["Door", "Ticket"]

_Prefix: TypeAlias = tuple[int, int]  # the version of IP, and the bits

_HOSTS = 4096
"""Addresses of which it is remembered what they count against."""

_RATED = 65536
"""Networks at most of which is known how fast they came, beyond those that have connections."""


class Pace:
    """So many in a second, and so many at once: the generic cell rate algorithm (ITU-T I.371), on one number."""

    __slots__ = ("_every", "_slack", "_theoretical")

    def __init__(self, rate: float, burst: int) -> None:
        self._every = 1 / rate
        self._slack = (burst - 1) / rate
        self._theoretical = 0.0

    def conforms(self, now: float) -> bool:
        return self._theoretical - self._slack <= now + 1e-9

    def take(self, now: float) -> None:
        self._theoretical = max(self._theoretical, now) + self._every

    def is_idle(self, now: float) -> bool:
        """Whether it is as if it were new."""
        return self._theoretical <= now


class _Network:
    __slots__ = ("open", "pace")

    def __init__(self, pace: Pace | None) -> None:
        self.open = 0
        self.pace = pace


class Table:
    """What each network has. Without a rate there is an entry only for those that have connections; with one, for up
    to ``size`` others. Beyond that those that came first are forgotten."""

    def __init__(self, cap: PrefixCap, size: int = _RATED) -> None:
        self.cap = cap
        self._size = size
        self._networks: dict[_Prefix, _Network] = {}

    def prefix(self, ip: IPAddress) -> _Prefix:
        bits = self.cap.ipv4 if ip.version == 4 else self.cap.ipv6
        return ip.version, int(ip) >> (ip.max_prefixlen - bits)

    def refuses(self, prefix: _Prefix, now: float) -> str | None:
        network = self._networks.get(prefix)
        if network is None:
            return None
        if self.cap.connections is not None and network.open >= self.cap.connections:
            return "prefix connections"
        return None if network.pace is None or network.pace.conforms(now) else "prefix rate"

    def enter(self, prefix: _Prefix, now: float) -> None:
        network = self._networks.pop(prefix, None)
        if network is None:
            pace = None if self.cap.rate is None else Pace(self.cap.rate, self.cap.burst)
            network = _Network(pace)
            self._forget()
        network.open += 1
        if network.pace is not None:
            network.pace.take(now)
        self._networks[prefix] = network  # the last to be forgotten

    def leave(self, prefix: _Prefix, now: float) -> None:
        network = self._networks[prefix]
        network.open -= 1
        if not network.open and (network.pace is None or network.pace.is_idle(now)):
            del self._networks[prefix]

    def _forget(self) -> None:
        """Make room. What has connections is put last: there are only as many of those as there are connections."""
        for prefix in [each for each, _ in zip(self._networks, range(8), strict=False)]:
            if len(self._networks) < self._size:
                return
            network = self._networks.pop(prefix)
            if network.open:
                self._networks[prefix] = network

    def __len__(self) -> int:
        return len(self._networks)


Ticket: TypeAlias = tuple[tuple[Table, _Prefix], ...]
"""What a connection counts against; to be handed back."""


class Door:
    """Decides who may connect. No decision awaits anything, and what is refused counts against nobody."""

    def __init__(self, guard: Guard, clock: Clock) -> None:
        self._clock = clock
        self._most = guard.connections
        self._pace = None if guard.accept_rate is None else Pace(guard.accept_rate, guard.accept_burst)
        self._tables = tuple(Table(cap) for cap in guard.prefixes)
        self._exempt = Networks(guard.exempt)
        self._of_host = lru_cache(_HOSTS)(self._find)  # to read an address costs more than all the rest
        self.open: int = 0
        """How many are in."""

    def enter(self, peer: object) -> Ticket | str:
        """Let a client of ``peer`` (a socket's address) in, or say why not."""
        now = self._clock.now()
        ticket = self._ticket(peer)
        for table, prefix in ticket:
            why = table.refuses(prefix, now)
            if why is not None:
                return why
        if self._most is not None and self.open >= self._most:
            return "connections"
        if self._pace is not None:
            if not self._pace.conforms(now):
                return "rate"
            self._pace.take(now)
        for table, prefix in ticket:
            table.enter(prefix, now)
        self.open += 1
        return ticket

    def leave(self, ticket: Ticket) -> None:
        """A client that was let in has left."""
        self.open -= 1
        for table, prefix in ticket:
            table.leave(prefix, self._clock.now())

    def _ticket(self, peer: object) -> Ticket:
        if not self._tables or not isinstance(peer, tuple):  # a Unix socket's is a path, mostly an empty one
            return ()
        return self._of_host(str(peer[0]))

    def _find(self, host: str) -> Ticket:
        parsed = parse_address(host)
        if parsed is None or parsed[0] in self._exempt:
            return ()
        return tuple((table, table.prefix(parsed[0])) for table in self._tables)

    @property
    def networks(self) -> Mapping[PrefixCap, int]:
        """How many networks each cap knows of now."""
        return {table.cap: len(table) for table in self._tables}

    def __repr__(self) -> str:
        most = "" if self._most is None else f" of {self._most}"
        return f"<Door: {self.open}{most} connections, {sum(map(len, self._tables))} networks known>"
