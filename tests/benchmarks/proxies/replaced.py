"""This library, and its endpoints replaced on command: ``PUT /-/endpoints`` with a list of URLs. It is answered when
nothing is in flight any more to those that were there before."""

from __future__ import annotations

import argparse

from aiohttp import web

from revproxy import ProxyHandler, Upstream

from .serve import serve


def application(arguments: argparse.Namespace) -> web.Application:
    upstream = Upstream(arguments.backend, name="replaced")

    async def replace(request: web.Request) -> web.Response:
        before = upstream.endpoints
        upstream.replace(*await request.json())
        for endpoint in before:
            await upstream.drained(endpoint)
        return web.json_response({"before": len(before), "now": len(upstream.endpoints)})

    app = web.Application()
    app.router.add_put("/-/endpoints", replace)
    ProxyHandler(upstream).mount(app)
    return app


if __name__ == "__main__":
    serve(application)
