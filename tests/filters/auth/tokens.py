"""Keys of an issuer, and tokens that it signs, or that somebody makes who is none."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt import algorithms

NOW = 1_700_000_000
"""Where the wall time of a ``FakeClock`` starts."""
ISSUER, AUDIENCE = "https://login.test", "orders"
SECRET = bytes(range(64))


@cache
def rsa_key(name: str = "one", bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


@cache
def ec_key(name: str = "one", curve: type[ec.EllipticCurve] = ec.SECP256R1) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(curve())


@cache
def ed_key(name: str = "one") -> ed25519.Ed25519PrivateKey:
    return ed25519.Ed25519PrivateKey.generate()


def pem(key: Any) -> str:
    public: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return public.decode()


def jwk(key: Any, kid: str | None = None, **members: Any) -> dict[str, Any]:
    """The public part of ``key`` as a JSON Web Key."""
    kind: Any = {
        rsa.RSAPrivateKey: algorithms.RSAAlgorithm,
        ec.EllipticCurvePrivateKey: algorithms.ECAlgorithm,
        ed25519.Ed25519PrivateKey: algorithms.OKPAlgorithm,
    }[
        next(
            each
            for each in (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey, ed25519.Ed25519PrivateKey)
            if isinstance(key, each)
        )
    ]
    found: dict[str, Any] = kind.to_jwk(key.public_key(), as_dict=True)
    found.pop("key_ops", None)
    return {**found, **({} if kid is None else {"kid": kid}), **members}


def document(*keys: Mapping[str, Any]) -> bytes:
    return json.dumps({"keys": keys}).encode()


def token(
    key: Any = None,
    alg: str = "RS256",
    *,
    headers: dict[str, Any] | None = None,
    without: tuple[str, ...] = (),
    **claims: Any,
) -> str:
    """A token that is good for an hour from ``NOW``, but for what is said of it."""
    said = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ada", "iat": NOW, "exp": NOW + 3600, **claims}
    payload = json.dumps({name: value for name, value in said.items() if name not in without}).encode()
    return jwt.PyJWS().encode(payload, key or rsa_key(), alg, headers)


def raw(header: object, payload: object, signature: bytes = b"x") -> str:
    """A token as an attacker puts it together."""
    parts = (json.dumps(header).encode(), json.dumps(payload).encode(), signature)
    return ".".join(urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def altered(good: str, part: int, **members: Any) -> str:
    """``good`` with other members in its header (0) or payload (1), and its signature as it was."""
    parts = good.split(".")
    said = json.loads(urlsafe_b64decode(parts[part] + "=="))
    parts[part] = urlsafe_b64encode(json.dumps({**said, **members}).encode()).rstrip(b"=").decode()
    return ".".join(parts)
