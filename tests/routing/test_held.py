"""What is held of bodies for shadows never exceeds the budget, of one and of all, and none of it stays."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.errors import ClientDisconnected
from revproxy.limiters import BodyBudget
from revproxy.routing import Fate
from revproxy.routing.held import Budget, CopiedBody, Kept


def copied(budget: Budget) -> tuple[CopiedBody, list[Fate]]:
    spoilt: list[Fate] = []
    return CopiedBody(None, budget, spoilt.append), spoilt


@given(st.lists(st.one_of(st.binary(min_size=1, max_size=40), st.none()), max_size=40))
def test_at_a_pace_of_its_own(steps: list[bytes | None]) -> None:
    """However feeding and taking are mixed, what is taken is what was fed, in order; or the budget was exceeded, and
    nothing is held any more."""
    budget = Budget(100, 100)

    async def play() -> None:
        body, spoilt = copied(budget)
        chunks: AsyncIterator[bytes] = aiter(body)
        fed, taken, held = b"", b"", 0
        for step in steps:
            if step is not None:
                body.feed(step)
                fed += step
                held += len(step)
                if held > 100:
                    assert spoilt == [Fate.TOO_MUCH]
                    assert budget.held == 0
                    with pytest.raises(ClientDisconnected):
                        await anext(chunks)
                    return
            elif held:
                chunk = await anext(chunks)
                taken += chunk
                held -= len(chunk)
            assert budget.held == held
        body.end()
        body.broken()
        taken += b"".join([chunk async for chunk in chunks])
        assert taken == fed
        assert spoilt == []
        assert budget.held == 0

    with asyncio.Runner() as runner:
        runner.run(play())


async def test_who_waits_is_woken() -> None:
    """By the next piece, by the end, and by the end of hope."""
    budget = Budget(10, 10)
    body, _ = copied(budget)
    reading = asyncio.ensure_future(body.read(100))
    await asyncio.sleep(0)
    body.feed(b"abc")
    await asyncio.sleep(0)
    assert budget.held == 0
    body.end()
    assert await reading == b"abc"
    with pytest.raises(RuntimeError, match="only once"):
        await body.read(1)
    body, spoilt = copied(budget)
    reading = asyncio.ensure_future(body.read(100))
    await asyncio.sleep(0)
    body.broken()
    with pytest.raises(ClientDisconnected):
        await reading
    assert spoilt == [Fate.INCOMPLETE]


def test_the_total() -> None:
    """What others hold counts; a body that is too much gives back what it held, and takes no more."""
    budget = Budget(10, 15)
    one, spoilt_one = copied(budget)
    other, spoilt_other = copied(budget)
    one.feed(b"x" * 10)
    other.feed(b"y" * 5)
    assert budget.held == 15
    other.feed(b"y")
    assert (spoilt_one, spoilt_other) == ([], [Fate.TOO_MUCH])
    assert budget.held == 10
    other.feed(b"y")
    other.broken()
    assert spoilt_other == [Fate.TOO_MUCH]
    assert "closed, 0 held" in repr(other)
    assert "streaming, 10 held" in repr(one)
    one.close()
    one.close()
    assert budget.held == 0
    assert repr(budget) == "<Budget 0 of 15 held, 10 each>"


def test_what_others_hold_too() -> None:
    """S-52: what is held counts in the budget of all bodies, and where that has no room there is none here."""
    bodies = BodyBudget(12)
    assert bodies.take(5)
    budget = Budget(10, 15, bodies)
    assert budget.take(6)
    assert (budget.held, bodies.held) == (6, 11)
    assert not budget.take(2)
    assert (budget.held, bodies.held) == (6, 11)
    bodies.give(5)
    assert budget.take(4, 6)
    assert not budget.take(1, 10)
    assert bodies.held == 10
    budget.give(10)
    assert (budget.held, bodies.held) == (0, 0)


def test_kept() -> None:
    """An answer is kept whole or not at all; one that has not ended is none."""
    budget = Budget(10, 15)
    kept = Kept(budget)
    kept.feed(b"12345")
    kept.feed(b"67890")
    assert (kept.data, kept.is_over) == (None, False)
    kept.end()
    assert (kept.data, kept.is_over) == (b"1234567890", False)
    large = Kept(budget)
    large.feed(b"12345")
    large.feed(b"6")
    assert (large.is_over, large.data, budget.held) == (True, None, 10)
    large.feed(b"7")
    large.end()
    assert large.data is None
    assert repr(large) == "<Kept nothing, complete>"
    kept.drop()
    kept.drop()
    assert budget.held == 0
