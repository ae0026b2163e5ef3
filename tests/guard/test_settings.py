"""What the guard's settings may be."""

from __future__ import annotations

from math import inf, nan
from typing import Any

import pytest

from revproxy.guard import Guard, PrefixCap

NUMBERS = ("idle", "head", "body_rate", "body_idle", "write", "accept_rate")


@pytest.mark.parametrize("name", [*NUMBERS, "body_grace"])
@pytest.mark.parametrize("value", [0, -1.0, inf, nan])
def test_numbers_out_of_range(name: str, value: float) -> None:
    """A time or rate that is not above zero and finite is a ``ValueError`` that names it and its value."""
    with pytest.raises(ValueError, match=rf"^{name} must be above 0 and finite.* got {value!r}$"):
        Guard(**{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", [*NUMBERS, "body_grace"])
@pytest.mark.parametrize("value", ["10s", True, b"1"])
def test_numbers_that_are_none(name: str, value: object) -> None:
    """What is no number is a ``TypeError`` that names it and its value."""
    with pytest.raises(TypeError, match=rf"^{name} must be a number.* got {value!r}$"):
        Guard(**{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["requests", "connections", "accept_burst"])
def test_counts(name: str) -> None:
    """Counts are integers from one."""
    for value, error in ((0, ValueError), (-3, ValueError), (1.5, TypeError), (True, TypeError), ("9", TypeError)):
        with pytest.raises(error, match=rf"^{name} must be .* got {value!r}$"):
            Guard(**{name: value})  # type: ignore[arg-type]


def test_what_may_be_none() -> None:
    """Every limit can be lifted, but for the two that are nothing by themselves."""
    lifted = dict.fromkeys((*NUMBERS, "requests", "connections"))
    assert Guard(**lifted, prefixes=()).head is None  # type: ignore[arg-type]
    for name in ("body_grace", "accept_burst"):
        with pytest.raises(TypeError, match=f"^{name} must be"):
            Guard(**{name: None})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"prefixes": [PrefixCap(ipv4=32, ipv6=64)]}, "prefixes must be a tuple of PrefixCap, got"),
        ({"prefixes": (32,)}, "prefixes must be a tuple of PrefixCap, got"),
        ({"exempt": "10.0.0.0/8"}, "exempt must be a tuple, got '10.0.0.0/8'"),
        ({"exempt": ("10.0.0.1/8",)}, "exempt: .*10.0.0.1/8"),
    ],
)
def test_networks(wrong: dict[str, Any], said: str) -> None:
    """Caps and networks are checked when they are given, not when the first client comes."""
    with pytest.raises((TypeError, ValueError), match=f"^{said}"):
        Guard(**wrong)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"ipv4": 33, "ipv6": 64}, "ipv4 must be an integer from 0 to 32, got 33"),
        ({"ipv4": 24, "ipv6": -1}, "ipv6 must be an integer from 0 to 128, got -1"),
        ({"ipv4": True, "ipv6": 64}, "ipv4 must be an integer from 0 to 32, got True"),
        ({"ipv4": 24, "ipv6": 64, "connections": 0}, "connections must be at least 1 or None, got 0"),
        ({"ipv4": 24, "ipv6": 64, "rate": 0.0}, "rate must be above 0 and finite or None, got 0.0"),
        ({"ipv4": 24, "ipv6": 64, "burst": 0}, "burst must be at least 1, got 0"),
    ],
)
def test_caps(wrong: dict[str, Any], said: str) -> None:
    """A cap names what is wrong with it."""
    with pytest.raises(ValueError, match=f"^{said}$"):
        PrefixCap(**wrong)
