"""Request line, target and mount point: what goes in at the front and what the upstream sees of it."""

from __future__ import annotations

import random
from functools import partial
from typing import Any

import pytest
from aiohttp import web

from revproxy import PathPolicy, ProxyHandler, Rule, Rules, Upstream, block, respond, when
from revproxy.errors import BadRequest
from revproxy.testing import FakeUpstream
from revproxy.testing import respond as responds

from ..test_paths import CHOICES, PIECES
from .wire import Answer, Site, serving


def get(target: str, *, host: str = "a.test") -> bytes:
    """A request for ``target``, written as it is."""
    return f"GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode("latin-1")


async def seen(server: FakeUpstream, site: Site, target: str) -> str:
    """The target that the upstream gets for ``target``."""
    assert (await site.ask(get(target))).status == 200
    return server.requests[-1].target


async def mounted(proxy: ProxyHandler, path: str, targets: list[str], *, strip: bool = False) -> list[Answer]:
    """What an application answers that has ``proxy`` at ``path``."""
    app = web.Application()
    proxy.mount(app, path, strip=strip)
    async with serving(app) as site:
        return [await site.ask(get(target)) for target in targets]


# The version.


async def test_own_version_goes_upstream() -> None:
    """F-01: an HTTP/1.0 request goes upstream as HTTP/1.1."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site:
        await site.ask(b"GET /x HTTP/1.0\r\nHost: a.test\r\n\r\n")
        assert server.requests[0].raw_head.startswith(b"GET /x HTTP/1.1\r\n")


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
async def test_upstream_version_does_not_leak(version: bytes) -> None:
    """F-01: whether the upstream answers in HTTP/1.0 or 1.1, to either version of a client: the proxy speaks 1.1."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site:
        server.always(responds(body=b"ok", http="1.0"))
        answer = await site.ask(b"GET / HTTP/%b\r\nHost: a.test\r\n\r\n" % version)
        assert (answer.version, answer.status, answer.body) == (b"HTTP/1.1", 200, b"ok")


@pytest.mark.parametrize("version", [b"2.0", b"0.9", b"1.2", b"3.0"])
async def test_unknown_versions_are_refused(version: bytes) -> None:
    """F-01: a request of another version than 1.0 and 1.1 is answered 505 (or 400), and goes nowhere."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site:
        answer = await site.ask(b"GET / HTTP/%b\r\nHost: a.test\r\nConnection: close\r\n\r\n" % version)
        assert answer.status in (400, 505)
        assert server.requests == []


# The target, byte for byte.

EXACT = [
    "/",
    "/a/b",
    "/a/b/",
    "/caf%C3%A9",
    "/caf%c3%a9",
    "/%41%7e%2D",
    "/~user/!$&'()*+,=:@",
    "/a%20b+c",
    "/%25",
    "/%E9",
    "/%0A%0d",
    "/.hidden/..x/...",
    "/a=1/b,c",
    '/"<>^`{|}[]',
    "/?",
    "/a?",
    "/?a=1&a=2&b&=&;c=3;d",
    "/?q=a+b%20c%2B&x=%zz&y=%",
    "/?u=http://x.test/../y?z=1",
    "/?/../%2e%2e/%00\\",
    "/:80/x",
    "/@host/x",
    "/*",
]


@pytest.mark.parametrize("target", EXACT)
async def test_target_byte_for_byte(target: str) -> None:
    """F-02, F-03, F-07: path and query reach the upstream as they came, an empty ``?`` included."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site:
        assert await seen(server, site, target) == target


@pytest.mark.parametrize("target", EXACT)
async def test_target_byte_for_byte_past_conditions(target: str) -> None:
    """F-02, F-07: a table that reads path and query changes nothing of what is forwarded."""
    async with FakeUpstream() as server:
        table = Rules(
            Rule(when.path("/admin/*") | when.query("secret"), block(403)), Rule(when.anything, Upstream(server.url))
        )
        async with serving(table) as site:
            assert await seen(server, site, target) == target


@pytest.mark.parametrize(
    "target",
    [
        "//evil.test/p",
        "//evil.test:80",
        "///x",
        "/a//b",
        "/a/b//",
        "//",
        "/a%2Fb",
        "/%2f%2F",
        "/a%2f",
        "/http://b.test/x",
        "/a;v=1/b;c",
        "/;jsessionid=1?;",
        "/a%3Bb",
        "/a%252Fb/%252e%252e",
        "/%25%32%65",
    ],
)
async def test_two_readings_byte_for_byte(target: str) -> None:
    """F-02, F-04, law 9: ``//``, ``%2F``, ``;`` and what is encoded twice pass as they are where no condition reads the
    path: ``//host`` is one."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site:
        assert await seen(server, site, target) == target
        assert server.requests[0].getall("Host") == [f"127.0.0.1:{server.port}"]


async def test_long_target() -> None:
    """F-02: a target of 8,000 bytes is forwarded whole."""
    target = "/" + "%C3%A9" * 600 + "?" + "x" * 4000
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site:
        assert await seen(server, site, target) == target


# One reading of a target.

REFUSED = [
    "/..",
    "/.",
    "/a/../b",
    "/a/./b",
    "/a/..",
    "/../../etc/passwd",
    "/%2e%2e/b",
    "/a/%2E%2e",
    "/a/.%2e/b",
    "/a/..;x/b",
    "/a/%2e%2e;x=1/b",
    "/a%2f..%2fb",
    "/a\\b",
    "/a%5cb",
    "/%5C..%5Cb",
    "/a%00b",
    "/%00",
    "/a%",
    "/a%2",
    "/a%zz",
    "/%u002e",
    "/%c0%ae%c0%ae/b",
    "/%c0%af",
    "/a#b",
    "/?q#b",
]


@pytest.mark.parametrize("target", REFUSED)
async def test_ambiguous_targets_are_refused(target: str) -> None:
    """F-11, law 9: dot segments, backslash, NUL, bad percent-encoding and a fragment are answered 400, whatever their
    disguise; nothing reaches the upstream, and what follows on the connection is served."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site, site.connect() as client:
        await client.send(get(target) + get("/next"))
        refused = await client.response()
        assert (refused.status, refused.getall(b"Content-Type")) == (400, [b"application/problem+json"])
        assert (await client.response()).status == 200
        assert [request.target for request in server.requests] == ["/next"]


@pytest.mark.parametrize(
    "target",
    [
        *("/a%2Fb", "/a%2fb", "//a", "/a//b", "/%2F", "/a//"),
        *("/admin;x", "/admin;/y", "/;/admin", "/admin%3Bx", "/%2561dmin", "/admin%252fx", "/%25%36%31dmin"),
    ],
)
async def test_two_readings_are_refused_before_conditions(target: str) -> None:
    """S-36, S-37, law 9: where a condition reads the path, ``%2F``, ``//``, ``;`` and what is encoded twice are
    answered 400, lest they slip by it."""
    async with FakeUpstream() as server:
        table = Rules(Rule(when.path("/admin/*"), block(403)), Rule(when.anything, Upstream(server.url)))
        async with serving(table) as site:
            assert (await site.ask(get(target))).status == 400
            assert server.requests == []


async def test_condition_inside_counts() -> None:
    """Law 9: the condition may be deep inside: a table in a table, behind a filter."""
    inner = Rules(Rule(~when.path("/a/*"), block(403)), Rule(when.anything, respond(200)))
    async with serving(Rules(Rule(when.method("GET"), inner), Rule(when.anything, block(405)))) as site:
        assert [(await site.ask(get(target))).status for target in ("/a/b", "/a%2Fb", "/x")] == [200, 400, 403]


@pytest.mark.parametrize(
    ("chosen", "target", "sent"),
    [
        # S-35
        ({"dot_segments": "refuse"}, "/a/../b", None),
        ({"dot_segments": "normalise"}, "/a/../b", "/b"),
        ({"dot_segments": "normalise"}, "/a/%2e%2e/.%2e/b", None),
        ({"dot_segments": "normalise"}, "/x/%2E%2e/admin", 403),
        ({"dot_segments": "normalise"}, "/admin/..", "/"),
        ({"dot_segments": "normalise", "encoded_slash": "decode"}, "/x/%2e%2e%2fadmin", 403),
        ({"dot_segments": "normalise", "encoded_slash": "keep"}, "/x/%2e%2e%2fadmin", None),
        # S-36
        ({"encoded_slash": "keep"}, "//a", None),
        ({"empty_segments": "keep"}, "//a//b", "//a//b"),
        ({"empty_segments": "keep"}, "//admin", "//admin"),
        ({"empty_segments": "merge"}, "//a//b/?x//y", "/a/b/?x//y"),
        ({"empty_segments": "merge"}, "//admin//x", 403),
        ({"empty_segments": "merge"}, "//evil.test/x", "/evil.test/x"),
        ({"empty_segments": "refuse"}, "/a//b", None),
        # S-37
        ({"encoded_slash": "keep"}, "/a%2fb", "/a%2fb"),
        ({"encoded_slash": "keep"}, "/admin%2fx", "/admin%2fx"),
        ({"encoded_slash": "decode"}, "/a%2fb?x=%2f", "/a/b?x=%2f"),
        ({"encoded_slash": "decode"}, "/admin%2fx", 403),
        ({"encoded_slash": "refuse"}, "/a%2fb", None),
        ({"encoded_slash": "decode"}, "/%2fadmin", None),
        ({"encoded_slash": "decode", "empty_segments": "merge"}, "/%2fadmin", 403),
        ({"encoded_slash": "decode", "empty_segments": "merge"}, "/%2f/a%2f%2fb", "/a/b"),
        ({"empty_segments": "merge"}, "/a%2fb", None),
        ({"parameters": "keep"}, "/admin;x/y;z", "/admin;x/y;z"),
        ({"parameters": "strip"}, "/admin;x/y", 403),
        ({"parameters": "strip"}, "/a;x=1/b%3By?c;d", "/a/b?c;d"),
        ({"parameters": "strip"}, "/a/..;/b", None),
        ({"parameters": "keep", "dot_segments": "normalise"}, "/a/..;/b", None),
        ({"parameters": "refuse"}, "/a;x", None),
        ({"backslash": "refuse"}, "/a\\b", None),
        ({"backslash": "normalise"}, "/a\\b%5cc", "/a/b/c"),
        ({"backslash": "normalise"}, "/admin\\x", 403),
        ({"backslash": "normalise"}, "/\\evil.test", None),
        ({"double_encoding": "keep"}, "/%252e%252e/%2561dmin", "/%252e%252e/%2561dmin"),
        ({"double_encoding": "decode"}, "/%2561dmin/%25252578", 403),
        ({"double_encoding": "decode"}, "/a/%2562", "/a/b"),
        ({"double_encoding": "decode"}, "/a/%252e%252e/b", None),
        ({"double_encoding": "refuse"}, "/%252e", None),
        ({"encoded_delimiters": "keep"}, "/admin%3fx", "/admin%3fx"),
        ({"encoded_delimiters": "keep"}, "/c%23/a", "/c%23/a"),
        ({"encoded_delimiters": "refuse"}, "/admin%3fx", None),
        ({"encoded_delimiters": "refuse"}, "/c%23/a", None),
        ({"backslash": "normalise", "double_encoding": "decode", "parameters": "strip"}, "/a%00b", None),
        # S-38
        ({"double_encoding": "decode", "dot_segments": "normalise"}, "/a/%c0%ae%c0%ae/b", None),
        ({"double_encoding": "decode"}, "/%u0061dmin", None),
        ({"double_encoding": "decode"}, "/%zz", None),
        ({"dot_segments": "normalise"}, "/a/%ef%bc%8e%ef%bc%8e/b", "/a/%ef%bc%8e%ef%bc%8e/b"),
        # S-39
        ({}, "/admin", 403),
        ({}, "/admin/", 403),
        ({}, "/%61dmin/x", 403),
        ({}, "/administrator", "/administrator"),
        ({}, "/Admin", "/Admin"),
        ({}, "/admin.", "/admin."),
        ({}, "/admin%20", "/admin%20"),
    ],
)
async def test_what_is_matched_is_what_is_sent(chosen: Any, target: str, sent: str | int | None) -> None:
    """S-35, S-36, S-37, S-38, S-39, law 9: for each choice of the policy, one request as it is on the wire: what the
    upstream is sent, or that it is refused; and the rule on ``/admin/*`` sees the same."""
    async with FakeUpstream() as server:
        table = Rules(Rule(when.path("/admin/*"), block(403)), Rule(when.anything, Upstream(server.url)))
        async with serving(ProxyHandler(table, path_policy=PathPolicy(**chosen))) as site:
            status = sent if isinstance(sent, int) else 400 if sent is None else 200
            assert (await site.ask(get(target))).status == status
            assert [request.target for request in server.requests] == ([sent] if isinstance(sent, str) else [])


@pytest.mark.parametrize("seed", range(8))
async def test_any_target_under_any_policy(seed: int) -> None:
    """S-35, S-36, S-37, S-38: whatever the choices and the target, what the upstream is sent is what the policy reads,
    and nothing is sent of what it refuses."""
    rng = random.Random(seed)
    policy = PathPolicy(**{name: rng.choice(choices) for name, choices in CHOICES.items()})  # type: ignore[arg-type]
    read = policy.bind(conditions=True)
    pieces = [piece for piece in PIECES if piece.isascii() and piece.isprintable() and not set(piece) & set("?# ")]
    async with FakeUpstream() as server:
        table = Rules(Rule(when.path("/admin/*"), block(403)), Rule(when.anything, Upstream(server.url)))
        async with serving(ProxyHandler(table, path_policy=policy)) as site, site.connect() as client:
            for _ in range(60):
                target = "/" + "".join(rng.choices(pieces, k=rng.randint(0, 6)))
                await client.send(b"GET %b HTTP/1.1\r\nHost: a.test\r\n\r\n" % target.encode())
                status, sent = (await client.response()).status, [request.target for request in server.requests]
                try:
                    expected = [read(target).target]
                except BadRequest:
                    expected = []
                assert (status, sent) == (200 if expected else 400, expected)
                server.requests.clear()


async def test_case_and_suffixes_have_patterns() -> None:
    """S-39: where the back end takes other names for ``/admin``, patterns say so."""
    guarded = when.path("/admin/*", "/admin.*/**", "/admin%20*/**", case_sensitive=False)
    table = Rules(Rule(guarded, block(403)), Rule(when.anything, respond(200)))
    async with serving(table) as site:
        for target in ("/Admin", "/admin.", "/ADMIN%20", "/admin./x", "/admin%20%20/x", "/admin..%20"):
            assert (await site.ask(get(target))).status == 403
        assert (await site.ask(get("/administrator"))).status == 200


@pytest.mark.parametrize(
    ("target", "host"),
    [
        ("http://evil.test/x", "evil.test"),
        ("http://[::1]/x", "[::1]"),
        ("http://2130706433/x", "2130706433"),
        ("HTTP://evil.test:81/x", "evil.test:81"),
    ],
)
async def test_no_target_chooses_the_upstream(target: str, host: str) -> None:
    """S-40: whatever host a target names, the request goes to the upstream that the program has named, as a path."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site:
        assert (await site.ask(get(target))).status == 200
        assert server.requests[0].target == "/x"
        assert server.requests[0].getall("Host") == [f"127.0.0.1:{server.port}"]
        assert server.requests[0].getall("X-Forwarded-Host") == [host]


@pytest.mark.parametrize(
    "target", ["http://u@evil.test/x", "ftp://evil.test/x", "http://[fe80::1%25eth0]/x", "gopher:x"]
)
async def test_targets_that_are_no_good(target: str) -> None:
    """S-40: user information, other schemes and zones in a target are refused, and nothing is sent."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site:
        assert (await site.ask(get(target))).status == 400
        assert server.requests == []


async def test_policy_refuses_without_conditions() -> None:
    """Law 9: an explicit policy holds also where nothing reads the path."""
    proxy = ProxyHandler(respond(200), path_policy=PathPolicy(encoded_slash="refuse", empty_segments="refuse"))
    async with serving(proxy) as site:
        assert [(await site.ask(get(target))).status for target in ("/a%2fb", "/a//b", "/a/b")] == [400, 400, 200]


# The endpoint's own prefix and query.


@pytest.mark.parametrize(
    ("base", "target", "sent"),
    [
        ("", "/x", "/x"),
        ("/", "/x", "/x"),
        ("/base", "/x", "/base/x"),
        ("/base/", "/x", "/base/x"),
        ("/base", "/", "/base/"),
        ("/base/", "/", "/base/"),
        ("/base", "/x/?", "/base/x/?"),
        ("/base", "//x", "/base//x"),
        ("/b%2Fc", "/x%2Fy", "/b%2Fc/x%2Fy"),
    ],
)
async def test_endpoint_prefix(base: str, target: str, sent: str) -> None:
    """F-05: the endpoint's path and the request's are joined by exactly one slash, both raw."""
    async with FakeUpstream() as server, serving(Upstream(server.url + base)) as site:
        assert await seen(server, site, target) == sent


@pytest.mark.parametrize(
    ("base", "target", "sent"),
    [
        ("/?k=1", "/x?a=2", "/x?k=1&a=2"),
        ("/?k=1", "/x", "/x?k=1"),
        ("/?k=1", "/x?", "/x?k=1"),
        ("", "/x?a=2", "/x?a=2"),
        ("/base?k=1&k=%2F", "/x?k=+;%zz", "/base/x?k=1&k=%2F&k=+;%zz"),
    ],
)
async def test_endpoint_query(base: str, target: str, sent: str) -> None:
    """F-06: the endpoint's query is put before the request's, both raw; each alone stands alone."""
    async with FakeUpstream() as server, serving(Upstream(server.url + base)) as site:
        assert await seen(server, site, target) == sent


# Mount points.


@pytest.mark.parametrize(
    ("target", "sent"),
    [
        ("/app", "/"),
        ("/app/", "/"),
        ("/app/x", "/x"),
        ("/app/x/", "/x/"),
        ("/app?q=/app/y", "/?q=/app/y"),
        ("/app/?", "/?"),
        ("/app/app/x", "/app/x"),
        ("/%61pp/x", "/x"),
        ("/app/caf%C3%A9%0A", "/caf%C3%A9%0A"),
    ],
)
async def test_mount_strips_at_a_segment(target: str, sent: str) -> None:
    """F-05: ``mount(path, strip=True)`` takes the mount point off, by whole segments; without ``strip`` it stays."""
    async with FakeUpstream() as server:
        for strip, expected in ((True, sent), (False, target)):
            answers = await mounted(ProxyHandler(Upstream(server.url)), "/app", [target], strip=strip)
            assert [answer.status for answer in answers] == [200]
            assert server.requests[-1].target == expected


TWO_READINGS = ["/app/a%2Fb", "/app/a//x", "/app/a;x=1/b", "/app/%252e%252e/admin"]


@pytest.mark.parametrize("strip", [True, False])
@pytest.mark.parametrize("target", TWO_READINGS)
async def test_a_mount_decides_by_the_path(target: str, strip: bool) -> None:
    """S-37: below a path it is the path that has led to a proxy, whether or not a rule asks for it: what has two
    readings is refused unless its policy says what it means. A proxy at ``/`` takes all there is, and keeps it."""
    keep = PathPolicy(encoded_slash="keep", empty_segments="keep", parameters="keep", double_encoding="keep")
    async with FakeUpstream() as server:
        for path, policy, status in (("/app", None, 400), ("/app", keep, 200), ("/", None, 200)):
            proxy = ProxyHandler(Upstream(server.url), path_policy=policy)
            answers = await mounted(proxy, path, [target], strip=strip)
            assert [answer.status for answer in answers] == [status]
        stays = target.removeprefix("/app") if strip else target
        assert [each.target for each in server.requests] == [stays, target]


async def test_a_proxy_at_the_root_beside_one_below_a_path() -> None:
    """S-37: what goes by the mount below a path is what the proxy at ``/`` is to refuse, if it is told so."""
    strict = PathPolicy(encoded_slash="refuse", empty_segments="refuse", parameters="refuse", double_encoding="refuse")
    async with FakeUpstream() as server:
        app = web.Application()
        ProxyHandler(respond(401)).mount(app, "/app")
        ProxyHandler(Upstream(server.url), path_policy=strict).mount(app)
        async with serving(app) as site:
            assert (await site.ask(get("/app/x"))).status == 401
            for each in ("//app/x", "/app;x/y", "/app%2Fx", "/%2561pp/x"):
                assert (await site.ask(get(each))).status == 400
            assert (await site.ask(get("/x"))).status == 200
        assert [each.target for each in server.requests] == ["/x"]


@pytest.mark.parametrize("options", [{"strip": "/app"}, {"inside": "/app"}, {}])
async def test_a_handler_that_says_where_it_is(options: dict[str, Any]) -> None:
    """S-37: ``strip`` and ``inside`` of ``handle`` say that the path has decided, as a mount does; without them nothing
    is known of that."""
    async with FakeUpstream() as server:
        app = web.Application()
        proxy = ProxyHandler(Upstream(server.url))
        app.cleanup_ctx.append(proxy.lifespan)
        app.router.add_get("/app/{rest:.*}", partial(proxy.handle, **options))
        async with serving(app) as site:
            for target in TWO_READINGS:
                assert (await site.ask(get(target))).status == (400 if options else 200)
            assert (await site.ask(get("/app/x"))).status == 200


@pytest.mark.parametrize("target", ["/app//x", "/app//evil.test/x", "/%61pp//"])
async def test_what_mount_strips_begins_with_one_slash(target: str) -> None:
    """F-04: what is left of a target does not begin with two slashes, by which many take what follows for a host."""
    async with FakeUpstream() as server:
        answers = await mounted(ProxyHandler(Upstream(server.url)), "/app", [target], strip=True)
        assert [answer.status for answer in answers] == [400]
        assert server.requests == []


async def test_mount_ends_at_a_segment() -> None:
    """F-05: what only begins like the mount point is the application's own (here a 404), whatever its disguise."""
    targets = ["/app2", "/app2/x", "/ap", "/", "/x/app", "//app/x", "/app%2Fx", "/APP/x"]
    for strip in (True, False):
        async with FakeUpstream() as server:
            answers = await mounted(ProxyHandler(Upstream(server.url)), "/app", targets, strip=strip)
            assert [answer.status for answer in answers] == [404] * len(targets)
            assert server.requests == []


@pytest.mark.parametrize("path", ["/a/b", "/a/b/"])
async def test_mount_of_two_segments(path: str) -> None:
    """F-05: a mount point may have several segments, and a slash at its end makes no difference."""
    async with FakeUpstream() as server:
        targets = ["/a/b", "/a/b/", "/a/b/c?d", "/a%2Fb/c", "/a/bc", "/a"]
        answers = await mounted(ProxyHandler(Upstream(server.url)), path, targets, strip=True)
        assert [answer.status for answer in answers] == [200, 200, 200, 404, 404, 404]
        assert [request.target for request in server.requests] == ["/", "/", "/c?d"]


@pytest.mark.parametrize("path", ["/caf\xe9", "/a b", "/a%20b"])
async def test_mount_of_encoded_segments(path: str) -> None:
    """F-05: a mount point with characters that stand encoded in a target is found, and taken off as a segment."""
    async with FakeUpstream() as server:
        target = "/caf%C3%A9/x" if "caf" in path else "/a%20b/x"
        answers = await mounted(ProxyHandler(Upstream(server.url)), path, [target], strip=True)
        assert [answer.status for answer in answers] == [200]
        assert server.requests[0].target == "/x"


async def test_mount_does_not_outwit_dot_segments() -> None:
    """Law 9: dot segments that would leave the mount point are refused, not resolved."""
    targets = ["/app/../x", "/app/%2e%2e/x", "/app/..;/x", "/app/.."]
    async with FakeUpstream() as server:
        answers = await mounted(ProxyHandler(Upstream(server.url)), "/app", targets, strip=True)
        assert [answer.status for answer in answers] == [400] * len(targets)
        assert server.requests == []


@pytest.mark.parametrize("strip", [True, False])
async def test_resolved_dot_segments_stay_in_the_mount(strip: bool) -> None:
    """S-35, F-05: where a policy resolves dot segments, what leads out of the mount point is refused, and nothing else
    is: aiohttp has chosen the proxy by what was there before."""
    policy = PathPolicy(dot_segments="normalise", backslash="normalise")
    leaving = ["/app/../x", "/app/a/../../x", "/app/%2e%2e/x", "/app/..", "/app/..\\x", "/app/../app2"]
    staying = ["/app/a/../x", "/app/../app/x", "/app/./x"]
    async with FakeUpstream() as server:
        proxy = ProxyHandler(Upstream(server.url), path_policy=policy)
        answers = await mounted(proxy, "/app", leaving + staying, strip=strip)
        assert [answer.status for answer in answers] == [400] * len(leaving) + [200] * len(staying)
        assert [request.target for request in server.requests] == ["/x" if strip else "/app/x"] * len(staying)


async def test_conditions_see_the_whole_path() -> None:
    """What the client asked for is what conditions read, also where the mount point is taken off what is sent."""
    async with FakeUpstream() as server:
        table = Rules(Rule(when.path("/app/x"), Upstream(server.url)), Rule(when.anything, block(403)))
        answers = await mounted(ProxyHandler(table), "/app", ["/app/x", "/app/app/x"], strip=True)
        assert [answer.status for answer in answers] == [200, 403]
        assert [request.target for request in server.requests] == ["/x"]


async def test_mount_beside_own_routes() -> None:
    """The application's own routes, added before, win; everything else goes to the proxy, by any method."""

    async def health(request: web.Request) -> web.Response:
        return web.Response(text="own")

    async with FakeUpstream() as server:
        app = web.Application()
        app.router.add_get("/health", health)
        ProxyHandler(Upstream(server.url)).mount(app)
        async with serving(app) as site:
            assert (await site.ask(get("/health"))).body == b"own"
            assert (await site.ask(get("/health/x"))).body == b"ok"
            assert (await site.ask(b"POST /health HTTP/1.1\r\nHost: a.test\r\n\r\n")).body == b"ok"
            assert (await site.ask(b"PROPFIND /x HTTP/1.1\r\nHost: a.test\r\n\r\n")).body == b"ok"
        assert [(request.method, request.target) for request in server.requests] == [
            ("GET", "/health/x"),
            ("POST", "/health"),
            ("PROPFIND", "/x"),
        ]


async def test_two_proxies_in_one_application() -> None:
    """Two proxies, mounted at two paths of one application, keep out of each other's way."""
    async with FakeUpstream() as left, FakeUpstream() as right:
        app = web.Application()
        ProxyHandler(Upstream(left.url)).mount(app, "/left", strip=True)
        ProxyHandler(Upstream(right.url)).mount(app, "/right", strip=True)
        async with serving(app) as site:
            for target in ("/left/1", "/right/2", "/left/3"):
                assert (await site.ask(get(target))).status == 200
        assert [request.target for request in left.requests] == ["/1", "/3"]
        assert [request.target for request in right.requests] == ["/2"]


async def test_a_route_right_after_a_mount() -> None:
    """A route of the mount's own path can be added after it, and does not become a part of it."""

    async def own(request: web.Request) -> web.Response:
        return web.Response(text="own")

    async with FakeUpstream() as server:
        app = web.Application()
        ProxyHandler(Upstream(server.url)).mount(app, "/shop")
        app.router.add_get("/shop", own)
        app.router.add_get("/shop/cart", own)
        async with serving(app) as site:
            bodies = [(await site.ask(get(target))).body for target in ("/shop", "/shop/cart", "/shop/x")]
        assert bodies == [b"ok", b"own", b"ok"]


async def test_mount_in_a_subapplication() -> None:
    """A proxy in a sub-application serves below the prefix of that; ``handle`` of it sees the whole target."""
    async with FakeUpstream() as server:
        inner, outer = web.Application(), web.Application()
        ProxyHandler(Upstream(server.url)).mount(inner)
        outer.add_subapp("/sub", inner)
        async with serving(outer) as site:
            assert await seen(server, site, "/sub/x?y") == "/sub/x?y"
            assert (await site.ask(get("/x"))).status == 404


async def test_mount_in_a_subapplication_strips() -> None:
    """F-05: taking off the mount point takes off the prefix of the sub-application that it stands in as well, or
    nothing but whole, matching segments: never a part of another path."""
    async with FakeUpstream() as server:
        inner, outer = web.Application(), web.Application()
        ProxyHandler(Upstream(server.url)).mount(inner, "/app", strip=True)
        outer.add_subapp("/sub", inner)
        async with serving(outer) as site:
            assert await seen(server, site, "/sub/app/x") in ("/x", "/sub/x")


@pytest.mark.parametrize("path", ["app", "", "http://a/"])
def test_mount_path_must_be_one(path: str) -> None:
    """A mount point that does not begin with a slash is a ``ValueError`` that names it."""
    with pytest.raises(ValueError, match=r"^path must begin with a slash") as caught:
        ProxyHandler(respond(200)).mount(web.Application(), path)
    assert repr(path) in str(caught.value)


# Other forms of targets.


@pytest.mark.parametrize(
    ("target", "sent", "authority"),
    [
        ("http://b.test/x?y", "/x?y", "b.test"),
        ("http://b.test:8080/x%2Fy", "/x%2Fy", "b.test:8080"),
        ("HTTP://b.test//x", "//x", "b.test"),
        ("https://b.test/", "/", "b.test"),
        ("http://[::1]:80/x", "/x", "[::1]:80"),
    ],
)
async def test_absolute_form(target: str, sent: str, authority: str) -> None:
    """F-08: the authority of an absolute-form target counts, not ``Host``; upstream goes the origin-form."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site:
        assert await seen(server, site, target) == sent
        assert server.requests[0].getall("X-Forwarded-Host") == [authority]
        assert server.requests[0].getall("Host") == [f"127.0.0.1:{server.port}"]


@pytest.mark.parametrize(("target", "sent"), [("http://b.test", "/"), ("http://b.test?y=/z", "/?y=/z")])
async def test_absolute_form_without_a_path(target: str, sent: str) -> None:
    """F-02, F-08: an empty path becomes ``/``. (No route of an application matches it: here without one.)"""
    async with FakeUpstream() as server, serving(web.Server(ProxyHandler(Upstream(server.url)).handle)) as site:
        assert await seen(server, site, target) == sent


async def test_absolute_form_decides_by_its_authority() -> None:
    """F-08: a condition on the host reads the target's authority, whatever ``Host`` says."""
    table = Rules(Rule(when.host("secret.test"), block(403)), Rule(when.anything, respond(200)))
    async with serving(table) as site:
        assert (await site.ask(get("http://secret.test/", host="a.test"))).status == 403
        assert (await site.ask(get("http://a.test/", host="secret.test"))).status == 200


async def test_absolute_form_below_a_mount_point() -> None:
    """F-05, F-08: the mount point is found in, and taken off, an absolute-form target, too."""
    async with FakeUpstream() as server:
        targets = ["http://b.test/app/x?y", "http://b.test/x"]
        answers = await mounted(ProxyHandler(Upstream(server.url)), "/app", targets, strip=True)
        assert [answer.status for answer in answers] == [200, 404]
        assert [request.target for request in server.requests] == ["/x?y"]


@pytest.mark.parametrize(
    "target", ["ftp://b.test/x", "ws://b.test/x", "file:///etc/passwd", "http:///x", "http://u:p@b.test/", "http:/x"]
)
async def test_absolute_forms_that_are_refused(target: str) -> None:
    """F-08: another scheme than http and https, no authority, or credentials in it are answered 400 (or 421)."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site:
        assert (await site.ask(get(target))).status in (400, 421)
        assert server.requests == []


@pytest.mark.parametrize("target", ["http://b.test/../x", "http://b.test/%2e%2e/x", "http://b.test/x#y"])
async def test_absolute_forms_are_read_alike(target: str) -> None:
    """F-08, law 9: the path of an absolute-form target is read like any other."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site:
        assert (await site.ask(get(target))).status == 400
        assert server.requests == []


CONNECT = [b"CONNECT %b HTTP/1.1\r\nHost: b.test:443\r\n\r\n" % target for target in (b"b.test:443", b"/x")]


@pytest.mark.parametrize("connect", CONNECT)
async def test_connect_is_refused(connect: bytes) -> None:
    """F-09, F-91: CONNECT is answered 405, and that is the end of the connection: what follows, meant for a tunnel
    perhaps, would never be answered. Nothing reaches the upstream."""
    async with FakeUpstream() as server:
        proxy = ProxyHandler(Upstream(server.url))
        async with serving(web.Server(proxy.handle)) as site, site.connect() as client:
            await client.send(connect + get("/smuggled"))
            answer = await client.response()
            assert (answer.status, answer.getall(b"Connection")) == (405, [b"close"])
            client.end()
            assert await client.rest() == b""
            assert server.requests == []


@pytest.mark.parametrize("connect", CONNECT)
async def test_connect_matches_no_route(connect: bytes) -> None:
    """F-09: a mounted proxy never sees a CONNECT: the application refuses it by itself."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site:
        assert (await site.ask(connect)).status in (400, 404, 405, 501)
        assert server.requests == []


@pytest.mark.parametrize("target", ["b.test:443", "b.test", "x/y", "?x"])
async def test_authority_form_without_connect(target: str) -> None:
    """F-09: what is neither a path nor a URL is answered 400."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site:
        assert (await site.ask(get(target))).status == 400
        assert server.requests == []


@pytest.mark.parametrize("base", ["", "/base?k=1"])
async def test_asterisk_is_forwarded(base: str) -> None:
    """F-10: ``OPTIONS *`` is forwarded as it is, also to an endpoint with a prefix."""
    async with FakeUpstream() as server, serving(Upstream(server.url + base)) as site:
        answer = await site.ask(b"OPTIONS * HTTP/1.1\r\nHost: a.test\r\n\r\n")
        assert answer.status == 200
        assert [(request.method, request.target) for request in server.requests] == [("OPTIONS", "*")]


async def test_asterisk_goes_with_options_only() -> None:
    """F-10: any other method with ``*`` is answered 400."""
    async with FakeUpstream() as server, serving(Upstream(server.url)) as site:
        assert (await site.ask(get("*"))).status == 400
        assert server.requests == []
