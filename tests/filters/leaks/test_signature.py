"""Signatures of leaks."""

from __future__ import annotations

import re
from typing import Any

import pytest

from revproxy import Severity
from revproxy.filters.leaks import LeakPack, LeakSignature


def test_defaults() -> None:
    """One is grave enough to stop a response, and may be written about."""
    subject = LeakSignature("x-01", r"ab{1,20}+c", "letters")
    assert (subject.severity, subject.paranoia, subject.quotable, subject.width) == (Severity.ERROR, 1, True, 22)


@pytest.mark.parametrize(
    "pattern",
    [r"^a", r"a$", r"a\b", r"(?=a)b", r"(?<!a)b", r"x(?:a|b\Z)", r"(?:a(?!b)){1,2}", r"(?>a\b)", r"(?:a\B)?b"],
)
def test_looking_around(pattern: str) -> None:
    """What depends on what stands beside it would depend on how the content is cut."""
    with pytest.raises(ValueError, match=f"pattern: {re.escape(repr(pattern))} looks around"):
        LeakSignature("x-01", pattern, "x")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pattern": "a{1,1000}+b{1,25}+"}, "may match 1025 characters, of 1024 at most"),
        ({"pattern": "a*"}, "without a bound"),
        ({"pattern": "A"}, "upper-case"),
        ({"pattern": "é"}, "not ASCII"),
        ({"pattern": r"a\n"}, "newline"),
        ({"pattern": "a?"}, "found in nothing"),
        ({"pattern": "a("}, "pattern"),
        ({"pattern": "(?:a{0,99}b{0,99}){1,2}c"}, "ways at one place"),
        ({"id": "x"}, "id must be"),
        ({"paranoia": 5}, "paranoia must be 1 to 4, got 5"),
    ],
)
def test_bad(options: dict[str, Any], message: str) -> None:
    """What cannot be looked for, or would cost too much, is an error that names it (S-53)."""
    with pytest.raises(ValueError, match=message):
        LeakSignature(**{"id": "x-01", "pattern": "x", "about": "x", **options})


def test_a_backslash_and_an_n() -> None:
    """In a form they may stand for themselves."""
    assert LeakSignature("x-01", r"\\n", "x").search(r"a\n") is not None


def test_bad_severity() -> None:
    """A severity is none of the levels of logging."""
    with pytest.raises(TypeError, match="severity: 40 is not a Severity"):
        LeakSignature("x-01", "x", "x", severity=40)  # type: ignore[arg-type]


def test_pack() -> None:
    """A pack's signatures carry its name, each another number."""
    one, other = LeakSignature("x-01", "a", "a"), LeakSignature("x-02", "b", "b")
    pack = LeakPack("x", (one, other))
    assert [*pack] == [one, other]
    assert repr(pack) == "<LeakPack x: 2 signatures>"
    with pytest.raises(ValueError, match="'x-01' is not of the pack 'y'"):
        LeakPack("y", (one,))
    with pytest.raises(ValueError, match="two of 'x' have the same id"):
        LeakPack("x", (one, one))
