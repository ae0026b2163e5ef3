"""Problem documents: what the client is told, in which form, and what it is not told."""

from __future__ import annotations

import json

import pytest

from revproxy.body import EMPTY, Body
from revproxy.errors import Drop, NoRoute, RateLimited
from revproxy.exchange import Exchange
from revproxy.message import Response
from revproxy.problems import leaning, problem, told
from revproxy.testing.exchange import exchange

JSON, TEXT = "application/problem+json", "text/plain; charset=utf-8"


def asked(*accept: str) -> Exchange:
    return exchange(headers=[("Accept", value) for value in accept])


async def content(response: Response) -> bytes:
    return await response.body.read(10_000)


async def test_json() -> None:
    """RFC 9457: title and status, no type (about:blank), and the id under which the operator finds the rest."""
    subject = exchange()
    response = problem(subject, 502, "The service could not be reached")
    assert response.status == 502
    assert response.headers["Content-Type"] == JSON
    assert json.loads(await content(response)) == {
        "title": "The service could not be reached",
        "status": 502,
        "id": subject.id,
    }


async def test_text() -> None:
    """Who prefers text reads a line of it, and the id."""
    subject = asked("text/plain")
    response = problem(subject, 404, "Nothing is served here")
    assert response.headers["Content-Type"] == TEXT
    assert await content(response) == f"404 Nothing is served here\nid: {subject.id}\n".encode()


@pytest.mark.parametrize("accept", ["", "text/plain"])
async def test_nothing_of_the_request_or_the_inside(accept: str) -> None:
    """Nothing of the request is reflected; the answer is not stored and not sniffed."""
    subject = exchange("POST", "/<script>?secret", headers={"Accept": accept, "X-A": "<b>"}, host="evil.test")
    response = problem(subject, 500, "Internal error")
    said = (await content(response)).decode()
    assert set(response.headers) == {"Cache-Control", "Content-Type", "X-Content-Type-Options"}
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    for word in ("script", "secret", "<b>", "evil", "192.0.2.1", "revproxy"):
        assert word not in said


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ([], JSON),
        ([""], JSON),
        (["*/*"], JSON),
        (["application/json"], JSON),
        (["application/json, text/plain, */*"], JSON),
        (["text/plain, application/problem+json"], JSON),
        (["image/avif,image/webp,*/*;q=0.8"], JSON),
        (["image/png"], JSON),
        (["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"], TEXT),
        (["text/html"], TEXT),
        (["text/*"], TEXT),
        (["TEXT/Plain"], TEXT),
        (["text/plain;format=flowed , */* ; Q=0.1"], TEXT),
        (["application/json;q=0.5, text/plain;q=0.6"], TEXT),
        (["application/json;q=0.5, text/plain;q=0.4"], JSON),
        (["application/*, text/*;q=0.9"], JSON),
        (["application/*;q=0.2, text/*;q=0.9"], TEXT),
        (["application/*;q=0.2, text/*;q=0.9, application/problem+json"], JSON),
        (["text/*, text/plain;q=0, text/html;q=0, application/json;q=0.1"], JSON),
        (["*/*;q=0, text/plain"], TEXT),
        (["application/json;q=0, */*"], JSON),
        (["application/json;q=0, application/problem+json;q=0, */*"], TEXT),
        (["text/plain", "application/json"], JSON),
        (["text/plain", "application/json;q=0.3"], TEXT),
        (["text/plain;q=nan, */*;q=0.1"], JSON),
        (["text/plain;q=1e9, application/json;q=0.1"], JSON),
        (["text/plain;q=-1, application/json;q=0.1"], JSON),
        (["text/plain;q=inf"], JSON),
        (["text/plain;q=, application/json;q=0.1"], JSON),
        ([",;,=;q,text/plain;;;,"], TEXT),
        (["text"], JSON),
        (["*"], JSON),
    ],
)
def test_negotiation(accept: list[str], content_type: str) -> None:
    """RFC 9110 section 12.5.1: JSON, unless text has the greater weight; a browser, which asks for HTML, gets text."""
    assert problem(asked(*accept), 400, "x").headers["Content-Type"] == content_type


def test_accept_of_any_size() -> None:
    """S-53: a long and broken Accept costs nothing to speak of and breaks nothing."""
    accept = '"\\' * 4000 + ",;" * 4000 + ", text/plain"
    assert problem(asked(accept), 400, "x").headers["Content-Type"] == TEXT


@pytest.mark.parametrize("status", [204, 205, 304])
def test_statuses_without_content(status: int) -> None:
    """Statuses that have no content get none, and no field that speaks of it."""
    response = problem(exchange(), status, "x", headers={"ETag": '"1"'})
    assert response.status == status
    assert response.body is EMPTY
    assert dict(response.headers) == {"Cache-Control": "no-store", "ETag": '"1"'}


def test_headers_are_added_and_win() -> None:
    """Fields of the caller's are added, and replace those of the problem document, in whatever case."""
    response = problem(exchange(), 503, "x", headers={"Retry-After": "5", "cache-control": "private"})
    assert response.headers["Retry-After"] == "5"
    assert response.headers.getall("Cache-Control") == ["private"]


@pytest.mark.parametrize("accept", ["", "text/plain"])
async def test_id_from_outside(accept: str) -> None:
    """An id that a filter took over from elsewhere is sent as bytes that hold, whatever it is made of."""
    subject = asked(accept)
    subject.id = 'é"\udcff\n'
    response = problem(subject, 500, "Internal error")
    data = await content(response)
    assert response.headers.getall("Cache-Control") == ["no-store"]
    if not accept:
        assert json.loads(data)["id"] == subject.id
    else:
        assert data.startswith("500 Internal error\nid: é".encode())


def test_answers_share_nothing() -> None:
    """Each answer has fields of its own: editing one changes no other."""
    one, other = problem(exchange(), 500, "x"), problem(exchange(), 500, "x")
    one.headers["X-A"] = "1"
    assert "X-A" not in other.headers


@pytest.mark.parametrize("accept", ["application/json", "text/plain"])
async def test_members(accept: str) -> None:
    """RFC 9457 section 3.2: what else there is to say stands in the document, and in the text; it takes no other's
    place."""
    subject = exchange(headers={"Accept": accept})
    said = {"errors": [{"pointer": "#/a"}], "status": 200, "title": "fine"}
    response = problem(subject, 422, "No", members=said)
    text = await response.body.read(1000)
    if accept == "text/plain":
        assert text.startswith(b"422 No\nid: ")
        assert b'\nerrors: [{"pointer": "#/a"}]\n' in text
    else:
        assert json.loads(text) == {"errors": [{"pointer": "#/a"}], "title": "No", "status": 422, "id": subject.id}


@pytest.mark.parametrize(
    ("accept", "sign"),
    [([], 0), (["*/*"], 0), (["image/png"], 0), (["text/html,*/*;q=0.5"], 1), (["*/*;q=0.1, application/json"], -1)],
)
def test_leaning(accept: list[str], sign: int) -> None:
    """Which of the two a client would rather have, or that it makes no difference to it."""
    lean = leaning(asked(*accept))
    assert (lean > 0) - (lean < 0) == sign


async def test_a_form_that_is_set() -> None:
    """Somebody else may know which form it has to be."""
    assert problem(asked("text/html"), 400, "x", text=False).headers["Content-Type"] == JSON
    assert problem(asked("application/json"), 400, "x", text=True).headers["Content-Type"] == TEXT


async def test_what_is_told_of_an_error() -> None:
    """A problem document with the error's fields and members; or its own answer, with the fields as they are now."""
    error = RateLimited("x", retry_after=2)
    plain = told(asked(), error)
    assert (plain.status, plain.headers["Content-Type"], plain.headers["Retry-After"]) == (429, JSON, "2")
    error.answer, error.fields = Response(503, {"X-Old": "1"}, Body(b"page")), {"X-New": "1"}
    own = told(asked(), error)
    assert (own.status, dict(own.headers), own.body.data) == (503, {"X-New": "1"}, b"page")
    assert told(asked(), NoRoute("x")).status == 404
    with pytest.raises(ValueError, match="Drop"):
        told(asked(), Drop("x"))
