"""A query as an object."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.filters import Schema
from revproxy.filters.validate import BadQuery, QueryReader

DOCUMENT: dict[str, Any] = {
    "$defs": {"count": {"type": "integer"}, "n/a": {"$ref": "#/$defs/count"}},
    "properties": {
        "page": {"type": "integer"},
        "ratio": {"type": "number"},
        "all": {"type": "boolean"},
        "name": {"type": "string"},
        "either": {"type": ["integer", "null", "string"]},
        "any": {},
        "id": {"type": "array", "items": {"type": "integer"}},
        "tag": {"type": "array"},
        "far": {"$ref": "#/$defs/n~1a"},
        "lost": {"$ref": "#/$defs/none"},
    },
}
READER = QueryReader(
    Schema(DOCUMENT | {"properties": {k: v for k, v in DOCUMENT["properties"].items() if k != "lost"}})
)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {}),
        ("page=5", {"page": 5}),
        ("page=-0", {"page": 0}),
        ("page=05", {"page": "05"}),
        ("page=5.0", {"page": "5.0"}),
        ("page=+5", {"page": " 5"}),
        ("page=%2B5", {"page": "+5"}),
        ("page=\u0665", {"page": "\u0665"}),
        ("page=", {"page": ""}),
        ("page", {"page": ""}),
        ("page=" + "9" * 309, {"page": "9" * 309}),
        ("ratio=0.5", {"ratio": 0.5}),
        ("ratio=1e3", {"ratio": 1000.0}),
        ("ratio=7", {"ratio": 7}),
        ("ratio=1e999", {"ratio": "1e999"}),
        ("ratio=.5", {"ratio": ".5"}),
        ("ratio=nan", {"ratio": "nan"}),
        ("ratio=1_0", {"ratio": "1_0"}),
        ("all=true", {"all": True}),
        ("all=false", {"all": False}),
        ("all=True", {"all": "True"}),
        ("all=1", {"all": "1"}),
        ("name=5", {"name": "5"}),
        ("either=5", {"either": 5}),
        ("either=x", {"either": "x"}),
        ("any=5", {"any": "5"}),
        ("other=5", {"other": "5"}),
        ("id=1", {"id": [1]}),
        ("id=1&page=2&id=x", {"id": [1, "x"], "page": 2}),
        ("tag=1&tag=1", {"tag": ["1", "1"]}),
        ("far=5", {"far": 5}),
        ("na%6De=%C3%A9+%26", {"name": "\u00e9 &"}),
        ("name=\u00e9", {"name": "\u00e9"}),
        ("&&name=a&", {"name": "a"}),
        ("=a", {"": "a"}),
        ("name=a=b", {"name": "a=b"}),
    ],
)
def test_what_it_says(query: str, found: dict[str, object]) -> None:
    """Text becomes what its property is declared as, where it has JSON's form for it; else it stays text."""
    read = READER.read(query)
    assert read == found
    assert {name: type(value) for name, value in read.items()} == {name: type(value) for name, value in found.items()}


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("page=1&page=1", "duplicate"),
        ("other=1&%6Fther=2", "duplicate"),
        ("name=%", "encoding"),
        ("name=%zz", "encoding"),
        ("%f=1", "encoding"),
        ("name=%FF", "encoding"),
        ("%ED%A0%80=1", "encoding"),
        ("name=\udcff", "encoding"),
        ("name=a;page=2", "separator"),
    ],
)
def test_two_readings(query: str, reason: str) -> None:
    """What two servers read differently is refused, and said why without a word of it."""
    with pytest.raises(BadQuery) as refused:
        READER.read(query)
    assert (refused.value.reason, str(refused.value)) == (reason, reason)


@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"]))
    )
)
def test_there_and_back(pairs: dict[str, str]) -> None:
    """What a client encodes is what the schema is asked of."""
    assert QueryReader(Schema({})).read(urlencode(pairs)) == pairs


def test_additional_properties() -> None:
    """What is not in ``properties`` is read by ``additionalProperties``."""
    reader = QueryReader(Schema({"additionalProperties": {"type": "array", "items": {"type": "number"}}}))
    assert reader.read("a=1&a=x&b=2.5") == {"a": [1, "x"], "b": [2.5]}
    assert QueryReader(Schema(True)).read("a=1") == {"a": "1"}


def test_root_by_reference() -> None:
    """The whole may be a reference into itself."""
    reader = QueryReader(Schema({"$ref": "#/$defs/q", "$defs": {"q": {"properties": {"a": {"type": "integer"}}}}}))
    assert reader.read("a=1") == {"a": 1}


def test_endless_references() -> None:
    """References in a circle say nothing of how text is read."""
    document = {"properties": {"a": {"$ref": "#/$defs/x"}}, "$defs": {"x": {"$ref": "#/$defs/x"}}}
    assert QueryReader(Schema(document)).read("a=1") == {"a": "1"}


@pytest.mark.parametrize(
    "declared", [{"type": "object"}, {"type": "null"}, {"type": "array", "items": {"type": "array"}}]
)
def test_what_no_query_has(declared: dict[str, object]) -> None:
    """A property that nothing in a query could be is an error at start-up."""
    with pytest.raises(ValueError, match="query: 'filter'"):
        QueryReader(Schema({"properties": {"filter": declared}}))
