"""Tokens of the bytes alone."""

from __future__ import annotations

import pytest

from revproxy.filters.auth.claims import ClaimsPolicy
from revproxy.filters.auth.jwk import verifying_keys
from revproxy.filters.auth.verifier import MAX_TOKEN, TokenRefused, Verifier, is_token_like

from .tokens import AUDIENCE, ISSUER, NOW, ec_key, pem, raw, rsa_key, token

POLICY = ClaimsPolicy(ISSUER, AUDIENCE, leeway=0, required=["exp"])


def test_form() -> None:
    """RFC 7515 section 7.1: three parts of base64url, none of them empty, 8 KiB at most; no padding, no other
    characters, no encrypted token (RFC 7516)."""
    assert is_token_like("a.b.c")
    assert is_token_like("a." + "b" * (MAX_TOKEN - 4) + ".c")
    for text in ("", "a.b", "a.b.", ".b.c", "a..c", "a.b.c.d.e", "a.b.c=", "a.b.c\n", " a.b.c", "a.b+.c", "a.b.\u00e4"):
        assert not is_token_like(text)
    assert not is_token_like("a." + "b" * (MAX_TOKEN - 3) + ".c")


def test_the_right_one_of_several() -> None:
    """Each key is tried that could be it, with its own algorithms alone."""
    verifier = Verifier(frozenset({"RS256", "ES256"}), POLICY, None)
    keys = verifying_keys([pem(rsa_key("other")), pem(ec_key()), pem(rsa_key())])
    assert verifier.verify(token(), keys, NOW)["sub"] == "ada"
    with pytest.raises(TokenRefused, match="its signature is wrong"):
        verifier.verify(token(rsa_key("third")), keys, NOW)
    with pytest.raises(TokenRefused, match="no key is known"):
        verifier.verify(token(), [], NOW)


def test_signed_nonsense() -> None:
    """What a good key has signed is refused, too, if it is no object, or has expired."""
    verifier = Verifier(frozenset({"RS256"}), POLICY, None)
    keys = verifying_keys(pem(rsa_key()))
    with pytest.raises(TokenRefused, match="it has expired 1 s ago"):
        verifier.verify(token(exp=NOW - 1), keys, NOW)
    import jwt

    for payload in (b"[]", b"1", b"", b"{", b"\xff", b"[" * 4000):
        with pytest.raises(TokenRefused, match="it is not well-formed"):
            verifier.verify(jwt.PyJWS().encode(payload, rsa_key(), "RS256"), keys, NOW)


def test_a_peek() -> None:
    """A header says which key and which algorithm, and is not believed for that."""
    verifier = Verifier(frozenset({"RS256"}), POLICY, None)
    assert verifier.peek(raw({"alg": "RS256", "kid": "a"}, {})) == ("a", "RS256")
    assert verifier.peek(raw({"alg": "RS256"}, {})) == (None, "RS256")
    nothing: tuple[object, ...] = ([], "x", 1, None, {})
    for header in nothing:
        with pytest.raises(TokenRefused):
            verifier.peek(raw(header, {}))
    with pytest.raises(TokenRefused, match="it is not well-formed"):
        verifier.peek("a.b.c")
