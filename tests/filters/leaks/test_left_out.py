"""What is not looked for in answers to which requests."""

from __future__ import annotations

import pytest

from revproxy import when
from revproxy.filters.inspect import Exclusion, Part
from revproxy.filters.leaks import packs
from revproxy.filters.leaks.left_out import LeftOut
from revproxy.testing import exchange


def test_always_and_sometimes() -> None:
    """Without a condition the ids are never looked for; with one, not where it holds."""
    subject = LeftOut(
        [
            Exclusion(ids="listing-*"),
            Exclusion(ids=["sql-error-01", "php-*"], when=when.path("/blog/*")),
            Exclusion(when=when.path("/raw/*")),
        ],
        packs.ALL,
    )
    every = {each.id for pack in packs.ALL for each in pack}
    assert subject.always == {id for id in every if id.startswith("listing-")}
    assert subject.of(exchange(target="/x")) == frozenset()
    assert subject.of(exchange(target="/blog/1")) == {
        "sql-error-01",
        *(id for id in every if id.startswith("php-")),
    }
    assert subject.of(exchange(target="/raw/1")) == every
    assert subject.reads_path
    assert repr(subject) == "<LeftOut: 7 signatures, and by 2 conditions more>"


def test_bad() -> None:
    """An exclusion of nothing, or of a part of requests, is an error."""
    with pytest.raises(ValueError, match=r"no signature is called \('x-01',\)"):
        LeftOut([Exclusion(ids="x-01")], packs.ALL)
    with pytest.raises(ValueError, match="which are those of requests"):
        LeftOut([Exclusion(ids="php-*", names="q")], packs.ALL)
    with pytest.raises(ValueError, match="which are those of requests"):
        LeftOut([Exclusion(ids="php-*", where=Part.COOKIE)], packs.ALL)
    with pytest.raises(TypeError, match="exclusions: several"):
        LeftOut(Exclusion(ids="php-*"), packs.ALL)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="exclusions: 1 is not an Exclusion"):
        LeftOut([1], packs.ALL)  # type: ignore[list-item]
