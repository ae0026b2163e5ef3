"""To say where something does not fit costs no more than to say that it does not."""

from __future__ import annotations

import time
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.filters import Schema
from revproxy.filters.validate.explain import explainable, is_recursive, keyword_behind

REF = {"$ref": "#"}
TAGGED: dict[str, Any] = {
    "oneOf": [
        {"properties": {"op": {"const": "add"}, "a": {"$ref": "#/$defs/e"}}, "required": ["op", "a"]},
        {"properties": {"op": {"const": "sub"}, "a": {"$ref": "#/$defs/e"}}, "required": ["op", "a"]},
        {"type": "integer"},
    ]
}
TYPES = {"type": ["object", "integer"]}
RECURSIVE: dict[str, dict[str, Any]] = {
    "tagged": {"properties": {"a": {"$ref": "#/$defs/e"}}, "$defs": {"e": TAGGED}},
    "anyOf": {"anyOf": [{"properties": {"a": REF}}, {"properties": {"a": REF}, "required": ["x"]}], **TYPES},
    "allOf": {"allOf": [{"properties": {"a": REF}}, {"properties": {"a": REF}}], **TYPES},
    "beside": {"$ref": "#/$defs/n", "properties": {"a": REF}, "$defs": {"n": {"properties": {"a": REF}}}, **TYPES},
    "patterns": {"properties": {"a": REF}, "patternProperties": {"^a": REF, "a$": REF}, **TYPES},
    "if": {
        "if": {"properties": {"a": REF}},
        "then": {"properties": {"a": REF}},
        "else": {"properties": {"a": REF}},
        **TYPES,
    },
    "dependent": {"dependentSchemas": {"a": {"properties": {"a": REF}}, "op": {"properties": {"a": REF}}}, **TYPES},
    "dynamic": {
        "$dynamicAnchor": "n",
        "anyOf": [{"properties": {"a": {"$dynamicRef": "#n"}}}, {"properties": {"a": {"$dynamicRef": "#n"}}}],
        **TYPES,
    },
    "unevaluated": {
        "anyOf": [{"properties": {"a": REF}}, {"properties": {"op": True, "a": REF}}],
        "unevaluatedProperties": False,
        **TYPES,
    },
    "tree": {"properties": {"a": REF}, **TYPES},
}
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from(["bad", 1, None]),
    lambda inner: st.dictionaries(st.sampled_from(["a", "op", "x"]), inner | st.just("add"), max_size=3),
    max_leaves=10,
)


def nested(depth: int, leaf: object) -> object:
    for _ in range(depth):
        leaf = {"a": leaf, "op": "add"}
    return leaf


@pytest.mark.parametrize("values", [20, 20_000])
@pytest.mark.parametrize("name", RECURSIVE)
def test_depth_does_not_multiply(name: str, values: int) -> None:
    """S-50: whatever a schema that refers to itself asks of one value by several ways, 64 levels are explained at once:
    each doubled the work before."""
    schema = Schema(RECURSIVE[name])
    began = time.process_time()
    assert schema.violations(nested(64, "bad"), values=values)
    assert time.process_time() - began < 0.5


@given(VALUES, st.sampled_from(sorted(set(RECURSIVE) - {"unevaluated"})), st.booleans())
def test_the_same_fits(value: Any, name: str, recursive: bool) -> None:
    """What is rewritten says the same of every value."""
    document = RECURSIVE[name]
    rewritten = explainable(document, recursive=recursive, keep=False)
    fits = jsonschema_rs.validator_for(document).is_valid(value)
    assert jsonschema_rs.validator_for(rewritten).is_valid(value) is fits
    assert bool(Schema(document).violations(value, values=20)) is not fits


@pytest.mark.parametrize(
    ("document", "value", "expected"),
    [
        (RECURSIVE["tagged"], {"a": {"op": "add", "a": "bad"}}, {"pointer": "#/a", "keyword": "oneOf"}),
        (RECURSIVE["tree"], {"a": {"a": "bad"}}, {"pointer": "#/a/a", "keyword": "type"}),
        (RECURSIVE["allOf"], {"a": "bad"}, {"pointer": "#", "keyword": "allOf"}),
        (RECURSIVE["unevaluated"], {"a": 1, "x": 1}, {"pointer": "#"}),
        ({"allOf": [{"properties": {"a": {"type": "null"}}}]}, {"a": 1}, {"pointer": "#/a", "keyword": "type"}),
        ({"anyOf": [{"type": "null"}, {"required": ["x"]}]}, {}, {"pointer": "#", "keyword": "anyOf"}),
        ({"not": {"required": ["a"]}}, {"a": 1}, {"pointer": "#", "keyword": "not"}),
        (
            {"properties": {"a": {"anyOf": [{"type": "null"}]}, "b": {"$ref": "#/properties/a/anyOf/0"}}},
            {"b": 1},
            {"pointer": "#"},
        ),
    ],
)
def test_what_is_said(document: Any, value: Any, expected: dict[str, str]) -> None:
    """The keyword is that of the schema, not of what it was rewritten to; the place may be lost, the answer never."""
    assert Schema(document).violations(value, values=3) == [expected]


@pytest.mark.parametrize(
    ("document", "recursive"),
    [
        ({}, False),
        (True, False),
        (REF, True),
        ({"properties": {"a": {"$ref": "#/$defs/b"}}, "$defs": {"b": {"type": "null"}}}, False),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"items": {"$ref": "#/$defs/a"}}}}, True),
        ({"allOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/a"}], "$defs": {"a": {}}}, False),
        ({"properties": {"a": {"properties": {"b": {"$ref": "#/properties/a"}}}}}, True),
        ({"$ref": "#/allOf/0", "allOf": [{"type": "null"}]}, False),
        ({"$ref": "#anchor", "$defs": {"a": {"$anchor": "anchor"}}}, True),
        ({"$ref": "https://x.test/a"}, False),
        ({"$ref": "https://x.test/b"}, True),
        ({"$ref": "https://x.test/none"}, True),
        ({"$dynamicRef": "#n"}, True),
        ({"const": REF, "properties": {"$ref": {"type": "string"}}}, False),
        ({"items": [REF]}, True),
    ],
)
def test_recursion(document: Any, recursive: bool) -> None:
    """A reference that leads back is found, and one that cannot be followed counts as one."""
    others = {"https://x.test/a": {"properties": {"a": {"type": "null"}}}, "https://x.test/b": {"items": {"$ref": "#"}}}
    assert is_recursive({"": document, **others}) is recursive


def test_nothing_to_hide() -> None:
    """What multiplies nothing stays as it is."""
    document = {"properties": {"a": REF}, "allOf": [{"required": ["a"]}], "if": True, "unevaluatedProperties": False}
    assert explainable(document, recursive=True, keep=True) == document
    assert explainable({"enum": [{"anyOf": []}]}, recursive=False, keep=True) == {"enum": [{"anyOf": []}]}


def test_keyword_behind() -> None:
    """Of anything else than a double negation there is none."""
    (hidden,) = explainable({"anyOf": [True]}, recursive=False, keep=True)["allOf"]
    assert keyword_behind(hidden["not"]) == "anyOf"
    others: list[object] = [True, {}, {"type": "null"}, {"not": True}, {"not": {}}]
    assert [keyword_behind(each) for each in others] == [None] * 5
