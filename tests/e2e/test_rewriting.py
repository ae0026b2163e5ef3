"""Filters that rewrite targets and hosts: what goes in at the front, and what the upstream sees of it."""

from __future__ import annotations

import pytest
from aiohttp import web

from revproxy import PathPolicy, Pipeline, ProxyHandler, Rule, Rules, TrustedProxies, Upstream, block, when
from revproxy.filters import AddPrefix, PathRewrite, PathTemplate, SetHost, StripPrefix
from revproxy.routing import Failover
from revproxy.testing import FakeUpstream, conform
from revproxy.testing.conform import Row

from .wire import serving

KEEP = PathPolicy(encoded_slash="keep", empty_segments="keep")


def get(target: bytes, *lines: bytes, host: bytes = b"shop.test") -> bytes:
    """A request for ``target``, written as it is."""
    return b"GET %b HTTP/1.1\r\nHost: %b\r\n%b\r\n" % (target, host, b"".join(line + b"\r\n" for line in lines))


FILTERS = [
    StripPrefix("/api", otherwise="pass"),
    PathTemplate("/users/{id}/posts", "/posts/by/{id}"),
    PathRewrite("/find/(.*)", r"/search?q=\1"),
    AddPrefix("/v2"),
]


@pytest.mark.parametrize(
    ("target", "sent"),
    [
        (b"/api/x", b"/base/v2/x?k=1"),
        (b"/api", b"/base/v2/?k=1"),
        (b"/%61pi/%7e%c3%a9/,x?a;&a=%zz", b"/base/v2/%7e%c3%a9/,x?k=1&a;&a=%zz"),
        (b"/api2?", b"/base/v2/api2?k=1"),
        (b"/api/users/7/posts?a", b"/base/v2/posts/by/7?k=1&a"),
        (b"/users/%41'\"{/posts", b"/base/v2/posts/by/%41'\"{?k=1"),
        (b"/find/a+b&c?d=e", b"/base/v2/search?k=1&q=a%2Bb%26c&d=e"),
        (b"http://shop.test/api/x", b"/base/v2/x?k=1"),
    ],
)
async def test_what_arrives(target: bytes, sent: bytes) -> None:
    """F-02, F-04, F-05, F-06: filters rewrite one after the other, from the outermost on; the endpoint's own path and
    query come before all that. What is not rewritten arrives byte for byte."""
    async with FakeUpstream() as server:
        proxy = ProxyHandler(Upstream(f"{server.url}/base?k=1"), filters=FILTERS)
        async with serving(proxy) as site:
            assert (await site.ask(get(target))).status == 200
        assert server.requests[0].raw_head.startswith(b"GET %b HTTP/1.1\r\n" % sent)


@pytest.mark.parametrize(
    ("target", "status"),
    [
        (b"/api2", 404),
        (b"/", 404),
        (b"/api/../x", 400),
        (b"/api/%2e%2e/x", 400),
        (b"/api/a\\b", 400),
        (b"/api//evil.test", 400),
        (b"/api/a%2Fb", 400),
        (b"/api/go/;x", 400),
        (b"/api/go/%252e", 400),
        (b"/api/go/./x", 400),
        (b"/api/go/" + b"a" * 2048, 400),
    ],
)
async def test_what_does_not(target: bytes, status: int) -> None:
    """F-04, S-26, S-35, S-36, S-37: what is not below the prefix is 404; what has two readings, or would have them, is
    400. Nothing is forwarded, and nothing of the inside is said."""
    async with FakeUpstream() as server:
        filters = [StripPrefix("/api"), PathRewrite("/go/(.*)", r"/.\1")]
        async with serving(ProxyHandler(Upstream(server.url), filters=filters)) as site:
            answer = await site.ask(get(target))
        assert (answer.status, server.requests) == (status, [])
        assert b"Strip" not in answer.body
        assert b"Rewrite" not in answer.body


@pytest.mark.parametrize(
    ("policy", "target", "sent"),
    [
        (None, b"/api/a%2Fb", None),
        (None, b"/api/a//b", None),
        (KEEP, b"/api/a%2Fb//c%2f", "/a%2Fb//c%2f"),
        (KEEP, b"/api//evil.test/x", None),
        (KEEP, b"/api%2Fx", None),
        (PathPolicy(encoded_slash="decode"), b"/api%2Fa%2fb", "/a/b"),
        (PathPolicy(empty_segments="merge"), b"//api//a///b//", "/a/b/"),
    ],
)
async def test_policies(policy: PathPolicy | None, target: bytes, sent: str | None) -> None:
    """F-04, S-36, S-37: a filter that decides by the path is a condition on it, and the policy says what ``%2F`` and
    ``//`` mean. Whatever it says, no host arises."""
    async with FakeUpstream() as server:
        proxy = ProxyHandler(Upstream(server.url), filters=[StripPrefix("/api")], path_policy=policy)
        async with serving(proxy) as site:
            assert (await site.ask(get(target))).status == (200 if sent else 404 if b"api%2Fx" in target else 400)
        assert [request.target for request in server.requests] == ([sent] if sent else [])


@pytest.mark.parametrize("further_out", [True, False])
async def test_rules_read_what_the_client_sent(further_out: bool) -> None:
    """F-37: whether a filter stands outside of the rules or inside of one, they decide by the client's path."""
    async with FakeUpstream() as server:
        api = Upstream(server.url)
        inner = api if further_out else Pipeline(StripPrefix("/api"), handler=api)
        table = Rules(Rule(when.path("/api/admin/*", "/x"), block(403)), Rule(when.anything, inner))
        proxy = ProxyHandler(table, filters=[StripPrefix("/api")] if further_out else [])
        async with serving(proxy) as site:
            answers = [await site.ask(get(target)) for target in (b"/api/admin/x", b"/api/x", b"/x", b"/admin/x")]
        assert [answer.status for answer in answers[:2]] == [403, 200]
        assert answers[2].status == (404 if further_out else 403)
        assert answers[3].status == 404
        assert [request.target for request in server.requests] == ["/x"]


@pytest.mark.parametrize("trusted", [None, TrustedProxies("127.0.0.1")])
@pytest.mark.parametrize("forwarded", [True, False])
async def test_forwarded_prefix(trusted: TrustedProxies | None, forwarded: bool) -> None:
    """F-36, S-22: ``X-Forwarded-Prefix`` has all that was taken off, by a trusted proxy, by the mount, by the filter if
    it is to say so; never what somebody else says."""
    async with FakeUpstream() as server:
        filters = [StripPrefix("/v1", forwarded=forwarded)]
        app = web.Application()
        ProxyHandler(
            Upstream(server.url), filters=filters, forwarded=["X-Forwarded-Prefix"], trusted=trusted, via=None
        ).mount(app, "/app", strip=True)
        async with serving(app) as site:
            for name in (b"X-Forwarded-Prefix", b"x-forwarded-prefix"):
                assert (await site.ask(get(b"/app/v1/x", name + b": /outer"))).status == 200
        for request in server.requests:
            assert request.target == "/x"
            said = f"{'/outer' if trusted else ''}/app{'/v1' if forwarded else ''}"
            assert request.getall("X-Forwarded-Prefix") == [said]


async def test_forwarded_prefix_by_itself() -> None:
    """S-22: where ``forwarded=`` does not list the field, what the filter took off is all that it says."""
    async with FakeUpstream() as server:
        for trusted in (None, TrustedProxies("127.0.0.1")):
            filters = [StripPrefix("/v1", forwarded=True)]
            async with serving(ProxyHandler(Upstream(server.url), filters=filters, trusted=trusted)) as site:
                assert (await site.ask(get(b"/v1/x", b"X-Forwarded-Prefix: /evil"))).status == 200
            assert server.requests[-1].getall("X-Forwarded-Prefix") == ["/v1"]


@pytest.mark.parametrize("host", ["upstream", "client"])
async def test_the_host(host: str) -> None:
    """F-13, F-14: the upstream is asked for one host, the one that was set, whichever would be sent otherwise."""
    async with FakeUpstream() as server:
        api = Upstream(server.url, host=host)  # type: ignore[arg-type]
        filters = [SetHost("outer.test"), SetHost(lambda exchange: f"in.{exchange.inbound.host}:8080")]
        async with serving(ProxyHandler(api, filters=filters)) as site:
            assert (await site.ask(get(b"/x"))).status == 200
        assert server.requests[0].raw_head.lower().count(b"\r\nhost:") == 1
        assert server.requests[0].getall("Host") == ["in.shop.test:8080"]
        assert server.requests[0].getall("X-Forwarded-Host") == ["shop.test"]


async def test_a_host_that_is_none() -> None:
    """S-25, S-26: what a function makes of a client's word and is no host is a 500, and goes nowhere."""
    async with FakeUpstream() as server:
        filters = [SetHost(lambda exchange: exchange.inbound.headers["X-Tenant"])]
        async with serving(ProxyHandler(Upstream(server.url), filters=filters)) as site:
            assert (await site.ask(get(b"/x", b"X-Tenant: acme.test"))).status == 200
            for word in (b"a b", b"a/..", b"evil.test, a", b"x@evil.test", b""):
                assert (await site.ask(get(b"/x", b"X-Tenant: " + word))).status == 500
        assert [request.getall("Host") for request in server.requests] == [["acme.test"]]


async def test_failover() -> None:
    """A lane that cannot be reached leaves no trace in what the next one is sent."""
    async with FakeUpstream() as gone:
        url = gone.url
    async with FakeUpstream() as server:
        old = Pipeline(SetHost("old.test"), StripPrefix("/api"), AddPrefix("/v1"), handler=Upstream(url, name="old"))
        new = Pipeline(StripPrefix("/api"), AddPrefix("/v2"), handler=Upstream(server.url, name="new"))
        async with serving(Failover(old, new)) as site:
            assert (await site.ask(get(b"/api/x?y"))).status == 200
        assert server.requests[0].target == "/v2/x?y"
        assert server.requests[0].getall("Host") == [f"127.0.0.1:{server.port}"]


def composed(url: str) -> ProxyHandler:
    filters = [StripPrefix("/api/v1", forwarded=True), AddPrefix("/base"), PathTemplate("/x/{y}", "/{y}")]
    return ProxyHandler(Upstream(url), filters=filters, path_policy=KEEP)


@pytest.mark.parametrize(
    "row", conform(prefix="/api/v1", upstream_prefix="/base", request_edits=["X-Forwarded-Prefix"])
)
async def test_conformance(row: Row) -> None:
    """Each row of the checklist holds around them."""
    await row.check(composed)
