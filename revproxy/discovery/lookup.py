"""Questions to name servers, and what their answers mean."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from ipaddress import ip_address
from random import Random
from typing import TYPE_CHECKING, Literal, TypeAlias

from ..networks import IPAddress
from .base import DiscoveryFailed

if TYPE_CHECKING:
    from dns.asyncresolver import Resolver
    from dns.resolver import Answer

__all__ = ["Family", "Lookup", "NoAddress", "Refresh"]

Family: TypeAlias = Literal["any", "ipv4", "ipv6"]
"""Which addresses of a name are wanted."""

_TYPES: Mapping[Family, tuple[str, ...]] = {"any": ("A", "AAAA"), "ipv4": ("A",), "ipv6": ("AAAA",)}

_REMEMBERED = 1024
"""Names at most of which it is known what types of addresses they have had."""


class NoAddress(DiscoveryFailed):
    """The name servers say that a name has none."""


class Lookup:
    """Asks ``resolver``, one of dnspython's (default: by ``/etc/resolv.conf``), and takes no more than ``timeout``
    seconds for a question.

    Only what follows from the question counts, by way of aliases (CNAME) or without: whatever else an answer holds, in
    whichever section, is passed over. Raises ``ImportError`` without dnspython, ``ValueError`` for a bad parameter.
    """

    def __init__(self, *, family: Family, timeout: float, search: bool, resolver: Resolver | None) -> None:
        try:
            import dns.asyncbackend
            import dns.asyncresolver
            import dns.exception
            import dns.name
            import dns.resolver
        except ImportError as error:
            raise ImportError("this needs dnspython: pip install 'aiohttp-revproxy[dns]'") from error
        if family not in _TYPES:
            raise ValueError(f"family must be one of {sorted(_TYPES)}, got {family!r}")
        if not 0 < timeout < math.inf:
            raise ValueError(f"timeout must be above 0 and finite, got {timeout}")
        self._dns = dns
        self._backend = dns.asyncbackend.get_backend("asyncio")
        self._types = _TYPES[family]
        self._timeout = timeout
        self._search = search
        self._resolver = dns.asyncresolver.Resolver() if resolver is None else resolver
        self._had: dict[str, frozenset[str]] = {}

    def check(self, parameter: str, name: str) -> None:
        """Raise ``ValueError`` for what is no name of a domain."""
        try:
            self._dns.name.from_text(name)
        except (self._dns.exception.DNSException, UnicodeError) as error:
            raise ValueError(f"{parameter}: {name!r} is no domain name: {error}") from None

    async def addresses(self, name: str) -> tuple[tuple[IPAddress, ...], float]:
        """The addresses of ``name``, in order, and for how many seconds they hold; one at least.

        Raises ``NoAddress`` where there are none, and ``DiscoveryFailed`` where that is not known; also where one of
        the types that the name had addresses of was not answered for this time, since half of a set is no set.
        """
        answers = await asyncio.gather(*(self._ask(name, each) for each in self._types), return_exceptions=True)
        found: set[IPAddress] = set()
        had: set[str] = set()
        ttl = math.inf
        failures: dict[str, DiscoveryFailed] = {}
        for kind, answer in zip(self._types, answers, strict=True):
            if isinstance(answer, DiscoveryFailed):
                failures[kind] = answer
            elif isinstance(answer, BaseException):
                raise answer
            elif answer is not None and answer.rrset:
                found.update(ip_address(each.address) for each in answer.rrset)
                had.add(kind)
                ttl = min(ttl, answer.chaining_result.minimum_ttl)
        for kind, failed in failures.items():
            if not found or kind in self._had.get(name, ()):
                raise failed
        if not found:
            is_name = not any(answer is None for answer in answers)
            raise NoAddress(f"{name} {'has no address' if is_name else 'does not exist'}")
        if len(self._had) >= _REMEMBERED:
            self._had.clear()
        self._had[name] = frozenset(had)
        return tuple(sorted(found, key=lambda ip: (ip.version, int(ip)))), ttl

    async def services(self, name: str) -> tuple[tuple[tuple[int, int, int, str], ...], float]:
        """The priority, weight, port and target of each SRV record of ``name`` (RFC 2782), in order, and for how many
        seconds they hold. Targets are absolute names. Raises ``DiscoveryFailed`` where there are no records."""
        answer = await self._ask(name, "SRV")
        if answer is None or not answer.rrset:
            raise DiscoveryFailed(f"{name} has no SRV record")
        records = {(each.priority, each.weight, each.port, each.target.to_text()) for each in answer.rrset}
        return tuple(sorted(records)), answer.chaining_result.minimum_ttl

    async def _ask(self, name: str, kind: str) -> Answer | None:
        """The answer, which may be empty; ``None``: there is no such name. Raises ``DiscoveryFailed`` if it is not
        known."""
        dns = self._dns
        try:
            return await self._resolver.resolve(
                name,
                kind,
                raise_on_no_answer=False,
                lifetime=self._timeout,
                search=self._search,
                backend=self._backend,
            )
        except dns.resolver.NXDOMAIN:
            return None
        except (dns.exception.DNSException, OSError, EOFError) as error:
            why = str(error) or type(error).__name__
            raise DiscoveryFailed(f"{kind} of {name}: {why}") from None


class Refresh:
    """When to ask again."""

    def __init__(self, least: float, most: float, rng: Random) -> None:
        if not 0 < least < math.inf:
            raise ValueError(f"least must be above 0 and finite, got {least}")
        if not least <= most < math.inf:
            raise ValueError(f"most must be at least least and finite, got {most}")
        self._least = least
        self._most = most
        self._rng = rng

    def after(self, ttl: float) -> float:
        """In how many seconds, where records hold for ``ttl``. Never before they expire, if ``most`` allows it: until
        then, a server that caches would say the same."""
        return min(max(ttl, self._least), self._most) * (1 + self._rng.random() / 10)
