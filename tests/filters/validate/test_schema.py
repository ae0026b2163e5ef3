"""Schemas: compiled once, without a network, and silent about what they are asked of."""

from __future__ import annotations

import builtins
import json
import logging
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.filters import Schema

SECRET = "hunter2hunter2"
NAMES = st.sampled_from(["a", "b", "items", SECRET, f"{SECRET}/x", "4111111111111111", "0123", "~"])
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from([SECRET, 4111111111111111, -1, 2.5, None, True]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)
STRICT: dict[str, Any] = {
    "type": "object",
    "required": ["id"],
    "properties": {
        "a": {"type": "integer", "minimum": 0},
        "b": {"type": "array", "items": {"$ref": "#/$defs/node"}, "uniqueItems": True, "contains": {"const": 1}},
        "items": {
            "anyOf": [{"type": "string", "pattern": "^x+$"}, {"enum": ["schema-secret"]}, {"const": "schema-secret"}]
        },
    },
    "patternProperties": {"^0": False},
    "additionalProperties": {
        "type": "object",
        "properties": {"a": {"type": "null"}},
        "additionalProperties": {"minimum": 9},
    },
    "propertyNames": {"maxLength": 16},
    "$defs": {
        "node": {"type": "object", "unevaluatedProperties": False, "properties": {"b": {"$ref": "#/$defs/node"}}}
    },
}


def told(document: Any, value: Any, **options: Any) -> list[tuple[str, str]]:
    found = Schema(document).violations(value, **{"values": 1, **options})
    return [(each["pointer"], each["keyword"]) for each in found]


@given(VALUES, st.sampled_from([1, 1000]))
def test_nothing_is_told(value: Any, values: int) -> None:
    """Whatever is sent, what is said of it has no value, no name that the schema does not have, and no constant."""
    schema = Schema(STRICT)
    found = schema.violations(value, values=values)
    assert bool(found) is not schema.is_valid(value)
    said = json.dumps(found)
    for secret in (SECRET, "4111", "0123", "schema-secret", "x+"):
        assert secret not in said
    assert len(found) <= (8 if values == 1 else 1)


@pytest.mark.parametrize(
    ("document", "value", "expected"),
    [
        ({"items": {"properties": {"price": {"minimum": 0}}}}, [{}, {"price": -1}], ("#/1/price", "minimum")),
        ({"required": ["name"]}, {}, ("#/name", "required")),
        ({"properties": {"a/b~ %": {"type": "null"}}}, {"a/b~ %": 1}, ("#/a~1b~0%20%25", "type")),
        ({"properties": {"\u00e9": {"type": "null"}}}, {"\u00e9": 1}, ("#/%C3%A9", "type")),
        ({"properties": {"7": {"type": "null"}}}, {"7": 1}, ("#/7", "type")),
        ({"additionalProperties": {"type": "null"}}, {"4111111111111111": 1}, ("#", "type")),
        ({"additionalProperties": {"type": "null"}}, {SECRET: 1}, ("#", "type")),
        ({"additionalProperties": False}, {SECRET: 1}, ("#", "additionalProperties")),
        ({"properties": {"a": {}}, "additionalProperties": False}, {SECRET: 1}, ("#", "additionalProperties")),
        ({"unevaluatedProperties": False}, {SECRET: 1}, ("#", "unevaluatedProperties")),
        ({"propertyNames": {"const": "a"}}, {SECRET: 1}, ("#", "propertyNames")),
        ({"properties": {"a": False}}, {"a": 1}, ("#/a", "falseSchema")),
        ({"patternProperties": {"^hunter": False}}, {SECRET: 1}, ("#", "falseSchema")),
        ({"dependentRequired": {"a": ["b"]}}, {"a": 1}, ("#/b", "required")),
        ({"enum": [{"properties": {SECRET: 1}}]}, {SECRET: 1}, ("#", "enum")),
        (
            {"properties": {"const": {"properties": {"x": {"type": "null"}}}}},
            {"const": {"x": 1}},
            ("#/const/x", "type"),
        ),
        (False, 1, ("#", "falseSchema")),
    ],
)
def test_where(document: Any, value: Any, expected: tuple[str, str]) -> None:
    """RFC 6901: the pointer leads there, as far as the schema has names for it."""
    assert told(document, value) == [expected]
    assert told(document, value, values=1000) == [expected]


def test_many() -> None:
    """Eight places at most; of a large value the first, for to find them all takes longer than it is worth."""
    document = {"items": {"type": "integer"}}
    assert told(document, ["x"] * 20, values=21) == [(f"#/{number}", "type") for number in range(8)]
    large = ["x"] * 300_000
    began = time.process_time()
    assert told(document, large, values=len(large)) == [("#/0", "type")]
    assert time.process_time() - began < 0.5
    assert told(document, [1], values=2) == []


@pytest.mark.parametrize("values", [1, 1000])
def test_once(values: int) -> None:
    """The same place for the same reason is told once."""
    assert told({"allOf": [{"type": "null"}, {"type": "null"}]}, 1, values=values) == [("#", "type")]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"$ref": "http://127.0.0.1:1/x"}, "127.0.0.1"),
        ({"$ref": "https://example.test/x.json"}, "example.test"),
        ({"$ref": "file:///etc/hostname"}, "hostname"),
        ({"$ref": "other.json"}, "other.json"),
        ({"$defs": {"unused": {"$ref": "https://example.test/x"}}}, "example.test"),
        ({"$ref": "#/$defs/none"}, "none"),
        ({"$schema": "https://example.test/meta"}, "meta"),
        ({"properties": {"a": {"type": "strin"}}}, "'strin' is not valid .*, at #/properties/a/type"),
        ({"minimum": "1"}, "number"),
        ({"pattern": "("}, "regex"),
        ({"pattern": "^(?=a)(a+)+$"}, "regex"),
        ({"pattern": r"(a)\1"}, "regex"),
        ({"patternProperties": {"(?!a)": {}}}, "regex"),
        ({"format": "int32"}, "int32"),
        ({"a": object()}, "object"),
    ],
)
def test_refused_at_start_up(document: Any, message: str) -> None:
    """What would have to be fetched, could not be matched in linear time, or is no schema, is an error at once."""
    with pytest.raises(ValueError, match=f"^document: .*{message}"):
        Schema(document)


@pytest.mark.parametrize("document", [None, [], "{}", 1])
def test_no_schema(document: Any) -> None:
    """A schema is a mapping or a bool."""
    with pytest.raises(TypeError, match="document"):
        Schema(document)


def test_others() -> None:
    """Schemas may refer to those that are given, and these to each other, under the same laws."""
    others: dict[str, dict[str, Any]] = {
        "https://x.test/a": {"items": {"$ref": "b"}},
        "https://x.test/b": {"properties": {"n": {"type": "integer"}}},
    }
    schema = Schema({"$ref": "https://x.test/a"}, others=others)
    assert schema.violations([{"n": "x"}], values=3) == [{"pointer": "#/0/n", "keyword": "type"}]
    with pytest.raises(ValueError, match=r"y\.test"):
        Schema(True, others={"https://x.test/a": {"$ref": "https://y.test/b"}})
    with pytest.raises(ValueError, match="regex"):
        Schema({"$ref": "https://x.test/a"}, others={"https://x.test/a": {"pattern": "(?=a)"}})


def test_linear() -> None:
    """S-50: a pattern that would try for years with a backtracking matcher takes no time."""
    schema = Schema({"pattern": "^(a|aa|a*)+(b|[ab]*)*$"})
    began = time.process_time()
    assert not schema.is_valid("a" * 200_000 + "!")
    assert time.process_time() - began < 0.5


def test_formats() -> None:
    """Formats are asserted, unless they are not to be; others are what a function says."""
    assert not Schema({"format": "date"}).is_valid("2026-02-30")
    assert Schema({"format": "date"}, formats=False).is_valid("2026-02-30")
    assert Schema({"format": "int32"}, formats=False).is_valid("x")
    own = Schema({"format": "even"}, formats={"even": lambda text: len(text) % 2 == 0})
    assert own.is_valid("ab")
    assert not own.is_valid("a")


def test_drafts() -> None:
    """Draft 2020-12, or what ``$schema`` says."""
    tuples = {"items": [{"type": "integer"}], "additionalItems": False}
    assert not Schema({"$schema": "http://json-schema.org/draft-07/schema#", **tuples}).is_valid([1, 2])
    assert not Schema({"prefixItems": [{"type": "integer"}], "items": False}).is_valid([1, 2])


def test_what_it_was_made_of_may_change() -> None:
    """It keeps a copy."""
    document: dict[str, Any] = {"properties": {"a": {"type": "integer"}}}
    schema = Schema(document)
    document["properties"]["a"]["type"] = "string"
    assert not schema.is_valid({"a": "x"})
    assert schema.document == {"properties": {"a": {"type": "integer"}}}


def test_endless_references() -> None:
    """What refers to itself without an end says nothing, and ends."""
    assert Schema({"$ref": "#"}).is_valid(1)
    assert Schema({"allOf": [{"$ref": "#"}]}).violations(1, values=1) == []


def test_numbers() -> None:
    """Integers of any size are compared as what they are."""
    schema = Schema({"type": "integer", "maximum": 2**53})
    assert [schema.is_valid(each) for each in (2**53, 2**53 + 1, 2**64, 10**300, 1.0, 1.5)] == [
        True,
        False,
        False,
        False,
        True,
        False,
    ]


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is missing is named, with the command that installs it."""
    real = builtins.__import__

    def fail(name: str, *rest: Any) -> Any:
        if name == "jsonschema_rs":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", fail)
    with pytest.raises(ImportError, match=r"aiohttp-revproxy\[schema\]"):
        Schema({})


def test_repr(caplog: pytest.LogCaptureFixture) -> None:
    """It shows its title."""
    assert repr(Schema({"title": "An order"})) == "<Schema 'An order'>"
    assert (repr(Schema({})), repr(Schema(False))) == ("<Schema>", "<Schema False>")
    assert not [each for each in caplog.records if each.levelno >= logging.WARNING]
