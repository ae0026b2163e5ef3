"""Tokens by their structure."""

from __future__ import annotations

import base64
import json

import pytest

from revproxy.filters.redact.detectors import BASIC_CREDENTIALS, BEARER_TOKEN, JWT

from .found import found, only


def segment(value: object, **options: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value, **options).encode()).decode().rstrip("=")  # type: ignore[arg-type]


HEADER = segment({"alg": "HS256", "typ": "JWT"}, separators=(",", ":"))
CLAIMS = segment({"sub": "1234567890", "name": "Ada"})
SIGNATURE = "SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c"


@pytest.mark.parametrize(
    "token",
    [
        f"{HEADER}.{CLAIMS}.{SIGNATURE}",
        f"{HEADER}.{segment({'roles': ['role'] * 2000})}.{SIGNATURE}",
        f"{segment({'alg': 'none'})}.{CLAIMS}.",
        f"{segment({'typ': 'JWT', 'alg': 'RS256'}, indent=1)}.{CLAIMS}.{SIGNATURE}",
        f"{segment({'alg': 'RSA-OAEP', 'enc': 'A256GCM'})}.{'k' * 342}.ivivivivivivivi.{'c' * 900}.tagtagtagtagtagtag2",
        f"{segment({'alg': 'dir', 'enc': 'A256GCM'})}..iviviviviviviviv.{'c' * 90}.tagtagtagtagtagtagtag2",
        f"{segment({'alg': 'ES256', 'x5c': ['M' * 3000]})}.{CLAIMS}.{SIGNATURE}",
    ],
    ids=["signed", "long", "unsecured", "indented", "encrypted", "direct", "certificate"],
)
@pytest.mark.parametrize("around", ["{}", '"{}"', "token={}&x", "a%3D{}", "Bearer {} ", "\\n{}\\n"])
def test_jwt_found(token: str, around: str) -> None:
    """Tokens of any length are found whole, whatever their header has in it."""
    before, after = around.split("{}")
    assert found(JWT, before + token + after) == [token.encode()]


@pytest.mark.parametrize(
    "text",
    [
        HEADER,
        f"{segment({'id': 12, 'next': 'abcdefgh'})}.{CLAIMS}.{SIGNATURE}",
        f"{segment(['alg', 'HS256', 'typ', 'JWT'])}.{CLAIMS}",
        f"x{HEADER}.{CLAIMS}.{SIGNATURE}",
        f"{HEADER[:-3]}.{CLAIMS}.{SIGNATURE}",
        "eyJ.eyJ.x",
        segment({"cursor": "x" * 900}),
    ],
    ids=["header", "no-algorithm", "array", "in-a-word", "broken", "short", "cursor"],
)
def test_jwt_not_found(text: str) -> None:
    """Base64 of other JSON, such as a cursor, is no token."""
    assert found(JWT, text) == []


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer [[mF_9.B5f-4.1JqM0x]]",
        "bearer [[0123abcd0123abcd0123abcd]]\r\n",
        "Bearer%20[[mF_9B5f4k1JqMzzQ]]",
        f"Bearer [[{base64.b64encode(bytes(range(256))).decode()}]]",
    ],
)
def test_bearer_found(text: str) -> None:
    """What was drawn and stands behind ``Bearer`` is a token."""
    assert only(BEARER_TOKEN, text)


@pytest.mark.parametrize(
    "text",
    [
        "Bearer authentication is required",
        "Bearer <token>",
        "Bearer $TOKEN",
        "Bearer xxxxxxxxxxxxxxxxxxxx",
        "forbearer mF_9B5f4k1JqMzzQ",
        "bearer-token-authentication-scheme",
    ],
)
def test_bearer_not_found(text: str) -> None:
    """What is said about such tokens is none."""
    assert found(BEARER_TOKEN, text) == []


@pytest.mark.parametrize("text", ["Authorization: Basic [[QWxhZGRpbjpvcGVuIHNlc2FtZQ==]]", "basic [[YWRhOmh1bnRlcjI]]"])
def test_basic_found(text: str) -> None:
    """The base64 of a name and a password is found."""
    assert only(BASIC_CREDENTIALS, text)


@pytest.mark.parametrize(
    "text",
    [
        "Basic authentication",
        "Basic understanding",
        "Basic <credentials>",
        f"Basic {base64.b64encode(b'name:').decode()}",
        f"Basic {base64.b64encode(b'no colon').decode()}",
    ],
)
def test_basic_not_found(text: str) -> None:
    """Words behind ``Basic``, and base64 without a password, are none."""
    assert found(BASIC_CREDENTIALS, text) == []
