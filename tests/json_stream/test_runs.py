"""Expressions that take what stays, or goes, at a place."""

from __future__ import annotations

from hypothesis import given

from revproxy.json_stream import Fate, JsonEditor, JsonPath, places

from .reference import DOCUMENTS, PATHS, edited


def paths(*several: str) -> list[JsonPath]:
    return [JsonPath.of(path) for path in several]


@given(DOCUMENTS, PATHS)
def test_what_is_taken_stays(text: str, path: JsonPath) -> None:
    """A value that is taken whole is one from which the reference removes nothing."""
    data = text.strip().encode()
    for root in (places(only=[path]), places(without=[path])):
        if root.fate is Fate.LOOK and root.runs.whole is not None:
            found = root.runs.whole.match(data + b"]")
            if found is not None:
                assert found[0] == data
                only, without = ([path], []) if not root.scalars else (None, [path])
                assert edited(text, only, without) == text


def test_members() -> None:
    """Members are taken as long as they stay, or go; names with escapes by neither."""
    runs = places(only=paths("a", "b")).runs
    assert runs.members is not None
    assert runs.gone is not None
    assert runs.both is not None
    data = b',"a":1, "b":[2],"c":3,"d":{},"\\u0061":4'
    kept = runs.members.match(data)
    assert kept is not None
    assert data[kept.end() :] == b',"c":3,"d":{},"\\u0061":4'
    gone = runs.gone.match(data, kept.end())
    assert gone is not None
    assert data[gone.end() :] == b',"\\u0061":4'
    both = runs.both.match(data)
    assert both is not None
    assert (both.end(1), both.end()) == (kept.end(), gone.end())
    assert repr(runs) == "<Runs of <Place to look>>"


def test_names_that_are_patterns() -> None:
    """A name means itself, whatever it would mean in a pattern."""
    runs = places(without=paths('"a.*|b"', '"(("')).runs
    assert runs.members is not None
    for name, stays in ((b"a.*|b", False), (b"((", False), (b"axxb", True), (b"b", True)):
        found = runs.members.match(b',"%s":1}' % name)
        assert found is not None
        assert bool(found[0]) == stays


def test_the_empty_name() -> None:
    """The empty name is a name like others: what goes by it is not taken for any other name."""
    document, wanted = b'{"":1,"a":{"":2,"b":3}, "" :4}', b'{"a":{"b":3}}'
    for several, fits in ((('**.*.""', '""'), wanted), (('**.""',), wanted), (('"".x', '**.""'), wanted)):
        for data in (document, document.replace(b'{"":1,', b"{")):
            assert JsonEditor(places(without=paths(*several))).feed(data) == fits
    assert JsonEditor(places(only=paths('""'))).feed(b'{"a":1,"":2,"b":3}') == b'{"":2}'


def test_many_names() -> None:
    """Of many names, the expressions stay short enough to be compiled soon, and say no more than is so."""
    root = places(only=paths(*(f"name{number}.{inner}" for number in range(200) for inner in "ab")))
    for found in (root.runs.whole, root.runs.members, root.runs.first):
        assert found is None or len(found.pattern) <= 8192
