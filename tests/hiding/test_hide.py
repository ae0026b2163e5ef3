"""What a response says of the upstream, and what is left of it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy import Exchange, Pipeline, Response, Upstream
from revproxy.filters import StripPrefix
from revproxy.headers import decode_fields
from revproxy.hiding import Cookies, HideUpstream, PublicOrigin
from revproxy.hiding.names import TELLING
from revproxy.message import response_of_lines
from revproxy.testing import FakeTransport, exchange

DATE = b"Date: Mon, 06 May 2024 07:08:09 GMT\r\n"


async def asked_below(prefix: str = "/app") -> Exchange:
    """One with an attempt at http://app.internal:8080, that was asked for what is below ``prefix``."""
    asked = exchange("GET", f"{prefix}/x", host="shop.example")
    upstream = Upstream("http://app.internal:8080", transport=FakeTransport())
    await Pipeline(StripPrefix(prefix), handler=upstream)(asked)
    return asked


def hidden(hide: HideUpstream, asked: Exchange, lines: bytes) -> bytes:
    """What is left of ``lines``, which stay undecoded; the same as of the fields if somebody has decoded them."""
    response = response_of_lines(200, "OK", lines, 5, True)
    hide.edit(asked.attempts[-1], response)
    left = response.lines
    assert left is not None
    assert (response.came_declared, response.came_dated, response.status) == (5, True, 200)
    other = Response(200, decode_fields(lines))
    hide.edit(asked.attempts[-1], other)
    assert list(other.headers.items()) == list(decode_fields(left).items())
    return left


async def test_by_default() -> None:
    """F-105, F-106, F-107: what tells of programs, machines and addresses goes, URLs and cookies are the client's; all
    else stays in order and to the byte."""
    lines = (
        b"Server: nginx/1.24.0\r\n"
        b"X-B: 1\r\n"
        b"x-powered-by: PHP/8.3\r\n"
        b"Via: 1.1 varnish.internal\r\n"
        b"X-Latin:caf\xe9 \xff \r\n"
        b"VIA: 1.1 haproxy-7\r\n"
        b"Location:  http://app.internal:8080/a?b \r\n" + DATE + b"Set-Cookie: a=b; Path=/\r\n"
        b"set-cookie: c=d, e; Domain=app.internal\r\n"
        b"X-Servers: 5\r\n"
        b"Link: </n>; rel=next, <http://app.internal:8080/p>; rel=prev\r\n"
        b"Content-Location: /c\r\n"
        b"Refresh: 5; url=/r\r\n"
        b"Set-Cookie: f=\xc3\xbc; Max-Age=5\r\n"
        b"X-SERVED-BY: app-7\r\n"
    )
    assert hidden(HideUpstream(), await asked_below(), lines) == (
        b"X-B: 1\r\n"
        b"X-Latin:caf\xe9 \xff \r\n"
        b"Location: /app/a?b\r\n" + DATE + b"Set-Cookie: a=b; Path=/app\r\n"
        b"set-cookie: c=d, e\r\n"
        b"X-Servers: 5\r\n"
        b"Link: </app/n>; rel=next, </app/p>; rel=prev\r\n"
        b"Content-Location: /app/c\r\n"
        b"Refresh: 5; url=/app/r\r\n"
        b"Set-Cookie: f=\xc3\xbc; Max-Age=5\r\n"
    )


async def test_nothing_to_hide() -> None:
    """The fields of a response that has none of that are the same object afterwards."""
    asked = await asked_below()
    for lines in (b"", DATE, b"X-Server-Time: 5\r\nServers: 2\r\nX-Via: a\r\nETag: a\r\n"):
        response = response_of_lines(200, "OK", lines, None, True)
        HideUpstream().edit(asked.attempts[-1], response)
        assert response.lines is lines
        fields = decode_fields(lines)
        other = Response(200, fields)
        HideUpstream().edit(asked.attempts[-1], other)
        assert other.headers is fields


@pytest.mark.parametrize("name", [name.replace("*", "Zz") for name in TELLING])
async def test_every_name(name: str) -> None:
    """F-107: each of the names goes, in whatever case, and no other that merely ends so or contains it."""
    asked = await asked_below()
    for written in (name, name.lower(), name.upper()):
        rest = f"X-A: 1\r\nX-Y-{written}: 2\r\n".encode()
        assert hidden(HideUpstream(), asked, rest[:8] + f"{written}:x\r\n".encode() + rest[8:]) == rest


async def test_more_and_less() -> None:
    """F-107: names can be added, all that begin so too, and kept."""
    hide = HideUpstream(remove=["X-Pod", "x-shard-*", "X-Kong-Id"], keep=["Server", "X-Kong-I*", "X-Pod"])
    lines = b"Server: x\r\nX-Pod: 1\r\nX-Shard-Id: 2\r\nX-Shard: 3\r\nX-Kong-Id: 4\r\nX-Kong-Latency: 5\r\n"
    left = b"Server: x\r\nX-Pod: 1\r\nX-Shard: 3\r\nX-Kong-Id: 4\r\n"
    assert hidden(hide, await asked_below(), lines) == left


async def test_what_must_stay_stays() -> None:
    """What the content is read by cannot be removed by a star."""
    hide = HideUpstream(remove=["Content-*", "Sec-*", "D*"])
    lines = (
        b"Content-Type: a/b\r\nContent-Length: 5\r\nContent-Language: de\r\nSec-WebSocket-Accept: x\r\nDNT: 1\r\n"
        + DATE
    )
    left = b"Content-Type: a/b\r\nContent-Length: 5\r\nSec-WebSocket-Accept: x\r\n" + DATE
    assert hidden(hide, await asked_below(), lines) == left


async def test_removing_what_is_mapped() -> None:
    """A field with URLs or cookies can be removed like any other."""
    hide = HideUpstream(remove=["Set-Cookie", "Link"])
    lines = b"Set-Cookie: a=b\r\nLink: </x>\r\nLocation: /x\r\n"
    assert hidden(hide, await asked_below(), lines) == b"Location: /app/x\r\n"


async def test_only() -> None:
    """F-107: only what is listed passes, and what HTTP and browsers' safety need; URLs are still mapped."""
    hide = HideUpstream(only=["X-Total", "link", "X-Rate-*"])
    lines = (
        b"X-Total: 5\r\nX-Totals: 6\r\nX-Rate-Left: 7\r\nLink: </x>\r\nSet-Cookie: a=b\r\nLocation: /x\r\nServer: x\r\n"
        b"Content-Type: a/b\r\nContent-Length: 5\r\nX-Frame-Options: DENY\r\nVary: *\r\nWWW-Authenticate: Basic\r\n"
        b"Sec-WebSocket-Accept: x\r\nAccess-Control-Allow-Origin: *\r\nClear-Site-Data: *\r\n" + DATE
    )
    assert hidden(hide, await asked_below(), lines) == (
        b"X-Total: 5\r\nX-Rate-Left: 7\r\nLink: </app/x>\r\nLocation: /app/x\r\n"
        b"Content-Type: a/b\r\nContent-Length: 5\r\nX-Frame-Options: DENY\r\nVary: *\r\nWWW-Authenticate: Basic\r\n"
        b"Sec-WebSocket-Accept: x\r\nClear-Site-Data: *\r\n" + DATE
    )


async def test_origin_and_cookies_of_ones_own() -> None:
    """F-105, F-106: the public origin that is declared, in more fields than the usual ones; hardened cookies."""
    hide = HideUpstream(
        origin=PublicOrigin("https://shop.example", urls=["X-Next"]), cookies=Cookies(secure="always", same_site="Lax")
    )
    lines = b"Location: http://app.internal:8080/a\r\nX-Next: //app.internal:8080/b\r\nSet-Cookie: a=b; Path=/\r\n"
    assert hidden(hide, await asked_below(), lines) == (
        b"Location: https://shop.example/app/a\r\nX-Next: https://shop.example/app/b\r\n"
        b"Set-Cookie: a=b; Path=/app; Secure; SameSite=Lax\r\n"
    )


async def test_without_mapping() -> None:
    """Cookies, or all that is mapped, can be left alone."""
    lines = b"Location: /x\r\nSet-Cookie: a=b; Path=/\r\nServer: x\r\n"
    asked = await asked_below()
    assert hidden(HideUpstream(cookies=None), asked, lines) == b"Location: /app/x\r\nSet-Cookie: a=b; Path=/\r\n"
    assert hidden(HideUpstream(origin=None), asked, lines) == b"Location: /x\r\nSet-Cookie: a=b; Path=/\r\n"


async def test_what_cannot_be_said_goes() -> None:
    """F-105: a field that names the upstream and cannot be read goes as a whole; its like that names others stays."""
    lines = b"Location: http:/app.internal/x\r\nLink: <http://app.internal:8080\r\nLink: <http://cdn.example\r\n"
    assert hidden(HideUpstream(), await asked_below(), lines) == b"Link: <http://cdn.example\r\n"


async def test_an_answer_that_is_given_again() -> None:
    """Editing twice is editing once."""
    hide, asked = HideUpstream(), await asked_below()
    response = Response(302, {"Location": "/x", "Set-Cookie": "a=b; Path=/", "Server": "x"})
    hide.edit(asked.attempts[-1], response)
    once = response.headers.copy()
    hide.edit(asked.attempts[-1], response)
    assert response.headers == once == {"Location": "/app/x", "Set-Cookie": "a=b; Path=/app"}


NAMES = [
    *("Server", "X-Powered-By", "Via", "Location", "location", "Link", "Refresh", "Set-Cookie", "SET-COOKIE", "X-A"),
    *("Content-Location", "X-Debug-Token", "X-Debug", "X-Kong", "Content-Type", "X-Server-Time", "x!", "Servers"),
]
VALUES = st.one_of(
    st.sampled_from(
        ["/x", "http://app.internal:8080/x", "//evil.example", "a=b; Path=/", "a=b; Domain=app.internal", "</x>; rel=a"]
    ),
    st.text(st.characters(min_codepoint=0x20, max_codepoint=0x17F, blacklist_characters="\x7f"), max_size=20).map(
        lambda text: text.strip(" \t")
    ),
)
HIDES: list[Callable[[], HideUpstream]] = [
    HideUpstream,
    lambda: HideUpstream(remove=["X-*"], keep=["X-Debug-Token"]),
    lambda: HideUpstream(only=["X-A", "Set-Cookie"]),
    lambda: HideUpstream(origin=PublicOrigin("https://shop.example", prefix="/p")),
    lambda: HideUpstream(origin=None),
]


@given(st.lists(st.tuples(st.sampled_from(NAMES), VALUES), max_size=10), st.sampled_from(range(len(HIDES))))
async def test_undecoded_as_decoded(fields: list[tuple[str, str]], which: int) -> None:
    """F-105, F-106, F-107, S-27: lines that nobody has decoded are edited as decoded fields are; what is not mapped
    stays in order and to the byte; no control character comes into being."""
    hide, asked = HIDES[which](), await asked_below()
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields).encode("utf-8", "surrogateescape")
    left = hidden(hide, asked, lines)
    assert re.search(rb"[\0-\x08\x0b\x0c\x0e-\x1f\x7f]|[^\r]\n", left) is None
    plain = {b"X-A", b"Content-Type", b"x!", b"Servers"} if which == 0 else {b"X-A"}
    of_interest = [line for line in lines.splitlines(True) if line.partition(b":")[0] in plain]
    if which != 1:
        assert [line for line in left.splitlines(True) if line.partition(b":")[0] in plain] == of_interest


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: HideUpstream(remove="Server"), "remove must be names"),
        (lambda: HideUpstream(remove=["Content-Length"]), "remove: no response can do without"),
        (lambda: HideUpstream(keep=["a b"]), "keep must be names"),
        (lambda: HideUpstream(only=["a b"]), "only must be names"),
        (lambda: HideUpstream(only=["a"], keep=["Server"]), "only: it says all"),
        (lambda: HideUpstream(origin="https://a"), "origin must be a PublicOrigin"),  # type: ignore[arg-type]
        (lambda: HideUpstream(cookies=True), "cookies must be a Cookies"),  # type: ignore[arg-type]
    ],
    ids=[str(number) for number in range(7)],
)
def test_bad_parameters(make: Callable[[], HideUpstream], said: str) -> None:
    """What is wrong is named."""
    with pytest.raises((ValueError, TypeError), match=said):
        make()


def test_repr() -> None:
    """It shows what it does."""
    assert repr(HideUpstream()) == "HideUpstream(origin=PublicOrigin(), cookies=Cookies())"
    assert repr(HideUpstream(only=["a"], origin=None)) == "HideUpstream(only=['a'], origin=None, cookies=Cookies())"
    assert repr(HideUpstream(remove=["a"], keep=["Server"], cookies=None)) == (
        "HideUpstream(remove=['a'], keep=['Server'], origin=PublicOrigin(), cookies=None)"
    )
