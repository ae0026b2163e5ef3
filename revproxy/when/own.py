"""Conditions of the developer's own: functions, and keys that filters set."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from ..exchange import Exchange, Key
from .condition import When

__all__ = ["check", "key"]

A = TypeVar("A")
T = TypeVar("T")


def check(function: Callable[[Exchange], bool], *, name: str = "") -> When:
    """``function`` says so. It must not block, says the same of an exchange however often it is asked, and must return
    a ``bool``: anything else raises ``TypeError``.

    It may well look at the path, so the proxy is as strict with paths as if it did. What needs to wait is for a filter,
    which puts what it learned on the exchange for ``key``.
    """
    name = name or _name(function)
    return When(
        f"when.check({name})",
        _asking("function", function, name),
        form=("check", _comparable(function)),
        reads_path=True,
    )


def key(key: Key[T], value: T | Callable[[T], bool]) -> When:
    """What filters have put on the exchange as ``key`` is ``value``, or a function ``value`` says yes to it.

    False if nothing was put there. A table of rules with such a condition is refused where no filter outside of it
    provides ``key``.
    """
    if not isinstance(key, Key):
        raise TypeError(f"key: {key!r} is not a Key")
    missing = object()
    if callable(value):
        says_yes = _asking("value", value, _name(value))

        def test(exchange: Exchange) -> bool:
            found: Any = exchange.get(key, missing)
            return found is not missing and says_yes(found)
    else:

        def test(exchange: Exchange) -> bool:
            found: Any = exchange.get(key, missing)
            return found is not missing and bool(found == value)

    return When(
        f"when.key({key!r}, {_name(value) if callable(value) else repr(value)})",
        test,
        form=("key", (key, _comparable(value))),
        requires=frozenset({key}),
        outline="" if callable(value) else f"when.key({key!r}, ...)",
    )


def _asking(parameter: str, function: Callable[[A], bool], name: str) -> Callable[[A], bool]:
    """``function``, held to answering with a ``bool``: a coroutine, which is always true, must not pass for a yes."""
    if not callable(function):
        raise TypeError(f"{parameter}: {function!r} is not callable")
    if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__):
        raise ValueError(f"{parameter}: {name} is async: ask in a filter, and put the answer on the exchange")

    def ask(argument: A) -> bool:
        answer: object = function(argument)
        if not isinstance(answer, bool):
            raise TypeError(f"{name} must return a bool, not a {type(answer).__name__}")
        return answer

    return ask


def _comparable(value: object) -> Hashable:
    """``value`` for the form of a condition; by identity if it has no hash. Its condition keeps it alive."""
    try:
        hash(value)
    except TypeError:
        return ("id", id(value))
    return value


def _name(function: object) -> str:
    return getattr(function, "__qualname__", None) or repr(function)
