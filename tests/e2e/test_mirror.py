"""Shadow traffic over sockets: the shadow's server gets the same, and the client's connection cannot tell."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from revproxy import Filter, Limits, Pipeline, ProxyHandler, Upstream
from revproxy.events import Event
from revproxy.routing import Fate, Mirror, ShadowDiffers, difference
from revproxy.testing import (
    FakeUpstream,
    Step,
    close,
    head,
    hold,
    ignore_body,
    pattern,
    raw,
    read_body,
    reset,
    respond,
    stall,
    stop_reading,
    truncate,
)

from ..wire import until
from .wire import GET, Client, serving

MIB = 1 << 20


class Setup:
    """A server that is mirrored, one that is the shadow's, the mirror, and a client."""

    def __init__(self, real: FakeUpstream, shadow: FakeUpstream, mirror: Mirror) -> None:
        self.real, self.shadow, self.mirror = real, shadow, mirror
        self.client: Client

    async def over(self) -> None:
        await until(lambda: not self.mirror.in_flight)


@asynccontextmanager
async def mirrored(*outer: Filter, limits: Limits | None = None, **options: Any) -> AsyncIterator[Setup]:
    options.setdefault("methods", ["GET", "POST"])
    async with FakeUpstream() as real, FakeUpstream() as shadow:
        mirror = Mirror(Upstream(shadow.url, name="shadow", limits=limits or Limits(idle=60)), **options)
        handler = Pipeline(*outer, mirror, handler=Upstream(real.url, name="real", limits=Limits(idle=60)))
        setup = Setup(real, shadow, mirror)
        async with serving(ProxyHandler(handler, via=None)) as site, site.connect() as client:
            setup.client = client
            yield setup
        real.release()
        shadow.release()
        assert mirror.in_flight == 0
        assert mirror._budget.held == 0


def post(body: bytes, *fields: bytes) -> bytes:
    lines = [b"POST /up?x=%20 HTTP/1.1", b"Host: a.test", b"Content-Length: %d" % len(body), *fields]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


async def test_byte_for_byte() -> None:
    """The shadow's server gets the head that the real one gets, but for its mark and its own host, and the same
    body."""
    async with mirrored() as setup:
        await setup.client.send(post(b"x" * 5000, b"X-A: caf\xe9", b"x-a: 2"))
        assert (await setup.client.response()).body == b"ok"
        (real,) = await setup.real.wait_requests(complete=True)
        (shadow,) = await setup.shadow.wait_requests(complete=True)
        lines = [line for line in real.raw_head.split(b"\r\n") if not line.startswith(b"Host: ")]
        copied = [line for line in shadow.raw_head.split(b"\r\n") if not line.startswith(b"Host: ")]
        assert sorted(copied) == sorted([*lines, b"X-Shadow: 1"])
        assert shadow.body == real.body == b"x" * 5000
        await setup.over()
        assert setup.mirror.fates == {Fate.ANSWERED: 1}


async def test_a_host_as_envoy_has_it() -> None:
    """With a suffix the shadow is told the host that the client asked for, and that it is a shadow."""
    async with mirrored(host_suffix="-shadow", fields={}) as setup:
        await setup.client.send(GET)
        await setup.client.response()
        (shadow,) = await setup.shadow.wait_requests()
        assert shadow.getall("Host") == ["a.test-shadow"]
        assert shadow.getall("X-Shadow") == []


@pytest.mark.parametrize("framing", ["length", "chunked"])
async def test_an_upload_that_streams(framing: str) -> None:
    """An upload that is larger than anything that is held reaches both, each at its own pace, as long as the shadow's
    server reads it."""
    async with mirrored(budget=4 * MIB) as setup:
        setup.real.always(read_body(), respond())
        setup.shadow.always(read_body(), respond())
        body = b"".join(pattern(16 * MIB))
        if framing == "length":
            await setup.client.send(post(body))
        else:
            await setup.client.send(b"POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n")
            for at in range(0, len(body), MIB):
                await setup.client.send(b"%x\r\n%b\r\n" % (MIB, body[at : at + MIB]))
            await setup.client.send(b"0\r\n\r\n")
        assert (await setup.client.response()).status == 200
        await setup.over()
        assert setup.mirror.fates == {Fate.ANSWERED: 1}
        expected = hashlib.sha256(body).hexdigest()
        assert setup.real.requests[0].sha256 == setup.shadow.requests[0].sha256 == expected
        assert setup.shadow.requests[0].getall("Content-Length") == ([str(len(body))] if framing == "length" else [])


async def test_expect_continue() -> None:
    """F-78: the client is told to send its body when the real upstream says so; the shadow gets it without ever having
    been asked."""
    async with mirrored() as setup:
        go = asyncio.Event()
        setup.real.always(hold(go), raw(b"HTTP/1.1 100 Continue\r\n\r\n"), read_body(), respond(body=b"done"))
        setup.shadow.always(read_body(), respond())
        await setup.client.send(b"POST / HTTP/1.1\r\nHost: a.test\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        await setup.shadow.wait_requests()
        assert setup.shadow.requests[0].getall("Expect") == []
        go.set()
        await setup.client.gets(b"HTTP/1.1 100 Continue\r\n\r\n")
        await setup.client.send(b"hello")
        assert (await setup.client.response()).body == b"done"
        await setup.over()
        assert setup.shadow.requests[0].body == setup.real.requests[0].body == b"hello"


async def test_expect_and_a_refusal() -> None:
    """An upload that the real upstream does not want is not asked for on the shadow's behalf."""
    async with mirrored() as setup:
        setup.real.always(ignore_body(), respond(413, headers={"Connection": "close"}))
        setup.shadow.always(read_body(), respond())
        await setup.client.send(b"POST / HTTP/1.1\r\nHost: a.test\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        assert (await setup.client.head()).status == 413
        await setup.over()
        assert setup.mirror.fates == {Fate.INCOMPLETE: 1}


@pytest.mark.parametrize(
    "steps",
    [
        [stall()],
        [head(headers={"Content-Length": "1000"}), raw(b"x"), stall()],
        [reset()],
        [close()],
        [raw(b"nonsense\r\n\r\n"), close()],
        [truncate(10, 1000)],
        [respond(500)],
        [head(headers={"Content-Length": str(64 * MIB)}), *[raw(bytes(MIB))] * 64],
        [raw(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"), respond()],
    ],
    ids=["silent", "stuck", "reset", "closed", "nonsense", "truncated", "failing", "huge", "1xx"],
)
@pytest.mark.parametrize("compare", [None, difference])
async def test_whatever_the_shadow_does(steps: list[Step], compare: Any) -> None:
    """The client has its answer, byte for byte, and the next on the same connection, whether the shadow is over or
    not."""
    async with mirrored(compare=compare) as setup:
        setup.shadow.errors.clear()
        setup.shadow.always(*steps)
        for number in range(3):
            setup.real.respond(200, body=b"answer %d" % number)
            await setup.client.send(GET)
            raw_answer = await setup.client.response()
            assert (raw_answer.status, raw_answer.body) == (200, b"answer %d" % number)
            assert raw_answer.getall(b"Link") == []


async def test_a_shadow_that_reads_nothing() -> None:
    """An upload passes the primary at full pace, while its shadow, whose server reads nothing, is given up."""
    async with mirrored(budget=64 * 1024) as setup:
        setup.real.always(read_body(), respond())
        setup.shadow.always(stop_reading(), stall())
        body = bytes(16 * MIB)
        await setup.client.send(post(body))
        assert (await setup.client.response()).status == 200
        await setup.over()
        assert setup.mirror.fates == {Fate.TOO_MUCH: 1}
        assert len(setup.real.requests[0].body) == MIB  # as much as is recorded
        assert setup.real.requests[0].complete
        await setup.shadow.wait_closed_connections()


async def test_no_endpoint() -> None:
    """A shadow whose server is not there is a failure of the shadow's."""
    async with FakeUpstream() as gone:
        url = gone.url
    async with FakeUpstream() as real:
        mirror = Mirror(Upstream(url, name="shadow"))
        handler = Pipeline(mirror, handler=Upstream(real.url))
        async with serving(ProxyHandler(handler)) as site, site.connect() as client:
            await client.send(GET)
            assert (await client.response()).body == b"ok"
            await until(lambda: not mirror.in_flight)
            assert mirror.fates == {Fate.FAILED: 1}


async def test_a_client_that_leaves() -> None:
    """F-48: one that leaves in the middle of its upload takes the shadow with it; what was whole goes on."""
    async with mirrored() as setup:
        setup.real.always(read_body(), respond())
        setup.shadow.always(read_body(), respond())
        await setup.client.send(post(b"x" * 1000)[:-500])
        await setup.shadow.wait_requests()
        setup.client.close()
        await setup.over()
        assert setup.mirror.fates == {Fate.INCOMPLETE: 1}
        await setup.shadow.wait_closed_connections()
        setup.shadow.errors.clear()
        setup.real.errors.clear()


async def test_a_client_that_leaves_its_answer() -> None:
    """The shadow of a request that was whole is answered although the client has left."""
    async with mirrored() as setup:
        go = asyncio.Event()
        setup.real.always(stall())
        setup.shadow.always(hold(go), respond())
        await setup.client.send(GET)
        await setup.shadow.wait_requests()
        await setup.real.wait_requests()
        setup.client.close()
        await setup.real.wait_closed_connections()
        go.set()
        await setup.over()
        assert setup.mirror.fates == {Fate.ANSWERED: 1}


@pytest.mark.parametrize("size", [10, 100_000, 3 * MIB])
async def test_comparing_a_download(size: int) -> None:
    """The primary's answer passes byte for byte, pumped as without a mirror, and what of it fits the budget is
    compared."""
    told: list[Event] = []
    async with mirrored(compare=difference, budget=MIB) as setup:
        setup.mirror._listeners = (*setup.mirror._listeners, told.append)
        body = b"".join(pattern(size))
        setup.real.respond(200, body=body)
        setup.shadow.respond(200, body=b"y" * (size - 1))
        await setup.client.send(GET)
        assert (await setup.client.response()).body == body
        await setup.over()
        expected = f"a body of {size - 1} bytes that is not the one of {size}"
        assert told == ([ShadowDiffers("mirror", "GET", "/", expected)] if size < MIB else [])
        setup.mirror._listeners = ()


async def test_keep_alive_is_kept() -> None:
    """A huge answer of the shadow's is read to its end, so its connection is used again; so is the client's."""
    async with mirrored() as setup:
        setup.shadow.respond(200, body=bytes(4 * MIB))
        for number in range(3):
            await setup.client.send(GET)
            assert (await setup.client.response()).body == b"ok"
            await setup.shadow.wait_requests(number + 1)
            await setup.over()
        assert setup.shadow.connections == 1
        assert setup.real.connections == 1


async def test_at_the_end() -> None:
    """When the application ends, shadows that are stuck are cancelled, and their connections closed."""
    async with mirrored(deadline=1000) as setup:
        setup.shadow.always(stall())
        await setup.client.send(GET)
        assert (await setup.client.response()).status == 200
        await setup.shadow.wait_requests()
        assert setup.mirror.in_flight == 1
    assert setup.mirror.fates == {Fate.STOPPED: 1}
