"""Private keys."""

from __future__ import annotations

from random import Random

import pytest

from revproxy.filters.redact.detectors import AGE_SECRET_KEY, JWK_PRIVATE_KEY, PRIVATE_KEY, PUTTY_PRIVATE_KEY
from tests.filters.redact.corpus.drawing import base64_of

from .found import found

BODY = base64_of(Random(1), 1200)
LINES = [BODY[at : at + 64] for at in range(0, len(BODY), 64)]
KINDS = [
    "PRIVATE KEY",
    "RSA PRIVATE KEY",
    "EC PRIVATE KEY",
    "DSA PRIVATE KEY",
    "OPENSSH PRIVATE KEY",
    "ENCRYPTED PRIVATE KEY",
    "PGP PRIVATE KEY BLOCK",
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "newline", ["\n", "\r\n", "\\n", "\\\\n", " ", "", "\n    ", "%0A", "<br>", "<br/>\n"], ids=repr
)
def test_found(kind: str, newline: str) -> None:
    """The body of every kind is found to its end, in lines, in one, or in lines that are written otherwise."""
    body = newline.join(LINES)
    (secret,) = found(PRIVATE_KEY, f"key: -----BEGIN {kind}-----{newline}{body}{newline}-----END {kind}-----\nnext")
    assert secret.startswith(LINES[0].encode())
    assert LINES[-1].encode() in secret
    assert b"END" not in secret


@pytest.mark.parametrize(
    "headers",
    [
        "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0123456789ABCDEF0123456789ABCDEF\n\n",
        "Version: GnuPG v2.0.22 (GNU/Linux)\n\n",
        "Comment: https://www.example.org\nVersion: 1\n\n",
    ],
)
def test_headers(headers: str) -> None:
    """Headers before the body do not hide it."""
    (secret,) = found(
        PRIVATE_KEY,
        f"-----BEGIN RSA PRIVATE KEY-----\n{headers}" + "\n".join(LINES) + "\n-----END RSA PRIVATE KEY-----",
    )
    assert secret.startswith(LINES[0].encode())
    assert LINES[-1].encode() in secret


def test_cut_off() -> None:
    """One that does not end is masked as far as it goes."""
    (secret,) = found(PRIVATE_KEY, "-----BEGIN PRIVATE KEY-----\n" + "\n".join(LINES[:5]) + '", "next": 1}')
    assert secret == "\n".join(LINES[:5]).encode()


def test_short() -> None:
    """A body of any length is found where the block ends behind it."""
    assert found(PRIVATE_KEY, "-----BEGIN PRIVATE KEY-----\nMIIE==\n-----END PRIVATE KEY-----") == [b"MIIE==\n"]


@pytest.mark.parametrize(
    "text",
    [
        f"-----BEGIN {kind}-----\n{LINES[0]}\n-----END {kind}-----"
        for kind in ("PUBLIC KEY", "CERTIFICATE", "RSA PUBLIC KEY", "PGP PUBLIC KEY BLOCK")
    ]
    + [
        "between -----BEGIN PRIVATE KEY----- and -----END PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
    ],
)
def test_not_found(text: str) -> None:
    """What is public is left, and so is what is said about keys."""
    assert found(PRIVATE_KEY, text) == []


def test_putty() -> None:
    """Of PuTTY's files the private part is found, and the public part is not."""
    private = "\n".join(LINES[6:12])
    text = f"Public-Lines: 6\n{chr(10).join(LINES[:6])}\nPrivate-Lines: 6\n{private}\nPrivate-MAC: 00"
    (secret,) = found(PUTTY_PRIVATE_KEY, text)
    assert secret.startswith(private.encode())


@pytest.mark.parametrize("name", ["d", "p", "q", "dp", "dq", "qi"])
def test_jwk(name: str) -> None:
    """Each of the private numbers of a JSON Web Key is found, of any length; the public ones are not."""
    number = base64_of(Random(3), 512, url=True)
    short = base64_of(Random(4), 32, url=True)
    text = f'{{"kty": "RSA", "n": "{number}", "e": "AQAB", "{name}": "{number}", "x": "{short}", "y": "{short}"}}'
    assert found(JWK_PRIVATE_KEY, text) == [number.encode()]
    assert found(JWK_PRIVATE_KEY, f'{{"{name}":"{short}"}}') == [short.encode()]


@pytest.mark.parametrize(
    "text",
    [
        '"d":"M10 10 L20 20"',
        '"q":"a search for something quite long indeed, is it not"',
        f'"p":"{"a1" * 32}"',
        '"id":"abc"',
    ],
)
def test_no_jwk(text: str) -> None:
    """Members of these names with something else in them are none."""
    assert found(JWK_PRIVATE_KEY, text) == []


def test_age() -> None:
    """An identity of age is found; a recipient is not."""
    key = "AGE-SECRET-KEY-1" + "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L" + "QPZRY9X8GF2TVDW0S3JN54KHCE"
    assert found(AGE_SECRET_KEY, f"# key\n{key}\n") == [key.encode()]
    assert found(AGE_SECRET_KEY, "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p") == []
