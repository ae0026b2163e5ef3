"""Conditions on what has a name and any number of values: header fields, query parameters, cookies."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import TypeAlias

from multidict import istr

from ..headers import is_token
from ..pattern_cost import check_cost
from .condition import When, call, some

__all__ = ["Value", "cookie", "header", "judged", "query"]

Value: TypeAlias = "str | re.Pattern[str] | None"
"""Exactly that value; a value that the pattern matches in full; or any at all. A pattern whose time is not linear in
the length of a value, which clients choose, is a ``ValueError``, unless ``costly=True`` is said: ``.*`` at most once,
or twice with the second at the end; ``++`` and ``(?>...)`` for what gives nothing back."""


def header(name: str, value: Value = None, *, costly: bool = False) -> When:
    """A field ``name`` is there; with ``value``, one of them has exactly that value, or matches the pattern in full.

    The name's case makes no difference, the value's does. A field that came in several lines has several values; a list
    in one line is one.
    """
    if not is_token(name):
        raise ValueError(f"name: {name!r} is not a field name")
    field, judge = istr(name), judged(value, costly=costly)
    return When(
        _said("header", name, value, costly=costly),
        lambda exchange: judge(exchange.inbound.headers.getall(field, ())),
        form=("header", (name.lower(), value)),
        outline=_outline("header", name, value),
    )


def query(name: str, value: Value = None, *, costly: bool = False) -> When:
    """A query parameter ``name`` is there; with ``value``, one of them has exactly that value, or matches in full.

    Names and values are decoded as form data, and their case makes a difference. A value may have ends of lines, which
    ``.`` takes only with ``re.DOTALL``, ``(?s)``.
    """
    judge = judged(value, costly=costly, lines=True)
    return When(
        _said("query", some("name", name), value, costly=costly),
        lambda exchange: judge(exchange.inbound.query.getall(name, ())),
        form=("query", (name, value)),
        outline=_outline("query", name, value),
    )


def cookie(name: str, value: Value = None, *, costly: bool = False) -> When:
    """A cookie ``name`` is there; with ``value``, one of them has exactly that value, or matches in full.

    Values are not decoded, and the names' case makes a difference.
    """
    if not is_token(name):
        raise ValueError(f"name: {name!r} is not a cookie's name")
    judge = judged(value, costly=costly)
    return When(
        _said("cookie", name, value, costly=costly),
        lambda exchange: judge(exchange.inbound.cookies.getall(name, ())),
        form=("cookie", (name, value)),
        outline=_outline("cookie", name, value),
    )


def _said(factory: str, name: str, value: Value, *, costly: bool) -> str:
    said = call(factory, name, value)
    return f"{said[:-1]}, costly=True)" if costly and isinstance(value, re.Pattern) else said


def _outline(factory: str, name: str, value: Value) -> str:
    return call(factory, name) if value is None else f"{call(factory, name)[:-1]}, ...)"


def judged(
    value: Value, *, costly: bool = False, lines: bool = False, parameter: str = "value"
) -> Callable[[Collection[str]], bool]:
    """What says whether any of several values will do. ``lines``: there may be ends of lines in them."""
    if value is None:
        return bool
    if isinstance(value, str):
        return lambda values: value in values
    if not isinstance(getattr(value, "pattern", None), str):
        raise TypeError(f"{parameter} must be a str, a compiled pattern of str, or None, got {value!r}")
    if not costly:
        try:
            check_cost(value, linear=True, lines=lines)
        except ValueError as error:
            raise ValueError(f"{parameter}: {str(error).removeprefix('pattern: ')}") from None
    fullmatch = value.fullmatch
    return lambda values: any(fullmatch(each) is not None for each in values)
