"""The host that the back end is asked for."""

from __future__ import annotations

from typing import Any

import pytest

from revproxy import Exchange
from revproxy.errors import InternalError
from revproxy.filters import SetHost
from revproxy.testing import exchange

from .rewritten import answer

HOSTS = ["internal.example:8080", "a", "127.0.0.1", "[::1]:81", "xn--caf-dma.example", "a_b.test"]
NO_HOSTS = [
    *("", " ", "a b", "a,b", "a/b", "a@b", "user:x@a.test", "http://a.test", "a.test/", "//a.test", "a:70000", "a:b"),
    *("a\r\nX: y", "a\0", "a\n", "caf\xe9.example", "[::1", "[x]", "*", "?", "a" * 400, "\udce9"),
]


@pytest.mark.parametrize("host", HOSTS)
async def test_set(host: str) -> None:
    """F-13, F-37: the draft names that host, once, whatever was there; the client's request stays what it is."""
    asked = exchange("GET", "/", host="shop.test")
    for filter in (SetHost("first.test"), SetHost(host), SetHost(lambda _: host)):
        await filter(asked, answer)
        assert asked.request.headers.getall("Host") == [filter.host if isinstance(filter.host, str) else host]
    assert asked.inbound.host == asked.inbound.headers["Host"] == "shop.test"
    assert asked.request.headers["X-Forwarded-Host"] == "shop.test"


async def test_by_the_exchange() -> None:
    """A function decides by the exchange."""

    def tenant(exchange: Exchange) -> str:
        return f"{exchange.inbound.host.partition('.')[0]}.internal:8080"

    asked = exchange("GET", "/", host="acme.example.com")
    await SetHost(tenant)(asked, answer)
    assert asked.request.headers["Host"] == "acme.internal:8080"


@pytest.mark.parametrize("host", NO_HOSTS)
async def test_no_host(host: str) -> None:
    """S-25, S-26: what is not one host is a mistake when it is made, and a 500 if a function returns it: it never
    reaches the upstream."""
    with pytest.raises(ValueError, match="host must be one host"):
        SetHost(host)

    def wrong(_: Exchange) -> str:
        return host

    asked = exchange()
    with pytest.raises(InternalError, match=r"SetHost\(.*wrong\) returned"):
        await SetHost(wrong)(asked, answer)
    assert "Host" not in asked.request.headers


@pytest.mark.parametrize("host", [None, b"a.test", 8080])
async def test_what_is_no_text(host: Any) -> None:
    """Anything but text is a ``TypeError``, or a 500 if a function returns it."""
    with pytest.raises(TypeError, match="host must be a str or a function"):
        SetHost(host)
    with pytest.raises(InternalError, match="no host"):
        await SetHost(lambda _: host)(exchange(), answer)


async def test_a_long_word_is_cut() -> None:
    """S-53: no more than 256 characters of what a function returned are told."""
    with pytest.raises(InternalError) as caught:
        await SetHost(lambda _: "a " * 1000)(exchange(), answer)
    assert repr("a " * 128) in str(caught.value)
    assert "a " * 129 not in str(caught.value)


def test_an_async_function() -> None:
    """A coroutine is no host: it is refused when it is made."""

    async def tenant(_: Exchange) -> str:
        return "a.test"

    with pytest.raises(TypeError, match="host must be a str or a function"):
        SetHost(tenant)  # type: ignore[arg-type]


def test_it_prints_itself() -> None:
    """It prints the host, or the function's name."""

    def by_tenant(_: Exchange) -> str:
        return "a"

    assert repr(SetHost("a.test:1")) == "SetHost('a.test:1')"
    assert repr(SetHost(by_tenant)) == f"SetHost({by_tenant.__qualname__})"
