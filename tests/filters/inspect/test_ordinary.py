"""Ordinary requests, of which inspection stops none at its first level."""

from __future__ import annotations

import json
from collections.abc import Iterable
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import HTTP
from urllib.parse import parse_qsl
from xml.etree import ElementTree

import pytest

from revproxy import Exchange, Response
from revproxy.filters.inspect import INSPECTION, Inspect

from .ordinary import ODD, Ordinary, as_exchange, odd, parse, requests

ALL = [*requests(), *odd()]


async def reached(exchange: Exchange) -> Response:
    return Response(204)


def test_many() -> None:
    """They are many, no two of a file are the same, each says what it is and whom it is for."""
    assert len(ALL) >= 1400
    assert all(each.about and each.header("host") for each in ALL)
    assert len({(each.file, each.method, each.target, tuple(each.headers), each.body) for each in ALL}) == len(ALL)
    assert {each.file for each in odd()} == {ODD}
    assert not any(each.file == ODD for each in requests())


def test_what_is_told_apart() -> None:
    """A comment, a body that has blank lines and a rule of its own in it, no body, and the lines of a multipart."""
    first, second, third = parse(
        "some.txt",
        "# It's one\nPOST /a?b HTTP/1.1\nHost: x\n\na\n\n====\n# b\n\n=====\n"
        "GET / HTTP/1.1\nHost: y\n\n=====\n"
        "POST / HTTP/1.1\nContent-Type: multipart/form-data; boundary=z\n\n--z\n\né\n--z--\n\n",
    )
    assert (first.about, first.method, first.target, first.body) == ("It's one", "POST", "/a?b", b"a\n\n====\n# b\n")
    assert first.headers == [("Host", "x"), ("Content-Length", "12")]
    assert (second.about, second.headers, second.body) == ("", [("Host", "y")], b"")
    assert third.body == b"--z\r\n\r\n\xc3\xa9\r\n--z--\r\n"


@pytest.mark.parametrize(
    "text", ["", "GET /\n\n", "GET / HTTP/1.0\n\n", "GET / a HTTP/1.1\n\n", "GET / HTTP/1.1\nContent-Length: 0\n\n"]
)
def test_what_is_none(text: str) -> None:
    """What is no request of the kind is a mistake in the file that names it."""
    with pytest.raises(ValueError, match=r"some\.txt"):
        list(parse("some.txt", text))


@pytest.mark.parametrize("file", sorted({each.file for each in ALL}))
def test_well_formed(file: str) -> None:
    """Each is a request that the proxy lets in, and its body is what its type says: none trips over a mistake here."""
    for ordinary in ALL:
        if ordinary.file == file:
            made = as_exchange(ordinary)
            assert made.inbound.headers.getall("Content-Length", []) == ([str(len(ordinary.body))] * has_body(ordinary))
            check_body(ordinary)


def has_body(ordinary: Ordinary) -> bool:
    return bool(ordinary.body) or ordinary.method in ("POST", "PUT", "PATCH")


def check_body(ordinary: Ordinary) -> None:
    kind = ordinary.header("content-type").partition(";")[0]
    if kind.endswith("ndjson"):
        for line in ordinary.body.split(b"\n"):
            json.loads(line)
    elif kind.endswith("json"):
        json.loads(ordinary.body)
    elif kind.endswith(("/xml", "+xml")):
        ElementTree.fromstring(ordinary.body)
    elif kind == "application/x-www-form-urlencoded":
        assert parse_qsl(ordinary.body.decode("ascii"), keep_blank_values=True, strict_parsing=True)
    elif kind == "multipart/form-data":
        head = f"Content-Type: {ordinary.header('content-type')}\r\n\r\n".encode()
        message = BytesParser(policy=HTTP).parsebytes(head + ordinary.body)
        assert isinstance(message, EmailMessage)
        assert message.is_multipart()
        assert not message.defects
        assert all(part.get_content_disposition() == "form-data" for part in message.iter_parts())


async def stopped(ordinaries: Iterable[Ordinary], inspect: Inspect) -> list[str]:
    """What ``inspect`` has found in those that it stops, or that it would have to stop."""
    found: list[str] = []
    for ordinary in ordinaries:
        made = as_exchange(ordinary)
        answer = await inspect(made, reached)
        inspection = made[INSPECTION]
        assert (answer.status != 204) == (inspection.score >= inspect.threshold)
        if answer.status != 204:
            found.append(f"{ordinary}: {inspection}")
    return found


async def test_none_is_stopped() -> None:
    """Of all that is ordinary, paranoia 1 stops nothing."""
    inspect = Inspect()
    found = await stopped(requests(), inspect)
    assert not found, "\n".join(found)
    assert inspect.inspected == sum(1 for _ in requests())


async def test_odd_is_stopped() -> None:
    """Most of what only looks like an attack is stopped: it is no blindness that lets the others pass."""
    assert len(await stopped(odd(), Inspect())) > 0.6 * sum(1 for _ in odd())
