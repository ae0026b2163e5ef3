"""The edge: an aiohttp request in, an exchange through the handlers, an aiohttp response out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine, Iterable, Sequence
from typing import Any

from aiohttp import web
from multidict import istr

from ._aiohttp import RawResponse, is_drained, linger, message, unwatch_client, watch_client
from .clock import SYSTEM_CLOCK, Clock
from .deliver import cut, deliver
from .describe import describe
from .errors import (
    BadRequest,
    ClientDisconnected,
    CodingNotSupported,
    InternalError,
    MethodNotAllowed,
    Origin,
    ProxyError,
    VersionNotSupported,
)
from .exchange import Exchange
from .handler import Filter, Handler, Pipeline, missing_keys, running, walk
from .headers import MAX_CONNECTION
from .message import HttpVersion, Response
from .mount import Mount
from .observer import Observer, hooks
from .paths import PathPolicy, Reading, canonical
from .problems import problem
from .receive import receive, request_body, split_absolute
from .upstream import Upstream

__all__ = ["ProxyHandler"]

_log = logging.getLogger("revproxy.error")
_UNREAD = Reading("", "", None)
_CONNECTION = istr("Connection")
_VERSIONS = ((1, 1), (1, 0))


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
    ``max_body``
        Bytes of a request body at most; more is answered with 413. ``None``: no limit, bodies are never held anyway.
    ``write_timeout``
        Seconds after which a client that takes nothing of its response is cut.

    Mount it with ``mount(app)``, or call ``await proxy.handle(request)`` from a handler of your own.

    Raises ``ValueError`` for two upstreams of one name, for a filter that shortcuts around what guards, and for a
    condition on a key that no filter outside of it provides.
    """

    def __init__(
        self,
        handler: Handler,
        *,
        filters: Sequence[Filter] = (),
        observers: Iterable[Observer] = (),
        path_policy: PathPolicy | None = None,
        max_body: int | None = None,
        write_timeout: float = 60.0,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        if max_body is not None and max_body < 0:
            raise ValueError(f"max_body must be at least 0 or None, got {max_body}")
        if not write_timeout > 0:
            raise ValueError(f"write_timeout must be above 0, got {write_timeout}")
        self._root = Pipeline(*filters, handler=handler)
        components = list(walk(self._root))
        _check_names(components)
        missing = missing_keys((), self._root)
        if missing:
            raise ValueError(f"no filter outside provides {', '.join(sorted(key.name for key in missing))}")
        self._handler: Handler = self._root if filters else handler
        self._hooks = hooks(observers)
        self._read = (path_policy or PathPolicy()).bind(conditions=any(part.reads_path for part in components))
        self._max_body = max_body
        self._write_timeout = write_timeout
        self._clock = clock

    # Embedding.

    def mount(self, app: web.Application, path: str = "/", *, strip: bool = False) -> None:
        """Serve everything below ``path`` of ``app``, and start and stop with it.

        ``strip`` takes ``path`` off the target before it is forwarded, at a segment boundary: ``/app/x`` becomes
        ``/x``. Routes that the application added before take precedence.

        Raises ``ValueError`` for a path that does not begin with a slash.
        """
        if not path.startswith("/") or "//" in path or "?" in path or "#" in path:
            raise ValueError(f"path must begin with a slash and be a path alone, got {path!r}")

        async def handle(request: web.Request, prefix: str) -> web.StreamResponse:
            return await self.handle(request, strip=prefix if strip else "")

        app.router.register_resource(Mount(path.rstrip("/"), handle))
        if self.lifespan not in app.cleanup_ctx:
            app.cleanup_ctx.append(self.lifespan)

    async def lifespan(self, app: web.Application) -> AsyncIterator[None]:
        """For ``app.cleanup_ctx``: starts every component, and stops it when the application ends."""
        async with running(self._root):
            yield

    # Serving.

    async def handle(self, request: web.BaseRequest, *, strip: str = "") -> web.StreamResponse:
        """Answer ``request``. The response is written when this returns.

        ``strip`` is a path whose segments are taken off the target before it is forwarded; the request must be below
        it. If the client goes away meanwhile, the task that serves it is cancelled.
        """
        watch_client(request)
        try:
            out = await self._serve(request, strip)
            if not is_drained(request) and request.transport is not None:
                await linger(request)
            return out
        finally:
            unwatch_client(request)

    async def _serve(self, request: web.BaseRequest, strip: str) -> web.StreamResponse:
        exchange, error = self._exchange(request, strip)
        answer: Response | None = None
        try:
            for hook in self._hooks.started:
                hook(exchange)
            if error is None:
                try:
                    given: object = await self._handler(exchange)
                    if not isinstance(given, Response):  # a filter of somebody who does not type-check
                        raise InternalError(f"a filter or handler returned {given!r}, which is no Response")
                    answer = given
                    return await self._deliver(request, exchange, answer)
                except ProxyError as failure:
                    error = failure
                except asyncio.CancelledError as failure:
                    if _is_cancelled():
                        raise
                    error = _unexpected(failure)  # something else was, and a filter awaited it
                except Exception as failure:
                    error = _unexpected(failure)
            self._failed(exchange, error)
            if error.status is None or request.writer.output_size:
                return _cut(request, error)
            answer = problem(exchange, error.status, error.title)
            return await self._deliver(request, exchange, answer)
        except asyncio.CancelledError:
            if request.transport is None:
                self._failed(exchange, exchange.error or ClientDisconnected("the client went away before its time"))
            raise
        finally:
            try:
                exchange.finish()
            except Exception:
                _log.exception("a deferred release failed [%s]", ascii(exchange.id)[1:-1])
            status = answer.status if answer is not None and request.writer.output_size else None
            for finished in self._hooks.finished:
                finished(exchange, status)

    def _deliver(
        self, request: web.BaseRequest, exchange: Exchange, answer: Response
    ) -> Coroutine[Any, Any, web.StreamResponse]:
        return deliver(request, exchange, answer, write_timeout=self._write_timeout, clock=self._clock)

    def _exchange(self, request: web.BaseRequest, prefix: str) -> tuple[Exchange, ProxyError | None]:
        """The exchange for ``request``, and why it must not go on, if it must not."""
        head = message(request)
        method, target = head.method, head.path
        host: str | None = None
        refused: ProxyError | None = None
        reading = _UNREAD
        try:
            if head.version not in _VERSIONS:
                raise VersionNotSupported(f"HTTP/{head.version.major}.{head.version.minor}")
            if head.chunked:
                _check_coding(head.headers.getall("Transfer-Encoding", []), head.version)
            if sum(map(len, head.headers.getall(_CONNECTION, ()))) > MAX_CONNECTION:
                raise BadRequest(f"over {MAX_CONNECTION} characters of Connection")
            if method == "CONNECT":
                raise MethodNotAllowed("CONNECT is not for a reverse proxy (RFC 9110 section 9.3.6)")
            path = target
            if target == "*":
                if method != "OPTIONS":
                    raise BadRequest(f"the target * goes with OPTIONS only, not with {method}")
            elif not target.startswith("/"):
                absolute = split_absolute(target)
                if absolute is None:
                    raise BadRequest("the target is neither a path nor an http URL")
                host, path = absolute
            reading = self._read(path)
            if prefix:
                below = canonical(prefix).rstrip("/")
                if reading.path != below and not reading.path.startswith(f"{below}/"):
                    raise InternalError(f"strip: {prefix!r} is no prefix of {reading.path!r}")
                reading = reading._replace(target=_without(below, reading.target))
        except ProxyError as error:
            refused = error
        inbound, draft = receive(request, target, host, reading)
        exchange = Exchange(inbound, draft, started=self._clock.now(), hooks=self._hooks)
        if refused is None:
            try:
                draft.body = request_body(request, draft, self._max_body)
            except ProxyError as error:
                refused = error
        return exchange, refused

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
                ascii(inbound.target[:200]),
                inbound.client,
                ascii(text[:500])[1:-1],
                ascii(exchange.id)[1:-1],
                exc_info=cause,
                extra={"exchange": exchange, "error": error},
            )
        for hook in self._hooks.failed:
            hook(exchange, error)

    # Looking at it.

    def describe(self) -> str:
        """What was composed, as an indented tree: for a start-up log or a debugger."""
        return describe(self._root)

    def __repr__(self) -> str:
        return f"ProxyHandler({self._root!r})"


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
    out = RawResponse(request, Response(error.status or _UNSAID[error.origin]), keep_alive=False)
    out.sent(request.writer.output_size)
    out.end()
    return out


_UNSAID = {Origin.CLIENT: 499, Origin.POLICY: 444, Origin.PROXY: 500, Origin.UPSTREAM: 502}
"""What the access log says of a request that got no answer; 499 and 444 as in nginx."""


def _without(prefix: str, target: str) -> str:
    """``target`` without its first segments, as many as ``prefix`` has. The application has matched them before."""
    path, mark, query = target.partition("?")
    for _ in range(prefix.count("/")):
        path = path[1:]
        cut = path.find("/")
        path = "" if cut < 0 else path[cut:]
    return (path or "/") + mark + query


def _check_coding(codings: list[str], version: HttpVersion) -> None:
    """Refuse what aiohttp lets through (RFC 9112 section 6.1): other codings below chunked would be lost."""
    if version != (1, 1):
        raise BadRequest("Transfer-Encoding in an HTTP/1.0 request")
    if [coding.strip(" \t").lower() for coding in codings] != ["chunked"]:
        raise CodingNotSupported(f"Transfer-Encoding {', '.join(codings)!r} is not exactly chunked")


def _check_names(components: Iterable[object]) -> None:
    names: set[str] = set()
    for part in components:
        if isinstance(part, Upstream):
            if part.name in names:
                raise ValueError(f"two upstreams of one name: {part.name!r}; give them names of their own")
            names.add(part.name)
