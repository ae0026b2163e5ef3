"""Authorities in the form in which they are compared."""

from __future__ import annotations

import pytest

from revproxy.hiding.authority import authority, is_internal


@pytest.mark.parametrize(
    ("text", "is_"),
    [
        ("Shop.Example", ("shop.example", 0)),
        ("shop.example.", ("shop.example", 0)),
        ("shop.example:80", ("shop.example", 0)),
        ("shop.example:443", ("shop.example", 0)),
        ("shop.example:", ("shop.example", 0)),
        ("shop.example:08080", ("shop.example", 8080)),
        ("a:b@shop.example:8080", ("shop.example", 8080)),
        ("a@b@shop.example", ("shop.example", 0)),
        ("10.0.0.1:8080", ("10.0.0.1", 8080)),
        ("[FE80::0:1%25eth0]:8080", ("fe80::1", 8080)),
        ("b\xfccher.example", ("xn--bcher-kva.example", 0)),
        ("shop\u3002example\u3002", ("shop.example", 0)),
        ("%53hop%2Eexample", ("shop.example", 0)),
        ("shop.example%2", ("shop.example%2", 0)),
        ("a" * 2000, None),
        ("", None),
        (":80", None),
        ("a:b", None),
        ("a:1:2", None),
        ("a b", None),
        ("[", None),
        ("[]", None),
        ("::1", None),
    ],
)
def test_read(text: str, is_: tuple[str, int] | None) -> None:
    """What is written otherwise and means the same is equal; what is none is ``None``."""
    assert authority(text) == is_


@pytest.mark.parametrize("host", ["localhost", "10.0.0.1", "127.0.0.1", "fd00::1", "db", "a.internal", "a.b.local"])
def test_inside(host: str) -> None:
    """S-42: addresses that are not global, names without a dot, domains for use inside."""
    assert is_internal(host)


@pytest.mark.parametrize("host", ["8.8.8.8", "2600::1", "shop.example", "internal.example", "x.locals"])
def test_outside(host: str) -> None:
    """Anything else is a host that others may mean."""
    assert not is_internal(host)
