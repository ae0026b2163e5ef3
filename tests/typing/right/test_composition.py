"""Upstreams, the proxy around them, and how both are embedded."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from pathlib import Path
from typing import Any, assert_type

from aiohttp import web
from yarl import URL

from revproxy import (
    Attempt,
    Component,
    Endpoint,
    Exchange,
    Filter,
    Handler,
    Limits,
    Observer,
    PathPolicy,
    Pipeline,
    ProxyError,
    ProxyHandler,
    Response,
    Rule,
    Rules,
    Timeouts,
    Tls,
    TrustedProxies,
    Upstream,
    block,
    when,
)
from revproxy.affinity import Affinity, CookieAffinity
from revproxy.balancers import P2C, Balancer, Order, RoundRobin, Snapshot
from revproxy.clock import SYSTEM_CLOCK, Clock
from revproxy.filters import AllowedHosts
from revproxy.routing import Answer, Failover, GuardRail, Lane, LaneClosed, Mirror, Split, difference
from revproxy.testing import FakeClock, FakeTransport, exchange
from revproxy.transport import Transport


async def stamp(exchange: Exchange, handler: Handler) -> Response:
    response = await handler(exchange)
    response.headers["X-Request-Id"] = exchange.id
    return response


class Counts(Observer):
    """Overrides what it wants to know of."""

    def __init__(self) -> None:
        self.statuses: list[int | None] = []

    def settled(self, attempt: Attempt) -> None:
        assert_type(attempt.exchange.attempts, list[Attempt])

    def ruled(self, exchange: Exchange, rule: Rule) -> None:
        assert_type(rule.shadow, bool)

    def failed(self, exchange: Exchange, error: ProxyError) -> None:
        assert_type(error.retryable, bool)

    def finished(self, exchange: Exchange, status: int | None) -> None:
        self.statuses.append(status)


class First(Balancer):
    """The order of the configuration."""

    def bind(self, snapshot: Snapshot) -> Order:
        assert_type(snapshot.endpoints, tuple[Endpoint, ...])
        return lambda exchange: snapshot.endpoints


class Generates(Balancer):
    """The same, lazily, and it learns."""

    def bind(self, snapshot: Snapshot) -> Callable[[Exchange], Iterable[Endpoint]]:
        def order(exchange: Exchange) -> Iterable[Endpoint]:
            yield from reversed(snapshot.endpoints)

        return order

    def settled(self, attempt: Attempt) -> None:
        assert_type(attempt.endpoint.labels.get("zone"), str | None)


class Canned:
    """A transport: no base class, just its method."""

    async def send(self, attempt: Attempt) -> Response:
        return Response(204)


class CannedAndOwned(Component):
    """One that is started and stopped, and is no coroutine function."""

    def send(self, attempt: Attempt) -> Coroutine[Any, Any, Response]:
        return Canned().send(attempt)

    async def stop(self) -> None:
        pass


async def test_upstreams() -> None:
    """Endpoints are URLs or objects; everything else is a keyword, and the whole is a handler."""
    timeouts = Timeouts(connect=1, head=30.0, total=None)
    limits = Limits(connections=10, wait=0.5)
    assert_type(timeouts.connect, float)
    assert_type(timeouts.total, float | None)
    assert_type(limits.read_buffer, int)
    endpoint = Endpoint(
        URL("http://10.0.0.3"), name="c", weight=2, priority=1, zone="a", labels={"color": "blue"}, limit=9
    )
    assert_type(endpoint.url, URL)
    assert_type(endpoint.in_flight, int)
    assert_type(endpoint.limit, int | None)
    assert_type(endpoint.zone, str | None)
    assert_type(endpoint.accepts(0.0), bool)
    wired = Upstream(
        "http://10.0.0.1:8080",
        URL("http://10.0.0.2:8080"),
        endpoint,
        name="api",
        balancer=P2C(),
        affinity=CookieAffinity(bytes(32), name="lane", max_age=60, same_site="Strict", gone="refuse"),
        timeouts=timeouts,
        limits=limits,
        tls=Tls(context=ssl.create_default_context(), server_hostname="api.internal"),
        host="client",
        clock=SYSTEM_CLOCK,
    )
    assert_type(wired.name, str)
    assert_type(wired.endpoints, tuple[Endpoint, ...])
    assert_type(wired.balancer, Balancer)
    assert_type(wired.affinity, Affinity | None)
    for balancer in (RoundRobin(), First(), Generates()):
        handler: Handler = Upstream("http://10.0.0.1:8080", balancer=balancer, transport=FakeTransport())
        assert_type(await handler(exchange()), Response)
    transports: list[Transport] = [Canned(), CannedAndOwned(), FakeTransport()]
    for transport in transports:
        assert_type(await Upstream("http://10.0.0.1:8080", transport=transport)(exchange()), Response)
    assert_type(Tls(verify=False).context, ssl.SSLContext | None)
    assert_type(Tls(verify=False).ca, str | Path | None)


def test_a_proxy_takes_whatever_answers() -> None:
    """A handler, filters in any sequence, observers in any iterable."""
    filters: list[Filter] = [stamp, AllowedHosts("example.test")]
    proxy = ProxyHandler(
        Rules(
            Rule(when.path("/api/*"), Pipeline(stamp, handler=Upstream("http://10.0.0.1:8080"))),
            Rule(when.anything, block()),
        ),
        filters=filters,
        observers=(each for each in (Counts(), Observer())),
        path_policy=PathPolicy(encoded_slash="keep", empty_segments="merge", parameters="strip"),
        trusted=TrustedProxies("10.0.0.0/8", "unix", field="Forwarded", limit=3),
        forwarded=["X-Forwarded-For", "X-Forwarded-Proto"],
        via=None,
        proxy_status="edge",
        max_body=1_000_000,
        write_timeout=30,
        clock=FakeClock(),
    )
    assert_type(proxy, ProxyHandler)
    assert_type(proxy.describe(), str)
    assert_type(ProxyHandler(block(), filters=(stamp,)), ProxyHandler)
    assert_type(ProxyHandler(lambda exchange: block()(exchange), filters=[]), ProxyHandler)


def test_handlers_that_hand_on() -> None:
    """They nest like any handler; a mirror is a filter; what is compared by is a function."""

    def compare(primary: Answer, shadow: Answer) -> str | None:
        assert_type(primary.body, bytes | None)
        return difference(primary, shadow) if "ETag" in shadow.headers else None

    guard = GuardRail(stable="a", canary=("b",), latency=None, failure=lambda status: status > 499)
    split = Split(Lane("a", block(), 95), Lane("b", Failover(block(), block(), statuses={503}), 5), guard=guard)
    assert_type(split.closed.get("b"), LaneClosed | None)
    filters: list[Filter] = [Mirror(block(), share=0.1, methods={"GET"}, compare=compare, fields={"X-Mirror": "1"})]
    handler: Handler = Pipeline(*filters, handler=split)
    assert_type(ProxyHandler(handler), ProxyHandler)


def test_a_proxy_is_embedded() -> None:
    """Mounted, or called from a handler of the application's own with its lifespan as a cleanup context."""
    proxy = ProxyHandler(block())

    async def serve(request: web.Request) -> web.StreamResponse:
        response = await proxy.handle(request, strip="/app")
        assert_type(response, web.StreamResponse)
        return response

    app = web.Application()
    app.router.add_route("*", "/own/{tail:.*}", serve)
    app.router.add_route("*", "/bare/{tail:.*}", proxy.handle)
    app.cleanup_ctx.append(proxy.lifespan)
    assert_type(proxy.lifespan(app), AsyncIterator[None])
    proxy.mount(app)
    proxy.mount(app, "/app", strip=True, expect="local")


def test_clocks_are_clocks() -> None:
    """The system's, and that of tests."""
    clocks: list[Clock] = [SYSTEM_CLOCK, FakeClock()]
    for clock in clocks:
        assert_type(clock.now(), float)
        assert_type(clock.wall(), float)
