"""What is known of an upstream's names and paths when it answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from revproxy import Endpoint, Exchange, Handler, Pipeline, Response, Upstream
from revproxy.filters import AddPrefix, PathRewrite, PathTemplate, SetHost, StripPrefix
from revproxy.handler import Filter
from revproxy.hiding import PublicOrigin
from revproxy.testing import FakeTransport, exchange


async def told(
    said: str,
    *filters: Filter,
    target: str = "/app/x",
    url: str = "http://10.0.0.1:8080",
    address: str | None = None,
    origin: PublicOrigin | None = None,
    host: str = "shop.example",
) -> str | None:
    """What the client is told for the URL that an upstream of ``url`` says, behind ``filters``."""
    asked = exchange("GET", target, host=host)
    upstream = Upstream(Endpoint(url, address=address), transport=FakeTransport())
    await Pipeline(*filters, handler=upstream)(asked)
    return (origin or PublicOrigin()).translation(asked.attempts[-1]).url(said)


async def test_names() -> None:
    """F-105: the endpoint's URL and its address, whatever Host it was sent, that Host, and aliases."""
    where: dict[str, Any] = {"url": "https://app.internal", "address": "10.7.7.7"}
    assert await told("http://app.internal/a", **where) == "/a"
    assert await told("http://10.7.7.7:443/a", **where) == "/a"
    assert await told("http://10.0.0.1:8080/a", SetHost("front.internal:8000")) == "/a"
    assert await told("https://front.internal:8000/a", SetHost("front.internal:8000")) == "/a"
    assert await told("https://front.internal:8000/a") == "https://front.internal:8000/a"
    origin = PublicOrigin(aliases=["https://front.internal:8000", "back"])
    assert await told("http://front.internal:8000/a", origin=origin) == "/a"
    assert await told("https://back/a", origin=origin) == "/a"


async def test_the_clients_host() -> None:
    """S-25: what a client says is never what a URL is built of; where the upstream does, since it is sent that, a path
    is left of it."""
    asked = exchange("GET", "/x", host="evil.example")
    await Upstream("http://10.0.0.1:8080", transport=FakeTransport())(asked)
    attempt = asked.attempts[-1]
    assert PublicOrigin().translation(attempt).url("http://10.0.0.1:8080/reset") == "/reset"
    assert PublicOrigin().translation(attempt).url("http://evil.example/reset") == "http://evil.example/reset"
    attempt.host = "evil.example"
    assert PublicOrigin().translation(attempt).url("http://evil.example/reset") == "/reset"
    assert (
        PublicOrigin("https://a.test").translation(attempt).url("http://evil.example/reset") == "https://a.test/reset"
    )


async def test_unix_sockets() -> None:
    """What listens on a socket is asked for localhost."""
    assert await told("http://localhost/a", url="unix:/run/app.sock") == "/a"


async def bare(exchange: Exchange, handler: Handler) -> Response:
    """A filter of somebody's own that tells nothing."""
    exchange.request.target = exchange.request.target.removeprefix("/app")
    return await handler(exchange)


@pytest.mark.parametrize(
    ("filters", "said", "is_told"),
    [
        ([StripPrefix("/app")], "/a", "/app/a"),
        ([StripPrefix("/app")], "/base/a", "/app/base/a"),
        ([bare], "/a", "/app/a"),
        ([AddPrefix("/v2")], "/v2/a", "/a"),
        ([StripPrefix("/app"), AddPrefix("/v2")], "/v2/a", "/app/a"),
        ([PathRewrite("/app/(.*)", r"/new/\1")], "/new/a", "/app/a"),
        ([PathRewrite("/app(?P<rest>/.*)?", r"/new\g<rest>")], "/new/a", "/app/a"),
        ([PathRewrite("/app/(.*)", r"/\1")], "/a", "/app/a"),
        ([PathRewrite("/app/([^/]+)", r"/by/\1")], "/by/a", "/by/a"),
        ([PathRewrite("/app/(.*)", r"/new/\1/end")], "/new/a", "/new/a"),
        ([PathTemplate("/app/{rest...}", "/new/{rest...}")], "/new/a", "/app/a"),
        ([PathTemplate("/app/{id}", "/new/{id}")], "/new/a", "/new/a"),
        ([StripPrefix("/app"), PathTemplate("/{id}", "/app/{id}")], "/app/a", "/app/a"),
    ],
    ids=[str(number) for number in range(13)],
)
async def test_paths(filters: list[Filter], said: str, is_told: str) -> None:
    """F-105: what filters have put and taken in front of a path is undone, be they the library's or not; any other
    rewriting is not guessed at."""
    assert await told(said, *filters) == is_told


async def test_the_endpoints_own_path() -> None:
    """F-105: the path of an endpoint's URL is not public."""
    where: dict[str, Any] = {"url": "http://10.0.0.1:8080/b%61se/", "target": "/x"}
    assert await told("/base/a", **where) == "/a"
    assert await told("http://10.0.0.1:8080/base/a", **where) == "/a"
    assert await told("/base/a", StripPrefix("/app"), url="http://10.0.0.1:8080/base") == "/app/a"


async def test_as_declared() -> None:
    """F-105: what the developer says of the paths counts, whatever there is to find out."""
    assert await told("/a", StripPrefix("/app"), origin=PublicOrigin(prefix="/front")) == "/front/a"
    assert await told("/in/a", origin=PublicOrigin(prefix="/front", base="/in/")) == "/front/a"
    assert await told("/in/a", StripPrefix("/app"), origin=PublicOrigin(base="/in")) == "/a"
    assert await told("/base/a", url="http://10.0.0.1:8080/base", origin=PublicOrigin(prefix="/front")) == "/front/a"
    assert await told("/a", StripPrefix("/app"), origin=PublicOrigin(prefix="/")) == "/a"


async def test_targets_that_are_none() -> None:
    """``OPTIONS *`` has no path, and a filter of somebody's own may make anything of one."""
    assert await told("http://10.0.0.1:8080/a", target="*") == "/a"
    assert await told("b", target="*") == "b"

    async def broken(exchange: Exchange, handler: Handler) -> Response:
        exchange.request.target = "/%zz"
        return await handler(exchange)

    assert await told("/a", broken) == "/a"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: PublicOrigin("shop.example"), "origin must be"),
        (lambda: PublicOrigin("https://shop.example/app"), "a path is the prefix"),
        (lambda: PublicOrigin("https://u@shop.example"), "origin must be"),
        (lambda: PublicOrigin("ftp://shop.example"), "origin must be"),
        (lambda: PublicOrigin("https://shop example"), "origin must be"),
        (lambda: PublicOrigin("https://b\xfccher.example"), "origin must be"),
        (lambda: PublicOrigin(5), "origin must be"),  # type: ignore[arg-type]
        (lambda: PublicOrigin(prefix="app"), "prefix must be a path"),
        (lambda: PublicOrigin(prefix="/a?b"), "prefix must be a path"),
        (lambda: PublicOrigin(prefix="//a"), "prefix: "),
        (lambda: PublicOrigin(base="/../a"), "base: "),
        (lambda: PublicOrigin(base=5), "base must be a path"),  # type: ignore[arg-type]
        (lambda: PublicOrigin(aliases="http://a"), "aliases must be"),
        (lambda: PublicOrigin(aliases=["a b"]), "aliases must be"),
        (lambda: PublicOrigin(aliases=["http://a/b"]), "aliases must be"),
        (lambda: PublicOrigin(aliases=[5]), "aliases must be"),  # type: ignore[list-item]
        (lambda: PublicOrigin(internal="hide"), "internal must be"),  # type: ignore[arg-type]
        (lambda: PublicOrigin(urls=["X-*"]), "urls: 'x-\\*' has no URL"),
        (lambda: PublicOrigin(urls=["Date"]), "urls: 'date' has no URL"),
    ],
    ids=[str(number) for number in range(19)],
)
def test_bad_parameters(make: Callable[[], PublicOrigin], said: str) -> None:
    """What is wrong is named."""
    with pytest.raises((ValueError, TypeError), match=said):
        make()


def test_repr() -> None:
    """It shows what it does."""
    assert repr(PublicOrigin()) == "PublicOrigin()"
    origin = PublicOrigin(
        "HTTPS://Shop.example/", prefix="/a", base="/b", aliases=["http://c:8080", "d"], internal="map", urls=["X-Url"]
    )
    assert repr(origin) == (
        "PublicOrigin('https://shop.example', prefix='/a', base='/b', aliases=['c:8080', 'd'], internal='map', "
        "urls=['x-url'])"
    )
