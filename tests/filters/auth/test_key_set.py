"""Sets of keys: those that can be used are found, and there are not too many."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.filters.auth.jwk import verifying_keys
from revproxy.filters.auth.key_set import MAX_KEYS, KeySet, SetRefused

from .tokens import SECRET, document, ec_key, ed_key, jwk, pem, rsa_key


def test_what_is_found() -> None:
    """By name and algorithm; a key without a name may have signed any token; one name may be of two kinds of keys
    (RFC 7517 section 4.5)."""
    keys = KeySet.read(document(jwk(rsa_key(), "a", alg="RS256"), jwk(ec_key(), "a"), jwk(ed_key())))

    def found(kid: str | None, algorithm: str) -> list[str | None]:
        return [key.kid for key in keys.candidates(kid, algorithm)]

    assert found("a", "RS256") == found("a", "ES256") == found(None, "ES256") == ["a"]
    assert found("a", "RS512") == found("b", "RS256") == found("a", "HS256") == []
    assert found("b", "EdDSA") == found(None, "EdDSA") == [None]
    assert keys.algorithms == {"RS256", "ES256", "EdDSA"}
    assert len(keys) == len(list(keys)) == 3


def test_few_are_tried() -> None:
    """S-50: where a token does not say which key, and more than four might be it, none is tried."""
    for count, tried in ((4, 4), (5, 0)):
        keys = KeySet(verifying_keys({str(number): pem(rsa_key(str(number))) for number in range(count)}))
        assert len(keys.candidates(None, "RS256")) == tried
        assert len(keys.candidates("1", "RS256")) == 1


def test_bad_ones_are_passed_over() -> None:
    """RFC 7517 section 5: keys of unknown kinds do not spoil the others."""
    keys = KeySet.read(document({"kty": "new"}, jwk(ec_key(), "a"), {"kty": "oct", "k": "AAAA"}, {}))
    assert [key.kid for key in keys] == ["a"]
    assert list(keys.prints.values()) == ["a"]
    with pytest.raises(SetRefused, match="none of its 1 keys can be used: its kty is not one that is taken"):
        KeySet.read(document({"kty": "new"}))
    with pytest.raises(SetRefused, match=f"over {MAX_KEYS}"):
        KeySet.read(document(*[jwk(ec_key(), "a")] * (MAX_KEYS + 1)))


def test_prints() -> None:
    """Two sets are the same if their keys, their names and what they are for are; order and other members do not
    count."""
    one, two = jwk(ec_key(), "a"), jwk(rsa_key(), "b")
    assert KeySet.read(document(one, two)).prints == KeySet.read(document({**two, "x5t": "x"}, one)).prints
    for other in (jwk(ec_key("other"), "a"), jwk(ec_key(), "c"), jwk(ec_key(), "a", alg="ES256")):
        assert KeySet.read(document(one)).prints != KeySet.read(document(other)).prints
    assert repr(KeySet(verifying_keys(SECRET))) == "<KeySet of 1>"


@given(
    st.one_of(
        st.binary(max_size=100),
        st.recursive(
            st.none() | st.integers() | st.text(max_size=5) | st.floats(),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["keys", "kty", "n"]), inner),
            max_leaves=8,
        ).map(lambda said: json.dumps(said).encode()),
    )
)
def test_any_document(said: Any) -> None:
    """Whatever comes, it is a set of keys or ``SetRefused``."""
    with pytest.raises(SetRefused):
        KeySet.read(said)
