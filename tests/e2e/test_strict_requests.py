"""Requests that must not be forwarded, to the byte: framing in doubt, versions, ``Host``, methods, expectations.

Some are refused by aiohttp's server itself, in HTTP/1.0 and with an end of the connection: what is claimed of these is
that it does.
"""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web

from revproxy import ProxyHandler, Upstream
from revproxy.testing import FakeUpstream, ignore_body, respond

from .seen import Seen
from .wire import Answer, Client, serving

MARK = b"Zq7hX"
"""Stands in every request, and never in an answer."""
HOST = b"Host: a.test\r\n"
MARKED = b"X-Mark: " + MARK + b"\r\n"
POST = b"POST /?" + MARK + b" HTTP/1.1\r\n" + HOST + MARKED
GET = b"GET /?" + MARK + b" HTTP/1.1\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
OLD = b"POST /?" + MARK + b" HTTP/1.0\r\n" + HOST + MARKED
NEXT = b"GET /smuggled HTTP/1.1\r\n" + HOST + b"\r\n"


def is_of_the_server(answer: Answer) -> bool:
    """Whether the answer is the server's own, not the proxy's."""
    return any(b"aiohttp" in value for value in answer.getall(b"Server"))


async def final(client: Client) -> Answer:
    """The one answer on a connection that the other end then ends by itself."""
    answer = await client.final()
    if not is_of_the_server(answer):
        assert answer.getall(b"Connection") == [b"close"], answer
        assert MARK not in answer.raw_head + answer.raw_body, answer
        assert answer.getall(b"Content-Type") == [b"application/problem+json"]
    assert answer.getall(b"Content-Type")[0].startswith((b"text/plain", b"application/problem+json"))
    assert await client.rest() == b""
    return answer


async def refused(raw: bytes) -> int:
    """The status of the one answer to ``raw``: the connection ends after it, nothing of the request is in it, and
    nothing was forwarded: not of what follows on the connection either, whether or not it comes along at once."""
    statuses: set[int] = set()
    for follows in (b"", NEXT):
        async with FakeUpstream() as server, serving(ProxyHandler(Upstream(server.url))) as site:
            async with site.connect() as client:
                await client.send(raw + follows)
                statuses.add((await final(client)).status)
            assert server.requests == []
    # After what ends the connection the server's parser takes nothing, and its 400 for that may come in place of the
    # proxy's answer.
    own = statuses - {400} or {400}
    assert len(own) == 1, statuses
    return own.pop()


async def in_pieces(raw: bytes) -> int:
    """The same, where head and body come one after the other: the head may have gone upstream, but no whole request."""
    head, _, body = raw.partition(b"\r\n\r\n")
    async with FakeUpstream() as server, serving(ProxyHandler(Upstream(server.url))) as site:
        async with site.connect() as client:
            await client.send(head + b"\r\n\r\n")
            await server.wait_requests(1)
            await client.send(body)
            answer = await final(client)
            assert not is_of_the_server(answer)
        await server.wait_closed_connections(1)  # it is not used again
        assert [request.complete for request in server.requests] == [False]
        assert server.requests[0].body in (b"", b"ok")
    return answer.status


# S-01 to S-07: what ends where.


@pytest.mark.parametrize(
    "lines",
    [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        b"content-length: 0\r\ntransfer-encoding: CHUNKED\r\n",
        b"Content-Length: 5\r\nTransfer-Encoding:\r\n",
        b"Content-Length:\r\nTransfer-Encoding: chunked\r\n",
    ],
)
async def test_length_and_coding(lines: bytes) -> None:
    """S-01: a length and a transfer coding, in whatever order: 400, the end."""
    assert await refused(POST + lines + b"\r\n0\r\n\r\n") == 400


@pytest.mark.parametrize(
    "lines",
    [
        *(b"Content-Length: 2\r\nContent-Length: 2", b"Content-Length: 2\r\nContent-Length: 3"),
        *(b"Content-Length: 2\r\ncontent-length: 2", b"Content-Length: 2\r\nContent-Length:"),
        *(b"Content-Length: 2, 2", b"Content-Length: 2,3", b"Content-Length: 2,", b"Content-Length: 2 2"),
        *(b"Content-Length: +2", b"Content-Length: -2", b"Content-Length: 0x2", b"Content-Length: 2.0"),
        *(b"Content-Length: 1_0", b"Content-Length: 2e0", b"Content-Length: two", b'Content-Length: "2"'),
        *(b"Content-Length: 2;", b"Content-Length: \xd9\xa2", b"Content-Length:", b"Content-Length: "),
        *(b"Content-Length: 99999999999999999999999", b"Content-Length: 18446744073709551618"),
        *(b"Content-Length : 2", b"Content-Length\t: 2", b"Content-Length: 2\x0b", b"Content-Length: \x0c2"),
    ],
)
async def test_lengths(lines: bytes) -> None:
    """S-02: two lengths, equal or not, in two lines or in one; signs, other bases, other digits, none, too many: 400,
    the end."""
    assert await refused(POST + lines + b"\r\n\r\nok") == 400


@pytest.mark.parametrize(
    "lines",
    [
        *(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", b"Transfer-Encoding: chunked, chunked"),
        *(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", b"Transfer-Encoding: xchunked"),
        *(b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked", b"Transfer-Encoding: chunked, gzip"),
        *(b"Transfer-Encoding: identity", b"Transfer-Encoding: gzip", b"Transfer-Encoding: chunkedx"),
        *(b"Transfer-Encoding : chunked", b"Transfer-Encoding\t: chunked", b"Transfer Encoding: chunked\r\nX:\x00"),
        *(b"Transfer-Encoding: \x0bchunked", b"Transfer-Encoding: chunked\x0c", b"Transfer-Encoding: chun\tked"),
        *(b'Transfer-Encoding: "chunked"', b"Transfer-Encoding: chunked;a=b", b"Transfer-Encoding: chunked;"),
        *(b"Transfer-Encoding:\r\n chunked", b"Transfer-Encoding: chunked\r\n , identity"),
    ],
)
async def test_codings(lines: bytes) -> None:
    """S-03: any coding that is not exactly chunked, once, written as it should be: 400, the end."""
    assert await refused(POST + lines + b"\r\n\r\n0\r\n\r\n") == 400


@pytest.mark.parametrize(
    "coding",
    [b"gzip, chunked", b"identity, chunked", b"deflate , Chunked", b", chunked", b"a;q=1, chunked", b"x,y,chunked"],
)
async def test_codings_below_chunked(coding: bytes) -> None:
    """S-04: a coding below chunked, which the server would drop without undoing it: 501, the end."""
    assert await refused(POST + b"Transfer-Encoding: " + coding + b"\r\n\r\n0\r\n\r\n") == 501


@pytest.mark.parametrize(
    "more", [b"", b"Connection: keep-alive\r\n", b"Connection: TE, keep-alive\r\nTE: trailers\r\n"]
)
@pytest.mark.parametrize("coding", [b"chunked", b"gzip, chunked", b"gzip", b"identity"])
async def test_codings_in_http_1_0(more: bytes, coding: bytes) -> None:
    """S-05: HTTP/1.0 knows no transfer coding; whoever sends one may be misunderstood by the next: 400, the end."""
    assert await refused(OLD + more + b"Transfer-Encoding: " + coding + b"\r\n\r\n0\r\n\r\n") == 400


@pytest.mark.parametrize(
    "raw",
    [
        *(
            GET + HOST + b"X-A: 1\r\n 2\r\n\r\n",
            GET + HOST + b"X-A: 1\r\n\t2\r\n\r\n",
            GET + b" X: 1\r\n" + HOST + b"\r\n",
        ),
        *(GET + HOST + b"X-A:\r\n 2\r\n\r\n", GET + HOST[:-2] + b"\r\n b\r\n\r\n"),
        *(b"GET / HTTP/1.1\nHost: a.test\n\n", GET + b"Host: a.test\nX: 1\r\n\r\n", GET + HOST + b"X: 1\n\r\n"),
        *(GET + HOST + b"X: 1\r\n\nX: 2\r\n\r\n", GET[:-2] + b"\n" + HOST + b"\r\n"),
        *(
            GET + HOST + b"X: a\rb\r\n\r\n",
            GET + HOST + b"X: a\r\r\n\r\n",
            GET + HOST + b"X: a\rTransfer-Encoding: x\r\n\r\n",
        ),
        *(GET + HOST + b"X: a\0b\r\n\r\n", GET + HOST + b"X\0: a\r\n\r\n", GET + HOST + b"X: \x7f\x01\r\n\r\n"),
        *(b"GET /\0 HTTP/1.1\r\n" + HOST + b"\r\n", b"GET /a\rb HTTP/1.1\r\n" + HOST + b"\r\n"),
        *(GET + HOST + b"X A: 1\r\n\r\n", GET + HOST + b"X : 1\r\n\r\n", GET + HOST + b": 1\r\n\r\n"),
        *(GET + HOST + b"X\r\n\r\n", GET + HOST + b"X[]: 1\r\n\r\n", GET + HOST + b"X\xe9: 1\r\n\r\n"),
        *(b"GET / x HTTP/1.1\r\n" + HOST + b"\r\n", b"GET\t/\tHTTP/1.1\r\n" + HOST + b"\r\n"),
        *(
            b"G\0T / HTTP/1.1\r\n" + HOST + b"\r\n",
            b"G(T / HTTP/1.1\r\n" + HOST + b"\r\n",
            b" GET / HTTP/1.1\r\n" + HOST + b"\r\n",
        ),
    ],
)
async def test_lines(raw: bytes) -> None:
    """S-06: folded lines, lone LF and CR, NUL and other controls, white space and other odd characters in names, in the
    target and in the method: 400, the end."""
    assert await refused(raw) == 400


SIZES = [b"0x2", b"2 ", b" 2", b"\t2", b"-2", b"+2", b"2h", b"", b"FFFFFFFFFFFFFFFFF", b"two", b"2\0", b"2_0", b"2,"]
BODIES = [size + b"\r\nok\r\n0\r\n\r\n" for size in SIZES] + [
    *(
        b"2\r\nokXX0\r\n\r\n",
        b"2\r\nok0\r\n\r\n",
        b"2\r\nok\n0\r\n\r\n",
        b"2\r\nok\r0\r\n\r\n",
        b"2\r\nokay\r\n0\r\n\r\n",
    ),
    *(b"2\nok\n0\n\n", b"2\nok\r\n0\r\n\r\n", b"2\rok\r\n0\r\n\r\n", b"2\r\nok\r\n0\n\n", b"2\r\nok\r\n0\r\n\n"),
    *(
        b"2;a\nok\r\n0\r\n\r\n",
        b"2;a\rb\r\nok\r\n0\r\n\r\n",
        b"2;a\0\r\nok\r\n0\r\n\r\n",
        b"2 ;a\nGET / HTTP/1.1\r\n\r\n",
    ),
    *(b"2\r\nok\r\n0\r\nX\r\n\r\n", b"2\r\nok\r\n0\r\nX : 1\r\n\r\n", b"2\r\nok\r\n0\r\nX: 1\n\r\n"),
]


@pytest.mark.parametrize("body", BODIES)
async def test_chunks(body: bytes) -> None:
    """S-06, S-07: chunks whose size is no hexadecimal number, that do not end where they should, whose lines end in a
    lone LF, extensions and trailers included: 400, the end."""
    assert await refused(CHUNKED + body) == 400


@pytest.mark.parametrize("body", BODIES)
async def test_chunks_that_come_later(body: bytes) -> None:
    """S-06, S-07: the same, once the request is on its way: 400, the end, and no whole request has reached the
    upstream, whose connection is closed."""
    assert await in_pieces(CHUNKED + body) == 400


# S-08: chunks that are mostly overhead.


@pytest.mark.parametrize(("size", "n", "status"), [(1, 4096, 200), (1, 4200, 400), (7, 5000, 400), (8, 5000, 200)])
async def test_ratio_of_chunks(size: int, n: int, status: int) -> None:
    """S-08: thousands of chunks of less than 8 bytes on average are refused: 400, the end; a few, or larger ones, pass
    whole."""
    seen = Seen()
    async with FakeUpstream() as server, serving(ProxyHandler(Upstream(server.url), observers=[seen])) as site:
        async with site.connect() as client:
            await client.send(CHUNKED)
            await server.wait_requests(1)
            await client.send((b"%x\r\n" % size + b"a" * size + b"\r\n") * n + b"0\r\n\r\n")
            assert (await client.response()).status == status
            assert await client.rest() == b""
        if status == 200:
            assert server.requests[0].body == b"a" * size * n
        else:
            await server.wait_closed_connections(1)
            assert not server.requests[0].complete


@pytest.mark.parametrize("extension", [b";a", b";a=b", b';a="b;c"', b";a;b;c", b";" + b"a" * 1000])
async def test_extensions_end_here(extension: bytes) -> None:
    """S-08: chunk extensions are the connection's own, and not passed on."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site:
        answer = await site.ask(CHUNKED + b"2%b\r\nok\r\n0%b\r\n\r\n" % (extension, extension))
        assert answer.status == 200
        assert server.requests[0].body == b"ok"
        assert b"a" not in server.requests[0].raw.partition(b"\r\n\r\n")[2]


# S-09: trailers.


@pytest.mark.parametrize(
    "trailer",
    [
        b"Content-Length: 9",
        b"Transfer-Encoding: chunked",
        b"content-length: 2",
        b"X: 1\r\nTransfer-Encoding: x\r\nX: 2",
    ],
)
async def test_trailers_that_frame(trailer: bytes) -> None:
    """S-09: trailers that would say where the message ends, or whom it is for: 400, the end."""
    assert await refused(CHUNKED + b"2\r\nok\r\n0\r\n" + trailer + b"\r\n\r\n") == 400


@pytest.mark.parametrize(
    "trailer",
    [
        b"Host: evil.test",
        b"Authorization: Basic eDp5",
        b"X-Forwarded-For: 6.6.6.6",
        b"Cookie: s=1",
        b"Content-Type: a/b",
        b"Via: 1.1 x",
    ],
)
async def test_trailers_end_here(trailer: bytes) -> None:
    """S-09: other trailers reach nobody, neither as trailers nor as fields: of this request, or of the next one."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site:
        async with site.connect() as client:
            await client.send(CHUNKED + b"2\r\nok\r\n0\r\n" + trailer + b"\r\n\r\n")
            answer = await client.response()
            assert (answer.status, answer.getall(b"Connection")) == (200, [b"close"])
            assert await client.rest() == b""
        (request,) = server.requests
        assert (request.body, request.trailers) == (b"ok", [])
        assert trailer not in request.raw


# S-10: versions.


@pytest.mark.parametrize("version", [b"2.0", b"0.9"])
@pytest.mark.parametrize(
    "head", [GET + HOST, POST + b"Content-Length: 0\r\n", POST + b"Transfer-Encoding: chunked\r\n"]
)
async def test_versions(version: bytes, head: bytes) -> None:
    """S-10: HTTP/2.0 and HTTP/0.9 in a request line, which the server lets pass: 505, the end."""
    body = b"0\r\n\r\n" if b"chunked" in head else b""
    assert await refused(head.replace(b"HTTP/1.1", b"HTTP/" + version) + MARKED + b"\r\n" + body) == 505


@pytest.mark.parametrize("version", [b"2.0", b"0.9"])
async def test_versions_that_would_be_kept(version: bytes) -> None:
    """S-10: nobody knows where a request of another version ends: a client that asks for it is not kept either."""
    asked = GET.replace(b"1.1", version) + HOST + MARKED + b"Connection: keep-alive\r\n\r\n"
    assert await refused(asked) == 505


@pytest.mark.parametrize("version", [b"1.2", b"3.0", b"1.10", b"11", b"1", b"01.1", b"1.1x", b"+1.1", b" 1.1", b"1,1"])
async def test_versions_that_are_none(version: bytes) -> None:
    """S-10: every other version, or what is none: 400 or 505, the end."""
    assert await refused(GET.replace(b"1.1", version) + HOST + b"\r\n") in (400, 505)


@pytest.mark.parametrize("version", [b"http/1.1", b"HTTPS/1.1", b"HTTP 1.1", b"ICE/1.0", b"SIP/2.0", b""])
async def test_other_protocols(version: bytes) -> None:
    """S-10: a request line of another protocol is never forwarded: 400 or 505, the end."""
    assert await refused(GET.replace(b"HTTP/1.1", version) + HOST + b"\r\n") in (400, 505)


async def test_http_2_preface() -> None:
    """S-10: who speaks HTTP/2 at once is told so: 400, the end."""
    assert await refused(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0") == 400


# S-14: what of the framing is kept.


@pytest.mark.parametrize("length", [2**64 - 1, 2**64 - 2, 2**63, 10**18])
@pytest.mark.parametrize("method", [b"POST", b"GET"])
async def test_lengths_that_no_body_has(length: int, method: bytes) -> None:
    """F-47, S-02: a length that means something else to whoever counts in 64 bits (the largest is no body at all to
    aiohttp's parser, which then swallows what follows) is refused, and the connection ends."""
    head = POST.replace(b"POST", method) + b"Content-Length: %d\r\n\r\n" % length
    async with FakeUpstream() as server, serving(ProxyHandler(Upstream(server.url))) as site, site.connect() as client:
        await client.send(head)
        answer = await client.final()
        assert (answer.status, answer.getall(b"Connection")) == (400, [b"close"])
        client.end()
        assert await client.rest() == b""
        assert server.requests == []


async def test_the_longest_body() -> None:
    """F-47: one byte less is a length like others."""
    async with FakeUpstream() as server, serving(ProxyHandler(Upstream(server.url))) as site, site.connect() as client:
        server.always(ignore_body(), respond(413))
        await client.send(POST + b"Content-Length: %d\r\n\r\n" % (10**18 - 1))
        assert (await client.final()).status == 413


@pytest.mark.parametrize("method", [b"GET", b"DELETE", b"OPTIONS", b"HEAD", b"PATCH", b"QUERY"])
@pytest.mark.parametrize(
    "framing", [b"Content-Length: 23\r\n\r\n%b", b"Transfer-Encoding: chunked\r\n\r\n17\r\n%b\r\n0\r\n\r\n"]
)
async def test_framing_is_not_dropped(method: bytes, framing: bytes) -> None:
    """S-14: a body goes upstream as a body whatever the method: it can never be read as a request of its own."""
    hidden = b"GET /admin HTTP/1.1\r\n\r\n"
    async with FakeUpstream() as server:
        server.always(respond(200))
        async with serving(Upstream(server.url)) as site:
            for _ in range(2):
                await site.ask(method + b" /x HTTP/1.1\r\n" + HOST + framing % hidden)
        assert [(request.target, request.body) for request in server.requests] == [("/x", hidden)] * 2
        for request in server.requests:
            assert len(request.getall("Content-Length")) + len(request.getall("Transfer-Encoding")) == 1


async def test_a_body_that_nobody_read() -> None:
    """S-14: a body that the upstream has not waited for is not taken for the next request, by nobody."""
    async with FakeUpstream() as server:
        server.always(ignore_body(), respond(200))
        async with serving(Upstream(server.url)) as site, site.connect() as client:
            await client.send(b"POST /x HTTP/1.1\r\n" + HOST + b"Content-Length: 100\r\n\r\n" + NEXT)
            assert (await client.response()).getall(b"Connection") == [b"close"]
            await client.rest()
        assert [request.target for request in server.requests] == ["/x"]


# F-14 and F-15: Host.

NO_HOSTS = [
    *(
        b"",
        b" ",
        b"a b",
        b"a,b",
        b"a, b",
        b"a.test,",
        b"u@a",
        b"u:p@a.test",
        b"@a",
        b"a/",
        b"a/../b",
        b"/",
        b"a?b",
        b"a#b",
    ),
    *(b"a\\b", b"http://a.test", b"a:b", b"a:80:80", b"a:65536", b"a:-1", b":80", b"::1", b"[::1", b"[]", b"[::1]x"),
    *(b"[::1%eth0]", b"a;b", b'"a"', b"a%2eb", b"<script>", b"a'b", b"*", b"-a", b".a", b"\xe9.test", b"\xc3\xa9.test"),
    *(b"a" * 321, b"{{7*7}}", b"a\tb", b"$(a)"),
]


@pytest.mark.parametrize("host", NO_HOSTS)
@pytest.mark.parametrize("forwarded", [None, ()])
async def test_hosts(host: bytes, forwarded: tuple[()] | None) -> None:
    """F-14, S-25: a Host that is not exactly one host, with or without a port, is answered 400, also where nobody would
    be told of it; nothing of it is reflected, nothing is forwarded."""
    async with FakeUpstream() as server:
        upstream = Upstream(server.url)
        proxy = ProxyHandler(upstream) if forwarded is None else ProxyHandler(upstream, forwarded=forwarded, via=None)
        async with serving(proxy) as site:
            answer = await site.ask(GET + b"Host: " + host + b"\r\n\r\n")
            assert answer.status == 400
            if len(host) > 4 and not is_of_the_server(answer):
                assert host not in answer.raw_head + answer.body
            assert server.requests == []


@pytest.mark.parametrize(
    "lines",
    [
        *(b"", b"Host: a.test\r\nHost: a.test\r\n", b"Host: a.test\r\nhost: b.test\r\n", b"Host : a.test\r\n"),
        *(b"Host: a.test\r\nHost:\r\n", b"Host:\r\nHost: a.test\r\n", b"Host: a.test\r\n b.test\r\n", b"X-Host: a\r\n"),
    ],
)
async def test_one_host(lines: bytes) -> None:
    """F-14: no Host, or two of them, equal or not: 400, the end."""
    assert await refused(GET + lines + b"\r\n") == 400
    assert await refused(b"GET http://a.test/ HTTP/1.1\r\n" + lines + b"\r\n") == 400


@pytest.mark.parametrize("name", [b"Host_", b"HOST-", b"_Host"])
async def test_names_like_host(name: bytes) -> None:
    """F-14, S-23: a name that only looks like ``Host`` does not count for one."""
    assert await refused(GET + name + b": a.test\r\n\r\n") == 400


@pytest.mark.parametrize(
    "host", [b"a.test", b"A.Test:8080", b"a_b.test", b"a.test.", b"192.0.2.1:80", b"[2001:db8::1]:443", b"a:", b"1"]
)
async def test_hosts_that_pass(host: bytes) -> None:
    """F-14: one host in any of its forms is told to the upstream as it was written."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site:
        assert (await site.ask(GET + b"Host: \t " + host + b" \r\n\r\n")).status == 200
        assert server.requests[0].getall("X-Forwarded-Host") == [host.decode()]


@pytest.mark.parametrize("lines", [b"", b"Host:\r\n", b"Host: \r\nX-A: 1\r\n"])
async def test_http_1_0_without_a_host(lines: bytes) -> None:
    """F-15: HTTP/1.0 needs no Host. Nothing is made up for it: the upstream is not told our own address."""
    async with FakeUpstream() as server, serving(ProxyHandler(Upstream(server.url), via=None)) as site:
        assert (await site.ask(b"GET / HTTP/1.0\r\n" + lines + b"\r\n")).status == 200
        (request,) = server.requests
        assert request.getall("Host") == [f"127.0.0.1:{server.port}"]
        assert request.getall("X-Forwarded-Host") == []
        assert str(site.port) not in request.raw_head.decode()


@pytest.mark.parametrize(
    "lines",
    [
        b"Connection: close\r\nConnection: keep-alive\r\n",
        b"Connection: keep-alive\r\nConnection: Close\r\n",
        b"Connection: keep-alive, close\r\n",
        b"Connection: CLOSE ,keep-alive\r\n",
    ],
)
async def test_http_1_0_that_closes_and_does_not(lines: bytes) -> None:
    """RFC 9112 section 9.3: where a client says both, ``close`` wins: one answer, and what follows is not served."""
    async with FakeUpstream() as server, serving(ProxyHandler(Upstream(server.url))) as site, site.connect() as client:
        await client.send(b"GET / HTTP/1.0\r\n" + HOST + lines + b"\r\n" + NEXT)
        answer = await client.final()
        assert (answer.status, answer.getall(b"Connection")) == (200, [b"close"])
        assert await client.rest() == b""
        assert [request.target for request in server.requests] == ["/"]


@pytest.mark.parametrize("host", [b"a b", b"u@a", b"a,b", b"a/../b"])
async def test_http_1_0_with_a_bad_host(host: bytes) -> None:
    """F-14, F-15: what stands there must be one host in HTTP/1.0, too."""
    assert await refused(b"GET / HTTP/1.0\r\nHost: " + host + b"\r\n\r\n") == 400


@pytest.mark.parametrize(
    "authority",
    [
        *(
            b"",
            b"@a",
            b"u@a.test",
            b"u:p@a.test",
            b"a@b@c",
            b"a,b",
            b"a:b",
            b"a:80:80",
            b"a:65536",
            b"[::1",
            b"[]",
            b"a;b",
        ),
        *(b"a%2eb", b"a%00", b"*", b"a\\b", b":80", b"[::1]x", b"a'b", b'a"b', b"<a>", b"\xe9", b"-a", b"::1"),
    ],
)
async def test_odd_authorities(authority: bytes) -> None:
    """F-08, F-14, S-25: the authority of an absolute-form target must be exactly one host, as ``Host`` must: 400 (or
    the application's own refusal), nothing is forwarded or reflected. With and without an application around."""
    raw = b"GET http://" + authority + b"/" + MARK + b" HTTP/1.1\r\n" + HOST + b"\r\n"
    async with FakeUpstream() as server:
        proxy = ProxyHandler(Upstream(server.url))
        for mounted in (proxy, web.Server(proxy.handle)):
            async with serving(mounted) as site:
                answer = await site.ask(raw)
                assert answer.status in (400, 404, 421)
                if not is_of_the_server(answer):
                    assert MARK not in answer.raw_head + answer.body
        assert server.requests == []


# Methods and expectations.


@pytest.mark.parametrize(
    "raw", [b"TRACE / HTTP/1.1\r\n", b"TRACE http://a.test/ HTTP/1.1\r\n", b"TRACE / HTTP/1.0\r\n"]
)
async def test_trace(raw: bytes) -> None:
    """F-35: TRACE is answered 405, in whatever form, without a word of what it said; nothing is forwarded."""
    async with FakeUpstream() as server, serving(ProxyHandler(Upstream(server.url))) as site:
        answer = await site.ask(raw + HOST + MARKED + b"Cookie: s=" + MARK + b"\r\n\r\n")
        assert (answer.status, server.requests) == (405, [])
        assert MARK not in answer.raw_head + answer.body


@pytest.mark.parametrize("target", [b"a.test:443", b"a.test", b"/", b"http://a.test/", b"127.0.0.1:22"])
async def test_connect(target: bytes) -> None:
    """F-09: CONNECT goes nowhere, and says nothing of where it wanted to go. Where no router has answered it before, it
    is the last on its connection, too (docs/limits.md says what a router does)."""
    raw = b"CONNECT " + target + b" HTTP/1.1\r\n" + HOST + MARKED + b"\r\n"
    async with FakeUpstream() as server:
        proxy = ProxyHandler(Upstream(server.url))
        for mounted, behind in ((proxy, b""), (web.Server(proxy.handle), NEXT)):
            async with serving(mounted) as site:
                answer = await site.ask(raw + behind)
                assert answer.status in (400, 404, 405)
                assert MARK not in answer.raw_head + answer.body
        assert server.requests == []


@pytest.mark.parametrize(
    "expect", [b"x", b"", b"200-ok", b"100-continue, x", b"100-continue;q=1", b'"100-continue"', MARK]
)
async def test_expectations(expect: bytes) -> None:
    """F-78: an expectation that is not exactly ``100-continue`` is answered 417; nothing is forwarded or reflected."""
    async with FakeUpstream() as server, serving(ProxyHandler(Upstream(server.url))) as site, site.connect() as client:
        await client.send(POST + b"Expect: " + expect + b"\r\nContent-Length: 2\r\n\r\n")
        answer = await final(client)
        assert (answer.status, server.requests) == (417, [])


# S-28: too much of it.


async def test_too_many_fields() -> None:
    """S-28: over 64 KiB of fields in all, in lines that the server lets in, are answered 431, and nothing of them is
    forwarded; a bit less passes. The fields that the proxy adds count; those that it drops do not."""
    async with FakeUpstream() as server, serving(ProxyHandler(Upstream(server.url))) as site:
        for name, size, status in ((b"X-%d", 8180, 431), (b"X-%d", 7900, 200), (b"X-Forwarded-%d", 8000, 200)):
            lines = b"".join(name % each + b": " + b"z" * size + b"\r\n" for each in range(8))
            answer = await site.ask(GET + HOST + lines + (b"X-More: " + b"b" * 300 + b"\r\n") + b"\r\n")
            assert answer.status == status
            assert b"zzz" not in answer.raw_head + answer.body
        assert len(server.requests) == 2


async def test_the_server_goes_on() -> None:
    """S-01 to S-10: after all of this the same proxy serves honest clients, on the upstream's one connection."""
    async with FakeUpstream() as server, serving(ProxyHandler(Upstream(server.url))) as site:
        assert (await site.ask(GET + HOST + b"\r\n")).status == 200
        bad = [CHUNKED + b"x\r\n", OLD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", GET + b"Host: a,b\r\n\r\n"]
        answers = await asyncio.gather(*(site.ask(raw) for raw in bad * 10))
        assert {answer.status for answer in answers} == {400}
        assert (await site.ask(GET + HOST + b"\r\n")).status == 200
        assert (len(server.requests), server.connections) == (2, 1)
