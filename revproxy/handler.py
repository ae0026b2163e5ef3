"""The one shape of the library: a handler answers an exchange, a filter wraps a handler.

An async function with the right parameters is a handler or a filter; so is an object with such a ``__call__``.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from inspect import Signature, signature
from typing import Any, TypeAlias

from .events import Event
from .exchange import Exchange, Key
from .message import Response

__all__ = ["Component", "Filter", "Handler", "Listener", "Pipeline", "running", "started", "walk"]

_events = logging.getLogger("revproxy.event")

Listener: TypeAlias = Callable[[Event], object]
"""Is told what happens to the components that run."""

Handler: TypeAlias = Callable[[Exchange], Coroutine[Any, Any, Response]]
"""Answers an exchange."""

Filter: TypeAlias = Callable[[Exchange, Handler], Coroutine[Any, Any, Response]]
"""Wraps a handler: acts before it, after it, or instead of it."""


class Component:
    """What owns resources or holds other components. Found by a walk over ``parts()``, started once, stopped once.

    The class attributes tell composition what a component means to its neighbours:

    ``guards``
        It decides who may pass (a table of rules). What shortcuts must not stand around it.
    ``shortcuts``
        As a filter it may answer without asking the handler, or ask it twice (cache, retry, mirror, hedge).
    ``provides``, ``requires``
        The keys that it puts on the exchange as a filter; those that it reads and cannot do without.
    ``reads_path``
        It decides by the path, so that a target with two readings must not pass.
    ``reserves``
        The fields that it tells servers something in that they believe, as who asks. A proxy that it runs in drops what
        clients say there, on every route, whether or not they come by here (``ProxyHandler(reserved=...)``).
    """

    guards: bool = False
    shortcuts: bool = False
    provides: frozenset[Key[Any]] = frozenset()
    requires: frozenset[Key[Any]] = frozenset()
    reads_path: bool = False
    reserves: frozenset[str] = frozenset()

    _listeners: tuple[Listener, ...] = ()

    def tell(self, event: Event) -> None:
        """Log ``event`` (``revproxy.event``), and tell the observers of the proxies that this component runs in."""
        _events.log(event.level, "%s", ascii(str(event))[1:-1], extra={"event": event})
        for listener in dict.fromkeys(self._listeners):  # one that runs it twice is told once
            listener(event)

    def parts(self) -> Iterable[object]:
        """The handlers, filters and other components that this one holds. What is no component is ignored."""
        return ()

    async def start(self) -> None:
        """Acquire what is needed; called after the parts were started."""

    async def stop(self) -> None:
        """Release it; called before the parts are stopped. Must not raise."""


def walk(root: object) -> Iterator[Component]:
    """Every component below and including ``root``, each once, parts before what holds them."""
    seen: set[int] = set()

    def visit(part: object) -> Iterator[Component]:
        if isinstance(part, Component) and id(part) not in seen:
            seen.add(id(part))
            for inner in part.parts():
                yield from visit(inner)
            yield part

    return visit(root)


async def started(root: object, listeners: Iterable[Listener] = ()) -> AsyncExitStack:
    """Start every component of ``root``. What is returned stops them, in reverse, when it is closed; ``listeners`` are
    told what happens to them until then.

    A component that several have started, as an upstream of two proxies, is started by the first of them and stopped by
    the last.
    """
    listeners = tuple(listeners)
    async with AsyncExitStack() as stack:
        for component in walk(root):
            await _enter(component, listeners)
            stack.push_async_callback(_leave, component, listeners)
        return stack.pop_all()


@asynccontextmanager
async def running(root: object, listeners: Iterable[Listener] = ()) -> AsyncIterator[None]:
    """``started`` until the block is left."""
    async with await started(root, listeners):
        yield


class _Use:
    """How many want a component to run, and whether it does."""

    def __init__(self) -> None:
        self.users = 0
        self.runs = False
        self.turn = asyncio.Lock()


async def _enter(component: Component, listeners: tuple[Listener, ...]) -> None:
    state = vars(component)  # not by setattr: it may be a frozen dataclass
    use: _Use = state.setdefault("_use", _Use())
    use.users += 1
    state["_listeners"] = (*component._listeners, *listeners)
    try:
        async with use.turn:
            if not use.runs:
                await component.start()
                use.runs = True
    except BaseException:
        await _leave(component, listeners)
        raise


async def _leave(component: Component, listeners: tuple[Listener, ...]) -> None:
    state = vars(component)
    use: _Use = state["_use"]
    use.users -= 1
    try:
        async with use.turn:
            if use.runs and not use.users:
                use.runs = False
                await component.stop()
    finally:
        left = list(component._listeners)
        for listener in listeners:
            left.remove(listener)
        state["_listeners"] = tuple(left)
        if not use.users and state.get("_use") is use:
            del state["_use"]  # with its lock, which belongs to one event loop


def wrap(filter: Filter, handler: Handler) -> Handler:
    """``handler`` behind ``filter``."""

    def wrapped(exchange: Exchange) -> Coroutine[Any, Any, Response]:
        return filter(exchange, handler)

    return wrapped


class Pipeline(Component):
    """Filters around a handler, the first one outermost. A handler itself.

    Raises ``ValueError`` if a filter that shortcuts (a cache, a retry) stands around something that guards (a table
    of rules): it would answer what a rule forbids, or decide twice.
    """

    def __init__(self, *filters: Filter, handler: Handler) -> None:
        for item in (*filters, handler):
            if not callable(item):
                raise TypeError(f"{item!r} is neither a filter nor a handler: it is not callable")
        for item in filters:
            check_shape("filters", item, 2)
        check_shape("handler", handler, 1)
        self.filters = filters
        self.handler = handler
        parts: tuple[object, ...] = (*filters, handler)
        for position, part in enumerate(parts):
            if isinstance(part, Component) and part.shortcuts:
                guarded = [inner for rest in parts[position + 1 :] for inner in walk(rest) if inner.guards]
                if guarded:
                    raise ValueError(f"{part!r} must not stand around {guarded[0]!r}: put it inside, per route")
        chain = handler
        for filter in reversed(filters):
            chain = wrap(filter, chain)
        self._chain = chain

    def __call__(self, exchange: Exchange) -> Coroutine[Any, Any, Response]:
        return self._chain(exchange)

    def parts(self) -> Iterable[object]:
        return (self.handler, *reversed(self.filters))

    def __repr__(self) -> str:
        inner = "".join(f"{name(part)}, " for part in self.filters)
        return f"Pipeline({inner}handler={name(self.handler)})"


def check_shape(parameter: str, part: object, count: int) -> None:
    """Raise ``TypeError`` for a class, and for what cannot be called with ``count`` arguments: a handler takes one, a
    filter two."""
    if isinstance(part, type):
        raise TypeError(f"{parameter}: {part.__name__} is a class: call it")
    try:
        shape = signature(part)  # type: ignore[arg-type]  # it is callable, as was checked
    except (TypeError, ValueError):  # of what is written in C
        return
    try:
        shape.bind(*[None] * count)
    except TypeError:
        what, other = ("a handler", "a filter: put it into a Pipeline") if count == 1 else ("a filter", "a handler")
        hint = f"; it looks like {other}" if _takes(shape, 3 - count) else ""
        raise TypeError(f"{parameter}: {name(part)} is not {what}, which takes {count} arguments{hint}") from None


def _takes(shape: Signature, count: int) -> bool:
    try:
        shape.bind(*[None] * count)
    except TypeError:
        return False
    return True


def missing_keys(filters: Iterable[object], handler: object) -> frozenset[Key[Any]]:
    """The keys that something below requires and no filter outside of it provides."""
    provided: frozenset[Key[Any]] = frozenset()
    missing: frozenset[Key[Any]] = frozenset()
    for filter in filters:
        missing |= _missing_below(filter) - provided
        if isinstance(filter, Component):
            provided |= filter.provides
    return missing | (_missing_below(handler) - provided)


def _missing_below(part: object) -> frozenset[Key[Any]]:
    if isinstance(part, Pipeline):
        return missing_keys(part.filters, part.handler)
    if not isinstance(part, Component):
        return frozenset()
    missing = part.requires
    for inner in part.parts():
        missing |= _missing_below(inner)
    return missing


def name(part: object) -> str:
    """How a handler or filter is called in a ``repr``: a function by its name, an object by its own ``repr``."""
    return getattr(part, "__qualname__", None) or repr(part)
