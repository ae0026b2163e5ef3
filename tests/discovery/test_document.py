"""Endpoints as they are written down."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy import Endpoint
from revproxy.discovery import DiscoveryFailed
from revproxy.discovery.document import Format, read_endpoints

FULL_JSON = b"""{"endpoints": ["http://10.0.0.1", {
  "url": "https://api.test/v1", "address": "10.0.0.2", "name": "two", "weight": 3, "priority": 1, "zone": "a",
  "region": "b", "location": [50.1, 8], "labels": {"rack": "7"}, "limit": 100}]}"""

FULL_TOML = b"""
[[endpoints]]
url = "http://10.0.0.1"

[[endpoints]]
url = "https://api.test/v1"
address = "10.0.0.2"
name = "two"
weight = 3
priority = 1
zone = "a"
region = "b"
location = [50.1, 8]
labels = { rack = "7" }
limit = 100
"""

MIXED = b"""
endpoints = ["http://10.0.0.1", { url = "http://10.0.0.2", weight = 2 }]
"""


@pytest.mark.parametrize(("format", "content"), [("json", FULL_JSON), ("toml", FULL_TOML)])
def test_all_of_it(format: Format, content: bytes) -> None:
    """Whatever an endpoint takes may be written, in both forms."""
    one, two = read_endpoints(content, format)
    assert (str(one.url), one.weight) == ("http://10.0.0.1", 1)
    expected = Endpoint(
        "https://api.test/v1",
        address="10.0.0.2",
        name="two",
        weight=3,
        priority=1,
        zone="a",
        region="b",
        location=(50.1, 8),
        labels={"rack": "7"},
        limit=100,
    )
    assert (two.identity, two.settings) == (expected.identity, expected.settings)


def test_mixed() -> None:
    """TOML's arrays are one more way to write the same."""
    assert [each.weight for each in read_endpoints(MIXED, "toml")] == [1, 2]


def test_an_empty_list() -> None:
    """It is one; whether that is good others decide."""
    assert read_endpoints(b'{"endpoints": []}', "json") == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        *((b"", "not JSON"), (b"{", "not JSON"), (b"\xff\xfe{}", "not JSON"), (b"[" * 100_000, "not JSON")),
        (b'{"endpoints": [], "endpoints": ["http://a"]}', "twice"),
        (b'{"endpoints": [{"url": "http://a", "location": [NaN, 1]}]}', "NaN is no number"),
        *((b"[]", "nothing else"), (b"{}", "nothing else"), (b"null", "nothing else")),
        (b'{"endpoints": [], "version": 2}', "nothing else"),
        *((b'{"endpoints": {}}', "must be a list"), (b'{"endpoints": "http://a"}', "must be a list")),
        (b'{"endpoints": ["http://a", 7]}', r"endpoints\[1\] must be a URL or a table"),
        (b'{"endpoints": [["http://a"]]}', r"endpoints\[0\] must be a URL or a table"),
        (b'{"endpoints": [{"weight": 1}]}', r"endpoints\[0\] has no url"),
        (b'{"endpoints": [{"url": "http://a", "wieght": 2}]}', "'wieght' is none of url, address"),
        (b'{"endpoints": [{"url": "http://a", "policy": "x"}]}', "'policy' is none of"),
        (b'{"endpoints": [{"url": 7}]}', r"endpoints\[0\].url must be a string"),
        (b'{"endpoints": [{"url": "http://a", "weight": true}]}', "weight must be an integer"),
        (b'{"endpoints": [{"url": "http://a", "weight": 1.0}]}', "weight must be an integer"),
        (b'{"endpoints": [{"url": "http://a", "weight": "1"}]}', "weight must be an integer"),
        (b'{"endpoints": [{"url": "http://a", "priority": true}]}', "priority must be an integer"),
        (b'{"endpoints": [{"url": "http://a", "limit": null}]}', "limit must be an integer"),
        (b'{"endpoints": [{"url": "http://a", "location": [1]}]}', "location must be a list of two numbers"),
        (b'{"endpoints": [{"url": "http://a", "location": [true, 1]}]}', "location must be a list of two numbers"),
        (b'{"endpoints": [{"url": "http://a", "labels": {"x": 1}}]}', "labels must be a table of strings"),
        (b'{"endpoints": [{"url": "http://a", "weight": 0}]}', r"endpoints\[0\]: weight"),
        (b'{"endpoints": [{"url": "http://a", "address": "b"}]}', r"endpoints\[0\]: address"),
        (b'{"endpoints": [{"url": "http://u:p@a"}]}', r"endpoints\[0\]: url: credentials"),
        (b'{"endpoints": ["gopher://a"]}', r"endpoints\[0\]: url"),
    ],
)
def test_bad_documents(content: bytes, said: str) -> None:
    """Each says what is wrong, and where; a word that is misspelt is wrong."""
    with pytest.raises(DiscoveryFailed, match=said):
        read_endpoints(content, "json")


@pytest.mark.parametrize("content", [b"endpoints", b"endpoints = 1979-05-27", b"a = " + b"[" * 10_000, b"\xff"])
def test_bad_toml(content: bytes) -> None:
    """So does TOML."""
    with pytest.raises(DiscoveryFailed):
        read_endpoints(content, "toml")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)
ENTRY = st.dictionaries(
    st.sampled_from(["url", "weight", "priority", "zone", "region", "location", "labels", "limit", "name", "address"]),
    JSON | st.sampled_from(["http://a", "unix:/x", "10.0.0.1"]),
)


@given(JSON | st.fixed_dictionaries({"endpoints": st.lists(JSON | ENTRY, max_size=3)}))
def test_whatever_is_written(document: object) -> None:
    """There are endpoints, or it says why not; nothing else happens."""
    try:
        found = read_endpoints(json.dumps(document).encode(), "json")
    except DiscoveryFailed:
        return
    assert all(isinstance(each, Endpoint) for each in found)


@given(st.binary(max_size=200), st.sampled_from(["json", "toml"]))
def test_whatever_bytes(content: bytes, format: Format) -> None:
    """The same of bytes of any kind."""
    with suppress(DiscoveryFailed):
        read_endpoints(content, format)
