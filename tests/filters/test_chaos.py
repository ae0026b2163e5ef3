"""Faults on purpose: which, how often, and always the same ones by the same seed."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from revproxy import Body, Exchange, Response, Upstream
from revproxy.body import StreamBody
from revproxy.errors import ConnectionLost, Truncated
from revproxy.filters import Abort, Chaos, Delay, Throttle, Truncate
from revproxy.testing import FakeClock, FakeTransport, FakeUpstream, exchange, respond

from ..e2e.wire import GET, serving


async def whole(exchange: Exchange) -> Response:
    return Response(200, body=Body(b"0123456789"))


async def streamed(exchange: Exchange) -> Response:
    async def pieces() -> object:
        yield b"0123"
        yield b"456789"

    return Response(200, body=StreamBody(pieces(), length=10))  # type: ignore[arg-type]


async def test_shares_and_seeds() -> None:
    """A share is what it says over many exchanges; the same seed gives the same faults, whatever happens between."""

    async def statuses(seed: int) -> list[int]:
        subject = Chaos(Abort(share=0.2, status=500), Abort(share=0.5, status=503), rng=Random(seed))
        return [(await subject(exchange(), whole)).status for _ in range(2000)]

    seen = Counter(await statuses(1))
    assert seen[500] / 2000 == pytest.approx(0.2, abs=0.03)
    assert seen[503] / 2000 == pytest.approx(0.4, abs=0.03)
    assert await statuses(1) == await statuses(1) != await statuses(2)


async def test_aborts() -> None:
    """With a status, or as if the server had gone; the handler is not asked."""
    transport = FakeTransport()
    upstream = Upstream("http://a.test", transport=transport)
    assert (await Chaos(Abort(status=418))(exchange(), upstream)).status == 418
    with pytest.raises(ConnectionLost):
        await Chaos(Abort(status=None))(exchange(), upstream)
    assert transport.attempts == []


async def test_delays() -> None:
    """By the clock, with jitter."""
    clock = FakeClock()
    clock_was = clock.now()
    subject = Chaos(Delay(seconds=2, jitter=1), rng=Random(3), clock=clock)
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    clock.sleep = sleep  # type: ignore[method-assign]
    for _ in range(100):
        assert (await subject(exchange(), whole)).status == 200
    assert 2 <= min(waited) < 2.1 < 2.9 < max(waited) < 3
    assert clock.now() == clock_was


@pytest.mark.parametrize("handler", [whole, streamed])
@pytest.mark.parametrize("size", [0, 1, 4, 9])
async def test_truncates(handler: object, size: int) -> None:
    """As many bytes come, then it fails; the length stays declared, so that nobody takes it for the whole."""
    response = await Chaos(Truncate(size=size))(exchange(), handler)  # type: ignore[arg-type]
    assert response.body.length == 10
    chunks, got = aiter(response.body), b""
    while len(got) < size:
        got += await anext(chunks)
    with pytest.raises(Truncated):
        await anext(chunks)
    assert got == b"0123456789"[:size]


@pytest.mark.parametrize("size", [10, 11])
async def test_what_is_shorter_is_whole(size: int) -> None:
    response = await Chaos(Truncate(size=size))(exchange(), streamed)
    assert await response.body.read(10) == b"0123456789"


async def test_throttles() -> None:
    """A body takes as long as its rate says."""
    clock = FakeClock()
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    clock.sleep = sleep  # type: ignore[method-assign]
    response = await Chaos(Throttle(rate=20), clock=clock)(exchange(), whole)
    assert [chunk async for chunk in response.body] == [b"01", b"23", b"45", b"67", b"89"]
    assert sum(slept) == pytest.approx(0.5)


async def test_switched_off() -> None:
    subject = Chaos(Abort())
    subject.enabled = False
    assert (await subject(exchange(), whole)).status == 200
    assert repr(subject).endswith(", off)")


async def test_a_client_sees_a_cut() -> None:
    """Over real connections: the load is released, the upstream's connection is not used again, the client is cut."""
    async with FakeUpstream() as server:
        server.always(respond(200, body=b"x" * 100_000))
        upstream = Upstream(server.url)

        async def faulty(asked: Exchange) -> Response:
            return await Chaos(Truncate(size=10))(asked, upstream)

        async with serving(faulty) as site, site.connect() as client:
            await client.send(GET)
            head = await client.head()
            assert head.status == 200
            with pytest.raises((ConnectionError, EOFError, AssertionError)):
                await client.exactly(100_000)
        assert upstream.endpoints[0].in_flight == 0


@pytest.mark.parametrize(
    ("fault", "options", "says"),
    [
        (Abort, {"share": 1.5}, "share"),
        (Abort, {"status": 99}, "status"),
        (Delay, {"seconds": -1}, "seconds"),
        (Delay, {"seconds": 1, "jitter": float("inf")}, "jitter"),
        (Truncate, {"size": -1}, "size"),
        (Throttle, {"rate": 0}, "rate"),
        (Throttle, {"rate": 1, "share": -0.1}, "share"),
    ],
)
def test_bad_settings(fault: type[object], options: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        fault(**options)
    with pytest.raises(TypeError, match="faults"):
        Chaos(fault)  # type: ignore[arg-type]
