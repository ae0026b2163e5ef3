"""This library: as it is by default, or with rules of which only the last matches."""

from __future__ import annotations

import argparse

from aiohttp import web

from revproxy import ProxyHandler, Rule, Rules, Upstream, block, when

from .serve import serve


def application(arguments: argparse.Namespace) -> web.Application:
    upstream = Upstream(arguments.backend)
    proxy = ProxyHandler(_rules(upstream, arguments.rules) if arguments.rules else upstream)
    app = web.Application()
    proxy.mount(app)
    return app


def _rules(upstream: Upstream, count: int) -> Rules:
    refusals = [Rule(when.path(f"/private/{number}/*"), block(403)) for number in range(1, count)]
    return Rules(*refusals, Rule(when.anything, upstream))


if __name__ == "__main__":
    serve(application)
