"""The values of a request's head."""

from __future__ import annotations

from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from revproxy.filters.inspect import Part
from revproxy.filters.inspect.head import head_texts, head_values
from revproxy.testing import exchange


def test_values() -> None:
    """Target, path, query, cookies and fields, each under its name; what only the protocol reads is left out."""
    inbound = exchange(
        "GET",
        "/a%20b?q=1+2&q=%27&empty",
        headers=[
            ("User-Agent", "x"),
            ("Referer", "y"),
            ("X-Own", "z"),
            ("Cookie", 'a="1"; b = 2; c'),
            ("Keep-Alive", "k"),
            ("Authorization", "Basic QQ=="),
            ("Transfer-Encoding", "t"),
        ],
    ).inbound
    assert {(each.part, each.name, each.text) for each in head_values(inbound)} == {
        (Part.TARGET, "", "/a%20b?q=1+2&q=%27&empty"),
        (Part.PATH, "", "/a b"),
        (Part.NAME, "q", "q"),
        (Part.VALUE, "q", "1 2"),
        (Part.VALUE, "q", "'"),
        (Part.NAME, "empty", "empty"),
        (Part.USER_AGENT, "user-agent", "x"),
        (Part.REFERER, "referer", "y"),
        (Part.FIELD, "x-own", "z"),
        (Part.FIELD, "keep-alive", "k"),
        (Part.FIELD, "authorization", "Basic QQ=="),
        (Part.FIELD, "authorization", "QQ=="),
        (Part.COOKIE_NAME, "a", "a"),
        (Part.COOKIE, "a", "1"),
        (Part.COOKIE_NAME, "b", "b"),
        (Part.COOKIE, "b", "2"),
        (Part.COOKIE, "", "c"),
    }


line = st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126))


@given(
    st.lists(st.tuples(line, line)).map(lambda pairs: "&".join(f"{a}={b}" for a, b in pairs)),
    st.lists(st.tuples(line, line)).map(lambda pairs: "; ".join(f"{a}={b}" for a, b in pairs)),
    line,
)
def test_nothing_is_missed(query: str, cookies: str, field: str) -> None:
    """The texts that say whether to look at the values at all hold every one of them (S-60); fuzzed for the walkers of
    query, cookies and fields."""
    fields = [("Cookie", cookies), ("X-Own", field), ("Cookie", field)]
    for target in (f"/?{quote(query, safe='&=+')}", f"/?{query.replace('#', '').replace('%', '')}"):
        inbound = exchange("GET", target, headers=[(name, value) for name, value in fields if value]).inbound
        texts = [*head_texts(inbound), *inbound.headers.values()]
        assert {value.text for value in head_values(inbound)} <= {text.replace("\x1e", " ") for text in texts}
