"""What responses say, edited or watched on its way between sockets."""

from __future__ import annotations

import asyncio
import gzip

import pytest

from revproxy import Exchange, Pipeline, ProxyHandler, Response, Upstream
from revproxy.body import Transform
from revproxy.codings import decoder, encoder
from revproxy.errors import BadContent, ProxyError, ResponseRefused
from revproxy.filters import ContentFilter
from revproxy.media_types import MediaType
from revproxy.testing import FakeUpstream, head, hold, raw, respond

from .seen import Seen
from .wire import GET, serving


class Upper:
    def feed(self, chunk: bytes) -> bytes:
        return chunk.upper()

    def finish(self) -> bytes:
        return b""


class Shout(ContentFilter):
    def transform(self, exchange: Exchange, response: Response, kind: MediaType | None) -> Transform | None:
        return Upper() if kind is None or kind.name.startswith("text/") else None


class NoSecret:
    def feed(self, chunk: bytes) -> bytes:
        if b"secret" in chunk:
            raise ResponseRefused("it tells a secret")
        return chunk

    def finish(self) -> bytes:
        return b""


class Watch(ContentFilter):
    edits = False
    hold = 1000

    def transform(self, exchange: Exchange, response: Response, kind: MediaType | None) -> Transform | None:
        return NoSecret()


TEXT = {"Content-Type": "text/plain"}


async def test_gzip_from_socket_to_socket() -> None:
    """F-110: what the client gets is in the same coding, framed anew; both connections stay in use."""
    sent = gzip.compress(b"abc" * 1000, mtime=0)
    async with (
        FakeUpstream() as server,
        serving(Pipeline(Shout(), handler=Upstream(server.url))) as site,
        site.connect() as client,
    ):
        server.always(respond(body=sent, headers={**TEXT, "Content-Encoding": "gzip", "ETag": '"x"'}))
        for _ in range(2):
            await client.send(GET)
            answer = await client.final()
            assert gzip.decompress(answer.body) == b"ABC" * 1000
            assert answer.getall(b"ETag") == [b'W/"x"']
        assert server.connections == 1


async def test_head() -> None:
    """F-56: to HEAD there is no content, and no length of one that GET would not have."""
    async with FakeUpstream() as server, serving(Pipeline(Shout(), handler=Upstream(server.url))) as site:
        server.always(head(headers={**TEXT, "Content-Length": "3", "ETag": '"x"'}))
        answer = await site.ask(GET.replace(b"GET", b"HEAD"))
        assert answer.getall(b"Content-Length") == []
        assert answer.getall(b"ETag") == [b'W/"x"']


@pytest.mark.parametrize("coding", ["", "gzip", "br", "zstd"])
async def test_events_are_not_kept_back(coding: str) -> None:
    """F-71: what the upstream has sent so far is at the client's before more comes, in whatever coding."""
    release = asyncio.Event()
    putting_on = encoder(coding)
    said = [b"data: one\n\n", b"data: two\n\n"]
    parts = said if putting_on is None else [putting_on.feed(each) + putting_on.flush() for each in said]
    headers = {"Content-Type": "text/event-stream", **({"Content-Encoding": coding} if coding else {})}
    for shout in (Shout(), Watch()):
        async with (
            FakeUpstream() as server,
            serving(Pipeline(shout, handler=Upstream(server.url))) as site,
            site.connect() as client,
        ):
            release.clear()
            server.always(head(headers=headers), raw(parts[0]), hold(release), raw(parts[1]))
            await client.send(GET)
            await client.head()
            first = await client.until(b"\r\n")
            piece = await client.exactly(int(first, 16))
            undoing = decoder(coding)
            assert (piece if undoing is None else b"".join(undoing.feed(piece))).lower() == said[0]
            release.set()


async def test_refused_before_its_head() -> None:
    """S-66: within ``hold`` a refusal is an answer, which names nothing of it, and the connection goes on."""
    seen = Seen()
    async with FakeUpstream() as server:
        proxy = ProxyHandler(Upstream(server.url), filters=[Watch()], observers=[seen])
        async with serving(proxy) as site, site.connect() as client:
            server.once(head(), raw(b"x" * 500), raw(b"a secret"), raw(b"x" * 500))
            server.always(respond(body=b"fine"))
            await client.send(GET)
            answer = await client.final()
            assert answer.status == 502
            assert b"secret" not in answer.body
            await client.send(GET)
            assert (await client.final()).body == b"fine"
        assert [type(error) for error in seen.errors] == [ResponseRefused]


async def test_refused_in_the_middle() -> None:
    """F-55: later it is a cut, and what was refused is not in what was sent."""
    async with (
        FakeUpstream() as server,
        serving(Pipeline(Watch(), handler=Upstream(server.url))) as site,
        site.connect() as client,
    ):
        release = asyncio.Event()
        server.always(head(headers={"Content-Length": "5000"}), raw(b"x" * 2000), hold(release), raw(b"a secret"))
        await client.send(GET)
        await client.head()
        await client.exactly(2000)
        release.set()
        assert await client.rest() == b""
        assert client.was_reset


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        (gzip.compress(b"abc" * 1000, mtime=0)[:-4], BadContent),
        (gzip.compress(b"x" * (10 << 20), mtime=0), BadContent),
        (b"no gzip at all", BadContent),
    ],
    ids=["truncated", "bomb", "none"],
)
async def test_bad_content(sent: bytes, error: type[ProxyError]) -> None:
    """S-51: what cannot be undone, or blows up, is an answer where all of it came at once."""
    seen = Seen()
    async with FakeUpstream() as server:
        proxy = ProxyHandler(Upstream(server.url), filters=[Shout()], observers=[seen])
        async with serving(proxy) as site:
            server.always(respond(body=sent, headers={**TEXT, "Content-Encoding": "gzip"}))
            assert (await site.ask(GET)).status == 502
        assert [type(each) for each in seen.errors] == [error]
