"""Secrets in the fields of a response."""

from __future__ import annotations

from multidict import CIMultiDict

from revproxy.filters.redact import Detector
from revproxy.filters.redact.engine import Engine
from revproxy.filters.redact.fields import Fields

ENGINE = Engine([Detector("badge", rb"B-\d{6}")])


def test_only_those_named() -> None:
    """Every value of a field that is named is looked into, whatever its case; others keep their secrets, and all their
    order and their bytes, such as are no UTF-8 included."""
    came = CIMultiDict([("X-A", "B-123456"), ("x-b", "B-123456"), ("X-a", "\udcff b%2d B%2D123456"), ("X-C", "B-1")])
    noted: list[Detector] = []
    edited = Fields(ENGINE, ["x-A"]).redacted(came, noted.append)
    assert edited is not None
    assert list(edited.items()) == [
        ("X-A", "[badge]"),
        ("x-b", "B-123456"),
        ("X-a", "\udcff b%2d [badge]"),
        ("X-C", "B-1"),
    ]
    assert len(noted) == 2
    assert came["X-A"] == "B-123456"


def test_nothing_to_do() -> None:
    """Where nothing is found, or no field is named, nothing is made."""
    assert Fields(ENGINE, ["X-A"]).redacted(CIMultiDict([("X-A", "B-1")]), lambda detector: None) is None
    assert not Fields(ENGINE, [])
    assert repr(Fields(ENGINE, ["X-B", "X-A"])) == "<Fields x-a, x-b>"
