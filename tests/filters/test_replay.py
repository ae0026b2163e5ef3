"""A streaming request body that can be sent again while it is small."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.body import Body, StreamBody
from revproxy.errors import BodyTooLarge, ClientDisconnected, Interrupted
from revproxy.filters.replay import ReplayBody
from revproxy.limiters import BodyBudget


async def pieces(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


class Fed:
    """A source that gives what it is given, when it is given it."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[bytes | Exception | None] = asyncio.Queue()
        self.ended = asyncio.Event()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            while (chunk := await self.queue.get()) is not None:
                if isinstance(chunk, Exception):
                    raise chunk
                yield chunk
        finally:
            self.ended.set()


class Closable(StreamBody):
    closed = 0
    expects = True

    @property
    def overflow(self) -> type[BodyTooLarge]:
        return BodyTooLarge

    def close(self) -> None:
        self.closed += 1


async def joined(body: Body) -> bytes:
    return b"".join([chunk async for chunk in body])


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@given(
    st.lists(st.binary(min_size=1, max_size=8), max_size=8),
    st.lists(st.integers(0, 8), max_size=4),
    st.integers(0, 40),
)
def test_any_split(chunks: list[bytes], stops: list[int], limit: int) -> None:
    """F-87: however many readers give up, and where, the last one gets the whole body if it is within the limit;
    beyond it there is no other iteration, and never a part that looks like the whole."""

    async def run() -> None:
        whole, budget = b"".join(chunks), BodyBudget(1000)
        body = ReplayBody(StreamBody(pieces(*chunks)), limit, budget)
        for stop in stops:
            if not body.replayable:
                break
            seen = 0
            async for _ in body:
                seen += 1
                if seen >= stop:
                    break
            assert budget.held <= limit
        if body.replayable:
            assert await joined(body) == whole
            assert body.replayable is (len(whole) <= limit)
        if not body.replayable:
            with pytest.raises(RuntimeError, match="only once"):
                await joined(body)
        await body.leave()
        body.end()
        assert budget.held == 0

    asyncio.run(run())


async def test_a_reader_that_is_cancelled() -> None:
    """F-87: who is cancelled while it waits for the client loses no piece: the next one has it, and goes on."""
    fed = Fed()
    body = ReplayBody(StreamBody(fed), 100)
    first = asyncio.create_task(joined(body))
    await fed.queue.put(b"one")
    await turns()
    first.cancel()
    await asyncio.wait([first])
    second = asyncio.create_task(joined(body))
    await turns()
    assert not fed.ended.is_set()
    for chunk in (b"two", b"three", None):
        await fed.queue.put(chunk)
    assert await second == b"onetwothree"
    assert await joined(body) == b"onetwothree"


async def test_beyond_the_limit() -> None:
    """F-87: what proves to be larger is not kept; the reader that found out gets all of it, and nobody else does."""
    budget = BodyBudget(1000)
    body = ReplayBody(StreamBody(pieces(b"12345", b"67890", b"abc", b"def")), 9, budget)
    assert (body.replayable, body.taken) == (True, False)
    chunks = aiter(body)
    assert await anext(chunks) == b"12345"
    assert (budget.held, body.replayable) == (5, True)
    assert await anext(chunks) == b"67890"
    assert (budget.held, body.replayable, body.taken) == (0, False, True)
    assert [chunk async for chunk in chunks] == [b"abc", b"def"]
    with pytest.raises(RuntimeError, match="only once"):
        await joined(body)


async def test_no_room() -> None:
    """S-52: where the budget of all bodies has no room nothing is kept, and the body passes all the same."""
    budget = BodyBudget(6)
    body = ReplayBody(StreamBody(pieces(b"1234", b"5678", b"90")), 100, budget)
    assert await joined(body) == b"1234567890"
    assert (body.replayable, budget.held) == (False, 0)


async def test_an_error_of_the_client() -> None:
    """A client that leaves in the middle is an error for every reader, never an end."""
    fed = Fed()
    body = ReplayBody(StreamBody(fed), 100)
    await fed.queue.put(b"one")
    await fed.queue.put(ClientDisconnected("gone"))
    for _ in range(2):
        with pytest.raises(ClientDisconnected, match="gone"):
            await joined(body)


async def test_leaving_while_it_is_read() -> None:
    """When no other iteration follows the one under way goes on, and holds no more than it needs."""
    fed, budget = Fed(), BodyBudget(100)
    body = ReplayBody(StreamBody(fed), 100, budget)
    reader = asyncio.create_task(joined(body))
    await fed.queue.put(b"one")
    await turns()
    await body.leave()
    for chunk in (b"two", b"three", None):
        await fed.queue.put(chunk)
    assert await reader == b"onetwothree"
    assert budget.held == 0
    with pytest.raises(RuntimeError, match="only once"):
        await joined(body)


async def test_leaving_when_it_was_sent() -> None:
    """What was sent to its end is not held any longer than there may be another attempt."""
    budget = BodyBudget(100)
    body = ReplayBody(StreamBody(pieces(b"one")), 100, budget)
    assert await joined(body) == b"one"
    assert budget.held == 3
    await body.leave()
    assert budget.held == 0


async def test_leaving_what_nobody_reads_any_more() -> None:
    """The reader was cancelled, and there is no other: when ``leave`` returns nobody waits for the client."""
    fed = Fed()
    body = ReplayBody(StreamBody(fed), 100)
    reader = asyncio.create_task(joined(body))
    await turns()
    reader.cancel()
    await asyncio.wait([reader])
    assert not fed.ended.is_set()
    await body.leave()
    assert fed.ended.is_set()
    with pytest.raises((RuntimeError, Interrupted)):
        await joined(body)


async def test_a_source_that_is_torn_away() -> None:
    """A source whose reading was cancelled has not come to its end: a part is never taken for the whole."""
    fed = Fed()
    body = ReplayBody(StreamBody(fed), 100)
    reader = asyncio.create_task(joined(body))
    await fed.queue.put(b"one")
    await turns()
    body.end()
    with pytest.raises((Interrupted, RuntimeError)):
        await reader
    assert fed.ended.is_set()


async def test_what_it_says_of_its_source() -> None:
    """Its length, its limit and what it expects are the source's; that is told to go on once, and closed only when
    nobody can need it any more."""
    source = Closable(pieces(b"x", b"y"), length=2)
    body = ReplayBody(source, 10)
    assert (body.length, body.data, body.expects, body.overflow) == (2, None, True, BodyTooLarge)
    async for _ in body:
        break
    assert (body.expects, body.overflow) == (False, BodyTooLarge)
    body.close()
    assert source.closed == 0
    assert await joined(body) == b"xy"
    body.close()
    await body.leave()
    assert source.closed == 1
    assert repr(body) == "<ReplayBody of 2 bytes, not kept>"
    other = ReplayBody(Closable(pieces(b"x")), 10)
    assert repr(other) == "<ReplayBody of unknown length, 0 held>"
    await other.leave()
    assert (other.expects, other.taken) == (True, False)
    assert await joined(other) == b"x"


async def test_a_piece_between_two_attempts() -> None:
    """What comes while nobody reads may be more than is kept: one piece, so that the next attempt has all of it; a
    piece more is passed on, and then nothing is kept."""
    fed = Fed()
    budget = BodyBudget(10)
    body = ReplayBody(StreamBody(aiter(fed)), 10, budget)
    first = asyncio.create_task(joined(body))
    fed.queue.put_nowait(b"12345")
    await turns()
    first.cancel()
    await asyncio.wait([first])
    fed.queue.put_nowait(b"6" * 100)
    await turns()
    assert (body.replayable, body.taken) == (True, False)
    second = asyncio.create_task(joined(body))
    fed.queue.put_nowait(b"7" * 100)
    fed.queue.put_nowait(None)
    assert await second == b"12345" + b"6" * 100 + b"7" * 100
    assert body.taken
    assert budget.held == 0


async def test_leaving_while_its_reader_is_held_up() -> None:
    """What an attempt before has asked the source for is the piece that a reader waits for next, though he does not
    wait at that moment."""
    fed = Fed()
    body = ReplayBody(StreamBody(aiter(fed)), 1000)
    first = asyncio.create_task(joined(body))
    fed.queue.put_nowait(b"one")
    await turns()
    first.cancel()
    await asyncio.wait([first])
    reader = aiter(body)
    got = [await anext(reader)]
    await body.leave()
    fed.queue.put_nowait(b"two")
    fed.queue.put_nowait(None)
    got += [chunk async for chunk in reader]
    assert got == [b"one", b"two"]


@pytest.mark.parametrize("room", [1000, 10])
async def test_more_than_is_kept_for_a_reader_that_is_given_up(room: int) -> None:
    """F-87, S-52: a piece that is more than is kept, and comes in the very turn in which its reader is cancelled, is
    there for the next one, who has the whole; it counts nowhere, and is one piece."""
    fed, budget = Fed(), BodyBudget(room)
    body = ReplayBody(StreamBody(aiter(fed)), 10, budget)
    first = asyncio.create_task(joined(body))
    fed.queue.put_nowait(b"12345")
    await turns()
    fed.queue.put_nowait(b"6" * 100)
    first.cancel()
    await asyncio.wait([first])
    await turns()
    assert (body.replayable, body.taken, budget.held) == (True, False, 5)
    for chunk in (b"7", None):
        fed.queue.put_nowait(chunk)
    assert await joined(body) == b"12345" + b"6" * 100 + b"7"
    assert (body.replayable, budget.held) == (False, 0)


@given(
    st.lists(st.sampled_from(["piece", "large", "read", "cancel", "turn", "leave", "end"]), max_size=14),
    st.integers(0, 30),
)
def test_whatever_the_order(steps: list[str], limit: int) -> None:
    """F-87, S-52: pieces, readers that come and are cancelled, and its end, in any order and in one turn or several:
    who reads to the end has the whole, never a part; what is held is within the limit, but for the piece in hand; and
    nothing is held, and nobody waits for the client, in the end."""

    async def run() -> None:
        fed, budget, whole = Fed(), BodyBudget(1000), b""
        body = ReplayBody(StreamBody(aiter(fed)), limit, budget)
        reader: asyncio.Task[bytes] | None = None
        readers: list[asyncio.Task[bytes]] = []
        for number, step in enumerate(steps):
            if step in ("piece", "large"):
                chunk = bytes([number]) * (5 if step == "piece" else 50)
                whole += chunk
                fed.queue.put_nowait(chunk)
            elif step == "read" and (reader is None or reader.done()) and body.replayable:
                reader = asyncio.create_task(joined(body))
                readers.append(reader)
            elif step == "cancel" and reader is not None:
                reader.cancel()
                await asyncio.wait([reader])
            elif step == "turn":
                await turns()
            elif step == "leave":
                await body.leave()
            elif step == "end":
                body.end()
            assert 0 <= budget.held <= limit
        if reader is None or reader.done():
            reader = asyncio.create_task(joined(body))
            readers.append(reader)
        fed.queue.put_nowait(None)
        await turns()
        await body.leave()
        for _ in range(3):
            await turns()
        body.end()
        for each in readers:
            await asyncio.wait([each], timeout=5)
            if each.done() and not each.cancelled() and each.exception() is None:
                assert each.result() == whole
        await turns()
        assert budget.held == 0
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())


async def test_leaving_while_its_reader_is_held_up_and_then_given_up() -> None:
    """When that reader is gone, too, nobody waits for the client any more."""
    fed = Fed()
    body = ReplayBody(StreamBody(fed), 1000)
    first = asyncio.create_task(joined(body))
    fed.queue.put_nowait(b"one")
    await turns()
    first.cancel()
    await asyncio.wait([first])
    reader = body.__aiter__()
    assert await anext(reader) == b"one"
    await body.leave()
    assert not fed.ended.is_set()
    await reader.aclose()  # type: ignore[attr-defined]  # a generator
    await turns()
    assert fed.ended.is_set()
