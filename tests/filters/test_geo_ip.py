"""Where clients are, from real databases."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet  # type: ignore[import-untyped]

from revproxy import Exchange, Pipeline, ProxyHandler, Response, Rule, Rules, block, when
from revproxy.facts import UNKNOWN, Place
from revproxy.filters import GeoIp
from revproxy.geography import PLACE
from revproxy.testing import FakeClock, exchange

BERLIN: dict[str, Any] = {
    "country": {"iso_code": "DE"},
    "continent": {"code": "EU"},
    "subdivisions": [{"iso_code": "BE"}],
    "city": {"names": {"en": "Berlin", "de": "Berlin"}},
    "location": {"latitude": 52.5, "longitude": 13.4},
}


def write(path: Path, records: Mapping[str, Any]) -> Path:
    """A database of ``records``, by network, put in its place as a whole."""
    writer = MMDBWriter(ip_version=6, ipv4_compatible=True, database_type="Test", float_type="f64")
    for network, record in records.items():
        writer.insert_network(IPSet([network]), record)
    new = path.with_suffix(".new")
    writer.to_db_file(str(new))
    os.replace(new, path)
    return path


@pytest.fixture
def city(tmp_path: Path) -> Path:
    return write(tmp_path / "city.mmdb", {"8.8.8.0/24": BERLIN, "2a00:1450::/32": {"country": {"iso_code": "IE"}}})


async def ok(exchange: Exchange) -> Response:
    return Response(200)


async def place(filter: GeoIp, client: str | None) -> Place:
    asked = exchange(client=client)
    await filter(asked, ok)
    return asked[PLACE]


async def test_places(city: Path, tmp_path: Path) -> None:
    """A city's record, and the network's from another database beside it; IPv4 and IPv6."""
    networks = {"8.8.0.0/16": {"autonomous_system_number": 15169, "autonomous_system_organization": "GOOGLE"}}
    geo = GeoIp(city, write(tmp_path / "asn.mmdb", networks))
    berlin = Place("DE", "EU", "BE", "Berlin", (52.5, 13.4), 15169, "GOOGLE")
    assert await place(geo, "8.8.8.8") == berlin
    assert await place(geo, "8.8.9.9") == Place(asn=15169, organisation="GOOGLE")
    assert await place(geo, "2a00:1450::1") == Place(country="IE")
    assert repr(geo) == f"GeoIp({str(city)!r}, {str(tmp_path / 'asn.mmdb')!r})"


@pytest.mark.parametrize(
    "client", ["10.0.0.1", "127.0.0.1", "192.168.1.1", "169.254.1.1", "::1", "fe80::1", "9.9.9.9", None]
)
async def test_nowhere(city: Path, client: str | None) -> None:
    """Private addresses, those that no database has, and clients without one are nowhere."""
    assert await place(GeoIp(city), client) is UNKNOWN


async def test_a_database_that_is_replaced(city: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A file that was replaced is read again; one that is broken, or gone, is told of once, and the last good one stays
    in use."""
    clock = FakeClock()
    geo = GeoIp(city, interval=60, clock=clock)
    await geo.start()
    try:
        assert (await place(geo, "8.8.8.8")).country == "DE"
        write(city, {"8.8.8.0/24": {"country": {"iso_code": "AT"}}})
        assert (await place(geo, "8.8.8.8")).country == "DE"
        clock.advance(60)
        assert (await place(geo, "8.8.8.8")).country == "AT"
        broken = city.with_suffix(".broken")
        broken.write_bytes(b"no database")
        os.replace(broken, city)
        with caplog.at_level(logging.WARNING, "revproxy.error"):
            clock.advance(180)
            assert (await place(geo, "8.8.8.8")).country == "AT"
            assert len(caplog.records) == 1
            os.unlink(city)
            clock.advance(60)
        assert len(caplog.records) == 1
        write(city, {"8.8.8.0/24": {"country": {"iso_code": "CH"}}})
        clock.advance(60)
        assert (await place(geo, "8.8.8.8")).country == "CH"
    finally:
        await geo.stop()
    assert clock.waiting == 0


@pytest.mark.parametrize(
    "record",
    [
        *({}, {"country": "DE"}, {"country": {"iso_code": 7}}, {"location": {"latitude": 1.0}}, {"subdivisions": []}),
        *({"subdivisions": ["x"]}, {"city": {"names": {}}}, {"autonomous_system_number": "x"}, ["a list"]),
    ],
)
async def test_records_of_another_form(tmp_path: Path, record: object) -> None:
    """They say nothing, and break nothing."""
    assert await place(GeoIp(write(tmp_path / "odd.mmdb", {"8.8.8.0/24": record})), "8.8.8.8") == UNKNOWN


def test_bad_databases(tmp_path: Path, city: Path) -> None:
    """What is no database, or not there, is refused when the filter is made."""
    bad = tmp_path / "bad.mmdb"
    bad.write_bytes(b"x" * 1000)
    with pytest.raises(ValueError, match="no MaxMind database"):
        GeoIp(bad)
    with pytest.raises(FileNotFoundError):
        GeoIp(tmp_path / "none.mmdb")
    with pytest.raises(ValueError, match="files"):
        GeoIp()
    with pytest.raises(ValueError, match="interval"):
        GeoIp(city, interval=0)


def test_without_the_extra(city: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what to install."""
    monkeypatch.setitem(sys.modules, "maxminddb", None)
    with pytest.raises(ImportError, match=r"aiohttp-revproxy\[geo\]"):
        GeoIp(city)


# Conditions.


async def test_conditions(city: Path, tmp_path: Path) -> None:
    """``when.country``, ``when.continent`` and ``when.asn`` hold where it is known; what is unknown is nowhere."""
    asn = write(tmp_path / "asn.mmdb", {"8.8.8.0/24": {"autonomous_system_number": 7}})
    geo = GeoIp(city, asn)
    for condition in (when.country("FR", "DE"), when.continent("EU"), when.asn(7)):
        table = Pipeline(geo, handler=Rules(Rule(condition, block(403)), Rule(when.anything, ok)))
        assert (await table(exchange(client="8.8.8.8"))).status == 403
        assert (await table(exchange(client="10.0.0.1"))).status == 200
        assert (await table(exchange(client=None))).status == 200


def test_a_condition_that_nobody_provides_for() -> None:
    """A table that asks for a place is refused where no filter outside of it knows places: it would fail open."""
    with pytest.raises(ValueError, match="place"):
        ProxyHandler(Rules(Rule(when.country("DE"), block(403)), Rule(when.anything, ok)))


def test_bad_codes() -> None:
    """They are refused."""
    bads: list[Callable[[], object]] = [lambda: when.country("de"), lambda: when.country("DEU"), when.country]
    for bad in bads:
        with pytest.raises(ValueError, match="codes"):
            bad()
    bads = [lambda: when.continent("XX"), lambda: when.asn(0), lambda: when.asn(True)]
    for bad in bads:
        with pytest.raises(ValueError, match=r"codes|numbers"):
            bad()
