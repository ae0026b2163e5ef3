"""What a text means that is written with escapes."""

from __future__ import annotations

import json
from html import escape, unescape
from urllib.parse import quote_plus, unquote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.filters.redact.spelling import FORM, JSON, MARKUP, SSE, URL, Spelling

from .samples import cut, texts

ALL = {each.name: each for each in (JSON, SSE, MARKUP, FORM, URL)}


@given(text=st.text(max_size=40), ascii=st.booleans())
def test_json(text: str, ascii: bool) -> None:
    """S-65: the view of a string of JSON is what the string says."""
    written = json.dumps(text, ensure_ascii=ascii)[1:-1].encode("utf-8", "surrogatepass")
    assert JSON.read(written, last=True).view == text.encode("utf-8", "surrogatepass")


@given(
    text=st.text(
        alphabet=st.characters(codec="utf-8", exclude_categories=["Cc"], exclude_characters="\xa0\\"), max_size=40
    )
)
def test_markup(text: str) -> None:
    """S-65: the view of HTML has no character references."""
    for written in (escape(text), text.replace("&", "&amp;").encode("ascii", "xmlcharrefreplace").decode()):
        assert MARKUP.read(written.encode(), last=True).view == text.encode()


@given(text=st.text(alphabet=st.characters(codec="utf-8"), max_size=40))
def test_form(text: str) -> None:
    """A form's view is what it says."""
    written = quote_plus(text).encode()
    assert FORM.read(written, last=True).view == unquote_plus(written.decode()).encode() == text.encode()


@pytest.mark.parametrize(
    ("spelling", "text", "view"),
    [
        (JSON, rb"\u0041\/\n\"\\u0042\x41\u{1f600}\q", 'A/\n"\\u0042A\U0001f600q'.encode()),
        (JSON, rb"\ud83d\ude00 \u12 \uzz \x", "\U0001f600 \\u12 \\uzz \\x".encode()),
        (JSON, rb"\ud83d!", b"\xed\xa0\xbd!"),
        (MARKUP, b"&#64;&#x40;&#64&#0064;&commat;&period;&nbsp;&lt;", b"@@@@@. <"),
        (MARKUP, b"&amp;#64; &nosuch; & &; &#; &#x; &#xZ;", b"&#64; &nosuch; & &; &#; &#x; &#xZ;"),
        (MARKUP, rb"a\u0040b \/\/ C:\new\Users", rb"a@b // C:\new\Users"),
        (MARKUP, b"&#0;&#xd800;&#1114112;&#128;&#1;|", "\ufffd\ufffd\ufffd\u20ac|".encode()),
        (FORM, b"a%40b+c%2Bd%zz%4", b"a@b c+d%zz%4"),
        (URL, b"a%40b+c", b"a@b+c"),
        (SSE, b"data: a\ndata: b\r\ndata:c\rdata:  d\nid: 1\n\ndata: e", b"data: a\nb\nc\n d\nid: 1\n\ndata: e"),
    ],
    ids=range(10),
)
def test_views(spelling: Spelling, text: bytes, view: bytes) -> None:
    """Each escape means what it means to browsers, and what is none stands for itself."""
    assert spelling.read(text, last=True).view == view


@pytest.mark.parametrize("name", ALL)
@given(drawn=cut())
def test_any_cut(name: str, drawn: tuple[bytes, list[int]]) -> None:
    """However a text is cut, the views of its parts are the view of it: an escape that is not complete is left."""
    text, cuts = drawn
    spelling = ALL[name]
    view = b""
    rest = b""
    for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
        rest += text[start:end]
        if name == "sse" and start and rest[:1] in b"\r\n":
            return  # what it stands behind says whether it begins an escape: the caller keeps that
        reading = spelling.read(rest, last=end == len(text))
        view += reading.view
        assert len(rest) - reading.used <= 40
        rest = rest[reading.used :]
    assert view == spelling.read(text, last=True).view or text.endswith(rest)


@pytest.mark.parametrize("name", ALL)
@given(text=texts)
def test_places(name: str, text: bytes) -> None:
    """Each place of the view has one in the text: the pieces between them mean what stands there in the view."""
    spelling = ALL[name]
    reading = spelling.read(text, last=True)
    view = reading.view
    assert reading.used == len(text)
    assert reading.start_of(len(view)) == len(text)
    assert not view or reading.end_of(len(view)) <= len(text)
    starts = [reading.start_of(place) for place in range(len(view) + 1)]
    assert starts == sorted(starts)
    for place in range(len(view)):
        before = reading.before(place)
        assert before <= place
        assert reading.start_of(before) == reading.start_of(place)
        assert starts[place] < reading.end_of(place + 1) <= (
            starts[place + 1] if place + 1 < len(starts) else len(text)
        ) or (reading.before(place + 1) == before)


def test_no_copy() -> None:
    """A text without escapes is its own view."""
    text = b"nothing to see"
    for spelling in ALL.values():
        assert spelling.read(text, last=False).view is text


def test_unescape_is_the_browsers() -> None:
    """The names of characters are those of HTML."""
    for name in ("commat;", "period;", "colon;", "lowbar;", "hyphen;", "sol;"):
        assert MARKUP.read(f"&{name}".encode(), last=True).view == unescape(f"&{name}").encode()


def test_unreasonable_zeros() -> None:
    """Leading zeros have a bound: 16 digits are read."""
    assert MARKUP.read(b"&#" + b"0" * 14 + b"64;", last=True).view == b"@"
    assert MARKUP.read(b"&#" + b"0" * 30 + b"64;", last=True).view != b"@"
    assert repr(JSON) == "<Spelling json>"
