"""What the editor has to do, said in the plainest way: by recursion over a whole text, on top of ``json``."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from hypothesis import strategies as st

from revproxy.json_stream import JsonPath
from revproxy.json_stream.path import Step, Wild

_SPACE = re.compile(r"[ \t\n\r]*")
_decoder = json.JSONDecoder()


def edited(
    text: str, only: Sequence[JsonPath] | None = None, without: Sequence[JsonPath] = (), *, null: bool = False
) -> str:
    """``text`` without what must not leave."""

    def space(place: int) -> int:
        found = _SPACE.match(text, place)
        assert found is not None
        return found.end()

    def value(place: int, path: tuple[Step, ...], allowed: bool) -> tuple[str | None, int]:
        first = text[place]
        kind = {"{": "object", "[": "array"}.get(first, "scalar")
        end = _decoder.raw_decode(text, place)[1]
        if any(matches(each.steps, path) for each in without):
            return None, end
        allowed = allowed or only is None or any(matches(each.steps, path) for each in only)
        leads_on = only is not None and any(leads(each.steps, path, kind) for each in only)
        if not allowed and not leads_on:
            return None, end
        if kind == "scalar":
            return text[place:end], end
        closing = "}" if kind == "object" else "]"
        if text[space(place + 1)] == closing:
            return text[place:end], end
        out, kept, place = first, False, place + 1
        while True:
            begin, place = place, space(place)
            step: Step = Wild.ELEMENT
            if kind == "object":
                step, place = _decoder.raw_decode(text, place)
                place = space(space(place) + 1)
            before = text[begin:place]
            inner, place = value(place, (*path, step), allowed)
            if inner is None and null:
                inner = "null"
            if inner is not None:
                out += ("," if kept else "") + before + inner
                kept = True
            begin, place = place, space(place)
            out += text[begin:place]
            if text[place] == closing:
                return out + closing, place + 1
            place += 1

    begin = space(0)
    found, end = value(begin, (), False)
    return text[:begin] + ("null" if found is None else found) + text[end:]


def matches(steps: tuple[Step, ...], path: tuple[Step, ...]) -> bool:
    """Whether the steps of a path lead to exactly there."""
    if not steps:
        return not path
    first, *rest = steps
    if first is Wild.DEPTH:
        return matches(tuple(rest), path) or (bool(path) and matches(steps, path[1:]))
    return bool(path) and fits(first, path[0]) and matches(tuple(rest), path[1:])


def leads(steps: tuple[Step, ...], path: tuple[Step, ...], kind: str) -> bool:
    """Whether they may go on behind it, in a container of that kind."""
    if not steps or kind == "scalar":
        return False
    first, *rest = steps
    if first is Wild.DEPTH:
        return not path or leads(tuple(rest), path, kind) or leads(steps, path[1:], kind)
    if not path:
        return (first is Wild.ELEMENT) == (kind == "array")
    return fits(first, path[0]) and leads(tuple(rest), path[1:], kind)


def fits(pattern: Step, step: Step) -> bool:
    if pattern is Wild.ELEMENT or step is Wild.ELEMENT:
        return pattern is step
    return pattern is Wild.NAME or pattern == step


# Documents and paths that have something to do with each other.

NAMES = ("a", "b", "c", "é", "a.b", 'x"y', "")
_SPACES = st.sampled_from(("", "", "", "", " ", "\n  ", "\t\r"))
_SCALARS = st.sampled_from(
    ("0", "-0.5e+3", "12345678901234567890.10", "true", "null", '"x"', '""', r'"a\n\ud83d\ude00\\\"é😀"', '"]},{["')
)
_SPELLED = st.sampled_from(
    (*(json.dumps(name) for name in NAMES), *(json.dumps(name, ensure_ascii=False) for name in NAMES), r'"\u0061"')
)


def _containers(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    padded = st.tuples(_SPACES, inner, _SPACES).map("".join)
    member = st.tuples(_SPACES, _SPELLED, _SPACES, st.just(":"), padded).map("".join)
    arrays = st.lists(padded, max_size=4).map(",".join)
    objects = st.lists(member, max_size=4).map(",".join)
    return st.one_of(
        st.tuples(st.just("["), _SPACES, arrays, st.just("]")).map(lambda parts: _closed(*parts)),
        st.tuples(st.just("{"), _SPACES, objects, st.just("}")).map(lambda parts: _closed(*parts)),
    )


def _closed(begin: str, space: str, inner: str, end: str) -> str:
    return begin + (inner or space) + end


DOCUMENTS = st.tuples(_SPACES, st.recursive(_SCALARS, _containers, max_leaves=30), _SPACES).map("".join)
_STEPS: st.SearchStrategy[Step] = st.sampled_from((*NAMES, *Wild, Wild.ELEMENT))
PATHS = st.lists(_STEPS, min_size=1, max_size=4).map(lambda steps: JsonPath(tuple(steps)))
