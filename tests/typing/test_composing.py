"""Mistakes that no type says: composing finds them, before there is a request."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from revproxy import Component, Exchange, Handler, Pipeline, ProxyHandler, Response, Rule, Rules, When, block, when
from revproxy.filters import AllowedHosts


class Inner(Component):
    """Stands for a cache or a retry: a filter that may answer by itself, or ask twice."""

    shortcuts = True

    def __call__(self, exchange: Exchange, handler: Handler) -> Coroutine[Any, Any, Response]:
        return handler(exchange)


table = Rules(Rule(when.anything, block()))


@pytest.mark.parametrize(
    "compose",
    [
        lambda: Pipeline(Inner(), handler=table),
        lambda: Pipeline(Inner(), handler=Pipeline(handler=table)),
        lambda: Pipeline(Inner(), AllowedHosts("example.test"), handler=block()),
        lambda: ProxyHandler(table, filters=[Inner()]),
        lambda: ProxyHandler(Pipeline(Inner(), handler=table)),
        lambda: Rules(Rule(when.anything, Pipeline(Inner(), handler=table))),
    ],
)
def test_an_inner_filter_does_not_stand_around_rules(compose: Callable[[], object]) -> None:
    """An inner filter around what guards is a ``ValueError``, however deep that is, in a filter or in a handler.

    To a type checker they are filters and handlers like others: a type says what something is, not what it is not, and
    a handler does not show what is inside of it.
    """
    with pytest.raises(ValueError, match="must not stand around"):
        compose()


def test_an_inner_filter_stands_inside() -> None:
    """Inside of a table, per route, is where it belongs."""
    ProxyHandler(Rules(Rule(when.anything, Pipeline(Inner(), handler=block()))), filters=[AllowedHosts("example.test")])


@pytest.mark.parametrize(
    "join",
    [
        lambda one, other: one and other,
        lambda one, other: one or other,
        lambda one, other: not one,
        lambda one, other: 1 if one else 2,
        lambda one, other: any([one, other]),
        lambda one, other: sorted([one, other], key=bool),
    ],
)
def test_a_condition_has_no_truth_value(join: Callable[[When, When], object]) -> None:
    """``and`` and ``or`` between conditions are a ``TypeError`` as well, for those whose checker does not say so."""
    with pytest.raises(TypeError, match="has no truth value"):
        join(when.path("/admin/*"), when.method("GET"))
