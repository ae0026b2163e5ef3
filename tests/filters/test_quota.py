"""What a quota says of itself in response fields. (What it refuses to be made of: test_rate_limit.py.)"""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.filters import Bytes, Cost, Milliseconds, Quota
from revproxy.filters.quota import policy, service_limit
from revproxy.limiters import Gcra, Verdict

_MEMBER = r'"(?:[ !#-\[\]-~]|\\["\\])*"(?:;[a-z]+=(?:[0-9]{1,15}|"[a-z-]+"))+'
"""A String with parameters, as RFC 9651 writes them."""


@pytest.mark.parametrize(
    ("rate", "burst", "cost", "said"),
    [
        (10, 20, None, '"a";q=20;w=2'),
        (10, 20, 2.0, '"a";q=20;w=2'),
        (100, 20, None, '"a";q=20;w=1'),
        (1 / 60, 5, None, '"a";q=5;w=300'),
        (3, 10.5, None, '"a";q=10;w=4'),
        (1e6, 1e7, Bytes(), '"a";q=10000000;qu="content-bytes";w=10'),
        (1e3, 1e4, Milliseconds(), ""),
        (1e-15, 1e15, None, '"a";q=999999999999999;w=999999999999999'),
    ],
)
def test_policy(rate: float, burst: float, cost: Cost | None, said: str) -> None:
    """draft-ietf-httpapi-ratelimit-headers-11 section 3: the burst, in the time that it takes to have all of it again,
    in whole seconds of at least 1. Never more than there is; nothing for a unit that has no name there."""
    assert policy(Quota(Gcra(rate, burst), cost=cost, name="a")) == said


@given(
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20),
    st.floats(0, 1e16),
    st.floats(0, 1e20),
    st.floats(1e-15, 1e15),
    st.floats(1, 1e15),
)
def test_well_formed(name: str, remaining: float, reset: float, rate: float, burst: float) -> None:
    """Whatever the name and the numbers, a member is one of RFC 9651, and its name can be read back."""
    quota = Quota(Gcra(rate, burst), name=name)
    for member in (policy(quota), service_limit(quota, Verdict(True, remaining, 0.0, reset))):
        assert re.fullmatch(_MEMBER, member)
        quoted = re.match(r'"((?:[^"\\]|\\.)*)"', member)
        assert quoted is not None
        assert re.sub(r"\\(.)", r"\1", quoted[1]) == name


def test_printed() -> None:
    """With what is not left to defaults."""
    assert repr(Quota(Gcra(1, 5))) == "Quota(<Gcra 1/s, 5 at once: 0 of 65536 keys>, name='')"
    assert "cost=Bytes(), name='b'" in repr(Quota(Gcra(1, 5), cost=Bytes(), name="b"))
