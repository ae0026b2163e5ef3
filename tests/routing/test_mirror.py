"""Shadow traffic: what shadows get, what becomes of them, and that the primary cannot tell. Chance is seeded, time is
the test's; over sockets it is in ``tests/e2e/test_mirror.py``."""

from __future__ import annotations

import asyncio
import gc
import logging
import weakref
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from random import Random
from typing import Any

import pytest

from revproxy import (
    Body,
    Exchange,
    Handler,
    Key,
    Pipeline,
    ProxyHandler,
    Response,
    Rule,
    Rules,
    Upstream,
    respond,
    when,
)
from revproxy.balancers import keys
from revproxy.body import StreamBody
from revproxy.errors import ClientDisconnected, ConnectFailed, Interrupted, Truncated
from revproxy.events import Event
from revproxy.filters import Retry
from revproxy.handler import running, walk
from revproxy.limiters import BodyBudget, RetryBudget
from revproxy.message import response_of_lines
from revproxy.routing import Answer, Fate, Mirror, ShadowDiffers, ShadowLost, difference
from revproxy.testing import FakeClock, FakeTransport, exchange

from ..wire import turns, until

USER: Key[str] = Key("user")


class Shadowed:
    """A handler of the test's that a mirror sends copies to: it waits until it may answer, and notes what it got."""

    def __init__(self, answer: Callable[[], Response] = lambda: Response(200), *, open: bool = True) -> None:
        self.exchanges: list[Exchange] = []
        self.bodies: list[bytes] = []
        self.gate = asyncio.Event()
        self._answer = answer
        if open:
            self.gate.set()

    async def __call__(self, exchange: Exchange) -> Response:
        self.exchanges.append(exchange)
        await self.gate.wait()
        self.bodies.append(await exchange.request.body.read(1 << 20))
        return self._answer()


async def primary(exchange: Exchange) -> Response:
    body = await exchange.request.body.read(1 << 20)
    return Response(200, {"X-By": "primary"}, Body(body or b"primary"))


def heard(mirror: Mirror) -> list[Event]:
    events: list[Event] = []
    mirror._listeners = (events.append,)
    return events


async def idle(mirror: Mirror) -> None:
    await until(lambda: not mirror.in_flight)


def stream(*chunks: bytes, length: int | None = None, error: Exception | None = None) -> StreamBody:
    async def pieces() -> AsyncIterator[bytes]:
        for chunk in chunks:
            await asyncio.sleep(0)
            yield chunk
        if error is not None:
            raise error

    return StreamBody(pieces(), length=length)


# What a shadow gets.


async def test_the_same_request() -> None:
    """The shadow gets the method, target, fields and body of the draft as it was at the mirror, what filters have found
    out before, and the same inbound; what is edited further in, or by the shadow, is its own."""
    shadowed = Shadowed()

    async def inner(exchange: Exchange) -> Response:
        exchange.request.headers["X-Inner"] = "1"
        exchange.request.target = "/inner"
        exchange[USER] = "other"
        return await primary(exchange)

    asked = exchange("POST", "/a?b=%20c", headers={"X-A": "café"}, body=b"data")
    asked[USER] = "ann"
    asked.id = "x-1"
    asked.request.headers["X-Outer"] = "1"
    mirror = Mirror(shadowed, methods=["POST"])
    assert (await mirror(asked, inner)).body.data == b"data"
    await idle(mirror)
    (shadow,) = shadowed.exchanges
    assert shadow is not asked
    assert shadow.inbound is asked.inbound
    assert (shadow.request.method, shadow.request.target) == ("POST", "/a?b=%20c")
    assert shadow.request.headers["X-A"] == "café"
    assert shadow.request.headers["X-Outer"] == "1"
    assert shadow.request.headers["X-Shadow"] == "1"
    assert "X-Inner" not in shadow.request.headers
    assert "X-Shadow" not in asked.request.headers
    assert shadowed.bodies == [b"data"]
    assert (shadow[USER], asked[USER]) == ("ann", "other")
    assert shadow.id == "x-1"
    assert mirror.fates == {Fate.ANSWERED: 1}


async def test_as_it_came() -> None:
    """A draft that nobody has looked at goes on as the bytes that it came as: mirroring decodes nothing of it."""
    shadowed = Shadowed()
    asked = exchange(headers=[("X-A", "1"), ("x-a", "2")])
    await Mirror(shadowed)(asked, primary)
    assert asked.request.lines is not None


@pytest.mark.parametrize(
    ("fields", "suffix", "draft_host", "expected"),
    [
        ({}, "", None, None),
        ({}, "-shadow", None, "example.test-shadow"),
        ({}, "-shadow", "b.test:8080", "b.test-shadow:8080"),
        ({}, "-shadow", "[::1]:80", "[::1]:80"),
        ({"X-By": "m", "x-by": "n"}, "", None, None),
    ],
)
async def test_marks(fields: dict[str, str], suffix: str, draft_host: str | None, expected: str | None) -> None:
    """The shadow's request can carry fields, in place of any of their names, and a host with a suffix before its port;
    the primary's carries none of that."""
    shadowed = Shadowed()
    asked = exchange(headers={"X-By": "client"})
    if draft_host is not None:
        asked.request.headers["Host"] = draft_host
    mirror = Mirror(shadowed, fields=fields, host_suffix=suffix)
    await mirror(asked, primary)
    await idle(mirror)
    headers = shadowed.exchanges[0].request.headers
    assert headers.get("Host") == expected
    assert headers.getall("X-By") == (list(fields.values()) or ["client"])
    assert asked.request.headers.get("Host") == draft_host


async def test_a_body_that_streams() -> None:
    """The shadow sees the bytes that the primary has read, also those that it itself reads later."""
    shadowed = Shadowed(open=False)
    mirror = Mirror(shadowed, methods=["PUT"])
    asked = exchange("PUT", body=stream(b"one", b"two", length=6))
    assert (await mirror(asked, primary)).body.data == b"onetwo"
    asked.finish()
    shadowed.gate.set()
    await idle(mirror)
    assert shadowed.bodies == [b"onetwo"]
    assert shadowed.exchanges[0].request.body.length == 6


async def test_load_and_attempts() -> None:
    """Law 8: the shadow's upstream counts its own attempts and releases each, whatever becomes of it; the primary's
    exchange knows nothing of them."""
    answers: list[Response | Exception] = [Response(200), Response(500), ConnectFailed("down")]
    transport = FakeTransport(lambda attempt: answers.pop())
    upstream = Upstream("http://shadow.test", transport=transport)
    mirror = Mirror(upstream)
    async with running(mirror):
        for _ in range(3):
            asked = exchange()
            await mirror(asked, primary)
            assert asked.attempts == []
        await idle(mirror)
    assert [attempt.status for attempt in transport.attempts] == [None, 500, 200]
    assert all(attempt.released for attempt in transport.attempts)
    assert upstream.endpoints[0].in_flight == 0
    assert mirror.fates == {Fate.ANSWERED: 2, Fate.FAILED: 1}


# Which are mirrored.


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (lambda: exchange("GET"), 1),
        (lambda: exchange("OPTIONS"), 1),
        (lambda: exchange("HEAD"), 0),
        (lambda: exchange("POST", body=b"x"), 0),
        (lambda: exchange("DELETE"), 0),
        (lambda: exchange("GET", upgrade="websocket"), 0),
    ],
)
async def test_which_methods(asked: Callable[[], Exchange], expected: int) -> None:
    """By default only what is safe is done twice; HEAD and WebSockets never are mirrored."""
    shadowed = Shadowed()
    mirror = Mirror(shadowed)
    await mirror(asked(), primary)
    await idle(mirror)
    assert len(shadowed.exchanges) == expected


async def test_a_share_by_chance() -> None:
    """A tenth of all requests, by chance; it can be changed while it runs."""
    shadowed = Shadowed()
    mirror = Mirror(shadowed, share=0.1, limit=10_000, rng=Random(1))
    for _ in range(2_000):
        await mirror(exchange(), primary)
    await idle(mirror)
    assert len(shadowed.exchanges) == pytest.approx(200, abs=50)
    mirror.share = 0
    before = len(shadowed.exchanges)
    await mirror(exchange(), primary)
    await idle(mirror)
    assert len(shadowed.exchanges) == before
    with pytest.raises(ValueError, match="share"):
        mirror.share = 1.5


async def test_a_share_by_key() -> None:
    """Of clients by a key: all requests of one are mirrored, or none, the same in every process."""
    seen: list[set[str]] = []
    for _ in range(2):
        shadowed = Shadowed()
        mirror = Mirror(shadowed, share=0.2, key=keys.header("X-User"), limit=10_000)
        for user in range(500):
            for _ in range(2):
                await mirror(exchange(headers={"X-User": str(user)}), primary)
        await idle(mirror)
        users = [each.inbound.headers["X-User"] for each in shadowed.exchanges]
        assert len(users) == 2 * len(set(users))
        assert len(set(users)) == pytest.approx(100, abs=40)
        seen.append(set(users))
    assert seen[0] == seen[1]


# The primary cannot tell.


@pytest.mark.parametrize("raised", [ConnectFailed("x"), ZeroDivisionError("a bug"), None], ids=repr)
async def test_shadows_that_fail(raised: Exception | None, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever a shadow raises, or if it is stuck, the primary's answer is what it is without a mirror; a bug is
    logged."""

    async def fail(exchange: Exchange) -> Response:
        if raised is None:
            await asyncio.Event().wait()
        assert raised is not None
        raise raised

    mirror = Mirror(fail)
    events = heard(mirror)
    async with running(mirror):
        for _ in range(3):
            asked = exchange()
            response = await mirror(asked, primary)
            assert (response.status, response.body.data) == (200, b"primary")
            asked.finish()
        await turns()
    if raised is None:
        assert mirror.fates == {Fate.STOPPED: 3}
        assert events == []
    else:
        assert mirror.fates == {Fate.FAILED: 3}
        assert events == [ShadowLost("mirror", Fate.FAILED, repr(raised))]  # told once
        assert str(events[0]) == f"mirror: a shadow was lost: failed, {raised!r}; told once"
        assert events[0].level == logging.WARNING
    logged = [record for record in caplog.records if record.exc_info]
    assert len(logged) == (3 if isinstance(raised, ZeroDivisionError) else 0)


async def test_the_primary_is_first() -> None:
    """The primary's handler has begun before anything of the shadow's has."""
    order: list[str] = []

    async def shadow(exchange: Exchange) -> Response:
        order.append("shadow")
        return Response(200)

    async def handler(exchange: Exchange) -> Response:
        order.append("primary")
        await asyncio.sleep(0)
        return Response(200)

    mirror = Mirror(shadow)
    await mirror(exchange(), handler)
    await idle(mirror)
    assert order == ["primary", "shadow"]


async def test_nothing_is_put_between() -> None:
    """Where nothing is compared the primary's response is handed on as it is: what pumps its body still does."""
    response = Response(200, body=stream(b"x"))
    body = response.body

    async def handler(exchange: Exchange) -> Response:
        return response

    mirror = Mirror(Shadowed())
    assert await mirror(exchange(), handler) is response
    assert response.body is body
    await idle(mirror)


async def test_what_the_primary_raises_passes() -> None:
    """Its errors are its own."""

    async def fail(exchange: Exchange) -> Response:
        raise ConnectFailed("down")

    for compare in (None, difference):
        mirror = Mirror(Shadowed(), compare=compare)
        asked = exchange()
        with pytest.raises(ConnectFailed):
            await mirror(asked, fail)
        asked.finish()
        await idle(mirror)


async def test_a_key_that_fails(caplog: pytest.LogCaptureFixture) -> None:
    """A function of the user's that raises costs the shadow, not the client."""

    def broken(exchange: Exchange) -> str:
        raise LookupError("no such thing")

    shadowed = Shadowed()
    mirror = Mirror(shadowed, key=broken, share=0.5)
    assert (await mirror(exchange(), primary)).status == 200
    assert shadowed.exchanges == []
    assert "no such thing" in caplog.text


# Bounds.


async def test_the_limit() -> None:
    """Above so many under way requests are not mirrored, which is told once and counted; a place is free again when a
    shadow is over."""
    shadowed = Shadowed(open=False)
    mirror = Mirror(shadowed, limit=2)
    events = heard(mirror)
    for _ in range(5):
        await mirror(exchange(), primary)
    assert mirror.in_flight == 2
    assert mirror.fates == {Fate.BUSY: 3}
    assert events == [ShadowLost("mirror", Fate.BUSY, "2 are under way")]
    shadowed.gate.set()
    await idle(mirror)
    await mirror(exchange(), primary)
    await idle(mirror)
    assert mirror.fates == {Fate.BUSY: 3, Fate.ANSWERED: 3}
    assert repr(mirror).startswith("<mirror of 1 to <")
    assert repr(mirror).endswith(": 0 in flight, 3 busy, 3 answered>")


@pytest.mark.parametrize("body", [lambda: Body(b"x" * 101), lambda: stream(b"x" * 60, b"x" * 60)])
async def test_a_body_over_the_budget(body: Callable[[], Body]) -> None:
    """It goes to the primary whole; the shadow of one in memory is not sent, that of one that streams is given up. Told
    once."""
    shadowed = Shadowed(open=False)
    mirror = Mirror(shadowed, methods=["PUT"], budget=100)
    events = heard(mirror)
    for _ in range(2):
        asked = exchange("PUT")
        asked.request.body = body()
        whole = await (await mirror(asked, primary)).body.read(1000)
        assert len(whole) in (101, 120)
        asked.finish()
        await idle(mirror)
    assert mirror.fates == {Fate.TOO_MUCH: 2}
    assert [str(event) for event in events] == [
        "mirror: a shadow was lost: too much, its request's body exceeds what may be held; told once"
    ]
    assert mirror._budget.held == 0


async def test_a_long_body_and_a_shadow_that_keeps_up() -> None:
    """What is bounded is what is held, not what passes: a shadow that keeps up gets a body of any size."""
    shadowed = Shadowed()
    mirror = Mirror(shadowed, methods=["PUT"], budget=100)
    asked = exchange("PUT", body=stream(*[b"x" * 50] * 1_000))
    await mirror(asked, primary)
    asked.finish()
    await idle(mirror)
    assert shadowed.bodies == [b"x" * 50_000]
    assert mirror._budget.held == 0


async def test_the_total() -> None:
    """What all shadows hold together is bounded, too, and given back."""
    shadowed = Shadowed(open=False)
    mirror = Mirror(shadowed, methods=["PUT"], budget=100, total=250)
    for _ in range(4):
        await mirror(exchange("PUT", body=b"x" * 100), primary)
    assert mirror.fates == {Fate.TOO_MUCH: 2}
    assert mirror._budget.held == 200
    shadowed.gate.set()
    await idle(mirror)
    assert mirror._budget.held == 0


async def test_a_body_that_is_not_whole() -> None:
    """A client that leaves in the middle of its body, a primary that does not read it, or only a part: the shadow is
    given up, and nothing counts against its upstream."""

    async def refuse(exchange: Exchange) -> Response:
        return Response(413)

    async def begin(exchange: Exchange) -> Response:
        async for _ in exchange.request.body:
            return Response(413)
        raise AssertionError

    cases: list[tuple[Handler, Body]] = [
        (refuse, stream(b"x")),
        (begin, stream(b"x", b"y")),
        (primary, stream(b"x", error=ClientDisconnected("gone"))),
    ]
    for handler, body in cases:
        upstream = Upstream("http://a", transport=FakeTransport(_read_all))
        mirror = Mirror(upstream, methods=["PUT"])
        async with running(mirror):
            asked = exchange("PUT", body=body)
            with suppress(ClientDisconnected):
                await mirror(asked, handler)
            asked.finish()
            await idle(mirror)
            assert mirror.fates == {Fate.INCOMPLETE: 1}
            assert upstream.endpoints[0].in_flight == 0


async def _read_all(attempt: Any) -> Response:
    return Response(200, body=Body(await attempt.request.body.read(1000)))


async def test_the_deadline() -> None:
    """A shadow that is not over by then is cancelled, whether it has not answered or its body does not end."""
    clock, never = FakeClock(), asyncio.Event()

    async def stuck() -> AsyncIterator[bytes]:
        yield b"x"
        await never.wait()

    async def stuck_in_the_body(exchange: Exchange) -> Response:
        return Response(200, body=StreamBody(stuck()))

    for handler in (Shadowed(open=False), stuck_in_the_body):
        mirror = Mirror(handler, deadline=5, clock=clock)
        await mirror(exchange(), primary)
        await turns()
        clock.advance(4.9)
        await turns()
        assert mirror.in_flight == 1
        clock.advance(0.2)
        await idle(mirror)
        assert mirror.fates == {Fate.LATE: 1}
    assert clock.waiting == 0


async def test_the_deadline_is_known() -> None:
    """What answers the shadow can see how long it has; the exchange's own deadline is the primary's business."""
    clock = FakeClock()
    shadowed = Shadowed()
    mirror = Mirror(shadowed, deadline=5, clock=clock)
    asked = exchange()
    await mirror(asked, primary)
    await idle(mirror)
    assert asked.deadline is None
    assert shadowed.exchanges[0].deadline == clock.now() + 5


async def test_a_huge_answer() -> None:
    """An answer is read, so that its connection can be used again, but only so far: then it is closed."""
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 1000
            yield b"x" * 1000

    class Closable(StreamBody):
        closed = 0

        def close(self) -> None:
            Closable.closed += 1

    mirror = Mirror(Shadowed(lambda: Response(200, body=Closable(endless()))), answer=10_000)
    await mirror(exchange(), primary)
    await idle(mirror)
    assert read == 11_000
    assert Closable.closed == 1
    assert mirror.fates == {Fate.ANSWERED: 1}


async def test_stopping() -> None:
    """What is under way is cancelled and has ended when ``stop`` returns; nothing is mirrored after it, until it is
    started again."""
    shadowed, finished = Shadowed(open=False), []

    async def shadow(exchange: Exchange) -> Response:
        exchange.defer(lambda: finished.append(exchange))
        return await shadowed(exchange)

    mirror = Mirror(shadow)
    async with running(mirror):
        await mirror(exchange(), primary)
        await turns()
        await mirror(exchange(), primary)  # not even begun
    assert mirror.in_flight == 0
    assert mirror.fates == {Fate.STOPPED: 2}
    assert finished == shadowed.exchanges
    assert len(finished) == 1
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert (await mirror(exchange(), primary)).status == 200
    assert mirror.in_flight == 0
    shadowed.gate.set()
    async with running(mirror):
        await mirror(exchange(), primary)
        await idle(mirror)
    assert mirror.fates == {Fate.STOPPED: 2, Fate.ANSWERED: 1}


async def test_nothing_is_left_behind() -> None:
    """A shadow that is over is garbage: neither the mirror nor the loop keeps it."""
    shadowed = Shadowed()
    mirror = Mirror(shadowed, methods=["PUT"], compare=difference)

    async def ask(body: Body) -> None:
        asked = exchange("PUT", body=body)
        await mirror(asked, primary)
        asked.finish()

    makes: list[Callable[[], Body]] = [Body, lambda: Body(b"data"), lambda: stream(b"data")]
    for make in makes:
        await ask(make())
    await idle(mirror)
    await turns()
    left = [weakref.ref(each) for each in shadowed.exchanges]
    shadowed.exchanges.clear()
    gc.collect()
    assert [each() for each in left] == [None] * 3


# Comparing.


def bodies(primary_body: bytes, shadow_body: bytes, *, pieces: int = 0) -> tuple[Handler, Handler]:
    def answering(body: bytes) -> Handler:
        async def answer(exchange: Exchange) -> Response:
            parts = [body[at : at + pieces] for at in range(0, len(body), pieces)] if pieces else []
            return Response(200, {"X-A": "b"}, stream(*parts) if pieces else Body(body))

        return answer

    return answering(primary_body), answering(shadow_body)


async def deliver(mirror: Mirror, asked: Exchange, handler: Handler) -> bytes:
    """What the edge does."""
    response = await mirror(asked, handler)
    delivered = await response.body.read(1 << 20)
    asked.finish()
    return delivered


@pytest.mark.parametrize("pieces", [0, 3])
@pytest.mark.parametrize(
    ("shadow_body", "expected"), [(b"same body", None), (b"other", "a body of 5 bytes that is not the one of 9")]
)
async def test_bodies_that_are_compared(pieces: int, shadow_body: bytes, expected: str | None) -> None:
    """Both answers are compared when both are over, and the primary's is delivered as it is. What differs is told;
    values of the query are not (S-72)."""
    handler, shadow = bodies(b"same body", shadow_body, pieces=pieces)
    mirror = Mirror(shadow, compare=difference)
    events = heard(mirror)
    assert await deliver(mirror, exchange("GET", "/a?b=secret"), handler) == b"same body"
    await idle(mirror)
    assert events == ([] if expected is None else [ShadowDiffers("mirror", "GET", "/a?b=secret", expected)])
    if events:
        assert str(events[0]) == f"mirror: GET /a?b=...: {expected}"
    assert mirror._budget.held == 0


async def test_what_is_compared() -> None:
    """A function gets both answers: status, fields, body or that it was too large, the error, and the exchange."""
    seen: list[tuple[Answer, Answer]] = []

    def compare(primary: Answer, shadow: Answer) -> str | None:
        seen.append((primary, shadow))
        return None

    async def fail(exchange: Exchange) -> Response:
        raise ConnectFailed("down")

    asked = exchange()
    handler, _ = bodies(b"x" * 200, b"", pieces=7)
    mirror = Mirror(fail, compare=compare, budget=100)
    assert await deliver(mirror, asked, handler) == b"x" * 200
    await idle(mirror)
    ((primary, shadow),) = seen
    assert (primary.exchange, primary.status, primary.headers["x-a"], primary.body) == (asked, 200, "b", None)
    assert (shadow.status, shadow.body, type(shadow.error)) == (None, None, ConnectFailed)
    assert shadow.exchange.inbound is asked.inbound
    assert difference(primary, shadow) == "status ConnectFailed('down') instead of 200"
    assert mirror.fates == {Fate.FAILED: 1}


async def test_fields_stay_undecoded() -> None:
    """The primary's answer goes to the client as the bytes that it came as, also where it is compared."""

    async def handler(exchange: Exchange) -> Response:
        return response_of_lines(200, "OK", b"X-A: b\r\n", None, False)

    fields: list[str] = []

    def compare(primary: Answer, shadow: Answer) -> str | None:
        fields.append(primary.headers["x-a"])
        return None

    mirror = Mirror(Shadowed(), compare=compare)
    asked = exchange()
    response = await mirror(asked, handler)
    assert response.lines == b"X-A: b\r\n"
    asked.finish()
    await idle(mirror)
    assert fields == ["b"]


async def test_what_is_not_compared() -> None:
    """An answer that the client did not take to its end, or that was cut, is not compared; nor is one for which the
    client is to blame."""

    def compare(primary: Answer, shadow: Answer) -> str | None:
        raise AssertionError("compared")

    async def cut(exchange: Exchange) -> Response:
        return Response(200, body=stream(b"x", error=Truncated("cut")))

    def raising(error: Exception) -> Handler:
        async def fail(exchange: Exchange) -> Response:
            raise error

        return fail

    handler, shadow = bodies(b"x" * 10, b"x" * 10, pieces=1)
    for unfinished in (handler, cut, raising(ClientDisconnected("gone")), raising(Interrupted())):
        mirror = Mirror(shadow, compare=compare)
        asked = exchange()
        with suppress(ClientDisconnected, Interrupted):
            response = await mirror(asked, unfinished)
            async for _ in response.body:
                break
            response.body.close()
        asked.finish()
        await idle(mirror)
        assert mirror.fates == {Fate.ANSWERED: 1}
        assert mirror._budget.held == 0


async def test_the_primary_is_not_waited_for_for_ever() -> None:
    """A shadow whose primary is still being delivered at the deadline is not compared, and nothing is held for it any
    more, but its load ended with its own answer."""
    clock = FakeClock()
    handler, _ = bodies(b"x" * 10, b"", pieces=1)
    upstream = Upstream("http://a.test", transport=FakeTransport(Response(200, body=Body(b"xyz"))), clock=clock)
    mirror = Mirror(upstream, compare=difference, clock=clock)
    async with running(mirror):
        asked = exchange()
        response = await mirror(asked, handler)
        chunks = aiter(response.body)
        await anext(chunks)
        await turns()
        assert upstream.endpoints[0].in_flight == 0
        assert mirror._budget.held == 4
        clock.advance(11)
        await idle(mirror)
        assert mirror.fates == {Fate.LATE: 1}
        assert mirror._budget.held == 0
        assert b"".join([chunk async for chunk in chunks]) == b"x" * 9
        assert mirror._budget.held == 0
        asked.finish()


async def test_a_comparison_that_fails(caplog: pytest.LogCaptureFixture) -> None:
    """What ``compare`` raises is logged, and nothing else."""

    def compare(primary: Answer, shadow: Answer) -> str | None:
        raise LookupError("a bug")

    mirror = Mirror(Shadowed(), compare=compare)
    assert await deliver(mirror, exchange(), primary) == b"primary"
    await idle(mirror)
    assert "a comparison with a shadow failed: LookupError('a bug')" in caplog.text
    assert mirror.fates == {Fate.ANSWERED: 1}


# Compositions.


def test_it_shortcuts() -> None:
    """Law 12: around a table of rules it is refused; inside of one it is at home. What it holds is found."""
    shadow = Upstream("http://shadow.test")
    mirror = Mirror(shadow)
    site = Upstream("http://site.test")
    rules = Rules(Rule(when.anything, site))
    with pytest.raises(ValueError, match="must not stand around"):
        ProxyHandler(rules, filters=[mirror])
    proxy = ProxyHandler(Rules(Rule(when.path("/a/*"), Pipeline(mirror, handler=site)), Rule(when.anything, site)))
    assert {mirror, shadow, site} <= set(walk(proxy.root))


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"share": -0.1}, ValueError),
        ({"share": float("nan")}, ValueError),
        ({"methods": ["HEAD"]}, ValueError),
        ({"methods": "GET"}, ValueError),
        ({"methods": ["G T"]}, ValueError),
        ({"limit": 0}, ValueError),
        ({"budget": 0}, ValueError),
        ({"total": 1.5}, ValueError),
        ({"answer": True}, ValueError),
        ({"deadline": 0}, ValueError),
        ({"deadline": float("inf")}, ValueError),
        ({"host_suffix": "\r\nX: y"}, ValueError),
        ({"host_suffix": ":80"}, ValueError),
        ({"shadow": None}, TypeError),
    ],
    ids=str,
)
def test_settings_that_are_none(wrong: dict[str, Any], error: type[Exception]) -> None:
    """What a parameter must not be is refused, by its name."""
    with pytest.raises(error, match=next(iter(wrong))):
        Mirror(**{"shadow": respond(200), **wrong})


def test_fields_that_are_none() -> None:
    """What must not reach a wire is refused when the mirror is made."""
    with pytest.raises(ValueError, match="control"):
        Mirror(respond(200), fields={"X-A": "a\r\nb"})


@pytest.mark.parametrize("streamed", [True, False])
async def test_the_budget_of_all_bodies(streamed: bool) -> None:
    """S-52: a shadow whose body has no room among all that is held is given up, and the primary is not; whatever became
    of it, nothing stays held."""
    bodies = BodyBudget(20)
    assert bodies.take(15)
    shadow = Shadowed(open=False)
    mirror = Mirror(shadow, methods=["POST"], bodies=bodies, clock=FakeClock())
    asked = exchange("POST", body=stream(b"0123456789") if streamed else b"0123456789")
    assert (await mirror(asked, primary)).body.data == b"0123456789"
    asked.finish()
    await idle(mirror)
    assert mirror.fates == {Fate.TOO_MUCH: 1}
    assert bodies.held == 15
    bodies.give(15)
    shadow.gate.set()
    asked = exchange("POST", body=stream(b"0123456789") if streamed else b"0123456789")
    await mirror(asked, primary)
    asked.finish()
    await idle(mirror)
    assert mirror.fates[Fate.ANSWERED] == 1
    assert bodies.held == 0
    with pytest.raises(TypeError, match="bodies: 3 is not a BodyBudget"):
        Mirror(shadow, bodies=3)  # type: ignore[arg-type]


async def test_drawn_once() -> None:
    """The share is one of requests: one that was not drawn is not drawn again for a further attempt."""
    shadowed, failed = Shadowed(), list[int]()

    async def flaky(exchange: Exchange) -> Response:
        failed.append(1)
        if len(failed) % 2:
            raise ConnectFailed("x")
        return Response(200)

    mirror = Mirror(shadowed, share=0.5, limit=10_000, rng=Random(1))
    handler = Pipeline(Retry(base=0, budget=RetryBudget(1)), mirror, handler=flaky)
    for _ in range(2_000):
        asked = exchange()
        assert (await handler(asked)).status == 200
        asked.finish()
    await idle(mirror)
    assert len(shadowed.exchanges) == pytest.approx(1_000, abs=100)
