"""Opening a connection: TCP, TLS, Unix sockets, and all that can go wrong before the first byte."""

from __future__ import annotations

import asyncio
import gc
import pathlib
import socket
import ssl
import struct
import sys
import warnings
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, TypeAlias

import pytest
import pytest_asyncio
import trustme

from revproxy.addresses import AddressPolicy
from revproxy.endpoint import Endpoint
from revproxy.errors import (
    AddressRefused,
    ConnectFailed,
    ConnectTimeout,
    DnsFailed,
    Origin,
    Phase,
    ProxyError,
    TlsFailed,
)
from revproxy.testing import FakeUpstream, hold, respond, stop_reading
from revproxy.wire.settings import Timeouts, Tls

from . import Call, Owner, collect, failure, open_sockets, soon, turns, until
from . import nothing_left as nothing_left

BIG = b"x" * 1_000_000


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@dataclass
class Pki:
    """What the tests need of certificates."""

    ca: trustme.CA
    path: pathlib.Path

    def server(self, *names: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert(*names).configure_cert(context)
        return context

    def client(self) -> pathlib.Path:
        path = self.path / "client.pem"
        self.ca.issue_cert("client.test", common_name="client.test").private_key_and_cert_chain_pem.write_to_path(path)
        return path

    @property
    def pem(self) -> pathlib.Path:
        path = self.path / "ca.pem"
        self.ca.cert_pem.write_to_path(path)
        return path


@pytest.fixture
def pki(authority: trustme.CA, tmp_path: pathlib.Path) -> Pki:
    return Pki(authority, tmp_path)


@pytest_asyncio.fixture(autouse=True)
async def _no_socket_left() -> AsyncIterator[None]:
    """Whatever a test provokes, no socket stays open, and none is left to the garbage collector."""
    before = open_sockets()
    yield
    gc.collect()
    await until(lambda: open_sockets() <= before)


async def works(url: str, *, tls: Tls | None = None) -> Owner:
    """A request over a new connection to ``url`` is answered, twice."""
    owner = Owner()
    endpoint = Endpoint(url)
    connection = await soon(owner.dial(endpoint, tls=tls))
    for number in (1, 2):
        response = await soon(owner.send(connection, Call(endpoint)))
        assert response.status == 200
        assert await soon(collect(response.body)) in (b"ok", BIG)
        assert (owner.made, owner.freed, owner.lost) == (1, number, 0)
    connection.close()
    return owner


async def refusal(url: str, *, tls: Tls | None = None, timeouts: Timeouts | None = None) -> ProxyError:
    """Why no connection to ``url`` can be opened. Nothing of the attempt stays."""
    before = open_sockets()
    owner = Owner(timeouts=timeouts)
    failed = await failure(owner.dial(url, tls=tls))
    assert isinstance(failed, ConnectFailed)
    assert (failed.origin, failed.phase) == (Origin.UPSTREAM, Phase.CONNECT)
    assert failed.retryable, "nothing was sent"
    where, _, why = str(failed).partition(f"{Endpoint(url).name}: ")
    assert not where, "an operator wants to know which"
    assert why, "and why"
    await turns()
    await until(lambda: open_sockets() <= before)
    return failed


# --- what works


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_tcp(host: str) -> None:
    """An address or a name, over IPv4."""
    async with FakeUpstream() as server:
        await works(f"http://{host}:{server.port}")
        await server.gone()


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="no IPv6 here")
async def test_tcp_v6() -> None:
    """An IPv6 address, in brackets."""
    async with FakeUpstream(host="::1") as server:
        await works(f"http://[::1]:{server.port}")
        assert server.requests[0].getall("Host") == [f"[::1]:{server.port}"]
        await server.gone()


Address: TypeAlias = tuple[str, int]


@contextmanager
def named(name: str, *addresses: Address, after: asyncio.Event | None = None) -> Iterator[None]:
    """While it lasts, the running event loop resolves ``name`` to ``addresses``, or not at all if there are none; once
    ``after`` is set."""
    loop = asyncio.get_running_loop()
    known = loop.getaddrinfo

    async def getaddrinfo(host: str, port: int, **options: Any) -> Sequence[tuple[object, ...]]:
        if host != name:
            return await known(host, port, **options)
        if after is not None:
            await after.wait()
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        found: list[tuple[object, ...]] = []
        for ip, number in addresses:
            if ":" in ip:
                found.append((socket.AF_INET6, socket.SOCK_STREAM, 6, "", (ip, number, 0, 0)))
            else:
                found.append((socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, number)))
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "getaddrinfo", getaddrinfo)
        yield


def unused() -> Address:
    """An address at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ip, port = listener.getsockname()
        return ip, port


async def test_several_addresses() -> None:
    """A name with several addresses is reached by the first that answers; those that refuse cost no time."""
    async with FakeUpstream() as server:
        good = ("127.0.0.1", server.port)
        for addresses in ([unused(), good], [good, unused()], [("::1", unused()[1]), unused(), good]):
            with named("up.test", *addresses):
                await works("http://up.test:80")
            await until(lambda: server.open == 0)


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="no IPv6 here")
async def test_both_families() -> None:
    """A name with addresses of both families is reached by the one at which somebody listens."""
    for host in ("::1", "127.0.0.1"):
        async with FakeUpstream(host=host) as server:
            for addresses in (
                (("::1", server.port), ("127.0.0.1", server.port)),
                (("127.0.0.1", server.port), ("::1", server.port)),
            ):
                with named("up.test", *addresses):
                    await works("http://up.test")
            await server.gone(2)


@pytest.mark.skipif(sys.platform != "linux", reason="a full queue refuses, elsewhere")
async def test_address_that_does_not_answer() -> None:
    """An address that does not answer holds nobody up for long: the next is tried beside it (RFC 8305), and what has
    lost is given up."""
    async with FakeUpstream() as server, deaf() as address:
        before = open_sockets()
        host, _, port = address.partition(":")
        with named("up.test", (host, int(port)), ("127.0.0.1", server.port)):
            async with asyncio.timeout(2):
                await works("http://up.test:80")
        await until(lambda: open_sockets() <= before)


async def test_all_addresses_refuse() -> None:
    """If none of them answers, that is the failure, and it says why."""
    with named("up.test", unused(), unused()):
        failed = await refusal("http://up.test")
    assert type(failed) is ConnectFailed
    assert "111" in str(failed) or "refused" in str(failed)


async def test_unix_socket(tmp_path: pathlib.Path) -> None:
    """A Unix socket; the request names ``localhost``."""
    async with FakeUpstream(path=tmp_path / "up.sock") as server:
        await works(server.url)
        assert server.requests[0].getall("Host") == ["localhost"]
        await server.gone()


async def test_connections_are_ready_at_once() -> None:
    """Small writes are not held back: Nagle's algorithm is off."""
    async with FakeUpstream() as server:
        connection = await soon(Owner().dial(server.url))
        sock = connection._transport.get_extra_info("socket")
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        connection.close()
        await server.gone()


# --- TLS


async def test_tls(pki: Pki) -> None:
    """A certificate of the given CA, for the endpoint's host, is accepted; large bodies go through (S-71)."""
    async with FakeUpstream(ssl=pki.server("127.0.0.1", "localhost")) as server:
        server.respond(body=BIG)
        await works(server.url, tls=Tls(ca=pki.pem))
        await works(f"https://localhost:{server.port}", tls=Tls(ca=pki.pem))
        await server.gone(2)


@pytest.mark.parametrize("tls", [None, Tls()], ids=["no setting", "default"])
async def test_unknown_authority(pki: Pki, tls: Tls | None) -> None:
    """By default a certificate that no CA of the system has signed is refused: 502 (S-71, F-82)."""
    async with FakeUpstream(ssl=pki.server("127.0.0.1")) as server:
        failed = await refusal(server.url, tls=tls)
        assert isinstance(failed, TlsFailed)
        assert failed.status == 502
        assert failed.token == "tls_protocol_error"
        await server.wait_closed_connections()
        assert server.requests == []


async def test_other_authority(pki: Pki, tmp_path: pathlib.Path) -> None:
    """A CA of one's own is the only one trusted (S-71)."""
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
    async with FakeUpstream(ssl=pki.server("127.0.0.1")) as server:
        assert isinstance(await refusal(server.url, tls=Tls(ca=tmp_path / "other.pem")), TlsFailed)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_wrong_host_name(pki: Pki, host: str) -> None:
    """A certificate for another name is refused, for addresses as well (S-71)."""
    async with FakeUpstream(ssl=pki.server("other.test", "127.0.0.2")) as server:
        failed = await refusal(f"https://{host}:{server.port}", tls=Tls(ca=pki.pem))
        assert isinstance(failed, TlsFailed)
        assert server.requests == []


def sni(context: ssl.SSLContext) -> list[str | None]:
    """What names the clients of ``context`` ask for."""
    seen: list[str | None] = []

    def note(_: ssl.SSLObject | ssl.SSLSocket, name: str | None, __: ssl.SSLContext) -> None:
        seen.append(name)

    context.sni_callback = note
    return seen


async def test_server_hostname(pki: Pki) -> None:
    """``server_hostname`` is what is sent and verified instead of the host; ``Host`` is as it was (F-13, F-88)."""
    context = pki.server("up.test")
    names = sni(context)
    async with FakeUpstream(ssl=context) as server:
        await works(server.url, tls=Tls(ca=pki.pem, server_hostname="up.test"))
        assert server.requests[0].getall("Host") == [f"127.0.0.1:{server.port}"]
        assert isinstance(await refusal(server.url, tls=Tls(ca=pki.pem, server_hostname="no.test")), TlsFailed)
        assert names == ["up.test", "no.test"]


async def test_sni_is_the_host(pki: Pki) -> None:
    """By default the endpoint's host is sent; an address is not, as it is no name (RFC 6066 section 3)."""
    context = pki.server("localhost", "127.0.0.1")
    names = sni(context)
    async with FakeUpstream(ssl=context) as server:
        await works(f"https://localhost:{server.port}", tls=Tls(ca=pki.pem))
        await works(f"https://127.0.0.1:{server.port}", tls=Tls(ca=pki.pem))
        assert names == ["localhost", None]


async def test_no_verification(pki: Pki) -> None:
    """``verify=False`` takes any certificate, and still says a name (S-71)."""
    context = pki.server("other.test")
    names = sni(context)
    async with FakeUpstream(ssl=context) as server:
        await works(server.url, tls=Tls(verify=False))
        await works(server.url, tls=Tls(verify=False, server_hostname="x.test"))
        assert names == [None, "x.test"]


async def test_client_certificate(pki: Pki) -> None:
    """Where the server asks for one, the client certificate is shown (F-88)."""
    context = pki.server("127.0.0.1")
    context.verify_mode = ssl.CERT_REQUIRED
    pki.ca.configure_trust(context)
    async with FakeUpstream(ssl=context) as server:
        await works(server.url, tls=Tls(ca=pki.pem, certificate=pki.client()))
        assert len(server.requests) == 2


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_missing_client_certificate(pki: Pki, version: ssl.TLSVersion) -> None:
    """Without it the server ends the connection: in the handshake, or, with TLS 1.3, right behind it; nothing is
    answered."""
    context = pki.server("127.0.0.1")
    context.verify_mode = ssl.CERT_REQUIRED
    context.maximum_version = version
    pki.ca.configure_trust(context)
    owner = Owner()
    async with FakeUpstream(ssl=context) as server:

        async def attempt() -> None:
            connection = await owner.dial(server.url, tls=Tls(ca=pki.pem))
            await owner.send(connection, Call(server.url))

        failed = await failure(attempt())
        assert failed.status == 502
        assert failed.origin is Origin.UPSTREAM
        assert server.requests == []


async def test_own_context(pki: Pki) -> None:
    """A ready context is used as it is."""
    context = ssl.create_default_context(cafile=str(pki.pem))
    async with FakeUpstream(ssl=pki.server("127.0.0.1")) as server:
        await works(server.url, tls=Tls(context=context))


async def test_old_tls_is_refused(pki: Pki) -> None:
    """Nothing below TLS 1.2 is spoken (S-71)."""
    context = pki.server("127.0.0.1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    async with FakeUpstream(ssl=context) as server:
        assert isinstance(await refusal(server.url, tls=Tls(ca=pki.pem)), TlsFailed)


@asynccontextmanager
async def raw_server(answer: bytes | None) -> AsyncIterator[tuple[str, asyncio.Event]]:
    """A server that says ``answer`` and ends, or (``None``) nothing at all; an event that its client has left."""
    gone = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if answer is not None:
                writer.write(answer)
                writer.close()
            while await reader.read(65536):
                pass
        except OSError:
            pass
        finally:
            gone.set()
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}", gone
        server.close()


async def test_tls_to_a_plain_server() -> None:
    """A server that answers a handshake with HTTP is a TLS failure."""
    async with raw_server(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n") as (host, gone):
        assert isinstance(await refusal(f"https://{host}"), TlsFailed)
        await soon(gone.wait())


@pytest.mark.parametrize("answer", [b"", b"\x15\x03\x03\x00\x02\x02\x28"], ids=["FIN", "alert"])
async def test_handshake_that_is_broken_off(answer: bytes) -> None:
    """A server that breaks the handshake off is one that could not be connected to: 502 (F-82)."""
    async with raw_server(answer) as (host, gone):
        failed = await refusal(f"https://{host}")
        assert isinstance(failed, TlsFailed)
        assert failed.status == 502
        await soon(gone.wait())


async def test_handshake_without_an_answer() -> None:
    """The handshake counts for ``connect``: 504 when the server never answers (F-82)."""
    async with raw_server(None) as (host, gone):
        failed = await refusal(f"https://{host}", timeouts=Timeouts(connect=0.1))
        assert isinstance(failed, ConnectTimeout)
        assert failed.status == 504
        assert "0.1 s" in str(failed)
        await soon(gone.wait())


# --- what fails


async def test_refused() -> None:
    """Nobody listens: 502 (F-82)."""
    async with FakeUpstream() as server:
        pass
    for url in (server.url, server.url.replace("127.0.0.1", "localhost"), server.url.replace("http", "https")):
        failed = await refusal(url)
        assert type(failed) is ConnectFailed
        assert failed.status == 502
        assert failed.token == "connection_refused"


@pytest.mark.parametrize("name", ["missing.sock", "file.sock", "x" * 200])
async def test_no_unix_socket(tmp_path: pathlib.Path, name: str) -> None:
    """A socket that is not there, is none, or has a name that is too long: 502 (F-82)."""
    (tmp_path / "file.sock").touch()
    failed = await refusal(f"unix:{tmp_path / name}")
    assert type(failed) is ConnectFailed


async def test_unix_socket_that_nobody_listens_at(tmp_path: pathlib.Path) -> None:
    """A socket that was left behind refuses connections."""
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / "left.sock"))
    assert type(await refusal(f"unix:{tmp_path / 'left.sock'}")) is ConnectFailed


async def test_unresolvable() -> None:
    """A name that does not resolve: 502, and named (F-82)."""
    with named("nobody.test"):
        failed = await refusal("http://nobody.test")
    assert isinstance(failed, DnsFailed)
    assert failed.status == 502
    assert failed.token == "dns_error"
    assert "'nobody.test' does not resolve: " in str(failed)


async def test_resolver_without_an_answer() -> None:
    """Resolving counts for ``connect``, too: 504 (F-82)."""
    with named("up.test", after=asyncio.Event()):
        failed = await refusal("http://up.test", timeouts=Timeouts(connect=0.05))
    assert isinstance(failed, ConnectTimeout)
    assert failed.status == 504


@pytest.mark.parametrize("host", ["a..b", "a" * 64 + ".invalid", "." + "a" * 10])
async def test_name_that_is_none(host: str) -> None:
    """A name that cannot even be asked for does not resolve either."""
    assert isinstance(await refusal(f"http://{host}"), DnsFailed)


@asynccontextmanager
async def deaf() -> AsyncIterator[str]:
    """An address at which somebody listens whose queue is full, so that nobody answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        try:
            yield f"127.0.0.1:{listener.getsockname()[1]}"
        finally:
            for filler in fillers:
                filler.close()


@pytest.mark.skipif(sys.platform != "linux", reason="a full queue refuses, elsewhere")
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_no_answer(scheme: str) -> None:
    """An address that does not answer, by itself or behind a name: 504 after ``connect`` seconds (F-82)."""
    async with deaf() as address:
        host, _, port = address.partition(":")
        with named("up.test", (host, int(port)), (host, int(port))):
            for name in (address, "up.test"):
                failed = await refusal(f"{scheme}://{name}", timeouts=Timeouts(connect=0.1))
                assert isinstance(failed, ConnectTimeout)
                assert failed.status == 504
                assert failed.token == "connection_timeout"


async def test_reset_at_once() -> None:
    """A connection that is reset as soon as it is there is an error at the latest when it is used, and no socket
    stays."""
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)

        def reset() -> None:
            sock, _ = listener.accept()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.close()

        loop.add_reader(listener, reset)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        owner = Owner()

        async def attempt() -> None:
            connection = await owner.dial(url)
            await owner.send(connection, Call(url))

        failed = await failure(attempt())
        assert failed.status == 502
        loop.remove_reader(listener)


@pytest.mark.parametrize("kind", ["tcp", "named", "tls", "named tls", "unix"])
async def test_cancelled_at_any_turn(kind: str, pki: Pki, tmp_path: pathlib.Path) -> None:
    """Cancelled at any turn of the event loop, opening a connection leaves no socket and no task, and harms no other
    connection (F-80)."""
    secure = "tls" in kind
    tls = Tls(ca=pki.pem) if secure else None
    context = pki.server("127.0.0.1", "up.test") if secure else None
    outcomes: list[str] = []
    async with FakeUpstream(ssl=context, path=tmp_path / "up.sock" if kind == "unix" else None) as server:
        url = f"{'https' if secure else 'http'}://up.test" if "named" in kind else server.url
        endpoint = Endpoint(url)
        with named("up.test", ("127.0.0.1", server.port)):
            await works(url, tls=tls)
            await until(lambda: server.open == 0)
            before = open_sockets()
            while outcomes[-3:] != ["done"] * 3:
                owner = Owner()
                dialling = asyncio.create_task(owner.dial(endpoint, tls=tls))
                await turns(len(outcomes))
                dialling.cancel()
                try:
                    (await soon(dialling)).abort()
                    outcomes.append("done")
                except asyncio.CancelledError:
                    outcomes.append("cancelled")
                await until(lambda: server.open == 0 and open_sockets() <= before)
    assert "cancelled" in outcomes


async def test_close_does_not_wait_for_the_other_side(pki: Pki) -> None:
    """An idle TLS connection that is closed is gone soon, even if the server does not answer: it has no
    place in the pool any more, so its socket would be one over the cap."""
    go_on = asyncio.Event()
    async with FakeUpstream(ssl=pki.server("127.0.0.1")) as server:
        server.once(respond(body=b"ok"), stop_reading(), hold(go_on))
        owner = Owner()
        connection = await soon(owner.dial(server.url, tls=Tls(ca=pki.pem)))
        call = Call(server.url)
        response = await soon(owner.send(connection, call))
        assert await soon(collect(response.body)) == b"ok"
        before = open_sockets()
        connection.close()
        async with asyncio.timeout(3):
            await until(lambda: open_sockets() < before)
        go_on.set()


async def test_timed_out_handshake_leaves_nothing(pki: Pki) -> None:
    """The same when it is the time that is over, in the middle of a handshake, by address and by name."""
    async with raw_server(None) as (host, gone):
        port = int(host.rpartition(":")[2])
        with named("up.test", ("127.0.0.1", port)):
            failed = await refusal("https://up.test", tls=Tls(ca=pki.pem), timeouts=Timeouts(connect=0.05))
        assert isinstance(failed, ConnectTimeout)
        await soon(gone.wait())


# --- where it may go


def at(url: str, *, policy: AddressPolicy | None = None, address: str | None = None) -> Endpoint:
    endpoint = Endpoint(url, address=address)
    endpoint.policy = policy
    return endpoint


async def refused(endpoint: Endpoint, why: str) -> AddressRefused:
    """It is not connected to, for the reason ``why``; nothing of the attempt stays."""
    before = open_sockets()
    failed = await failure(Owner().dial(endpoint))
    assert isinstance(failed, AddressRefused)
    assert (failed.status, failed.token, failed.phase) == (502, "destination_ip_prohibited", Phase.CONNECT)
    assert str(failed).startswith(f"{endpoint.name}: ")
    assert why in str(failed)
    assert open_sockets() <= before
    return failed


async def serves(endpoint: Endpoint, tls: Tls | None = None) -> None:
    owner = Owner()
    connection = await soon(owner.dial(endpoint, tls=tls))
    assert (await soon(owner.send(connection, Call(endpoint)))).status == 200
    connection.abort()


async def test_address_of_an_endpoint() -> None:
    """An endpoint's address is dialled, and its host is not resolved; ``Host`` says the host (F-13)."""
    async with FakeUpstream() as server:
        with named("up.test"):  # which does not resolve
            await serves(at(f"http://up.test:{server.port}", address="127.0.0.1"))
        assert server.requests[0].getall("Host") == [f"up.test:{server.port}"]


async def test_tls_at_an_address(pki: Pki) -> None:
    """At an address, TLS asks for and verifies the host, and nothing else (S-41, S-71)."""
    context = pki.server("up.test")
    names = sni(context)
    tls = Tls(ca=pki.pem)
    async with FakeUpstream(ssl=context) as server:
        await serves(at(f"https://up.test:{server.port}", address="127.0.0.1"), tls)
        other = at(f"https://other.test:{server.port}", address="127.0.0.1")
        assert isinstance(await failure(Owner().dial(other, tls=tls)), TlsFailed)
        assert names == ["up.test", "other.test"]


LOOPBACK = AddressPolicy(allow=["127.0.0.1", "::1"])


async def test_a_policy_is_asked(tmp_path: pathlib.Path) -> None:
    """S-41: addresses, by themselves, behind a name or beside it, and sockets are dialled only if the policy lets them
    be."""
    async with FakeUpstream() as server, FakeUpstream(path=tmp_path / "up.sock") as unix:
        port = server.port
        with named("up.test", ("127.0.0.1", port)):
            for url, address in (("http://127.0.0.1", None), ("http://up.test", None), ("http://x.test", "127.0.0.1")):
                await serves(at(f"{url}:{port}", policy=LOOPBACK, address=address))
                await refused(at(f"{url}:{port}", policy=AddressPolicy(), address=address), "127.0.0.1 is loopback")
        await serves(at(unix.url, policy=AddressPolicy(schemes=["unix"])))
        await refused(at(unix.url, policy=AddressPolicy()), "unix: is not allowed")
        await refused(at(f"http://127.0.0.1:{port}", policy=AddressPolicy(ports=[1], allow=["127.0.0.1"])), "port")
        assert (server.connections, unix.connections) == (3, 1)


@pytest.mark.parametrize(
    "host",
    [
        *("0x7f000001", "2130706433", "127.1", "0177.0.0.1", "127.0.0.1.", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]"),
        *("0.0.0.0", "0", "[::]", "[::1]", "localhost", "localhost.", "[64:ff9b::7f00:1]", "[fe80::1%251]"),
    ],
)
async def test_odd_spellings(host: str) -> None:
    """S-40, S-41: no spelling of a refused address leads there."""
    async with FakeUpstream() as server:
        with named("localhost.", ("127.0.0.1", server.port)):  # not every resolver knows that
            await refused(at(f"http://{host}:{server.port}", policy=AddressPolicy()), "")
        assert server.connections == 0


async def test_some_addresses_of_a_name() -> None:
    """S-41: of the addresses of a name, those that are refused are left out, however often they are named; if all are,
    it says why."""
    async with FakeUpstream() as good, FakeUpstream(host="127.0.0.2") as bad:
        with named("up.test", ("127.0.0.2", bad.port), ("127.0.0.1", good.port), ("127.0.0.2", bad.port)):
            await serves(at("http://up.test", policy=LOOPBACK))
        with named("up.test", ("127.0.0.2", bad.port), ("169.254.169.254", 80), ("127.0.0.2", bad.port)):
            failed = await refused(at("http://up.test", policy=LOOPBACK), "'up.test' resolves to what is refused")
        assert str(failed).endswith("127.0.0.2 is loopback; 169.254.169.254 is a cloud's metadata service")
        assert (good.connections, bad.connections) == (1, 0)


async def test_a_name_is_resolved_once() -> None:
    """S-41: an answer that changes between check and connect (DNS rebinding) leads nowhere: what was checked is what is
    dialled, and nobody resolves a second time."""
    async with FakeUpstream() as good, FakeUpstream(host="127.0.0.2") as bad:
        loop = asyncio.get_running_loop()
        known = loop.getaddrinfo
        answers: list[str] = []

        async def getaddrinfo(host: str, port: int, **options: Any) -> Sequence[tuple[object, ...]]:
            if host != "up.test":
                return await known(
                    ip_address(host).compressed, port, **options
                )  # uvloop asks so for what is an address
            ip, number = ("127.0.0.2", bad.port) if len(answers) % 2 else ("127.0.0.1", good.port)
            answers.append(ip)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, number))]

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(loop, "getaddrinfo", getaddrinfo)
            for attempt in range(1, 7):
                endpoint = at("http://up.test", policy=LOOPBACK)
                if attempt % 2:
                    await serves(endpoint)
                else:
                    await refused(endpoint, "127.0.0.2 is loopback")
                assert len(answers) == attempt
        assert (good.connections, bad.connections) == (3, 0)
