"""What is reserved of a budget for filters that read bodies."""

from __future__ import annotations

import asyncio

import pytest

from revproxy import Pipeline, ProxyHandler, Response
from revproxy.body import Body
from revproxy.errors import BudgetSpent
from revproxy.exchange import Exchange
from revproxy.filters import ReserveBody
from revproxy.handler import Handler
from revproxy.limiters import BodyBudget
from revproxy.testing import exchange

from ..e2e.wire import serving


async def answer(exchange: Exchange) -> Response:
    return Response(200)


@pytest.mark.parametrize(
    ("body", "held"),
    [(b"", 0), (b"x" * 10, 10), (b"x" * 200, 50), (Body.unsized(b"x" * 10), 50)],
    ids=["none", "short", "long", "of unknown length"],
)
async def test_how_much(body: bytes | Body, held: int) -> None:
    """S-52: the length that is declared; where it is more, or none, the limit, beyond which nobody reads."""
    budget = BodyBudget(100)
    asked = exchange("POST", body=body)
    await ReserveBody(budget, 50)(asked, answer)
    assert budget.held == held
    asked.finish()
    assert budget.held == 0


async def test_spent() -> None:
    """S-52: 503, before the handler is asked; what was reserved before is not touched."""
    budget = BodyBudget(100)
    subject = ReserveBody(budget, 60)
    first, second = exchange("POST", body=b"x" * 60), exchange("POST", body=b"x" * 60)
    await subject(first, answer)
    with pytest.raises(BudgetSpent) as raised:
        await subject(second, answer)
    assert (raised.value.status, raised.value.fields) == (503, {"Retry-After": "1"})
    second.finish()
    assert budget.held == 60
    first.finish()
    assert budget.held == 0
    assert repr(subject) == "ReserveBody(<BodyBudget 0 of 100 bytes held>, 60)"


async def test_many_uploads_at_once() -> None:
    """S-52: of uploads that come at once no more are read than the budget holds; the others are told 503, and when they
    are over there is room again."""
    budget = BodyBudget(3000)
    inside, go = 0, asyncio.Event()
    full = asyncio.Event()

    async def reads(exchange: Exchange, handler: Handler) -> Response:
        nonlocal inside
        await exchange.request.body.read(1000)
        inside += 1
        if inside == 3:
            full.set()
        await go.wait()
        return await handler(exchange)

    post = b"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1000\r\n\r\n" + b"x" * 1000
    async with serving(ProxyHandler(Pipeline(ReserveBody(budget, 1000), reads, handler=answer))) as site:
        first = [asyncio.create_task(site.ask(post)) for _ in range(3)]
        async with asyncio.timeout(10):
            await full.wait()
        assert budget.held == 3000
        for _ in range(5):
            refused = await site.ask(post)
            assert (refused.status, refused.getall(b"Retry-After")) == (503, [b"1"])
        go.set()
        assert [(await each).status for each in first] == [200, 200, 200]
        assert budget.held == 0
        assert (await site.ask(post)).status == 200


@pytest.mark.parametrize("wrong", [0, -1, 101, 1.5])
def test_nonsense(wrong: float) -> None:
    """It is refused, with the parameter and the value."""
    with pytest.raises(ValueError, match=f"limit must be .* got {wrong}"):
        ReserveBody(BodyBudget(100), wrong)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="budget: 100 is not a BodyBudget"):
        ReserveBody(100, 100)  # type: ignore[arg-type]
