"""Fields that an upstream may believe."""

from __future__ import annotations

import time

import pytest

from revproxy import Pipeline, ProxyHandler, Upstream
from revproxy.filters import Signed
from revproxy.signatures import BadSignature, sign, verify
from revproxy.testing import FakeClock, FakeTransport, FakeUpstream, exchange

from ..e2e.wire import serving

KEY = b"k" * 32


async def test_signed() -> None:
    """S-24: what is signed is said, and the signature fits; a client's own is gone."""
    clock = FakeClock(wall=1_700_000_000)
    asked = exchange(
        "GET",
        "/a?b",
        headers=[("X-User", "ann"), ("x-user", " bob "), ("Signature", "x=:eA==:"), ("Signature-Input", "x")],
    )
    site = Pipeline(
        Signed(KEY, fields=["X-User", "X-Absent"], clock=clock), handler=Upstream("http://a", transport=FakeTransport())
    )
    await site(asked)
    said = '("@method" "@path" "@query" "x-user");created=1700000000;keyid="proxy";alg="hmac-sha256"'
    parts = [("@method", "GET"), ("@path", "/a"), ("@query", "?b"), ("x-user", "ann, bob")]
    _, signature = sign(KEY, parts, said.partition(")")[2])
    assert asked.request.headers.getall("Signature-Input") == [f"proxy={said}"]
    assert asked.request.headers.getall("Signature") == [f"proxy=:{signature}:"]


async def test_another_key() -> None:
    """S-24: keys change without a request that a server refuses, where it knows the new one before it is used; one that
    is none changes nothing."""
    clock = FakeClock()
    subject = Signed(KEY, fields=["X-User"], clock=clock)
    site = Pipeline(subject, handler=Upstream("http://a", transport=FakeTransport()))
    ring = {"proxy": KEY}

    async def keyid() -> str:
        asked = exchange("GET", "/a?b", headers={"X-User": "ann"})
        await site(asked)
        sent = asked.request
        said = verify(sent.method, sent.target, sent.headers.items(), ring, now=clock.wall())
        assert said.fields == {"x-user": "ann"}
        return said.keyid

    assert await keyid() == "proxy"
    ring["new"] = b"n" * 32
    assert await keyid() == "proxy"
    subject.rekey(ring["new"], keyid="new")
    assert await keyid() == "new"
    for key, name in ((b"short", "newer"), (b"x" * 32, "N")):
        with pytest.raises(ValueError, match="key"):
            subject.rekey(key, keyid=name)
    del ring["proxy"]
    assert await keyid() == "new"


async def test_over_the_wire() -> None:
    """S-20, S-24: what a server gets is signed as it got it; a client's own signature, in whatever spelling, is gone,
    and one that it has copied from another request fits nothing."""
    async with FakeUpstream() as server:
        proxy = ProxyHandler(Upstream(server.url), filters=[Signed(KEY, fields=["Accept"])])
        async with serving(proxy) as site:
            lies = b"Signature: proxy=:AAAA:\r\nsignature-input: proxy=()\r\nSignature_Input: proxy=()\r\n"
            lines = lies + b"Connection: Signature, Signature-Input\r\nAccept: a\r\naccept: b\r\n"
            await site.ask(b"GET /%7Ea/?b=%20&c HTTP/1.1\r\nHost: a\r\n" + lines + b"\r\n")
            await site.ask(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
    first, second = server.requests
    now = time.time()
    said = verify(first.method, first.target, first.headers, {"proxy": KEY}, now=now, components=["@path", "accept"])
    assert said.fields == {"accept": "a, b"}
    assert verify(second.method, second.target, second.headers, {"proxy": KEY}, now=now).fields == {}
    assert len(first.getall("Signature")) == len(first.getall("Signature-Input")) == 1
    copied = [pair for pair in second.headers if not pair[0].startswith("Signature")]
    copied += [pair for pair in first.headers if pair[0].startswith("Signature")]
    with pytest.raises(BadSignature):
        verify(second.method, second.target, copied, {"proxy": KEY}, now=now)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"key": b"short"}, "key"),
        ({"fields": ["a b"]}, "fields"),
        ({"fields": [], "components": []}, "fields"),
        ({"components": ["@host"]}, "components"),
        ({"keyid": 'a"b'}, "keyid"),
        ({"label": "A"}, "label"),
    ],
)
def test_bad_signing(options: dict[str, object], why: str) -> None:
    """It says which parameter is wrong."""
    with pytest.raises(ValueError, match=why):
        Signed(**{"key": KEY, "fields": ["X-User"], **options})  # type: ignore[arg-type]


async def test_reserved_fields() -> None:
    """S-24: fields that are reserved for the proxy never come from a client, in whatever case or spelling, trusted or
    not; what a filter sets goes upstream."""
    async with FakeUpstream() as server:
        proxy = ProxyHandler(Upstream(server.url), reserved=["X-User", "x-groups"])
        async with serving(proxy) as site:
            lines = b"X-USER: root\r\nx-Groups: wheel\r\nX_User: root\r\nX.User: root\r\nX-Users: me\r\n"
            answer = await site.ask(b"GET / HTTP/1.1\r\nHost: a\r\n" + lines + b"\r\n")
            assert answer.status == 200
            (request,) = server.requests
            assert request.getall("X-Users") == ["me"]
            assert b"root" not in request.raw_head
            assert b"wheel" not in request.raw_head


@pytest.mark.parametrize("name", ["Host", "content-length", "Transfer-Encoding", "a b", "X_User", ""])
def test_what_cannot_be_reserved(name: str) -> None:
    """What frames a request, or cannot be forwarded anyway, is a mistake."""
    with pytest.raises(ValueError, match="reserved"):
        ProxyHandler(Upstream("http://a"), reserved=[name])
