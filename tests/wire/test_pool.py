"""The connections of one endpoint: who gets which, who waits, and that no place is ever lost."""

from __future__ import annotations

import asyncio
import math
import re
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
import trustme
from hypothesis import example, given, settings
from hypothesis import strategies as st

from revproxy.clock import Timer
from revproxy.endpoint import Endpoint
from revproxy.errors import ConnectFailed, ConnectTimeout, ProxyError, QueueFull, QueueTimeout
from revproxy.testing import FakeClock, FakeUpstream, Step, close_while_idle, raw, reset, respond, stall
from revproxy.wire.connection import Connection
from revproxy.wire.pool import Pool
from revproxy.wire.settings import Limits, Timeouts, Tls

from . import Call, collect, failure, open_sockets, soon, turns, until
from . import nothing_left as nothing_left

ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"


class CountingClock(FakeClock):
    """Knows how often it was asked for a timer."""

    asked = 0

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        self.asked += 1
        return super().call_later(seconds, callback)


class Rig:
    """A pool, its clock, and what a caller does with its connections."""

    def __init__(
        self,
        url: str,
        *,
        limits: Limits | None = None,
        timeouts: Timeouts | None = None,
        tls: Tls | None = None,
    ) -> None:
        self.url = url
        self.clock = CountingClock()
        self.pool = Pool(
            Endpoint(url), tls=tls, timeouts=timeouts or Timeouts(), limits=limits or Limits(), clock=self.clock
        )

    @property
    def state(self) -> tuple[int, int, int]:
        """Open, idle, waiting: as the pool says itself."""
        found = re.fullmatch(r"<Pool \S+ open=(-?\d+)/\d+ idle=(\d+) waiting=(\d+)>", repr(self.pool))
        assert found is not None, repr(self.pool)
        opened, idle, waiting = map(int, found.groups())
        return opened, idle, waiting

    async def get(self, *, deadline: float = math.inf) -> Connection:
        return await soon(self.pool.acquire(deadline))

    def want(self) -> asyncio.Task[Connection]:
        return asyncio.create_task(self.pool.acquire())

    async def use(self, connection: Connection) -> int:
        """One exchange over ``connection``; afterwards the pool has it back, unless it was closed. Its status."""
        call = Call(self.url)
        response = await soon(connection.exchange(call.attempt, call.head, self.clock.now()))
        await soon(collect(response.body))
        call.over()
        return response.status

    async def use_one(self) -> int:
        return await self.use(await self.get())

    async def finish(self, connection: Connection) -> None:
        """The same without the server: the answer is given by hand, and the pool has the connection when this
        returns."""
        call = Call(self.url)
        exchange = asyncio.create_task(connection.exchange(call.attempt, call.head, self.clock.now()))
        await turns(1)
        connection.data_received(ANSWER)
        exchange.add_done_callback(lambda task: task.exception())
        call.over()


@asynccontextmanager
async def silent() -> AsyncIterator[str]:
    """A server that takes connections and says nothing; the kernel accepts for it."""
    with socket.create_server(("127.0.0.1", 0), backlog=1000) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


async def open_at(server: FakeUpstream, count: int) -> None:
    """Until the server has that many open connections, and no more."""
    await until(lambda: server.open == count)


# --- who gets which


async def test_last_used_first() -> None:
    """The connection that was used last is used next; a new one is opened only when all are busy."""
    async with FakeUpstream() as server:
        rig = Rig(server.url)
        a, b, c = [await rig.get() for _ in range(3)]
        assert (len({a, b, c}), rig.state) == (3, (3, 0, 0))
        for connection in (b, c, a):
            await rig.use(connection)
        assert rig.state == (3, 3, 0)
        assert [await rig.get() for _ in range(3)] == [a, c, b]
        d = await rig.get()
        assert d not in (a, b, c)
        assert rig.state == (4, 0, 0)
        assert (server.connections, len(server.requests)) == (4, 3)
        for connection in (a, b, c, d):
            connection.close()
        assert rig.state == (0, 0, 0)
        await server.gone(4)


async def test_take() -> None:
    """``take`` gives what is idle, and nothing else."""
    async with FakeUpstream() as server:
        rig = Rig(server.url)
        assert rig.pool.take(rig.clock.now()) is None
        connection = await rig.get()
        assert rig.pool.take(rig.clock.now()) is None
        await rig.use(connection)
        assert rig.pool.take(rig.clock.now()) is connection
        assert rig.pool.take(rig.clock.now()) is None
        connection.close()
        await server.gone()


@pytest.mark.parametrize(
    "steps",
    [
        [respond(body=b"ok", close=True)],
        [respond(body=[b"until ", b"close"])],
        [respond(body=b"ok", http="1.0")],
        [raw(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok, and more")],
    ],
    ids=["close", "until close", "HTTP/1.0", "excess"],
)
async def test_what_cannot_be_used_again(steps: list[Step]) -> None:
    """A connection that has no next response is not kept, and its place is free (F-58, F-60)."""
    async with FakeUpstream() as server:
        server.always(*steps)
        rig = Rig(server.url, limits=Limits(connections=1))
        for number in range(3):
            await rig.use(await rig.get())
            await until(lambda: rig.state == (0, 0, 0))
            assert server.connections == number + 1


@pytest.mark.parametrize("by_reset", [False, True], ids=["FIN", "RST"])
async def test_what_was_closed_while_idle(by_reset: bool) -> None:
    """A connection that the upstream closes while it is idle is forgotten at once, and never given out (F-85)."""
    async with FakeUpstream() as server:
        server.once(respond(body=b"ok"), reset() if by_reset else close_while_idle())
        rig = Rig(server.url)
        connection = await rig.get()
        await rig.use(connection)
        await until(lambda: rig.state == (0, 0, 0))
        fresh = await rig.get()
        assert fresh is not connection
        await rig.use(fresh)
        assert (server.connections, rig.state) == (2, (1, 1, 0))
        rig.pool.close()
        await server.gone()


async def test_what_is_closing() -> None:
    """A connection that the event loop is closing, but whose end it has not told yet, is not given out."""
    async with FakeUpstream() as server:
        rig = Rig(server.url)
        connection = await rig.get()
        await rig.use(connection)
        connection._transport.close()
        fresh = await rig.get()
        assert fresh is not connection
        await turns()
        assert rig.state == (1, 0, 0)
        fresh.close()
        await server.gone(2)


async def test_what_speaks_while_idle() -> None:
    """A connection on which the upstream speaks unasked is closed, and never given out (F-60, S-17)."""
    async with FakeUpstream() as server:
        server.once(respond(body=b"ok"), raw(b"HTTP/1.1 408 Request Timeout\r\n\r\n"), stall())
        rig = Rig(server.url)
        await rig.use(await rig.get())
        await server.gone()
        assert rig.state == (0, 0, 0)


# --- who waits


async def test_cap() -> None:
    """No more connections than the cap are open; who comes later waits for one to be free."""
    async with FakeUpstream() as server:
        rig = Rig(server.url, limits=Limits(connections=2))
        a, b = await rig.get(), await rig.get()
        third = rig.want()
        await turns()
        assert not third.done()
        assert rig.state == (2, 0, 1)
        await rig.use(a)
        assert await soon(third) is a
        assert rig.state == (2, 0, 0)
        await rig.use(a)
        await rig.use(b)
        assert (rig.state, server.connections) == ((2, 2, 0), 2)
        rig.pool.close()
        await server.gone(2)


async def test_cap_counts_what_is_being_opened() -> None:
    """A connection that is being opened has its place already."""
    async with FakeUpstream() as server:
        rig = Rig(server.url, limits=Limits(connections=2))
        wanted = [rig.want() for _ in range(5)]
        await until(lambda: sum(task.done() for task in wanted) == 2)
        await turns()
        assert rig.state == (2, 0, 3)
        got = [await soon(task) for task in wanted[:2]]
        for waiting in wanted[2:]:
            connection = got.pop(0)
            await rig.use(connection)
            assert await soon(waiting) is connection
            got.append(connection)
        assert server.connections == 2
        for connection in got:
            connection.close()
        await server.gone(2)


async def test_first_come_first_served() -> None:
    """Who waits longest is served first, and nobody who comes later gets in between."""
    async with silent() as url:
        rig = Rig(url, limits=Limits(connections=1))
        connection = await rig.get()
        order: list[int] = []

        def note(number: int, _: object) -> None:
            order.append(number)

        wanted = [rig.want() for _ in range(5)]
        for number, task in enumerate(wanted):
            task.add_done_callback(partial(note, number))
        await turns()
        for number in range(5):
            await rig.finish(connection)
            assert rig.pool.take(rig.clock.now()) is None, "given to who waits, not to who comes"
            await turns()
            assert order == list(range(number + 1))
        connection.close()
        await asyncio.gather(*wanted)


async def test_queue_is_bounded() -> None:
    """More requests than may wait are refused at once: 503."""
    async with silent() as url:
        rig = Rig(url, limits=Limits(connections=1, waiting=2))
        connection = await rig.get()
        wanted = [rig.want() for _ in range(2)]
        await turns()
        failed = await failure(rig.pool.acquire())
        assert isinstance(failed, QueueFull)
        assert failed.status == 503
        assert "1 connections busy, 2 requests waiting" in str(failed)
        assert rig.state == (1, 0, 2)
        await rig.finish(connection)
        assert await soon(wanted[0]) is connection
        third = rig.want()
        await turns()
        assert rig.state == (1, 0, 2)
        await rig.finish(connection)
        await rig.finish(await soon(wanted[1]))
        await rig.finish(await soon(third))
        rig.pool.close()


async def test_waiting_ends() -> None:
    """Who has waited for ``wait`` seconds waits no more: 503. The others keep their turn."""
    async with silent() as url:
        rig = Rig(url, limits=Limits(connections=1, wait=5))
        connection = await rig.get()
        first = rig.want()
        await turns()
        rig.clock.advance(3)
        second = rig.want()
        await turns()
        rig.clock.advance(1.9)
        await turns()
        assert not first.done()
        rig.clock.advance(0.2)
        failed = await failure(first)
        assert isinstance(failed, QueueTimeout)
        assert failed.status == 503
        assert rig.state == (1, 0, 1)
        await rig.finish(connection)
        assert await soon(second) is connection
        connection.close()
        assert rig.clock.waiting == 0


async def test_waiting_ends_with_the_deadline() -> None:
    """Who has less time than ``wait`` waits no longer than that."""
    async with silent() as url:
        rig = Rig(url, limits=Limits(connections=1, wait=50))
        connection = await rig.get()
        waiting = asyncio.create_task(rig.pool.acquire(rig.clock.now() + 3))
        await turns()
        rig.clock.advance(2.9)
        await turns()
        assert not waiting.done()
        rig.clock.advance(0.2)
        assert isinstance(await failure(waiting), QueueTimeout)
        connection.close()


async def test_dialling_ends_with_the_deadline() -> None:
    """Nor does opening a connection take longer than there is time."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        fill(listener)
        rig = Rig(f"http://127.0.0.1:{listener.getsockname()[1]}", timeouts=Timeouts(connect=60))
        async with asyncio.timeout(5):
            assert isinstance(await failure(rig.pool.acquire(rig.clock.now() + 0.05)), ConnectTimeout)
        assert rig.state == (0, 0, 0)


async def test_the_time_of_a_dial_is_what_is_left() -> None:
    """Who has waited for a place has only the rest of the time for opening a connection."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        fill(listener)
        rig = Rig(
            f"http://127.0.0.1:{listener.getsockname()[1]}",
            limits=Limits(connections=1, wait=200),
            timeouts=Timeouts(connect=0.2),
        )
        first = rig.want()
        second = asyncio.create_task(rig.pool.acquire(rig.clock.now() + 100))
        await turns()
        rig.clock.advance(99.9375)
        assert "0.2 s" in str(await failure(first))
        assert "0.0625 s" in str(await failure(second))


_filling: list[socket.socket] = []


def fill(listener: socket.socket) -> None:
    """Fill the queue of connections that nobody accepts, so that further ones are not answered."""
    for _ in range(3):
        sock = socket.socket()
        sock.setblocking(False)
        sock.connect_ex(listener.getsockname())
        _filling.append(sock)


@pytest.fixture(autouse=True)
def _emptied() -> object:
    yield
    while _filling:
        _filling.pop().close()
    return None


# --- places are passed on


async def test_a_lost_connection_passes_its_place_on() -> None:
    """When a connection in use is lost, who waits opens a new one in its place."""
    async with FakeUpstream() as server:
        server.once(reset())
        rig = Rig(server.url, limits=Limits(connections=1))
        first = await rig.get()
        second = rig.want()
        await turns()
        with pytest.raises(ProxyError):
            await rig.use(first)
        connection = await soon(second)
        assert connection is not first
        assert (await rig.use(connection), rig.state) == (200, (1, 1, 0))
        rig.pool.close()
        await server.gone()


async def test_a_failed_dial_passes_its_place_on() -> None:
    """When a connection cannot be opened, its place goes to the next, who tries himself; afterwards nothing is lost."""
    async with FakeUpstream() as server:
        rig = Rig(server.url, limits=Limits(connections=1))
        first = await rig.get()
        wanted = [rig.want() for _ in range(3)]
        await turns()
        await server.stop()
        await until(lambda: first.closed)
        for task in wanted:
            assert isinstance(await failure(task), ConnectFailed)
        assert rig.state == (0, 0, 0)
        await server.start()
        assert await rig.use(await rig.get()) == 200
        assert rig.state == (1, 1, 0)
        rig.pool.close()
        await server.gone()


async def test_a_dial_that_takes_too_long_frees_its_place() -> None:
    """``ConnectTimeout`` gives the place back, too."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        fill(listener)
        rig = Rig(
            f"http://127.0.0.1:{listener.getsockname()[1]}",
            limits=Limits(connections=1),
            timeouts=Timeouts(connect=0.05),
        )
        wanted = [rig.want(), rig.want()]
        await turns()
        assert rig.state == (1, 0, 1)
        for task in wanted:
            assert isinstance(await failure(task), ConnectTimeout)
        assert rig.state == (0, 0, 0)


async def test_closed_at_once(tmp_path: Path) -> None:
    """A connection that is closed in the same breath in which it was opened, as TLS makes possible, has no place."""

    class Hasty(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            transport.close()

    ca = trustme.CA()
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # where the server has the last word in the handshake
    ca.issue_cert("127.0.0.1").configure_cert(context)
    server = await asyncio.get_running_loop().create_server(Hasty, "127.0.0.1", 0, ssl=context)
    async with server:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        rig = Rig(url, limits=Limits(connections=1), tls=Tls(ca=tmp_path / "ca.pem"))
        for _ in range(3):
            failed = await failure(rig.use_one())
            assert failed.status == 502
            await until(lambda: rig.state == (0, 0, 0))


async def test_a_cancelled_dial_frees_its_place_once() -> None:
    """Cancelled at any turn of the event loop, opening a connection gives its place back exactly once, and leaves no
    socket (F-80)."""
    outcomes = set()
    async with FakeUpstream() as server:
        for passes in range(25):
            rig = Rig(server.url, limits=Limits(connections=2))
            wanted = rig.want()
            await turns(passes)
            wanted.cancel()
            try:
                (await soon(wanted)).close()
                outcomes.add("done")
            except asyncio.CancelledError:
                outcomes.add("cancelled")
            await turns()
            assert rig.state == (0, 0, 0), f"cancelled after {passes} turns"
        await open_at(server, 0)
    assert outcomes == {"done", "cancelled"}


async def test_who_waits_may_leave() -> None:
    """Who is cancelled while he waits leaves the queue; the next gets what he would have got."""
    async with silent() as url:
        rig = Rig(url, limits=Limits(connections=1, waiting=2))
        connection = await rig.get()
        first, second = rig.want(), rig.want()
        await turns()
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await soon(first)
        assert rig.state == (1, 0, 1)
        third = rig.want()
        await rig.finish(connection)
        assert await soon(second) is connection
        await rig.finish(connection)
        assert await soon(third) is connection
        connection.close()
        assert (rig.state, rig.clock.waiting) == ((0, 0, 0), 0)


async def test_who_leaves_when_his_time_is_over() -> None:
    """Who is cancelled when his time was just over is cancelled."""
    async with silent() as url:
        rig = Rig(url, limits=Limits(connections=1, wait=5))
        connection = await rig.get()
        waiting = rig.want()
        await turns()
        rig.clock.advance(6)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await soon(waiting)
        assert rig.state == (1, 0, 0)
        connection.close()


async def test_who_leaves_with_a_connection_passes_it_on() -> None:
    """Who is cancelled when he had just been given a connection passes it on (F-80)."""
    async with silent() as url:
        rig = Rig(url, limits=Limits(connections=1))
        connection = await rig.get()
        first, second = rig.want(), rig.want()
        await turns()
        await rig.finish(connection)
        first.cancel()  # given it, but has not run yet
        with pytest.raises(asyncio.CancelledError):
            await soon(first)
        assert await soon(second) is connection
        third = rig.want()
        await turns()
        await rig.finish(connection)
        third.cancel()
        with pytest.raises(asyncio.CancelledError):
            await soon(third)
        assert rig.state == (1, 1, 0), "nobody waits: it is idle"
        assert await rig.get() is connection
        connection.close()


async def test_who_leaves_with_a_place_passes_it_on() -> None:
    """The same for who had been given the place of a connection that was lost."""
    async with silent() as url:
        rig = Rig(url, limits=Limits(connections=1))
        connection = await rig.get()
        first, second = rig.want(), rig.want()
        await turns()
        connection.abort()
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await soon(first)
        other = await soon(second)
        assert rig.state == (1, 0, 0)
        third = rig.want()
        await turns()
        other.abort()
        third.cancel()
        with pytest.raises(asyncio.CancelledError):
            await soon(third)
        assert rig.state == (0, 0, 0)


async def test_given_and_lost() -> None:
    """A connection that is lost between being given and being taken is not handed out: a new one is opened."""
    async with silent() as url:
        rig = Rig(url, limits=Limits(connections=1))
        connection = await rig.get()
        waiting = rig.want()
        await turns()
        await rig.finish(connection)
        connection.abort()
        got = await soon(waiting)
        assert not got.closed
        assert rig.state == (1, 0, 0)
        got.close()


# --- age


async def test_idle_connections_are_closed() -> None:
    """A connection is closed when it has been idle for ``idle`` seconds, each by its own time (F-85)."""
    async with FakeUpstream() as server:
        rig = Rig(server.url, limits=Limits(idle=4))
        a, b = await rig.get(), await rig.get()
        await rig.use(a)
        rig.clock.advance(2)
        await rig.use(b)
        rig.clock.advance(1.9)
        assert rig.state == (2, 2, 0)
        rig.clock.advance(0.2)
        assert rig.state == (1, 1, 0)
        assert (a.closed, b.closed) == (True, False)
        rig.clock.advance(1.8)
        assert rig.state == (1, 1, 0)
        rig.clock.advance(0.2)
        assert rig.state == (0, 0, 0)
        assert rig.clock.waiting == 0, "nothing is idle, so nobody looks"
        assert rig.clock.asked <= 2 + 3, "one timer a request, and one a look at what is idle"
        await server.gone(2)


async def test_use_starts_the_time_anew() -> None:
    """Only the time since the last use counts; what is in use is never closed for it."""
    async with FakeUpstream() as server:
        rig = Rig(server.url, limits=Limits(idle=4))
        connection = await rig.get()
        for _ in range(5):
            await rig.use(connection)
            rig.clock.advance(3)
            assert await rig.get() is connection
            rig.clock.advance(3)
        rig.clock.advance(100)
        assert await rig.use(connection) == 200
        rig.clock.advance(3.9)
        assert rig.state == (1, 1, 0)
        rig.clock.advance(0.2)
        assert rig.state == (0, 0, 0)
        await server.gone()


async def test_the_oldest_go_first() -> None:
    """Under less load the connections that are not needed run out, while the one that is stays."""
    async with FakeUpstream() as server:
        rig = Rig(server.url, limits=Limits(idle=4))
        connections = [await rig.get() for _ in range(5)]
        for connection in connections:
            await rig.use(connection)
        for _ in range(6):
            rig.clock.advance(1)
            await rig.use(await rig.get())
        assert rig.state == (1, 1, 0)
        assert await rig.get() is connections[-1]
        connections[-1].close()
        await server.gone(5)


async def test_lifetime() -> None:
    """A connection older than ``lifetime`` is not used again, however busy it was."""
    async with FakeUpstream() as server:
        rig = Rig(server.url, limits=Limits(lifetime=10, idle=100))
        connection = await rig.get()
        for _ in range(3):
            await rig.use(connection)
            rig.clock.advance(3)
            assert await rig.get() is connection
        await rig.use(connection)
        rig.clock.advance(1.1)
        fresh = await rig.get()
        assert fresh is not connection
        assert (connection.closed, rig.state) == (True, (1, 0, 0))
        fresh.close()
        await server.gone(2)


async def test_lifetime_of_what_is_never_idle() -> None:
    """Nor is it handed to who waits: under constant load connections age, too."""
    async with FakeUpstream() as server:
        rig = Rig(server.url, limits=Limits(connections=1, lifetime=10, wait=1000))
        connection = await rig.get()
        waiting = rig.want()
        await turns()
        rig.clock.advance(11)
        await rig.use(connection)
        fresh = await soon(waiting)
        assert fresh is not connection
        assert (connection.closed, rig.state) == (True, (1, 0, 0))
        fresh.close()
        await server.gone(2)


# --- the end


async def test_close() -> None:
    """Closing closes what is idle, refuses who waits, and lets who has a connection finish."""
    async with FakeUpstream() as server:
        rig = Rig(server.url, limits=Limits(connections=2))
        busy = [await rig.get(), await rig.get()]
        waiting = rig.want()
        await turns()
        rig.pool.close()
        failed = await failure(waiting)
        assert isinstance(failed, QueueFull)
        assert failed.status == 503
        for connection in busy:
            assert await rig.use(connection) == 200
        assert [connection.closed for connection in busy] == [True, True]
        assert [request.connection for request in server.requests] == [1, 2]
        assert (rig.state, rig.clock.waiting) == ((0, 0, 0), 0)
        rig.pool.close()
        await server.gone(2)


async def test_close_of_what_is_idle() -> None:
    """What is idle is closed at once, and no timer stays."""
    async with FakeUpstream() as server:
        rig = Rig(server.url)
        connections = [await rig.get() for _ in range(3)]
        for connection in connections:
            await rig.use(connection)
        rig.pool.close()
        assert all(connection.closed for connection in connections)
        assert (rig.state, rig.clock.waiting) == ((0, 0, 0), 0)
        await server.gone(3)


async def test_close_while_dialling() -> None:
    """A connection that was being opened is used once, and then closed."""
    async with FakeUpstream() as server:
        rig = Rig(server.url)
        wanted = rig.want()
        await turns(1)
        rig.pool.close()
        assert await rig.use(await soon(wanted)) == 200
        assert rig.state == (0, 0, 0)
        await server.gone()


# --- at random


ops = st.lists(
    st.one_of(
        st.tuples(st.just("want"), st.just(0)),
        st.tuples(st.just("want"), st.just(0)),
        st.tuples(st.just("finish"), st.integers(0, 9)),
        st.tuples(st.just("lose"), st.integers(0, 9)),
        st.tuples(st.just("cancel"), st.integers(0, 9)),
        st.tuples(st.just("turns"), st.integers(1, 9)),
        st.tuples(st.just("settle"), st.just(0)),
        st.tuples(st.just("advance"), st.integers(1, 6)),
        st.tuples(st.just("unasked"), st.integers(0, 9)),
    ),
    max_size=40,
)


@given(ops, st.integers(1, 3))
@example([("want", 0), ("turns", 4), ("cancel", 0), ("settle", 0)] * 3, 1)
@example([("want", 0), ("turns", 5), ("cancel", 0), ("settle", 0)] * 3, 1)
@example([("want", 0), ("settle", 0), ("want", 0), ("turns", 1), ("finish", 0), ("cancel", 0), ("want", 0)], 1)
@example([("want", 0), ("settle", 0), ("want", 0), ("turns", 1), ("lose", 0), ("cancel", 0), ("want", 0)], 1)
@example([("want", 0), ("settle", 0), ("want", 0), ("turns", 1), ("finish", 0), ("lose", 0), ("cancel", 0)], 1)
@settings(deadline=None, max_examples=150)
async def test_no_place_is_ever_lost(plan: list[tuple[str, int]], cap: int) -> None:
    """However requests, ends, losses, cancellations and time are interleaved: never are more connections open than may
    be, and at the end exactly as many are counted as there are; nobody waits while there is a place; and nothing is
    left."""
    before = open_sockets()
    async with silent() as url:
        rig = Rig(url, limits=Limits(connections=cap, waiting=4, wait=5, idle=4, lifetime=20))
        wanted: list[asyncio.Task[Connection]] = []
        held: list[Connection] = []
        seen: list[Connection] = []

        def look() -> None:
            for task in [task for task in wanted if task.done()]:
                wanted.remove(task)
                if not task.cancelled() and task.exception() is None:
                    held.append(task.result())
                    if task.result() not in seen:
                        seen.append(task.result())
                elif not task.cancelled():
                    assert isinstance(task.exception(), (QueueFull, QueueTimeout)), repr(task.exception())
            opened, idle, waiting = rig.state
            assert 0 <= idle <= opened <= cap
            assert len(held) == len(set(held)), "one connection, two owners"
            assert 0 <= waiting <= 4

        async def settle() -> None:
            def at_rest() -> bool:
                look()
                return rig.state[2] == len(wanted)

            await turns(3)
            await until(at_rest)
            held[:] = [connection for connection in held if not connection.closed]
            opened, idle, waiting = rig.state
            assert opened == len(held) + idle, "places without a connection"
            assert not (waiting and opened < cap), "waiting, though there is a place"
            assert not (waiting and idle), "waiting, though there is a connection"

        for what, number in plan:
            if what == "want":
                wanted.append(rig.want())
            elif what == "turns":
                await turns(number)
            elif what == "settle":
                await settle()
            elif what == "advance":
                rig.clock.advance(number)
            elif what == "cancel" and wanted:
                wanted[number % len(wanted)].cancel()
            elif what == "unasked" and seen:
                connection = seen[number % len(seen)]
                if connection not in held and not connection.closed:
                    connection.data_received(b"unasked")
            elif what == "lose" and seen:
                connection = seen[number % len(seen)]
                if connection in held:
                    held.remove(connection)
                connection.abort()
            elif what == "finish" and held:
                connection = held.pop(number % len(held))
                if not connection.closed:
                    await rig.finish(connection)
            look()

        await settle()
        while wanted or held:
            for task in wanted:
                task.cancel()
            while held:
                held.pop().abort()
            await settle()
        opened, idle, waiting = rig.state
        assert (opened, waiting) == (idle, 0)
        assert opened == sum(not connection.closed for connection in seen)
        wanted.extend(rig.want() for _ in range(cap))
        await settle()
        assert (len(held), wanted) == (cap, []), "all places can be had again"
        while held:
            held.pop().abort()
        rig.pool.close()
        await turns(5)
        assert rig.state == (0, 0, 0)
    assert open_sockets() == before


@given(st.lists(st.sampled_from(["200", "close", "reset", "cancel"]), min_size=1, max_size=12), st.integers(1, 3))
@settings(deadline=None, max_examples=30)
async def test_requests_at_random(plan: list[str], cap: int) -> None:
    """Requests beside each other, some of which are answered, some reset and some cancelled: no more than ``cap``
    connections are ever open, and at the end the pool counts what the server sees."""
    async with FakeUpstream() as server:
        server.on("/close", respond(body=b"ok", close=True))
        server.on("/reset", reset())
        server.on("/cancel", stall())
        rig = Rig(server.url, limits=Limits(connections=cap))

        def asked_for(target: str) -> bool:
            return any(each.target == target for each in server.requests)

        async def request(number: int, kind: str) -> str:
            connection = await rig.pool.acquire()
            call = Call(server.url, target=f"/{kind}?{number}")
            try:
                response = await connection.exchange(call.attempt, call.head, rig.clock.now())
                return (await response.body.read(10)).decode()
            except ProxyError as error:
                return type(error).__name__
            finally:
                call.over()

        tasks = [asyncio.create_task(request(number, kind)) for number, kind in enumerate(plan)]
        for number, kind in enumerate(plan):
            if kind == "cancel":
                target = f"/cancel?{number}"
                await until(partial(asked_for, target))
                tasks[number].cancel()
            assert rig.state[0] <= cap
        results = await soon(asyncio.gather(*tasks, return_exceptions=True))
        for kind, result in zip(plan, results, strict=True):
            if kind == "cancel":
                assert isinstance(result, asyncio.CancelledError)
            else:
                assert result == {"200": "ok", "close": "ok", "reset": "ConnectionLost"}[kind]
        await until(lambda: rig.state == (server.open, server.idle, 0))
        assert server.open <= cap
        rig.pool.close()
        await open_at(server, 0)
