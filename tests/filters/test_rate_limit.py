"""Who asks for too much is refused, and nobody else."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from math import inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy import Handler, Pipeline, ProxyHandler, Response, Upstream
from revproxy.balancers import keys
from revproxy.body import Body, StreamBody
from revproxy.errors import ConnectFailed, Overloaded, ProxyError, RateLimited
from revproxy.events import Event
from revproxy.exchange import Exchange
from revproxy.filters import Bytes, Milliseconds, Quota, RateLimit
from revproxy.handler import running
from revproxy.limiters import Gcra, SheddingBegan, SheddingEnded
from revproxy.testing import FakeClock, FakeUpstream, exchange
from revproxy.trust import TrustedProxies

from ..e2e.wire import GET, Client, Site, serving


async def answer(exchange: Exchange) -> Response:
    return Response(200, {"X-From": "handler"}, Body(b"hello"))


class Bench:
    """A filter, its clock, and what it tells."""

    def __init__(self, *limits: Any, handler: Handler = answer, **options: Any) -> None:
        self.clock = FakeClock()
        self.subject = RateLimit(*limits, clock=self.clock, **options)
        self.handler = handler
        self.events: list[Event] = []
        self.subject._listeners = (self.events.append,)

    async def ask(self, client: str | None = "192.0.2.1", **options: Any) -> Response | ProxyError:
        """One exchange, from its beginning to its end."""
        asked = exchange(client=client, **options)
        try:
            return await self.subject(asked, self.handler)
        except ProxyError as error:
            return error
        finally:
            asked.finish()

    async def statuses(self, count: int, client: str | None = "192.0.2.1", **options: Any) -> list[int | None]:
        return [(await self.ask(client, **options)).status for _ in range(count)]


async def test_one_client_does_not_pay_for_another() -> None:
    """S-49: who has used up what he may have is refused with 429 and told when to come again; all others are served,
    and so is he, at his rate."""
    bench = Bench(Gcra(0.5, 2))
    assert await bench.statuses(4) == [200, 200, 429, 429]
    error = await bench.ask()
    assert isinstance(error, RateLimited)
    assert (error.fields, error.retryable) == ({"Retry-After": "2"}, False)
    assert await bench.statuses(3, "192.0.2.2") == [200, 200, 429]
    bench.clock.advance(2)
    assert await bench.statuses(2) == [200, 429]
    assert (bench.subject.allowed, bench.subject.refused) == (5, 5)


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
    ],
)
async def test_clients_by_default(first: str, second: str, together: bool) -> None:
    """S-49: an IPv4 address is a client, and so is an IPv6 network of 64 bits, of which anybody has as many addresses
    as he likes."""
    bench = Bench(Gcra(1, 1))
    assert await bench.statuses(1, first) == [200]
    assert await bench.statuses(1, second) == [429 if together else 200]


async def test_keys() -> None:
    """S-49: any function of the exchange says who asks; ``None`` is not limited, and counts as allowed."""
    bench = Bench(Gcra(1, 1), key=keys.header("X-Api-Key"))
    assert await bench.statuses(2, headers={"X-Api-Key": "a"}) == [200, 429]
    assert await bench.statuses(2, headers={"X-Api-Key": "b"}) == [200, 429]
    assert await bench.statuses(3) == [200] * 3
    assert bench.subject.allowed == 5
    bench = Bench(Gcra(1, 1))
    assert await bench.statuses(3, None) == [200] * 3
    bench = Bench(Gcra(1, 1), key=keys.first_of(keys.header("X-Api-Key"), keys.client_address(v4=24)))
    assert await bench.statuses(2, headers={"X-Api-Key": "a"}) == [200, 429]
    assert await bench.statuses(2) == [200, 429]
    assert await bench.statuses(1, "192.0.2.77") == [429]
    bench = Bench(Gcra(1, 2), key=keys.everyone())
    assert [await bench.statuses(1, f"192.0.2.{each}") for each in range(3)] == [[200], [200], [429]]


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from([0.0, 0.1, 1.0]), st.integers(0, 3)), max_size=40))
async def test_all_or_none(steps: list[tuple[int, float, int]]) -> None:
    """S-49: of several limits a request passes if all of them allow it. If one refuses it, nothing is taken from any:
    they all hold what they would if it had never come."""
    now = FakeClock()
    each, every = Gcra(1, 3), Gcra(2, 5)
    subject = RateLimit(
        Quota(each, name="client", cost=lambda exchange: float(exchange.inbound.path[1:])),
        Quota(every, name="all", key=keys.everyone()),
        clock=now,
    )
    mirrored = Gcra(1, 3), Gcra(2, 5)
    for client, wait, cost in steps:
        now.advance(wait)
        key = bytes((192, 0, 2, client))
        would = mirrored[0].peek(key, now.now(), cost).allowed and mirrored[1].peek(b"", now.now()).allowed
        asked = exchange(target=f"/{cost}", client=f"192.0.2.{client}")
        try:
            await subject(asked, answer)
            passed = True
        except RateLimited:
            passed = False
        assert passed == would
        if would:
            mirrored[0].hit(key, now.now(), cost)
            mirrored[1].hit(b"", now.now())
        assert each.peek(key, now.now()).remaining == pytest.approx(mirrored[0].peek(key, now.now()).remaining)
        assert every.peek(b"", now.now()).remaining == pytest.approx(mirrored[1].peek(b"", now.now()).remaining)
    assert subject.refused == sum(quota.refused for quota in subject.limits)


async def test_costs() -> None:
    """S-50: what is dear takes more. What costs more than there ever is never passes, and is not told to come again."""
    bench = Bench(Gcra(1, 10), cost=5)
    assert await bench.statuses(3) == [200, 200, 429]
    bench = Bench(Gcra(1, 10), cost=lambda exchange: 9 if exchange.inbound.path == "/export" else 1)
    assert await bench.statuses(2) == [200, 200]
    assert await bench.statuses(1, target="/export") == [429]
    assert await bench.statuses(8) == [200] * 8
    bench = Bench(Gcra(1, 10), cost=lambda exchange: 11)
    error = await bench.ask()
    assert isinstance(error, RateLimited)
    assert error.fields == {}


@pytest.mark.parametrize("cost", [-1.0, inf, float("nan"), "1", None])
async def test_a_cost_that_is_none(cost: Any) -> None:
    """What a function says that is no cost fails the exchange, and what others have taken for it is given back."""
    first = Gcra(1, 1)
    bench = Bench(Quota(first, name="a"), Quota(Gcra(1, 1), cost=lambda exchange: cost, name="b"))
    with pytest.raises((ValueError, TypeError)):
        await bench.ask()
    assert first.peek(bytes((192, 0, 2, 1)), bench.clock.now()).remaining == 0
    assert bench.subject.allowed == 0


@pytest.mark.parametrize("shadow", [False, True])
@pytest.mark.parametrize("used", [0, 1])
async def test_what_a_handler_raises(shadow: bool, used: int) -> None:
    """What has been taken stays taken, and what has been given back is given back once, also if the handler is a plain
    function that raises before there is anything to await."""
    first, second = Gcra(1, 5), Gcra(1, 1)
    whose = bytes((192, 0, 2, 1))

    def raising(exchange: Exchange) -> Any:
        raise ConnectFailed("gone")

    bench = Bench(Quota(first, name="a"), Quota(second, name="b"), handler=raising, shadow=shadow)
    first.hit(whose, bench.clock.now(), 2)
    second.hit(whose, bench.clock.now(), used)
    assert await bench.statuses(1) == [429 if used and not shadow else 502]
    assert first.peek(whose, bench.clock.now(), 0).remaining == (3 if used else 2)
    assert second.peek(whose, bench.clock.now(), 0).remaining == 0


async def test_milliseconds() -> None:
    """S-50: what an exchange has taken is owed when it is over, its body included; whoever owes more than his burst
    waits. So is what failed: a timeout is the dearest of all."""
    clock: FakeClock

    async def slow(exchange: Exchange) -> Response:
        clock.advance(1.5)
        if exchange.inbound.path == "/fails":
            raise ConnectFailed("gone")
        return Response(200)

    limiter = Gcra(100, 1000)
    bench = Bench(limiter, cost=Milliseconds(), handler=slow)
    clock = bench.clock
    asked = exchange()
    await bench.subject(asked, slow)
    clock.advance(0.5)
    assert limiter.peek(bytes((192, 0, 2, 1)), clock.now()).reset <= 0.01
    asked.finish()
    assert await bench.statuses(1) == [429]
    clock.advance(10)
    assert await bench.statuses(2, target="/fails") == [502, 429]


async def test_bytes() -> None:
    """S-50: what went to the client is owed, by length where the body is there, else as it passes; the body is the same
    to the byte, and as long as it said."""
    limiter = Gcra(10, 100)
    whose = bytes((192, 0, 2, 1))

    async def pieces() -> Any:
        for _ in range(10):
            yield b"x" * 15

    async def streaming(exchange: Exchange) -> Response:
        return Response(200, body=StreamBody(pieces(), length=150))

    bench = Bench(limiter, cost=Bytes(), handler=streaming)
    asked = exchange()
    response = await bench.subject(asked, streaming)
    assert response.body.length == 150
    assert await response.body.read(1000) == b"x" * 150
    asked.finish()
    assert limiter.peek(whose, bench.clock.now()).reset == pytest.approx(15.1, abs=0.11)
    assert await bench.statuses(1) == [429]
    bench = Bench(limiter := Gcra(10, 100), cost=Bytes())
    assert await bench.statuses(1) == [200]
    assert limiter.peek(whose, bench.clock.now(), 0).remaining == 95


async def test_a_reserve() -> None:
    """S-50: with a reserve only as many are under way at once as there is room for; at the end the difference is taken,
    or given back."""
    limiter = Gcra(10, 100)
    bench = Bench(limiter, cost=Bytes(reserve=40))
    asked = [exchange() for _ in range(3)]
    for each in asked[:2]:
        await bench.subject(each, answer)
    with pytest.raises(RateLimited):
        await bench.subject(asked[2], answer)
    for each in asked:
        each.finish()
    assert limiter.peek(bytes((192, 0, 2, 1)), bench.clock.now(), 0).remaining == 90

    async def failing(exchange: Exchange) -> Response:
        raise ConnectFailed("gone")

    bench = Bench(limiter := Gcra(10, 100), cost=Bytes(reserve=40), handler=failing)
    assert await bench.statuses(3) == [502] * 3
    assert limiter.peek(bytes((192, 0, 2, 1)), bench.clock.now(), 0).remaining == 100


async def test_given_up() -> None:
    """What a client that has gone had reserved is settled at once, and its time is owed."""
    limiter = Gcra(1, 100)
    bench = Bench(limiter, cost=Milliseconds(reserve=50))

    async def forever(exchange: Exchange) -> Response:
        await asyncio.get_running_loop().create_future()
        raise AssertionError

    task = asyncio.create_task(bench.subject(exchange(), forever))
    await asyncio.sleep(0)
    bench.clock.advance(0.03)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert limiter.peek(bytes((192, 0, 2, 1)), bench.clock.now(), 0).remaining == pytest.approx(70, abs=0.1)


# What is said.


async def test_response_fields() -> None:
    """draft-ietf-httpapi-ratelimit-headers-11: what is allowed, what is refused, and what has failed say the policies,
    and how much is left of each; what the handler has said stays, and the handler's own answer is not touched."""
    shared = Response(200, {"X-From": "handler"}, Body(b"hello"))

    async def again(exchange: Exchange) -> Response:
        if exchange.inbound.path == "/fails":
            raise Overloaded("x", retry_after=7)
        return shared

    bench = Bench(
        Quota(Gcra(1, 2), name='per "client"'),
        Quota(Gcra(0.1, 50), key=keys.everyone(), name="all"),
        Quota(Gcra(1000, 5000), cost=Milliseconds(), name="time"),
        Quota(Gcra(1000, 64000.5), cost=Bytes(), name="bytes"),
        handler=again,
        fields=True,
    )
    policies = r'"per \"client\"";q=2;w=2, "all";q=50;w=500, "bytes";q=64000;qu="content-bytes";w=65'
    first = await bench.ask()
    assert isinstance(first, Response)
    assert first.headers.getall("RateLimit-Policy") == [policies]
    assert first.headers.getall("RateLimit") == [r'"per \"client\"";r=1;t=1, "all";r=49;t=10, "bytes";r=64000;t=0']
    assert first.headers["X-From"] == "handler"
    assert first.body is shared.body
    assert "RateLimit" not in shared.headers
    failed = await bench.ask(target="/fails")
    assert isinstance(failed, Overloaded)
    assert failed.fields == {
        "Retry-After": "7",
        "RateLimit-Policy": policies,
        "RateLimit": r'"per \"client\"";r=0;t=2, "all";r=48;t=20, "bytes";r=63995;t=1',
    }
    refused = await bench.ask()
    assert isinstance(refused, RateLimited)
    assert refused.fields == {
        "Retry-After": "1",
        "RateLimit-Policy": policies,
        "RateLimit": r'"per \"client\"";r=0;t=2',
    }


async def test_one_in_another() -> None:
    """Both say what they have to, as members of one list; so does what an upstream has said itself."""

    async def said(exchange: Exchange) -> Response:
        return Response(200, {"RateLimit": '"own";r=1'})

    outer = RateLimit(Quota(Gcra(1, 9), name="outer"), fields=True, clock=FakeClock())
    inner = RateLimit(Quota(Gcra(1, 1), name="inner"), fields=True, clock=FakeClock())
    both = Pipeline(outer, inner, handler=said)
    response = await both(exchange())
    assert response.headers.getall("RateLimit") == ['"own";r=1', '"inner";r=0;t=1', '"outer";r=8;t=1']
    with pytest.raises(RateLimited) as raised:
        await both(exchange())
    assert raised.value.fields["RateLimit"] == '"inner";r=0;t=1, "outer";r=7;t=2'


async def test_nothing_is_said_by_default() -> None:
    """Without ``fields`` an answer is handed on as it is, the very object."""
    response = Response(200)

    async def same(exchange: Exchange) -> Response:
        return response

    assert await Bench(Gcra(1, 2), handler=same).ask() is response


async def test_a_flood_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """S-49: however many are refused, there are two events: with the limit and the first of them, and with how many
    there were. The security log has five lines of one client, and one with the number of the others."""
    bench = Bench(Gcra(10, 20), name="edge")
    with caplog.at_level(logging.INFO, "revproxy.event"):
        await bench.statuses(500)
        bench.clock.advance(10)
    assert bench.events == [
        SheddingBegan("edge", "default: more than 10/s, 20 at once, from 192.0.2.1"),
        SheddingEnded("edge", 480, 0.0),
    ]
    events = [record for record in caplog.records if record.name == "revproxy.event"]
    assert [record.levelname for record in events] == ["WARNING", "INFO"]
    noted = [record for record in caplog.records if record.name == "revproxy.security"]
    assert [record.__dict__["repeats"] for record in noted] == ["0"] * 5 + ["475"]
    assert bench.clock.waiting == 0


async def test_it_stops() -> None:
    """No timer is left behind."""
    bench = Bench(Gcra(1, 1))
    async with running(bench.subject):
        await bench.statuses(3)
        assert bench.clock.waiting == 1
    assert bench.clock.waiting == 0


@pytest.mark.parametrize("cost", [1.0, Bytes(), Milliseconds(reserve=1)], ids=repr)
async def test_a_shadow_changes_nothing(cost: Any) -> None:
    """S-49: in shadow everything passes, unchanged to the byte and without a field of its own; what would have been
    refused is counted and told."""
    responses = {"/memory": lambda: Response(200, {"X": "y"}, Body(b"hello")), "/stream": stream}

    async def handler(exchange: Exchange) -> Response:
        return responses[exchange.inbound.path]()

    bench = Bench(Gcra(1e-3, 1), cost=cost, handler=handler, shadow=True, fields=True, name="trial")
    for target in ["/memory", "/stream"] * 5:
        asked = exchange(target=target)
        response, plain = await bench.subject(asked, handler), responses[target]()
        assert (response.status, response.headers) == (plain.status, plain.headers)
        assert response.body.length == plain.body.length
        assert await response.body.read(100) == await plain.body.read(100)
        bench.clock.advance(1)
        asked.finish()
    assert (bench.subject.allowed, bench.subject.refused) == (1, 9)
    bench.clock.advance(20)
    assert [str(event) for event in bench.events] == [
        "trial: requests would be refused: default: more than 0.001/s, 1 at once, from 192.0.2.1",
        "trial: no request would be refused any more; 9 would have been, in 8 s",
    ]


def stream() -> Response:
    async def pieces() -> Any:
        for piece in (b"a", b"bc", b""):
            yield piece

    return Response(200, {"X": "z"}, StreamBody(pieces()))


# Through real sockets.


@asynccontextmanager
async def connect_from(address: str, site: Site) -> AsyncIterator[Client]:
    with socket.socket() as sock:
        sock.setblocking(False)
        sock.bind((address, 0))
        await asyncio.get_running_loop().sock_connect(sock, site.address)
        yield Client(sock)


async def test_a_flood_from_one_client_while_another_is_served() -> None:
    """S-49: one client sends 500 requests as fast as it can, and gets what it may; another, meanwhile, is answered each
    time. A refusal is a problem document, and never reaches the upstream."""
    limit = RateLimit(Gcra(10, 20), fields=True, clock=FakeClock())
    async with (
        FakeUpstream() as server,
        serving(ProxyHandler(Upstream(server.url), filters=[limit])) as site,
        site.connect() as flood,
        connect_from("127.0.0.2", site) as other,
    ):
        await flood.send(GET * 500)
        served = []
        answers = []
        for number in range(500):
            answers.append(await flood.response())
            if number % 25 == 0:
                await other.send(GET)
                served.append((await other.response()).status)
        assert [each.status for each in answers] == [200] * 20 + [429] * 480
        assert served == [200] * 20
        assert answers[0].getall(b"RateLimit") == [b'"default";r=19;t=1']
        assert answers[-1].getall(b"Retry-After") == [b"1"]
        assert answers[-1].getall(b"RateLimit") == [b'"default";r=0;t=2']
        assert answers[-1].getall(b"RateLimit-Policy") == [b'"default";q=20;w=2']
        assert b'"title": "Too many requests"' in answers[-1].body
        assert (limit.allowed, limit.refused) == (40, 480)
        assert len(server.requests) == 40


@pytest.mark.parametrize("trusted", [False, True])
async def test_nobody_says_that_he_is_somebody_else(trusted: bool) -> None:
    """S-22: what a client writes into fields about where it comes from gives it no other key, unless it is a proxy that
    is trusted."""
    limit = RateLimit(Gcra(1, 2), clock=FakeClock())
    proxies = TrustedProxies("127.0.0.1") if trusted else None
    async with serving(ProxyHandler(answer, filters=[limit], trusted=proxies)) as site, site.connect() as client:
        statuses = []
        for number in range(6):
            said = f"203.0.113.{number}"
            fields = f"X-Forwarded-For: {said}\r\nX-Real-IP: {said}\r\nTrue-Client-IP: {said}\r\n"
            await client.send(GET[:-2] + fields.encode() + b"\r\n")
            statuses.append((await client.response()).status)
    assert statuses == [200] * 6 if trusted else [200] * 2 + [429] * 4


# What it is given.


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: RateLimit(), ValueError, "limits: there is none"),
        (lambda: RateLimit(10), TypeError, "limiter: 10 is no Limiter"),  # type: ignore[arg-type]
        (lambda: RateLimit("10/m"), TypeError, "limiter: '10/m' is no Limiter"),  # type: ignore[arg-type]
        (lambda: Quota(Quota(Gcra(1, 1))), TypeError, "is no Limiter"),  # type: ignore[arg-type]
        (lambda: RateLimit(Gcra(1, 1), key="ip"), TypeError, "key: 'ip' is no function"),  # type: ignore[arg-type]
        (lambda: Quota(Gcra(1, 1), key=b"ip"), TypeError, "key: b'ip' is no function"),  # type: ignore[arg-type]
        (lambda: RateLimit(Gcra(1, 1), cost="1"), TypeError, "cost: '1' is neither"),  # type: ignore[arg-type]
        (lambda: RateLimit(Gcra(1, 1), cost=True), TypeError, "cost: True is neither"),
        (lambda: RateLimit(Gcra(1, 1), cost=-1), ValueError, "cost must be at least 0 and finite, got -1"),
        (lambda: RateLimit(Gcra(1, 1), cost=float("nan")), ValueError, "cost must be at least 0 and finite, got nan"),
        (lambda: RateLimit(Gcra(1, 5), cost=6), ValueError, "cost: 6 is more than <Gcra"),
        (lambda: Quota(Gcra(1, 5), cost=Bytes(reserve=6)), ValueError, r"cost: Bytes\(reserve=6\) is more than"),
        (lambda: Bytes(reserve=-1), ValueError, "reserve must be at least 0 and finite, got -1"),
        (lambda: Milliseconds(reserve=inf), ValueError, "reserve must be at least 0 and finite, got inf"),
        (lambda: Quota(Gcra(1, 1), name="ü"), ValueError, "name must be printable ASCII, got 'ü'"),
        (lambda: Quota(Gcra(1, 1), name="a\r\nb"), ValueError, "name must be printable ASCII"),
        (
            lambda: RateLimit(Quota(Gcra(1, 1), name="a"), Quota(Gcra(2, 2), name="a")),
            ValueError,
            r"limits must have names of their own, got \['a', 'a'\]",
        ),
        (lambda: keys.first_of("a"), TypeError, "keys: 'a' is no function"),  # type: ignore[arg-type]
    ],
)
def test_nonsense(make: Callable[[], object], error: type[Exception], says: str) -> None:
    """Refused, with the parameter and its value."""
    with pytest.raises(error, match=says):
        make()


async def test_printed() -> None:
    """It shows what has passed and what was refused, and for which limit."""
    bench = Bench(Gcra(1, 1), Quota(Gcra(1, 5), name="b", cost=Bytes(reserve=1)), name="edge", shadow=True)
    await bench.statuses(2)
    assert repr(bench.subject) == (
        "<RateLimit edge shadow allowed 1 refused 1: limit-1 <Gcra 1/s, 1 at once: 1 of 65536 keys> refused 1,"
        " b <Gcra 1/s, 5 at once: 1 of 65536 keys> refused 0>"
    )
    assert "cost=Bytes(reserve=1), name='b'" in repr(bench.subject.limits[1])
