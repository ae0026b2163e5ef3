"""Handlers of the wrong shape, wherever a handler belongs."""

from __future__ import annotations

from collections.abc import Awaitable

from aiohttp import web

from revproxy import Exchange, Handler, ProxyHandler, Response, Rule, Rules, Upstream, block, redirect, respond, when
from revproxy.filters import AllowedHosts

api = Upstream("http://10.0.0.1:8080")
everything = when.anything


async def none() -> Response:
    return Response(204)


async def two(exchange: Exchange, handler: Handler) -> Response:
    return await handler(exchange)


async def of_aiohttp(request: web.Request) -> web.Response:
    return web.Response()


async def a_web_response(exchange: Exchange) -> web.Response:
    return web.Response()


async def nothing(exchange: Exchange) -> None:
    exchange.defer(lambda: None)


async def a_text(exchange: Exchange) -> str:
    return "hello"


def at_once(exchange: Exchange) -> Response:
    return Response(204)


def awaitable(exchange: Exchange) -> Awaitable[Response]:
    return api(exchange)


class Method:
    async def handle(self, exchange: Exchange) -> Response:
        return Response(204)


# As the answer of a rule.

Rule(everything, none)  # E: arg-type
Rule(everything, two)  # E: arg-type
Rule(everything, of_aiohttp)  # E: arg-type
Rule(everything, a_web_response)  # E: arg-type
Rule(everything, nothing)  # E: arg-type
Rule(everything, a_text)  # E: arg-type
Rule(everything, at_once)  # E: arg-type
Rule(everything, awaitable)  # E: arg-type
Rule(everything, lambda exchange: Response(204))  # E: arg-type, return-value
Rule(everything, Method())  # E: arg-type
Rule(everything, Upstream)  # E: arg-type
Rule(everything, block)  # E: arg-type
Rule(everything, AllowedHosts("a.test"))  # E: arg-type
Rule(everything, when.method("GET"))  # E: arg-type
Rule(everything, "http://10.0.0.1:8080")  # E: arg-type
Rule(everything, 403)  # E: arg-type
Rule(everything, Response(204))  # E: arg-type
Rule(everything, none())  # E: arg-type
Rule(everything, None)  # E: arg-type
Rule(everything)  # E: call-arg

# As what a proxy serves.

ProxyHandler(at_once)  # E: arg-type
ProxyHandler(of_aiohttp)  # E: arg-type
ProxyHandler(when.anything)  # E: arg-type
ProxyHandler(Rule(everything, api))  # E: arg-type
ProxyHandler(web.Application())  # E: arg-type
ProxyHandler("http://10.0.0.1:8080")  # E: arg-type
ProxyHandler(ProxyHandler(api))  # E: arg-type
ProxyHandler(ProxyHandler(api).handle)  # E: arg-type

# A table.

Rules([Rule(everything, api)])  # E: arg-type
Rules((everything, api))  # E: arg-type
Rules(api)  # E: arg-type
Rules(Rule(everything, api), "main")  # E: arg-type
Rules(Rule(everything, api), logger="revproxy")  # E: arg-type

# The ready answers.

block("403")  # E: arg-type
block(403, "no")  # E: call-arg
respond("hello")  # E: arg-type
respond(200, {"hello": "world"})  # E: arg-type
respond(200, "hello", "text/plain")  # E: call-arg
respond(200, "hello", headers=[("X-A", "1")])  # E: arg-type
redirect(301, "/elsewhere")  # E: arg-type
redirect("/elsewhere", permanent=True)  # E: call-arg
