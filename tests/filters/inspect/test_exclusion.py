"""What is not looked for where."""

from __future__ import annotations

import pytest

from revproxy import when
from revproxy.filters.inspect import Exclusion, Part, Value
from revproxy.testing import exchange

BODY = Value(Part.VALUE, "article.body", "x")


def covers(exclusion: Exclusion, id: str, value: Value | None, target: str = "/") -> bool:
    left = exclusion.about(id)
    return left is not None and left.covers(exchange("GET", target), value)


def test_by_id() -> None:
    """Ids are patterns."""
    assert covers(Exclusion(ids="xss-*"), "xss-03", BODY)
    assert covers(Exclusion(ids=["a-01", "xss-0?"]), "xss-03", BODY)
    assert not covers(Exclusion(ids="xss-*"), "sqli-03", BODY)


def test_by_name() -> None:
    """Names are patterns, too, in which case makes a difference; a check of the whole request has none."""
    assert covers(Exclusion(names="article.*"), "xss-03", BODY)
    assert not covers(Exclusion(names="Article.*"), "xss-03", BODY)
    assert not covers(Exclusion(names="article"), "xss-03", BODY)
    assert not covers(Exclusion(names="*"), "protocol-01", None)


def test_by_part() -> None:
    """Parts are where a value was found."""
    assert covers(Exclusion(where=Part.TOLD), "xss-03", BODY)
    assert not covers(Exclusion(where=Part.COOKIE), "xss-03", BODY)
    assert not covers(Exclusion(where=Part.COOKIE), "protocol-01", None)


def test_by_request() -> None:
    """A condition says in which requests."""
    exclusion = Exclusion(ids="*", when=when.path("/cms/*"))
    assert covers(exclusion, "xss-03", BODY, "/cms/1")
    assert covers(exclusion, "protocol-01", None, "/cms/1")
    assert not covers(exclusion, "xss-03", BODY, "/shop")


def test_bad() -> None:
    """What would switch everything off, or is of the wrong kind, is refused."""
    with pytest.raises(ValueError, match="an exclusion of everything"):
        Exclusion()
    with pytest.raises(ValueError, match="ids must be one or several patterns"):
        Exclusion(ids=[])
    with pytest.raises(ValueError, match="names must be one or several patterns"):
        Exclusion(names=[""])
    with pytest.raises(TypeError, match="is not a condition"):
        Exclusion(ids="x-01", when=print)  # type: ignore[arg-type]
