"""What inspection says that it has found."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from revproxy.filters.inspect import Finding, Inspection
from revproxy.filters.inspect.finding import SCORES, redacted
from revproxy.security_log import Severity


@given(st.text())
def test_redacted(matched: str) -> None:
    """S-62, S-72: of what matched no letter and no digit is told, and never more than a line of it."""
    said = redacted(matched.lower())
    assert not set(said) & set("abcdefghijklmnopqrstuvwyz012345678")
    assert len(said) <= 51


def test_scores() -> None:
    """S-60: as in the Core Rule Set."""
    assert [SCORES[each] for each in sorted(Severity, reverse=True)] == [5, 4, 3, 2]


def test_words() -> None:
    """An inspection is printed with its score and the first of its findings."""
    findings = [Finding(f"x-0{n}", "about", Severity.ERROR, "value", "q", "'x") for n in range(5)]
    assert str(Inspection(20, tuple(findings))).startswith("score 20: x-00 (about) in value 'q': 'x; x-01 (about)")
    assert str(Inspection(20, tuple(findings))).endswith("; 2 more")
    assert Inspection(0, ()).severity is Severity.NOTICE
    assert str(Finding("x-01", "odd", Severity.ERROR, "", "", "why")) == "x-01 (odd): why"
    assert str(Finding("x-01", "odd", Severity.ERROR, "path", "", "../")) == "x-01 (odd) in path: ../"


def test_a_name_that_is_none() -> None:
    """S-72: what was taken for a name, and is a body, is told by its shape."""
    said = str(Finding("x-01", "odd", Severity.ERROR, "name", '{"password":"hunter2"}\n', "'"))
    assert "hunter" not in said
    assert said.isprintable()
