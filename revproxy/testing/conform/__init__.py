"""The rows of the forwarding checklist, as tests of a composition of one's own.

    def make_proxy(url: str) -> ProxyHandler:
        return ProxyHandler(Upstream(url), filters=[MyFilter()])

    @pytest.mark.parametrize("row", conform())
    async def test_conformance(row: Row) -> None:
        await row.check(make_proxy)

A composition is made by a function of an upstream's address, and not handed over ready: each look into it needs a fresh
one before an upstream of its own, so that no pool, cache or breaker carries over from one to the next. It is handed to
``check`` and not to ``conform``, since rows must be known when tests are collected, while what is composed may need
fixtures. And the rows are a list, not a decorator or a test class, so that pytest's own means apply: ``-k F-24``,
marks, other parameters beside it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from inspect import cleandoc
from unittest import SkipTest

from .framing import FRAMING
from .heads import HEADS
from .streams import STREAMS
from .talk import Bench, Check, Compose, Needs, Pairs
from .transcript import Transcript
from .upgrades import UPGRADES

__all__ = ["Row", "conform"]

_CHECKS: Mapping[str, Check] = dict(
    sorted({**HEADS, **FRAMING, **STREAMS, **UPGRADES}.items(), key=lambda each: int(each[0].removeprefix("F-")))
)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the checklist. ``name``: ``F-24``; ``claim``: what must hold; ``skip``: why it is not looked into."""

    name: str
    claim: str
    skip: str | None
    _check: Check = field(repr=False)
    _needs: Needs = field(repr=False)

    @property
    def __name__(self) -> str:
        # pytest makes a parameter's id of it.
        return self.name

    def __str__(self) -> str:
        return self.name

    async def check(self, compose: Compose) -> None:
        """Look whether the row holds in what ``compose`` makes of the URL of an upstream: a ``ProxyHandler``, or the
        application in which it is mounted. It is called within the event loop, once for each connection or failure
        that the row looks into, and what it returns is started and stopped.

        Raises ``AssertionError`` if the row does not hold, with all that was said on the wire, and
        ``unittest.SkipTest``, which pytest knows, for a row to be skipped.
        """
        if self.skip is not None:
            raise SkipTest(f"{self.name}: {self.skip}")
        await self._check(Bench(compose, self._needs, lambda: Transcript(self.name, self.claim)))


def conform(
    *,
    prefix: str = "",
    upstream_prefix: str | None = None,
    request_fields: Mapping[str, str] | Pairs = (),
    response_fields: Mapping[str, str] | Pairs = (),
    request_edits: Collection[str] = (),
    response_edits: Collection[str] = (),
    skip: Mapping[str, str] | None = None,
    timeout: float = 5.0,
) -> list[Row]:
    """The rows, in order, each to be parametrised with and awaited: ``await row.check(make_proxy)``.

    ``prefix``
        The path below which the route to be tested lies.
    ``upstream_prefix``
        What the upstream gets in its place; ``""`` if it is stripped. ``None``: the same.
    ``request_fields``
        Sent with every request: a ``Host`` or an ``Authorization`` that rules ask for.
    ``response_fields``
        Of every response of the upstream: a ``Content-Type`` that filters go by.
    ``request_edits``, ``response_edits``
        Names of fields that the composition adds, changes or removes on purpose, on the way to the upstream and back.
        They are not looked at.
    ``skip``
        Rows that do not hold, each with the reason: ``{"F-13": "the client's host is kept"}``.
    ``timeout``
        Seconds that anything may take which must happen.

    Raises ``ValueError`` for a name in ``skip`` that is no row, and for one without a reason.
    """
    skipped = dict(skip or {})
    unknown = [name for name in skipped if name not in _CHECKS]
    if unknown:
        raise ValueError(f"skip: no row {', '.join(unknown)}; there are {', '.join(_CHECKS)}")
    for name, reason in skipped.items():
        if not reason:
            raise ValueError(f"skip: say why {name} does not hold")
    for parameter, path in (("prefix", prefix), ("upstream_prefix", upstream_prefix or "")):
        if path and (not path.startswith("/") or path.endswith("/")):
            raise ValueError(f"{parameter} must begin with a slash and not end with one, got {path!r}")
    if not timeout > 0:
        raise ValueError(f"timeout must be above 0, got {timeout}")
    needs = Needs(
        prefix=prefix,
        upstream_prefix=prefix if upstream_prefix is None else upstream_prefix,
        request_fields=_pairs(request_fields),
        response_fields=_pairs(response_fields),
        request_edits=frozenset(map(str.lower, request_edits)),
        response_edits=frozenset(map(str.lower, response_edits)),
        timeout=timeout,
    )
    return [Row(name, _claim(check), skipped.get(name), check, needs) for name, check in _CHECKS.items()]


def _claim(check: Check) -> str:
    return " ".join(cleandoc(check.__doc__ or "").split())


def _pairs(fields: Mapping[str, str] | Pairs) -> tuple[tuple[str, str], ...]:
    return tuple(fields.items() if isinstance(fields, Mapping) else fields)
