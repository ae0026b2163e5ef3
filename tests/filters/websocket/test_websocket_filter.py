"""How the filter is composed, without a socket."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from revproxy import Exchange, Pipeline, Response, Upstream
from revproxy.filters import FailOpen, JsonFields, MessageLimits, Passage, Redact, WebSocketFilter
from revproxy.filters.websocket import Message
from revproxy.testing import FakeTransport, exchange


def look(passage: Passage, message: Message) -> Message:
    return message


NONSENSE: Any = 5


@pytest.mark.parametrize(
    ("positional", "named", "error", "said"),
    [
        ((NONSENSE,), {}, TypeError, "functions: 5 is no function"),
        ((MessageLimits,), {}, TypeError, "functions: MessageLimits is a class: call it"),
        ((Redact(),), {}, TypeError, r"is a filter, not a function of .*; Redact has `\.message` for this$"),
        ((JsonFields(only=["a"]),), {}, TypeError, "is a filter, not a function of a passage and a message$"),
        (
            (Redact().text,),
            {},
            TypeError,
            r"Redact\.text must take two arguments, a passage and a message, and takes \(text",
        ),
        ((lambda message: message,), {}, TypeError, "must take two arguments, a passage and a message"),
        ((), {"from_client": NONSENSE}, TypeError, "from_client: 5 is no MessageLimits"),
        ((), {"from_upstream": NONSENSE}, TypeError, "from_upstream: 5 is no MessageLimits"),
        ((), {"controls": "drop"}, ValueError, "controls must be 'relay' or 'answer', got 'drop'"),
        ((), {"name": ""}, ValueError, "name must not be empty"),
        ((), {"severity": NONSENSE}, TypeError, "severity: 5 is not a Severity"),
    ],
)
def test_what_is_refused(positional: tuple[Any, ...], named: dict[str, Any], error: type[Exception], said: str) -> None:
    """What cannot be meant is refused when it is composed, with the parameter and its value."""
    with pytest.raises(error, match=said):
        WebSocketFilter(*positional, **named)


def test_without_wsproto(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its extra it says which it needs."""
    for module in [name for name in sys.modules if name.startswith("revproxy.filters.websocket.")]:
        if module.rpartition(".")[2] in ("making", "relay", "lane", "reader", "deflate", "endings"):
            monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "wsproto", None)
    monkeypatch.setitem(sys.modules, "wsproto.frame_protocol", None)
    with pytest.raises(ImportError, match=r"aiohttp-revproxy\[websocket\]"):
        WebSocketFilter()


def test_it_guards() -> None:
    """Nothing that goes on without a filter that breaks takes it."""
    with pytest.raises(ValueError, match="guards"):
        FailOpen(WebSocketFilter())


@pytest.mark.parametrize("upgrade", [None, "tcp"])
async def test_what_is_no_websocket(upgrade: str | None) -> None:
    """Other requests pass by untouched, with fields that mean nothing there."""
    transport = FakeTransport()
    asked = exchange(headers={"Sec-WebSocket-Extensions": "permessage-deflate"}, upgrade=upgrade)
    await Pipeline(WebSocketFilter(look), handler=Upstream("http://a", transport=transport))(asked)
    assert "Sec-WebSocket-Extensions" in transport.attempts[0].request.headers


async def test_an_answer_that_is_no_tunnel() -> None:
    """F-92, F-98: the upstream is offered no extension; what it answers instead of switching passes as it is."""
    answers = [Response(403)]

    async def refuse(exchange: Exchange) -> Response:
        assert "Sec-WebSocket-Extensions" not in exchange.request.headers
        return answers[0]

    asked = exchange(headers={"Sec-WebSocket-Extensions": "permessage-deflate"}, upgrade="websocket")
    assert await Pipeline(WebSocketFilter(look), handler=refuse)(asked) is answers[0]


def test_repr() -> None:
    """It shows its functions."""
    assert repr(WebSocketFilter(look)) == "WebSocketFilter(look)"


def test_what_takes_two() -> None:
    """Methods, functions with more that is optional, what takes any, and what is written in C are taken."""

    def more(passage: Passage, message: Message, more: int = 1) -> Message:
        return message

    def any_(*given: Any) -> Any:
        return given[1]

    largest: Any = max
    assert len(WebSocketFilter(Redact().message, more, any_, largest).functions) == 4
