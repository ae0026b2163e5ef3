"""Names of fields that go, and that stay."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.hiding.names import KEPT, NEEDED, TELLING, alternatives, check_names, covers

NAME = st.text(st.sampled_from("abx-"), min_size=1, max_size=5)


@given(st.lists(st.one_of(NAME, NAME.map(lambda name: f"{name}*")), min_size=1, max_size=12), NAME)
def test_one_expression_for_all(names: list[str], name: str) -> None:
    """It matches what one of the names does, and nothing else."""
    assert (re.fullmatch(alternatives(names), name) is not None) == covers(names, name)


def test_the_lists_agree() -> None:
    """Nothing that HTTP cannot do without, or that clients are known to read, is on the list of what goes."""
    removed = [name.lower() for name in TELLING]
    read = ("X-Drupal-Ajax-Token", "X-Nextjs-Redirect", "X-Atmosphere-tracking-id", "Server-Timing", "X-Request-Id")
    for name in (*KEPT, *NEEDED, *read, "Set-Cookie", "Link", "SourceMap", "X-Accel-Buffering"):
        assert not covers(removed, name.lower()), name
    assert len(set(removed)) == len(removed)
    assert check_names("x", TELLING) == tuple(removed)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ("Server", "must be names of fields, in a list"),
        (5, "must be names of fields, in a list"),
        ([5], "must be names of fields, got 5"),
        (["*"], "with or without"),
        ([""], "with or without"),
        (["a*b"], "with or without"),
        (["a**"], "with or without"),
        (["a b"], "with or without"),
        (["Content-Type"], "no response can do without Content-Type"),
        (["date"], "no response can do without date"),
    ],
    ids=str,
)
def test_bad_names(names: Any, said: str) -> None:
    """What is no name, or cannot go, is named with its parameter."""
    with pytest.raises((TypeError, ValueError), match=f"remove.*{said}"):
        check_names("remove", names, removed=True)
