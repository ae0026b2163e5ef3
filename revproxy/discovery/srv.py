"""Endpoints at the targets of SRV records."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from random import Random
from typing import TYPE_CHECKING

from yarl import URL

from ..clock import SYSTEM_CLOCK, Clock
from ..endpoint import Endpoint
from ..networks import IPAddress
from .base import Discovery, DiscoveryFailed, Found
from .like import at, host_of
from .lookup import Family, Lookup, NoAddress, Refresh

if TYPE_CHECKING:
    from dns.asyncresolver import Resolver

__all__ = ["Srv"]

_TARGETS = 256
"""Targets at most that a service may have."""

_AT_ONCE = 8
"""Targets that are looked up at the same time."""


class Srv(Discovery):
    """The endpoints of a service by its SRV records (RFC 2782), with their ports, priorities and weights::

        Upstream(discovery=Srv("_http._tcp.api.internal", "http://api.internal"), balancer=Priorities(P2C))

    ``service``
        The name of the records.
    ``endpoint``
        How to speak to all of them: a URL without a port, or such an ``Endpoint``, whose zone, limit and so on hold for
        all. Its host is what ``Host`` says and what TLS verifies, and not the targets' names, which came over a network
        that may be anybody's (RFC 9525 section 6.1.1).

    Each target is looked up, and is as many endpoints as it has addresses; they share its weight. A weight of 0, a
    share next to nothing, becomes the least that there is; weights are scaled to 100 at most. The target ``.`` says
    that there is no such service: an empty set (``allow_empty``). A target that does not exist is passed over. One that
    cannot be looked up makes the whole set fail, and the last good one stays.

    Balancers that know priorities (``Priorities``) send what has a higher number nothing, as long as the others are
    well; all others pass over them. The other parameters are those of ``Dns``. Needs the extra ``dns``.
    """

    def __init__(
        self,
        service: str,
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
        allow_empty: bool = False,
        clock: Clock = SYSTEM_CLOCK,
        rng: Random | None = None,
    ) -> None:
        self._service = service
        self._like = like = endpoint if isinstance(endpoint, Endpoint) else Endpoint(endpoint)
        host_of(like)
        if like.url.explicit_port is not None:
            raise ValueError(f"endpoint: the port is what the records say, got {like.identity!r}")
        self._refresh = Refresh(least, most, rng or Random())
        self._lookup = Lookup(family=family, timeout=timeout, search=search, resolver=resolver)
        self._lookup.check("service", service)
        self._clock = clock
        super().__init__(name=name or like.name, initial=initial, allow_empty=allow_empty)

    async def snapshots(self) -> AsyncIterator[Found]:
        while True:
            found, ttl = await self._find()
            yield found
            await self._clock.sleep(self._refresh.after(ttl))

    async def _find(self) -> tuple[list[Endpoint], float]:
        records, ttl = await self._lookup.services(self._service)
        if [target for *_, target in records] == ["."]:
            return [], ttl
        targets = {target for *_, target in records} - {"."}
        if len(targets) > _TARGETS:
            raise DiscoveryFailed(f"{self._service} has {len(targets)} targets, more than {_TARGETS}")
        addresses, ttls = await self._addresses(sorted(targets))
        places: dict[tuple[IPAddress, int], tuple[int, float]] = {}
        for priority, weight, port, target in records:
            if not port and target in targets:
                raise DiscoveryFailed(f"{self._service} has {target} at port 0")
            for ip in addresses.get(target, ()):
                # Two targets may be one place: it is as wanted as the first, since the records are in order.
                places.setdefault((ip, port), (priority, weight / len(addresses[target])))
        if not places:
            raise DiscoveryFailed(f"none of the targets of {self._service} has an address")
        shares = weights([share for _, share in places.values()])
        return [
            at(self._like, ip, port=port, weight=weight, priority=priority)
            for ((ip, port), (priority, _)), weight in zip(places.items(), shares, strict=True)
        ], min(ttl, *ttls)

    async def _addresses(self, targets: Sequence[str]) -> tuple[dict[str, tuple[IPAddress, ...]], list[float]]:
        """The addresses of those of ``targets`` that exist, and for how long each holds."""
        turns = asyncio.Semaphore(_AT_ONCE)

        async def look_up(target: str) -> tuple[tuple[IPAddress, ...], float]:
            async with turns:
                return await self._lookup.addresses(target)

        answers = await asyncio.gather(*(look_up(each) for each in targets), return_exceptions=True)
        found: dict[str, tuple[IPAddress, ...]] = {}
        ttls: list[float] = []
        for target, answer in zip(targets, answers, strict=True):
            if isinstance(answer, NoAddress):
                continue
            if isinstance(answer, BaseException):
                raise answer
            found[target], ttl = answer
            ttls.append(ttl)
        return found, ttls

    def __repr__(self) -> str:
        return f"Srv({self._service!r}, {self._like.name!r})"


_MOST = 100
"""The heaviest weight: rounder ones make shorter sequences and smaller rings."""


def weights(shares: Sequence[float]) -> list[int]:
    """Weights from 1 to 100 in proportion to ``shares``, as well as whole numbers allow; where all are 0, all alike."""
    heaviest = max(shares)
    if not heaviest:
        return [1] * len(shares)
    if heaviest <= _MOST and all(share >= 1 and share == int(share) for share in shares):
        return [int(share) for share in shares]
    return [max(1, round(share * _MOST / heaviest)) for share in shares]
