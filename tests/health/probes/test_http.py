"""A request, and all that may come of it."""

from __future__ import annotations

import asyncio
import pathlib
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio

from revproxy import Endpoint
from revproxy.addresses import AddressPolicy
from revproxy.health import HttpProbe, ProbeFailed
from revproxy.testing import (
    FakeUpstream,
    Step,
    close,
    drip,
    head,
    interim,
    pattern,
    raw,
    reset,
    respond,
    stall,
    switch,
    truncate,
)
from revproxy.wire.settings import Tls

from . import answering, ask, found
from .conftest import Pki


@pytest_asyncio.fixture
async def server() -> AsyncIterator[FakeUpstream]:
    async with FakeUpstream() as server:
        yield server


async def test_what_is_sent(server: FakeUpstream) -> None:
    """A plain GET with the endpoint's authority, and nothing else; the connection is closed when it is answered."""
    await ask(HttpProbe("/healthz?deep=1"), server.url)
    request = server.requests[0]
    assert request.raw_head == (
        f"GET /healthz?deep=1 HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nUser-Agent: revproxy-probe\r\n\r\n".encode()
    )
    await server.gone()
    assert server.connections == 1


async def test_what_can_be_said(server: FakeUpstream) -> None:
    """Method, host and fields as declared, behind the path of the endpoint; each time the same."""
    probe = HttpProbe("/up", method="HEAD", host="shop.test", headers={"X-A": "1", "User-Agent": "me"})
    for _ in range(2):
        await ask(probe, f"{server.url}/base%2f")
    for request in server.requests:
        assert request.raw_head == (b"HEAD /base%2f/up HTTP/1.1\r\nX-A: 1\r\nUser-Agent: me\r\nHost: shop.test\r\n\r\n")


@pytest.mark.parametrize(
    ("arguments", "answer", "why"),
    [
        ({}, respond(200), ""),
        ({}, respond(204), ""),
        ({}, respond(299), ""),
        ({}, respond(503), "answered 503"),
        ({}, respond(404), "answered 404"),
        ({}, respond(302, headers={"Location": "/login"}), "answered 302, to '/login'"),
        ({"expect_status": 302}, respond(302, headers={"Location": "/login"}), ""),
        ({"expect_status": (200, 401)}, respond(401), ""),
        ({"expect_status": (200, 401)}, respond(204), "answered 204"),
        ({"expect_headers": {"X-State": "up"}}, respond(200, headers={"x-state": "up"}), ""),
        ({"expect_headers": {"X-A": "up"}}, respond(200, headers={"X-A": "down"}), "X-A is 'down', not 'up'"),
        ({"expect_headers": {"X-State": "up"}}, respond(200), "X-State is '', not 'up'"),
        ({"expect_body": b"ok"}, respond(200, body=b"it is ok"), ""),
        ({"expect_body": b"ok"}, respond(200, body=b"it is ok", chunked=[3]), ""),
        ({"expect_body": b"ok"}, respond(200, body=b"no"), "a body that begins with b'no'"),
        ({"expect_body": b"ok"}, respond(204), "a body that begins with b''"),
        ({"expect_body": lambda body: body == b"x" * 9}, respond(200, body=b"x" * 9), ""),
        ({"expect_body": lambda body: 1 / 0}, respond(200, body=b"x"), "ZeroDivisionError: division by zero"),
    ],
)  # fmt: skip
async def test_what_is_expected(arguments: dict[str, Any], answer: Step, why: str, server: FakeUpstream) -> None:
    """Status, fields and body decide, as declared; a redirect is a failure unless it is expected, and is not followed
    (F-89)."""
    server.always(answer)
    said = await found(HttpProbe("/", **arguments), server.url)
    assert said == (f"1 probe failed: {why}" if why else "")
    assert len(server.requests) == 1


def _forever() -> Iterator[bytes]:
    while True:
        yield b"x" * 65536


@pytest.mark.parametrize("good", [None, True, False])
@pytest.mark.parametrize(
    "answer",
    [
        respond(200, body=pattern(10 * 2**30)),
        respond(200, body=_forever, chunked=True),
        respond(200, body=_forever),
    ],
)
async def test_too_much(good: bool | None, answer: Step, server: FakeUpstream) -> None:
    """10 GB, or a stream without end, is cut at 64 KiB, and judged by that."""
    server.always(answer)
    seen: list[int] = []

    def look(body: bytes) -> bool:
        seen.append(len(body))
        return bool(good)

    failed = await found(HttpProbe(expect_body=None if good is None else look), server.url)
    if good is False:
        assert failed.startswith("1 probe failed: a body that begins with")
    else:
        assert failed == ""
    assert seen == ([] if good is None else [65536])
    await server.gone()


@pytest.mark.parametrize(
    "answer",
    [
        (stall(),),
        (raw(b"HTTP/1.1 20"), stall()),
        (head(200, headers={"Content-Length": "9"}), raw(b"half"), stall()),
        (head(200, headers={"Transfer-Encoding": "chunked"}), raw(b"1\r\nx\r\n"), stall()),
        (interim(103), stall()),
    ],
)
async def test_too_slow(answer: tuple[Step, ...], server: FakeUpstream) -> None:
    """An answer that does not come, or does not end while its body is expected, is a failure when the time is over; the
    connection is closed."""
    server.always(*answer)
    probe = HttpProbe(expect_body=b"x")
    task = asyncio.create_task(found(probe, server.url, late=True))
    assert await task == "1 probe failed: no answer within 30 s"


async def test_a_head_is_enough(server: FakeUpstream) -> None:
    """Where no body is expected, a body that does not come does not matter."""
    server.always(head(200, headers={"Content-Length": "9"}), raw(b"half"), stall())
    assert await found(HttpProbe(), server.url) == ""
    await server.gone()


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ((close(),), "ConnectionLost"),
        ((reset(),), "ConnectionLost"),
        ((raw(b"SSH-2.0-OpenSSH_9\r\n"),), "ProtocolError"),
        ((raw(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70000),), "ResponseHeadTooLarge"),
        ((raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\n"),), "ProtocolError"),
        ((raw(b"HTTP/1.1 100 Continue\r\n\r\n" * 100),), "ProtocolError"),
        ((switch("websocket"),), "ProtocolError"),
        ((truncate(3, of=9),), "Truncated"),
        ((truncate(3, of=9, by_reset=True),), "Truncated"),
        ((drip(b"HTTP/1.1 200 OK\r\n"), close()), "ProtocolError"),
    ],
)
async def test_what_is_no_answer(answer: tuple[Step, ...], why: str, server: FakeUpstream) -> None:
    """What closes, resets, is no HTTP, or breaks off, has failed, with the wire's own reason."""
    server.always(*answer)
    assert (await found(HttpProbe(expect_body=b""), server.url)).startswith(f"1 probe failed: {why}: ")


async def test_refused() -> None:
    """A port at which nobody listens."""
    async with FakeUpstream() as server:
        url = server.url
    assert (await found(HttpProbe(), url)).startswith("1 probe failed: ConnectFailed: ")


async def test_never_accepted() -> None:
    """A server that lets nobody in does not keep a probe longer than its time."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        assert await found(HttpProbe(), url, late=True) == "1 probe failed: no answer within 30 s"


async def test_unix_socket(tmp_path: pathlib.Path) -> None:
    """An endpoint at a Unix socket is asked there."""
    async with FakeUpstream(path=tmp_path / "a.sock") as server:
        await ask(HttpProbe("/up"), server.url)
        assert server.requests[0].path == "/up"


async def test_tls(pki: Pki) -> None:
    """Over TLS the certificate is verified: by the authority that the probe was told, or the system's."""
    async with FakeUpstream(ssl=pki.server("127.0.0.1")) as server:
        await ask(HttpProbe(tls=Tls(ca=pki.pem)), server.url)
        assert "TlsFailed" in await found(HttpProbe(), server.url)
        assert "TlsFailed" in await found(HttpProbe(tls=Tls(ca=pki.pem, server_hostname="x.test")), server.url)
        assert await found(HttpProbe(tls=Tls(verify=False)), server.url) == ""
    with answering(b"HTTP/1.1 400 Bad Request\r\n\r\n") as plain:
        assert "TlsFailed" in await found(HttpProbe(), plain)


async def test_address_policy(server: FakeUpstream) -> None:
    """A probe connects to no address that the endpoint's policy refuses."""
    endpoint = Endpoint(server.url)
    endpoint.policy = AddressPolicy()
    assert "AddressRefused" in await found(HttpProbe(), endpoint)
    endpoint = Endpoint(f"http://shop.test:{server.port}", address="127.0.0.1")
    await ask(HttpProbe(), endpoint)
    assert server.connections == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"path": "healthz"}, "path must begin with a slash and have no fragment, got 'healthz'"),
        ({"path": "/a#b"}, "path .* got '/a#b'"),
        ({"path": "/a b"}, "path, host or headers: '/a b' is not a request target"),
        ({"path": "/a\r\nX: y"}, "path, host or headers"),
        ({"method": "GET /"}, "method: 'GET /'"),
        ({"method": "CONNECT"}, "method: 'CONNECT'"),
        ({"host": "a\r\nb"}, "path, host or headers"),
        ({"headers": {"X Y": "1"}}, "path, host or headers"),
        ({"expect_status": 99}, r"expect_status must be of 200 to 599, got \[99\]"),
        ({"expect_status": 101}, "expect_status"),
        ({"expect_status": ()}, "expect_status"),
        ({"expect_status": "200"}, "expect_status"),
        ({"expect_status": True}, "expect_status"),
        ({"method": "HEAD", "expect_body": b"x"}, "expect_body: .*'HEAD' has none"),
    ],
)
def test_nonsense(arguments: dict[str, Any], said: str) -> None:
    """What cannot be sent, and what no answer can be, is refused with its name and value."""
    with pytest.raises(ValueError, match=said):
        HttpProbe(**arguments)


def test_body_test() -> None:
    """A body is expected as bytes or by a function."""
    with pytest.raises(TypeError, match="expect_body must be bytes or a function, got 'ok'"):
        HttpProbe(expect_body="ok")  # type: ignore[arg-type]


async def test_its_own_error(server: FakeUpstream) -> None:
    """Called by itself it raises ``ProbeFailed``."""
    server.respond(500)
    with pytest.raises(ProbeFailed, match="answered 500"):
        await HttpProbe()(Endpoint(server.url))
    assert repr(HttpProbe("/up", method="HEAD")) == "HttpProbe('/up', method='HEAD')"
