"""Origins: one form of each, and nothing else is one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.filters.origins import checked, is_own, origin_of, said_by
from revproxy.testing import exchange

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789-"
labels = st.text(LETTERS, min_size=1, max_size=12).filter(lambda label: label[0] != "-")
hosts = st.lists(labels, min_size=1, max_size=4).map(".".join)
ports = st.one_of(st.none(), st.integers(0, 65535))
schemes = st.sampled_from(["http", "https", "capacitor", "moz-extension"])


@pytest.mark.parametrize(
    ("said", "origin"),
    [
        ("https://example.com", "https://example.com"),
        ("HTTPS://Example.COM:443", "https://example.com"),
        ("http://example.com:80", "http://example.com"),
        ("http://example.com:443", "http://example.com:443"),
        ("http://example.com:08", "http://example.com:8"),
        ("https://[2001:DB8:0:0::1]:8443", "https://[2001:db8::1]:8443"),
        ("https://192.0.2.1", "https://192.0.2.1"),
        ("https://example.com.", "https://example.com."),
        ("chrome-extension://abcdefghijklmnop", "chrome-extension://abcdefghijklmnop"),
        ("capacitor://localhost", "capacitor://localhost"),
    ],
)
def test_one_form(said: str, origin: str) -> None:
    """RFC 6454 sections 4 and 6.2: scheme, host and port, however they are written. A name with a dot at its end is
    another one."""
    assert origin_of(said) == origin


@pytest.mark.parametrize(
    "said",
    [
        *(
            "null",
            "",
            "*",
            "https://",
            "https:///",
            "://example.com",
            "example.com",
            "//example.com",
            "https:example.com",
        ),
        *("https://example.com/", "https://example.com/a", "https://example.com?a", "https://example.com#a"),
        *("https://a@example.com", "https://a:b@example.com", "https://example.com:x", "https://example.com:65536"),
        *("https://example.com:-1", "https://example.com https://evil.test", "https://example.com, https://evil.test"),
        *(" https://example.com", "https://example.com ", "https://exa\tmple.com", "https://exa mple.com"),
        *("https://[", "https://[]", "https://[1.2.3.4]", "https://[::1]x", "https://büro.example", "https://*.a.test"),
        *("file://", "file://host", "ws://example.com", "wss://example.com", "data:text/html,x", "about:blank"),
        *("https://example.com\x00.evil.test", "https://example.com\\evil.test", "https://" + "a" * 600),
    ],
)
def test_what_is_none(said: str) -> None:
    """S-70: ``null`` is none, and nothing that only looks like one, or like two."""
    assert origin_of(said) is None
    assert said_by([said]) is None
    with pytest.raises(ValueError, match="trusted: "):
        checked("trusted", [said])


@given(st.text(max_size=40), st.sampled_from(["", "https://", "https://a.test"]))
def test_any_text(text: str, before: str) -> None:
    """S-70: whatever is said, it is an origin or it is none; and what an origin has become is one, and stays the
    same."""
    origin = origin_of(before + text)
    assert origin is None or origin_of(origin) == origin


@given(schemes, hosts, ports, st.data())
def test_one_reading(scheme: str, host: str, port: int | None, data: st.DataObject) -> None:
    """S-70: in whatever case, with or without the scheme's own port, an origin is the same; and another scheme, host or
    port is another one."""
    usual = {"http": 80, "https": 443}.get(scheme)
    plain = f"{scheme}://{host}"
    written = plain if port is None else f"{plain}:{port}"
    letters = [data.draw(st.sampled_from([letter.lower(), letter.upper()])) for letter in written]
    expected = plain if port in (None, usual) else written
    assert origin_of("".join(letters)) == origin_of(written) == expected
    for other in (f"x{scheme}://{host}", f"{plain}.evil.test", f"{scheme}://evil.test.{host}", f"{plain}:1{port or 1}"):
        assert origin_of(other) != expected


def test_several_lines() -> None:
    """Two lines say nothing, even if they say the same; none says nothing."""
    assert said_by(["https://a.test"]) == "https://a.test"
    assert said_by(["https://a.test", "https://a.test"]) is None
    assert said_by([]) is None


def test_its_own() -> None:
    """S-25, S-70: what a request is for is its scheme, host and port, all three."""
    inbound = exchange(scheme="https", host="Shop.test:443").inbound
    assert is_own(inbound, "https://shop.test")
    for other in ("http://shop.test", "https://shop.test:8443", "https://a.shop.test", "https://shop.test.evil.test"):
        assert not is_own(inbound, other)
    assert not is_own(exchange(host="", version=(1, 0)).inbound, "http://")
