"""The forms of a value: what a server may make of it, undone."""

from __future__ import annotations

import base64
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.filters.inspect.forms import DIVIDE, ODD, SHORTEST, Form, form, forms, hidden

PIECES = ["%", "%25", "%27", "%00", "%u0041", "\\u0027", "\\x3c", "&lt;", "&#39;", "/*", "*/", "/*!50000", "--", "#"]
PIECES += [
    "\n",
    "\t",
    " ",
    "  ",
    "\x00",
    "'",
    '"',
    "\\",
    "^",
    "$",
    "${IFS}",
    "{cat,",
    "/./",
    "..\\",
    "é",
    "＇",
    "\u200b",
    "a",
]
texts = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=4))).map("".join)
values = texts.map(lambda text: text.replace(DIVIDE, " "))


@pytest.mark.parametrize(
    ("text", "which", "expected"),
    [
        ("%2527 OR", Form.TEXT, "' or"),
        ("%2527 OR", Form.AS_IS, "%2527 or"),
        ("%u003cscript%u003E", Form.TEXT, "<script>"),
        (r"\u003cscript\x3e\u{003C}", Form.TEXT, "<script><"),
        ("＜ｓｃｒｉｐｔ＞", Form.TEXT, "<script>"),
        ("sel\x00ect\u200b x", Form.TEXT, "select x"),
        ("a\t\r\n  b", Form.TEXT, "a b"),
        ("%0a%0d", Form.TEXT, " "),
        ("Zoë – 5 €", Form.TEXT, "zo_ \x7f 5 \x7f"),
        ("&#x3c;b&gt;", Form.HTML, "<b>"),
        ("&#x3c;b&gt;", Form.TEXT, "&#x3c;b&gt;"),
        ("java\tscr&#105;pt :", Form.COMPACT, "javascript:"),
        ("un/**/ion/*! select*/ /*!50000 all*/1", Form.SQL, "un ion select all 1"),
        ("1 --x\nunion #\nselect", Form.SQL, "1 union select"),
        ("a /* never closed", Form.SQL, "a /* never closed"),
        ("c'a't /e\\tc/p^asswd", Form.SHELL, "cat /etc/passwd"),
        ("cat${IFS}/etc;who$@ami", Form.SHELL, "cat /etc;whoami"),
        ("{cat,/etc/passwd}", Form.SHELL, " cat,/etc/passwd}"),
        ("..\\..\\etc/./passwd", Form.PATH, "../../etc/passwd"),
    ],
)
def test_what_each_undoes(text: str, which: Form, expected: str) -> None:
    """S-60: each form undoes what it says, and nothing else."""
    assert form(which, text) == expected


@given(texts, st.sampled_from(Form))
def test_any_text_has_every_form(text: str, which: Form) -> None:
    """No text makes a form raise; a form is lower-case ASCII without controls, and with no two spaces side by side."""
    made = form(which, text)
    assert made.isascii()
    assert made == made.lower()
    assert made.replace(DIVIDE, "").replace(ODD, "").isprintable()
    assert "  " not in made


@given(st.lists(values, min_size=1, max_size=4))
def test_several_in_one_go(several: list[str]) -> None:
    """What a value is in a form stands there, too, where it is joined with others: a prefilter that looks at all of
    them at once misses nothing."""
    joined = DIVIDE.join(several)
    found = [each.replace(DIVIDE, "\n") for each in (*forms(joined, Form), form(Form.COMPACT, joined))]
    for text in several:
        for which in Form:
            made = form(which, text).replace(DIVIDE, "\n")
            assert any(f"\n{made}\n" in f"\n{each}\n" for each in found), (text, which)


@given(values)
def test_encoding_once_more_hides_nothing(text: str) -> None:
    """S-37, S-38: percent-encoding on top makes no difference, up to three times in all."""
    if "%" not in text:
        assert form(Form.TEXT, quote(quote(text))) == form(Form.TEXT, text)


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), min_size=SHORTEST))
def test_base64_of_text_is_found(text: str) -> None:
    """What is printable shows through Base64, in either alphabet, with padding or without."""
    data = text.encode()
    assert hidden(base64.b64encode(data).decode()) == text
    assert hidden(base64.urlsafe_b64encode(data).decode().rstrip("=")) == text
    assert hidden(f"data:text/plain;base64,{base64.b64encode(data).decode()}") == text


@pytest.mark.parametrize(
    "text",
    ["", "short", base64.b64encode(bytes(range(128, 188))).decode(), "not base64 at all, for it has spaces", "A" * 25],
)
def test_base64_of_something_else_is_not(text: str) -> None:
    """Pictures and keys are no text."""
    assert not hidden(text)
