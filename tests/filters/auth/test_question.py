"""What a service is asked: what it is shown, what it is told, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from revproxy.filters.auth.question import Question, alias, field_names
from revproxy.testing import exchange

TOLD = ("X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Method", "X-Forwarded-Proto", "X-Forwarded-Uri")


def question(**options: Any) -> Question:
    return Question(**{"method": "GET", "path": "/auth?x=1", "send": ["Cookie"], "told": TOLD, **options})


def test_about() -> None:
    """S-22: all that is said of the request is this proxy's word; no body, no switch of protocols, no other field."""
    lies = [(each, "evil") for each in TOLD] + [("X-Original-URL", "/"), ("Forwarded", "for=1.2.3.4")]
    headers = [*lies, ("Cookie", "a=1"), ("X-A", "1"), ("cookie", "b=2"), ("Content-Type", "text/plain")]
    asked = exchange(
        "POST", "/%61dmin/x?q=%2F&q", headers=headers, body=b"x", scheme="https", host="a.test:8443", client="192.0.2.7"
    )
    made = question().about(asked)
    assert (made.method, made.target, made.body.length, made.upgrade) == ("GET", "/auth?x=1", 0, None)
    assert list(made.headers.items()) == [
        ("Cookie", "a=1"),
        ("Cookie", "b=2"),
        ("X-Forwarded-For", "192.0.2.7"),
        ("X-Forwarded-Host", "a.test:8443"),
        ("X-Forwarded-Method", "POST"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Uri", "/admin/x?q=%2F&q"),
    ]
    assert asked.request.headers.getall("X-A") == ["1"]


def test_told() -> None:
    """It is told no more than it has to know; of a client on a Unix socket there is no address."""
    made = question(told=["X-Forwarded-Uri"], send=[]).about(exchange(target="/a"))
    assert list(made.headers.items()) == [("X-Forwarded-Uri", "/a")]
    made = question(told=["X-Forwarded-For"], send=[]).about(exchange(client=None))
    assert not made.headers


def test_what_is_shown_is_what_goes_on() -> None:
    """What a filter further out has taken off is not shown either."""
    asked = exchange(headers={"Cookie": "a=1"})
    del asked.request.headers["Cookie"]
    assert not question(told=[]).about(asked).headers


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"path": "auth"}, "path must begin with a slash"),
        ({"path": "/a b"}, "path must begin with a slash"),
        ({"path": "/a#b"}, "path must begin with a slash"),
        ({"path": "/a\r\nX: y"}, "path must begin with a slash"),
        ({"path": "/é"}, "path must begin with a slash"),
        ({"method": "HEAD"}, "method must be one whose answer has a body, got 'HEAD'"),
        ({"method": "CONNECT"}, "method must be"),
        ({"method": "G T"}, "method must be"),
        ({"told": ["X-Real-IP"]}, "told must be of X-Forwarded-For"),
        ({"told": "X-Forwarded-For"}, "told must be of"),
        ({"send": "Cookie"}, "send must be fields"),
        ({"send": ["X-Forwarded-For"]}, "send must be fields that are handed on as they are"),
        ({"send": ["forwarded"]}, "send must be fields"),
        ({"send": ["Host"]}, "send must be fields"),
        ({"send": ["Content-Length"]}, "send must be fields"),
        ({"send": ["X A"]}, "send must be fields"),
    ],
)
def test_nonsense(options: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        question(**options)


def test_names() -> None:
    """S-23: names that servers take for one are one; those of the connection are nobody's to hand on."""
    assert {alias(each) for each in ("X-User", "x_user", "X.User", "X~USER")} == {"x-user"}
    assert alias("X-Users") != alias("X-User")
    for each in ("Connection", "transfer-encoding", "Upgrade", "TE"):
        with pytest.raises(ValueError, match="copy must be"):
            field_names("copy", [each])
    assert repr(question()) == "GET /auth?x=1"
