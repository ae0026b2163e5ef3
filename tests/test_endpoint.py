"""Endpoints: what a URL means, how targets are joined to it, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from revproxy.endpoint import Endpoint, EndpointState

# URLs.


@pytest.mark.parametrize(
    ("url", "host", "port", "secure", "authority"),
    [
        ("http://a.test", "a.test", 80, False, "a.test"),
        ("http://a.test:80/", "a.test", 80, False, "a.test"),
        ("https://a.test", "a.test", 443, True, "a.test"),
        ("https://a.test:80", "a.test", 80, True, "a.test:80"),
        ("HTTP://A.Test:8080", "a.test", 8080, False, "a.test:8080"),
        ("http://192.0.2.1:81", "192.0.2.1", 81, False, "192.0.2.1:81"),
        ("http://[2001:db8::1]:8080/x", "2001:db8::1", 8080, False, "[2001:db8::1]:8080"),
        ("https://[::1]", "::1", 443, True, "[::1]"),
        ("http://[fe80::1%25eth0]:81", "fe80::1%eth0", 81, False, "[fe80::1]:81"),
        ("http://bücher.test:81", "bücher.test", 81, False, "xn--bcher-kva.test:81"),
    ],
)
def test_url(url: str, host: str, port: int, secure: bool, authority: str) -> None:
    """F-13: where to connect, and what authority to name: no default port, IPv6 in brackets and without a zone."""
    for given_url in (url, URL(url)):
        endpoint = Endpoint(given_url)
        assert (endpoint.host, endpoint.port, endpoint.secure, endpoint.authority) == (host, port, secure, authority)
        assert endpoint.socket_path is None


@pytest.mark.parametrize("url", ["unix:/run/a b.sock", "unix:///run/a b.sock"])
def test_unix_socket(url: str) -> None:
    """A Unix socket has a path, no port, and names itself localhost; its path is no prefix of targets."""
    endpoint = Endpoint(url)
    assert (endpoint.socket_path, endpoint.secure, endpoint.authority) == ("/run/a b.sock", False, "localhost")
    assert endpoint.target("/x?y") == "/x?y"


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", "neither http"),
        ("a.test:80", "neither http"),
        ("//a.test", "neither http"),
        ("ftp://a.test", "neither http"),
        ("http://", "no host"),
        ("http:///x", "no host"),
        ("http://a.test:99999", "Port out of range"),
        ("http://a.test:x", "is not a URL"),
        ("http://[::1", "is not a URL"),
        ("http://a.test#x", "has a fragment"),
        ("http://a.test\\@evil.test", "is not a URL"),
        ("http://a b.test", "space or control"),
        (" http://a.test", "space or control"),
        ("http://a.test ", "space or control"),
        ("http://a.te\r\nst/", "space or control"),
        ("http://a.test/\tx", "space or control"),
        ("unix:a.sock", "absolute path"),
        ("unix:", "absolute path"),
        ("unix://host/a.sock", "absolute path"),
        ("unix:/a\0b", "absolute path"),
    ],
)
def test_bad_url(url: str, why: str) -> None:
    """A malformed URL is a ValueError at construction that names the parameter and the value."""
    with pytest.raises(ValueError, match=f"url: .*{why}") as caught:
        Endpoint(url)
    assert repr(url) in str(caught.value)


@pytest.mark.parametrize("url", ["http://user:secret@a.test", "http://secret@a.test", "http://:secret@a.test"])
def test_credentials_are_refused_unseen(url: str) -> None:
    """F-32: credentials in a URL are refused, and the message, which ends in a log, does not repeat them."""
    with pytest.raises(ValueError, match="url: credentials") as caught:
        Endpoint(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ({"weight": 0}, "weight must be an integer of at least 1, got 0"),
        ({"weight": -3}, "weight must be an integer of at least 1, got -3"),
        ({"priority": -1}, "priority must be at least 0, got -1"),
        ({"limit": 0}, "limit must be at least 1 or None, got 0"),
    ],
)
def test_bad_numbers(arguments: dict[str, Any], names: str) -> None:
    """A number out of range is a ValueError that names the parameter and the value."""
    with pytest.raises(ValueError, match=names):
        Endpoint("http://a.test", **arguments)


# Addresses.


def test_address() -> None:
    """Where it is dialled may be told apart from its host, which stays what ``Host`` and TLS go by (F-13, S-41)."""
    endpoint = Endpoint("https://a.test:8443/v1", address="10.0.0.1")
    assert (endpoint.address, endpoint.host, endpoint.authority) == ("10.0.0.1", "a.test", "a.test:8443")
    assert endpoint.name == "https://a.test:8443/v1 at 10.0.0.1"
    assert Endpoint("http://a.test", address="FD00:0::1").address == "fd00::1"
    assert Endpoint("http://a.test", address="10.0.0.1", name="a").name == "a"


@pytest.mark.parametrize("address", ["", "a.test", "10.0.0.1:80", "[::1]", "127.1", "10.0.0.01", "10.0.0.1/32", " ::1"])
def test_bad_address(address: str) -> None:
    """What is no address in its usual form is a ValueError that names the parameter and the value."""
    with pytest.raises(ValueError, match="address must be an IP address, got ") as caught:
        Endpoint("http://a.test", address=address)
    assert repr(address) in str(caught.value)


def test_a_socket_has_no_address() -> None:
    """That would be two places."""
    with pytest.raises(ValueError, match="address: a socket has none"):
        Endpoint("unix:/run/x.sock", address="10.0.0.1")


def test_identity() -> None:
    """One URL is one place, however it is written; at two addresses it is two."""
    same: list[str | URL] = ["http://a.test", "http://A.test/", URL("http://a.test"), "HTTP://a.test"]
    assert len({Endpoint(url).identity for url in same}) == 1
    others = ["http://a.test", "https://a.test", "http://a.test:81", "http://a.test/v1", "http://a.test/?x", "unix:/a"]
    found = [Endpoint(url).identity for url in others]
    found += [Endpoint("http://a.test", address=address).identity for address in ("10.0.0.1", "10.0.0.2", "::1")]
    assert len(set(found)) == len(found)


@given(
    st.sampled_from(
        ["http://a.test", "http://a.test/", "http://a.test/x", "http://a.test?x", "http://b.test", "unix:/a"]
    )
)
def test_identity_is_that_of_the_url(url: str) -> None:
    """Without addresses, two endpoints are the same place exactly if their URLs are equal."""
    for other in ("http://a.test", "http://a.test/", "http://a.test/x", "http://a.test/?x", "http://b.test", "unix:/a"):
        one, two = Endpoint(url), Endpoint(other)
        assert (one.identity == two.identity) == (one.url == two.url)


# Targets.


@pytest.mark.parametrize(
    ("url", "target", "sent"),
    [
        ("http://h", "/", "/"),
        ("http://h/", "/a", "/a"),
        ("http://h/base", "/", "/base/"),
        ("http://h/base/", "/", "/base/"),
        ("http://h/base", "/a", "/base/a"),
        ("http://h/base/", "/a/", "/base/a/"),
        ("http://h/base//", "/a", "/base/a"),
        ("http://h/base", "//evil.test/p", "/base//evil.test/p"),
        ("http://h", "//evil.test/p", "//evil.test/p"),
        ("http://h/base", "/?", "/base/?"),
        ("http://h/a%2Fb", "/%2f%7E", "/a%2Fb/%2f%7E"),
        ("http://h/base", "/a?x=/b", "/base/a?x=/b"),
    ],
)
def test_prefix(url: str, target: str, sent: str) -> None:
    """F-02, F-03, F-04, F-05: prefix and target are put together with one slash, and the target is not touched."""
    assert Endpoint(url).target(target) == sent


@pytest.mark.parametrize(
    ("url", "target", "sent"),
    [
        ("http://h?s=1", "/", "/?s=1"),
        ("http://h?s=1", "/a?u=2", "/a?s=1&u=2"),
        ("http://h?s=1", "/a?", "/a?s=1"),
        ("http://h", "/a?u=2", "/a?u=2"),
        ("http://h?s=1&s=2", "/a?s=3&s&;+%zz?&", "/a?s=1&s=2&s=3&s&;+%zz?&"),
        ("http://h/base?s=1", "/?u", "/base/?s=1&u"),
    ],
)
def test_query(url: str, target: str, sent: str) -> None:
    """F-06, F-07: the endpoint's query stands before the request's, and the request's is not touched."""
    assert Endpoint(url).target(target) == sent


@pytest.mark.parametrize("url", ["http://h", "http://h/base", "http://h?s=1", "http://h/base?s=1"])
def test_asterisk(url: str) -> None:
    """F-10: `*` has neither path nor query, and is sent as it is."""
    assert Endpoint(url).target("*") == "*"


@given(st.text(st.sampled_from("/ab%2f?&=;é\udcff#*"), max_size=12).map(lambda text: f"/{text}"))
def test_the_target_is_kept_byte_for_byte(target: str) -> None:
    """F-02: whatever the target is, it stands in what is sent, whole and once."""
    path, mark, query = target.partition("?")
    assert Endpoint("http://h/p").target(target) == f"/p{path}{mark}{query}"
    assert Endpoint("http://h?s").target(target) == f"{path}?s" + (f"&{query}" if query else "")


# State.


def test_accepts() -> None:
    """An endpoint accepts while it is active and below its limit."""
    endpoint = Endpoint("http://h", limit=2)
    endpoint.in_flight = 1
    assert endpoint.accepts(0.0)
    endpoint.in_flight = 2
    assert not endpoint.accepts(0.0)
    unlimited = Endpoint("http://h")
    unlimited.in_flight = 10**6
    assert unlimited.accepts(0.0)
    unlimited.state = EndpointState.DRAINING
    assert not unlimited.accepts(0.0)


def test_cap() -> None:
    """The lower one of the declared limit and of the cap that somebody moves counts, for sessions, too; a limit that is
    set anew does not lose the cap."""
    endpoint = Endpoint("http://h", limit=5)
    endpoint.in_flight = 3
    endpoint.cap = 3
    assert not endpoint.accepts(0.0)
    assert not endpoint.keeps(0.0)
    assert repr(endpoint) == "<Endpoint http://h active in_flight=3/3>"
    endpoint.cap = 9
    assert endpoint.accepts(0.0)
    endpoint.limit = 3
    assert not endpoint.accepts(0.0)
    endpoint.limit = None
    assert endpoint.accepts(0.0)
    endpoint.in_flight = 9
    assert not endpoint.accepts(0.0)
    endpoint.settings = Endpoint("http://other", limit=4).settings
    assert repr(endpoint).endswith("in_flight=9/4>")
    endpoint.limit = 20
    assert repr(endpoint).endswith("in_flight=9/9>")
    endpoint.cap = endpoint.limit = None
    assert endpoint.accepts(0.0)


def test_identity_and_labels() -> None:
    """Endpoints are compared by identity; their labels are a copy that cannot be written."""
    labels = {"zone": "a"}
    one, other = Endpoint("http://h", labels=labels), Endpoint("http://h", labels=labels)
    assert one != other
    labels["zone"] = "b"
    assert one.labels == {"zone": "a"}
    with pytest.raises(TypeError):
        one.labels["zone"] = "c"  # type: ignore[index]


def test_printed() -> None:
    """An endpoint shows its name and its state."""
    endpoint = Endpoint("http://h:81", weight=3, limit=5)
    endpoint.in_flight = 2
    assert repr(endpoint) == "<Endpoint http://h:81 active in_flight=2/5 weight=3>"
    assert repr(Endpoint("http://h", name="a")) == "<Endpoint a active in_flight=0>"
