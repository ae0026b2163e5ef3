"""Values that a function edits."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.errors import ResponseRefused
from revproxy.filters import DROP, KEEP, MapJson
from revproxy.json_stream import JsonPath
from revproxy.media_types import media_type
from revproxy.message import Response
from revproxy.testing import exchange

from .test_replace_text import through


def visible(user: Any) -> Any:
    """Leaves out who is hidden, shortens the others."""
    return DROP if user.get("hidden") else {"name": user["name"]}


USERS = b'{"users":[{"name":"a","age":1.50}, {"name":"b","hidden":true} ,{"name":"\\u00e9"}],"total":3.10}'


async def test_elements() -> None:
    """Each element goes through the function; all else is byte for byte as it was."""
    subject = MapJson(visible, each="users[*]")
    wanted = '{"users":[{"name":"a"} ,{"name":"é"}],"total":3.10}'.encode()
    for pieces in (USERS, [bytes([byte]) for byte in USERS]):
        assert (await through(subject, pieces, "application/json"))[1] == wanted
    assert repr(subject) == "<MapJson visible on users[*]; 0 refused>"


async def test_documents() -> None:
    """Without a path it is each document: the whole, a line, a text of a sequence, the data of an event."""
    subject = MapJson(visible)
    user, hidden = b'{"name" : "a", "x":1}', b'{"hidden":1}'
    for kind, body, wanted in (
        ("application/json", user, b'{"name":"a"}'),
        ("application/json", hidden, b"null"),
        ("application/x-ndjson", user + b"\n" + hidden + b"\n" + user, b'{"name":"a"}\n{"name":"a"}'),
        ("application/json-seq", b"\x1e" + hidden + b"\n\x1e" + user + b"\n", b'\x1e{"name":"a"}\n'),
        (
            "text/event-stream",
            b"id: 1\ndata: " + user + b"\n\nid: 2\ndata: " + hidden + b"\n\ndata: [DONE]\n\n",
            b'id: 1\ndata: {"name":"a"}\n\nid: 2\n\ndata: [DONE]\n\n',
        ),
    ):
        assert (await through(subject, body, kind))[1] == wanted
        assert (await through(subject, [bytes([byte]) for byte in body], kind))[1] == wanted


async def test_a_whole_document_that_goes() -> None:
    """In the place of a whole document ``null`` is left."""
    assert (await through(MapJson(lambda value: DROP), b" {} ", "application/json"))[1] == b" null "


async def test_keep() -> None:
    """What is to be kept is as it was spelled, what is returned is not."""
    numbers = b"[1.50, 2.50]"
    assert (await through(MapJson(lambda value: KEEP, each="[*]"), numbers, "application/json"))[1] == numbers
    assert (await through(MapJson(lambda value: value, each="[*]"), numbers, "application/json"))[1] == b"[1.5, 2.5]"


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)


@given(st.lists(VALUES, max_size=6), st.integers(1, 50))
def test_a_list_is_mapped(values: list[Any], size: int) -> None:
    """What comes out is what the function makes of each, whatever they are."""

    def each(value: Any) -> Any:
        return DROP if isinstance(value, int) else [value]

    transform = MapJson(each, each=JsonPath.of("[*]")).transform(
        exchange(), Response(200), media_type(("application/json",))
    )
    assert transform is not None
    data = json.dumps(values).encode()
    out = b"".join(transform.feed(data[place : place + size]) for place in range(0, len(data), size))
    assert json.loads(out + transform.finish()) == [[value] for value in values if not isinstance(value, int)]


async def test_what_passes() -> None:
    """Other types and other statuses pass."""
    subject = MapJson(visible)
    assert (await through(subject, b"<p>", "text/html"))[1] == b"<p>"
    assert subject.transform(exchange(), Response(500), media_type(("application/json",))) is None
    failing = MapJson(visible, statuses=[500])
    assert failing.transform(exchange(), Response(500), media_type(("application/json",))) is not None


@pytest.mark.parametrize("body", [b'{"users":[{"name":"a"},]}', b'{"users":[{"name":"' + b"x" * 2000 + b'"}]}', b"{"])
async def test_refused(body: bytes) -> None:
    """What is no JSON, and a value that is too large, is refused (S-66)."""
    subject = MapJson(visible, each="users[*]", limit=1000)
    with pytest.raises(ResponseRefused):
        await through(subject, body, "application/json")
    assert subject.refused == 1
    await subject.stop()


async def test_what_a_function_raises() -> None:
    """An error of the function is one of the proxy's own; so is what cannot be written as JSON."""
    with pytest.raises(KeyError):
        await through(MapJson(lambda value: value["x"]), b"{}", "application/json")
    for wrong in (object, lambda: float("nan")):
        with pytest.raises((TypeError, ValueError)):
            await through(MapJson(lambda value, wrong=wrong: wrong()), b"{}", "application/json")  # type: ignore[misc]


async def a_coroutine(value: Any) -> Any:
    return value


@pytest.mark.parametrize(
    ("function", "options", "message"),
    [
        (1, {}, "function: 1 is not callable"),
        (a_coroutine, {}, "is a coroutine function"),
        (len, {"each": "a..b"}, "each: path"),
        (len, {"each": ""}, "each: path"),
        (len, {"each": 1}, "each: a path must be a str"),
        (len, {"limit": 0}, "limit must be an integer of 1 to"),
        (len, {"depth": 256}, "depth must be an integer of 1 to 255"),
        (len, {"hold": -1}, "hold must be an integer of 0 to"),
        (len, {"words": "x"}, "words must be several"),
    ],
    ids=range(9),
)
def test_bad_parameters(function: Any, options: dict[str, Any], message: str) -> None:
    """What makes no sense is an error that names it."""
    with pytest.raises((TypeError, ValueError), match=message):
        MapJson(function, **options)
