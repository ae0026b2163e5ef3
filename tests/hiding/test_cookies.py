"""Cookies of an upstream, as its client gets them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.hiding import Cookies
from revproxy.hiding.route import Route
from revproxy.hiding.translation import Translation


def translation(
    *moves: tuple[str, str], origin: str = "", asked: str = "shop.example", scheme: str = "http"
) -> Translation:
    names = {("app.internal.example", 0), ("10.0.0.1", 8080)}
    return Translation(lambda: names, route=Route(moves), origin=origin, asked=asked, scheme=scheme)


APP = ("/app", "")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("a=b; Path=/; HttpOnly", "a=b; Path=/app; HttpOnly"),
        ("a=b; path=/x;Secure", "a=b; path=/app/x;Secure"),
        ("a=b; Path = /x ; Secure", "a=b; Path =/app/x; Secure"),
        ("a=b; Path=/app/x", "a=b; Path=/app/x"),
        ("a=b; Path=/apple", "a=b; Path=/app/apple"),
        ("a=b; Path=x", "a=b; Path=x"),
        ('a=b; Path="/x"', 'a=b; Path="/x"'),
        ("a=b; Path=", "a=b; Path="),
        ("a=b; Path", "a=b; Path"),
        ("a=b; Path=/x; Path=/", "a=b; Path=/app/x; Path=/app"),
        ("a=b", "a=b"),
        ("a=b; Expires=Wed, 21 Oct 2026 07:28:00 GMT", "a=b; Expires=Wed, 21 Oct 2026 07:28:00 GMT"),
        ('a="x; Path=/; y"', 'a="x; Path=/app; y"'),
        ("a=; ; ;Path=/", "a=; ; ;Path=/app"),
        ("a=caf\xe9\udcff; Path=/", "a=caf\xe9\udcff; Path=/app"),
        # Prefixes of names.
        ("__Host-a=b; Path=/; Secure", "__Host-a=b; Path=/; Secure"),
        ("__HOST-a=b; Path=/; Secure", "__HOST-a=b; Path=/; Secure"),
        ("__Host-a=b; Path=/; Secure; Domain=app.internal.example", "__Host-a=b; Path=/; Secure"),
        ("__Secure-a=b; Path=/; Secure", "__Secure-a=b; Path=/app; Secure"),
        # Domains.
        ("a=b; Domain=app.internal.example; Path=/", "a=b; Path=/app"),
        ("a=b; domain=.APP.internal.example", "a=b"),
        ("a=b; Domain=internal.example; Max-Age=5", "a=b; Max-Age=5"),
        ("a=b; Domain=10.0.0.1", "a=b"),
        ("a=b; Domain=10.0.0.1:8080", "a=b"),
        # Of several the last counts, here and in browsers.
        ("a=b; Domain=shop.example; Path=/; Domain=app.internal.example", "a=b; Path=/app"),
        ("Domain=x;Domain=x;Domain=internal.example", "Domain=x"),
        ("a=b; Domain=app.internal.example; Domain=shop.example", "a=b; Domain=shop.example"),
        ("a=b; Domain=0.0.1", "a=b; Domain=0.0.1"),
        ("a=b; Domain=shop.example", "a=b; Domain=shop.example"),
        ("a=b; Domain=example", "a=b; Domain=example"),
        ("a=b; Domain=other.test", "a=b; Domain=other.test"),
        ("a=b; Domain=", "a=b; Domain="),
        ("a=b; Domain=[", "a=b; Domain=["),
        # What is no cookie.
        ("", ""),
        ("nothing", "nothing"),
        (";;;=;", ";;;=;"),
        ("=b; Path=/", "=b; Path=/app"),
    ],
)
def test_below_a_prefix(said: str, told: str) -> None:
    """F-106: Path is what the client calls it, a Domain of the upstream goes, and all else stays byte for byte, what is
    no cookie included; a ``__Host-`` cookie stays one (RFC 6265bis section 4.1.3.2)."""
    assert Cookies().edited(said, translation(APP)) == told


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("a=b; Path=/", "a=b; Path=/"),
        ("a=b; Path=/base", "a=b; Path=/"),
        ("a=b; Path=/base/", "a=b; Path=/"),
        ("a=b; Path=/base/x", "a=b; Path=/x"),
        ("a=b; Path=/other", "a=b; Path=/other"),
        ("a=b; Path=/%zz", "a=b; Path=/%zz"),
    ],
)
def test_below_a_base(said: str, told: str) -> None:
    """F-106: a path of the endpoint's own is taken off; a cookie of all of its server's is one for all that is
    public."""
    assert Cookies().edited(said, translation(("", "/base"))) == told


def test_both_at_once() -> None:
    """F-106: the root of the server is the root of what is public of it, not of the public host."""
    assert Cookies().edited("a=b; Path=/", translation(APP, ("", "/base"))) == "a=b; Path=/app"
    assert Cookies().edited("a=b; Path=/base/x", translation(APP, ("", "/base"))) == "a=b; Path=/app/x"


def test_a_semicolon_in_the_prefix() -> None:
    """What would end the attribute is percent-encoded."""
    assert Cookies().edited("a=b; Path=/x", translation(("/a;b", ""))) == "a=b; Path=/a%3Bb/x"


def test_the_public_host_decides() -> None:
    """F-106: a domain that the public host is in stays, though the upstream is in it, too."""
    said = "a=b; Domain=internal.example"
    assert Cookies().edited(said, translation(asked="www.internal.example")) == said
    assert Cookies().edited(said, translation(asked="x", origin="https://www.internal.example")) == said
    assert Cookies().edited(said, translation(asked="www.internal.example", origin="https://shop.example")) == "a=b"


def test_domains() -> None:
    """F-106: other domains become what is declared."""
    cookies = Cookies(domains={".Shop.Internal": "shop.example", "gone.test": None})
    assert cookies.edited("a=b; Domain=shop.internal; Secure", translation()) == "a=b; Domain=shop.example; Secure"
    assert cookies.edited("a=b; Domain=.gone.test; Secure", translation()) == "a=b; Secure"
    assert cookies.edited("__Host-a=b; Domain=shop.internal", translation()) == "__Host-a=b"


@pytest.mark.parametrize(
    ("options", "scheme", "said", "told"),
    [
        ({"secure": "tls"}, "https", "a=b", "a=b; Secure"),
        ({"secure": "tls"}, "http", "a=b", "a=b"),
        ({"secure": "always"}, "http", "a=b", "a=b; Secure"),
        ({"secure": "always"}, "http", "a=b; SECURE", "a=b; SECURE"),
        ({"http_only": True}, "http", "a=b", "a=b; HttpOnly"),
        ({"http_only": True}, "http", "a=b;httponly", "a=b;httponly"),
        ({"http_only": True, "readable": ["csrf"]}, "http", " csrf =b", " csrf =b"),
        ({"http_only": True, "readable": ["csrf"]}, "http", "csrf2=b", "csrf2=b; HttpOnly"),
        ({"same_site": "Lax"}, "http", "a=b", "a=b; SameSite=Lax"),
        ({"same_site": "Lax"}, "http", "a=b; SameSite=Strict", "a=b; SameSite=Strict"),
        ({"same_site": "None", "secure": "always"}, "http", "a=b", "a=b; Secure; SameSite=None"),
        ({"secure": "tls"}, "https", "__Host-a=b; Path=/", "__Host-a=b; Path=/; Secure"),
    ],
    ids=str,
)
def test_hardening(options: Mapping[str, Any], scheme: str, said: str, told: str) -> None:
    """F-106: attributes that browsers guard by are added where they are missing, and nothing is weakened."""
    assert Cookies(**options).edited(said, translation(scheme=scheme)) == told


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"domains": ["a"]}, "domains must be a mapping"),
        ({"domains": {"a b": None}}, "domains: 'a b' is not a domain"),
        ({"domains": {"a": "b; Path=/"}}, "domains: 'b; Path=/' is not a domain"),
        ({"domains": {"a": 5}}, "domains: 5 is not a domain"),
        ({"secure": True}, "secure must be"),
        ({"same_site": "lax"}, "same_site must be"),
        ({"same_site": "None", "secure": "tls"}, "secure must be 'always'"),
        ({"readable": ["a"]}, "readable: all cookies are"),
        ({"readable": "a", "http_only": True}, "readable must be names"),
        ({"readable": ["a b"], "http_only": True}, "readable must be names"),
    ],
    ids=str,
)
def test_bad_parameters(options: dict[str, Any], said: str) -> None:
    """What is wrong is named."""
    with pytest.raises((ValueError, TypeError), match=said):
        Cookies(**options)


def test_repr() -> None:
    """It shows what it does."""
    assert repr(Cookies()) == "Cookies()"
    cookies = Cookies(domains={"a": None}, secure="tls", http_only=True, readable=["c"], same_site="Lax")
    assert repr(cookies) == (
        "Cookies(domains={'a': None}, secure='tls', http_only=True, readable=['c'], same_site='Lax')"
    )


ATTRIBUTE = st.sampled_from(
    [
        "Path=/x",
        " path = /",
        "Domain=app.internal.example",
        "Domain=x.test",
        "Secure",
        "Max-Age=5",
        "",
        "=",
        "X=/y",
        "\t",
    ]
)


@given(st.text(st.characters(blacklist_characters=";\r\n\0"), max_size=8), st.lists(ATTRIBUTE, max_size=6))
def test_only_paths_and_domains_change(pair: str, attributes: list[str]) -> None:
    """F-106: whatever the cookie is, no other part of it changes or moves."""
    told = Cookies().edited(";".join([pair, *attributes]), translation(APP)).split(";")
    assert told[0] == pair
    untouched = [each for each in attributes if each.partition("=")[0].strip().lower() not in ("path", "domain")]
    assert [each for each in told[1:] if each.partition("=")[0].strip().lower() not in ("path", "domain")] == untouched
    assert all("app.internal.example" not in each for each in told[1:])
