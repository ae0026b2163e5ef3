"""`exchange()`: what the edge would have made of a request."""

from __future__ import annotations

from collections.abc import AsyncIterator
from ipaddress import ip_address

import pytest
from multidict import CIMultiDict

from revproxy.body import EMPTY, Body, StreamBody
from revproxy.errors import BadRequest
from revproxy.exchange import Exchange
from revproxy.handler import Handler
from revproxy.message import Response
from revproxy.paths import PathPolicy
from revproxy.testing.clock import FakeClock
from revproxy.testing.exchange import exchange


def test_defaults() -> None:
    """A plain GET from a documentation address, at the time a FakeClock starts."""
    subject = exchange()
    inbound, draft = subject.inbound, subject.request
    assert (inbound.method, inbound.target, inbound.path, inbound.query_string) == ("GET", "/", "/", None)
    assert (inbound.scheme, inbound.host, inbound.version) == ("http", "example.test", (1, 1))
    assert inbound.client.ip == ip_address("192.0.2.1")
    assert dict(inbound.headers) == {"Host": "example.test"}
    assert (draft.method, draft.target) == ("GET", "/")
    assert draft.body is EMPTY
    assert subject.started == FakeClock().now()


def test_three_lines() -> None:
    """The docstring's promise: a table or filter is tested in three lines, and a handler may be any function."""

    async def handler(subject: Exchange) -> Response:
        return Response(200 if subject.request.headers.get("X-Token") == "t" else 401)

    async def adds_token(subject: Exchange, handler: Handler) -> Response:
        subject.request.headers["X-Token"] = "t"
        return await handler(subject)

    async def test() -> None:
        response = await adds_token(exchange(), handler)
        assert response.status == 200

    coroutine = test()
    with pytest.raises(StopIteration):
        coroutine.send(None)


def test_target() -> None:
    """F-02, F-07: the target is read as the edge reads it, and kept as it came."""
    subject = exchange(target="/caf%c3%a9//x?a=%zz")
    assert subject.inbound.target == subject.request.target == "/caf%c3%a9//x?a=%zz"
    assert subject.inbound.path == "/caf%C3%A9//x"
    assert subject.inbound.query_string == "a=%zz"
    assert exchange(target="?a").request.target == "/?a"
    assert exchange("OPTIONS", "*").inbound.path == "*"
    with pytest.raises(BadRequest):
        exchange(target="/../x")


@pytest.mark.parametrize("headers", [{"x-a": "1", "X-B": ""}, [("x-a", "1"), ("X-B", "")], (("x-a", "1"), ("X-B", ""))])
def test_headers(headers: dict[str, str]) -> None:
    """F-24, F-25: fields by mapping or pairs, in order and case, after the Host."""
    subject = exchange(headers=headers)
    assert list(subject.inbound.headers.items()) == [("Host", "example.test"), ("x-a", "1"), ("X-B", "")]
    assert list(subject.request.headers.items())[:2] == [("x-a", "1"), ("X-B", "")]


def test_draft() -> None:
    """F-13, F-20, F-22, F-36: the draft has the end-to-end fields, what the proxy says of the client, and no Host."""
    subject = exchange(
        headers=[
            ("Connection", "close, x-hop"),
            ("X-Hop", "1"),
            ("TE", "trailers"),
            ("X-Forwarded-For", "10.0.0.1"),
            ("Set-Cookie", "a"),
            ("set-cookie", "b"),
        ],
        client="2001:db8::1",
        scheme="https",
        host="a.test:8443",
    )
    assert list(subject.request.headers.items()) == [
        ("Set-Cookie", "a"),
        ("set-cookie", "b"),
        ("X-Forwarded-For", "2001:db8::1"),
        ("X-Forwarded-Host", "a.test:8443"),
        ("X-Forwarded-Proto", "https"),
    ]
    assert subject.inbound.headers["TE"] == "trailers"
    assert not subject.request.names_host


def test_own_host() -> None:
    """F-15: a Host among the fields is the one; without any there is none, as HTTP/1.0 allows."""
    subject = exchange(headers={"host": "b.test"})
    assert subject.inbound.host == "b.test"
    assert list(subject.inbound.headers.items()) == [("host", "b.test")]
    bare = exchange(host="", version=(1, 0))
    assert (bare.inbound.host, dict(bare.inbound.headers), bare.inbound.version) == ("", {}, (1, 0))
    assert "X-Forwarded-Host" not in bare.request.headers


def test_unix_socket() -> None:
    """A client without an address."""
    subject = exchange(client=None)
    assert subject.inbound.client.ip is None
    assert "X-Forwarded-For" not in subject.request.headers


async def test_body() -> None:
    """F-46: bytes and bodies come with the framing that a client would have sent."""

    async def chunks() -> AsyncIterator[bytes]:
        yield b"abc"

    small, sized, chunked, empty = (
        exchange("POST", body=b"abc"),
        exchange("POST", body=StreamBody(chunks(), length=3)),
        exchange("POST", body=StreamBody(chunks())),
        exchange("POST", body=Body()),
    )
    assert small.inbound.headers["Content-Length"] == sized.inbound.headers["Content-Length"] == "3"
    assert chunked.inbound.headers["Transfer-Encoding"] == "chunked"
    assert "Transfer-Encoding" not in chunked.request.headers
    assert empty.inbound.headers["Content-Length"] == "0"
    for subject in (small, sized, chunked):
        assert await subject.request.body.read(3) == b"abc"
    said = exchange("POST", headers={"content-length": "3"}, body=b"abc")
    assert said.inbound.headers.getall("Content-Length") == ["3"]
    assert said.request.field_lines(3).lower().count(b"content-length") == 1


def test_bad_fields() -> None:
    """F-28: what no server lets in is refused here too, before it looks like a request."""
    for headers in ({"X-A": "1\r\nX-B: 2"}, {"X A": "1"}):
        with pytest.raises(ValueError, match="X"):
            exchange(headers=headers)


def test_upgrade() -> None:
    """A handshake is what the client sends, and in the draft what it asks for; the draft has no hop-by-hop fields."""
    asked = exchange("GET", "/chat", upgrade="websocket", headers={"Sec-WebSocket-Protocol": "chat"})
    assert (asked.request.upgrade, asked.inbound.headers["Upgrade"]) == ("websocket", "websocket")
    assert len(asked.inbound.headers["Sec-WebSocket-Key"]) == 24
    assert asked.request.headers["Sec-WebSocket-Protocol"] == "chat"
    assert "Upgrade" not in asked.request.headers
    assert exchange(upgrade="tcp").request.upgrade == "tcp"
    assert exchange().request.upgrade is None


def test_arguments_are_copied() -> None:
    """F-37: the caller's fields are not touched."""
    headers = CIMultiDict({"X-A": "1"})
    subject = exchange("POST", headers=headers, body=b"x")
    subject.request.headers["X-A"] = "2"
    assert dict(headers) == {"X-A": "1"}
    assert subject.inbound.headers["X-A"] == "1"


def test_a_policy_of_paths() -> None:
    """With the proxy's own policy it refuses what the proxy does."""
    assert exchange(target="/admin%2Fx").inbound.path == "/admin%2Fx"
    with pytest.raises(BadRequest):
        exchange(target="/admin%2Fx", path_policy=PathPolicy())
    assert exchange(target="/admin%2Fx", path_policy=PathPolicy(encoded_slash="decode")).inbound.path == "/admin/x"
