"""Rules for the fields of responses."""

from __future__ import annotations

import re
from typing import Any

import pytest
from multidict import CIMultiDict

from revproxy.filters import HeaderRules

RULES = HeaderRules(
    required=["Content-Security-Policy"],
    forbidden=["Server", "X-Debug-*"],
    values={"X-Frame-Options": "DENY|SAMEORIGIN", "Set-Cookie": re.compile(r"[^;]*; Secure")},
)
FINE = [
    ("content-security-policy", "x"),
    ("x-frame-options", "DENY"),
    ("Set-Cookie", "a=b; Secure"),
    ("X-Debugger", ""),
]


@pytest.mark.parametrize(
    ("more", "wrong"),
    [
        ([], None),
        ([("sErver", "x")], "Server is there"),
        ([("x-debug-token", "hunter2")], "x-debug-* is there"),
        ([("X-FRAME-OPTIONS", "hunter2")], "X-Frame-Options has another value"),
        ([("Set-Cookie", "hunter2")], "Set-Cookie has another value"),
        ([("Set-Cookie", "a=b; Secure\n")], "Set-Cookie has another value"),
    ],
)
def test_wrong(more: list[tuple[str, str]], wrong: str | None) -> None:
    """Each value of a field has to fit, whatever the case of its name; what is said of it never has the value."""
    assert RULES.wrong_in(CIMultiDict([*FINE, *more])) == wrong


def test_missing() -> None:
    """What is required has to be there; what has a pattern need not."""
    assert RULES.wrong_in(CIMultiDict()) == "Content-Security-Policy is missing"
    assert RULES.wrong_in(CIMultiDict({"Content-Security-Policy": ""})) is None
    assert HeaderRules().wrong_in(CIMultiDict(FINE)) is None


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"required": "Server"}, TypeError, "required must be several"),
        ({"forbidden": "Server"}, TypeError, "forbidden must be several"),
        ({"required": ["a b"]}, ValueError, "required: 'a b' is not a field name"),
        ({"forbidden": ["*"]}, ValueError, "forbidden: '' is not a field name"),
        ({"forbidden": ["a*b"]}, ValueError, ""),
        ({"values": {"a:": "x"}}, ValueError, "values: 'a:' is not a field name"),
        ({"values": {"A": "("}}, ValueError, r"values\['A'\]"),
        ({"values": {"A": "(a*)*b"}}, ValueError, r"values\['A'\]: pattern"),
        ({"values": {"A": 1}}, ValueError, r"values\['A'\]"),
    ],
)
def test_bad(options: dict[str, Any], error: type[Exception], message: str) -> None:
    """S-53: what is no name, and a pattern that may take more than linear time, is an error that names it."""
    if options == {"forbidden": ["a*b"]}:  # an asterisk is a character of names, too
        assert HeaderRules(**options).wrong_in(CIMultiDict({"a*b": ""})) == "a*b is there"
        return
    with pytest.raises(error, match=message):
        HeaderRules(**options)


def test_repr() -> None:
    """It shows its rules."""
    assert repr(HeaderRules()) == "HeaderRules()"
    assert repr(HeaderRules(required=["A"], forbidden=["B-*"], values={"C": "x"})) == (
        "HeaderRules(required=['A'], forbidden=['b-*'], values={'C': 'x'})"
    )
