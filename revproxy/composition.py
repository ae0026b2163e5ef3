"""What a proxy is made of at a time, and its change while it runs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from .events import Event
from .forwarded import Introduction
from .handler import Component, Filter, Handler, Listener, Pipeline, missing_keys, started, walk
from .paths import PathPolicy, Reading
from .upstream import Upstream

__all__ = ["Composition", "CompositionClosed", "CompositionReplaced", "Compositions"]

_log = logging.getLogger("revproxy.error")


@dataclass(frozen=True, slots=True)
class CompositionReplaced(Event):
    """``ProxyHandler.replace`` has put another handler in the place of one that has ``in_flight`` exchanges to end."""

    in_flight: int

    def __str__(self) -> str:
        return f"{self.source}: replaced; {self.in_flight} exchanges end in what was there before"


@dataclass(frozen=True, slots=True)
class CompositionClosed(Event):
    """What was replaced has answered its last exchange, and is closed."""

    def __str__(self) -> str:
        return f"{self.source}: what was replaced is closed"


class Composition:
    """A handler with the filters around it, checked: what answers exchanges until it is replaced.

    Raises ``ValueError`` for two upstreams of one name, or whose sessions are marked in the same way, for a filter that
    shortcuts around what guards, for a condition on a key that no filter outside of it provides, and for a field that
    cannot be reserved; ``TypeError`` for filters that are not several, and for what is no filter or handler.
    """

    __slots__ = ("_over", "_stack", "handler", "in_flight", "introduction", "is_replaced", "read", "read_below", "root")

    def __init__(
        self, handler: Handler, filters: Sequence[Filter], policy: PathPolicy, introduction: Introduction
    ) -> None:
        given: object = filters
        if isinstance(given, str) or not isinstance(given, Iterable):
            raise TypeError(f"filters must be a list of filters, got {filters!r}")
        self.root: Pipeline = Pipeline(*filters, handler=handler)
        components = list(walk(self.root))
        _check_names(components)
        missing = missing_keys((), self.root)
        if missing:
            needing = [part for part in components if part.requires & missing]
            raise ValueError(
                f"no filter outside provides {', '.join(sorted(key.name for key in missing))},"
                f" which {', '.join(map(repr, needing))} needs: put one that does around it"
            )
        self.handler: Handler = self.root if filters else handler
        self.read: Callable[[str], Reading] = policy.bind(conditions=any(part.reads_path for part in components))
        self.read_below: Callable[[str], Reading] = policy.bind(conditions=True)
        """Reads what has come here for what its path begins with: that decides, as a condition does."""
        self.introduction: Introduction = introduction.reserving(
            frozenset[str]().union(*(part.reserves for part in components))
        )
        """What servers are told of a request, and which fields of a client are dropped."""
        self.in_flight: int = 0
        """Exchanges that it answers now."""
        self.is_replaced: bool = False
        self._over = asyncio.Event()
        self._stack: AsyncExitStack | None = None

    async def open(self, listeners: Iterable[Listener]) -> None:
        """Start all that it is made of."""
        self._stack = await started(self.root, listeners)

    async def close(self) -> None:
        """Stop it, but for what others have started, too."""
        stack, self._stack = self._stack, None
        if stack is not None:
            await stack.aclose()

    def leave(self) -> None:
        """An exchange is over."""
        self.in_flight -= 1
        if self.is_replaced and not self.in_flight:
            self._over.set()

    async def over(self) -> None:
        """Return when no exchange is left. None may come any more."""
        if self.in_flight:
            await self._over.wait()

    def give_up(self) -> None:
        """Have it be over, whatever is left."""
        self._over.set()


class Compositions(Component):
    """The composition of a proxy, those that it has replaced and that have exchanges left, and their lives."""

    def __init__(self, first: Composition, listeners: Iterable[Listener] = ()) -> None:
        self.current: Composition = first
        self._told = tuple(listeners)
        self._running: Composition | None = None
        self._closing: dict[Composition, asyncio.Task[None]] = {}
        self._turn: asyncio.Lock | None = None  # while it runs: a lock belongs to one event loop
        self._opening: asyncio.Task[None] | None = None
        self._starts = False

    async def start(self) -> None:
        self._starts = True
        try:
            await self.current.open(self._told)
        finally:
            self._starts = False
        self._running = self.current
        self._turn = asyncio.Lock()

    async def stop(self) -> None:
        """The end of all, whatever exchanges there are left."""
        turn, self._turn = self._turn, None
        assert turn is not None
        if self._opening is not None:
            self._opening.cancel()
        try:
            async with turn:  # somebody may be at replacing what is to be closed
                pass
        finally:
            for each in self._closing:
                each.give_up()
            try:
                await self.retired()
            finally:
                running, self._running = self._running, None
                if running is not None:
                    await running.close()

    async def replace(self, new: Composition) -> None:
        """Have ``new`` answer from the next exchange on; started before, if what it replaces was. Where the proxy stops
        meanwhile, ``new`` is what it starts with the next time."""
        if self._starts:
            raise RuntimeError("the proxy is starting: what it is made of can be replaced when it has started")
        turn = self._turn
        if turn is not None:
            async with turn:
                if self._turn is turn and await self._opened(new, turn):
                    old, self.current, self._running = self.current, new, new
                    old.is_replaced = True
                    self.tell(CompositionReplaced("proxy", old.in_flight))
                    self._closing[old] = asyncio.create_task(self._retire(old))
                    return
        self.current = new

    async def _opened(self, new: Composition, turn: asyncio.Lock) -> bool:
        """Start ``new``; whether the proxy still runs then. If not, or if this is cancelled, ``new`` is stopped."""
        opening = self._opening = asyncio.create_task(new.open(self._told))
        runs = False
        try:
            await asyncio.wait({opening})
            if not opening.cancelled():  # by the end of the proxy
                opening.result()
                runs = self._turn is turn
        finally:
            self._opening = None
            if not runs:
                opening.cancel()
                await asyncio.wait({opening})
                await new.close()
        return runs

    async def retired(self) -> None:
        """Return when all that was replaced by now is closed."""
        tasks = tuple(self._closing.values())
        if tasks:
            await asyncio.wait(tasks)

    async def _retire(self, old: Composition) -> None:
        try:
            await old.over()
        finally:
            try:
                await old.close()
            except Exception:
                _log.exception("what was replaced did not stop well")
            del self._closing[old]
        self.tell(CompositionClosed("proxy"))


def _check_names(components: Iterable[object]) -> None:
    names: set[str] = set()
    marks: dict[str, str] = {}
    for part in components:
        if isinstance(part, Upstream):
            if part.name in names:
                raise ValueError(f"two upstreams of one name: {part.name!r}; give them names of their own")
            names.add(part.name)
            mark = "" if part.affinity is None else part.affinity.mark
            if mark and marks.setdefault(mark, part.name) != part.name:
                both = f"{marks[mark]!r} and {part.name!r}"
                raise ValueError(f"two upstreams of one affinity: {both} use the {mark}; give each a name of its own")
