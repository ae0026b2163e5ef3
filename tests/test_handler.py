"""Pipelines and components: order, what must not stand around what, and one start and stop for each."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy import ProxyHandler, when
from revproxy.exchange import Exchange, Key
from revproxy.handler import Component, Filter, Handler, Pipeline, missing_keys, name, running, walk
from revproxy.message import Response
from revproxy.rules import Rule, Rules
from revproxy.testing.exchange import exchange

COUNTRY: Key[str] = Key("country")
PRINCIPAL: Key[str] = Key("principal")


async def site(subject: Exchange) -> Response:
    return Response(200)


class Part(Component):
    """A filter, a handler and a component at once, that keeps a diary."""

    def __init__(self, label: str, diary: list[str], *parts: object, fails: str = "") -> None:
        self.label = label
        self._diary = diary
        self._parts = parts
        self._fails = fails

    def parts(self) -> Iterable[object]:
        return self._parts

    async def start(self) -> None:
        self._note("start")

    async def stop(self) -> None:
        self._note("stop")

    def _note(self, event: str) -> None:
        self._diary.append(f"{event} {self.label}")
        if self._fails == event:
            raise LookupError(self.label)

    async def __call__(self, subject: Exchange, handler: Handler = site) -> Response:
        self._diary.append(f"in {self.label}")
        response = await handler(subject)
        self._diary.append(f"out {self.label}")
        return response

    def __repr__(self) -> str:
        return self.label


# Pipelines.


async def test_order() -> None:
    """The first filter is the outermost."""
    diary: list[str] = []
    pipeline = Pipeline(Part("a", diary), Part("b", diary), handler=Part("h", diary))
    assert (await pipeline(exchange())).status == 200
    assert diary == ["in a", "in b", "in h", "out h", "out b", "out a"]


@given(st.lists(st.integers(0, 9), max_size=5))
async def test_nesting_is_flattening(labels: list[int]) -> None:
    """A pipeline of pipelines does what one of all their filters does."""

    def diary_of(*split: int) -> tuple[list[str], list[Filter]]:
        diary: list[str] = []
        return diary, [Part(str(label), diary) for label in labels]

    flat_diary, flat = diary_of()
    nested_diary, nested = diary_of()
    handler: Handler = site
    for each in reversed(nested):
        handler = Pipeline(each, handler=handler)
    await Pipeline(*flat, handler=site)(exchange())
    await handler(exchange())
    assert nested_diary == flat_diary


async def test_functions_are_filters() -> None:
    """An async function, and a plain one that returns the next handler's coroutine, are filters; either may not ask."""

    def plain(subject: Exchange, handler: Handler) -> Coroutine[Any, Any, Response]:
        subject[COUNTRY] = "CH"
        return handler(subject)

    async def marks(subject: Exchange, handler: Handler) -> Response:
        response = await handler(subject)
        response.headers["X-Country"] = subject[COUNTRY]
        return response

    async def instead(subject: Exchange, handler: Handler) -> Response:
        return Response(418)

    response = await Pipeline(plain, marks, instead, handler=site)(exchange())
    assert (response.status, response.headers["X-Country"]) == (418, "CH")


async def test_pipelines_have_no_state() -> None:
    """One pipeline serves any number of exchanges at once."""

    async def echo(subject: Exchange) -> Response:
        return Response(int(subject.inbound.query["status"]))

    async def twice(subject: Exchange, handler: Handler) -> Response:
        await handler(subject)
        return await handler(subject)

    pipeline = Pipeline(twice, handler=echo)
    one, other = pipeline(exchange(target="/?status=201")), pipeline(exchange(target="/?status=202"))
    assert ((await other).status, (await one).status) == (202, 201)


@pytest.mark.parametrize("broken", [None, "site", 7])
def test_what_is_not_callable_is_refused(broken: Any) -> None:
    """What is neither a filter nor a handler is a TypeError at composition."""
    with pytest.raises(TypeError, match="not callable"):
        Pipeline(broken, handler=site)
    with pytest.raises(TypeError, match="not callable"):
        Pipeline(handler=broken)


@pytest.mark.parametrize("filters", [site, "site", 7], ids=["function", "text", "number"])
def test_filters_are_several(filters: Any) -> None:
    """One filter in the place of a list of them is a TypeError that says so."""
    with pytest.raises(TypeError, match=r"^filters must be a list of filters, got "):
        ProxyHandler(site, filters=filters)
    ProxyHandler(site, filters=(Part("a", []),))


class Cache(Part):
    shortcuts = True


class Guard(Part):
    guards = True


def test_what_shortcuts_stands_inside() -> None:
    """Law 12: a filter that shortcuts is refused around whatever guards, however deep that is."""
    cache, guard = Cache("cache", []), Guard("guard", [])
    deep = Part("deep", [], Pipeline(Part("p", []), handler=guard))
    wrong: list[tuple[list[Filter], Handler]] = [
        ([cache], guard),
        ([cache, guard], site),
        ([Part("a", []), cache, Part("b", [])], deep),
        ([cache], Pipeline(guard, handler=site)),
    ]
    for filters, handler in wrong:
        with pytest.raises(ValueError, match="cache must not stand around guard"):
            Pipeline(*filters, handler=handler)
    Pipeline(guard, cache, handler=site)
    Pipeline(guard, handler=Pipeline(cache, handler=Part("h", [])))


def test_printed() -> None:
    """A pipeline prints as it is written."""
    assert repr(Pipeline(Part("a", []), handler=site)) == "Pipeline(a, handler=site)"
    assert name(test_printed) == "test_printed"


# Components.


def test_walk() -> None:
    """Every component is found once, parts before what holds them; what is no component is passed over."""
    shared = Part("shared", [])
    left, right = Part("left", [], shared, "text", site), Part("right", [], shared)
    root = Pipeline(left, handler=right)
    found = list(walk(root))
    assert set(found) == {shared, left, right, root}
    assert len(found) == 4
    assert found.index(shared) < min(found.index(left), found.index(right))
    assert found[-1] is root
    assert list(walk(site)) == []


async def test_running() -> None:
    """Parts start first and stop last; everything once."""
    diary: list[str] = []
    shared = Part("shared", diary)
    async with running(Pipeline(Part("filter", diary, shared), handler=Part("handler", diary, shared))):
        assert diary == ["start shared", "start handler", "start filter"]
        diary.clear()
    assert diary == ["stop filter", "stop handler", "stop shared"]


@pytest.mark.parametrize("failing", [0, 1, 2])
async def test_what_was_started_is_stopped(failing: int) -> None:
    """If one component fails to start, those before it are stopped, those after it never started."""
    diary: list[str] = []
    parts = [Part(str(number), diary, fails="start" if number == failing else "") for number in range(3)]
    with pytest.raises(LookupError, match=str(failing)):
        async with running(Part("root", diary, *parts)):
            raise AssertionError("not reached")
    expected = [f"start {number}" for number in range(failing + 1)]
    assert diary == expected + [f"stop {number}" for number in reversed(range(failing))]


@pytest.mark.parametrize("failing", [0, 1, 2])
async def test_every_part_is_stopped(failing: int) -> None:
    """A component that fails to stop, which it must not, keeps no other from being stopped."""
    diary: list[str] = []
    parts = [Part(str(number), diary, fails="stop" if number == failing else "") for number in range(3)]
    with pytest.raises(LookupError, match=str(failing)):
        async with running(Part("root", diary, *parts)):
            diary.clear()
    assert diary == ["stop root", "stop 2", "stop 1", "stop 0"]


async def test_stopped_after_an_error() -> None:
    """What goes wrong while everything runs stops everything, and is not swallowed."""
    diary: list[str] = []
    with pytest.raises(LookupError, match="inside"):
        async with running(Part("a", diary)):
            raise LookupError("inside")
    assert diary == ["start a", "stop a"]


class Slow(Part):
    """A part whose start and stop wait until they are let go."""

    def __init__(self, label: str, diary: list[str]) -> None:
        super().__init__(label, diary)
        self.go = asyncio.Event()

    async def start(self) -> None:
        await super().start()
        await self.go.wait()

    async def stop(self) -> None:
        await super().stop()
        await self.go.wait()


async def test_shared_parts() -> None:
    """A part that two running blocks have in common is started by the first and stopped by the last, whichever ends
    first; what only one of them has lives as long as that one. Then everything can start again."""
    for first_ends_first in (True, False):
        diary: list[str] = []
        shared = Part("shared", diary)
        blocks = [running(Part(label, diary, shared)) for label in ("one", "other")]
        for block in blocks:
            await block.__aenter__()
        assert diary == ["start shared", "start one", "start other"]
        for block in blocks if first_ends_first else reversed(blocks):
            await block.__aexit__(None, None, None)
        last = "other" if first_ends_first else "one"
        assert diary[3:] == [f"stop {'one' if first_ends_first else 'other'}", f"stop {last}", "stop shared"]
        async with running(shared):
            assert diary[6:] == ["start shared"]
        assert diary[7:] == ["stop shared"]


async def test_shared_parts_at_once() -> None:
    """A block that begins while another still starts their common part waits until it has started; so does one that
    begins while it still stops, and starts it again."""
    diary: list[str] = []
    shared = Slow("shared", diary)
    inside = [asyncio.Event(), asyncio.Event(), asyncio.Event()]
    ends = [asyncio.Event(), asyncio.Event(), asyncio.Event()]

    async def block(number: int) -> None:
        async with running(shared):
            inside[number].set()
            await ends[number].wait()

    async def turns() -> None:
        for _ in range(10):
            await asyncio.sleep(0)

    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        for number in (0, 1):
            group.create_task(block(number))
        await turns()
        assert (diary, [each.is_set() for each in inside]) == (["start shared"], [False, False, False])
        shared.go.set()
        await inside[0].wait()
        await inside[1].wait()
        assert diary == ["start shared"]
        shared.go.clear()
        ends[0].set()
        await turns()
        assert diary == ["start shared"]
        ends[1].set()
        await turns()
        assert diary == ["start shared", "stop shared"]
        group.create_task(block(2))
        await turns()
        assert diary == ["start shared", "stop shared"]
        shared.go.set()
        await inside[2].wait()
        assert diary == ["start shared", "stop shared", "start shared"]
        ends[2].set()
    assert diary == ["start shared", "stop shared", "start shared", "stop shared"]


async def test_a_shared_part_whose_start_fails_or_is_cancelled() -> None:
    """Who waits for another to start their common part, and that fails or is cancelled, starts it itself."""
    diary: list[str] = []
    shared = Slow("shared", diary)
    entered = asyncio.Event()

    async def block() -> None:
        async with running(shared):
            entered.set()

    async with asyncio.timeout(10):
        first, second = asyncio.create_task(block()), asyncio.create_task(block())
        await asyncio.sleep(0)
        first.cancel()
        shared.go.set()
        await second
        assert (first.cancelled(), entered.is_set()) == (True, True)
        assert diary == ["start shared", "start shared", "stop shared"]
        broken = Part("broken", diary, fails="start")
        for _ in range(2):
            with pytest.raises(LookupError, match="broken"):
                await asyncio.gather(*(running(broken).__aenter__() for _ in range(2)))


def test_a_shared_part_in_one_loop_after_another() -> None:
    """What is shared belongs to no event loop: it can start again in another one, also where several waited for it."""
    diary: list[str] = []
    shared = Part("shared", diary)
    shared.start = lambda: asyncio.sleep(0)  # type: ignore[method-assign]

    async def several() -> None:
        async with AsyncExitStack() as stack:
            await asyncio.gather(*(stack.enter_async_context(running(shared)) for _ in range(3)))

    for _ in range(2):
        asyncio.run(several())
    assert diary == ["stop shared", "stop shared"]


async def test_a_component_of_any_kind() -> None:
    """A component may be a frozen dataclass, or one without a hash."""

    @dataclass(frozen=True)
    class Frozen(Component):
        name: str

    @dataclass
    class Unhashable(Component):
        name: str

    for component in (Frozen("a"), Unhashable("a")):
        async with running(component), running(component):
            assert component == type(component)("a")


# Keys.


class Locates(Part):
    provides = frozenset({COUNTRY})


class NeedsPrincipal(Part):
    requires = frozenset({PRINCIPAL})


def table(*keys: Key[str]) -> Rules:
    return Rules(*(Rule(when.key(key, "x"), site) for key in keys))


@pytest.mark.parametrize(
    ("filters", "handler", "missing"),
    [
        ([], site, set()),
        ([], table(COUNTRY), {COUNTRY}),
        ([Locates("l", [])], table(COUNTRY), set()),
        ([Locates("l", [])], table(COUNTRY, PRINCIPAL), {PRINCIPAL}),
        ([], Pipeline(Locates("l", []), handler=table(COUNTRY)), set()),
        ([], Part("p", [], Pipeline(Locates("l", []), handler=site), table(COUNTRY)), {COUNTRY}),
        ([Locates("l", [])], Part("p", [], Part("q", [], table(COUNTRY))), set()),
        ([NeedsPrincipal("n", [])], site, {PRINCIPAL}),
        ([Locates("l", []), NeedsPrincipal("n", [])], site, {PRINCIPAL}),
        ([Part("p", [], table(COUNTRY)), Locates("l", [])], site, {COUNTRY}),
        ([Part("p", [], Pipeline(Locates("l", []), handler=table(COUNTRY)))], site, set()),
        ([Part("p", [], Pipeline(Locates("l", []), handler=table(PRINCIPAL)))], site, {PRINCIPAL}),
        ([Part("p", [], Pipeline(NeedsPrincipal("n", []), Locates("l", []), handler=site))], site, {PRINCIPAL}),
        ([], Rules(Rule(when.anything, Pipeline(Locates("l", []), handler=table(COUNTRY)))), set()),
        ([], Rules(Rule(when.key(COUNTRY, "x"), Pipeline(Locates("l", []), handler=site))), {COUNTRY}),
    ],
)
def test_missing_keys(filters: list[object], handler: object, missing: set[Key[str]]) -> None:
    """A condition on a key that no filter outside of it provides is found: it would fail open."""
    assert missing_keys(filters, handler) == missing
