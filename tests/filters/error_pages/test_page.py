"""Pages: what they can be made of."""

from __future__ import annotations

from typing import Any

import pytest

from revproxy import Exchange, Response, Upstream, respond
from revproxy.filters import Page, PageFrom
from revproxy.filters.error_pages.page import PageOf, made, source_of
from revproxy.testing import FakeTransport, exchange


def test_a_page() -> None:
    """Text is UTF-8, and HTML unless it says otherwise; bytes are as they are."""
    assert Page("ü").data == "ü".encode()
    assert Page(b"\xff", "text/html; charset=iso-8859-1").data == b"\xff"
    assert Page("x").content_type == "text/html; charset=utf-8"
    assert hash(Page("x", headers={"X-A": "a"})) == hash(Page("x", headers={"X-A": "b"}))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"content": 7}, "content"),
        ({"content": "\ud800"}, "surrogates"),
        ({"content": "x", "content_type": "html"}, "content_type"),
        ({"content": "x", "content_type": "text/html\r\nX: y"}, "content_type"),
        ({"content": "x", "content_type": "text/html; charset=latin-1"}, "content_type"),
        ({"content": "x", "status": 101}, "status"),
        ({"content": "x", "status": 600}, "status"),
        ({"content": "x", "status": True}, "status"),
        ({"content": "x", "status": 204}, "status"),
        ({"content": "x", "status": 304}, "status"),
        ({"content": "x", "headers": {"content-length": "1"}}, "content-length"),
        ({"content": "x", "headers": {"Content-Type": "a/b"}}, "Content-Type"),
        ({"content": "x", "headers": {"X-A": "a\r\nb"}}, "X-A"),
        ({"content": "x", "headers": {"X A": "a"}}, "X A"),
    ],
    ids=str,
)
def test_a_wrong_page(arguments: dict[str, Any], said: str) -> None:
    """What cannot be sent is refused when it is made, by name."""
    with pytest.raises((ValueError, TypeError), match=said):
        Page(**arguments)


async def handler(exchange: Exchange) -> Response:
    return Response(200)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"handler": 7}, "handler"),
        ({"handler": lambda a, b: None}, "handler"),
        ({"target": "x"}, "target"),
        ({"target": "/x y"}, "target"),
        ({"target": "/{id}"}, "target"),
        ({"target": "/x#y"}, "target"),
        ({"target": "/ü"}, "target"),
        ({"target": "/x\r\n"}, "target"),
        ({"status": 200}, "status"),
        ({"timeout": 0.0}, "timeout"),
        ({"timeout": float("inf")}, "timeout"),
        ({"timeout": float("nan")}, "timeout"),
        ({"limit": 0}, "limit"),
        ({"limit": 1.5}, "limit"),
    ],
    ids=lambda each: str(each) if isinstance(each, str) else str(next(iter(each))),
)
def test_a_wrong_page_from(arguments: dict[str, Any], said: str) -> None:
    """What cannot be asked for is refused when it is made, by name."""
    with pytest.raises((ValueError, TypeError), match=said):
        PageFrom(**{"handler": handler, **arguments})


def test_a_draft() -> None:
    """S-72: whoever is asked for a page learns nothing of what was asked for: no target, no body, no cookies or
    credentials, nor what filters further in have told the upstream."""
    came = exchange(
        "POST",
        "/secret?token=1",
        headers={"Accept": "text/html", "Cookie": "a=1", "Authorization": "Bearer x", "Range": "bytes=0-1"},
        body=b"x",
    )
    came.request.headers["X-User"] = "ann"
    draft = PageFrom(handler, "/errors/{status}.html").draft(came, 503)
    assert (draft.method, draft.target, draft.body.data) == ("GET", "/errors/503.html", b"")
    assert set(draft.headers) == {"Accept", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"}
    assert PageFrom(handler).draft(exchange("HEAD"), 500).method == "HEAD"


def function(exchange: Exchange, status: int) -> str:
    return "x"


@pytest.mark.parametrize(
    ("page", "form"),
    [
        ("x", Page),
        (b"x", Page),
        (Page("x"), Page),
        (PageFrom(handler), PageFrom),
        (handler, PageFrom),
        (respond(200), PageFrom),
        (Upstream("http://a.test", transport=FakeTransport()), PageFrom),
    ],
    ids=["str", "bytes", "page", "page from", "function", "respond", "upstream"],
)
def test_forms(page: PageOf, form: type) -> None:
    """A handler takes one argument, a function that makes pages two."""
    assert isinstance(source_of("pages", page), form)
    assert source_of("pages", function) is function


@pytest.mark.parametrize(
    "wrong",
    [7, None, Page, lambda: "x", lambda a, b, c: "x"],
    ids=["number", "none", "class", "no argument", "three arguments"],
)
def test_no_form(wrong: Any) -> None:
    """What is neither is refused."""
    with pytest.raises(TypeError):
        source_of("pages", wrong)


def test_made() -> None:
    """What a function has returned is looked at when it has."""
    assert made("f", "x") == Page("x")
    assert made("f", b"x").data == b"x"
    with pytest.raises(TypeError, match=r"f returned \['x'\], which is no page"):
        made("f", ["x"])


def test_repr() -> None:
    """It says where it is from."""
    assert repr(PageFrom(handler, "/e", status="own")) == "PageFrom(handler, '/e', status='own')"


@pytest.mark.parametrize("name", ["errors/500.html", "500.HTM", "C:\\pages\\a.txt", "./x.json"])
def test_the_name_of_a_file(name: str) -> None:
    """Text that is the name of a file is none of a page: whoever gives it is told how to read the file."""
    for make in (source_of, made):
        with pytest.raises(ValueError, match=r"pages: .* looks like the name of a file.* Path\(.*\)\.read_text\(\)"):
            make("pages", name)


@pytest.mark.parametrize("text", ["<p>x.html", "see x.html", "x", "x.html\n", ".", "Sorry.", b"x.html"])
def test_no_name_of_a_file(text: str | bytes) -> None:
    """What has white space or a tag in it, or is bytes, is a page."""
    assert source_of("pages", text) == Page(text)
