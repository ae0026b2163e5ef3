"""The condition itself, and how conditions are joined."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from typing import Any, NoReturn, TypeAlias, TypeVar

from ..exchange import Exchange, Key
from ..path_values import PathValue
from .implication import implied
from .marks import Marks, are_apart, marks_of

__all__ = ["Captures", "Test", "When", "anything", "call", "some"]

Test: TypeAlias = Callable[[Exchange], bool]
Captures: TypeAlias = Callable[[Exchange], Mapping[str, PathValue]]
"""What a condition that holds has captured."""
C = TypeVar("C", bound=Collection[Any])


class When:
    """A condition on an exchange. Made by the functions of ``when``, and by ``&``, ``|`` and ``~``.

    ``test``
        The condition as a plain function, for a hot path.
    ``reads_path``
        It may depend on the path, so that a target with two readings must not pass (see ``PathPolicy``).
    ``requires``
        The keys that it needs a filter to set.
    ``captures``
        What it takes from the path of an exchange for which it holds, by name; ``None``: nothing. Of ``&`` that of both
        sides, which must differ in name (``ValueError``); of ``|`` that of the first that holds; of ``~`` nothing.
        Neither this nor ``test`` changes the exchange: ``Rules`` does, for the rule that answers.

    Printed as the expression that makes it. Two conditions are equal if they are made of equal parts, in whatever order
    ``&`` and ``|`` join them; own functions are compared as functions. It has no truth value: ``and``, ``or``, ``not``
    and ``if`` raise ``TypeError``.
    """

    __slots__ = (
        "_binding",
        "_captured",
        "_form",
        "_marks",
        "_of",
        "_outline",
        "_sign",
        "_text",
        "captures",
        "reads_path",
        "requires",
        "test",
    )

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
        captures: Captures | None = None,
        captured: frozenset[str] = frozenset(),
        outline: str = "",
    ) -> None:
        """``form`` is what equality compares; ``binding`` how tightly ``text`` holds together: 1 |, 2 &, 3 the rest.
        ``outline`` is ``text`` where that has what logs must not have. ``sign`` joins the conditions ``of`` which it is
        made. ``captured`` names what may be in ``captures``."""
        self.test: Test = test
        self.reads_path: bool = reads_path
        self.requires: frozenset[Key[Any]] = requires
        self._text = text
        self._outline = outline or text
        self._form = form
        self._binding = binding
        self._sign = sign
        self._of = of
        self.captures: Captures | None = captures
        self._captured = captured
        self._marks: Marks | None = None

    def __call__(self, exchange: Exchange) -> bool:
        return self.test(exchange)

    def __and__(self, other: When) -> When:
        left, right = self.test, _test(other)
        twice = self._captured & other._captured if self != other else frozenset()
        if twice:
            raise ValueError(f"{self!r} and {other!r} both capture {', '.join(sorted(twice))}")
        joined = self._joined("&", 2, other, lambda exchange: left(exchange) and right(exchange))
        joined.captures = _both(self.captures, other.captures)
        return joined

    def __or__(self, other: When) -> When:
        left, right = self.test, _test(other)
        joined = self._joined("|", 1, other, lambda exchange: left(exchange) or right(exchange))
        if joined._captured:
            first, second = self.captures or _nothing, other.captures or _nothing
            joined.captures = lambda exchange: first(exchange) if left(exchange) else second(exchange)
        return joined

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
            outline=f"~{self._within(3, self._outline)}",
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

    @property
    def outline(self) -> str:
        """The expression that makes it, with ``...`` for what it compares fields, parameters, cookies and keys with,
        which may be a secret: for logs."""
        return self._outline

    def implies(self, other: When) -> bool:
        """Whether ``other`` holds for every exchange for which this one does, as far as their form shows: ``True`` is
        certain, ``False`` is not. Of ``check`` and ``key`` it is known only that they are equal to themselves."""
        return implied([self._form], [other._form])

    def implies_one_of(self, others: Iterable[When]) -> bool:
        """Whether one of ``others`` holds wherever this one does, though it may be another each time."""
        return implied([self._form], [each._form for each in others])

    def is_apart_from(self, other: When) -> bool:
        """Whether no exchange certainly makes both hold, by the host and the first segments of the path that they ask
        for: at little cost, whatever they are made of. ``False`` is not certain."""
        return are_apart(self._marked(), other._marked())

    @property
    def beginnings(self) -> tuple[frozenset[str] | None, ...]:
        """What the path of an exchange begins with for which it holds, in lower case: its first segment, its first two,
        and so on, of a shorter path all of it with a slash behind; ``None``: it says nothing of them."""
        return self._marked()[:-1]

    def _marked(self) -> Marks:
        if self._marks is None:
            self._marks = marks_of(self._form)
        return self._marks

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
            captured=self._captured | other._captured,
            outline=f"{self._within(binding, self._outline)} {sign} {other._within(binding, other._outline)}",
        )

    def _parts(self, sign: str) -> frozenset[Any]:
        kind, parts = self._form
        return parts if kind == sign and isinstance(parts, frozenset) else frozenset({self._form})

    def _within(self, binding: int, text: str = "") -> str:
        text = text or self._text
        return text if self._binding >= binding else f"({text})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, When) and self._form == other._form

    def __hash__(self) -> int:
        return hash(self._form)

    def __repr__(self) -> str:
        return self._text


anything: When = When("when.anything", lambda exchange: True, form=("anything", ()))
"""True for every exchange."""


def _both(left: Captures | None, right: Captures | None) -> Captures | None:
    if left is None or right is None:
        return left or right
    first, second = left, right
    return lambda exchange: {**first(exchange), **second(exchange)}


def _nothing(exchange: Exchange) -> Mapping[str, PathValue]:
    return {}


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
