"""Keys that verify tokens, each of them for those algorithms only that are meant for its kind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias, cast

__all__ = ["ALGORITHMS", "KeyLike", "KeyRefused", "VerifyingKey", "check_extra", "key_of_jwk", "verifying_keys"]

KeyLike: TypeAlias = str | bytes | Mapping[str, Any]
"""A public key or a certificate in PEM, a secret (``bytes``), or a JSON Web Key (RFC 7517) as a mapping."""

_SECRET_BYTES = {"HS256": 32, "HS384": 48, "HS512": 64}
"""Bytes of a secret at least: as many as the hash has (RFC 7518 section 3.2)."""
_RSA = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
_CURVES = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
ALGORITHMS = frozenset({*_SECRET_BYTES, *_RSA, *_CURVES.values(), "EdDSA"})
"""The algorithms that are known (RFC 7518 section 3.1, RFC 8037); ``none`` is not one of them."""

_RSA_BITS = 2048, 8192
"""Of a modulus: below, it can be factored some day soon; above, each token would cost milliseconds."""
_MAX_NUMBER = 2048
"""Characters of a number in a JSON Web Key at most."""
_MAX_KID = 256
"""Characters of a key's name at most."""


class KeyRefused(ValueError):
    """What was given is no key that tokens can be verified with; the message says why, and nothing of the key."""


class VerifyingKey:
    """A key, and the ``algorithms`` that it may verify: a secret those with HMAC, an RSA key the RSA ones, a curve its
    own. A public key is so never taken for a secret (RFC 8725 section 2.1).

    ``kid``: its name in tokens; ``None``: it has none. ``material``: as PyJWT wants it.
    """

    __slots__ = ("algorithms", "kid", "material")

    def __init__(self, kid: str | None, material: Any, algorithms: frozenset[str]) -> None:
        self.kid: str | None = kid
        self.material: Any = material
        self.algorithms: frozenset[str] = algorithms

    def __repr__(self) -> str:
        return f"<VerifyingKey {self.kid!r} for {', '.join(sorted(self.algorithms))}>"


def check_extra(what: str) -> None:
    """Raise an ``ImportError`` that says what ``what`` needs, if it is not there."""
    try:
        import cryptography  # noqa: F401
        import jwt  # noqa: F401
    except ImportError as error:
        raise ImportError(f"{what} needs PyJWT and cryptography: pip install 'aiohttp-revproxy[jwt]'") from error


def verifying_keys(keys: KeyLike | Iterable[KeyLike] | Mapping[str, KeyLike]) -> list[VerifyingKey]:
    """The keys that a developer has named: one, several, or several by their names.

    Raises ``ValueError`` or ``TypeError`` that names ``keys`` and says which of them is none, and why.
    """
    named: list[tuple[str | None, KeyLike]]
    if isinstance(keys, str | bytes) or (isinstance(keys, Mapping) and "kty" in keys):
        named = [(None, cast("KeyLike", keys))]
    elif isinstance(keys, Mapping):
        named = list(keys.items())
    else:
        named = [(None, key) for key in keys]
    if not named:
        raise ValueError("keys must not be empty")
    found = []
    for number, (kid, key) in enumerate(named, 1):
        which = f"key {number} of {len(named)}" if kid is None else f"that of {kid!r}"
        try:
            found.append(_key_of(kid, key))
        except KeyRefused as refused:
            raise ValueError(f"keys: {which}: {refused}") from None
    return found


def _key_of(kid: str | None, key: object) -> VerifyingKey:
    if isinstance(key, Mapping):
        found = key_of_jwk(key, secrets=True)
        if kid is not None:
            found.kid = kid
        return found
    if isinstance(key, str):
        if "-----BEGIN " not in key:
            raise KeyRefused("a string is a key in PEM; a secret must be bytes")
        key = key.encode()
    if not isinstance(key, bytes):
        raise TypeError(f"keys must be PEM, bytes or JSON Web Keys, got {type(key).__name__}")
    if b"-----BEGIN " in key:
        return _pinned(kid, _of_pem(key), None)
    return _pinned(kid, key, None)


def key_of_jwk(jwk: Mapping[str, Any], *, secrets: bool = False) -> VerifyingKey:
    """The key that a JSON Web Key is (RFC 7517), for its ``alg`` alone if it says one. ``secrets``: whether it may be
    one (``oct``); what is fetched never may.

    Raises ``KeyRefused`` for what is none, is not for signatures, or is private: that is known to too many.
    """
    import jwt
    from cryptography.exceptions import UnsupportedAlgorithm
    from jwt import algorithms as known

    kid, alg, kty = jwk.get("kid"), jwk.get("alg"), jwk.get("kty")
    if kid is not None and not (isinstance(kid, str) and 0 < len(kid) <= _MAX_KID):
        raise KeyRefused("its kid is no name")
    if jwk.get("use", "sig") != "sig":
        raise KeyRefused("it is not for signatures (use)")
    operations = jwk.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        raise KeyRefused("it is not for verifying (key_ops)")
    if alg is not None and not (isinstance(alg, str) and alg in ALGORITHMS):
        raise KeyRefused("its alg is not known")
    kinds: dict[str, type[known.Algorithm]] = {
        "RSA": known.RSAAlgorithm,
        "EC": known.ECAlgorithm,
        "OKP": known.OKPAlgorithm,
    }
    if secrets:
        kinds["oct"] = known.HMACAlgorithm
    kind = kinds.get(kty) if isinstance(kty, str) else None
    if kind is None:
        raise KeyRefused("its kty is not one that is taken")
    if kty != "oct" and "d" in jwk:
        raise KeyRefused("it is a private key")
    if any(isinstance(value, str) and len(value) > _MAX_NUMBER for value in (jwk.get("n"), jwk.get("e"), jwk.get("k"))):
        raise KeyRefused("its numbers are too large")
    try:
        material = kind.from_jwk(dict(jwk))
    except (jwt.PyJWTError, UnsupportedAlgorithm, ValueError, TypeError, KeyError, AttributeError):
        raise KeyRefused("it is not well-formed") from None
    return _pinned(kid, material, alg)


def _of_pem(pem: bytes) -> object:
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    if b"PRIVATE KEY-----" in pem:
        raise KeyRefused("a private key: the public one will do")
    try:
        if b"-----BEGIN CERTIFICATE-----" in pem:
            return x509.load_pem_x509_certificate(pem).public_key()
        return load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        raise KeyRefused("it is not well-formed") from None


def _pinned(kid: str | None, material: object, alg: str | None) -> VerifyingKey:
    """The key with the algorithms for its kind, or with that one of them that it says."""
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from jwt import InvalidKeyError
    from jwt.algorithms import HMACAlgorithm

    fit: frozenset[str]
    if isinstance(material, bytes):
        try:
            HMACAlgorithm(HMACAlgorithm.SHA256).prepare_key(material)
        except InvalidKeyError:
            raise KeyRefused("what looks like a public key is no secret") from None
        fit = frozenset(name for name, least in _SECRET_BYTES.items() if len(material) >= least)
        if not fit:
            raise KeyRefused(f"a secret of {len(material)} bytes: it must have at least 32")
    elif isinstance(material, RSAPublicKey):
        least, most = _RSA_BITS
        if not least <= material.key_size <= most:
            raise KeyRefused(f"an RSA key of {material.key_size} bits: it must have {least} to {most}")
        if material.public_numbers().e >= 2**64:
            raise KeyRefused("an RSA key with an exponent above 64 bits")
        fit = _RSA
    elif isinstance(material, EllipticCurvePublicKey):
        fit = frozenset({_CURVES[material.curve.name]} if material.curve.name in _CURVES else ())
    else:
        fit = frozenset({"EdDSA"} if isinstance(material, Ed25519PublicKey) else ())
    if alg is not None:
        fit &= {alg}
    if not fit:
        raise KeyRefused("it is for no algorithm that is known" if alg is None else f"it does not fit its alg, {alg}")
    return VerifyingKey(kid, material, fit)
