"""Retries and hedges over real connections: what servers get, what clients see, and what is left."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from revproxy import Filter, Pipeline, ProxyHandler, Timeouts, Upstream
from revproxy.balancers import First
from revproxy.errors import ConnectFailed, ConnectionLost, ResponseTimeout, Truncated
from revproxy.filters import CircuitBreaker, Deadline, Hedge, Retry
from revproxy.health import CircuitState, OutlierDetection, Trip
from revproxy.limiters import RetryBudget
from revproxy.testing import (
    FakeUpstream,
    Step,
    close,
    echo,
    head,
    hold,
    ignore_body,
    interim,
    raw,
    read_body,
    reset,
    respond,
    signal,
    stall,
    switch,
    truncate,
)

from .pull import pull
from .seen import Seen
from .wire import GET, TIMEOUT, serving

POST = b"POST /p HTTP/1.1\r\nHost: a.test\r\nContent-Length: 2\r\n\r\nhi"
PUT = b"PUT /p HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10\r\n\r\n"
SOON = Timeouts(connect=5, head=5)


def retry(attempts: int = 2, **options: object) -> Retry:
    return Retry(attempts, base=0.001, rng=Random(1), **options)  # type: ignore[arg-type]


def around(filter: Filter, *servers: FakeUpstream, timeouts: Timeouts = SOON) -> Pipeline:
    return Pipeline(filter, handler=Upstream(*(each.url for each in servers), balancer=First(), timeouts=timeouts))


@pytest.mark.parametrize("wrong", [reset(), close()], ids=repr)
async def test_lost_before_a_head(wrong: Step) -> None:
    """F-84, F-86: a GET whose connection is lost before an answer goes to another server, once; a POST is a 502, and
    nobody is sent it a second time."""
    async with FakeUpstream() as bad, FakeUpstream() as good:
        bad.always(wrong)
        async with serving(around(retry(), bad, good)) as site:
            assert (await site.ask(GET)).body == b"ok"
            assert (await site.ask(POST)).status == 502
        assert [request.method for request in bad.requests] == ["GET", "POST"]
        assert [request.method for request in good.requests] == ["GET"]


async def test_refused() -> None:
    """F-84: where nobody listens nothing was sent: any method goes to another server, with all of its body."""
    async with FakeUpstream() as bad, FakeUpstream() as good:
        await bad.stop()
        async with serving(around(retry(), bad, good)) as site, site.connect() as client:
            await client.send(POST)
            assert (await client.final()).body == b"ok"
            await client.send(PUT)
            await client.send(b"0123456789")
            assert (await client.final()).body == b"ok"
        assert [(request.method, request.body) for request in good.requests] == [
            ("POST", b"hi"),
            ("PUT", b"0123456789"),
        ]


async def test_a_connection_that_goes_stale() -> None:
    """F-85: a kept connection that dies under a POST is a 502, not sent twice; a GET goes to another server."""
    async with FakeUpstream() as bad, FakeUpstream() as good:
        seen = Seen()
        async with (
            serving(ProxyHandler(around(retry(), bad, good), observers=[seen])) as site,
            site.connect() as client,
        ):
            for request, status in ((POST, 502), (GET, 200)):
                await client.send(GET)
                await client.final()
                bad.once(reset())
                await client.send(request)
                assert (await client.final()).status == status
        assert [request.method for request in good.requests] == ["GET"]
        assert [type(each) for each in seen.errors] == [ConnectionLost]


async def test_too_slow() -> None:
    """F-86: one that does not answer within ``per_try`` is left, its connection closed, and another one is asked."""
    async with FakeUpstream() as bad, FakeUpstream() as good:
        bad.always(stall())
        seen = Seen()
        async with serving(ProxyHandler(around(retry(per_try=0.05), bad, good), observers=[seen])) as site:
            assert (await site.ask(GET)).body == b"ok"
            await bad.wait_closed_connections(1)
        assert bad.left == 1
        (exchange,) = seen.exchanges
        assert [type(each.error) for each in exchange.attempts] == [ResponseTimeout, type(None)]
        assert exchange.error is None
        assert seen.attempts == seen.settlements == exchange.attempts


async def test_busy_for_a_second() -> None:
    """F-86, S-56: 503 with ``Retry-After`` is honoured: an hour is not waited for, and the answer stands, body and all;
    nothing at all is."""
    async with (
        FakeUpstream() as bad,
        FakeUpstream() as good,
        serving(around(retry(statuses=[503]), bad, good)) as site,
    ):
        bad.respond(503, headers={"Retry-After": "3600"}, body=b"later")
        answer = await site.ask(GET)
        assert (answer.status, answer.body, answer.getall(b"Retry-After")) == (503, b"later", [b"3600"])
        assert good.requests == []
        bad.respond(503, headers={"Retry-After": "0"}, body=b"later")
        assert (await site.ask(GET)).body == b"ok"


async def test_a_long_answer_that_is_passed_over() -> None:
    """The connection of an answer whose body is still to come is closed; a short one's is kept."""
    async with FakeUpstream() as bad, FakeUpstream() as good:
        async with serving(around(retry(statuses=[503]), bad, good)) as site:
            bad.respond(503, body=b"short")
            assert (await site.ask(GET)).body == b"ok"
            assert (bad.connections, bad.closed) == (1, 0)
            bad.always(head(503, headers={"Content-Length": "100000"}), raw(b"x" * 1000), stall())
            assert (await site.ask(GET)).body == b"ok"
            await bad.wait_closed_connections(1)
        bad.release()


@pytest.mark.parametrize("filters", [[], [pull]], ids=["pumped", "pulled"])
@pytest.mark.parametrize("by_reset", [False, True], ids=["FIN", "RST"])
async def test_half_a_body(filters: list[Filter], by_reset: bool) -> None:
    """F-84: once the head is there it is the answer: a body that breaks off is cut for the client, too, and nobody else
    is asked."""
    async with FakeUpstream() as bad, FakeUpstream() as good:
        bad.always(truncate(50_000, of=100_000, by_reset=by_reset))
        seen = Seen()
        proxy = ProxyHandler(around(retry(statuses=[502]), bad, good), filters=filters, observers=[seen])
        async with serving(proxy) as site, site.connect() as client:
            await client.send(GET)
            assert (await client.head()).status == 200
            assert len(await client.rest()) < 100_000
            assert client.was_reset
            await seen.over()
        assert good.requests == []
        assert isinstance(seen.exchanges[0].error, Truncated)


async def test_after_a_hint() -> None:
    """F-84: a 103 that went to the client is the beginning of an answer: what follows has to be the same server's."""
    async with FakeUpstream() as bad, FakeUpstream() as good:
        bad.always(interim(103, {"Link": "</a.css>"}), reset())
        async with serving(around(retry(), bad, good)) as site, site.connect() as client:
            await client.send(GET)
            assert (await client.response()).status == 103
            assert (await client.response()).status == 502
        assert good.requests == []


async def test_the_last_answer_stands() -> None:
    """Where all servers are down the client is told of the last attempt, once, and each was asked once."""
    async with FakeUpstream() as one, FakeUpstream() as other:
        await one.stop()
        other.always(reset())
        seen = Seen()
        async with serving(ProxyHandler(around(retry(3), one, other), observers=[seen])) as site:
            assert (await site.ask(GET)).status == 502
        assert [type(each.error) for each in seen.exchanges[0].attempts] == [
            ConnectFailed,
            ConnectionLost,
            ConnectFailed,
        ]
        assert len(seen.errors) == 1


# Bodies.


@pytest.mark.parametrize("framing", ["length", "chunked"])
@pytest.mark.parametrize(
    "wrong",
    [(ignore_body(), reset()), (read_body(), reset()), (ignore_body(), respond(503, close=True))],
    ids=["reset early", "reset late", "503 early"],
)
async def test_uploads(wrong: tuple[Step, ...], framing: str) -> None:
    """F-87: an upload that had begun, or was sent to its end, is sent again from its beginning, framed as it came; what
    the client has yet to send goes to the second server alone."""
    async with FakeUpstream() as bad, FakeUpstream() as good:
        bad.always(*wrong)
        async with serving(around(retry(statuses=[503]), bad, good)) as site, site.connect() as client:
            if framing == "length":
                parts = [PUT + b"01234", b"56789"]
            else:
                start = PUT.replace(b"Content-Length: 10", b"Transfer-Encoding: chunked")
                parts = [start + b"5\r\n01234\r\n", b"5\r\n56789\r\n0\r\n\r\n"]
            await client.send(parts[0])
            if "read_body()" not in map(repr, wrong):
                await good.wait_requests(1)  # it is asked although the client has not sent all of it
            await client.send(parts[1])
            answer = await client.final()
            assert (answer.status, answer.body) == (200, b"ok")
            (request,) = await good.wait_requests(1, complete=True)
            assert request.body == b"0123456789"
            assert len(request.getall("Content-Length")) == (framing == "length")
            if framing == "length":  # after chunks the server keeps no connection
                await client.send(GET)
                assert (await client.final()).status == 200
        bad.errors.clear()


async def test_a_large_upload() -> None:
    """F-87: a body that is declared larger than what is kept is sent once."""
    async with FakeUpstream() as bad, FakeUpstream() as good:
        bad.always(read_body(), reset())
        async with serving(around(retry(), bad, good)) as site, site.connect() as client:
            await client.send(PUT.replace(b"10", b"100000") + b"x" * 100_000)
            assert (await client.final()).status == 502
        assert good.requests == []


async def test_a_chunked_upload_that_proves_to_be_large() -> None:
    """F-87: nothing of it is kept beyond the limit; it arrives whole where nothing goes wrong, and is sent once."""
    async with FakeUpstream() as first, FakeUpstream() as good:
        start = PUT.replace(b"Content-Length: 10", b"Transfer-Encoding: chunked")
        upload = start + b"".join(b"%x\r\n%b\r\n" % (5000, b"%05d" % n * 1000) for n in range(40)) + b"0\r\n\r\n"
        want = b"".join(b"%05d" % n * 1000 for n in range(40))
        async with serving(around(retry(), first, good)) as site:
            assert (await site.ask(upload)).status == 200
            first.always(read_body(), reset())
            assert (await site.ask(upload)).status == 502
        assert [request.body == want for request in first.requests] == [True, True]
        assert good.requests == []


async def test_expect_continue() -> None:
    """F-78, F-87: a server that refuses before it has seen the body leaves the client waiting to be told; the next one
    says when, and the client is told once."""
    async with FakeUpstream() as bad, FakeUpstream() as good:
        bad.always(ignore_body(), respond(503, close=True))
        good.always(read_body(), respond(200, body=b"ok"))
        async with serving(around(retry(statuses=[503]), bad, good)) as site, site.connect() as client:
            await client.send(PUT[:-2] + b"Expect: 100-continue\r\n\r\n")
            assert (await client.response()).status == 100
            await client.send(b"0123456789")
            assert (await client.response()).status == 200
        assert [request.body for request in good.requests] == [b"0123456789"]


async def test_an_early_answer_of_the_last() -> None:
    """An answer that comes before the upload is whole ends it, and the client's connection; nothing is left."""
    async with FakeUpstream() as server:
        server.always(ignore_body(), respond(413, close=True))
        async with serving(around(retry(statuses=[503]), server)) as site, site.connect() as client:
            await client.send(PUT + b"01234")
            answer = await client.final()
            assert (answer.status, answer.getall(b"Connection")) == (413, [b"close"])
            await client.send(b"56789")
            assert await client.rest() == b""
        server.errors.clear()


@pytest.mark.parametrize("where", ["head", "upload", "wait"])
async def test_a_client_that_leaves(where: str) -> None:
    """F-79: at whatever point it leaves, nothing more is asked, and nothing is left."""
    async with FakeUpstream() as one, FakeUpstream() as other:
        there = asyncio.Event()
        one.always(ignore_body(), *((reset(),) if where == "wait" else (signal(there), stall())))
        seen = Seen()
        slow = Retry(base=60, cap=60, rng=Random(3)) if where == "wait" else retry()
        async with serving(ProxyHandler(around(slow, one, other), observers=[seen])) as site:
            async with site.connect() as client:
                await client.send(PUT + b"01234" if where == "upload" else GET)
                if where == "wait":
                    await seen.until(lambda seen: len(seen.settlements) == 1)
                else:
                    async with asyncio.timeout(TIMEOUT):
                        await there.wait()
                client.reset()
            await seen.over()
        assert other.requests == []
        one.release()
        one.errors.clear()


# WebSockets.


async def test_handshakes() -> None:
    """A handshake is a GET: where it fails another server is asked; a tunnel that is lost is not made again."""
    async with FakeUpstream() as bad, FakeUpstream() as good:
        await bad.stop()
        good.always(switch(), echo())
        seen = Seen()
        async with (
            serving(ProxyHandler(around(retry(), bad, good), observers=[seen])) as site,
            site.connect() as client,
        ):
            fields = b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            await client.send(GET[:-2] + fields + b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
            assert (await client.head()).status == 101
            await client.send(b"\x81\x82\0\0\0\0hi")
            await client.gets(b"\x81\x02hi")
            client.close()
            await seen.over()
        assert len(good.requests) == 1


# Hedges.


def hedge(after: float = 0.02) -> Hedge:
    return Hedge(after=after, budget=RetryBudget(1))


async def test_a_slow_server() -> None:
    """The other server's answer is taken as soon as it is there; the slow one's connection is closed at once, and
    observers are told of both attempts."""
    async with FakeUpstream() as slow, FakeUpstream() as good:
        slow.always(stall())
        seen = Seen()
        async with (
            serving(ProxyHandler(around(hedge(), slow, good), observers=[seen])) as site,
            site.connect() as client,
        ):
            for number in (1, 2):
                await client.send(GET)
                assert (await client.final()).body == b"ok"
                await slow.wait_closed_connections(number)
            await seen.over(2)
        assert slow.left == 2
        for exchange in seen.exchanges:
            assert [(each.status, each.error) for each in exchange.attempts] == [(None, None), (200, None)]
            assert all(each.exchange is exchange for each in exchange.attempts)
        assert set(seen.settlements) == {each for exchange in seen.exchanges for each in exchange.attempts}


async def test_the_second_is_slower() -> None:
    """The first server's answer is taken if it is there before; the other's connection is closed."""
    async with FakeUpstream() as slow, FakeUpstream() as other:
        asked = asyncio.Event()
        slow.always(hold(asked), respond(200, body=b"first"))
        other.always(signal(asked), stall())
        async with serving(around(hedge(), slow, other)) as site:
            assert (await site.ask(GET)).body == b"first"
            await other.wait_closed_connections(1)
        assert other.left == 1


async def test_a_long_answer_of_the_second() -> None:
    """Its body streams to the client, from an exchange that is a twin of the client's, to its end."""
    async with FakeUpstream() as slow, FakeUpstream() as good:
        slow.always(stall())
        good.respond(200, body=b"x" * 3_000_000)
        async with serving(around(hedge(), slow, good)) as site:
            assert len((await site.ask(GET)).body) == 3_000_000


async def test_a_client_that_leaves_both() -> None:
    """F-79: the connections of both attempts are closed, and nothing counts against either server."""
    async with FakeUpstream() as one, FakeUpstream() as other:
        there = asyncio.Event()
        one.always(stall())
        other.always(signal(there), stall())
        seen = Seen()
        async with serving(ProxyHandler(around(hedge(), one, other), observers=[seen])) as site:
            async with site.connect() as client:
                await client.send(GET)
                async with asyncio.timeout(TIMEOUT):
                    await there.wait()
                client.reset()
            await one.wait_closed_connections(1)
            await other.wait_closed_connections(1)
            await seen.over()
        assert [each.error for each in seen.exchanges[0].attempts] == [None, None]


# Clients that are slow.


async def test_a_slow_client_is_not_the_servers_fault() -> None:
    """S-57: a client that stops in the middle of its request has used up the time of its exchange, or of its attempt:
    408, no server is asked again, none is ejected, and no circuit opens for others."""
    async with FakeUpstream() as server:
        for filter in (Deadline(0.1), retry(per_try=0.1)):
            breaker = CircuitBreaker(Trip(least=3, trials=1))
            upstream = Upstream(server.url, health=[OutlierDetection(consecutive_local=1)], timeouts=SOON, panic=0)
            async with serving(Pipeline(breaker, filter, handler=upstream)) as site:
                answers = await asyncio.gather(*(site.ask(PUT + b"012") for _ in range(6)))
                assert {answer.status for answer in answers} == {408}
                assert breaker.state is CircuitState.CLOSED
                assert upstream.endpoints[0].accepts(asyncio.get_running_loop().time())
                assert (await site.ask(GET)).status == 200
        server.errors.clear()
