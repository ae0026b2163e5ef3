"""What a token claims: good here and now, or not."""

from __future__ import annotations

from typing import Any

import pytest

from revproxy.filters.auth.claims import ClaimsPolicy, path_of, strings_at, value_at

from .tokens import NOW

GOOD: dict[str, Any] = {"iss": "i", "aud": "a", "exp": NOW + 60}


def policy(**options: Any) -> ClaimsPolicy:
    options = {"issuer": "i", "audience": "a", "leeway": 5, "required": ["exp"], **options}
    return ClaimsPolicy(options.pop("issuer"), options.pop("audience"), **options)


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({}, None),
        ({"exp": NOW - 4}, None),
        ({"exp": NOW - 4.999}, None),
        ({"exp": NOW - 5}, "it has expired 5 s ago"),
        ({"exp": 0}, f"it has expired {NOW} s ago"),
        ({"exp": None}, "it has no exp"),
        ({"exp": str(NOW + 60)}, "its exp is no time"),
        ({"exp": True}, "its exp is no time"),
        ({"exp": float("inf")}, "its exp is no time"),
        ({"exp": float("nan")}, "its exp is no time"),
        ({"exp": 10**400}, "its exp is no time"),
        ({"exp": -1}, "its exp is no time"),
        ({"exp": [NOW + 60]}, "its exp is no time"),
        ({"nbf": NOW + 5}, None),
        ({"nbf": NOW + 6}, "its nbf is 6 s ahead"),
        ({"nbf": None}, "its nbf is no time"),
        ({"iat": NOW + 5}, None),
        ({"iat": NOW + 3600}, "its iat is 3600 s ahead"),
        ({"iat": "now"}, "its iat is no time"),
        ({"iss": "other"}, "it is of another issuer"),
        ({"iss": "I"}, "it is of another issuer"),
        ({"iss": ["i"]}, "it is of another issuer"),
        ({"iss": None}, "it is of another issuer"),
        ({"aud": ["b", "a"]}, None),
        ({"aud": ["b"]}, "it is for another audience"),
        ({"aud": []}, "it is for another audience"),
        ({"aud": {"a": 1}}, "it is for another audience"),
        ({"aud": ["a", 1]}, "it is for another audience"),
        ({"aud": ["a", ["b"]]}, "it is for another audience"),
        ({"aud": "ab"}, "it is for another audience"),
        ({"aud": None}, "it is for another audience"),
    ],
)
def test_what_is_good(claims: dict[str, Any], why: str | None) -> None:
    """RFC 7519 section 4.1: times to the second, and of the right types; names as they are written."""
    assert policy().refuses({**GOOD, **claims}, NOW) == why


def test_what_is_not_checked() -> None:
    """``None`` takes any issuer and audience, or none; several are one of them; other claims may be asked for."""
    assert policy(issuer=None, audience=None).refuses({"exp": NOW + 1}, NOW) is None
    several = policy(issuer=["i", "j"], audience=["a", "b"])
    assert several.refuses({**GOOD, "iss": "j", "aud": "b"}, NOW) is None
    assert several.refuses({**GOOD, "iss": "k"}, NOW) == "it is of another issuer"
    assert policy(required=["exp", "jti"]).refuses(GOOD, NOW) == "it has no jti"
    assert policy(required=[]).refuses({"iss": "i", "aud": "a"}, NOW) is None


def test_until_when() -> None:
    """What is good stays so until ``exp`` and the leeway; for ever, if there is none."""
    assert policy().ends(GOOD) == NOW + 65
    assert policy(required=[]).ends({}) == float("inf")


def test_paths() -> None:
    """With dots, or name by name; words, or a list of them."""
    claims = {"a": {"b": ["x", 1, "y z"]}, "scope": " read  write ", "https://a.test/r": "one"}
    assert strings_at(claims, path_of("roles", "a.b")) == {"x", "y z"}
    assert strings_at(claims, path_of("roles", "scope")) == {"read", "write"}
    assert strings_at(claims, path_of("roles", ["https://a.test/r"])) == {"one"}
    for nothing in ("a", "a.c", "scope.x", "none"):
        assert strings_at(claims, path_of("roles", nothing)) == frozenset()
    assert value_at(claims, ("a", "b", "c")) is None
    for bad in ("", ".", "a.", [], [1], [""]):
        with pytest.raises(ValueError, match="is no path of claims"):
            path_of("roles", bad)  # type: ignore[arg-type]
