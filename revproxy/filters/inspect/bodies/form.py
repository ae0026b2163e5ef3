"""Forms: ``application/x-www-form-urlencoded`` (WHATWG URL section 5.1)."""

from __future__ import annotations

from urllib.parse import parse_qsl

from .found import MOST, Found

__all__ = ["read_form"]


def read_form(text: str, found: Found) -> None:
    """Names and values, percent-decoded once."""
    if text.count("&") > MOST:
        found.trouble("values", "more values than are looked at")
        found.value("", text)
        return
    for name, value in parse_qsl(text, keep_blank_values=True, errors="replace"):
        found.name(name, name)
        found.value(name, value)
