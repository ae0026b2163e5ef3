"""This library: as it is by default, with rules of which only the last matches, with all that keeps it up, with a
guard, or hiding nothing."""

from __future__ import annotations

import argparse

from aiohttp import web

from revproxy import Filter, HideUpstream, Pipeline, ProxyHandler, Rule, Rules, Upstream, block, when
from revproxy.filters import CircuitBreaker, ConcurrencyLimit, Deadline, RateLimit, Retry
from revproxy.filters.inspect import Inspect
from revproxy.filters.redact import Redact
from revproxy.health import OutlierDetection
from revproxy.limiters import Gcra, Gradient

from .serve import serve


def application(arguments: argparse.Namespace) -> web.Application:
    if arguments.resilient:
        proxy = _resilient(arguments.backend)
    else:
        upstream = Upstream(arguments.backend)
        handler = _rules(upstream, arguments.rules) if arguments.rules else upstream
        hide = None if arguments.unhidden else HideUpstream()
        proxy = ProxyHandler(handler, filters=_guards(arguments), hide=hide)
    app = web.Application()
    proxy.mount(app)
    return app


def _resilient(backend: str) -> ProxyHandler:
    upstream = Upstream(backend, health=[OutlierDetection()])
    filters = (ConcurrencyLimit(Gradient(least=64)), CircuitBreaker(), Retry())
    return ProxyHandler(Pipeline(*filters, handler=upstream), filters=[Deadline(30.0)])


def _guards(arguments: argparse.Namespace) -> list[Filter]:
    guards: list[Filter] = []
    if arguments.limited:
        guards.append(RateLimit(Gcra(1e9, burst=1e9)))
    if arguments.inspect:
        guards.append(Inspect(prefilter=arguments.inspect))
    if arguments.redact:
        guards.append(Redact())
    return guards


def _rules(upstream: Upstream, count: int) -> Rules:
    refusals = [Rule(when.path(f"/private/{number}/*"), block(403)) for number in range(1, count)]
    return Rules(*refusals, Rule(when.anything, upstream))


if __name__ == "__main__":
    serve(application)
