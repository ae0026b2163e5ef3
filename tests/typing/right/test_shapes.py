"""Handlers and filters, in every form that a developer may write them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any, assert_type

from revproxy import Component, Exchange, Filter, Handler, Pipeline, Response, Upstream, block, redirect, respond
from revproxy.filters import AllowedHosts
from revproxy.testing import FakeTransport, exchange

# Handlers.


async def by_async_def(exchange: Exchange) -> Response:
    return Response(204)


def by_next(exchange: Exchange) -> Coroutine[Any, Any, Response]:
    return by_async_def(exchange)


def made_handler(status: int) -> Handler:
    async def answer(exchange: Exchange) -> Response:
        return Response(status)

    return answer


class Answers:
    async def __call__(self, exchange: Exchange) -> Response:
        return Response(204)

    async def by_method(self, exchange: Exchange) -> Response:
        return Response(204)


class Split(Component):
    """What an extension of the library itself looks like."""

    def __init__(self, *branches: Handler) -> None:
        self.branches = branches

    def __call__(self, exchange: Exchange) -> Coroutine[Any, Any, Response]:
        return self.branches[-1](exchange)

    def parts(self) -> tuple[Handler, ...]:
        return self.branches


async def wide(exchange: object, *rest: object) -> Response:
    return Response(204)


class Own(Response):
    """A response with something of the developer's own."""


async def narrow(exchange: Exchange) -> Own:
    return Own(204)


async def of_a_status(status: int, exchange: Exchange) -> Response:
    return Response(status)


def api() -> Upstream:
    return Upstream("http://10.0.0.1:8080", transport=FakeTransport(Response(204)))


# Filters.


async def around(exchange: Exchange, handler: Handler) -> Response:
    response = await handler(exchange)
    response.headers["X-Seen"] = "1"
    return response


async def instead(exchange: Exchange, handler: Handler) -> Response:
    return await handler(exchange) if exchange.request.method == "GET" else Response(405)


def before(exchange: Exchange, handler: Handler) -> Coroutine[Any, Any, Response]:
    exchange.request.headers["X-Zone"] = "edge"
    return handler(exchange)


def made_filter(name: str, value: str) -> Filter:
    def edit(exchange: Exchange, handler: Handler) -> Coroutine[Any, Any, Response]:
        exchange.request.headers[name] = value
        return handler(exchange)

    return edit


@dataclass(frozen=True)
class Edits:
    name: str

    async def __call__(self, exchange: Exchange, handler: Handler) -> Response:
        return await handler(exchange)

    async def by_method(self, exchange: Exchange, handler: Handler) -> Response:
        return await handler(exchange)

    @staticmethod
    async def by_static_method(exchange: Exchange, handler: Handler) -> Response:
        return await handler(exchange)


class Counts(Component):
    seen = 0

    def __call__(self, exchange: Exchange, handler: Handler) -> Coroutine[Any, Any, Response]:
        self.seen += 1
        return handler(exchange)

    async def start(self) -> None:
        self.seen = 0


async def named(exchange: Exchange, handler: Handler, name: str) -> Response:
    return await handler(exchange)


async def with_a_default(exchange: Exchange, handler: Handler, name: str = "") -> Response:
    return await handler(exchange)


async def test_whatever_answers_is_a_handler() -> None:
    """Functions, closures, methods and objects of all kinds are handlers, the library's own among them."""
    handlers: list[Handler] = [
        by_async_def,
        by_next,
        made_handler(204),
        Answers(),
        Answers().by_method,
        wide,
        narrow,
        partial(of_a_status, 204),
        lambda exchange: by_async_def(exchange),
        api(),
        Split(by_async_def, Answers()),
        Pipeline(handler=by_async_def),
        Pipeline(around, handler=Pipeline(before, handler=api())),
        respond(204),
    ]
    for handler in handlers:
        response = await assert_type(handler(exchange()), Coroutine[Any, Any, Response])
        assert_type(response, Response)
        assert response.status == 204


async def test_whatever_wraps_is_a_filter() -> None:
    """Functions, closures, methods and objects of all kinds are filters."""
    filters: list[Filter] = [
        around,
        instead,
        before,
        made_filter("X-Zone", "edge"),
        Edits("X-Zone"),
        Edits("X-Zone").by_method,
        Edits.by_static_method,
        Counts(),
        AllowedHosts("example.test"),
        partial(named, name="main"),
        with_a_default,
        lambda exchange, handler: handler(exchange),
    ]
    for filter in filters:
        response = await filter(exchange(), by_async_def)
        assert_type(response, Response)
        assert response.status == 204
    whole = Pipeline(*filters, handler=by_async_def)
    assert_type(whole.filters, tuple[Filter, ...])
    assert_type(whole.handler, Handler)
    assert_type(await whole(exchange()), Response)


def test_the_aliases_are_callables() -> None:
    """``Handler`` and ``Filter`` name shapes, no classes: what has the shape is one."""
    plain: Callable[[Exchange], Coroutine[Any, Any, Response]] = respond(204)
    assert_type(plain, Handler)
    wrapping: Callable[[Exchange, Handler], Coroutine[Any, Any, Response]] = made_filter("X-Zone", "edge")
    assert_type(wrapping, Filter)


def test_ready_answers_are_handlers() -> None:
    """What ``block``, ``respond`` and ``redirect`` return is a handler."""
    assert_type(block(), Handler)
    assert_type(block(451, title="Not here"), Handler)
    assert_type(respond(200, "hello", content_type="text/html", headers={"X-A": "1"}), Handler)
    assert_type(respond(200, b"hello"), Handler)
    assert_type(redirect("/elsewhere", 308), Handler)


async def test_an_answer_can_be_a_task() -> None:
    """Handlers return coroutines, not just awaitables, so that one can be raced against another."""
    handler: Handler = api()
    task = assert_type(asyncio.create_task(handler(exchange())), asyncio.Task[Response])
    assert_type(await task, Response)
    both = await asyncio.gather(handler(exchange()), by_next(exchange()))
    assert_type(both, tuple[Response, Response])
