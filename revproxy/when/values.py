"""Conditions on what has a name and any number of values: header fields, query parameters, cookies."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import TypeAlias

from multidict import istr

from ..headers import is_token
from .condition import When, call, some

__all__ = ["Value", "cookie", "header", "judged", "query"]

Value: TypeAlias = "str | re.Pattern[str] | None"
"""Exactly that value; a value that the pattern matches in full; or any at all."""


def header(name: str, value: Value = None) -> When:
    """A field ``name`` is there; with ``value``, one of them has exactly that value, or matches the pattern in full.

    The name's case makes no difference, the value's does. A field that came in several lines has several values; a list
    in one line is one.
    """
    if not is_token(name):
        raise ValueError(f"name: {name!r} is not a field name")
    field, judge = istr(name), judged(value)
    return When(
        call("header", name, value),
        lambda exchange: judge(exchange.inbound.headers.getall(field, ())),
        form=("header", (name.lower(), value)),
    )


def query(name: str, value: Value = None) -> When:
    """A query parameter ``name`` is there; with ``value``, one of them has exactly that value, or matches in full.

    Names and values are decoded as form data, and their case makes a difference.
    """
    judge = judged(value)
    return When(
        call("query", some("name", name), value),
        lambda exchange: judge(exchange.inbound.query.getall(name, ())),
        form=("query", (name, value)),
    )


def cookie(name: str, value: Value = None) -> When:
    """A cookie ``name`` is there; with ``value``, one of them has exactly that value, or matches in full.

    Values are not decoded, and the names' case makes a difference.
    """
    if not is_token(name):
        raise ValueError(f"name: {name!r} is not a cookie's name")
    judge = judged(value)
    return When(
        call("cookie", name, value),
        lambda exchange: judge(exchange.inbound.cookies.getall(name, ())),
        form=("cookie", (name, value)),
    )


def judged(value: Value) -> Callable[[Collection[str]], bool]:
    """What says whether any of several values will do."""
    if value is None:
        return bool
    if isinstance(value, str):
        return lambda values: value in values
    if not isinstance(getattr(value, "pattern", None), str):
        raise TypeError(f"value must be a str, a compiled pattern of str, or None, got {value!r}")
    fullmatch = value.fullmatch
    return lambda values: any(fullmatch(each) is not None for each in values)
