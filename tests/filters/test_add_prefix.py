"""More segments before the path. What is no prefix: see test_strip_prefix."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy import PathPolicy
from revproxy.errors import BadRequest
from revproxy.filters import AddPrefix
from revproxy.testing import exchange

from .rewritten import answer, targets

read = PathPolicy().bind(conditions=True)


@pytest.mark.parametrize(
    ("target", "sent"),
    [
        ("/", "/v2/"),
        ("/x", "/v2/x"),
        ("/x/?", "/v2/x/?"),
        ("/?a=/", "/v2/?a=/"),
        ("/%7e%2f/%c3%a9\udce9é;x?%zz", "/v2/%7e%2f/%c3%a9\udce9é;x?%zz"),
        ("//evil.test/x", "/v2//evil.test/x"),
        ("/v2", "/v2/v2"),
    ],
)
async def test_added(target: str, sent: str) -> None:
    """F-05, F-02, F-04: it comes before the path with one slash between, and what was there stays byte for byte."""
    for prefix in ("/v2", "/v2/"):
        asked = exchange("GET", target)
        await AddPrefix(prefix)(asked, answer)
        assert asked.request.target == sent
        assert asked.inbound.target == target


def test_encoded() -> None:
    """What a URL cannot hold is encoded in the prefix; all else stays as it was written."""
    assert AddPrefix("/caf\xe9").rewrite("/x") == "/caf%C3%A9/x"
    assert AddPrefix("/%7Ea/b;c=1/{d}").rewrite("/x") == "/%7Ea/b;c=1/%7Bd%7D/x"
    assert AddPrefix("/\udce9").rewrite("/x") == "/%E9/x"
    assert AddPrefix("/").rewrite("/x?") == "/x?"


async def test_it_does_not_decide_by_the_path() -> None:
    """S-36, S-37: ``//`` and ``%2F`` need no policy for its sake."""
    assert not AddPrefix("/v2").reads_path
    asked = exchange("OPTIONS", "*")
    await AddPrefix("/v2")(asked, answer)
    assert asked.request.target == "*"


@given(targets, st.sampled_from(["/v2", "/caf\xe9/%2e.x", "/"]))
def test_one_reading(target: str, prefix: str) -> None:
    """S-35, S-36, S-37: what has one reading has one behind a prefix."""
    try:
        target = read(target).target
    except BadRequest:
        return
    sent = AddPrefix(prefix).rewrite(target)
    assert read(sent).target == sent
    assert sent.endswith(target)


def test_it_prints_itself() -> None:
    """It prints its prefix, as it is sent."""
    assert repr(AddPrefix("/v\xe9/")) == "AddPrefix('/v%C3%A9')"
    assert repr(AddPrefix("/")) == "AddPrefix('/')"
