"""Tables of rules: the first condition that holds says who answers."""

from __future__ import annotations

import logging
from collections.abc import Coroutine, Iterable, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any

from .answers import Block, block, drop, redirect, respond
from .clock import SYSTEM_CLOCK, Clock
from .errors import BadRequest, NoRoute
from .exchange import Exchange, Key
from .handler import Component, Handler, check_shape, name
from .message import Response
from .path_values import PATH_VALUES
from .rule_index import by_path
from .security_log import LOGGER, SecurityLog, Severity
from .tarpit import tarpit
from .when import When, anything

__all__ = ["Rule", "RuleOutcome", "Rules", "Severity", "block", "drop", "redirect", "respond", "tarpit"]


@dataclass(frozen=True, slots=True)
class Rule:
    """Where ``when`` holds, ``then`` answers.

    ``name``
        What logs call it; without one, its condition, but for what that compares fields, parameters, cookies and keys
        with (``When.outline``).
    ``severity``
        Every match is logged, at that level, and told to observers. ``None``: nothing is, but for a ``block``
        (``WARNING``) and for a shadow rule (``NOTICE``), which would be of no use in silence.
    ``shadow``
        Only log, and go on with the next rule: to try a rule on real traffic. A request that its condition would refuse
        (a path too long for a costly ``when.path_regex``) goes on, too.

    Raises ``TypeError`` for what is no condition or no handler.
    """

    when: When
    then: Handler
    _: KW_ONLY
    name: str = ""
    severity: Severity | None = None
    shadow: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.when, When):
            raise TypeError(f"when: {self.when!r} is not a condition: wrap a function in when.check()")
        if not callable(self.then):
            raise TypeError(f"then: {self.then!r} is not a handler: it is not callable")
        if self.then in _FACTORIES:
            raise TypeError(f"then: {name(self.then)} makes a handler: call it")
        check_shape("then", self.then, 1)
        if self.severity is not None and not isinstance(self.severity, Severity):
            raise TypeError(f"severity: {self.severity!r} is not a Severity")
        if self.severity is None and (self.shadow or isinstance(self.then, Block)):
            severity = Severity.WARNING if isinstance(self.then, Block) else Severity.NOTICE
            object.__setattr__(self, "severity", severity)

    def __repr__(self) -> str:
        said = [repr(self.when), name(self.then)]
        said += [f"{field}={value!r}" for field, value in (("name", self.name), ("shadow", self.shadow)) if value]
        if self.severity is not None:
            said.append(f"severity=Severity.{self.severity.name}")
        return f"Rule({', '.join(said)})"


@dataclass(frozen=True, slots=True)
class RuleOutcome:
    """What a rule would do with an exchange, and why: a line of ``Rules.explain``."""

    rule: Rule
    holds: bool
    answers: bool
    """It is the one that decides: the first that holds and is no shadow rule."""
    why: str
    """The part of its condition that makes it hold or not."""

    def __str__(self) -> str:
        what = "answers" if self.answers else "holds" if self.holds else "does not hold"
        if self.rule.shadow and self.holds:
            what = "is noted"
        return f"{self.rule.name or repr(self.rule.when)}: {what}, for {self.why}"


_FACTORIES: tuple[object, ...] = (block, drop, redirect, respond, tarpit)


class Rules(Component):
    """A handler: the first rule whose condition holds answers. If none does, ``NoRoute`` (404) is raised.

    A match of a rule with a severity is one line in the log ``revproxy.security`` (``logger``), at its severity's
    level; where the same client is met more than five times in ``fold`` seconds there is one line with the number of
    the others. See ``SecurityLog``, also for what stands in the record.

    What the condition of the rule that answers captures (``when.path_template``) is put on the exchange as
    ``PATH_VALUES``; what other rules capture is not.

    Raises ``ValueError`` for an empty table and for a rule that no request can reach, as far as conditions show
    (``When.implies``): after ``when.anything``, after one whose condition holds wherever its own does, or after several
    of which always one does. Only ``when.anything`` may stand behind several that leave it nothing, as a last resort.
    Shadow rules hide nothing.
    """

    guards = True

    def __init__(
        self,
        *rules: Rule,
        name: str = "",
        logger: logging.Logger = LOGGER,
        fold: float = 10.0,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        if not rules:
            raise ValueError("rules: a table needs at least one")
        enforcing: list[Rule] = []
        for rule in rules:
            if not isinstance(rule, Rule):
                raise TypeError(f"rules: {rule!r} is not a Rule")
            hiding = _hiding(rule.when, enforcing)
            if hiding:
                stand = "stands" if len(hiding) == 1 else "stand"
                said = " and ".join(map(repr, hiding))
                raise ValueError(f"rules: {rule!r} is never reached, {said} {stand} before it")
            if not rule.shadow:
                enforcing.append(rule)
        self.rules = rules
        self.name = name
        self.reads_path: bool = any(rule.when.reads_path for rule in rules)
        self.requires: frozenset[Key[Any]] = frozenset().union(*(rule.when.requires for rule in rules))
        self._log = SecurityLog(logger, fold=fold, clock=clock)
        rows = [(rule.when.test, rule.then, rule, rule.severity is not None, rule.when.captures) for rule in rules]
        self._rows = by_path([rule.when for rule in rules], rows)

    def __call__(self, exchange: Exchange) -> Coroutine[Any, Any, Response]:
        for test, then, rule, noted, captures in self._rows(exchange.inbound.path):
            try:
                holds = test(exchange)
            except BadRequest as error:
                if not rule.shadow:
                    raise
                self._note(exchange, rule, error)
                continue
            if holds:
                if noted:
                    self._note(exchange, rule)
                if not rule.shadow:
                    exchange.rule = rule
                    if captures is not None:
                        outer, values = exchange.get(PATH_VALUES), captures(exchange)
                        exchange[PATH_VALUES] = values if outer is None else {**outer, **values}
                    return then(exchange)
        raise NoRoute(f"no rule of {self!r} holds")

    def explain(self, exchange: Exchange) -> list[RuleOutcome]:
        """What each rule would do with ``exchange``, and why; nothing is done, noted or counted. For tests, and for an
        operator who wonders::

            print(*table.explain(exchange("GET", "/admin", client="192.0.2.1")), sep="\\n")

        Those behind the one that answers are asked, too: they would not be reached.
        """
        outcomes: list[RuleOutcome] = []
        is_answered = False
        for rule in self.rules:
            holds = rule.when.test(exchange)
            answers = holds and not rule.shadow and not is_answered
            outcomes.append(RuleOutcome(rule, holds, answers, rule.when.why(exchange)))
            is_answered = is_answered or answers
        return outcomes

    def parts(self) -> Iterable[object]:
        return tuple(rule.then for rule in self.rules)

    def _note(self, exchange: Exchange, rule: Rule, error: BadRequest | None = None) -> None:
        if rule.severity is not None:
            action = str(getattr(rule.then, "action", "pass")) if error is None else "block 400"
            self._log.note(
                exchange,
                rule=rule.name or rule.when.outline,
                severity=rule.severity,
                action=f"shadow {action}" if rule.shadow else action,
                detail="" if error is None else str(error),
            )
        if error is not None:
            return
        for hook in exchange.hooks.ruled:
            hook(exchange, rule)

    async def stop(self) -> None:
        self._log.flush()

    def __repr__(self) -> str:
        return f"<Rules{f' {self.name}' if self.name else ''} of {len(self.rules)}>"


_TOGETHER = 16
"""Rules of which it is looked whether they hide another one together."""


def _hiding(when: When, earlier: Sequence[Rule]) -> Sequence[Rule]:
    """The first of ``earlier`` that hides a rule on ``when``; or as few of them as hide it together; or none."""
    met = [rule for rule in earlier if not when.is_apart_from(rule.when)]
    for rule in met:
        if when.implies(rule.when):
            return (rule,)
    if when == anything or len(met) > _TOGETHER or not when.implies_one_of(rule.when for rule in met):
        return ()
    needed = list(met)
    for rule in reversed(met):
        fewer = [each for each in needed if each is not rule]
        if when.implies_one_of(each.when for each in fewer):
            needed = fewer
    return needed
