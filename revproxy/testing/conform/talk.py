"""A composition between raw bytes on one side and a scripted upstream on the other."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, NoReturn, TypeAlias

from aiohttp import web

from ...proxy import ProxyHandler
from .. import script
from ..recorded import Recorded
from ..script import Action, Fields, Source
from ..turn import Step
from ..upstream import FakeUpstream
from .client import Answer, Client
from .noting import noted
from .transcript import Transcript

__all__ = ["NEXT", "Bench", "Check", "Compose", "Needs", "Pairs", "Talk", "chunks"]

Compose: TypeAlias = Callable[[str], ProxyHandler | web.Application]
Pairs: TypeAlias = Iterable[tuple[str, str]]

PATH = "/conform"
NEXT = "/conform/next"
HOST = "conform.test"


@dataclass(frozen=True, slots=True)
class Needs:
    """What a composition asks for, and what it does on purpose."""

    prefix: str
    upstream_prefix: str
    request_fields: tuple[tuple[str, str], ...]
    response_fields: tuple[tuple[str, str], ...]
    request_edits: frozenset[str]
    response_edits: frozenset[str]
    timeout: float


def chunks(*pieces: bytes, trailers: bytes = b"") -> bytes:
    """A chunked body."""
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n" + trailers + b"\r\n"


class Bench:
    """Where a row looks into a composition, made anew for each talk."""

    def __init__(self, compose: Compose, needs: Needs, transcript: Callable[[], Transcript]) -> None:
        self.needs = needs
        self._compose = compose
        self._transcript = transcript

    def respond(self, status: int = 200, fields: Pairs = (), body: Source = b"", **options: Any) -> Action:
        """``script.respond``, with the fields that the composition is to find in responses."""
        return script.respond(status, headers=self._with(fields), body=body, **options)

    def head(self, status: int = 200, fields: Pairs = (), reason: str | None = None) -> Action:
        """``script.head``, likewise."""
        return script.head(status, headers=self._with(fields), reason=reason)

    def _with(self, fields: Pairs) -> Fields:
        own = list(fields)
        names = {name.lower() for name, _ in own}
        return [*(pair for pair in self.needs.response_fields if pair[0].lower() not in names), *own]

    @asynccontextmanager
    async def talk(self, *steps: Step, listening: bool = True, socket_buffer: int | None = None) -> AsyncIterator[Talk]:
        """A talk with an upstream that answers by ``steps``; not ``listening``: that refuses connections."""
        needs, transcript = self.needs, self._transcript()
        upstream = FakeUpstream(timeout=needs.timeout, socket_buffer=socket_buffer)
        await upstream.start()
        transcript.errors = upstream.errors
        try:
            upstream.always(*noted(steps or (self.respond(body=b"ok"),), transcript))
            path = needs.upstream_prefix + NEXT
            upstream.on(path, *noted([self.respond(body=b"next")], transcript))
            if not listening:
                await upstream.stop()
                transcript.remark("nobody listens where the upstream should be")
            app = self._compose(upstream.url)
            if isinstance(app, ProxyHandler):
                proxy, app = app, web.Application()
                proxy.mount(app)
            # Over an upload that is not wanted the server lingers a little, not 10 s.
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=min(1.0, needs.timeout), lingering_time=0.1)
            await runner.setup()
            talk = Talk(needs, transcript, upstream, runner)
            try:
                await web.TCPSite(runner, "127.0.0.1", 0).start()
                await talk.connect()
                yield talk
            finally:
                talk.leave()
                await runner.cleanup()
            if upstream.errors:
                transcript.fail("what the upstream gets is HTTP", str(upstream.errors[0]))
        finally:
            upstream.errors.clear()
            await upstream.stop()


Check: TypeAlias = Callable[[Bench], Coroutine[Any, Any, None]]
"""What a row looks into. Its docstring is the row's claim."""


class Talk:
    """One composition, its clients and its upstream."""

    client: Client

    def __init__(self, needs: Needs, transcript: Transcript, upstream: FakeUpstream, runner: web.AppRunner) -> None:
        self.needs = needs
        self.upstream = upstream
        self.fail: Callable[[str, str], NoReturn] = transcript.fail
        self._transcript = transcript
        self._runner = runner
        self._clients: list[Client] = []

    async def connect(self, *, receive_buffer: int | None = None) -> Client:
        """A new connection, which is ``client`` from now on."""
        sock = socket.socket()
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if receive_buffer is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        name = f"client {len(self._clients) + 1}" if self._clients else "the client"
        self.client = Client(sock, name, self.needs.timeout, self._transcript)
        self._clients.append(self.client)
        async with asyncio.timeout(self.needs.timeout):
            await asyncio.get_running_loop().sock_connect(sock, self._runner.addresses[0])
        return self.client

    def leave(self) -> None:
        """Close all connections of clients."""
        for client in self._clients:
            client.sock.close()

    async def stop(self) -> None:
        """Have the proxy stop: whatever it was about is over then."""
        self.leave()
        await self._runner.cleanup()
        self._transcript.remark("the proxy is stopped")

    # Asking.

    async def ask(
        self,
        method: str = "GET",
        path: str = PATH,
        fields: Pairs = (),
        body: bytes = b"",
        *,
        version: str = "1.1",
        chunked: bool = False,
        length: int | None = None,
    ) -> list[tuple[str, str]]:
        """Send a request; ``body`` as it is, ``chunked`` and ``length`` say what is said of it. Returns its fields.

        Of a field that the composition needs, the row's own value is not sent.
        """
        sent = list(self.needs.request_fields)
        needed = {name.lower() for name, _ in sent}
        if "host" not in needed:
            sent.insert(0, ("Host", HOST))
        sent += [pair for pair in fields if pair[0].lower() not in needed]
        if length is not None:
            sent.append(("Content-Length", str(length)))
        if chunked:
            sent.append(("Transfer-Encoding", "chunked"))
        lines = "".join(f"{name}: {value}\r\n" for name, value in sent)
        head = f"{method} {self.needs.prefix}{path} HTTP/{version}\r\n{lines}\r\n"
        await self.client.send(head.encode("latin-1") + body)
        return sent

    async def exchange(
        self, method: str = "GET", path: str = PATH, fields: Pairs = (), body: bytes = b"", **options: Any
    ) -> tuple[Recorded, Answer]:
        """What reaches the upstream of a request, and the whole answer."""
        before = len(self.upstream.requests)
        await self.ask(method, path, fields, body, **options)
        answer = await self.client.answer(method)
        return await self.asked(before, answer), answer

    async def asked(self, before: int = 0, answer: Answer | None = None) -> Recorded:
        """The request that the upstream gets, of those after the first ``before``. With an ``answer`` it must have."""
        if answer is None:
            await self.until(self.upstream.wait_requests(before + 1), "the upstream gets a request")
        elif len(self.upstream.requests) <= before:
            self.fail(
                "the request reaches the upstream (if your rules need some field or path: request_fields=, prefix=)",
                f"the proxy answered by itself: {answer}",
            )
        return self.upstream.requests[before]

    async def next(self, after: Answer) -> tuple[Recorded, Answer]:
        """One more exchange, on the same connection if that lasts. It must be right, whatever was before."""
        if after.closes:
            await self.connect()
        request, answer = await self.exchange(path=NEXT)
        self.check((answer.status, answer.whole) == (200, True), "the next request is answered with 200", str(answer))
        return request, answer

    async def follow(self, answer: Answer) -> None:
        """Nothing but the next response comes after ``answer``."""
        if answer.closes:
            rest = await self.client.rest()
            self.check(not rest, "nothing comes after the response", repr(rest[:200]))
        else:
            await self.next(answer)

    async def until(self, wait: Coroutine[Any, Any, object], should: str) -> None:
        """Wait for something of the upstream."""
        try:
            await wait
        except TimeoutError:
            self.fail(should, f"not within {self.needs.timeout} s: {self.upstream!r}")

    # Judging.

    def check(self, holds: bool, should: str, was: object) -> None:
        if not holds:
            self.fail(should, str(was))

    def arrived(self, request: Recorded, name: str, values: Collection[str]) -> None:
        """The upstream got these values of a field, unless the composition edits it."""
        if name.lower() not in self.needs.request_edits:
            self._compare("the upstream gets", name, values, request.headers)

    def returned(self, answer: Answer, name: str, values: Collection[str]) -> None:
        """The client got these values of a field, unless the composition edits it."""
        if name.lower() not in self.needs.response_edits:
            self._compare("the client gets", name, values, answer.fields)

    def _compare(self, who: str, name: str, values: Collection[str], fields: Pairs) -> None:
        got = [value for key, value in fields if key.lower() == name.lower()]
        self.check(got == list(values), f"{who} {_lines(name, values)}", _lines(name, got))

    def got(self, answer: Answer, status: int, body: bytes) -> None:
        """The client got all of this."""
        same = (answer.status, answer.body, answer.whole) == (status, body, True)
        self.check(same, f"the client gets {status} with the whole content {body[:200]!r}", answer)

    def body(self, request: Recorded, body: bytes) -> None:
        """The upstream got all of this."""
        same = (request.body, request.complete) == (body, True)
        whole = "whole" if request.complete else "unfinished"
        self.check(same, f"the upstream gets the whole body {body!r}", f"{request.body[:200]!r}, {whole}")


def _lines(name: str, values: Collection[str]) -> str:
    return " and ".join(f"{name}: {value!r}" for value in values) or f"no {name}"
