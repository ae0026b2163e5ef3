"""A real HTTP/1.1 server that does what a test tells it: the other end of the proxy under test.

    async with FakeUpstream() as server:
        server.respond(200, body=b"hello", headers={"X-A": "1"})    # the answer to every request
        server.on("/slow", delay(0.2), respond(200, body=b"late"))  # to those for a path, or that a function picks
        server.once(reset())                                        # to the next request only; calls queue up
        ...                                                         # send requests to server.url
        assert server.requests[0].raw_head == b"GET / HTTP/1.1\\r\\n..."

It speaks TCP, TLS and Unix sockets, sends wrong bytes as gladly as right ones, and records what it got. The steps are
in `revproxy.testing.script`.
"""

import asyncio
import contextlib
import os
import socket
import ssl as tls
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Self, TypeAlias

from .connection import Connection
from .recorded import MalformedRequest, Recorded
from .script import Action, Fields, Source, respond
from .turn import Step

_BROKEN = (ConnectionError, EOFError, TimeoutError, tls.SSLError)  # what reading and writing raise at a client's end


Where: TypeAlias = str | Callable[[Recorded], bool]


class FakeUpstream:
    """A scripted HTTP/1.1 server on a free loopback port, on a Unix socket (`path`), or with TLS (`ssl`).

    A request is answered by the oldest unused `once`, else by the newest `on` that fits, else by `always` (at first a
    200 with the body `ok`). It keeps connections open unless the client or the script ends them, and answers pipelined
    requests in turn. Times are seconds, sizes bytes. `record_limit` is how much of each body is kept; `timeout` bounds
    every `wait...` and `gone`; `socket_buffer` makes the kernel's buffers small, for tests of backpressure.

    When the block ends, everything is closed, and what went wrong inside scripts or was no HTTP in a request is raised
    as an `ExceptionGroup` (it is in `errors` before; remove there what a test provoked). That the client left is no
    error. After the end `url` still names the address, which now refuses connections.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        path: str | os.PathLike[str] | None = None,
        ssl: tls.SSLContext | None = None,
        record_limit: int = 1024 * 1024,
        timeout: float = 5.0,
        socket_buffer: int | None = None,
    ) -> None:
        self.requests: list[Recorded] = []  # in order of their heads' arrival
        self.errors: list[Exception] = []
        self.connections: int = 0  # opened in all
        self.closed: int = 0  # closed in all, by whichever side
        self.port: int = 0
        self._host, self._path, self._ssl = host, path, ssl
        self._record_limit, self._timeout, self._socket_buffer = record_limit, timeout, socket_buffer
        self._default: tuple[Step, ...] = (respond(200, body=b"ok"),)
        self._routes: list[tuple[Where, tuple[Step, ...]]] = []
        self._left = 0
        self._queue: deque[tuple[Step, ...]] = deque()
        self._released = asyncio.Event()
        self._changed = asyncio.Event()
        self._open: set[Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._listener: socket.socket | None = None

    def __repr__(self) -> str:
        state = "listening" if self._listener else "stopped"
        return (
            f"<FakeUpstream {self.url} {state}: {len(self.requests)} requests, {self.connections} connections "
            f"({self.open} open, {self.idle} idle, {self.left} left by the client), {len(self._queue)} queued, "
            f"{len(self.errors)} errors>"
        )

    @property
    def url(self) -> str:
        """`http://127.0.0.1:port`, `https://...`, or `unix:/path`."""
        if self._path is not None:
            return f"unix:{os.fspath(self._path)}"
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{'https' if self._ssl else 'http'}://{host}:{self.port}"

    @property
    def open(self) -> int:
        """Connections that are open now."""
        return len(self._open)

    @property
    def idle(self) -> int:
        """Connections that are open and wait for a request."""
        return sum(connection.idle for connection in self._open)

    @property
    def left(self) -> int:
        """Connections, busy or idle, that the client has closed or reset while the server would have gone on."""
        return self._left + sum(connection.left for connection in self._open)

    # what it answers

    def respond(self, status: int = 200, *, headers: Fields = (), body: Source = b"") -> None:
        """Answer every request so: short for `always(respond(...))`."""
        self.always(respond(status, headers=headers, body=body))

    def always(self, *steps: Step) -> None:
        """The script for every request that nothing else is for."""
        self._default = steps

    def on(self, where: Where, *steps: Step) -> None:
        """The script for a path (compared as sent, without the query), or for the requests that a function picks."""
        self._routes.insert(0, (where, steps))

    def once(self, *steps: Step) -> None:
        """The script for the next request that has none from an earlier `once`, whatever its path."""
        self._queue.append(steps)

    def release(self) -> None:
        """Let every `stall()` go on, those to come as well."""
        self._released.set()

    async def close_idle(self, n: int = 1, *, timeout: float | None = None) -> None:
        """Wait until `n` connections are idle, then close all idle ones; their FINs are out when it returns."""
        await self._until(lambda: self.idle >= n, f"{n} idle connections", timeout)
        await asyncio.gather(*(connection.close() for connection in self._open if connection.idle))

    # what came; all raise TimeoutError, with the state, after `timeout` seconds (default: the server's timeout)

    async def wait_requests(
        self, n: int = 1, *, complete: bool = False, timeout: float | None = None
    ) -> list[Recorded]:
        """The first `n` requests, as soon as their heads (`complete`: and their bodies) are there."""

        def ready() -> bool:
            first = self.requests[:n]
            return len(first) == n and (not complete or all(request.complete for request in first))

        await self._until(ready, f"{n} {'complete ' * complete}requests", timeout)
        return self.requests[:n]

    async def wait_closed_connections(self, n: int = 1, *, timeout: float | None = None) -> None:
        """Until `n` connections in all were closed, by either side."""
        await self._until(lambda: self.closed >= n, f"{n} closed connections ({self.closed} now)", timeout)

    async def gone(self, n: int = 1, *, timeout: float | None = None) -> None:
        """Until the client has left `n` connections in all by FIN or RST: seen at once, even amid a script's wait."""
        await self._until(lambda: self.left >= n, f"{n} connections that the client left", timeout)

    async def _until(self, ready: Callable[[], bool], what: str, timeout: float | None) -> None:
        seconds = self._timeout if timeout is None else timeout
        try:
            async with asyncio.timeout(seconds):
                while not ready():
                    await self._changed.wait()
        except TimeoutError:
            raise TimeoutError(f"no {what} within {seconds} s: {self!r}") from None

    # its life

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self.stop()
        except ExceptionGroup as group:
            if exc is None:
                raise
            exc.add_note(f"{group}: {group.exceptions!r}")

    async def start(self) -> None:
        """Listen; after a `stop` at the same address again. Raises `OSError` when the address cannot be had."""
        if self._listener:
            raise RuntimeError(f"started twice: {self!r}")
        if self._path is not None:
            listener = socket.socket(socket.AF_UNIX)
            address: str | tuple[str, int] = os.fspath(self._path)
        else:
            listener = socket.socket(socket.AF_INET6 if ":" in self._host else socket.AF_INET)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            address = (self._host, self.port)
        try:
            listener.setblocking(False)
            if self._socket_buffer is not None:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._socket_buffer)
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self._socket_buffer)
            listener.bind(address)
            listener.listen(1024)
        except BaseException:
            listener.close()
            raise
        self.port = 0 if self._path is not None else listener.getsockname()[1]
        self._listener = listener
        asyncio.get_running_loop().add_reader(listener, self._accept, listener)

    async def stop(self) -> None:
        """Close everything at once. Raises `ExceptionGroup` of `errors`, if there are any."""
        if self._listener:
            # First of all: whoever sees a connection end and dials again must be refused.
            asyncio.get_running_loop().remove_reader(self._listener)
            self._listener.close()
            self._listener = None
            if self._path is not None:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(self._path)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for connection in self._open:  # whose tasks were cancelled before they began
            connection.sock.close()
        self._open.clear()
        if self.errors:
            raise ExceptionGroup(f"errors in {self!r}", self.errors)

    def _accept(self, listener: socket.socket) -> None:  # loop.sock_accept() would lose a socket when it is cancelled
        try:
            sock, _ = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError as error:  # no more file descriptors, say
            self.errors.append(error)
            asyncio.get_running_loop().remove_reader(listener)
            return
        sock.setblocking(False)
        self.connections += 1
        connection = Connection(self.connections, sock, self._released, self._notify)
        self._open.add(connection)
        task = asyncio.create_task(self._serve(connection))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, connection: Connection) -> None:
        try:
            with contextlib.suppress(OSError):  # a client may refuse our certificate, or hang up before the end of TLS
                await connection.open(self._ssl, self._timeout)
            if connection.opened:
                await self._converse(connection)
        finally:
            self._open.discard(connection)
            self.closed += 1
            self._left += connection.left
            self._notify()

    async def _converse(self, connection: Connection) -> None:
        try:
            while not connection.closing:
                await self._answer(connection, await connection.next_request(self._record_limit))
        except MalformedRequest as error:
            self._failed(connection, error)
            with contextlib.suppress(OSError):
                await connection.refuse()
        except Exception as error:
            self._failed(connection, error)
        finally:
            failure = await connection.abort()
            if failure:
                self._failed(connection, failure)

    async def _answer(self, connection: Connection, request: Recorded) -> None:
        self.requests.append(request)
        self._notify()
        script = self._pick(request)
        if not any(isinstance(step, Action) and step.governs_body for step in script):
            await connection.read_body()
        for step in script:
            await step(connection)
        if not connection.closing:
            await connection.finish_body()
            wish = ",".join(request.getall("connection")).lower()
            if "close" in wish or (request.version == "1.0" and "keep-alive" not in wish):
                await connection.close()

    def _pick(self, request: Recorded) -> tuple[Step, ...]:
        if self._queue:
            return self._queue.popleft()
        for where, script in self._routes:
            if where(request) if callable(where) else where == request.path:
                return script
        return self._default

    def _failed(self, connection: Connection, error: Exception) -> None:
        ended = connection.gone.is_set() or connection.closing
        if not (ended and isinstance(error, _BROKEN)) and error not in self.errors:
            with contextlib.suppress(AttributeError):
                error.add_note(f"in answer to {connection.request.method} {connection.request.target}")
            self.errors.append(error)

    def _notify(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
