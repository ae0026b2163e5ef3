"""Keys made of keys. (What each says by itself: test_hashing.py and where they are used.)"""

from __future__ import annotations

import pytest

from revproxy.balancers import keys
from revproxy.facts import Principal
from revproxy.identity import PRINCIPAL
from revproxy.testing import exchange


def test_everyone() -> None:
    """The same for all."""
    key = keys.everyone()
    assert key(exchange(client="192.0.2.1")) == key(exchange(client=None)) == b""


def test_first_of() -> None:
    """The first that is there, and none if there is none; the same word from two of them is two keys: nobody becomes
    another by saying his name elsewhere."""
    key = keys.first_of(keys.header("X-User"), keys.header("X-Team"), keys.client_address())
    said = [
        key(exchange(headers={"X-User": "a"})),
        key(exchange(headers={"X-Team": "a"})),
        key(exchange(headers={"X-User": "1:a"})),
        key(exchange(headers={"X-User": ""})),
        key(exchange()),
    ]
    assert None not in said
    assert len(set(said)) == len(said)
    assert key(exchange(headers={"X-User": "a", "X-Team": "b"})) == said[0]
    assert key(exchange(client=None)) is None
    assert keys.first_of()(exchange()) is None


def test_principal() -> None:
    """Who was proved to ask; nobody is no key."""
    asked = exchange()
    assert keys.principal()(asked) is None
    asked[PRINCIPAL] = Principal("ada", "basic")
    assert keys.principal()(asked) == "ada"


def test_no_key() -> None:
    """What is no key is refused with its value."""
    with pytest.raises(TypeError, match="keys: 'ip' is no function of an exchange"):
        keys.first_of("ip")  # type: ignore[arg-type]
