"""Patterns that inspection looks for."""

from __future__ import annotations

import pytest

from revproxy.filters.inspect import Check, Form, Pack, Part, Signature, Value
from revproxy.security_log import Severity


def test_found_where_it_is_looked_for() -> None:
    """In its form, and in values of its parts only."""
    signature = Signature("x-01", "<b", "bold", form=Form.HTML, where=Part.COOKIE | Part.VALUE)
    assert signature.found_in(Value(Part.COOKIE, "a", "&lt;B>")) == "<b"
    assert signature.found_in(Value(Part.VALUE, "a", "<i>")) is None
    assert signature.found_in(Value(Part.PATH, "", "<b>")) is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"id": "SQL-1"}, "id must be a name and two digits, as sqli-01, got 'SQL-1'"),
        ({"paranoia": 5}, "paranoia must be 1 to 4, got 5"),
        ({"pattern": "a*"}, "without a bound"),
        ({"pattern": "é"}, "is not ASCII"),
        ({"pattern": r"\WCoupon"}, "has upper-case letters"),
        ({"pattern": "(?i:coupon)"}, "has flags of its own"),
        ({"pattern": "(a"}, "unterminated subpattern"),
        ({"pattern": "a{0,9}"}, "is found in nothing"),
        ({"pattern": r"a\nb"}, "has a newline"),
        ({"pattern": "a{0,70}b{0,70}c"}, "may try 5041 ways at one place, of 4096 at most"),
    ],
)
def test_bad(change: dict[str, object], said: str) -> None:
    """S-53: what cannot be right, or may blow up, is refused when it is made."""
    made = {"id": "x-01", "pattern": "a", "about": "", **change}
    with pytest.raises(ValueError, match=said.replace("(", r"\(")):
        Signature(**made)  # type: ignore[arg-type]


def test_bad_severity() -> None:
    """A severity is a ``Severity``."""
    with pytest.raises(TypeError, match="severity: 5 is not a Severity"):
        Signature("x-01", "a", "", severity=5)  # type: ignore[arg-type]


def test_bad_check() -> None:
    """A check is a function."""
    with pytest.raises(TypeError, match="test: 'x' is not a function"):
        Check("x-01", "x", "")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="paranoia must be 1 to 4, got 0"):
        Check("x-01", lambda subject: None, "", paranoia=0)


def test_pack() -> None:
    """The ids of a pack are its own, each once."""
    signature = Signature("x-01", "a", "", severity=Severity.NOTICE)
    assert repr(Pack("x", (signature,))) == "<Pack x: 1 signatures>"
    with pytest.raises(ValueError, match="'x-01' is not of the pack 'y'"):
        Pack("y", (signature,))
    with pytest.raises(ValueError, match="two of 'x' have the same id"):
        Pack("x", (signature, signature))
