"""The edge: an aiohttp request in, an exchange through the handlers, an aiohttp response out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Literal

from aiohttp import web

from ._aiohttp import RawResponse, is_drained, linger, parses_natively, unwatch_client, watch_client
from .clock import SYSTEM_CLOCK, Clock
from .composition import Composition, Compositions
from .deliver import cut, deliver, relay
from .describe import describe
from .errors import (
    ClientDisconnected,
    InternalError,
    Interrupted,
    Origin,
    ProxyError,
)
from .exchange import Exchange
from .forwarded import DEFAULT_FIELDS, ForwardedField, Introduction
from .handler import Filter, Handler, Pipeline, running
from .headers import is_protocol
from .hiding import HideUpstream
from .logged import without_values
from .message import Response
from .mount import Mount
from .observer import Observer, hooks
from .paths import PathPolicy
from .problems import told
from .proxy_status import member, name_of
from .receive import receive
from .trust import TrustedProxies
from .upgrade import Tunnels

__all__ = ["ProxyHandler"]

_log = logging.getLogger("revproxy.error")
_HIDE = HideUpstream()


class ProxyHandler:
    """Serves aiohttp requests by a handler: an ``Upstream``, ``Rules``, anything of that shape.

    ``handler``
        Answers every exchange.
    ``filters``
        Stand around it, the first outermost.
    ``observers``
        Told of everything that happens.
    ``path_policy``
        How request targets are read; see ``PathPolicy``.
    ``trusted``
        The proxies before this one whose word about the client counts; see ``TrustedProxies``. By default nobody's.
    ``forwarded``
        The fields that tell the upstream where a request comes from; see ``Introduction``.
    ``reserved``
        Names of fields that only filters of this proxy may say upstream (``X-User`` and its kin). A client's are
        dropped, and so are those of a trusted proxy. Those that an ``Authentication`` tells servers who asks in are
        reserved without being named here (``Component.reserves``).
    ``via``
        The proxy's pseudonym in ``Via``, by which it finds loops (508). By default one is made up; ``None``: no such
        field.
    ``proxy_status``
        The proxy's name in ``Proxy-Status`` (RFC 9209), which says how an answer came about: the kind of an error, and
        the status that an upstream has answered with. ``None``: no such field.
    ``hide``
        What of upstreams' answers clients do not learn, and what becomes of URLs and cookies that are of the inside;
        see ``HideUpstream``. ``None``: they pass as they come.
    ``upgrades``
        The protocols that a client may ask for by ``Upgrade``. A request for any other goes on as an ordinary one.
    ``max_body``
        Bytes of a request body at most; more is answered with 413. ``None``: no limit, bodies are never held anyway.
    ``write_timeout``
        Seconds after which a client that takes nothing of its response is cut.

    Mount it with ``mount(app)``, or call ``await proxy.handle(request)`` from a handler of your own.

    Raises ``ValueError`` for what a parameter must not be, for two upstreams of one name, for a filter that shortcuts
    around what guards, and for a condition on a key that no filter outside of it provides.
    """

    def __init__(
        self,
        handler: Handler,
        *,
        filters: Sequence[Filter] = (),
        observers: Iterable[Observer] = (),
        path_policy: PathPolicy | None = None,
        trusted: TrustedProxies | None = None,
        forwarded: Collection[ForwardedField] = DEFAULT_FIELDS,
        reserved: Collection[str] = (),
        via: str | None = "",
        proxy_status: str | None = None,
        hide: HideUpstream | None = _HIDE,
        upgrades: Collection[str] = ("websocket",),
        max_body: int | None = None,
        write_timeout: float = 60.0,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        if max_body is not None and max_body < 0:
            raise ValueError(f"max_body must be at least 0 or None, got {max_body}")
        if not write_timeout > 0:
            raise ValueError(f"write_timeout must be above 0, got {write_timeout}")
        self._path_policy = path_policy or PathPolicy()
        self._hooks = hooks(observers)
        self._introduction = Introduction(forwarded, via=via, trusted=trusted, reserved=reserved)
        first = Composition(handler, filters, self._path_policy, self._introduction)
        self._compositions = Compositions(first, self._hooks.happened)
        self._proxy_status = None if proxy_status is None else name_of(proxy_status)
        if hide is not None and not isinstance(hide, HideUpstream):
            raise TypeError(f"hide must be a HideUpstream object or None, got {hide!r}")
        self._hide = None if hide is None else hide.edit
        if isinstance(upgrades, str) or not all(map(is_protocol, upgrades)):
            raise ValueError(f"upgrades must be protocols, one string each, got {upgrades!r}")
        self._upgrades = frozenset(each.lower() for each in upgrades)
        self._tunnels = Tunnels(clock)
        self._apps: list[web.Application] = []
        self.draining: bool = False
        """Whether nothing new should be sent here. Set it some time before the end, and have the route answer 503 that
        a load balancer asks: requests are served all the same, but each answer ends its connection. It is set when the
        last application shuts down that the proxy is mounted into, and reset when one starts."""
        self._max_body = max_body
        self._write_timeout = write_timeout
        self._clock = clock

    # Embedding.

    def mount(
        self,
        app: web.Application,
        path: str = "/",
        *,
        strip: bool = False,
        expect: Literal["upstream", "local"] = "upstream",
    ) -> None:
        """Serve everything below ``path`` of ``app``, and start and stop with it.

        ``strip`` takes ``path`` off the target before it is forwarded, at a segment boundary: ``/app/x`` becomes
        ``/x``. Below a path other than ``"/"`` a target with two readings is refused, as if a rule asked for the path:
        see ``PathPolicy``, also for what to say of a proxy at ``"/"`` beside it. Routes of the application with a
        longer fixed path take precedence, and those with the same one if they were added before.

        ``expect`` says who tells a client to send its body that waits for ``100 Continue`` (RFC 9110 section 10.1.1):
        the upstream, or the server itself before anything has looked at the request. With middlewares that read
        bodies it must be ``"local"``: they would wait for each other.

        Raises ``ValueError`` for a path that does not begin with a slash.
        """
        if expect not in ("upstream", "local"):
            raise ValueError(f"expect must be 'upstream' or 'local', got {expect!r}")
        if not path.startswith("/") or "//" in path or "?" in path or "#" in path:
            raise ValueError(f"path must begin with a slash and be a path alone, got {path!r}")

        app.router.register_resource(Mount(path.rstrip("/"), self.handle, strip=strip, defer=expect == "upstream"))
        if self.lifespan not in app.cleanup_ctx:
            app.cleanup_ctx.append(self.lifespan)
            app.on_shutdown.append(self.drain)

    async def lifespan(self, app: web.Application) -> AsyncIterator[None]:
        """For ``app.cleanup_ctx``: starts every component, and stops it when the application ends. Of several
        applications that share the proxy, the first starts and the last stops."""
        if not parses_natively():
            _log.warning(
                "aiohttp runs without its C parser (AIOHTTP_NO_EXTENSIONS, or no wheel for this platform): "
                "what it lets through is not what this proxy was tested with"
            )
        self._tunnels.started(app)
        self._apps.append(app)
        self.draining = False
        async with running(self._compositions, self._hooks.happened):
            yield

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Without an application, for a ``web.Server``: starts every component, and at the end drains tunnels and stops
        what was started. Stop listening before."""
        async with running(self._compositions, self._hooks.happened):
            try:
                yield
            finally:
                await self.drain()

    async def drain(
        self, app: web.Application | None = None, *, code: int = 1001, grace: float = 5.0, spread: float = 0.0
    ) -> None:
        """For ``app.on_shutdown``, where ``mount`` puts it: ends the tunnels of requests to ``app``, or all of them.
        aiohttp would wait for them until its ``shutdown_timeout``.

        WebSockets are sent a Close with ``code`` (RFC 6455 section 7.4.1: 1001 going away; 1012: service restart), both
        ends of them, on the boundary of a frame; one after the other over ``spread`` seconds, lest all clients come
        back at once. What is left ``grace`` seconds after that is cut. Raises ``ValueError`` for a code that is none,
        and for times below 0.
        """
        for name, seconds in (("grace", grace), ("spread", spread)):
            if not 0 <= seconds < float("inf"):
                raise ValueError(f"{name} must be at least 0 and finite, got {seconds}")
        if not (1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999):
            raise ValueError(f"code must be one that a Close can have, got {code}")
        if app is not None and app in self._apps:
            self._apps.remove(app)
            self.draining = self.draining or not self._apps
        await self._tunnels.drain(app, code, grace, spread)

    # Changing while it runs.

    async def replace(self, handler: Handler, *, filters: Sequence[Filter]) -> None:
        """Have ``handler`` and ``filters`` answer, from the next request on, in the place of all those before. Filters
        have to be named each time, lest one that guards is forgotten: ``filters=[]`` for none.

        They are checked and started first: what is wrong with them is raised, as by the constructor or by a component
        that does not start, and changes nothing. Exchanges that have begun, WebSockets included, end where they began;
        then what was replaced is stopped, but for components that the new composition has, too. ``await retired()``
        waits for that. An upstream that both have keeps its connections and all that it knows.

        Raises ``RuntimeError`` while the proxy starts. Observers are told (``CompositionReplaced``,
        ``CompositionClosed``).
        """
        await self._compositions.replace(Composition(handler, filters, self._path_policy, self._introduction))

    async def retired(self) -> None:
        """Return when all that was replaced by now has answered its last exchange, and is closed."""
        await self._compositions.retired()

    # Serving.

    async def handle(self, request: web.BaseRequest, *, strip: str = "", inside: str = "") -> web.StreamResponse:
        """Answer ``request``. The response is written when this returns.

        ``strip`` is a path whose segments are taken off the target before it is forwarded; the request must be below
        it. ``inside`` is one that stays: a request that a ``PathPolicy``, by resolving dot segments, reads as one for
        elsewhere is refused, 400. With either, the path has decided that it came here, and what has two readings is
        refused as if a rule asked for the path (``PathPolicy``). If the client goes away meanwhile, the task that
        serves it is cancelled. Raises ``RuntimeError`` for a request that was answered already, if only in part.
        """
        watch_client(request)
        composition = self._compositions.current
        composition.in_flight += 1
        try:
            read = composition.read_below if strip or inside else composition.read
            inbound, draft, error = receive(
                request, read, strip, inside, composition.introduction, self._max_body, self._upgrades
            )
            exchange = Exchange(inbound, draft, self._clock.now(), None, self._hooks)
            exchange.interim = partial(relay, request)
            exchange.hide = self._hide
            answer: Response | None = None
            out: web.StreamResponse | None = None
            try:
                for hook in self._hooks.started:
                    hook(exchange)
                if error is None:
                    try:
                        given: object = await composition.handler(exchange)
                        if not isinstance(given, Response):  # a filter of somebody who does not type-check
                            raise InternalError(f"a filter or handler returned {given!r}, which is no Response")
                        answer = given
                        if self._proxy_status is not None:
                            answer = self._with_status(exchange, answer, None)
                        if answer.status == 101:
                            out, broken = await self._tunnels.switch(request, exchange, answer)
                            if broken is not None:
                                self._failed(exchange, broken)
                        else:
                            out = await deliver(
                                request, exchange, answer, self._write_timeout, self._clock, last=self.draining
                            )
                    except ProxyError as failure:
                        error = failure
                    except asyncio.CancelledError as failure:
                        if _is_cancelled():
                            raise
                        error = _unexpected(failure)  # something else was, and a filter awaited it
                    except Exception as failure:
                        error = _unexpected(failure)
                if out is None:
                    assert error is not None
                    self._failed(exchange, error)
                    if error.status is None or request.writer.output_size:
                        out = _cut(request, error)
                    else:
                        answer = told(exchange, error)
                        if self._proxy_status is not None:
                            answer = self._with_status(exchange, answer, error)
                        out = await deliver(
                            request, exchange, answer, self._write_timeout, self._clock, last=error.closes
                        )
            except asyncio.CancelledError:
                left = ClientDisconnected("the client went away before its time")
                self._failed(exchange, exchange.error or (left if request.transport is None else Interrupted()))
                raise
            finally:
                try:
                    exchange.finish()
                except Exception:
                    _log.exception("a deferred release failed [%s]", ascii(exchange.id)[1:-1])
                for finished in self._hooks.finished:
                    finished(exchange, answer.status if answer is not None and request.writer.output_size else None)
            if not out.keep_alive and not is_drained(request) and request.transport is not None:
                await linger(request, read=not draft.body.expects)
            return out
        finally:
            composition.leave()
            unwatch_client(request)

    def _with_status(self, exchange: Exchange, answer: Response, error: ProxyError | None) -> Response:
        """A copy of ``answer``, which may be its handler's to give out again, that says how it came about."""
        assert self._proxy_status is not None
        headers = answer.headers.copy()
        headers.add("Proxy-Status", member(self._proxy_status, exchange, error))
        return Response(answer.status, headers, answer.body, answer.reason, answer.tunnel)

    def _failed(self, exchange: Exchange, error: ProxyError) -> None:
        """Note a failure: on the exchange, in the log, for the observers."""
        if exchange.error is None:
            exchange.error = error
        level = _LEVELS[error.origin]
        cause = None
        if isinstance(error, InternalError):
            level, cause = logging.ERROR, error.__cause__ or error
        if _log.isEnabledFor(level):
            inbound = exchange.inbound
            text = str(error)
            if error.origin is Origin.UPSTREAM and exchange.attempts:
                endpoint = exchange.attempts[-1].endpoint.name
                text = text if endpoint in text else f"{endpoint}: {text}"
            _log.log(
                level,
                "%s: %s %s from %s: %s [%s]",
                type(error).__name__,
                inbound.method,
                ascii(without_values(inbound.target)[:200]),
                inbound.client,
                ascii(text[:500])[1:-1],
                ascii(exchange.id)[1:-1],
                exc_info=cause,
                extra={"exchange": exchange, "error": error},
            )
        for hook in self._hooks.failed:
            hook(exchange, error)

    # Looking at it.

    @property
    def root(self) -> Pipeline:
        """What answers now: the filters, and the handler in them."""
        return self._compositions.current.root

    def describe(self) -> str:
        """What was composed, as an indented tree: for a start-up log or a debugger."""
        return describe(self.root)

    def __repr__(self) -> str:
        return f"ProxyHandler({self.root!r})"


_LEVELS = {
    Origin.CLIENT: logging.INFO,
    Origin.POLICY: logging.INFO,
    Origin.PROXY: logging.WARNING,
    Origin.UPSTREAM: logging.WARNING,
}


def _unexpected(failure: BaseException) -> InternalError:
    error = InternalError(f"{type(failure).__name__}: {failure}")
    error.__cause__ = failure
    return error


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


def _cut(request: web.BaseRequest, error: ProxyError) -> web.StreamResponse:
    """Close the client's connection without another byte. What is returned is for the access log only."""
    if request.transport is not None:
        cut(request.transport)
    return RawResponse(request, Response(error.status or _UNSAID[error.origin]), False)


_UNSAID = {Origin.CLIENT: 499, Origin.POLICY: 444, Origin.PROXY: 500, Origin.UPSTREAM: 502}
"""What the access log says of a request that got no answer; 499 and 444 as in nginx."""
