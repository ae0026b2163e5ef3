"""Questions to a real name server, and all that it may answer."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from random import Random
from typing import Any

import dns.flags
import dns.message
import dns.name
import dns.rrset
import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from revproxy.discovery.base import DiscoveryFailed
from revproxy.discovery.lookup import Lookup, NoAddress, Refresh

from ..wire import nothing_left as nothing_left
from .name_server import NameServer, name_server


@pytest_asyncio.fixture
async def server() -> AsyncIterator[NameServer]:
    async with name_server() as running:
        yield running


def lookup(server: NameServer, **options: Any) -> Lookup:
    said: dict[str, Any] = {"family": "any", "timeout": 5.0, "search": False, "resolver": server.resolver()}
    return Lookup(**(said | options))


async def found(asker: Lookup, name: str = "api.test") -> tuple[list[str], float]:
    ips, ttl = await asker.addresses(name)
    return [str(each) for each in ips], ttl


async def why(asker: Lookup, name: str = "api.test") -> str:
    with pytest.raises(DiscoveryFailed) as raised:
        await asker.addresses(name)
    return str(raised.value)


async def test_both_families(server: NameServer) -> None:
    """IPv4 before IPv6, each in order whatever the server's, and the shorter of two TTLs."""
    server.say("api.test", "A", "10.0.0.10", "10.0.0.9", ttl=60)
    server.say("api.test", "AAAA", "fd00::2", "fd00::1", ttl=20)
    assert await found(lookup(server)) == (["10.0.0.9", "10.0.0.10", "fd00::1", "fd00::2"], 20)
    assert await found(lookup(server, family="ipv4")) == (["10.0.0.9", "10.0.0.10"], 60)
    assert await found(lookup(server, family="ipv6")) == (["fd00::1", "fd00::2"], 20)


async def test_one_family(server: NameServer) -> None:
    """An empty answer for one of them is no failure, and bounds no time."""
    server.say("api.test", "A", "10.0.0.1", ttl=77)
    assert await found(lookup(server)) == (["10.0.0.1"], 77)


async def test_aliases(server: NameServer) -> None:
    """A chain of aliases leads to the addresses; the shortest TTL on the way counts."""
    chain = [("api.test", "CNAME", "b.test."), ("b.test", "CNAME", "c.test."), ("c.test", "A", "10.0.0.1")]
    server.chain("api.test", "A", chain)
    server.chain("api.test", "AAAA", chain[:2])
    assert await found(lookup(server)) == (["10.0.0.1"], 30)


async def test_aliases_in_a_circle(server: NameServer) -> None:
    """They end, without an address."""
    for kind in ("A", "AAAA"):
        server.chain("api.test", kind, [("api.test", "CNAME", "b.test."), ("b.test", "CNAME", "api.test.")])
    assert "A of api.test" in await why(lookup(server))


async def test_answers_for_other_names(server: NameServer) -> None:
    """S-41: records of other names, in any section, are no answer."""

    def poison(query: dns.message.Message, tcp: bool) -> Sequence[bytes]:
        response = dns.message.make_response(query)
        response.answer.append(dns.rrset.from_text("evil.test.", 30, "IN", "A", "10.6.6.6"))
        response.authority.append(dns.rrset.from_text("api.test.", 30, "IN", "A", "10.6.6.7"))
        response.additional.append(dns.rrset.from_text("api.test.", 30, "IN", "A", "10.6.6.8"))
        return [response.to_wire()]

    server.do("api.test", "A", poison)
    assert await why(lookup(server)) == "api.test has no address"
    server.say("api.test", "AAAA", "fd00::1")
    assert await found(lookup(server)) == (["fd00::1"], 30)


async def test_forged_answers(server: NameServer) -> None:
    """S-41: what has another id, or answers another question, is waited past."""

    def forged(query: dns.message.Message, tcp: bool) -> Sequence[bytes]:
        def answer(query: dns.message.Message, name: str, address: str) -> dns.message.Message:
            response = dns.message.make_response(query)
            response.answer.append(dns.rrset.from_text(name, 30, "IN", "A", address))
            return response

        other_id = answer(query, "api.test.", "10.6.6.6")
        other_id.id = (query.id + 1) % 65536
        question = dns.message.make_query("evil.test.", "A")
        question.id = query.id
        other_question = answer(question, "evil.test.", "10.6.6.7")
        true = answer(query, "api.test.", "10.0.0.1")
        return [b"", b"\xff" * 11, other_id.to_wire(), other_question.to_wire(), true.to_wire()]

    server.do("api.test", "A", forged)
    assert await found(lookup(server, family="ipv4")) == (["10.0.0.1"], 30)


async def test_an_answer_from_elsewhere(server: NameServer) -> None:
    """S-41: a datagram from another address than the one that was asked is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))

        def says(query: dns.message.Message, tcp: bool) -> Sequence[bytes]:
            response = dns.message.make_response(query)
            response.answer.append(dns.rrset.from_text("api.test.", 30, "IN", "A", "10.6.6.6"))
            other.sendto(response.to_wire(), asker)
            response.answer = [dns.rrset.from_text("api.test.", 30, "IN", "A", "10.0.0.1")]
            return [response.to_wire()]

        asker = ("", 0)
        server.do("api.test", "A", says)
        real = server.received

        def received(data: bytes, address: tuple[str, int]) -> None:
            nonlocal asker
            asker = address
            real(data, address)

        server.received = received  # type: ignore[method-assign]
        assert await found(lookup(server, family="ipv4")) == (["10.0.0.1"], 30)


async def test_truncated(server: NameServer) -> None:
    """An answer that does not fit into a datagram is asked for again over TCP, and is whole then."""
    addresses = [f"10.0.{number // 250}.{number % 250}" for number in range(1500)]

    def says(query: dns.message.Message, tcp: bool) -> Sequence[bytes]:
        response = dns.message.make_response(query)
        if tcp:
            response.answer = [dns.rrset.from_text("api.test.", 30, "IN", "A", *addresses)]
        else:
            response.answer = [dns.rrset.from_text("api.test.", 30, "IN", "A", *addresses[:5])]
            response.flags |= dns.flags.TC
        return [response.to_wire()]

    server.do("api.test", "A", says)
    ips, _ = await found(lookup(server, family="ipv4"))
    assert sorted(ips) == sorted(addresses)
    assert server.asked == [("api.test", "A", "udp"), ("api.test", "A", "tcp")]


@pytest.mark.parametrize("rcode", ["SERVFAIL", "REFUSED", "FORMERR", "NOTIMP"])
async def test_errors(server: NameServer, rcode: str) -> None:
    """What is no answer is a failure that says so."""
    for kind in ("A", "AAAA"):
        server.refuse("api.test", kind, rcode)
    assert rcode in await why(lookup(server))


async def test_no_such_name(server: NameServer) -> None:
    """NXDOMAIN, and a name without addresses, are told apart."""
    assert await why(lookup(server)) == "api.test does not exist"
    server.say("api.test", "TXT", "x")
    assert await why(lookup(server)) == "api.test has no address"


async def test_no_answer(server: NameServer) -> None:
    """A server that says nothing has ``timeout`` seconds."""
    for kind in ("A", "AAAA"):
        server.do("api.test", kind, lambda query, tcp: [])
    async with asyncio.timeout(5):
        assert "A of api.test" in await why(lookup(server, timeout=0.05))


async def test_nobody_there(server: NameServer) -> None:
    """A server that is not there is a failure."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unused:
        unused.bind(("127.0.0.1", 0))
        resolver = server.resolver()
        resolver.port = unused.getsockname()[1]
    assert "A of api.test" in await why(lookup(server, resolver=resolver, timeout=0.2))


async def test_a_family_that_is_silent(server: NameServer) -> None:
    """A family that never had addresses may fail; one that had some may not: half a set is none. That it has none any
    more is an answer."""
    server.say("api.test", "A", "10.0.0.1")
    server.refuse("api.test", "AAAA", "SERVFAIL")
    asker = lookup(server)
    assert await found(asker) == (["10.0.0.1"], 30)
    server.say("api.test", "AAAA", "fd00::1")
    assert await found(asker) == (["10.0.0.1", "fd00::1"], 30)
    server.refuse("api.test", "AAAA", "SERVFAIL")
    assert "AAAA of api.test" in await why(asker)
    server.say("api.test", "AAAA")
    assert await found(asker) == (["10.0.0.1"], 30)
    server.refuse("api.test", "AAAA", "SERVFAIL")
    assert await found(asker) == (["10.0.0.1"], 30)


async def test_search(server: NameServer) -> None:
    """A short name is completed by the search list if that is wanted, and only then."""
    server.say("api.prod.test", "A", "10.0.0.1")
    resolver = server.resolver()
    resolver.search = [dns.name.from_text("prod.test.")]
    assert await why(lookup(server, resolver=resolver), "api") == "api does not exist"
    assert await found(lookup(server, resolver=resolver, search=True), "api") == (["10.0.0.1"], 30)


async def test_services(server: NameServer) -> None:
    """SRV records come in order, doubles once; none is a failure."""
    asker = lookup(server)
    server.say("_http._tcp.api.test", "SRV", "20 5 80 b.test.", "10 0 8080 a.test.", "10 0 8080 A.test.", ttl=9)
    assert await asker.services("_http._tcp.api.test") == (((10, 0, 8080, "a.test."), (20, 5, 80, "b.test.")), 9)
    for name in ("nothing.test", "a.test"):
        server.say("a.test", "A", "10.0.0.1")
        with pytest.raises(DiscoveryFailed, match="has no SRV record"):
            await asker.services(name)


async def test_cancelled(server: NameServer) -> None:
    """Cancelled while it waits for an answer, a question leaves neither task nor socket."""
    for kind in ("A", "AAAA"):
        server.do("api.test", kind, lambda query, tcp: [])
    asking = asyncio.create_task(lookup(server).addresses("api.test"))
    await server.wait_asked(2)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking


async def test_what_it_remembers_is_bounded(server: NameServer) -> None:
    """However many names are looked up."""
    asker = lookup(server, family="ipv4")
    asker._had = {str(number): frozenset({"A"}) for number in range(1024)}
    server.say("api.test", "A", "10.0.0.1")
    await asker.addresses("api.test")
    assert asker._had == {"api.test": frozenset({"A"})}


async def test_no_address_is_a_failure_of_its_own(server: NameServer) -> None:
    """Who asks for many names can tell that there is none from not knowing."""
    with pytest.raises(NoAddress):
        await lookup(server).addresses("api.test")


@pytest.mark.parametrize(
    ("bad", "said"),
    [({"family": "ipx"}, "family"), ({"timeout": 0}, "timeout"), ({"timeout": float("inf")}, "timeout")],
)
async def test_bad_parameters(server: NameServer, bad: dict[str, Any], said: str) -> None:
    """They are named."""
    with pytest.raises(ValueError, match=said):
        lookup(server, **bad)


@pytest.mark.parametrize("name", ["a..b", "x" * 64 + ".test", ".".join(["x" * 60] * 5)])
async def test_bad_names(server: NameServer, name: str) -> None:
    """What nobody could be asked for is refused."""
    with pytest.raises(ValueError, match=r"service: .* is no domain name"):
        lookup(server).check("service", name)


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what to install."""
    monkeypatch.setitem(sys.modules, "dns.asyncbackend", None)
    with pytest.raises(ImportError, match=r"aiohttp-revproxy\[dns\]"):
        Lookup(family="any", timeout=5, search=False, resolver=None)


@given(st.floats(0, 1e9), st.integers())
def test_refresh(ttl: float, seed: int) -> None:
    """Between the bounds it is the TTL, and up to a tenth more; never less."""
    within = min(max(ttl, 5), 300)
    assert within <= Refresh(5, 300, Random(seed)).after(ttl) <= within * 1.1


@pytest.mark.parametrize(("least", "most"), [(0, 1), (-1, 1), (2, 1), (float("nan"), 1), (1, float("inf"))])
def test_bad_refresh(least: float, most: float) -> None:
    """Bounds that are none are refused."""
    with pytest.raises(ValueError, match=r"least|most"):
        Refresh(least, most, Random())
