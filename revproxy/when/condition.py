"""The condition itself, and how conditions are joined."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable
from typing import Any, NoReturn, TypeAlias, TypeVar

from ..exchange import Exchange, Key

__all__ = ["Test", "When", "anything", "call", "some"]

Test: TypeAlias = Callable[[Exchange], bool]
C = TypeVar("C", bound=Collection[Any])


class When:
    """A condition on an exchange. Made by the functions of ``when``, and by ``&``, ``|`` and ``~``.

    ``test``
        The condition as a plain function, for a hot path.
    ``reads_path``
        It may depend on the path, so that a target with two readings must not pass (see ``PathPolicy``).
    ``requires``
        The keys that it needs a filter to set.

    Printed as the expression that makes it. Two conditions are equal if they are made of equal parts, in whatever order
    ``&`` and ``|`` join them; own functions are compared as functions. It has no truth value: ``and``, ``or``, ``not``
    and ``if`` raise ``TypeError``.
    """

    __slots__ = ("_binding", "_form", "_of", "_sign", "_text", "reads_path", "requires", "test")

    def __init__(
        self,
        text: str,
        test: Test,
        *,
        form: tuple[str, Hashable],
        binding: int = 3,
        reads_path: bool = False,
        requires: frozenset[Key[Any]] = frozenset(),
        sign: str = "",
        of: tuple[When, ...] = (),
    ) -> None:
        """``form`` is what equality compares; ``binding`` how tightly ``text`` holds together: 1 |, 2 &, 3 the rest.
        ``sign`` joins the conditions ``of`` which it is made."""
        self.test: Test = test
        self.reads_path: bool = reads_path
        self.requires: frozenset[Key[Any]] = requires
        self._text = text
        self._form = form
        self._binding = binding
        self._sign = sign
        self._of = of

    def __call__(self, exchange: Exchange) -> bool:
        return self.test(exchange)

    def __and__(self, other: When) -> When:
        left, right = self.test, _test(other)
        return self._joined("&", 2, other, lambda exchange: left(exchange) and right(exchange))

    def __or__(self, other: When) -> When:
        left, right = self.test, _test(other)
        return self._joined("|", 1, other, lambda exchange: left(exchange) or right(exchange))

    def __invert__(self) -> When:
        test = self.test
        return When(
            f"~{self._within(3)}",
            lambda exchange: not test(exchange),
            form=("~", self._form),
            sign="~",
            of=(self,),
            reads_path=self.reads_path,
            requires=self.requires,
        )

    def __bool__(self) -> NoReturn:
        raise TypeError(f"{self!r} has no truth value: join conditions with &, | and ~, not with and, or, not")

    def why(self, exchange: Exchange) -> str:
        """What makes it hold or not: "when.method('GET') does not hold". Only what it takes to decide: the first part
        of ``&`` that does not hold, the first of ``|`` that does. Each part is asked anew: it is not for a hot path."""
        if self._sign == "~":
            return self._of[0].why(exchange)
        if self._sign:
            decides = self._sign == "|"
            for part in self._of:
                if part.test(exchange) is decides:
                    return part.why(exchange)
            return " and ".join(dict.fromkeys(part.why(exchange) for part in self._of))
        return f"{self._text} {'holds' if self.test(exchange) else 'does not hold'}"

    def _joined(self, sign: str, binding: int, other: When, test: Test) -> When:
        parts = self._parts(sign) | other._parts(sign)
        return When(
            f"{self._within(binding)} {sign} {other._within(binding)}",
            test,
            form=(sign, parts) if len(parts) > 1 else self._form,
            binding=binding,
            sign=sign,
            of=(self, other),
            reads_path=self.reads_path or other.reads_path,
            requires=self.requires | other.requires,
        )

    def _parts(self, sign: str) -> frozenset[Any]:
        kind, parts = self._form
        return parts if kind == sign and isinstance(parts, frozenset) else frozenset({self._form})

    def _within(self, binding: int) -> str:
        return self._text if self._binding >= binding else f"({self._text})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, When) and self._form == other._form

    def __hash__(self) -> int:
        return hash(self._form)

    def __repr__(self) -> str:
        return self._text


anything: When = When("when.anything", lambda exchange: True, form=("anything", ()))
"""True for every exchange."""


def _test(other: object) -> Test:
    if not isinstance(other, When):
        raise TypeError(f"{other!r} is not a condition: wrap a function in when.check()")
    return other.test


def call(factory: str, *arguments: object) -> str:
    """The expression that makes a condition. ``None`` at the end stands for arguments left out."""
    shown = list(arguments)
    while shown and shown[-1] is None:
        shown.pop()
    return f"when.{factory}({', '.join(map(repr, shown))})"


def some(parameter: str, values: C) -> C:
    """``values``, of which there must be one at least: else ``ValueError`` that names ``parameter``."""
    if not values:
        raise ValueError(f"{parameter} must not be empty")
    return values
