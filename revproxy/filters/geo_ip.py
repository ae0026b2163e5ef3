"""Where a client is, by its address."""

from __future__ import annotations

import logging
import os
from collections.abc import Coroutine, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..clock import SYSTEM_CLOCK, Clock, Timer
from ..exchange import Exchange, Key
from ..facts import UNKNOWN, Place
from ..geography import PLACE
from ..handler import Component, Handler
from ..message import Response
from ..networks import IPAddress

if TYPE_CHECKING:
    import maxminddb

__all__ = ["GeoIp"]

_log = logging.getLogger("revproxy.error")

_CACHED = 4096
"""Addresses at most whose places are kept."""


class GeoIp(Component):
    """Puts on the exchange where the client is (``exchange[PLACE]``), from MaxMind databases: GeoLite2 or GeoIP2, City
    or Country, and ASN beside it; or others of that form. What none of them knows is ``None`` in the ``Place``.

    ``files``
        ``.mmdb`` files. Where several say the same, the first counts.
    ``interval``
        How often, in seconds, it is looked whether a file was replaced. Replace it by renaming another one to its name:
        what is written in place is read while it is half there. One that cannot be read is told of in the log, once,
        and the one before stays in use.

    The client is who ``ProxyHandler(trusted=...)`` says it is. Private addresses, and clients without one, are nowhere
    (``UNKNOWN``). Needs the extra ``geo``. Raises ``ImportError`` without it, ``OSError`` for a file that is not there,
    and ``ValueError`` for one that is no database.
    """

    provides: frozenset[Key[Any]] = frozenset({PLACE})

    def __init__(self, *files: str | Path, interval: float = 60.0, clock: Clock = SYSTEM_CLOCK) -> None:
        if not files:
            raise ValueError("files: there must be a database")
        if not interval > 0:
            raise ValueError(f"interval must be above 0, got {interval}")
        self._databases = [_Database(Path(file)) for file in files]
        self._interval = interval
        self._clock = clock
        self._timer: Timer | None = None
        self._cached = lru_cache(maxsize=_CACHED)(self._look_up)

    def __call__(self, exchange: Exchange, handler: Handler) -> Coroutine[Any, Any, Response]:
        ip = exchange.inbound.client.ip
        exchange[PLACE] = UNKNOWN if ip is None else self._cached(ip)
        return handler(exchange)

    def place_of(self, ip: IPAddress) -> Place:
        """Where ``ip`` is, by the databases as they are now."""
        return self._cached(ip)

    def _look_up(self, ip: IPAddress) -> Place:
        if not ip.is_global:
            return UNKNOWN
        known: dict[str, Any] = {}
        for database in reversed(self._databases):
            known |= database.look_up(ip)
        return Place(**known) if known else UNKNOWN

    async def start(self) -> None:
        self._timer = self._clock.call_later(self._interval, self._look)

    async def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = self._clock.call_later(self._interval, self._look)
        replaced = [database.refresh() for database in self._databases]
        if any(replaced):
            self._cached.cache_clear()

    def __repr__(self) -> str:
        return f"GeoIp({', '.join(repr(str(database.path)) for database in self._databases)})"


class _Database:
    """One file, as it was when it could last be read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._told = False
        self._state = _state(path)
        self._reader = _open(path)

    def look_up(self, ip: IPAddress) -> dict[str, Any]:
        """What is known of ``ip``, by the names of ``Place``."""
        try:
            record = self._reader.get(ip)
        except (ValueError, OSError) as error:  # an IPv6 address where there are IPv4 ones only; a broken tree
            self._tell(error)
            return {}
        return _known(record) if isinstance(record, dict) else {}

    def refresh(self) -> bool:
        """Read the file again if it was replaced. Whether it was."""
        try:
            state = _state(self.path)
            if state == self._state:
                return False
            reader = _open(self.path)
        except (OSError, ValueError) as error:
            self._tell(error)
            return False
        self._state, self._reader, self._told = state, reader, False
        return True

    def _tell(self, error: Exception) -> None:
        if not self._told:
            self._told = True
            _log.warning("GeoIp: %s: %s; what was read before stays in use", self.path, error)


def _state(path: Path) -> tuple[int, ...]:
    stat = os.stat(path)
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


def _open(path: Path) -> maxminddb.Reader:
    try:
        import maxminddb
    except ImportError as error:
        raise ImportError("GeoIp needs maxminddb: pip install 'aiohttp-revproxy[geo]'") from error
    try:
        return maxminddb.open_database(path)
    except maxminddb.InvalidDatabaseError as error:
        raise ValueError(f"files: {path} is no MaxMind database: {error}") from None


def _known(record: Mapping[str, Any]) -> dict[str, Any]:
    """What a record says, by the names of ``Place``; what has another form than MaxMind's says nothing."""
    location = _in(record, "location")
    latitude, longitude = location.get("latitude"), location.get("longitude")
    subdivisions = record.get("subdivisions")
    first = subdivisions[0] if isinstance(subdivisions, list) and subdivisions else {}
    said = {
        "country": _in(record, "country").get("iso_code"),
        "continent": _in(record, "continent").get("code"),
        "region": first.get("iso_code") if isinstance(first, dict) else None,
        "city": _in(_in(record, "city"), "names").get("en"),
        "organisation": record.get("autonomous_system_organization"),
    }
    known: dict[str, Any] = {name: value for name, value in said.items() if isinstance(value, str)}
    asn = record.get("autonomous_system_number")
    if isinstance(asn, int):
        known["asn"] = asn
    if isinstance(latitude, int | float) and isinstance(longitude, int | float):
        known["location"] = float(latitude), float(longitude)
    return known


def _in(record: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = record.get(name)
    return found if isinstance(found, dict) else {}
