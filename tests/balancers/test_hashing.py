"""Balancers that choose by a key: the same key goes to the same endpoint, and few move when the members change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy import Endpoint
from revproxy.balancers import Bounded, Hashing, Maglev, Rendezvous, Ring, Snapshot, keys
from revproxy.balancers.hashing import Walk
from revproxy.balancers.keys import hash_of
from revproxy.testing import exchange

KINDS: list[Callable[[], Hashing]] = [Rendezvous, Ring, Maglev]
every_kind = pytest.mark.parametrize("make", KINDS, ids=lambda make: make.__name__)

Make = Callable[[], Hashing]


def endpoints(*weights: int) -> tuple[Endpoint, ...]:
    return tuple(Endpoint(f"http://10.0.0.{number}", weight=weight) for number, weight in enumerate(weights))


def table(make: Make, members: Sequence[Endpoint]) -> Walk:
    return make().table(Snapshot(tuple(members)))


HASHES = [hash_of(f"key {number}") for number in range(20_000)]


def owners(make: Make, members: Sequence[Endpoint], hashes: Sequence[int] = HASHES) -> list[str]:
    walk = table(make, members)
    return [str(next(walk(hashed)).url) for hashed in hashes]


@every_kind
@given(st.integers(0, (1 << 64) - 1), st.lists(st.integers(1, 5), min_size=1, max_size=6))
def test_a_walk_is_the_keys_own(make: Make, hashed: int, weights: list[int]) -> None:
    """A key's walk has every endpoint once, and is the same each time, in each process, whatever the order in which the
    endpoints were named."""
    members = endpoints(*weights)
    walk = [str(each.url) for each in table(make, members)(hashed)]
    assert sorted(walk) == sorted(str(each.url) for each in members)
    again = table(make, endpoints(*weights)[::-1] if len(set(weights)) == 1 else endpoints(*weights))
    assert [str(each.url) for each in again(hashed)] == walk


@every_kind
@pytest.mark.parametrize("weights", [(1,) * 10, (1, 2, 3, 4), (1, 9)])
def test_shares(make: Make, weights: tuple[int, ...]) -> None:
    """Keys are shared out by weight: to a per cent by Maglev and rendezvous, to a tenth or so by the ring."""
    counts = Counter(owners(make, endpoints(*weights)))
    for number, weight in enumerate(weights):
        share, fair = counts[f"http://10.0.0.{number}"] / len(HASHES), weight / sum(weights)
        assert share == pytest.approx(fair, rel=0.25 if make is Ring else 0.08), counts


@pytest.mark.parametrize("count", [2, 10, 100])
def test_shares_of_maglevs_table(count: int) -> None:
    """Of Maglev's table itself every endpoint has its share within one per cent."""
    from revproxy.balancers.maglev import _fill

    entries = Counter(_fill(endpoints(*[1] * count), 65537))
    assert max(entries.values()) / (65537 / count) < 1.01
    assert min(entries.values()) / (65537 / count) > 0.99


@every_kind
@pytest.mark.parametrize("count", [5, 20])
def test_what_moves_when_one_leaves(make: Make, count: int) -> None:
    """Whoever of n leaves, his own keys move, and of the others none (by Maglev at most two per cent): 1/n and two per
    cent in all. A member of the ring has up to a quarter more than 1/n, so that moves with him."""
    members, hashes = endpoints(*[1] * count), HASHES[:5000]
    before = owners(make, members, hashes)
    for gone in members:
        after = owners(make, [each for each in members if each is not gone], hashes)
        moves = [(was, now) for was, now in zip(before, after, strict=True) if was != now]
        others = sum(was != str(gone.url) for was, _ in moves) / len(hashes)
        assert others <= (0.02 if make is Maglev else 0.0)
        assert len(moves) / len(hashes) <= 1 / count + 0.02 + (0.25 / count if make is Ring else 0.0)


@pytest.mark.parametrize("make", [Rendezvous, Ring])
def test_who_is_next(make: Make) -> None:
    """The endpoint that comes second in a key's walk is the one that gets the key when the first leaves."""
    members = endpoints(1, 1, 1, 1, 1)
    walk, without = table(make, members), {each: table(make, [m for m in members if m is not each]) for each in members}
    for hashed in HASHES[:2000]:
        first, second, *_ = walk(hashed)
        assert next(without[first](hashed)) is second


@every_kind
def test_by_a_key(make: Callable[..., Hashing]) -> None:
    """Exchanges with the same key go to the same endpoint; those without one are spread."""
    members = endpoints(*[1] * 8)
    order = make(keys.header("X-Tenant"), rng=Random(1)).bind(Snapshot(members))

    def chosen(tenant: str | None) -> Endpoint:
        return next(iter(order(exchange(headers={} if tenant is None else {"X-Tenant": tenant}))))

    assert len({chosen("acme") for _ in range(20)}) == 1
    assert len({chosen(f"t{number}") for number in range(100)}) == 8
    assert len({chosen(None) for _ in range(200)}) == 8


# Keys.


def test_client_address() -> None:
    """The address, or the network that it is in; IPv4 and IPv6 apart; none for a Unix socket."""
    whole, wide = keys.client_address(), keys.client_address(v4=24, v6=48)
    assert whole(exchange(client="192.0.2.1")) != whole(exchange(client="192.0.2.2"))
    assert wide(exchange(client="192.0.2.1")) == wide(exchange(client="192.0.2.200"))
    assert wide(exchange(client="192.0.2.1")) != wide(exchange(client="192.0.3.1"))
    assert whole(exchange(client="2001:db8::1")) == whole(exchange(client="2001:db8::2"))
    assert whole(exchange(client="2001:db8::1")) != whole(exchange(client="2001:db8:0:1::1"))
    assert wide(exchange(client="2001:db8::1")) == wide(exchange(client="2001:db8:0:1::1"))
    assert whole(exchange(client=None)) is None
    for bad in ({"v4": 0}, {"v4": 33}, {"v6": 0}, {"v6": 129}):
        with pytest.raises(ValueError, match="must be"):
            keys.client_address(**bad)


def test_other_keys() -> None:
    """Each says what it finds, or that there is nothing."""
    asked = exchange("GET", "/a/b?x=1&x=2", headers=[("X-T", "1"), ("x-t", "2"), ("Cookie", "s=1; s=2")])
    assert (keys.header("X-T")(asked), keys.header("X-U")(asked)) == ("1, 2", None)
    assert (keys.cookie("s")(asked), keys.cookie("t")(asked)) == ("1", None)
    assert (keys.query("x")(asked), keys.query("y")(asked)) == ("1", None)
    assert keys.path()(asked) == "/a/b"
    for bad in (keys.header, keys.cookie):
        with pytest.raises(ValueError, match="name"):
            bad("a b")


def test_hashes_are_the_same_everywhere() -> None:
    """Proxies that know nothing of each other agree: the hash depends on the key alone, however it is written."""
    assert hash_of("key") == hash_of(b"key") == 0xCE7CCCADC3A94CF5
    assert hash_of("\udce9") == hash_of(b"\xe9")


# What cannot be.


@pytest.mark.parametrize("size", [0, 1, 4, 65536])
def test_maglevs_size_is_a_prime(size: int) -> None:
    """Else the walk through its table would not reach every entry."""
    with pytest.raises(ValueError, match="prime"):
        Maglev(size=size)


def test_a_table_that_is_too_small() -> None:
    """It is refused when it is bound."""
    with pytest.raises(ValueError, match="too few"):
        Maglev(size=3).bind(Snapshot(endpoints(1, 1, 1, 1)))


def test_a_ring_without_points() -> None:
    """It is refused."""
    with pytest.raises(ValueError, match="points"):
        Ring(points=0)


# With bounded loads.


@given(
    st.lists(st.integers(1, 3), min_size=2, max_size=8),
    st.sampled_from([1.0, 1.25, 2.0]),
    st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=60),
)
def test_bounded(weights: list[int], factor: float, acts: list[tuple[int, bool]]) -> None:
    """No endpoint gets a request beyond ``factor`` times its share, rounded up, whatever keys ask and in whatever order
    requests end."""
    members = endpoints(*weights)
    order = Bounded(Maglev(keys.header("X"), size=1009), factor=factor).bind(Snapshot(members))
    under_way: list[Endpoint] = []
    for key, begins in acts:
        if begins or not under_way:
            endpoint = next(iter(order(exchange(headers={"X": str(key)}))))
            endpoint.in_flight += 1
            under_way.append(endpoint)
            share = factor * len(under_way) * endpoint.weight / sum(weights)
            assert endpoint.in_flight <= -(-share // 1) + 1e-9
        else:
            under_way.pop(key % len(under_way)).in_flight -= 1


def test_bounded_keeps_the_keys_order() -> None:
    """While there is room a key stays where it is; then it goes to the next of its own order."""
    members = endpoints(1, 1, 1, 1)
    inner = Ring(keys.header("X"))
    walk = list(inner.bind(Snapshot(members))(asked := exchange(headers={"X": "a"})))
    order = Bounded(Ring(keys.header("X"))).bind(Snapshot(members))
    assert list(order(asked)) == walk
    walk[0].in_flight = 3
    assert list(order(asked)) == [*walk[1:], walk[0]]
    with pytest.raises(ValueError, match="factor"):
        Bounded(Ring(), factor=0.9)
