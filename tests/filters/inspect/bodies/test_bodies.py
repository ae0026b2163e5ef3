"""The values of a request's body."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.filters.inspect import Part, Subject
from revproxy.filters.inspect.bodies import is_read, read_body
from revproxy.filters.inspect.bodies.found import MOST
from revproxy.media_types import media_type
from revproxy.testing import exchange

JSON, FORM, XML, PLAIN = "application/json", "application/x-www-form-urlencoded", "application/xml", "text/plain"
MULTIPART = "multipart/form-data; boundary=b"


def read(data: bytes, content_type: str | None) -> Subject:
    subject = Subject(exchange("POST"))
    read_body(data, None if content_type is None else media_type([content_type]), subject)
    return subject


def found(data: bytes, content_type: str | None) -> list[tuple[Part, str, str]]:
    subject = read(data, content_type)
    assert subject.troubles == {}
    return [(each.part, each.name, each.text) for each in subject.values]


def test_json() -> None:
    """Names, each once, and strings, with the path of their member; a name that is there twice hides nothing."""
    assert found(b'{"a": "1", "b": [{"a": "2"}, "3", 4.5, null], "a": "5"}', JSON) == [
        (Part.NAME, "a", "a"),
        (Part.NAME, "b", "b"),
        (Part.VALUE, "a", "1"),
        (Part.VALUE, "b.a", "2"),
        (Part.VALUE, "b", "3"),
        (Part.VALUE, "a", "5"),
    ]
    assert found(b'"\\u003cb>"', JSON) == [(Part.VALUE, "", "<b>")]
    assert found(b"", JSON) == found(b"3", "application/vnd.api+json") == []


def test_form() -> None:
    """Decoded once."""
    assert found(b"q=1+2%27&q=%2527&e", FORM) == [
        (Part.NAME, "q", "q"),
        (Part.VALUE, "q", "1 2'"),
        (Part.VALUE, "q", "%27"),
        (Part.NAME, "e", "e"),
    ]


def test_xml() -> None:
    """Names, attributes, text across entities, comments, instructions."""
    document = b'<?xml version="1.0"?><a b="1"><c>x &lt; y</c><!-- d --><?e f?><![CDATA[<g>]]></a>'
    assert found(document, XML) == [
        (Part.NAME, "a", "a"),
        (Part.NAME, "a@b", "b"),
        (Part.VALUE, "a@b", "1"),
        (Part.NAME, "a.c", "c"),
        (Part.VALUE, "a.c", "x < y"),
        (Part.VALUE, "comment", " d "),
        (Part.VALUE, "e", "f"),
        (Part.VALUE, "a", "<g>"),
    ]


def test_multipart() -> None:
    """Fields, and what is said of files; not what is in them."""
    body = (
        b'--b\r\nContent-Disposition: form-data; name="t"\r\n\r\nhello\r\n--not b\r\n'
        b'--b\r\nContent-Disposition: form-data; name="f"; filename="a \\"b\\".png"\r\n'
        b"Content-Type: image/png\r\n\r\n<x>\r\n"
        b"--b\r\nContent-Disposition: form-data; name=g; filename*=UTF-8''%e2%82%ac.txt\r\n\r\n\r\n--b--\r\n"
    )
    assert found(body, MULTIPART) == [
        (Part.NAME, "t", "t"),
        (Part.VALUE, "t", "hello\r\n--not b"),
        (Part.FILE, "filename", 'a "b".png'),
        (Part.NAME, "f", "f"),
        (Part.FILE, "content-type", "image/png"),
        (Part.FILE, "filename*", "€.txt"),
        (Part.NAME, "g", "g"),
    ]


@pytest.mark.parametrize("filename", [b'; filename=""', b"; filename*=UTF-8''x.txt", b""])
def test_what_is_a_field_to_some(filename: bytes) -> None:
    """A part without a plain name of a file is looked into: it is a field to many."""
    body = b'--b\r\nContent-Disposition: form-data; name="q"%b\r\n\r\n<script>\r\n--b--' % filename
    assert (Part.VALUE, "q", "<script>") in found(body, MULTIPART)


def test_paths_are_bounded() -> None:
    """A long name is not kept with each value below it."""
    name = "n" * 60_000
    subject = read(json.dumps({name: [{"a": "1"}] * 1000}).encode(), JSON)
    assert max(len(each.name) for each in subject.values) < 300
    subject = read(f"<{name}>{'<a>x</a>' * 1000}</{name}>".encode(), XML)
    assert max(len(each.name) for each in subject.values) < 300


def test_nested_as_deep_as_can_be_read() -> None:
    """However deep, it is read or told, never an error."""
    for depth in range(900, 1100, 7):
        subject = read(b'{"a":' * depth + b'"x"' + b"}" * depth, JSON)
        assert subject.values or subject.troubles


def test_text() -> None:
    """As it is; as JSON where it looks like that, whatever it is called, or if it is called nothing."""
    assert found(b"hello {", PLAIN) == [(Part.VALUE, "", "hello {")]
    assert (
        found(b' {"a": "b"}', PLAIN) == found(b' {"a": "b"}', None) == [(Part.NAME, "a", "a"), (Part.VALUE, "a", "b")]
    )
    big = b'{"a": %b, "user": {"$ne": null}}' % (b"1" * 5000)
    assert (Part.NAME, "user.$ne", "$ne") in found(big, None)
    assert found(b"{not JSON}", PLAIN) == [(Part.VALUE, "", "{not JSON}")]


@pytest.mark.parametrize(
    ("data", "content_type", "trouble"),
    [
        (b"{'a': 1}", JSON, "json"),
        (b"\xff\xfe{\x00}\x00", JSON, "json"),
        (b"[" * 100_000, JSON, "depth"),
        (b"{}", "application/json; charset=utf-7", "charset"),
        (json.dumps(["x"] * (MOST + 1)).encode(), JSON, "values"),
        (b"a=1&" * (MOST + 1), FORM, "values"),
        (b"<a><b></a>", XML, "xml"),
        (b'<?xml version="1.0" encoding="x-unknown"?><a/>', XML, "xml"),
        (b"<a>" * 100, XML, "depth"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', XML, "doctype"),
        (b'<!DOCTYPE a SYSTEM "http://example.com/"><a/>', XML, "doctype"),
        (b"--b\r\n", MULTIPART, "multipart"),
        (b"--b--\r\n", "multipart/form-data", "multipart"),
        (b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n', MULTIPART, "multipart"),
        (b'x\r\n--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--b--', MULTIPART, "multipart"),
        (b'--b\nContent-Disposition: form-data; name="a"\n\n1\n--b--', MULTIPART, "multipart"),
        (b"--b\r\nContent-Disposition: form-data\r\n\r\n1\r\n--b--", MULTIPART, "multipart"),
        (b'--b\r\nContent-Disposition: form-data; name="a"; name="b"\r\n\r\n1\r\n--b--', MULTIPART, "multipart"),
        (b'--b\r\nContent-Disposition: form-data; name="a\r\n\r\n1\r\n--b--', MULTIPART, "multipart"),
        (b'--b\r\nContent-Disposition : form-data; name="a"\r\n\r\n1\r\n--b--', MULTIPART, "multipart"),
        (
            b'--b\r\nContent-Disposition: form-data; name="a"; filename="x"\r\n\r\n1\n--b\n2\r\n--b--',
            MULTIPART,
            "multipart",
        ),
        (
            b'--b\r\nContent-Disposition: form-data; name="a"\r\n'
            b'Content-Disposition: form-data; name="a"; filename="x"\r\n\r\n1\r\n--b--',
            MULTIPART,
            "multipart",
        ),
        (
            b'--b\r\nContent-Disposition: form-data; name="a"\r\n'
            b"Content-Type: text/plain; charset=cp037\r\n\r\n1\r\n--b--",
            MULTIPART,
            "charset",
        ),
        (b'--b\r\nContent-Disposition: form-data; name="_charset_"\r\n\r\n1\r\n--b--', MULTIPART, "charset"),
        (
            b'--b\r\nContent-Disposition: form-data; name="a"\r\n'
            b"Content-Transfer-Encoding: base64\r\n\r\nMQ==\r\n--b--",
            MULTIPART,
            "multipart",
        ),
    ],
)
def test_trouble(data: bytes, content_type: str, trouble: str) -> None:
    """S-44, S-51: what cannot be read as it says it should be is told, and never passes for read."""
    assert trouble in read(data, content_type).troubles


def test_what_cannot_be_read_is_looked_at_as_it_is() -> None:
    """What is no JSON to us may be to somebody."""
    for content_type in (JSON, XML, "multipart/form-data"):
        assert any("<script>" in each.text for each in read(b"{'a': '<script>'}", content_type).values)


@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.text()),
        lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
        max_leaves=20,
    )
)
def test_every_string_of_json_is_looked_at(document: object) -> None:
    """Of any document: what says whether to look at the values has them all, and no string is left out of either."""

    def strings(item: object) -> set[str]:
        if isinstance(item, str):
            return {item}
        if isinstance(item, dict):
            return set(item) | set().union(*map(strings, item.values()))
        return set().union(*map(strings, item)) if isinstance(item, list) else set()

    subject = read(json.dumps(document).encode(), JSON)
    every = {text.replace("\x1e", " ") for text in strings(document)}
    assert {each.text for each in subject.values} >= every - {""}
    assert {text.replace("\x1e", " ") for text in subject.texts} >= every


@given(st.binary(max_size=300), st.sampled_from([JSON, FORM, XML, PLAIN, MULTIPART, None]))
def test_any_bytes(data: bytes, content_type: str | None) -> None:
    """No bytes make a reader raise; what values there are, the texts have."""
    subject = read(data, content_type)
    assert {each.text for each in subject.values} <= {text.replace("\x1e", " ") for text in subject.texts}


@given(
    st.lists(st.sampled_from([b"--b", b"\r\n", b"\r\n\r\n", b"--", b'Content-Disposition: form-data; name="a"', b"x"]))
)
def test_any_multipart(pieces: list[bytes]) -> None:
    """Nor does anything that looks like a multipart body."""
    read(b"".join(pieces), MULTIPART)


def test_which_are_read() -> None:
    """Text of all kinds; no pictures, no archives."""
    for content_type in (JSON, FORM, XML, PLAIN, MULTIPART, "application/graphql", "application/soap+xml", "text/csv"):
        assert is_read(media_type([content_type]))
    assert is_read(None)
    for content_type in ("image/png", "application/octet-stream", "application/zip", "application/grpc"):
        assert not is_read(media_type([content_type]))
