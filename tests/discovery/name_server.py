"""A name server on loopback, over UDP and TCP, that says what a test wants, true or not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypeAlias, cast

import dns.asyncresolver
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

Says: TypeAlias = Callable[[dns.message.Message, bool], Sequence[bytes]]
"""The datagrams (or the one message) that answer a query; whether that came over TCP. None: no answer."""


class NameServer:
    """``say`` sets what is answered for a name and a type; what nobody set is an empty answer, or NXDOMAIN where
    nothing is known of the name."""

    def __init__(self) -> None:
        self.port = 0
        self.asked: list[tuple[str, str, str]] = []
        """Name, type and transport of each query, in order."""
        self._says: dict[tuple[str, str], Says] = {}
        self._event = asyncio.Event()
        self.transport: asyncio.DatagramTransport | None = None

    def say(self, name: str, kind: str, *values: str, ttl: int = 30) -> None:
        """Records of the name itself."""
        self.chain(name, kind, [(name, kind, *values)] if values else [], ttl=ttl)

    def chain(self, name: str, kind: str, records: Sequence[tuple[str, ...]], *, ttl: int = 30) -> None:
        """Any records, in the answer section."""

        def says(query: dns.message.Message, tcp: bool) -> Sequence[bytes]:
            response = dns.message.make_response(query)
            response.answer = [
                dns.rrset.from_text(f"{owner}.", ttl, "IN", type_, *values) for owner, type_, *values in records
            ]
            return [response.to_wire()]

        self.do(name, kind, says)

    def refuse(self, name: str, kind: str, rcode: str) -> None:
        """An error."""

        def says(query: dns.message.Message, tcp: bool) -> Sequence[bytes]:
            response = dns.message.make_response(query)
            response.set_rcode(dns.rcode.from_text(rcode))
            return [response.to_wire()]

        self.do(name, kind, says)

    def do(self, name: str, kind: str, says: Says) -> None:
        """Whatever ``says`` does."""
        self._says[name, kind] = says

    def resolver(self) -> dns.asyncresolver.Resolver:
        """One that asks this server."""
        resolver = dns.asyncresolver.Resolver(configure=False)
        resolver.nameservers = ["127.0.0.1"]
        resolver.port = self.port
        return resolver

    async def wait_asked(self, count: int) -> None:
        """Until there were ``count`` queries in all."""
        async with asyncio.timeout(10):
            while len(self.asked) < count:
                self._event.clear()
                await self._event.wait()

    def received(self, data: bytes, address: tuple[str, int]) -> None:
        """A datagram."""
        assert self.transport is not None
        for each in self.answers(data, tcp=False):
            self.transport.sendto(each, address)

    def answers(self, data: bytes, *, tcp: bool) -> Sequence[bytes]:
        query = dns.message.from_wire(data)
        (question,) = query.question
        name, kind = question.name.to_text(omit_final_dot=True), dns.rdatatype.to_text(question.rdtype)
        self.asked.append((name, kind, "tcp" if tcp else "udp"))
        self._event.set()
        says = self._says.get((name, kind))
        if says is not None:
            return says(query, tcp)
        response = dns.message.make_response(query)
        if not any(known == name for known, _ in self._says):
            response.set_rcode(dns.rcode.NXDOMAIN)
        return [response.to_wire()]


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: NameServer) -> None:
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._server.transport = cast(asyncio.DatagramTransport, transport)  # no subclass of it in Python 3.11

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._server.received(data, addr)


@asynccontextmanager
async def name_server() -> AsyncIterator[NameServer]:
    """A running one, on a free port."""
    server = NameServer()
    handlers: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            size = int.from_bytes(await reader.readexactly(2))
            for each in server.answers(await reader.readexactly(size), tcp=True):
                writer.write(len(each).to_bytes(2) + each)
            await writer.drain()
            await reader.read()
        except (OSError, EOFError):
            pass
        finally:
            writer.close()

    def serve_in_a_task(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(serve(reader, writer))
        handlers.add(task)
        task.add_done_callback(handlers.discard)

    streams = await asyncio.start_server(serve_in_a_task, "127.0.0.1", 0)
    server.port = streams.sockets[0].getsockname()[1]
    loop = asyncio.get_running_loop()
    datagrams, _ = await loop.create_datagram_endpoint(
        lambda: _Datagrams(server), local_addr=("127.0.0.1", server.port)
    )
    try:
        yield server
    finally:
        datagrams.close()
        streams.close()
        for task in list(handlers):
            task.cancel()
        if handlers:
            await asyncio.wait(list(handlers))
        await asyncio.sleep(0)
