"""Requests for parts: what is passed on, and what no honest client asks for."""

from __future__ import annotations

import pytest

from revproxy.ranges import MAX_RANGES, is_sane


@pytest.mark.parametrize(
    "value",
    [
        "bytes=0-0,-1",
        "bytes=0-99, 200-299 ,\t400-",
        "bytes=500-600,601-999",
        "bytes=0-10,5-15,12-20",  # two that overlap
        "bytes=a-b,1-2",
        "bytes=,,,",
        "lines=1-2,1-2,1-2,1-2",
        "bytes",
        "",
        "bytes=" + ",".join(f"{n}0-{n}5" for n in range(MAX_RANGES)),
    ],
)
def test_what_passes(value: str) -> None:
    """S-30, F-109: parts beside each other, a few of them; what is malformed or not in bytes is for the upstream."""
    assert is_sane(value)


@pytest.mark.parametrize(
    "value",
    [
        "bytes=" + "0-," * 200 + "0-",
        "bytes=" + ",".join(["0-"] * 4),
        "bytes=0-10,5-15,12-20,18-30",
        "Bytes = 0-9,0-9,0-9,0-9",
        "bytes=" + ",".join(f"{n}0-{n}5" for n in range(MAX_RANGES + 1)),
        "lines=" + "1-2," * MAX_RANGES,
        "bytes=" + "," * 5000,
    ],
)
def test_what_does_not(value: str) -> None:
    """S-30: more parts than anybody needs, and parts over parts, are an attack on whoever answers."""
    assert not is_sane(value)
