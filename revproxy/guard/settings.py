"""What the guard lets clients do: deadlines, caps, rates."""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import inf

from ..networks import IPNetwork, Networks

__all__ = ["Guard", "PrefixCap"]

_INSIDE = ("127.0.0.0/8", "::1", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")


def _check_count(name: str, value: object, *, optional: bool = True) -> None:
    if value is None and optional:
        return
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} must be an integer{' or None' * optional}, got {value!r}")
    if value < 1:
        raise ValueError(f"{name} must be at least 1{' or None' * optional}, got {value!r}")


def _check_number(name: str, value: object, *, optional: bool = True) -> None:
    if value is None and optional:
        return
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name} must be a number{' or None' * optional}, got {value!r}")
    if not 0 < value < inf:
        raise ValueError(f"{name} must be above 0 and finite{' or None' * optional}, got {value!r}")


def _check_tuple(name: str, value: object, of: type) -> None:
    if not isinstance(value, tuple) or not all(isinstance(each, of) for each in value):
        raise TypeError(f"{name} must be a tuple{f' of {of.__name__}' * (of is not object)}, got {value!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PrefixCap:
    """How much one network of clients may have: all whose addresses agree in the first ``ipv4`` or ``ipv6`` bits.

    ``connections``
        Open at one time.
    ``rate``, ``burst``
        New connections in a second, and how many may come at once before that counts (GCRA, ITU-T I.371).

    ``None``: no limit. Raises ``ValueError`` or ``TypeError`` that names the parameter and its value.
    """

    ipv4: int
    ipv6: int
    connections: int | None = None
    rate: float | None = None
    burst: int = 100

    def __post_init__(self) -> None:
        for name, most in (("ipv4", 32), ("ipv6", 128)):
            value = getattr(self, name)
            if type(value) is not int or not 0 <= value <= most:
                raise ValueError(f"{name} must be an integer from 0 to {most}, got {value!r}")
        _check_count("connections", self.connections)
        _check_number("rate", self.rate)
        _check_count("burst", self.burst, optional=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """What ``GuardedRunner`` holds clients to. Times are in seconds; ``None`` anywhere: no limit.

    ``idle``
        From the connection to its first byte. Between requests it is aiohttp's ``keepalive_timeout``.
    ``head``
        From the first byte of a request to the end of its head, for every request of a connection. A request that is
        sent while the one before is being answered is waited for until that is over.
    ``body_rate``, ``body_grace``, ``body_idle``
        Of a request body, ``body_rate`` bytes have to come in a second. It begins with ``body_grace`` seconds in hand,
        each byte adds what it should have taken, and there are never more than ``body_idle`` in hand: who sends nothing
        for so long is cut, however fast the start was. Time in which the server does not read is not counted. A client
        that waits for ``100 Continue`` has ``body_idle`` to begin.
    ``write``
        How long a client may read nothing while there is something for it. Looked at four times in that time, so that
        it is cut up to a quarter later.
    ``requests``
        Of one connection. The answer to the last says ``Connection: close``.
    ``connections``
        Open at one time, in all.
    ``accept_rate``, ``accept_burst``
        New connections in a second, in all, and how many may come at once before that counts. Who comes first has
        them, so caps for prefixes are what keeps one client from taking them all.
    ``prefixes``
        Caps for the clients of one network. The narrowest comes first in messages, no more; all hold.
    ``exempt``
        Networks whose clients no cap for prefixes holds. By default loopback and private ones: who connects from there
        is mostly another server, and speaks for many. Where clients themselves are inside, set ``exempt=()``.

    An IPv4 address that came in over IPv6 counts as IPv4. Clients on a Unix socket have no address, and no prefix.
    Raises ``ValueError`` or ``TypeError`` that names the parameter and its value.
    """

    idle: float | None = 10.0
    head: float | None = 10.0
    body_rate: float | None = 240.0
    body_grace: float = 10.0
    body_idle: float | None = 60.0
    write: float | None = 60.0
    requests: int | None = 1000
    connections: int | None = 10_000
    accept_rate: float | None = None
    accept_burst: int = 100
    prefixes: tuple[PrefixCap, ...] = (
        PrefixCap(ipv4=32, ipv6=64, connections=256),
        PrefixCap(ipv4=24, ipv6=56, connections=1024),
    )
    exempt: tuple[str | IPNetwork, ...] = _INSIDE

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if each.name in ("requests", "connections"):
                _check_count(each.name, value)
            elif each.name == "accept_burst":
                _check_count(each.name, value, optional=False)
            elif each.name not in ("prefixes", "exempt"):
                _check_number(each.name, value, optional=each.name != "body_grace")
        _check_tuple("prefixes", self.prefixes, PrefixCap)
        _check_tuple("exempt", self.exempt, object)
        try:
            Networks(self.exempt)
        except ValueError as error:
            raise ValueError(f"exempt: {error}") from None
