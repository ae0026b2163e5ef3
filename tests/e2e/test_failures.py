"""What goes wrong on the way: what the client is told, what the operator is told, and what goes on."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import NoneType

import pytest
import trustme

from revproxy import Endpoint, Exchange, Filter, Handler, Limits, ProxyHandler, Response, Timeouts, Tls, Upstream
from revproxy.endpoint import EndpointState
from revproxy.errors import (
    ClientTimeout,
    ConnectFailed,
    ConnectionLost,
    ConnectTimeout,
    DnsFailed,
    Drop,
    InternalError,
    NoEndpoint,
    ProxyError,
    QueueFull,
    QueueTimeout,
    ResponseTimeout,
    SendTimeout,
    StreamTimeout,
    TlsFailed,
)
from revproxy.testing import (
    FakeUpstream,
    Step,
    close,
    head,
    ignore_body,
    raw,
    reset,
    respond,
    stall,
    stop_reading,
)

from .pull import pull
from .seen import Seen, WatchedClock
from .wire import GET, TIMEOUT, Answer, serving

HEAD = GET.replace(b"GET", b"HEAD")
POST = b"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 2\r\n\r\nhi"
CLOSE = GET[:-2] + b"Connection: close\r\n\r\n"


ways = pytest.mark.parametrize("filters", [[], [pull]], ids=["pumped", "pulled"])


@pytest.fixture
def seen() -> Seen:
    return Seen()


def failures(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.name == "revproxy.error"]


class Outcome:
    """Checks what a failure has come to: for the client, in the log, on the record."""

    def __init__(self, seen: Seen, caplog: pytest.LogCaptureFixture) -> None:
        self.seen = seen
        self.caplog = caplog

    def is_told(self, answer: Answer, status: int, kind: type[ProxyError], *, blamed: bool = True) -> None:
        """F-83: the client has got a problem document with the status, a title and the exchange's id, and not a word
        more; the log has one line with the same id, without a traceback."""
        (exchange,), (error,) = self.seen.exchanges[-1:], self.seen.errors[-1:]
        assert type(error) is kind
        assert exchange.error is error
        assert answer.status == status
        assert answer.getall(b"Content-Type") == [b"application/problem+json"]
        assert answer.getall(b"Cache-Control") == [b"no-store"]
        names = {line.partition(b":")[0].lower() for line in answer.lines}
        assert names <= {b"content-type", b"cache-control", b"x-content-type-options", b"content-length", b"date"}
        assert json.loads(answer.body) == {"title": kind.title, "status": status, "id": exchange.id}
        assert re.search(r"\d+\.\d+\.\d+|localhost|Error|Errno|line \d", answer.body.decode()) is None
        record = failures(self.caplog)[-1]
        assert record.exc_info is None
        assert exchange.id in record.getMessage()
        assert kind.__name__ in record.getMessage()
        assert record.levelno == logging.WARNING
        for attempt in exchange.attempts:
            assert attempt.error is (error if blamed else None)
            assert attempt.ended is not None
            assert attempt.endpoint.in_flight == 0


@pytest.fixture
def outcome(seen: Seen, caplog: pytest.LogCaptureFixture) -> Outcome:
    caplog.set_level(logging.INFO)
    return Outcome(seen, caplog)


# No connection.


async def test_refused(seen: Seen, outcome: Outcome) -> None:
    """F-82: where nobody listens, the answer is 502; the client's connection is kept, and when somebody listens again
    the answer is theirs."""
    async with FakeUpstream() as server:
        upstream = Upstream(server.url)
        async with serving(ProxyHandler(upstream, observers=[seen])) as site, site.connect() as client:
            await server.stop()
            for _ in range(2):
                await client.send(GET)
                outcome.is_told(await client.final(), 502, ConnectFailed)
                assert not seen.attempts[-1].sent
            await server.start()
            await client.send(GET)
            assert (await client.final()).body == b"ok"


async def test_no_such_unix_socket(seen: Seen, outcome: Outcome, tmp_path: object) -> None:
    """F-82: a Unix socket that is not there is a 502."""
    proxy = ProxyHandler(Upstream(f"unix:{tmp_path}/none"), observers=[seen])
    async with serving(proxy) as site:
        outcome.is_told(await site.ask(GET), 502, ConnectFailed)


@contextmanager
def unanswering() -> Iterator[str]:
    """The address of a listener whose queue is full: a connection to it is neither made nor refused."""
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for each in (first, second):
            each.setblocking(False)
            each.connect_ex(listener.getsockname())
        yield f"127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def silent() -> Iterator[str]:
    """The address of a listener that takes connections and never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield f"localhost:{listener.getsockname()[1]}"


@pytest.mark.parametrize(("scheme", "where"), [("http", unanswering), ("https", unanswering), ("https", silent)])
async def test_connecting_takes_too_long(
    scheme: str, where: Callable[[], AbstractContextManager[str]], seen: Seen, outcome: Outcome
) -> None:
    """F-82: where connecting, the TLS handshake included, takes longer than ``Timeouts.connect``, the answer is 504."""
    with where() as address:
        upstream = Upstream(f"{scheme}://{address}", timeouts=Timeouts(connect=0.1), limits=Limits(connections=1))
        async with serving(ProxyHandler(upstream, observers=[seen])) as site:
            for _ in range(2):  # the place of the first connection is free again
                outcome.is_told(await site.ask(GET), 504, ConnectTimeout)
                assert not seen.attempts[-1].sent


@pytest.mark.parametrize("host", ["no-such-host.invalid", f"{'a' * 63}.{'b' * 63}.invalid", "a..invalid", "a" * 64])
async def test_a_name_that_does_not_resolve(host: str, seen: Seen, outcome: Outcome) -> None:
    """F-82: a name that does not resolve, or that cannot even be one, is a 502."""
    async with serving(ProxyHandler(Upstream(f"http://{host}:80"), observers=[seen])) as site:
        outcome.is_told(await site.ask(GET), 502, DnsFailed)


# TLS.


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def server_context(authority: trustme.CA, name: str, *, asks: bool = False) -> ssl.SSLContext:
    """For a server called ``name``; one that ``asks`` wants a certificate of the client's."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    if asks:
        authority.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.mark.parametrize("wrong", ["authority", "name"])
async def test_a_certificate_is_not_trusted(wrong: str, authority: trustme.CA, seen: Seen, outcome: Outcome) -> None:
    """F-82: a certificate of an unknown authority or for another name is a 502, and nothing of the request is sent."""
    context = server_context(authority, "other.test" if wrong == "name" else "127.0.0.1")
    tls = Tls() if wrong == "authority" else Tls(context=trusting(authority))
    async with FakeUpstream(ssl=context) as server:
        async with serving(ProxyHandler(Upstream(server.url, tls=tls), observers=[seen])) as site:
            outcome.is_told(await site.ask(GET), 502, TlsFailed)
            await server.wait_closed_connections(1)
        assert server.requests == []
    assert not seen.attempts[0].sent


async def test_a_server_speaks_no_tls(seen: Seen, outcome: Outcome) -> None:
    """F-82: where TLS is expected and something else is spoken, the answer is 502; nothing of the request is sent."""
    said: list[bytes] = []

    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said.append(await reader.read(65536))
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    async with server:
        upstream = Upstream(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        async with serving(ProxyHandler(upstream, observers=[seen])) as site:
            outcome.is_told(await site.ask(GET), 502, TlsFailed)
    assert len(said) == 1
    assert b"GET" not in said[0]


async def test_tls_works(authority: trustme.CA) -> None:
    """F-82: with the right authority and name the same server is reached, also by a name that is not its address."""
    async with FakeUpstream(ssl=server_context(authority, "inner.test")) as server:
        tls = Tls(context=trusting(authority), server_hostname="inner.test")
        async with serving(Upstream(server.url, tls=tls)) as site:
            assert (await site.ask(GET)).body == b"ok"


async def test_connections_are_not_shared_across_identities(authority: trustme.CA) -> None:
    """F-88: requests of two upstreams, and of two endpoints, never share a connection, even if they go to the same
    server: a connection belongs to one name and one client certificate."""

    def identity(name: str | None) -> Tls:
        context = trusting(authority)
        if name is not None:
            authority.issue_cert(name).configure_cert(context)
        return Tls(context=context, server_hostname="inner.test")

    context = server_context(authority, "inner.test")
    context.verify_mode = ssl.CERT_OPTIONAL
    authority.configure_trust(context)
    async with FakeUpstream(ssl=context) as server:
        other = f"https://localhost:{server.port}"
        upstreams = {
            "/nobody": Upstream(server.url, name="nobody", tls=identity(None)),
            "/alice": Upstream(server.url, name="alice", tls=identity("alice.test")),
            "/bob": Upstream(server.url, name="bob", tls=identity("bob.test")),
            "/localhost": Upstream(other, name="localhost", tls=identity("alice.test")),
        }

        async def handler(exchange: Exchange) -> Response:
            return await upstreams[exchange.inbound.path](exchange)

        async with serving(handler) as site, site.connect() as client:
            for path in [*upstreams, *upstreams]:
                await client.send(GET.replace(b"/", path.encode(), 1))
                assert (await client.final()).body == b"ok"
            used = [(request.path, request.connection) for request in server.requests]
            assert used == [(path, number) for _ in range(2) for number, path in enumerate(upstreams, 1)]
        for upstream in upstreams.values():
            for part in upstream.parts():
                if hasattr(part, "stop"):
                    await part.stop()


# No place.


async def test_no_endpoint_accepts(seen: Seen, outcome: Outcome) -> None:
    """F-82: where every endpoint is full or draining, the answer is 503 at once; a place that becomes free is used."""
    async with FakeUpstream() as server:
        server.once(stall(), respond(body=b"first"))
        endpoint, draining = Endpoint(server.url, limit=1), Endpoint(f"http://localhost:{server.port}")
        draining.state = EndpointState.DRAINING
        proxy = ProxyHandler(Upstream(endpoint, draining), observers=[seen])
        async with serving(proxy) as site, site.connect() as first, site.connect() as second:
            await first.send(GET)
            await server.wait_requests(1)
            await second.send(GET)
            outcome.is_told(await second.response(), 503, NoEndpoint)
            server.release()
            assert (await first.response()).body == b"first"
            await seen.over(2)
            await second.send(GET)
            assert (await second.response()).body == b"ok"
            endpoint.state = EndpointState.DRAINING
            await second.send(GET)
            outcome.is_told(await second.response(), 503, NoEndpoint)
        assert len(server.requests) == 2


async def test_the_queue_is_full(seen: Seen, outcome: Outcome) -> None:
    """F-82: where all connections are busy and as many as may wait do so, the answer is 503 at once; who waits is
    served in turn."""
    async with FakeUpstream() as server:
        server.always(stall(), respond(body=b"ok"))
        upstream = Upstream(server.url, limits=Limits(connections=1, waiting=1))
        async with (
            serving(ProxyHandler(upstream, observers=[seen])) as site,
            site.connect() as first,
            site.connect() as second,
        ):
            await first.send(GET)
            await server.wait_requests(1)
            await second.send(GET)
            await seen.tried(2)
            answer = await site.ask(GET)
            assert json.loads(answer.body)["title"] == QueueFull.title
            assert (answer.status, type(seen.errors[0])) == (503, QueueFull)
            assert not seen.attempts[2].sent
            server.release()
            assert (await first.response()).body == b"ok"
            assert (await second.response()).body == b"ok"
        assert server.connections == 1
        assert upstream.endpoints[0].in_flight == 0


async def test_the_queue_takes_too_long(seen: Seen) -> None:
    """F-82: who has waited for a connection for ``Limits.wait`` is answered 503; the next one is served."""
    clock = WatchedClock()
    async with FakeUpstream() as server:
        server.always(stall(), respond(body=b"ok"))
        limits = Limits(connections=1, wait=5)
        upstream = Upstream(server.url, limits=limits, clock=clock)
        async with (
            serving(ProxyHandler(upstream, observers=[seen])) as site,
            site.connect() as first,
            site.connect() as second,
            site.connect() as third,
        ):
            await first.send(GET)
            await server.wait_requests(1)
            await second.send(GET)
            await seen.tried(2)
            await clock.advance_async(3)
            await third.send(GET)
            await seen.tried(3)
            await clock.advance_async(2)
            answer = await second.response()
            assert json.loads(answer.body)["title"] == QueueTimeout.title
            assert (answer.status, type(seen.errors[0])) == (503, QueueTimeout)
            server.release()
            assert (await first.response()).body == b"ok"
            assert (await third.response()).body == b"ok"
        assert server.connections == 1
        assert upstream.endpoints[0].in_flight == 0


# No answer.


@pytest.mark.parametrize("begun", [b"", b"HTTP/1.1 200 OK\r\nContent-Le", b"HTTP/1.1 103 Early Hints\r\n\r\n"])
@pytest.mark.parametrize(
    "timeouts",
    [Timeouts(head=7), Timeouts(head=60, total=7), Timeouts(head=7, idle=1)],
    ids=["head", "total", "not idle"],
)
async def test_the_head_takes_too_long(begun: bytes, timeouts: Timeouts, seen: Seen, outcome: Outcome) -> None:
    """F-82: where no response head comes in ``Timeouts.head``, or in what ``Timeouts.total`` leaves, the answer is 504,
    and the upstream's connection is closed."""
    clock = WatchedClock()
    async with FakeUpstream() as server:
        server.once(raw(begun), stall())
        upstream = Upstream(server.url, timeouts=timeouts, clock=clock)
        async with serving(ProxyHandler(upstream, observers=[seen])) as site, site.connect() as client:
            await client.send(GET)
            await server.wait_requests(1)
            await clock.advance_async(6.9)
            assert seen.errors == []
            await clock.advance_async(0.2)
            outcome.is_told(await client.final(), 504, ResponseTimeout)
            assert seen.attempts[0].sent
            await server.gone()
            await client.send(GET)
            assert (await client.final()).body == b"ok"


async def test_the_upload_goes_nowhere(seen: Seen, outcome: Outcome) -> None:
    """F-82, F-73: where the upstream stops reading the request for ``Timeouts.idle``, the answer is 504."""
    clock = WatchedClock()
    size = 64 << 20
    async with FakeUpstream(socket_buffer=65536) as server:
        server.once(stop_reading(), stall())
        upstream = Upstream(server.url, timeouts=Timeouts(idle=30, head=100), clock=clock)
        proxy = ProxyHandler(upstream, observers=[seen])
        async with serving(proxy, lingering_time=0.05) as site, site.connect() as client:

            async def send() -> None:
                await client.send(b"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: %d\r\n\r\n" % size)
                await client.send(bytes(size))

            sending = asyncio.create_task(send())
            await server.wait_requests(1)
            async with asyncio.timeout(TIMEOUT):
                while not seen.errors:
                    await asyncio.sleep(0)
                    await clock.advance_async(10)
            answer = await client.final()
            assert answer.getall(b"Connection") == [b"close"]
            answer.raw_head = answer.raw_head.replace(b"Connection: close\r\n", b"")
            outcome.is_told(answer, 504, SendTimeout)
            await asyncio.gather(sending, return_exceptions=True)  # the server reads on for a while
            server.release()
            await server.wait_closed_connections(1)


@pytest.mark.parametrize("end", [close(), reset()], ids=repr)
async def test_the_connection_is_lost(end: Step, seen: Seen, outcome: Outcome) -> None:
    """F-82: an upstream that hangs up without a word is a 502."""
    async with FakeUpstream() as server:
        server.once(end)
        async with serving(ProxyHandler(Upstream(server.url), observers=[seen])) as site, site.connect() as client:
            await client.send(GET)
            outcome.is_told(await client.final(), 502, ConnectionLost)
            await client.send(GET)
            assert (await client.final()).body == b"ok"


@ways
@pytest.mark.parametrize("request_head", [GET, GET.replace(b"1.1", b"1.0")], ids=["HTTP/1.1", "HTTP/1.0"])
@pytest.mark.parametrize("framing", ["length", "chunked", "until close"])
async def test_silence_amid_a_body(
    framing: str, request_head: bytes, filters: list[Filter], seen: Seen, caplog: pytest.LogCaptureFixture
) -> None:
    """F-54, F-82: an upstream that falls silent amid a body for ``Timeouts.idle``: the client's connection is cut, and
    the part does not look like the whole."""
    fields = {"length": {"Content-Length": "9"}, "chunked": {"Transfer-Encoding": "chunked"}}.get(framing, {})
    clock = WatchedClock()
    async with FakeUpstream() as server:
        server.once(head(headers=fields), raw(b"5\r\nhello\r\n" if framing == "chunked" else b"hello"), stall())
        upstream = Upstream(server.url, timeouts=Timeouts(idle=20), clock=clock)
        proxy = ProxyHandler(upstream, observers=[seen], filters=filters)
        async with serving(proxy) as site, site.connect() as client:
            await client.send(request_head)
            answer = await client.head()
            assert answer.status == 200
            chunked, lengths = answer.getall(b"Transfer-Encoding"), answer.getall(b"Content-Length")
            await client.gets(b"5\r\nhello\r\n" if chunked else b"hello")
            await clock.advance_async(19)
            assert seen.errors == []
            await clock.advance_async(2)
            assert await client.rest() == b""
            assert client.was_reset or chunked or lengths
            await server.gone()
            await seen.over()
    (error,) = seen.errors
    assert type(error) is StreamTimeout
    assert seen.attempts[0].error is error
    (record,) = failures(caplog)
    assert (record.levelno, record.exc_info) == (logging.WARNING, None)


@ways
async def test_silence_after_a_pause(filters: list[Filter], seen: Seen) -> None:
    """F-82: an upstream that falls silent after its client has made it wait is found out just so."""
    clock, paused = WatchedClock(), WatchedClock()
    async with FakeUpstream() as server:
        server.once(head(headers={"Content-Length": "16000001"}), raw(bytes(16_000_000)), stall())
        upstream = Upstream(server.url, timeouts=Timeouts(idle=20), clock=clock)
        proxy = ProxyHandler(upstream, observers=[seen], filters=filters, clock=paused)
        async with serving(proxy) as site, site.connect(receive_buffer=65536) as client:
            await client.send(GET.replace(b"1.1", b"1.0"))
            await paused.asked()  # nobody but a paused client's deadline does
            await clock.advance_async(100)
            assert (await client.head()).status == 200
            assert len(await client.exactly(16_000_000)) == 16_000_000
            await clock.advance_async(21)
            assert await client.rest() == b""
            await server.gone()
            await seen.over()
    assert [type(error) for error in seen.errors] == [StreamTimeout]


async def test_silence_after_a_late_upload(seen: Seen) -> None:
    """F-82: where the upload has ended after the response began, it is the upstream that is silent, not the client."""
    clock = WatchedClock()
    async with FakeUpstream() as server:
        server.once(ignore_body(), head(headers={"Content-Length": "9"}), raw(b"hello"), stall())
        upstream = Upstream(server.url, timeouts=Timeouts(idle=20), clock=clock)
        async with serving(ProxyHandler(upstream, observers=[seen])) as site, site.connect() as client:
            await client.send(POST[:-2])
            await client.until(b"hello")
            await client.send(POST[-2:])
            await server.wait_requests(1, complete=True)
            await clock.advance_async(21)
            assert await client.rest() == b""
            await seen.over()
    assert [type(error) for error in seen.errors] == [StreamTimeout]
    assert seen.attempts[0].error is seen.errors[0]


async def test_silence_of_the_client(seen: Seen) -> None:
    """F-82: a client that falls silent amid its upload is answered 408, and that counts against nobody else."""
    clock = WatchedClock()
    async with FakeUpstream() as server:
        upstream = Upstream(server.url, timeouts=Timeouts(idle=20), clock=clock)
        proxy = ProxyHandler(upstream, observers=[seen])
        async with serving(proxy, lingering_time=0.05) as site, site.connect() as client:
            await client.send(POST[:-2])
            await server.wait_requests(1)
            await clock.advance_async(21)
            assert (await client.final()).status == 408
            await server.gone()
            await seen.over()
    assert [type(error) for error in seen.errors] == [ClientTimeout]
    assert seen.attempts[0].error is None


async def test_a_failed_attempt_frees_its_place_at_once(seen: Seen) -> None:
    """F-82: an endpoint has its place back when an attempt has failed, not only when the exchange is over: a filter may
    try again."""

    async def again(exchange: Exchange, handler: Handler) -> Response:
        try:
            return await handler(exchange)
        except ConnectionLost:
            return await handler(exchange)

    async with FakeUpstream() as server:
        server.once(close())
        proxy = ProxyHandler(Upstream(Endpoint(server.url, limit=1)), filters=[again], observers=[seen])
        async with serving(proxy) as site:
            assert (await site.ask(GET)).body == b"ok"
    assert [attempt.number for attempt in seen.exchanges[0].attempts] == [1, 2]
    assert [type(attempt.error) for attempt in seen.attempts] == [ConnectionLost, NoneType]


# Connections that were used before.


@pytest.mark.parametrize("request_bytes", [GET, POST, HEAD], ids=["GET", "POST", "HEAD"])
@pytest.mark.parametrize("end", [close(), reset()], ids=repr)
async def test_a_kept_connection_that_dies_is_not_retried(
    request_bytes: bytes, end: Step, seen: Seen, outcome: Outcome
) -> None:
    """F-85, F-84: a request that meets the end of a kept connection is a 502; it is not sent a second time."""
    async with (
        FakeUpstream() as server,
        serving(ProxyHandler(Upstream(server.url), observers=[seen])) as site,
        site.connect() as client,
    ):
        await client.send(GET)
        assert (await client.final()).body == b"ok"
        server.once(end)
        await client.send(request_bytes)
        answer = await client.response(to=request_bytes.split(b" ")[0].decode())
        if request_bytes == HEAD:
            assert answer.status == 502
        else:
            outcome.is_told(answer, 502, ConnectionLost)
        assert len(seen.exchanges[-1].attempts) == 1
        assert [request.connection for request in server.requests] == [1, 1]
        await client.send(GET)
        assert (await client.final()).body == b"ok"
        assert [request.connection for request in server.requests] == [1, 1, 2]


async def test_a_connection_that_was_closed_while_idle_is_not_used(seen: Seen) -> None:
    """F-85: a connection that the upstream closes between two requests is not used for the next, even for a POST."""
    async with FakeUpstream() as server:
        async with serving(ProxyHandler(Upstream(server.url), observers=[seen])) as site, site.connect() as client:
            for _ in range(5):
                await client.send(POST)
                assert (await client.final()).body == b"ok"
                await server.close_idle()
                await server.wait_closed_connections(len(server.requests))
        assert [request.connection for request in server.requests] == [1, 2, 3, 4, 5]
    assert seen.errors == []


async def test_an_idle_connection_is_closed_first() -> None:
    """F-85: a connection that stays unused is closed by the proxy before Python back ends do, which is after 5 s."""
    clock = WatchedClock()
    async with FakeUpstream() as server, serving(Upstream(server.url, clock=clock)) as site:
        assert (await site.ask(GET)).body == b"ok"
        assert server.open == 1
        await clock.advance_async(4.5)
        await server.gone()


@pytest.mark.parametrize("request_head", [CLOSE, b"GET / HTTP/1.0\r\n\r\n"], ids=["close", "HTTP/1.0"])
async def test_a_client_that_closes_does_not_close_the_upstream(request_head: bytes) -> None:
    """F-90: that a client's connection ends says nothing about the upstream's, which is kept."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site:
        for _ in range(3):
            async with site.connect() as client:
                await client.send(request_head)
                answer = await client.final()
                assert answer.getall(b"Connection") == [b"close"]
                assert answer.body == b"ok"
                assert await client.rest() == b""
        assert [request.getall("Connection") for request in server.requests] == [[], [], []]
        assert server.connections == 1


@pytest.mark.parametrize("http", ["1.1", "1.0"])
async def test_an_upstream_that_closes_does_not_close_the_client(http: str) -> None:
    """F-90: that the upstream's connection ends says nothing about the client's, which is kept."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site, site.connect() as client:
        server.always(respond(body=b"ok", close=True, http=http))
        for _ in range(3):
            await client.send(GET)
            answer = await client.final()
            assert answer.getall(b"Connection") == []
            assert answer.body == b"ok"
        assert server.connections == 3


@pytest.mark.parametrize(
    ("line", "connections"),
    [
        (b"HTTP/1.1 200 OK\r\n", 1),
        (b"HTTP/1.1 200 OK\r\nConnection: Keep-Alive\r\n", 1),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n", 3),
        (b"HTTP/1.1 200 OK\r\nConnection: x, CLOSE\r\n", 3),
        (b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nConnection: close\r\n", 3),
        (b"HTTP/1.0 200 OK\r\n", 3),
        (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n", 1),
        (b"HTTP/1.0 200 OK\r\nConnection: x, Keep-Alive\r\n", 1),
    ],
)
async def test_a_connection_is_kept_if_the_upstream_says_so(line: bytes, connections: int) -> None:
    """F-85, F-90: a connection of HTTP/1.1 is used again unless the upstream says that it ends, one of HTTP/1.0 only if
    it says that it stays; the client's connection stays in any case."""
    async with (
        FakeUpstream() as server,
        serving(Upstream(server.url, limits=Limits(idle=60))) as site,
        site.connect() as client,
    ):
        server.always(raw(line + b"Content-Length: 2\r\n\r\nok"))
        for _ in range(3):
            await client.send(GET)
            assert (await client.final()).body == b"ok"
        assert server.connections == connections


# What a client library would do by itself.


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_the_clients(status: int) -> None:
    """F-89: a redirect is passed on, not followed, not even one to the server itself."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site:
        server.on("/", respond(status, headers={"Location": f"{server.url}/next"}))
        answer = await site.ask(POST)
        assert answer.status == status
        assert answer.getall(b"Location") == [b"/next"]
        assert [request.target for request in server.requests] == ["/"]


async def test_cookies_are_the_clients() -> None:
    """F-89: a cookie that one response sets is sent with no other request, not even of the same client."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site, site.connect() as client:
        server.respond(headers={"Set-Cookie": "secret=1; Path=/"}, body=b"ok")
        for _ in range(2):
            await client.send(GET)
            assert (await client.final()).getall(b"Set-Cookie") == [b"secret=1; Path=/"]
        assert (await site.ask(GET)).status == 200
        assert [request.getall("Cookie") for request in server.requests] == [[], [], []]


async def test_the_environments_proxy_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """F-89: the environment's proxies and .netrc have no say."""
    async with FakeUpstream() as other, FakeUpstream() as server:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, other.url)
        async with serving(Upstream(server.url)) as site:
            assert (await site.ask(GET)).body == b"ok"
        assert (other.connections, server.connections) == (0, 1)
        assert server.requests[0].getall("Authorization") == []


# How it is said.


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (None, b"application/problem+json"),
        (b"*/*", b"application/problem+json"),
        (b"application/json", b"application/problem+json"),
        (b"text/html,application/xhtml+xml,*/*;q=0.8", b"text/plain; charset=utf-8"),
        (b"text/plain", b"text/plain; charset=utf-8"),
    ],
)
@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
async def test_a_failure_is_said_as_the_client_likes_it(
    accept: bytes | None, content_type: bytes, method: bytes, seen: Seen, caplog: pytest.LogCaptureFixture
) -> None:
    """F-83: as a problem document or as text, by ``Accept``; with an id that is in the log as well; to HEAD, without
    content."""
    async with FakeUpstream() as server:
        url = server.url
    async with serving(ProxyHandler(Upstream(url), observers=[seen])) as site, site.connect() as client:
        request = GET.replace(b"GET", method)
        await client.send(request if accept is None else request[:-2] + b"Accept: " + accept + b"\r\n\r\n")
        answer = await client.response(to=method.decode())
        client.end()
        assert await client.rest() == b""
    assert answer.status == 502
    assert answer.getall(b"Content-Type") == [content_type]
    identity = seen.exchanges[0].id
    (record,) = failures(caplog)
    assert identity in record.getMessage()
    assert url in record.getMessage()  # the log is for the operator
    if method == b"HEAD":
        assert answer.body == b""
    elif content_type.startswith(b"text"):
        assert answer.body.decode() == f"502 The service could not be reached\nid: {identity}\n"
    else:
        assert json.loads(answer.body)["id"] == identity


async def test_the_correlation_id_may_come_from_outside(seen: Seen, caplog: pytest.LogCaptureFixture) -> None:
    """F-83: an id that a filter has set is the one that is told."""

    async def name_it(exchange: Exchange, handler: Handler) -> Response:
        exchange.id = "from outside"
        return await handler(exchange)

    async with FakeUpstream() as server:
        url = server.url
    async with serving(ProxyHandler(Upstream(url), filters=[name_it])) as site:
        assert json.loads((await site.ask(GET)).body)["id"] == "from outside"
    assert "[from outside]" in failures(caplog)[0].getMessage()


async def test_a_fault_of_a_filter_is_not_told(seen: Seen, caplog: pytest.LogCaptureFixture) -> None:
    """F-83: what a filter raises is a 500 without a word about it; the log has it with its traceback."""

    async def broken(exchange: Exchange, handler: Handler) -> Response:
        raise RuntimeError("the secret is 42")

    async with FakeUpstream() as server:
        proxy = ProxyHandler(Upstream(server.url), filters=[broken], observers=[seen])
        async with serving(proxy) as site, site.connect() as client:
            for _ in range(2):  # the connection is kept
                await client.send(GET)
                answer = await client.final()
                assert answer.status == 500
                problem = json.loads(answer.body)
                assert problem == {"title": InternalError.title, "status": 500, "id": seen.exchanges[-1].id}
    record = failures(caplog)[0]
    assert record.levelno == logging.ERROR
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], RuntimeError)
    assert "the secret is 42" in record.getMessage()


async def test_a_drop_says_nothing(seen: Seen) -> None:
    """F-82: what is dropped by decision gets not one byte."""

    async def drop(exchange: Exchange, handler: Handler) -> Response:
        raise Drop("go away")

    async with FakeUpstream() as server:
        proxy = ProxyHandler(Upstream(server.url), filters=[drop], observers=[seen])
        async with serving(proxy) as site, site.connect() as client:
            await client.send(GET)
            assert await client.rest() == b""
        assert server.requests == []
    assert type(seen.errors[0]) is Drop


async def test_a_log_line_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    """F-83: nothing that a client or an upstream sends makes two lines of a record, or bytes that a terminal obeys."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site:
        server.always(raw(b"HTTP/1.1 2\x1b[31m\xff\0 \n\r evil\r\n\r\n"), stall())
        await site.ask(GET.replace(b"/", b"/%0a%1b%ff", 1))
    (record,) = failures(caplog)
    assert record.getMessage().isascii()
    assert record.getMessage().isprintable()
