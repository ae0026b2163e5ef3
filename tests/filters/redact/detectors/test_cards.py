"""Payment cards."""

from __future__ import annotations

import pytest

from revproxy.filters.redact.detectors import LONG_PAYMENT_CARD, PAYMENT_CARD
from revproxy.filters.redact.detectors.cards import network_of

from .found import found, only


@pytest.mark.parametrize(
    ("digits", "network"),
    [
        ("4111111111111111", "Visa"), ("5555555555554444", "Mastercard"), ("2223003122003222", "Mastercard"),
        ("2221000000000009", "Mastercard"), ("2720999999999996", "Mastercard"),
        ("378282246310005", "American Express"),
        ("341111111111111", "American Express"), ("6011111111111117", "Discover"), ("6445644564456445", "Discover"),
        ("30569309025904", "Diners Club"), ("36227206271667", "Diners Club"), ("3530111333300000", "JCB"),
        ("6200000000000005", "UnionPay"), ("8100000000000000", "UnionPay"), ("6759649826438453", "Maestro"),
        ("2200000000000004", "Mir"), ("2205000000000000", None), ("2720990000000000", "Mastercard"),
        ("2721000000000004", None), ("1234567890123456", None), ("4111111111111", None),
        ("3527000000000000", None), ("3590000000000000", None), ("7000000000000000", None),
        ("9792000000000001", "Troy"), ("411111111111111111", None),
    ],
)  # fmt: skip
def test_networks(digits: str, network: str | None) -> None:
    """The first digits and the length say whose card it is."""
    assert network_of(digits.encode()) == network


@pytest.mark.parametrize(
    "text",
    [
        "[[4111111111111111]]", "card [[4111 1111 1111 1111]], thanks", "[[4111-1111-1111-1111]]",
        '"pan":[[4111111111111111]],', "[[3782 822463 10005]]", "[[3056 930902 5904]]", "id=[[5555555555554444]]&x=1",
        "[[4111\u00a01111\u00a01111\u00a01111]]", "q%3D[[4111111111111111]]",
        "[[4111111111111111]].", "([[4111111111111111]])", "28.11.2026 [[4111 1111 1111 1111]] 12/29",
        "[[4111 1111 1111 1111]] 123", "7 [[4111 1111 1111 1111]]", "[[4111111111111111]].0",
        "x,[[2223003122003222]],y", "line\\n[[4111111111111111]]", "番号[[4111111111111111]]です",
    ],
)  # fmt: skip
def test_found(text: str) -> None:
    """A card is found in the groups that cards show or none, whatever stands around it."""
    assert only(PAYMENT_CARD, text)


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111112", "41111111111111111", "a4111111111111111", "4111111111111111f", "0.4111111111111111",
        "4111111111111111.5", "4111 1111-1111 1111", "4111 111111 111111", "4111  1111  1111  1111",
        "0000000000000000", "1690000000000000", "4006381333931", "IMG_4111111111111111.jpg",
        "DE89 3704 0044 0532 0130 00", "550e8400-e29b-41d4-a716-446655440000", "4111_1111_1111_1111",
        "41111111 11111111", "4444444444444444",
    ],
)  # fmt: skip
def test_not_found(text: str) -> None:
    """A failing check digit, other groups, a part of something longer: none of these is a card."""
    assert found(PAYMENT_CARD, text) == []


@pytest.mark.parametrize(
    "text",
    ["[[6205500000000000004]]", "[[6205 5000 0000 0000 004]]", "[[620550 0000000000004]]", "[[630400000000000018]]"],
)
def test_long(text: str) -> None:
    """Cards of up to 19 digits have a detector of their own, so that a shorter one is not lost before other digits."""
    assert only(LONG_PAYMENT_CARD, text)
    assert found(LONG_PAYMENT_CARD, "4111 1111 1111 1111 123") == []
