"""A schema rewritten so that to say where something does not fit costs no more than to say that it does not.

What a validator collects of ``anyOf`` is all that is wrong with each branch, and with each of theirs: of a schema that
refers to itself that is exponential in the depth of what was sent (a tree of tagged unions, 16 deep: 40 s), where the
plain answer takes microseconds. Behind a double negation there is only the plain answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["OF_NAMES", "OF_VALUES", "explainable", "is_recursive", "keyword_behind", "references"]

_BRANCHES = (("anyOf",), ("oneOf",))
_IN_PLACE = (
    *_BRANCHES,
    ("allOf",),
    ("if", "then", "else"),
    ("dependentSchemas",),
    ("dependencies",),
    ("patternProperties", "properties", "additionalProperties"),
)
"""What asks several schemas of one value, which one of them may be asked by several ways."""
_UNEVALUATED = frozenset({"unevaluatedProperties", "unevaluatedItems"})
"""They depend on what was found, which nobody knows behind a negation."""
OF_NAMES = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies"})
"""Keywords that hold schemas by names."""
OF_VALUES = frozenset({"const", "enum", "default", "examples", "required", "dependentRequired"})
"""Keywords that hold none."""


def explainable(schema: Any, *, recursive: bool, keep: bool) -> Any:
    """``schema``, with what could multiply the work behind double negations. ``keep``: with ``unevaluated...``, too."""
    if isinstance(schema, list):
        return [explainable(each, recursive=recursive, keep=keep) for each in schema]
    if not isinstance(schema, dict):
        return schema
    written: dict[str, Any] = {}
    for keyword, value in schema.items():
        if keyword in _UNEVALUATED and not keep:
            continue
        if keyword in OF_NAMES and isinstance(value, dict):
            each_of = value.items()
            written[keyword] = {name: explainable(each, recursive=recursive, keep=keep) for name, each in each_of}
        else:
            written[keyword] = value if keyword in OF_VALUES else explainable(value, recursive=recursive, keep=keep)
    hidden = [{"not": {"not": taken}} for taken in _taken(written, schema, recursive)]
    if hidden:
        written["allOf"] = [*written.get("allOf", ()), *hidden]
    return written


def _taken(written: dict[str, Any], schema: dict[str, Any], recursive: bool) -> Iterator[dict[str, Any]]:
    """What is taken out of ``written``, keywords that belong together at once."""
    for group in _IN_PLACE if recursive else _BRANCHES:
        refers = any(True for each in group for _ in references({each: schema.get(each)}))
        if group[0] in written and (refers or group in _BRANCHES):
            yield {each: written.pop(each) for each in group if each in written}
    if recursive and "$ref" in written:
        beside = {
            keyword: value for keyword, value in schema.items() if keyword not in ("$ref", "$defs", "definitions")
        }
        if any(True for _ in references(beside)):
            yield {"$ref": written.pop("$ref")}


def keyword_behind(schema: object) -> str | None:
    """Of what ``not`` refuses: the keyword that ``explainable`` has put there."""
    inner = schema.get("not") if isinstance(schema, dict) and len(schema) == 1 else None
    return next(iter(inner)) if isinstance(inner, dict) and inner else None


def is_recursive(documents: Mapping[str, Any]) -> bool:
    """Whether the document of the URI ``""`` can come back to a schema by references, or it cannot be told."""
    done: set[str] = set()

    def comes_back(base: str, schema: object, way: frozenset[str]) -> bool:
        for reference in references(schema):
            uri, _, pointer = reference.partition("#")
            uri = uri or base
            target = f"{uri}#{pointer}"
            if target in way:
                return True
            if target in done:
                continue
            found = _at(documents.get(uri), pointer)
            if found is None or comes_back(uri, found, way | {target}):
                return True
            done.add(target)
        return False

    return comes_back("", documents[""], frozenset({"#"}))


def references(schema: object) -> Iterator[str]:
    """The references in ``schema``; of those that depend on where it is used, one to the whole."""
    if isinstance(schema, list):
        for each in schema:
            yield from references(each)
    elif isinstance(schema, dict):
        for keyword, value in schema.items():
            if keyword in ("$ref", "$dynamicRef", "$recursiveRef") and isinstance(value, str):
                yield value if keyword == "$ref" else "#"
            if keyword in OF_NAMES and isinstance(value, dict):
                for each in value.values():
                    yield from references(each)
            elif keyword not in OF_VALUES:
                yield from references(value)


def _at(document: object, pointer: str) -> object:
    """What ``pointer`` leads to; ``None``: nothing, or it is none."""
    if pointer and not pointer.startswith("/"):
        return None
    for step in pointer.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        if isinstance(document, dict):
            document = document.get(key)
        elif isinstance(document, list) and key.isascii() and key.isdigit() and int(key) < len(document):
            document = document[int(key)]
        else:
            return None
    return document
