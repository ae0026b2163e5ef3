"""Who may connect, without a socket."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from revproxy.guard import Guard, PrefixCap
from revproxy.guard.door import Door, Pace, Table, Ticket
from revproxy.networks import parse_address
from revproxy.testing import FakeClock

ADDRESSES = ["192.0.2.1", "192.0.2.9", "198.51.100.1", "::ffff:192.0.2.1", "2001:db8::1", "2001:db8:0:1::1", "10.0.0.1"]


def door(*caps: PrefixCap, **said: object) -> tuple[Door, FakeClock]:
    clock = FakeClock()
    return Door(Guard(prefixes=caps, **said), clock), clock  # type: ignore[arg-type]


def let_in(door: Door, address: str) -> Ticket:
    ticket = door.enter((address, 1))
    assert not isinstance(ticket, str)
    return ticket


def test_in_all() -> None:
    """S-48: beyond the cap nobody is let in, from anywhere, until somebody leaves."""
    front, _ = door(connections=2)
    first = let_in(front, "192.0.2.1")
    let_in(front, "10.0.0.1")
    assert front.enter(("198.51.100.1", 1)) == "connections"
    assert front.enter("") == "connections"
    front.leave(first)
    assert front.enter("") == ()
    assert front.open == 2


@pytest.mark.parametrize(
    ("same", "other"),
    [
        (("192.0.2.1", "192.0.2.200"), "192.0.3.1"),
        (("192.0.2.1", "::ffff:192.0.2.7"), "198.51.100.1"),
        (("2001:db8:0:1::1", "2001:db8:0:1:ffff::2"), "2001:db8:0:2::1"),
        (("fe80::1%eth0", "fe80::2"), "fe81::1"),
    ],
)
def test_of_one_network(same: tuple[str, str], other: str) -> None:
    """S-48: addresses that agree in the bits of the cap count together; an IPv4 address counts as one, however it came
    in; a neighbour is let in."""
    front, _ = door(PrefixCap(ipv4=24, ipv6=64, connections=2))
    tickets = [let_in(front, each) for each in same]
    assert front.enter((same[0], 1)) == "prefix connections"
    let_in(front, other)
    front.leave(tickets[0])
    let_in(front, same[1])


def test_of_several_widths() -> None:
    """S-48: all caps hold: a network is full though none of its addresses is."""
    front, _ = door(PrefixCap(ipv4=32, ipv6=64, connections=2), PrefixCap(ipv4=24, ipv6=56, connections=3))
    for address in ("192.0.2.1", "192.0.2.1", "192.0.2.2"):
        let_in(front, address)
    assert front.enter(("192.0.2.1", 1)) == "prefix connections"
    assert front.enter(("192.0.2.3", 1)) == "prefix connections"
    let_in(front, "192.0.3.1")


def test_exempt() -> None:
    """S-48: by default who connects from inside is not capped by its address; with ``exempt=()`` it is."""
    front, _ = door(PrefixCap(ipv4=32, ipv6=64, connections=1))
    for address in ("127.0.0.1", "::1", "10.1.2.3", "::ffff:192.168.0.1", "fd00::1"):
        let_in(front, address)
        let_in(front, address)
    front, _ = door(PrefixCap(ipv4=32, ipv6=64, connections=1), exempt=())
    let_in(front, "127.0.0.1")
    assert front.enter(("127.0.0.1", 1)) == "prefix connections"


def test_how_fast() -> None:
    """S-48: so many at once, then so many in a second; what is refused uses up nothing."""
    front, clock = door(accept_rate=10, accept_burst=3)
    for _ in range(3):
        let_in(front, "192.0.2.1")
    for _ in range(100):
        assert front.enter(("192.0.2.1", 1)) == "rate"
    clock.advance(0.1)
    let_in(front, "192.0.2.1")
    assert front.enter("") == "rate"


def test_one_network_does_not_use_up_what_all_have() -> None:
    """S-48: a client that is beyond its own cap costs the others nothing of the rate for all."""
    front, _ = door(PrefixCap(ipv4=32, ipv6=64, rate=1, burst=1), accept_rate=1, accept_burst=2)
    let_in(front, "192.0.2.1")
    for _ in range(10):
        assert front.enter(("192.0.2.1", 1)) == "prefix rate"
    let_in(front, "192.0.2.2")


def test_a_rate_outlives_its_connections() -> None:
    """S-48: who leaves at once and comes again is as fast as who stays; when the time is over, nothing is known of it
    any more."""
    front, clock = door(PrefixCap(ipv4=32, ipv6=64, rate=1, burst=1))
    front.leave(let_in(front, "192.0.2.1"))
    assert front.enter(("192.0.2.1", 1)) == "prefix rate"
    clock.advance(1)
    ticket = let_in(front, "192.0.2.1")
    clock.advance(1)
    front.leave(ticket)
    assert list(front.networks.values()) == [0]


def test_tables_are_bounded() -> None:
    """S-48, S-54: whatever addresses come and go, a table knows of its size and of who is connected, no more; who is
    connected is not forgotten."""
    table = Table(PrefixCap(ipv4=32, ipv6=64, connections=1, rate=0.001, burst=1), size=16)
    prefixes = [(4, number) for number in range(2000)]
    kept = prefixes[:10]
    for prefix in kept:
        table.enter(prefix, 0.0)
    for prefix in prefixes[10:]:
        table.enter(prefix, 0.0)
        table.leave(prefix, 0.0)
        assert len(table) <= 17
    assert [table.refuses(prefix, 1e9) for prefix in kept] == ["prefix connections"] * 10


def test_an_address_that_is_none() -> None:
    """What cannot be read as an address counts against the cap for all, and no other."""
    front, _ = door(PrefixCap(ipv4=32, ipv6=64, connections=1))
    assert (front.enter(("@", 1)), front.enter(None), front.enter(b"")) == ((), (), ())
    assert front.open == 3
    assert repr(front) == "<Door: 3 of 10000 connections, 0 networks known>"


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(ADDRESSES), st.booleans(), st.floats(0, 3)), max_size=80))
def test_against_a_list(steps: list[tuple[str, bool, float]]) -> None:
    """S-48: for any order of coming and leaving, exactly those are let in that a list of who is there allows, and
    nothing is left when all have gone."""
    caps = (PrefixCap(ipv4=32, ipv6=64, connections=2), PrefixCap(ipv4=24, ipv6=56, connections=3))
    front, clock = door(*caps, connections=5)
    inside: list[tuple[str, Ticket]] = []

    def network(address: str, bits: int) -> object:
        parsed = parse_address(address)
        assert parsed is not None
        ip = parsed[0]
        width = {32: 64, 24: 56}[bits] if ip.version == 6 else bits
        return ip.version, int(ip) >> (ip.max_prefixlen - width)

    for address, leaves, seconds in steps:
        clock.advance(seconds)
        if leaves and inside:
            front.leave(inside.pop(0)[1])
            continue
        full = any(
            sum(network(each, bits) == network(address, bits) for each, _ in inside) >= most
            for bits, most in ((32, 2), (24, 3))
        )
        refused = len(inside) >= 5 or (full and address != "10.0.0.1")
        ticket = front.enter((address, 1))
        assert isinstance(ticket, str) is refused
        if not isinstance(ticket, str):
            inside.append((address, ticket))
    for _, ticket in inside:
        front.leave(ticket)
    assert (front.open, list(front.networks.values())) == (0, [0, 0])


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 40), max_size=60), st.integers(1, 5))
def test_a_pace_against_a_bucket(waits: list[int], burst: int) -> None:
    """S-48: GCRA lets pass what a bucket of ``burst`` tokens that refills at the rate does."""
    pace, now, tokens = Pace(1 / 16, burst), 0.0, float(burst)
    for wait in waits:
        now, tokens = now + wait, min(burst, tokens + wait / 16)
        assert pace.conforms(now) is (tokens >= 1)
        if tokens >= 1:
            tokens -= 1
            pace.take(now)
