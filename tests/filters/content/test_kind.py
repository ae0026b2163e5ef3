"""What a response says it is."""

from __future__ import annotations

import pytest

from revproxy import Response
from revproxy.filters.content.kind import is_endless, is_readable_text, kind_of
from revproxy.media_types import media_type
from revproxy.message import response_of_lines

TYPES = [
    ([], None),
    (["text/html"], "text/html"),
    ([" Text/HTML ; charset=utf-8"], "text/html"),
    (["text/html", "text/html"], None),
    (["nonsense"], None),
    (["multipart/byteranges; boundary=x"], None),
    (["text/x-" + "y" * 300], "text/x-" + "y" * 300),
]


@pytest.mark.parametrize(("values", "name"), TYPES)
@pytest.mark.parametrize("spelling", ["Content-Type", "content-type", "CONTENT-TYPE"])
def test_lines_and_fields_say_the_same(values: list[str], name: str | None, spelling: str) -> None:
    """Decoded or not, it is the same type, be it asked for twice; the lines stay as they are."""
    fields = [("X-Content-Type", "a/b"), *((spelling, value) for value in values), ("X", "content-type: c/d")]
    lines = "".join(f"{field}: {value}\r\n" for field, value in fields).encode()
    for _ in range(2):
        came = response_of_lines(200, "OK", lines, None, False)
        said = kind_of(came), kind_of(Response(200, fields))
        assert [None if each is None else each.name for each in said] == [name, name]
        assert came.lines == lines
    first = "".join(f"{field}: {value}\r\n" for field, value in fields[1:]).encode()
    kind = kind_of(response_of_lines(200, "OK", first, None, False))
    assert (None if kind is None else kind.name) == name


@pytest.mark.parametrize(
    ("value", "readable"),
    [
        ("text/html", True),
        ("text/html; charset=UTF-8", True),
        ("text/html; charset=iso-8859-1", True),
        ("text/html; charset=shift_jis", True),
        ("text/html; charset=UTF-16", False),
        ("text/html; charset=utf-16le", False),
        ('text/html; charset="utf-32"', False),
        ("text/html; charset=UTF-7", False),
        ("text/html; charset=iso-2022-jp", False),
        ("text/html; charset=IBM037", False),
        ("text/html; charset=unicode", False),
        ("text/html; charset=unicodeFFFE", False),
        ("text/html; charset=csUnicode11UTF7", False),
        ("text/html; charset=unicode-1-1-utf-8", True),
        ("text/html; charset=csISO2022KR", False),
        ('text/html; charset=" utf-16"', False),
        ("text/html; charset='utf-16'", False),
    ],
)
def test_readable(value: str, readable: bool) -> None:
    """S-65: characters that are not ASCII where they could be cannot be searched as bytes. Labels are those that
    browsers know."""
    assert is_readable_text(media_type([value]), Response(200, [("Content-Type", value)])) is readable


@pytest.mark.parametrize(
    ("values", "readable"),
    [
        ([], True),
        (["nonsense"], True),
        (["text/html", "text/html; charset=utf-8"], True),
        (["text/html", "text/html; charset=utf-16"], False),
        (["text/html; charset=utf-16; charset=utf-8"], False),
        (["text/html; charset = utf-16"], False),
        (["text/html;;; x; CHARSET='UTF-16'"], False),
    ],
)
def test_readable_by_what_is_not_understood(values: list[str], readable: bool) -> None:
    """S-65: of two types, or one that breaks the grammar, a client may take the charset all the same."""
    fields = [("Content-Type", value) for value in values]
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields).encode()
    for response in (Response(200, fields), response_of_lines(200, "OK", lines, None, False)):
        assert kind_of(response) is None
        assert is_readable_text(None, response) is readable


def test_endless() -> None:
    """Such as clients read line by line."""
    assert is_endless(media_type(["text/event-stream"]))
    assert is_endless(media_type(["application/x-ndjson; charset=utf-8"]))
    assert not is_endless(media_type(["application/json"]))
    assert not is_endless(None)
