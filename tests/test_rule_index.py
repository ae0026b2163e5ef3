"""Which rows of a table need be looked at for a path."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from revproxy import when
from revproxy.rule_index import by_path
from revproxy.testing import exchange
from revproxy.when import When

segments = st.sampled_from(["a", "b", "A", "ab", "c"])
paths = st.lists(segments, max_size=4).flatmap(
    lambda parts: st.sampled_from([f"/{'/'.join(parts)}", f"/{'/'.join(parts)}/".replace("//", "/")])
)
globs = st.lists(st.sampled_from(["a", "b", "A", "ab", "*", "**", "a*"]), min_size=1, max_size=4).map(
    lambda parts: f"/{'/'.join(parts)}"
)
leaves = st.one_of(
    st.builds(lambda one, sensitive: when.path(one, case_sensitive=sensitive), globs, st.booleans()),
    st.builds(lambda one, two: when.path(one, two), globs, globs),
    paths.map(lambda path: when.path_template(f"{path.rstrip('/')}/{{x}}")),
    paths.map(lambda path: when.path_regex(f"{path}.{{0,9}}")),
    st.sampled_from([when.method("GET"), when.host("a.test"), when.anything, when.query("q")]),
)


def _and(one: When, other: When) -> When:
    try:
        return one & other
    except ValueError:  # both capture the same name
        return one


def _or(one: When, other: When) -> When:
    return one | other


def _not(one: When) -> When:
    return ~one


conditions = st.recursive(
    leaves,
    lambda inner: st.one_of(st.builds(_and, inner, inner), st.builds(_or, inner, inner), inner.map(_not)),
    max_leaves=4,
)


@given(st.lists(conditions, min_size=4, max_size=12), paths)
def test_no_row_is_left_out_that_holds(several: list[When], path: str) -> None:
    """Whatever holds for an exchange is among the candidates for its path, in the order of the table."""
    made = exchange("GET", path)
    rows = list(range(len(several)))
    found = list(by_path(several, rows)(made.inbound.path))
    assert found == sorted(set(found))
    assert {row for row in rows if several[row](made)} <= set(found)


def test_few_are_looked_at() -> None:
    """Of a thousand rules with paths of their own, those alone that begin as the path does."""
    several = [when.path(f"/shop/{number}/*") for number in range(1000)] + [when.method("POST"), when.anything]
    candidates = by_path(several, range(len(several)))
    assert list(candidates("/shop/7/x")) == [7, 1000, 1001]
    assert list(candidates("/shop/7/")) == [7, 1000, 1001]
    assert list(candidates("/elsewhere")) == [1000, 1001]
    assert list(candidates("*")) == [1000, 1001]


def test_a_short_table_is_looked_at_as_it_is() -> None:
    """There is nothing to gain."""
    several = [when.path("/a"), when.path("/b"), when.anything]
    assert list(by_path(several, "abc")("/zzz")) == ["a", "b", "c"]
