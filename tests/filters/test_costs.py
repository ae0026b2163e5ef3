"""What requests turn out to have cost. (How it is settled: test_rate_limit.py.)"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy import ProxyHandler, Response, Upstream
from revproxy.body import EMPTY, Body, StreamBody
from revproxy.filters import Bytes, Milliseconds, RateLimit
from revproxy.limiters import Gcra
from revproxy.testing import FakeClock, FakeUpstream, respond

from ..e2e.wire import GET, serving


class Sink:
    """Takes all at once."""

    paused = False

    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes) -> None:
        self.data += data

    def on_resume(self, callback: object) -> None:
        raise AssertionError

    async def drain(self) -> None:
        raise AssertionError


async def pieces(of: list[bytes]) -> AsyncIterator[bytes]:
    for each in of:
        yield each


@given(st.lists(st.binary(max_size=20), max_size=10), st.booleans(), st.integers(0, 10))
async def test_bytes_of_a_stream(chunks: list[bytes], pump: bool, taken: int) -> None:
    """S-50: what has passed counts, pulled or pumped, and no more than that if the client goes away in between."""
    response = Response(200, body=StreamBody(pieces(chunks)))
    measured = Bytes().measure(response, 0.0)
    assert measured(0.0) == 0
    if pump:
        sink = Sink()
        await response.body.pump(sink)
        assert sink.data == b"".join(chunks)
        assert measured(1.0) == len(sink.data)
    else:
        passed = 0
        async for chunk in response.body:
            passed += len(chunk)
            taken -= 1
            if taken < 0:
                break
        assert measured(1.0) == passed
        response.body.close()


@pytest.mark.parametrize(("body", "size"), [(EMPTY, 0), (Body(), 0), (Body(b"x" * 7), 7), (Body.unsized(b"x" * 7), 7)])
def test_bytes_in_memory(body: Body, size: int) -> None:
    """A body that is there is counted as it stands, and stays what it is."""
    response = Response(200, body=body)
    assert Bytes().measure(response, 0.0)(1.0) == size
    assert response.body is body


def test_no_response() -> None:
    """What has failed has sent nothing, and taken its time."""
    assert Bytes().measure(None, 2.0)(2.0) == 0
    assert Milliseconds().measure(None, 2.0)(2.0) == 2000


def test_milliseconds() -> None:
    """To the end of the body; of a WebSocket to where it was switched."""
    assert Milliseconds().measure(Response(200), 0.5)(2.0) == 2000
    assert Milliseconds().measure(Response(101), 0.5)(3600.0) == 500


async def test_bytes_on_the_wire() -> None:
    """S-50: through a real proxy and its pump: the bytes of the body, and neither head nor chunk sizes."""
    limiter = Gcra(1.0, 1e6)
    clock = FakeClock()
    async with FakeUpstream() as server:
        server.on("/", respond(body=b"x" * 300_000, chunked=True))
        limit = RateLimit(limiter, cost=Bytes(reserve=1000), clock=clock)
        async with serving(ProxyHandler(Upstream(server.url), filters=[limit])) as site, site.connect() as client:
            await client.send(GET)
            assert (await client.response()).body == b"x" * 300_000
            await client.send(GET)
            await client.response()
    assert limiter.peek(bytes((127, 0, 0, 1)), clock.now(), 0).remaining == 400_000


def test_printed() -> None:
    """By its name, and what it reserves."""
    assert [repr(each) for each in (Bytes(), Milliseconds(reserve=20))] == ["Bytes()", "Milliseconds(reserve=20)"]
