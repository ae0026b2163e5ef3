"""Filters of the wrong shape: no checker may take them for one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

from aiohttp import web

from revproxy import Exchange, Filter, Handler, Pipeline, ProxyHandler, Response, Upstream, block, when
from revproxy.filters import AllowedHosts

api: Handler = Upstream("http://10.0.0.1:8080")


async def right(exchange: Exchange, handler: Handler) -> Response:
    return await handler(exchange)


# Its parameters.


async def none() -> Response:
    return Response(204)


async def one(exchange: Exchange) -> Response:
    return Response(204)


async def three(exchange: Exchange, handler: Handler, attempts: int) -> Response:
    return await handler(exchange)


async def keyword(exchange: Exchange, *, handler: Handler) -> Response:
    return await handler(exchange)


async def reversed_(handler: Handler, exchange: Exchange) -> Response:
    return await handler(exchange)


async def of_aiohttp(request: web.Request, handler: Handler) -> Response:
    return Response(204)


async def middleware(request: web.Request, handler: Callable[[web.Request], Awaitable[web.Response]]) -> web.Response:
    return await handler(request)


async def expects_a_method(exchange: Exchange, upstream: Upstream) -> Response:
    return await upstream(exchange)


Pipeline(none, handler=api)  # E: arg-type
Pipeline(one, handler=api)  # E: arg-type
Pipeline(three, handler=api)  # E: arg-type
Pipeline(keyword, handler=api)  # E: arg-type
Pipeline(reversed_, handler=api)  # E: arg-type
Pipeline(of_aiohttp, handler=api)  # E: arg-type
Pipeline(middleware, handler=api)  # E: arg-type
Pipeline(expects_a_method, handler=api)  # E: arg-type
Pipeline(lambda exchange: api(exchange), handler=api)  # E: arg-type, misc


# What it returns.


async def nothing(exchange: Exchange, handler: Handler) -> None:
    await handler(exchange)


async def perhaps(exchange: Exchange, handler: Handler) -> Response | None:
    return None


async def a_status(exchange: Exchange, handler: Handler) -> int:
    return 204


async def a_web_response(exchange: Exchange, handler: Handler) -> web.Response:
    return web.Response()


async def a_handler(exchange: Exchange, handler: Handler) -> Handler:
    return handler


async def several(exchange: Exchange, handler: Handler) -> AsyncIterator[Response]:
    yield await handler(exchange)


def at_once(exchange: Exchange, handler: Handler) -> Response:
    return Response(204)


def awaitable(exchange: Exchange, handler: Handler) -> Awaitable[Response]:
    return handler(exchange)


Pipeline(nothing, handler=api)  # E: arg-type
Pipeline(perhaps, handler=api)  # E: arg-type
Pipeline(a_status, handler=api)  # E: arg-type
Pipeline(a_web_response, handler=api)  # E: arg-type
Pipeline(a_handler, handler=api)  # E: arg-type
Pipeline(several, handler=api)  # E: arg-type
Pipeline(at_once, handler=api)  # E: arg-type
Pipeline(awaitable, handler=api)  # E: arg-type
Pipeline(lambda exchange, handler: Response(204), handler=api)  # E: arg-type, return-value


# What is no function.


class Called:
    async def __call__(self, exchange: Exchange, handler: Handler) -> Response:
        return await handler(exchange)


class Method:
    async def filter(self, exchange: Exchange, handler: Handler) -> Response:
        return await handler(exchange)


class Factory:
    def __call__(self, handler: Handler) -> Handler:
        return handler


Pipeline(Called, handler=api)  # E: arg-type
Pipeline(Method(), handler=api)  # E: arg-type
Pipeline(Factory(), handler=api)  # E: arg-type
Pipeline(AllowedHosts, handler=api)  # E: arg-type
Pipeline(when.path("/api/*"), handler=api)  # E: arg-type
Pipeline("gzip", handler=api)  # E: arg-type
Pipeline(None, handler=api)  # E: arg-type


# Handlers where filters belong, and the reverse.

Pipeline(api, handler=api)  # E: arg-type
Pipeline(block(403), handler=api)  # E: arg-type
Pipeline(Pipeline(right, handler=api), handler=api)  # E: arg-type
Pipeline(right, handler=right)  # E: arg-type
Pipeline(right, api)  # E: arg-type, call-arg
Pipeline(right)  # E: call-arg
Pipeline(handler=AllowedHosts("a.test"))  # E: arg-type
Pipeline([right], handler=api)  # E: arg-type
Pipeline(filters=[right], handler=api)  # E: call-arg
ProxyHandler(api, filters=right)  # E: arg-type
ProxyHandler(api, filters=[one])  # E: list-item
ProxyHandler(api, filters=[right, api])  # E: list-item
ProxyHandler(api, [right])  # E: call-arg
ProxyHandler(right)  # E: arg-type

one_by_name: Filter = one  # E: assignment
of_a_list: list[Filter] = [right, at_once]  # E: list-item


def make_filter(limit: int) -> Filter:
    async def limited(exchange: Exchange) -> Response:
        return Response(429)

    return limited  # E: return-value


async def forgets_to_await(exchange: Exchange, handler: Handler) -> Response:
    return handler(exchange)  # E: return-value


async def forgets_the_exchange(exchange: Exchange, handler: Handler) -> Response:
    return await handler()  # E: call-arg


async def hands_on_the_request(exchange: Exchange, handler: Handler) -> Response:
    return await handler(exchange.request)  # E: arg-type


async def reads_what_is_to_come(exchange: Exchange, handler: Handler) -> Response:
    response = handler(exchange)
    response.headers["X-Seen"] = "1"  # E: attr-defined
    return await response


async def drops_the_answer(exchange: Exchange, handler: Handler) -> Response:
    handler(exchange)  # E: unused-coroutine
    return Response(204)
