"""Fields that an upstream may believe."""

from __future__ import annotations

from base64 import b64decode

import pytest

from revproxy import Pipeline, ProxyHandler, Upstream
from revproxy.filters import Signed
from revproxy.filters.signed import signed
from revproxy.testing import FakeClock, FakeTransport, FakeUpstream, exchange

from ..e2e.wire import serving

KEY = b"k" * 32


def test_rfc_9421() -> None:
    """The example of RFC 9421, appendix B.2.5: a request signed with ``hmac-sha256``."""
    key = b64decode("uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==")
    parts = [
        ("date", "Tue, 20 Apr 2021 02:07:55 GMT"),
        ("@authority", "example.com"),
        ("content-type", "application/json"),
    ]
    said, signature = signed(key, parts, ';created=1618884473;keyid="test-shared-secret"')
    assert said == '("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"'
    assert signature == "pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8="


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
    _, signature = signed(KEY, parts, said.partition(")")[2])
    assert asked.request.headers.getall("Signature-Input") == [f"proxy={said}"]
    assert asked.request.headers.getall("Signature") == [f"proxy=:{signature}:"]


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
