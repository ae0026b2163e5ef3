"""Responses of which only some members leave, or that are edited, between sockets."""

from __future__ import annotations

import asyncio
import gzip
import re

from revproxy import Pipeline, ProxyHandler, Upstream
from revproxy.errors import ResponseRefused
from revproxy.filters import JsonFields, MapJson, ReplaceText
from revproxy.testing import FakeUpstream, head, hold, raw, respond

from .seen import Seen
from .wire import GET, serving

JSON = {"Content-Type": "application/json"}


async def test_all_of_them() -> None:
    """F-110, S-65: three filters around each other, of a response in a coding, which is undone once."""
    sent = gzip.compress(b'{"items":[{"id":1,"url":"http://internal/1","secret":"x"}]}', mtime=0)
    filters = (
        ReplaceText({re.compile(r"http://\w{1,20}/"): "https://example.com/"}),
        MapJson(lambda item: {**item, "new": True}, each="items[*]"),
        JsonFields(only=["items[*].id", "items[*].url"]),
    )
    async with (
        FakeUpstream() as server,
        serving(Pipeline(*filters, handler=Upstream(server.url))) as site,
        site.connect() as client,
    ):
        server.always(respond(body=sent, headers={**JSON, "Content-Encoding": "gzip"}))
        for _ in range(2):
            await client.send(GET)
            answer = await client.final()
            wanted = b'{"items":[{"id":1,"url":"https://example.com/1","new":true}]}'
            assert gzip.decompress(answer.body) == wanted
        assert server.connections == 1


async def test_what_breaks_off_is_an_answer() -> None:
    """S-66: JSON that is none, or breaks off where the server thinks that it is complete, is a 502 that names nothing
    of it."""
    seen = Seen()
    async with FakeUpstream() as server:
        proxy = ProxyHandler(Upstream(server.url), filters=[JsonFields(only=["id"])], observers=[seen])
        async with serving(proxy) as site:
            for body in (b'{"id":1,"secret":"x"', b'{"id":1,"secret":"x",}', b"<p>secret</p>"):
                server.once(respond(body=body, headers=JSON))
                answer = await site.ask(GET)
                assert answer.status == 502
                assert b"secret" not in answer.body
        assert [type(error) for error in seen.errors] == [ResponseRefused] * 3


async def test_what_is_found_later_is_a_cut() -> None:
    """F-55: behind what is held, the connection is cut; nothing that must not leave has left."""
    release = asyncio.Event()
    async with (
        FakeUpstream() as server,
        serving(Pipeline(JsonFields(only=["[*].id"], hold=0), handler=Upstream(server.url))) as site,
        site.connect() as client,
    ):
        server.always(
            head(headers={**JSON, "Content-Length": "5000"}),
            raw(b'[{"id":1,"secret":"x"}'),
            hold(release),
            raw(b',{"id":2,"secret":"y",}'),
        )
        await client.send(GET)
        await client.head()
        assert await client.exactly(int(await client.until(b"\r\n"), 16)) == b'[{"id":1}'
        release.set()
        rest = await client.rest()
        assert b"secret" not in rest
        assert b"\r\n0\r\n" not in rest
        assert client.was_reset


async def test_events_are_not_kept_back() -> None:
    """F-71: an event goes on with its end, without what must not leave."""
    release = asyncio.Event()
    async with (
        FakeUpstream() as server,
        serving(Pipeline(JsonFields(without=["secret"]), handler=Upstream(server.url))) as site,
        site.connect() as client,
    ):
        events = {"Content-Type": "text/event-stream"}
        server.always(head(headers=events), raw(b'data: {"id":1,"secret":2}\n\n'), hold(release), raw(b"\n"))
        await client.send(GET)
        await client.head()
        assert await client.exactly(int(await client.until(b"\r\n"), 16)) == b'data: {"id":1}\n\n'
        release.set()
