"""What a media type says about how a text is written."""

from __future__ import annotations

import pytest

from revproxy.filters.redact.formats import Types, format_of
from revproxy.media_types import MediaType, media_type


def kind(name: str) -> MediaType:
    found = media_type([name])
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("name", "spelling", "json", "in_parts"),
    [
        ("application/json", "json", True, False),
        ("application/problem+json; charset=utf-8", "json", True, False),
        ("application/x-ndjson", "json", True, True),
        ("application/jsonl", "json", True, True),
        ("text/event-stream", "sse", True, True),
        ("text/javascript", "json", False, False),
        ("text/html", "markup", False, False),
        ("application/atom+xml", "markup", False, False),
        ("text/plain", "markup", False, False),
        ("application/x-www-form-urlencoded", "form", False, False),
    ],
)
def test_formats(name: str, spelling: str, json: bool, in_parts: bool) -> None:
    """How a text is written follows from its type."""
    found = format_of(kind(name))
    assert (found.spelling.name, found.json, found.ends is not None) == (spelling, json, in_parts)


def test_without_a_type() -> None:
    """What says nothing of itself is written in any way."""
    assert format_of(None).spelling.name == "markup"


@pytest.mark.parametrize(
    "name",
    [
        *(
            "text/html",
            "text/x-anything",
            "application/json",
            "application/ld+json",
            "application/xml",
            "image/svg+xml",
        ),
        *("application/javascript", "application/x-ndjson", "application/yaml", "application/x-yaml", "message/http"),
        *("multipart/mixed", "multipart/form-data", "application/graphql", "application/x-www-form-urlencoded"),
        *("application/x-pem-file", "application/jwt", "application/sql", "application/x-sh", "application/json-seq"),
        *("application/csv", "application/x-json", "application/csp-report", "application/dns-json"),
    ],
)
def test_texts(name: str) -> None:
    """What is text is looked into."""
    assert kind(name) in Types(None)


@pytest.mark.parametrize(
    "name",
    [
        *("image/png", "video/mp4", "audio/ogg", "font/woff2", "application/octet-stream", "application/zip"),
        *("application/pdf", "application/wasm", "application/x-anything", "multipart/x-mixed-replace"),
        *("application/jsonx", "image/xml2", "application/vnd.ms-excel"),
    ],
)
def test_no_texts(name: str) -> None:
    """What is none goes on as it came."""
    assert kind(name) not in Types(None)


def test_own_types() -> None:
    """Whoever names types has these and no others; what has none is looked into all the same."""
    types = Types(["application/octet-stream", "text/*", "application/*+json"])
    for name in ("application/octet-stream", "text/plain", "application/ld+json"):
        assert kind(name) in types
    for name in ("application/json", "image/png"):
        assert kind(name) not in types
    assert None in types
    assert None in Types([])
    assert kind("text/plain") not in Types([])
    assert repr(types) == "Types(application/octet-stream, text/*, application/*+json)"


def test_bad_types() -> None:
    """What is no media type is refused."""
    with pytest.raises(ValueError, match="types: 'text' is no media type"):
        Types(["text"])
    with pytest.raises(TypeError, match="types: several of them"):
        Types("text/*")
