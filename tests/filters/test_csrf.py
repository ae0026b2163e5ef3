"""What changes something, for whom: ``Sec-Fetch-Site``, ``Origin``, both, and neither."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy import Exchange, Pipeline, ProxyHandler, Response, Severity, respond, when
from revproxy.errors import ForbiddenOrigin
from revproxy.filters import Csrf
from revproxy.identity import PRINCIPAL
from revproxy.testing import exchange

OWN, OTHER, TRUSTED = "https://shop.test", "https://evil.test", "https://login.test"


async def site(exchange: Exchange) -> Response:
    return Response(200)


async def passes(subject: Csrf, method: str = "POST", **options: Any) -> bool:
    headers = [(name.replace("_", "-"), value) for name, value in options.pop("fields", ())]
    try:
        response = await subject(exchange(method, headers=headers, scheme="https", host="shop.test", **options), site)
    except ForbiddenOrigin:
        return False
    return response.status == 200


@pytest.mark.parametrize(
    ("fetch_site", "origin", "expected"),
    [
        ("same-origin", OWN, True),
        ("same-origin", None, True),
        ("same-origin", "null", True),  # a form of a page with Referrer-Policy: no-referrer
        ("none", None, True),
        ("none", "null", True),
        ("same-site", "https://other.shop.test", False),
        ("cross-site", OTHER, False),
        ("cross-site", OWN, False),
        ("cross-site", None, False),
        ("cross-site", "null", False),
        ("cross-site", TRUSTED, True),
        ("same-site", TRUSTED, True),
        ("", None, False),
        ("Same-Origin", None, False),
        ("same-origin, none", OWN, False),
        ("nonsense", OWN, False),
        (None, OWN, True),
        (None, "https://SHOP.test:443", True),
        (None, "http://shop.test", False),
        (None, "https://shop.test:8443", False),
        (None, "https://shop.test.evil.test", False),
        (None, OTHER, False),
        (None, TRUSTED, True),
        (None, "http://login.test", False),
        (None, "null", False),
        (None, "", False),
        (None, f"{OWN} {OTHER}", False),
        (None, None, True),
    ],
)
async def test_the_table(fetch_site: str | None, origin: str | None, expected: bool) -> None:
    """S-70: ``Sec-Fetch-Site`` decides where there is one, else ``Origin``; ``null`` is nobody; who says neither is no
    browser."""
    fields = [
        (name, value) for name, value in (("Sec-Fetch-Site", fetch_site), ("Origin", origin)) if value is not None
    ]
    assert await passes(Csrf(TRUSTED), fields=fields) is expected


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
async def test_safe_methods(method: str) -> None:
    """RFC 9110 section 9.2.1: they change nothing, whoever asks."""
    assert await passes(Csrf(), method, fields=[("Sec-Fetch-Site", "cross-site"), ("Origin", OTHER)])


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "PROPPATCH", "get", "QUERY"])
async def test_all_others(method: str) -> None:
    """S-70: any other method may."""
    assert not await passes(Csrf(), method, fields=[("Origin", OTHER)])


async def test_two_lines() -> None:
    """S-70: what is there twice says nothing that would let it pass."""
    assert not await passes(Csrf(), fields=[("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Site", "same-origin")])
    assert not await passes(Csrf(), fields=[("Origin", OWN), ("Origin", OWN)])


@given(
    st.lists(st.sampled_from(["same-origin", "none", "same-site", "cross-site", "", "x"]), max_size=2),
    st.lists(st.sampled_from([OWN, OTHER, TRUSTED, "null", "http://shop.test", ""]), max_size=2),
)
def test_nothing_of_others_passes(sites: list[str], origins: list[str]) -> None:
    """S-70: what a browser says of a page that is neither the site's own nor trusted never passes: it says
    ``cross-site`` or ``same-site``, or has an ``Origin`` that is another one, and not ``same-origin`` or ``none``."""
    headers = [("Sec-Fetch-Site", each) for each in sites] + [("Origin", each) for each in origins]
    asked = exchange("POST", headers=headers, scheme="https", host="shop.test")
    try:
        Csrf(TRUSTED)(asked, site).close()
    except ForbiddenOrigin:
        assert sites or origins
        return
    assert sites in (["same-origin"], ["none"]) or origins == [TRUSTED] or (not sites and origins in ([], [OWN]))


async def test_bypass() -> None:
    """What is meant to be posted from elsewhere is; a condition on the path makes targets with two readings errors, and
    one on what nobody provides is an error at once."""
    subject = Csrf(bypass=when.path("/saml/acs"))
    fields = [("Sec-Fetch-Site", "cross-site"), ("Origin", OTHER)]
    assert await passes(subject, target="/saml/acs", fields=fields)
    assert not await passes(subject, target="/saml/acs2", fields=fields)
    assert (subject.reads_path, Csrf().reads_path) == (True, False)
    with pytest.raises(ValueError, match="principal"):
        ProxyHandler(respond(200), filters=[Csrf(bypass=when.key(PRINCIPAL, lambda who: True))])


async def test_it_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """S-62: each refusal is a line in the security log, at its severity's level, with what was said."""
    with caplog.at_level(logging.INFO, "revproxy.security"):
        subject = Csrf(severity=Severity.ERROR, name="forgery")
        assert not await passes(subject, fields=[("Origin", 'https://evil.test"\\')])
    (record,) = caplog.records
    assert (record.levelno, record.rule, record.action) == (logging.ERROR, "forgery", "block 403")  # type: ignore[attr-defined]
    assert "evil.test" in record.detail  # type: ignore[attr-defined]
    assert subject.refused == 1


async def test_shadow(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is refused, and all is said."""
    with caplog.at_level(logging.INFO, "revproxy.security"):
        subject = Csrf(shadow=True)
        assert await passes(subject, fields=[("Origin", OTHER)])
    assert [record.action for record in caplog.records] == ["shadow block 403"]  # type: ignore[attr-defined]
    assert subject.refused == 1


def test_it_guards() -> None:
    """What shortcuts must not stand around it."""
    assert Csrf.guards
    assert "Csrf" in repr(Pipeline(Csrf(), handler=respond(200)))


@pytest.mark.parametrize("trusted", ["null", "*", "https://*.a.test", "a.test", "https://a.test/", ""])
def test_what_is_no_origin(trusted: str) -> None:
    """S-70: it is refused when the filter is made, ``null`` above all."""
    with pytest.raises(ValueError, match="trusted"):
        Csrf(trusted)


def test_nonsense() -> None:
    with pytest.raises(TypeError, match="bypass: True is not a condition"):
        Csrf(bypass=True)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="severity"):
        Csrf(severity=30)  # type: ignore[arg-type]


def test_it_prints_itself() -> None:
    """It prints what it was made with."""
    said = repr(Csrf("https://a.test", bypass=when.path("/x"), shadow=True))
    assert said == "Csrf('https://a.test', bypass=when.path('/x'), shadow=True)"
