"""Policies: what browsers would pass over is refused where it is written."""

from __future__ import annotations

import pytest

from revproxy.filters.content_policy import check_content_policy, check_permissions_policy, frame_options


@pytest.mark.parametrize(
    "policy",
    [
        "default-src 'self'",
        "default-src 'self'; img-src * data:; script-src 'self' https://cdn.test 'sha256-abc=' 'unsafe-inline';",
        "Default-Src 'Self'; upgrade-insecure-requests; sandbox allow-scripts; report-uri /csp; report-to group",
        "require-trusted-types-for 'script'; trusted-types a b 'allow-duplicates'; object-src 'none'",
        " default-src https://a.test:8443/path/ *.b.test ws: ",
    ],
)
def test_good(policy: str) -> None:
    """CSP Level 3, as sites have it."""
    check_content_policy("csp", policy)


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        ("", "csp: '' says nothing"),
        (" ; ", "says nothing"),
        ("defualt-src 'self'", "csp: 'defualt-src' is no directive"),
        ("'self'", "is no directive"),
        ("default-src self", "csp: self of default-src needs its quotes: 'self'"),
        ("script-src Unsafe-Inline", "needs its quotes"),
        ("img-src 'self'; img-src *", "csp: 'img-src' is there twice"),
        ("img-src 'self'; IMG-SRC *", "is there twice"),
        ("img-src 'none' https://a.test", "csp: 'none' of img-src stands alone"),
        ("img-src https://a.test, default-src *", "is not printable ASCII without commas"),
        ("img-src https://büro.example", "is not printable ASCII"),
        ("default-src 'self'\r\nSet-Cookie: a=1", "is not printable ASCII"),
        ("img-src a\x00b", "is not printable ASCII"),
        ("frame-ancestors 'self'", "csp: frame-ancestors has a parameter of its own"),
    ],
)
def test_bad(policy: str, says: str) -> None:
    """Typing errors by which it would protect less than is meant, or say another field."""
    with pytest.raises(ValueError, match=says):
        check_content_policy("csp", policy, but="frame-ancestors")


def test_line_ends() -> None:
    """S-26, S-27: wherever a control character is, it does not get through."""
    for policy in ("default-src\n'self'", "default-src 'self'\n", "\rdefault-src 'self'", "default-src\t'self'"):
        with pytest.raises(ValueError, match="csp: "):
            check_content_policy("csp", policy)
    with pytest.raises(ValueError, match="frame_ancestors"):
        frame_options("'self'\r\nX-A: 1")


@pytest.mark.parametrize(
    ("ancestors", "options"),
    [
        ("'none'", "DENY"),
        ("'self'", "SAMEORIGIN"),
        ("'SELF'", "SAMEORIGIN"),
        ("'self' https://a.test", None),
        ("*", None),
    ],
)
def test_frames(ancestors: str, options: str | None) -> None:
    """``X-Frame-Options`` has words for two of them (RFC 7034 section 2.1; ALLOW-FROM is gone)."""
    assert frame_options(ancestors) == options


@pytest.mark.parametrize(
    "ancestors", ["", "self", "'self'; script-src *", "'none' https://a.test", "'self',*", " 'self'"]
)
def test_what_frames_nothing(ancestors: str) -> None:
    with pytest.raises(ValueError, match="frame_ancestors"):
        frame_options(ancestors)


@pytest.mark.parametrize(
    "policy",
    [
        "camera=()",
        "camera=(), geolocation=(self), microphone=*",
        'fullscreen=(self "https://a.test" "https://b.test:8443"), payment=self',
        "camera=();report-to=group",
    ],
)
def test_permissions(policy: str) -> None:
    """Permissions Policy section 5.2, as sites have it."""
    check_permissions_policy(policy)


@pytest.mark.parametrize(
    "policy",
    [
        *("", "camera", "camera 'none'", "camera=none", "camera=('self')", "camera=(https://a.test)", "Camera=()"),
        *("camera=(),", "camera=() geolocation=()", "camera=(), camera=*", "camera=()\r\nX-A: 1", 'camera=("a\tb")'),
    ],
)
def test_no_permissions(policy: str) -> None:
    """As ``Feature-Policy`` had it, or in no form at all: browsers pass over all of it."""
    with pytest.raises(ValueError, match="permissions_policy"):
        check_permissions_policy(policy)
