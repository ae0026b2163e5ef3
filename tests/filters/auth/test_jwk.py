"""Keys: each for its own algorithms, and what is none is refused."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from revproxy.filters.auth.jwk import ALGORITHMS, KeyRefused, key_of_jwk, verifying_keys

from .tokens import SECRET, ec_key, ed_key, jwk, pem, rsa_key

RSA = {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}


@pytest.mark.parametrize(
    ("key", "algorithms"),
    [
        (rsa_key(), RSA),
        (ec_key(), {"ES256"}),
        (ec_key("p384", ec.SECP384R1), {"ES384"}),
        (ec_key("p521", ec.SECP521R1), {"ES512"}),
        (ed_key(), {"EdDSA"}),
    ],
)
def test_pinned(key: Any, algorithms: set[str]) -> None:
    """RFC 8725 section 2.1: a key is for the algorithms of its kind alone, and if it names one, for that alone."""
    for form in (pem(key), pem(key).encode(), jwk(key), jwk(key, "a", use="sig", key_ops=["verify"])):
        (found,) = verifying_keys(form)
        assert found.algorithms == algorithms
    for alg in ALGORITHMS:
        if alg in algorithms:
            assert key_of_jwk(jwk(key, alg=alg)).algorithms == {alg}
        else:
            with pytest.raises(KeyRefused, match="it does not fit its alg"):
                key_of_jwk(jwk(key, alg=alg))


@pytest.mark.parametrize(
    ("size", "algorithms"), [(32, {"HS256"}), (48, {"HS256", "HS384"}), (64, {"HS256", "HS384", "HS512"})]
)
def test_secrets(size: int, algorithms: set[str]) -> None:
    """RFC 7518 section 3.2: as long as the hash at least; only where the developer names them."""
    k = urlsafe_b64encode(SECRET[:size]).rstrip(b"=").decode()
    for form in (SECRET[:size], {"kty": "oct", "k": k}):
        assert verifying_keys(form)[0].algorithms == algorithms
    with pytest.raises(KeyRefused, match="its kty is not one that is taken"):
        key_of_jwk({"kty": "oct", "k": k})
    with pytest.raises(ValueError, match="a secret of 31 bytes"):
        verifying_keys(SECRET[:31])


def test_names() -> None:
    """One, several, or several by their names; a name that the developer gives has the last word."""
    assert [key.kid for key in verifying_keys(pem(rsa_key()))] == [None]
    assert [key.kid for key in verifying_keys([pem(rsa_key()), jwk(ec_key(), "b")])] == [None, "b"]
    assert [key.kid for key in verifying_keys({"x": SECRET, "y": jwk(ec_key(), "b")})] == ["x", "y"]
    assert repr(verifying_keys({"x": SECRET[:32]})) == "[<VerifyingKey 'x' for HS256>]"


def private(key: Any) -> str:
    text: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return text.decode()


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ([], "keys must not be empty"),
        ({}, "keys must not be empty"),
        ("a secret of enough characters, but no bytes", "a string is a key in PEM; a secret must be bytes"),
        (private(rsa_key()), "a private key: the public one will do"),
        ({"a": private(ec_key())}, "that of 'a': a private key"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "it is not well-formed"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "it is not well-formed"),
        (pem(rsa_key("short", 1024)), "an RSA key of 1024 bits: it must have 2048 to 8192"),
        (pem(ec_key("k1", ec.SECP256K1)), "it is for no algorithm that is known"),
        (pem(dsa.generate_private_key(1024)), "it is for no algorithm that is known"),
        (pem(ed448.Ed448PrivateKey.generate()), "it is for no algorithm that is known"),
        (b"ssh-rsa " + b"A" * 60, "what looks like a public key is no secret"),
        (
            rsa_key().public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
            "what looks like a public key is no secret",
        ),
        (json.dumps(jwk(rsa_key())).encode(), "what looks like a public key is no secret"),
        ([pem(rsa_key()), jwk(rsa_key(), use="enc")], r"key 2 of 2: it is not for signatures"),
        (jwk(rsa_key(), key_ops=["encrypt"]), "it is not for verifying"),
        (jwk(rsa_key(), key_ops="verify"), "it is not for verifying"),
        (jwk(rsa_key(), ""), "its kid is no name"),
        (jwk(rsa_key(), "x" * 257), "its kid is no name"),
        (jwk(rsa_key(), alg="none"), "its alg is not known"),
        (jwk(rsa_key(), alg=["RS256"]), "its alg is not known"),
        (jwk(rsa_key(), d="AQAB"), "it is a private key"),
        (jwk(rsa_key(), n="A" * 5000), "its numbers are too large"),
        (jwk(rsa_key(), n=1), "it is not well-formed"),
        (jwk(rsa_key(), n="AA"), "it is not well-formed"),
        (jwk(rsa_key(), e="AQ"), "it is not well-formed"),
        (jwk(ec_key(), y="AAAA"), "it is not well-formed"),
        (jwk(ec_key(), crv="P-999"), "it is not well-formed"),
        ({"kty": []}, "its kty is not one that is taken"),
    ],
)
def test_what_is_no_key(keys: Any, says: str) -> None:
    """It is refused, and it is said which, and why; of a private key nothing is said."""
    with pytest.raises(ValueError, match=says) as raised:
        verifying_keys(keys)
    assert "-----BEGIN" not in str(raised.value)


@pytest.mark.parametrize("keys", [[1], {"a": None}, [bytearray(64)]])
def test_other_types(keys: Any) -> None:
    """And what is of no type that a key could be."""
    with pytest.raises(TypeError, match="keys must be PEM, bytes or JSON Web Keys"):
        verifying_keys(keys)


@given(
    st.dictionaries(
        st.sampled_from(["kid", "use", "alg", "key_ops", "n", "e", "x", "y", "crv", "k", "d"]),
        st.none() | st.integers() | st.text(max_size=20) | st.lists(st.text(max_size=3), max_size=2),
    ),
    st.sampled_from([jwk(rsa_key(), "a"), jwk(ec_key(), "a"), jwk(ed_key(), "a"), {"kty": "oct"}]),
)
def test_any_members(members: Mapping[str, Any], good: Mapping[str, Any]) -> None:
    """Whatever a key's members are, it is a key or ``KeyRefused``."""
    try:
        found = key_of_jwk({**good, **members})
    except KeyRefused:
        return
    assert found.algorithms
