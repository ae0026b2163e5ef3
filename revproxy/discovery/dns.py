"""Endpoints at the addresses of a name."""

from __future__ import annotations

from collections.abc import AsyncIterator
from random import Random
from typing import TYPE_CHECKING

from yarl import URL

from ..clock import SYSTEM_CLOCK, Clock
from ..endpoint import Endpoint
from .base import Discovery, Found
from .like import at, host_of
from .lookup import Family, Lookup, Refresh

if TYPE_CHECKING:
    from dns.asyncresolver import Resolver

__all__ = ["Dns"]


class Dns(Discovery):
    """An endpoint at each of the addresses that a name has (A and AAAA records), looked up again when they expire::

        Upstream(discovery=Dns("http://api.internal:8080"))

    ``endpoint``
        A URL, or an ``Endpoint`` whose weight, zone and so on hold for all. Its host is looked up. It still is what
        ``Host`` says and what TLS verifies.
    ``family``
        ``"any"``, ``"ipv4"`` or ``"ipv6"``.
    ``least``, ``most``
        Bounds of the time after which it is looked up again, in seconds; between them it is the records' TTL. Up to a
        tenth is added by chance, lest many proxies ask at once.
    ``timeout``
        Seconds that a question may take, with all servers asked and all repetitions.
    ``search``
        Whether the search list of ``/etc/resolv.conf`` is for this name, as short names in Kubernetes need it.
    ``resolver``
        dnspython's ``dns.asyncresolver.Resolver``, with name servers of your own; default: by ``/etc/resolv.conf``.
        ``/etc/hosts`` is not read.

    That there is no such name, or no address, is a failure like every other: the last good set stays in use.

    Needs the extra ``dns``. Raises ``ImportError`` without it, and ``ValueError`` for a host that is no name.
    """

    def __init__(
        self,
        endpoint: str | URL | Endpoint,
        *,
        family: Family = "any",
        least: float = 5.0,
        most: float = 300.0,
        timeout: float = 5.0,
        search: bool = False,
        resolver: Resolver | None = None,
        name: str = "",
        initial: float | None = 10.0,
        clock: Clock = SYSTEM_CLOCK,
        rng: Random | None = None,
    ) -> None:
        self._like = like = endpoint if isinstance(endpoint, Endpoint) else Endpoint(endpoint)
        self._host = host_of(like)
        self._refresh = Refresh(least, most, rng or Random())
        self._lookup = Lookup(family=family, timeout=timeout, search=search, resolver=resolver)
        self._lookup.check("endpoint", self._host)
        self._clock = clock
        super().__init__(name=name or like.name, initial=initial)

    async def snapshots(self) -> AsyncIterator[Found]:
        while True:
            ips, ttl = await self._lookup.addresses(self._host)
            yield [at(self._like, ip) for ip in ips]
            await self._clock.sleep(self._refresh.after(ttl))

    def __repr__(self) -> str:
        return f"Dns({self._like.name!r})"
