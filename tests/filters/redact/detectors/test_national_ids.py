"""US Social Security numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revproxy.filters.redact.detectors import NAMED_US_SSN, US_SSN
from revproxy.filters.redact.detectors.national_ids import is_us_ssn

from .found import found, only


@given(st.integers(0, 999), st.integers(0, 99), st.integers(0, 9999))
def test_is_the_rule(area: int, group: int, serial: int) -> None:
    """Every number may be one but those that the administration says it never gives."""
    text = f"{area:03d}-{group:02d}-{serial:04d}"
    never = area in (0, 666) or area >= 900 or group == 0 or serial == 0
    known = text in ("078-05-1120", "219-09-9999") or len(set(text)) == 2
    assert is_us_ssn(text.encode()) == (not never and not known)


@pytest.mark.parametrize(
    "text", ["[[123-45-6789]]", '"ssn":"[[536-22-1234]]"', "SSN [[899-99-9999]].", "x=[[001-01-0001]]&"]
)
def test_found(text: str) -> None:
    """With its hyphens, one speaks for itself."""
    assert only(US_SSN, text)


@pytest.mark.parametrize(
    "text",
    [
        "000-12-3456",
        "666-12-3456",
        "912-34-5678",
        "123-00-4567",
        "123-45-0000",
        "123-45-67890",
        "1123-45-6789",
        "123-45-6789-1",
        "12-123-45-6789",
        "a123-45-6789",
        "123456789",
        "078-05-1120",
    ],
)
def test_not_found(text: str) -> None:
    """Numbers that are never given, and parts of longer ones, are none."""
    assert found(US_SSN, text) == []


@pytest.mark.parametrize(
    "text",
    [
        '"ssn":"[[536221234]]"', '"ssn": [[536221234]]', "SSN: [[536 22 1234]]",
        "social_security_number=[[536221234]]", '"socialSecurityNumber":"[[536221234]]"',
        "<td>SSN</td>\n<td>[[536221234]]</td>", "<ssn>[[536221234]]</ssn>", "customer_ssn=[[536221234]]",
        "Social Security Number: [[536221234]]", "SSN is [[536221234]]", '{"name":"ssn","value":"[[536221234]]"}',
    ],
)  # fmt: skip
def test_found_by_name(text: str) -> None:
    """Without hyphens, a name before it tells."""
    assert only(NAMED_US_SSN, text)


@pytest.mark.parametrize(
    "text",
    [
        "lessn: 536221234",
        "id=536221234",
        '"ssn":"","id":536221234',
        '"ssn":"5362212345"',
        '"ssn":"036221234567"',
        '"ssn":null,"phone":"536221234"',
        '"ssn":"000221234"',
    ],
)
def test_not_found_by_name(text: str) -> None:
    """Nine digits of another name, or of none, are none."""
    assert found(NAMED_US_SSN, text) == []
