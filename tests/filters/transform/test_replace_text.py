"""Responses in which texts are replaced."""

from __future__ import annotations

import gzip
import re
from collections.abc import AsyncIterator, Iterable
from typing import Any

import pytest

from revproxy import Exchange, Handler, Response
from revproxy.body import StreamBody
from revproxy.errors import ResponseRefused
from revproxy.filters import ReplaceBytes, ReplaceText
from revproxy.filters.content import ContentFilter, Handling
from revproxy.testing import exchange


async def through(
    subject: ContentFilter, body: bytes | Iterable[bytes], kind: str | None, **headers: str
) -> tuple[Response, bytes]:
    async def chunks() -> AsyncIterator[bytes]:
        for piece in [body] if isinstance(body, bytes) else body:
            yield piece

    async def handler(exchange: Exchange) -> Response:
        fields = {} if kind is None else {"Content-Type": kind}
        return Response(200, {**fields, **headers}, StreamBody(chunks()))

    outer: Handler = handler
    response = await subject(exchange(), outer)
    return response, await response.body.read(1 << 24)


async def said(subject: ContentFilter, body: bytes, kind: str | None = "text/html") -> bytes:
    whole = (await through(subject, body, kind))[1]
    assert (await through(subject, [bytes([byte]) for byte in body], kind))[1] == whole
    return whole


async def test_texts() -> None:
    """Texts are replaced in any pieces and codings (S-65, F-110)."""
    subject = ReplaceText({"http://10.0.0.1": "https://example.com", "é": "E"})
    assert await said(subject, "<a href=http://10.0.0.1/é>".encode()) == b"<a href=https://example.com/E>"
    response, body = await through(
        subject, gzip.compress(b"http://10.0.0.1"), "text/html", **{"Content-Encoding": "gzip", "ETag": '"x"'}
    )
    assert gzip.decompress(body) == b"https://example.com"
    assert response.headers["ETag"] == 'W/"x"'
    assert repr(subject) == "<ReplaceText of 2>"


async def test_patterns() -> None:
    """Patterns are of characters, whatever their bytes."""
    subject = ReplaceText({re.compile(r"\bé.(?=x)"): lambda match: match[0] + "!"})
    assert await said(subject, "é→x aé→x".encode()) == "é→!x aé→x".encode()


@pytest.mark.parametrize(
    ("charset", "codec"),
    [
        ("utf-8", "utf-8"),
        ("ISO-8859-1", "cp1252"),
        ("windows-1251", "cp1251"),
        ("Shift_JIS", "cp932"),
        ("gbk", "gb18030"),
    ],
)
async def test_charsets(charset: str, codec: str) -> None:
    """Characters are replaced, never halves of them, in the charset that the response is in."""
    subject = ReplaceText({"\\": "/", "ж": "zh", "é": "e"})
    text = {"cp1252": "é\\x", "cp1251": "ж\\x", "cp932": "表\\ソ", "gb18030": "誠\\x"}.get(codec, "éж\\表")
    wanted = text.replace("\\", "/").replace("ж", "zh").replace("é", "e").encode(codec)
    assert await said(subject, text.encode(codec), f"text/plain; charset={charset}") == wanted


async def test_unknown_charset() -> None:
    """A charset that is not known is refused, or passes."""
    refusing, passing = ReplaceText({"a": "b"}), ReplaceText({"a": "b"}, handling=Handling(unreadable="pass"))
    for charset in ("x-unknown", "rot13", "utf-16"):
        with pytest.raises(ResponseRefused):
            await through(refusing, b"aaaa", f"text/html; charset={charset}")
        assert (await through(passing, b"aaaa", f"text/html; charset={charset}"))[1] == b"aaaa"


async def test_types() -> None:
    """Only what is of the declared types is looked into; bytes may be replaced in all."""
    subject = ReplaceText({"a": "b"})
    for kind, changes in (("text/css", True), ("application/problem+json", True), ("image/png", False), (None, False)):
        assert await said(subject, b"aaaa", kind) == (b"bbbb" if changes else b"aaaa")
    assert await said(ReplaceText({"a": "b"}, types=["image/svg+xml"]), b"aaaa", "image/svg+xml") == b"bbbb"
    every = ReplaceBytes({b"\xff": b"\xfe", re.compile(rb"a{2}"): b"A"}, types=None)
    assert await said(every, b"\xff\x00aa", None) == b"\xfe\x00A"
    assert await said(ReplaceBytes({b"A": b"x"}, types=["image/png"], ignore_case=True), b"aA", "image/png") == b"xx"
    assert repr(every) == "<ReplaceBytes of 2>"


async def test_events_do_not_wait() -> None:
    """In an event stream nothing waits for the next event."""
    for subject in (ReplaceText({"end\n\nx": "y", "abc": "x"}), ReplaceText({re.compile("[ab]{1,100}c"): "x"})):
        transform = subject.transform(exchange(), Response(200), _kind("text/event-stream"))
        assert transform is not None
        assert transform.feed(b"data: abc ab\n\n") == b"data: x ab\n\n"
    other = ReplaceBytes({b"abc": b"x"}, types=None).transform(exchange(), Response(200), _kind("text/event-stream"))
    assert other is not None
    assert other.feed(b"ab\r") == b"ab\r"


def _kind(name: str) -> Any:
    from revproxy.media_types import media_type

    return media_type((name,))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"types": []}, r"^types must not be empty"),
        ({"types": ["html"]}, r"^types: 'html' is no media type"),
        ({"charset": "utf-16"}, r"^charset: 'utf-16' is none that is known"),
    ],
    ids=range(3),
)
def test_bad_parameters(options: dict[str, Any], message: str) -> None:
    """What makes no sense is an error that names it."""
    with pytest.raises(ValueError, match=message):
        ReplaceText({"a": "b"}, **options)
    with pytest.raises(TypeError, match=r"^types must be several"):
        ReplaceText({"a": "b"}, types="text/html")
    with pytest.raises(ValueError, match="half a surrogate pair"):
        ReplaceText({"\ud800": "b"})
