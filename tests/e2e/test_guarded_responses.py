"""Responses that are looked at between sockets: what they have to be, and what they must not say."""

from __future__ import annotations

import asyncio
import logging

import pytest

from revproxy import Pipeline, ProxyHandler, Upstream, respond
from revproxy.codings import encoder
from revproxy.errors import ResponseRefused
from revproxy.filters import ValidateResponse
from revproxy.filters.leaks import LEAKS, InspectResponse
from revproxy.testing import FakeUpstream, head, hold, raw
from revproxy.testing import respond as answer

from .seen import Seen
from .wire import GET, serving

HTML = {"Content-Type": "text/html"}
JSON = {"Content-Type": "application/json"}
TRACE = (
    b"<h1>Oops</h1>Traceback (most recent call last):<br>  File \"/srv/app.py\", line 3, in f<br>KeyError: 'hunter2'"
)
ORDER = {"type": "object", "properties": {"id": {"type": "integer"}}, "additionalProperties": False}


@pytest.mark.parametrize("coding", ["", "gzip", "br", "zstd"])
async def test_a_leak_is_an_answer(coding: str, caplog: pytest.LogCaptureFixture) -> None:
    """S-62, S-64: what a server says of its inside is a 502 to the client, which learns nothing of it; the log has its
    shape, and the connection goes on."""
    seen = Seen()
    inspect = InspectResponse()
    putting_on = encoder(coding)
    sent = TRACE if putting_on is None else putting_on.feed(TRACE) + putting_on.finish()
    headers = {**HTML, **({"Content-Encoding": coding} if coding else {})}
    async with FakeUpstream() as server:
        proxy = ProxyHandler(Upstream(server.url), filters=[inspect], observers=[seen])
        async with serving(proxy) as site, site.connect() as client:
            server.once(answer(body=sent, headers=headers))
            server.always(answer(body=b"<p>fine", headers=HTML))
            await client.send(GET)
            refused = await client.final()
            assert refused.status == 502
            for told in (b"hunter2", b"Traceback", b"python", b"app.py", b"leak"):
                assert told not in refused.body
            await client.send(GET)
            assert (await client.final()).body == b"<p>fine"
    assert [type(error) for error in seen.errors] == [ResponseRefused]
    assert "python-error-01" in caplog.text
    assert "hunter2" not in caplog.text
    assert inspect.stopped == 1


async def test_a_page_instead() -> None:
    """A page of one's own may answer, and what was found is on the exchange."""
    async with (
        FakeUpstream() as server,
        serving(Pipeline(InspectResponse(then=respond(503, b"later")), handler=Upstream(server.url))) as site,
    ):
        server.always(answer(500, body=TRACE, headers=HTML))
        told = await site.ask(GET)
        assert (told.status, told.body) == (503, b"later")


async def test_a_leak_in_the_middle() -> None:
    """F-55, S-65: beyond what is held the connection is cut; what came in the same piece has not gone out."""
    release = asyncio.Event()
    async with (
        FakeUpstream() as server,
        serving(Pipeline(InspectResponse(hold=1000), handler=Upstream(server.url))) as site,
        site.connect() as client,
    ):
        server.always(head(headers=HTML), raw(b"x " * 1000), hold(release), raw(TRACE))
        await client.send(GET)
        await client.head()
        size = int(await client.until(b"\r\n"), 16)
        assert await client.exactly(size) == b"x " * 1000
        release.set()
        assert b"0\r\n\r\n" not in await client.rest()


async def test_events() -> None:
    """F-71: events are at the client's before more comes, though all are looked at."""
    release = asyncio.Event()
    async with (
        FakeUpstream() as server,
        serving(Pipeline(InspectResponse(), ValidateResponse(body=True), handler=Upstream(server.url))) as site,
        site.connect() as client,
    ):
        server.always(
            head(headers={"Content-Type": "text/event-stream"}), raw(b"data: 1\n\n"), hold(release), raw(b"data: x\n\n")
        )
        await client.send(GET)
        await client.head()
        size = int(await client.until(b"\r\n"), 16)
        assert await client.exactly(size) == b"data: 1\n\n"
        release.set()
        assert b"data: x" not in await client.rest()


async def test_a_schema(caplog: pytest.LogCaptureFixture) -> None:
    """S-62: what does not fit is a 502, of which the client sees no byte, and the log no value."""
    caplog.set_level(logging.WARNING, "revproxy.security")
    async with (
        FakeUpstream() as server,
        serving(Pipeline(ValidateResponse(statuses=[200], body=ORDER), handler=Upstream(server.url))) as site,
        site.connect() as client,
    ):
        server.once(answer(body=b'{"id": 7}', headers=JSON))
        server.once(answer(body=b'{"id": "hunter2"}', headers=JSON))
        server.once(answer(418, body=b"hunter2", headers=JSON))
        server.always(answer(body=b'{"id": 8}', headers=JSON))
        for status, body in ((200, b'{"id": 7}'), (502, None), (502, None), (200, b'{"id": 8}')):
            await client.send(GET)
            told = await client.final()
            assert told.status == status
            assert body is None or told.body == body
            assert b"hunter2" not in told.body
            assert b"#/id" not in told.body
    assert 'block 502 for "body: type at #/id"' in caplog.text
    assert 'block 502 for "status 418"' in caplog.text
    assert "hunter2" not in caplog.text


async def test_too_large_in_the_middle() -> None:
    """S-51: a size that is found too large when the head is out is a cut."""
    release = asyncio.Event()
    async with (
        FakeUpstream() as server,
        serving(Pipeline(ValidateResponse(max_size=3000, hold=1000), handler=Upstream(server.url))) as site,
        site.connect() as client,
    ):
        server.always(head(headers=HTML), raw(b"x" * 2000), hold(release), raw(b"y" * 2000))
        await client.send(GET)
        await client.head()
        size = int(await client.until(b"\r\n"), 16)
        assert await client.exactly(size) == b"x" * 2000
        release.set()
        rest = await client.rest()
        assert b"0\r\n\r\n" not in rest
        assert b"y" not in rest


async def test_skipped_types_go_on_as_they_are() -> None:
    """What is not looked into is framed as it came."""
    async with (
        FakeUpstream() as server,
        serving(Pipeline(InspectResponse(), ValidateResponse(max_size=1 << 20), handler=Upstream(server.url))) as site,
    ):
        server.always(answer(body=TRACE, headers={"Content-Type": "image/png", "ETag": '"x"'}))
        told = await site.ask(GET)
        assert told.body == TRACE
        assert told.getall(b"ETag") == [b'"x"']
        assert told.getall(b"Content-Length") == [str(len(TRACE)).encode()]


def test_what_was_found_has_a_name() -> None:
    """Handlers further out read it there."""
    assert repr(LEAKS) == "Key('leaks')"
