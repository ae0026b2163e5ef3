"""The form in which contents are searched."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.filters.leaks.form import QUOTE, UNQUOTE, Form

PIECES = [
    *("<", ">", "</", "a", "b", "/", "&", "#", "3", "4", ";", "quot", "`", "``", "```", "\\", "\\\\", "u", "00", "41"),
    *("n", "x", " ", "\n", "\t", "é", "code", "pre", "<a href=", "<br>", "<b>", "&lt;", "&#39;", '"', "{", "\x02"),
    *("://", "&#x41;", "\\u0041", "<span class='x'>", "span", "A"),
    *("\xa0", "\ufeff", "&#160;", "<!-- -->", "<!--", "-->"),
]


def formed(data: bytes, *, json: bool | None = None, cuts: list[int] | None = None) -> str:
    form = Form(json=json)
    out, at = "", 0
    for cut in cuts or ():
        out += form.feed(data[at:cut])
        at = cut
    return out + form.feed(data[at:]) + form.finish()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello\r\n\t World", "hello world"),
        ("a \x00\x01 b", "a b"),
        ("été", "\x7f\x7ft\x7f\x7f"),
        ("<b>Warning</b>:  x", "warning: x"),
        ('<SPAN Class="x">a</SPAN>b', "ab"),
        ("<body><div>a</div></body>", "<body><div>a</div></body>"),
        ("a<br/>b<wbr>c", "a bc"),
        ("<article>a</article>", "<article>a</article>"),
        ('<a href="/x">a</a>', "a"),
        ('<a href="https://x.example/">a</a>', '<a href="https://x.example/">a'),
        ("&quot;&#39;&#x27;&lt;&amp;&nbsp;&unknown;&colon;", "\"''<& &unknown;:"),
        ("&amp;lt;", "&lt;"),
        ("x<pre>y</pre>z", f"x{QUOTE}y{UNQUOTE}z"),
        ("<code class='a'>y</code>", f"{QUOTE}y{UNQUOTE}"),
        ("a ```py b ``` c `d` ``e``", f"a {QUOTE}py b {UNQUOTE} c `d` ``e``"),
        (r"c:\new\table", r"c:\new\table"),
        (r"\"x\" \/ \u0041 \x41", '"x" / a a'),
        ("\x02\x03&#2;&#3;", " "),
        ("1 < 2 && 3 > 2", "1 < 2 && 3 > 2"),
        ("a\xa0b&#160;c&#xA0;d&#0000000160;e", "a b c d e"),
        ("\ufeff{x\xa0", "{x "),
        ("x\ufeff", "x\x7f\x7f\x7f"),
        ("a<!-- -->b<!---->c<!-- d -->", "abc<!-- d -->"),
        ("<s>a</s><nobr>b</nobr>", "ab"),
        ("a ```x``` b ```", f"a {QUOTE}x{UNQUOTE} b {QUOTE}"),
        ("```1 < 2 &quot;\n```", f'{QUOTE}1 < 2 " {UNQUOTE}'),
        ("", ""),
    ],
)
def test_text(text: str, expected: str) -> None:
    """S-65: what hides letters is undone; what only looks like it stays."""
    assert formed(text.encode()) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r'{"a":"x\ny\tz"}', '{"a":"x y z"}'),
        (r'{"a":"\u003cb\u003eW\u003c\/b\u003e"}', '{"a":"w"}'),
        (r'"C:\\new\\x"', r'"c:\new\x"'),
        (r'"{\"a\":\"\\u0041\\n\"}"', r'"{"a":"\u0041\n"}"'),
        (r'["\\\"x\\\""]', '[""x""]'),
        (r'"\u00e9\u20ac"', '"\x7f\x7f"'),
    ],
)
def test_json(text: str, expected: str) -> None:
    """S-65: the escapes of JSON are what they stand for, where it is JSON by its type, or begins like it."""
    assert formed(text.encode(), json=True) == expected
    assert formed(b" \n" + text.encode()) == " " + expected
    assert formed(b"x" + rb"\n", json=False) == r"x\n"


@given(
    pieces=st.lists(st.sampled_from(PIECES), max_size=40),
    json=st.sampled_from([True, False, None]),
    cuts=st.lists(st.integers(0, 200), max_size=5),
)
def test_any_split(pieces: list[str], json: bool | None, cuts: list[int]) -> None:
    """S-65: however it is cut, the form is the same."""
    data = "".join(pieces).encode()
    assert formed(data, json=json, cuts=sorted(cuts)) == formed(data, json=json)


@pytest.mark.parametrize("begun", ["<a ", "<span class='", "&", "\\", "`", "<", "&#"])
def test_bounded(begun: str) -> None:
    """What is begun and never ends is kept for some hundred bytes at most."""
    form = Form()
    data = (begun + begun[-1] * 100_000).encode()
    out = sum(len(form.feed(data[at : at + 100])) for at in range(0, len(data), 100))
    assert len(form._markup) + len(form._escape) <= 600
    assert out + len(form.finish()) >= 1


@given(st.binary(max_size=200))
def test_bytes(data: bytes) -> None:
    """Whatever it is, the form is printable ASCII, without runs of spaces."""
    out = formed(data)
    assert out.isascii()
    assert all(each.isprintable() or each in f"{QUOTE}{UNQUOTE}\x7f" for each in out)
    assert "  " not in out
