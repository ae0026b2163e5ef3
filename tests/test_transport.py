"""The default transport: one pool an endpoint, each attempt sent once, nothing followed and nothing kept."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest
import trustme
from multidict import CIMultiDict

from revproxy.body import Body
from revproxy.clock import SYSTEM_CLOCK, Clock
from revproxy.endpoint import Endpoint
from revproxy.errors import (
    ConnectFailed,
    ConnectionLost,
    ConnectTimeout,
    ProxyError,
    QueueFull,
    QueueTimeout,
    ResponseTimeout,
    TlsFailed,
)
from revproxy.message import Response
from revproxy.testing import FakeClock, FakeUpstream, close_while_idle, hold, raw, read_body, reset, respond, stall
from revproxy.transport import WireTransport
from revproxy.wire.settings import Limits, Timeouts, Tls

from .wire import Call, collect, failure, soon, turns, until
from .wire import nothing_left as nothing_left


def transport(
    *,
    tls: Tls | None = None,
    timeouts: Timeouts | None = None,
    limits: Limits | None = None,
    clock: Clock = SYSTEM_CLOCK,
) -> WireTransport:
    return WireTransport(tls=tls, timeouts=timeouts or Timeouts(), limits=limits or Limits(), clock=clock)


async def send(wire: WireTransport, call: Call) -> tuple[int, bytes]:
    """Status and body of an attempt."""
    response = await soon(wire.send(call.attempt))
    body = await soon(collect(response.body))
    call.over()
    return response.status, body


# --- pools


async def test_a_connection_is_used_again() -> None:
    """One request after the other goes over one connection."""
    async with FakeUpstream() as server:
        wire, endpoint = transport(), Endpoint(server.url)
        for _ in range(3):
            assert await send(wire, Call(endpoint, clock=SYSTEM_CLOCK)) == (200, b"ok")
        assert server.connections == 1
        await wire.stop()
        await server.gone()


async def test_pools_are_apart() -> None:
    """Every endpoint has its own connections and its own cap, even one with the same address (F-88)."""
    async with FakeUpstream() as first, FakeUpstream() as second:
        for server in (first, second):
            server.always(stall(), respond(body=b"ok"))
        wire = transport(limits=Limits(connections=1, waiting=1))
        endpoints = [Endpoint(first.url), Endpoint(second.url), Endpoint(first.url)]
        calls = [Call(endpoint, clock=SYSTEM_CLOCK) for endpoint in endpoints]
        sending = [asyncio.create_task(send(wire, call)) for call in calls]
        await first.wait_requests(2)
        await second.wait_requests(1)
        waiting = asyncio.create_task(send(wire, Call(endpoints[0], clock=SYSTEM_CLOCK)))
        await turns()
        assert isinstance(await failure(send(wire, Call(endpoints[0], clock=SYSTEM_CLOCK))), QueueFull)
        assert (first.connections, second.connections) == (2, 1)
        first.release()
        second.release()
        assert await soon(asyncio.gather(*sending, waiting)) == [(200, b"ok")] * 4
        assert (first.connections, second.connections) == (2, 1)
        await wire.stop()
        await first.gone(2)
        await second.gone()


async def test_tls_identities_are_apart(tmp_path: Path) -> None:
    """Two transports that trust, name or identify themselves differently never share a connection (F-88)."""
    ca = trustme.CA()
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("a.test", "b.test").configure_cert(context)
    names: list[str | None] = []
    context.sni_callback = lambda _, name, __: names.append(name)
    async with FakeUpstream(ssl=context) as server:
        endpoint = Endpoint(server.url)
        wires = [
            transport(tls=Tls(ca=tmp_path / "ca.pem", server_hostname="a.test")),
            transport(tls=Tls(ca=tmp_path / "ca.pem", server_hostname="b.test")),
            transport(tls=Tls(verify=False)),
        ]
        for wire in (*wires, *wires):
            assert await send(wire, Call(endpoint, clock=SYSTEM_CLOCK)) == (200, b"ok")
        assert names == ["a.test", "b.test", None]
        assert [request.connection for request in server.requests] == [1, 2, 3, 1, 2, 3]
        assert isinstance(await failure(send(transport(), Call(endpoint, clock=SYSTEM_CLOCK))), TlsFailed)
        for wire in wires:
            await wire.stop()
        await server.gone(3)


async def test_stop() -> None:
    """Stopped, a transport has no connection left, but those that are still in use."""
    async with FakeUpstream() as server:
        wire = transport(limits=Limits(idle=600))
        await send(wire, Call(server.url, clock=SYSTEM_CLOCK))
        await send(wire, Call(server.url, clock=SYSTEM_CLOCK))
        assert server.open == 2
        await wire.stop()
        await server.gone(2)
        await wire.stop()
        assert repr(wire) == "<WireTransport []>"


async def test_repr() -> None:
    """It says what it holds."""
    async with FakeUpstream() as server:
        wire = transport(limits=Limits(connections=7))
        await send(wire, Call(server.url, clock=SYSTEM_CLOCK))
        assert repr(wire) == f"<WireTransport [<Pool {server.url} open=1/7 idle=1 waiting=0>]>"
        await wire.stop()


# --- once, and no more


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT"])
@pytest.mark.parametrize("by_reset", [False, True], ids=["FIN", "RST"])
async def test_stale_connection(method: str, by_reset: bool) -> None:
    """A connection that dies under a request, as idle ones do: the attempt fails, and nothing is sent again, be it
    idempotent or not (F-84, F-85)."""
    async with FakeUpstream() as server:
        wire, endpoint = transport(), Endpoint(server.url)
        assert await send(wire, Call(endpoint, clock=SYSTEM_CLOCK)) == (200, b"ok")
        server.once(read_body(), reset() if by_reset else close_while_idle())
        call = Call(endpoint, method, body=b"data" if method[0] == "P" else b"", clock=SYSTEM_CLOCK)
        failed = await failure(wire.send(call.attempt))
        assert isinstance(failed, ConnectionLost)
        assert failed.retryable, "for who decides to"
        assert (call.attempt.sent, call.attempt.status) == (True, None)
        assert [request.method for request in server.requests] == ["GET", method]
        assert server.connections == 1
        assert await send(wire, Call(endpoint, clock=SYSTEM_CLOCK)) == (200, b"ok")
        assert server.connections == 2
        await wire.stop()
        await server.gone()


async def test_a_connection_closed_while_idle_costs_nothing() -> None:
    """One whose end has been heard is not used: the next request goes over a new connection (F-85)."""
    async with FakeUpstream() as server:
        wire, endpoint = transport(), Endpoint(server.url)
        await send(wire, Call(endpoint, clock=SYSTEM_CLOCK))
        await server.close_idle()
        await until(lambda: "open=0" in repr(wire))
        assert await send(wire, Call(endpoint, "POST", body=b"data", clock=SYSTEM_CLOCK)) == (200, b"ok")
        assert [request.connection for request in server.requests] == [1, 2]
        await wire.stop()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed(status: int) -> None:
    """A redirect is an answer like any other (F-89, S-42)."""
    async with FakeUpstream() as server, FakeUpstream() as elsewhere:
        location = f"{elsewhere.url}/secret"
        server.respond(status, headers={"Location": location})
        wire, call = transport(), Call(server.url, clock=SYSTEM_CLOCK)
        response = await soon(wire.send(call.attempt))
        assert response.status == status
        assert response.headers["Location"] == location
        assert (len(server.requests), elsewhere.connections) == (1, 0)
        call.over()
        await wire.stop()


async def test_cookies_are_not_kept() -> None:
    """A cookie goes to who asked, and is never sent with another's request (F-89)."""
    async with FakeUpstream() as server:
        server.respond(200, headers={"Set-Cookie": "session=mine; Path=/"}, body=b"ok")
        wire, endpoint = transport(), Endpoint(server.url)
        first = Call(endpoint, clock=SYSTEM_CLOCK)
        response = await soon(wire.send(first.attempt))
        assert response.headers.getall("Set-Cookie") == ["session=mine; Path=/"]
        await send(wire, Call(endpoint, clock=SYSTEM_CLOCK))
        assert server.requests[1].getall("Cookie") == []
        first.over()
        await wire.stop()


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The environment has no say in where a request goes, nor in what is sent with it (F-89, F-32)."""
    async with FakeUpstream() as server, FakeUpstream() as elsewhere:
        for name in ("HTTP_PROXY", "ALL_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, elsewhere.url)
            monkeypatch.setenv(name.lower(), elsewhere.url)
        (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret\n")
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
        wire = transport()
        assert await send(wire, Call(server.url, clock=SYSTEM_CLOCK)) == (200, b"ok")
        assert server.requests[0].getall("Authorization") == []
        assert elsewhere.connections == 0
        await wire.stop()


async def test_nothing_is_added() -> None:
    """What is sent is the draft, to the byte: no ``User-Agent``, no ``Accept``, no ``Connection`` (F-29)."""
    async with FakeUpstream() as server:
        wire, call = transport(), Call(server.url, clock=SYSTEM_CLOCK)
        call.exchange.request.headers = CIMultiDict([("x-A", "1")])
        assert await send(wire, call) == (200, b"ok")
        assert server.requests[0].raw == b"GET / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nx-A: 1\r\n\r\n" % server.port
        await wire.stop()


async def test_what_must_not_be_sent_is_not() -> None:
    """A draft that must not reach a wire is a ``ValueError`` before there is even a connection (F-28)."""
    async with FakeUpstream() as server:
        wire = transport(limits=Limits(connections=1))
        for headers, method, target in [
            ({"X-A": "a\r\nX-B: 1"}, "GET", "/"),
            ({}, "GE T", "/"),
            ({}, "GET", "/a b"),
        ]:
            call = Call(server.url, clock=SYSTEM_CLOCK)
            request = call.exchange.request
            request.headers, request.method, request.target = CIMultiDict(headers), method, target
            with pytest.raises(ValueError, match=r"X-A|method|target"):
                await wire.send(call.attempt)
            assert not call.attempt.sent
        assert server.connections == 0
        assert await send(wire, Call(server.url, clock=SYSTEM_CLOCK)) == (200, b"ok")
        await wire.stop()


# --- what the attempt learns


async def test_attempt_that_could_not_connect() -> None:
    """``ConnectFailed`` promises that nothing was sent."""
    async with FakeUpstream() as server:
        pass
    call = Call(server.url, "POST", body=b"data", clock=SYSTEM_CLOCK)
    assert isinstance(await failure(send(transport(), call)), ConnectFailed)
    assert (call.attempt.sent, call.attempt.status, call.attempt.first_byte) == (False, None, None)


async def test_attempt_that_was_answered() -> None:
    """It is told when the head was there, and with what status."""
    async with FakeUpstream() as server:
        server.respond(503, body=b"busy")
        clock = FakeClock()
        wire, call = transport(clock=clock), Call(server.url, clock=clock)
        clock.advance(3)
        response = await soon(wire.send(call.attempt))
        assert isinstance(response, Response)
        assert (call.attempt.sent, call.attempt.status, call.attempt.first_byte) == (True, 503, 1003.0)
        call.over()
        await wire.stop()


# --- the time that there is


async def test_total() -> None:
    """``total`` ends the wait for the head: 504."""
    async with FakeUpstream() as server:
        server.always(stall())
        clock = FakeClock()
        wire = transport(clock=clock, timeouts=Timeouts(head=60, total=10))
        call = Call(server.url, clock=clock)
        sending = asyncio.create_task(wire.send(call.attempt))
        await server.wait_requests(1)
        clock.advance(9.9)
        await turns()
        assert not sending.done()
        clock.advance(0.2)
        failed = await failure(sending)
        assert isinstance(failed, ResponseTimeout)
        assert failed.status == 504
        await server.gone()


async def test_total_includes_waiting() -> None:
    """The time that a request waits for a connection counts, too."""
    async with FakeUpstream() as server:
        server.always(stall())
        clock = FakeClock()
        wire = transport(clock=clock, timeouts=Timeouts(head=600, total=10), limits=Limits(connections=1, wait=500))
        endpoint = Endpoint(server.url)
        first = Call(endpoint, clock=clock)
        sending = asyncio.create_task(wire.send(first.attempt))
        await server.wait_requests(1)
        clock.advance(5)
        second = Call(endpoint, clock=clock)
        waiting = asyncio.create_task(wire.send(second.attempt))
        await turns()
        clock.advance(4.9)
        await turns()
        assert not sending.done()
        clock.advance(0.2)  # the first is over; the second has its connection, and 4.9 seconds left
        assert isinstance(await failure(sending), ResponseTimeout)
        await server.wait_requests(2)
        clock.advance(4.8)
        await turns()
        assert not waiting.done()
        clock.advance(0.2)
        assert isinstance(await failure(waiting), ResponseTimeout)


async def test_waiting_is_not_counted_for_the_head() -> None:
    """What ``head`` bounds begins when the request is sent, not when it began to wait for a connection."""
    async with FakeUpstream() as server:
        clock = FakeClock()
        wire = transport(clock=clock, timeouts=Timeouts(head=10), limits=Limits(connections=1, wait=500))
        endpoint = Endpoint(server.url)
        server.once(hold(go_on := asyncio.Event()), respond(body=b"first"))
        server.once(stall())
        first = asyncio.create_task(send(wire, Call(endpoint, clock=clock)))
        await server.wait_requests(1)
        second = asyncio.create_task(send(wire, Call(endpoint, clock=clock)))
        await turns()
        clock.advance(8)
        go_on.set()
        assert await soon(first) == (200, b"first")
        await server.wait_requests(2)
        clock.advance(9.9)
        await turns()
        assert not second.done()
        clock.advance(0.2)
        assert isinstance(await failure(second), ResponseTimeout)


async def test_total_ends_waiting() -> None:
    """Who waits for a connection for longer than ``total`` is told so, whatever ``wait`` is."""
    async with FakeUpstream() as server:
        server.always(stall())
        clock = FakeClock()
        wire = transport(clock=clock, timeouts=Timeouts(total=10), limits=Limits(connections=1, wait=500))
        endpoint = Endpoint(server.url)
        first = Call(endpoint, clock=clock)
        first.attempt.deadline = clock.now() + 100
        sending = asyncio.create_task(wire.send(first.attempt))
        await server.wait_requests(1)
        second = Call(endpoint, clock=clock)
        second.attempt.deadline = clock.now() + 4
        waiting = asyncio.create_task(wire.send(second.attempt))
        await turns()
        clock.advance(3.9)
        await turns()
        assert not waiting.done()
        clock.advance(0.2)
        failed: ProxyError = await failure(waiting)
        assert isinstance(failed, (QueueTimeout, ResponseTimeout))
        assert (second.attempt.sent, sending.done()) == (False, False)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending


async def test_deadline_of_the_exchange() -> None:
    """The deadline of the whole exchange holds, if it is the earlier one."""
    async with FakeUpstream() as server:
        server.always(stall())
        clock = FakeClock()
        wire = transport(clock=clock, timeouts=Timeouts(head=60, total=50))
        call = Call(server.url, clock=clock)
        call.attempt.deadline = clock.now() + 5
        sending = asyncio.create_task(wire.send(call.attempt))
        await server.wait_requests(1)
        clock.advance(4.9)
        await turns()
        assert not sending.done()
        clock.advance(0.2)
        assert isinstance(await failure(sending), ResponseTimeout)


async def test_no_time_left() -> None:
    """A request whose time is over before it has a connection is not sent."""
    async with FakeUpstream() as server:
        clock = FakeClock()
        wire, call = transport(clock=clock), Call(server.url, clock=clock)
        call.attempt.deadline = clock.now() - 1
        failed = await failure(wire.send(call.attempt))
        assert isinstance(failed, (ConnectTimeout, ResponseTimeout, QueueTimeout))
        assert failed.status == 504
        assert server.requests == []
        await wire.stop()


async def test_total_does_not_cut_a_body() -> None:
    """With the head, ``total`` is over: a body that makes progress is not cut (F-72)."""
    async with FakeUpstream() as server:
        server.once(raw(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234"), stall(), raw(b"56789"))
        clock = FakeClock()
        wire, call = transport(clock=clock, timeouts=Timeouts(total=10)), Call(server.url, clock=clock)
        response = await soon(wire.send(call.attempt))
        clock.advance(50)
        server.release()
        assert await soon(collect(response.body)) == b"0123456789"
        call.over()
        await wire.stop()


async def test_an_attempt_that_is_never_begun() -> None:
    """What is cancelled before it has begun holds no connection."""
    async with FakeUpstream() as server:
        wire, endpoint = transport(limits=Limits(connections=1)), Endpoint(server.url)
        assert await send(wire, Call(endpoint, clock=SYSTEM_CLOCK)) == (200, b"ok")
        never = asyncio.create_task(wire.send(Call(endpoint, clock=SYSTEM_CLOCK).attempt))
        never.cancel()
        with pytest.raises(asyncio.CancelledError):
            await never
        assert await send(wire, Call(endpoint, clock=SYSTEM_CLOCK)) == (200, b"ok")
        assert server.connections == 1
        await wire.stop()


async def test_body_in_memory_may_be_sent_again() -> None:
    """The same attempt's request, sent a second time by who decides to, is the same (F-84)."""
    async with FakeUpstream() as server:
        server.once(reset())
        wire, endpoint = transport(), Endpoint(server.url)
        call = Call(endpoint, "PUT", body=Body(b"data"), clock=SYSTEM_CLOCK)
        assert isinstance(await failure(wire.send(call.attempt)), ConnectionLost)
        again = Call(endpoint, "PUT", body=call.exchange.request.body, clock=SYSTEM_CLOCK)
        assert await send(wire, again) == (200, b"ok")
        assert [request.body for request in server.requests] == [b"data", b"data"]
        await wire.stop()
