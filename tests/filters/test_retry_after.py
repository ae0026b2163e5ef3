"""What ``Retry-After`` says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from revproxy.filters.retry_after import retry_after

NOW = 784111770.0  # Sun, 06 Nov 1994 08:49:30 GMT


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        (" 7\t", 7),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 7),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 7),
        ("Sun Nov  6 08:49:37 1994", 7),
        ("Sun, 06 Nov 1994 08:00:00 GMT", 0),
        ("-1", None),
        ("1.5", None),
        ("1e3", None),
        ("\u0661", None),
        ("9" * 10, None),
        ("", None),
        ("soon", None),
        ("Sun, 99 Foo 1994 99:99:99 GMT", None),
        ("Sun, 06 Nov 999999999 08:49:37 GMT", None),
    ],
)
def test_values(value: str, seconds: float | None) -> None:
    """S-56: seconds, or a date in any form of RFC 9110 section 5.6.7; what is neither says nothing."""
    assert retry_after({"retry-after": value}, NOW) == seconds


def test_several() -> None:
    """S-56: of several the longest counts; none is none."""
    assert retry_after(CIMultiDict([("Retry-After", "1"), ("Retry-After", "9"), ("Retry-After", "x")]), NOW) == 9
    assert retry_after({}, NOW) is None


@given(st.text(max_size=80))
def test_anything(value: str) -> None:
    """Whatever a server says, it is a time from now on, or nothing."""
    seconds = retry_after({"Retry-After": value}, NOW)
    assert seconds is None or seconds >= 0
