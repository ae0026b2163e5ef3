"""The canonical form of a path, and places in it."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from revproxy.canonical import below, canonical, locate
from revproxy.errors import BadRequest
from revproxy.paths import PathPolicy

from .test_paths import reading, targets

open_reader = PathPolicy().bind(conditions=False)


@given(targets, st.data())
@example("/%41%c3%A9\udce9{é/%2f", None)
def test_places_of_a_canonical_path(target: str, data: st.DataObject | None) -> None:
    """A piece of a canonical path is found in what it was read from; a place within an encoded character is none."""
    raw = target.partition("?")[0]
    if re.search("%(?![0-9A-Fa-f]{2})", raw):
        with pytest.raises(BadRequest, match="percent"):
            locate(raw)
        return
    path, find = canonical(raw), locate(raw)
    places = [place for place in range(len(path) + 1) if find(place) is not None]
    characters = re.findall("%[0-9A-Fa-f]{2}|[^%]", raw)
    assert len(places) == len(characters) + 1
    assert (find(0), find(len(path))) == (0, len(raw))
    first, last = (0, -1) if data is None else sorted(data.draw(st.tuples(*[st.integers(0, len(places) - 1)] * 2)))
    assert canonical(raw[find(places[first]) : find(places[last])]) == path[places[first] : places[last]]


@given(targets, st.sampled_from(["", "/a", "/a/b.c", "/a//a", "/caf%C3%A9", "/A", "/%25"]))
@example("/a//a/b", "/a//a")
def test_below(target: str, prefix: str) -> None:
    """F-05: what is left behind a prefix are the segments behind it, byte for byte, and the query."""
    found = reading(open_reader, target)
    if found is None:
        return
    rest = below(prefix, found.path, found.target)
    wanted, segments = prefix.split("/")[1:], found.target.partition("?")[0].split("/")[1:]
    if [canonical(segment) for segment in segments[: len(wanted)]] != wanted:
        assert rest is None
        return
    mark = "?" if "?" in target else ""
    assert rest == f"/{'/'.join(segments[len(wanted) :])}{mark}{found.query or ''}"
