"""Which fields go on where the content does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from revproxy.filters.error_pages.fields import KEPT, Kept


@given(
    st.lists(
        st.tuples(
            st.one_of(st.sampled_from([*KEPT, "Server", "Set-Cookie", "X-Debug"]), st.from_regex(r"[A-Za-z-]{1,12}\Z")),
            st.text("ab, ", max_size=5),
        ),
        max_size=20,
    )
)
def test_an_allow_list(fields: list[tuple[str, str]]) -> None:
    """Whatever comes, what stays is named in the list, with all its values in their order, and nothing is made up."""
    stays = list(Kept(KEPT).of(503, CIMultiDict(fields)))
    allowed = {each.lower() for each in KEPT} - {"allow", "www-authenticate", "content-range"}
    for name in allowed:
        assert [v for n, v in stays if n.lower() == name] == [v for n, v in fields if n.lower() == name]
    assert {name.lower() for name, _ in stays} <= allowed


@pytest.mark.parametrize(("name", "status"), [("WWW-Authenticate", 401), ("Allow", 405), ("Content-Range", 416)])
def test_fields_of_one_status(name: str, status: int) -> None:
    """With another one they say nothing that holds."""
    headers = CIMultiDict({name: "a"})
    assert list(Kept([name]).of(status, headers)) == [(name, "a")]
    assert list(Kept([name]).of(500, headers)) == []


def test_repr() -> None:
    """It names them."""
    assert repr(Kept(["Allow"])) == "Kept(Allow)"
