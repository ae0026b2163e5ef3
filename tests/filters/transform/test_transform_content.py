"""A transform of one's own."""

from __future__ import annotations

import gzip

import pytest

from revproxy.errors import ResponseRefused
from revproxy.filters import TransformContent

from .test_replace_text import through


class Upper:
    def feed(self, chunk: bytes) -> bytes:
        if b"!" in chunk:
            raise ResponseRefused("too loud")
        return chunk.upper()

    def finish(self) -> bytes:
        return b"."


async def test_edit() -> None:
    """It edits what is of its types, whatever coding it is in (F-110), and may refuse."""
    subject = TransformContent(Upper, types=["text/plain"], hold=100)
    _, body = await through(subject, gzip.compress(b"abc"), "text/plain", **{"Content-Encoding": "gzip"})
    assert gzip.decompress(body) == b"ABC."
    assert (await through(subject, b"abc", "text/html"))[1] == b"abc"
    assert (await through(TransformContent(Upper, types=None), b"abc", None))[1] == b"ABC."
    with pytest.raises(ResponseRefused, match="too loud"):
        await through(subject, b"a!", "text/plain")
    assert repr(subject) == "<TransformContent Upper>"


def test_bad_parameters() -> None:
    """What makes no sense is an error that names it."""
    with pytest.raises(TypeError, match=r"^new: "):
        TransformContent(Upper(), types=None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"^hold must be an integer of at least 0, got -1"):
        TransformContent(Upper, types=None, hold=-1)
