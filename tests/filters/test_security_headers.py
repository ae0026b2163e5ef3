"""Fields that protect users: which, where, and whose word stands."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from revproxy import Exchange, Response
from revproxy.errors import Forbidden, Unauthorized
from revproxy.filters import SecurityHeaders
from revproxy.testing import exchange

DEFAULTS = {
    "Content-Security-Policy": "frame-ancestors 'self'",
    "X-Frame-Options": "SAMEORIGIN",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
}
HSTS = {"Strict-Transport-Security": "max-age=31536000"}


async def answer(
    subject: SecurityHeaders, given: dict[str, str] | None = None, scheme: Literal["http", "https"] = "https"
) -> dict[str, str]:
    """The fields of an answer that had ``given``."""

    async def handler(exchange: Exchange) -> Response:
        return Response(200, given)

    return dict((await subject(exchange(scheme=scheme), handler)).headers)


async def test_defaults() -> None:
    """OWASP's, as far as they break nothing: over TLS ``Strict-Transport-Security`` is among them, else it never is
    (RFC 6797 section 7.2), not even the upstream's."""
    assert await answer(SecurityHeaders()) == DEFAULTS | HSTS
    assert await answer(SecurityHeaders(), scheme="http") == DEFAULTS
    assert await answer(SecurityHeaders(), {"Strict-Transport-Security": "max-age=1"}, scheme="http") == DEFAULTS


async def test_the_upstreams_word_stands() -> None:
    """F-39: field by field, unless it is overridden; ``X-XSS-Protection`` goes in any case."""
    given = {
        "strict-transport-security": "max-age=5",
        "Referrer-Policy": "origin",
        "X-XSS-Protection": "1",
        "X-A": "a",
    }
    assert await answer(SecurityHeaders(), given) == {
        "strict-transport-security": "max-age=5",
        "Referrer-Policy": "origin",
        "X-A": "a",
        **{name: value for name, value in DEFAULTS.items() if name != "Referrer-Policy"},
    }
    overridden = await answer(SecurityHeaders(override=True), given)
    assert {name.title(): value for name, value in overridden.items()} == {
        name.title(): value for name, value in {**DEFAULTS, **HSTS, "X-A": "a"}.items()
    }


@pytest.mark.parametrize(
    ("given", "csp", "options"),
    [
        ({}, "frame-ancestors 'self'", "SAMEORIGIN"),
        ({"X-Frame-Options": "DENY"}, None, "DENY"),
        ({"Content-Security-Policy": "frame-ancestors https://a.test"}, "frame-ancestors https://a.test", None),
        ({"Content-Security-Policy": "default-src *"}, "default-src *", "SAMEORIGIN"),
    ],
)
async def test_who_frames(given: dict[str, str], csp: str | None, options: str | None) -> None:
    """It is one thing in two fields: what the upstream says of it in the one is not weakened, nor contradicted, by the
    other. (``frame-ancestors`` wins over ``X-Frame-Options``: with 'self' a DENY would be lost.)"""
    headers = await answer(SecurityHeaders(), given)
    assert (headers.get("Content-Security-Policy"), headers.get("X-Frame-Options")) == (csp, options)


async def test_frames_of_others() -> None:
    """Other origins than its own can be said in one of the two fields; the upstream's other opinion goes with
    ``override``."""
    given = {"X-Frame-Options": "DENY"}
    subject = SecurityHeaders(frame_ancestors="'self' https://a.test", override=True)
    headers = await answer(subject, given)
    assert headers["Content-Security-Policy"] == "frame-ancestors 'self' https://a.test"
    assert "X-Frame-Options" not in headers
    headers = await answer(SecurityHeaders(frame_ancestors="https://a.test"), given)
    assert ("Content-Security-Policy" in headers, headers["X-Frame-Options"]) == (False, "DENY")
    headers = await answer(SecurityHeaders(frame_ancestors="'none'"))
    assert headers["X-Frame-Options"] == "DENY"


async def test_a_policy() -> None:
    """``frame-ancestors`` is added to it; where the upstream says who frames, the rest of it is."""
    subject = SecurityHeaders(content_security_policy="default-src 'self';")
    assert (await answer(subject))["Content-Security-Policy"] == "default-src 'self'; frame-ancestors 'self'"
    headers = await answer(subject, {"X-Frame-Options": "DENY"})
    assert headers["Content-Security-Policy"] == "default-src 'self'"
    assert (await answer(subject, {"Content-Security-Policy": "x"}))["Content-Security-Policy"] == "x"
    subject = SecurityHeaders(content_security_policy="default-src 'self'", override=True)
    for given in ({}, {"X-Frame-Options": "DENY"}, {"Content-Security-Policy": "frame-ancestors *"}):
        headers = await answer(subject, given)
        assert headers["Content-Security-Policy"] == "default-src 'self'; frame-ancestors 'self'"
        assert headers["X-Frame-Options"] == "SAMEORIGIN"
    subject = SecurityHeaders(content_security_policy="default-src 'self'", frame_ancestors=None, override=True)
    headers = await answer(subject, {"X-Frame-Options": "DENY", "Content-Security-Policy": "default-src *"})
    assert (headers["Content-Security-Policy"], headers["X-Frame-Options"]) == ("default-src 'self'", "DENY")


async def test_all_of_them() -> None:
    """Whatever is said is there, once."""
    subject = SecurityHeaders(
        strict_transport_security="max-age=63072000; includeSubDomains; preload",
        referrer_policy="no-referrer, same-origin",
        content_security_policy_report_only="default-src 'none'; report-to csp",
        permissions_policy="camera=(), geolocation=(self)",
        opener_policy="same-origin",
        embedder_policy="require-corp",
        resource_policy="same-site",
    )
    assert await answer(subject) == {
        **DEFAULTS,
        "Strict-Transport-Security": "max-age=63072000; includeSubDomains; preload",
        "Referrer-Policy": "no-referrer, same-origin",
        "Content-Security-Policy-Report-Only": "default-src 'none'; report-to csp",
        "Permissions-Policy": "camera=(), geolocation=(self)",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Embedder-Policy": "require-corp",
        "Cross-Origin-Resource-Policy": "same-site",
    }


async def test_nothing() -> None:
    """``None`` leaves a field alone; F-107: others are removed by name."""
    subject = SecurityHeaders(
        strict_transport_security=None,
        nosniff=False,
        frame_ancestors=None,
        referrer_policy=None,
        remove=["Server", "X-Powered-By"],
    )
    given = {"server": "x", "X-Powered-By": "y", "X-XSS-Protection": "0", "Strict-Transport-Security": "max-age=1"}
    assert await answer(subject, given) == {"X-XSS-Protection": "0", "Strict-Transport-Security": "max-age=1"}


async def test_errors() -> None:
    """What the proxy itself answers has the fields, beside those of the error."""

    async def refuse(exchange: Exchange) -> Response:
        raise Unauthorized("x", challenge="Basic")

    with pytest.raises(Unauthorized) as raised:
        await SecurityHeaders()(exchange(scheme="https"), refuse)
    assert raised.value.fields == {"WWW-Authenticate": "Basic", **DEFAULTS, **HSTS}
    assert (Forbidden.fields, Unauthorized.fields) == ({}, {})


async def test_a_switch() -> None:
    """A 101 is left alone."""
    switched = Response(101)

    async def handler(exchange: Exchange) -> Response:
        return switched

    assert await SecurityHeaders()(exchange(upgrade="websocket"), handler) is switched
    assert not switched.headers


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"strict_transport_security": "31536000"}, "strict_transport_security must be max-age"),
        ({"strict_transport_security": "max-age=1; preload"}, "preload needs includeSubDomains"),
        ({"strict_transport_security": "max-age=1; includeSubDomains; preload"}, "a max-age of a year"),
        ({"strict_transport_security": "max-age=1\r\nX-A: 1"}, "strict_transport_security must be"),
        ({"referrer_policy": "none"}, "referrer_policy: 'none' is none of"),
        ({"referrer_policy": ""}, "referrer_policy: ''"),
        ({"referrer_policy": "origin\r\nX-A: 1"}, "referrer_policy: "),
        ({"referrer_policy": "origin\n"}, "referrer_policy: "),
        ({"permissions_policy": "camera=()\n"}, "permissions_policy: "),
        ({"frame_ancestors": "self"}, "frame_ancestors: self of frame-ancestors needs its quotes"),
        ({"content_security_policy": "frame-ancestors 'self'"}, "frame-ancestors has a parameter of its own"),
        ({"content_security_policy": "script-src self"}, "content_security_policy: self"),
        ({"content_security_policy_report_only": "x"}, "content_security_policy_report_only: 'x' is no directive"),
        ({"permissions_policy": "camera 'none'"}, "permissions_policy"),
        ({"opener_policy": "same-site"}, "opener_policy must be one of"),
        ({"embedder_policy": "same-site"}, "embedder_policy must be one of"),
        ({"resource_policy": ""}, "resource_policy must be one of"),
        ({"remove": "Server"}, "remove must be names of fields"),
        ({"remove": ["X A"]}, "remove must be names of fields"),
    ],
)
def test_nonsense(options: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        SecurityHeaders(**options)


def test_it_prints_itself() -> None:
    """It prints what it says."""
    assert repr(SecurityHeaders(override=True)) == (
        "SecurityHeaders(Content-Security-Policy, X-Frame-Options, X-Content-Type-Options, Referrer-Policy, "
        "Strict-Transport-Security, override=True)"
    )
