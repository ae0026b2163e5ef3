"""Bytes that are held of bodies, by all that hold some."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.body import Body, StreamBody
from revproxy.errors import BudgetSpent, ProxyError, ResponseBodyTooLarge
from revproxy.limiters import BodyBudget
from revproxy.testing import exchange


async def pieces(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


class Closing(StreamBody):
    """Knows whether it was given up."""

    closed = False

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize("length", [None, 10])
async def test_read(length: int | None) -> None:
    """S-52: what is read is held until the exchange is over, whether or not its length was known."""
    budget, asked = BodyBudget(100), exchange()
    assert await budget.read(asked, StreamBody(pieces(b"01234", b"56789"), length=length), 50) == b"0123456789"
    assert budget.held == 10
    assert repr(budget) == "<BodyBudget 10 of 100 bytes held>"
    asked.finish()
    assert budget.held == 0


async def test_what_is_in_memory_is_held_too() -> None:
    """It is no less there for having been read by somebody else."""
    budget, asked = BodyBudget(100), exchange()
    assert await budget.read(asked, Body(b"12345"), 50) == b"12345"
    assert budget.held == 5
    asked.finish()
    assert budget.held == 0


async def test_the_limit_of_one_body() -> None:
    """It holds as with ``Body.read``, and nothing stays held once the exchange is over."""
    budget = BodyBudget(100)
    for body in (Closing(pieces(b"01234", b"56789")), Closing(pieces(b"0123456789"), length=10)):
        asked = exchange()
        with pytest.raises(ResponseBodyTooLarge):
            await budget.read(asked, body, 9)
        assert body.closed
        asked.finish()
        assert budget.held == 0


@pytest.mark.parametrize("length", [None, 10])
async def test_spent(length: int | None) -> None:
    """S-52: 503 with ``Retry-After`` when it is exhausted; the body is given up, and what it had is given back."""
    budget, first, second = BodyBudget(15), exchange(), exchange()
    await budget.read(first, Body(b"012345"), 50)
    body = Closing(pieces(b"01234", b"56789"), length=length)
    with pytest.raises(BudgetSpent) as raised:
        await budget.read(second, body, 50)
    assert (raised.value.status, raised.value.fields) == (503, {"Retry-After": "1"})
    assert body.closed
    second.finish()
    assert budget.held == 6
    first.finish()
    assert budget.held == 0
    assert await budget.read(exchange(), Body(b"0" * 15), 50) == b"0" * 15


def test_hold() -> None:
    """For the rest of an exchange, by the size."""
    budget, asked = BodyBudget(10), exchange()
    budget.hold(asked, 8)
    with pytest.raises(BudgetSpent):
        budget.hold(asked, 3)
    assert budget.held == 8
    asked.finish()
    assert budget.held == 0


@given(st.lists(st.tuples(st.integers(0, 60), st.booleans(), st.booleans()), max_size=30))
async def test_it_is_never_exceeded_and_nothing_leaks(reads: list[tuple[int, bool, bool]]) -> None:
    """Whatever is read, fails, and ends: never more than ``total`` is held, and nothing in the end."""
    budget = BodyBudget(100)
    asked = []
    for size, known, ends in reads:
        asked.append(exchange())
        try:
            await budget.read(asked[-1], StreamBody(pieces(*[b"x"] * size), length=size if known else None), 50)
        except ProxyError:
            pass
        assert 0 <= budget.held <= 100
        if ends:
            asked.pop().finish()
    for each in asked:
        each.finish()
    assert budget.held == 0


@pytest.mark.parametrize("wrong", [0, -1, 1.5, True])
def test_nonsense(wrong: object) -> None:
    """It is refused with its value."""
    with pytest.raises(ValueError, match=f"total must be .* got {wrong}"):
        BodyBudget(wrong)  # type: ignore[arg-type]
