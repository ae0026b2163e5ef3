"""Whether one of two streams of outcomes is worse than the other, decided while they run."""

from __future__ import annotations

from math import log1p

__all__ = ["Evidence"]

_BETS = (0.98, 0.5, 0.2, 0.07)
"""Shares of a stake that are bet on one pair of outcomes, of the most that cannot lose more than all of it. The large
ones soon find what always fails, the small ones at last find what fails a little more often."""

_ROUNDING = 1e-12


class Evidence:
    """Gathers evidence that a *candidate* goes wrong more often than a *reference*, by more than ``margin`` (0.01: one
    time in a hundred more).

    It is a test by betting (Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting", J. R.
    Stat. Soc. B 86, 2024). Outcomes are compared in pairs: what has come of the candidate since the last pair with what
    has come of the reference meanwhile. On each pair a part of a capital, which is 1 at first, is bet on the
    candidate's being worse by more than the margin. If it is not, no way to bet lets the capital grow in expectation;
    so the chance that it *ever* reaches ``1 / significance``, however long it goes on and however often one looks, is
    at most ``significance`` (Ville's inequality, 1939). Then it is ``conclusive``.

    What both suffer cancels out in each pair. The two rates may change together, at any time and by any amount, and so
    may the shares that the two have of all outcomes: none of that is assumed to be constant, or known.

    A candidate that becomes worse after a long good time is found, too. Only a part of the capital is at stake; of what
    is kept back, a little is staked afresh with every pair, which makes a mixture over all times at which it may begin
    (as in Shin, Ramdas and Rinaldo, "E-detectors", 2024; there the time between false alarms is bounded, here, by a
    capital that is staked only once, the chance that there ever is one). After ``t`` pairs ``1 / (1 + log(1 + t))`` is
    left, so what has to be won to be conclusive grows about as ``t``, and the time that takes as its logarithm.
    """

    __slots__ = ("_bets", "_kept", "_least", "_limit", "_margin", "_pairs", "_pending", "_stakes", "capital", "seen")

    def __init__(self, margin: float, significance: float) -> None:
        self._margin = margin
        self._limit = 1 / significance
        # A pair wins at least -1 - margin: no bet on it may lose more than there is.
        self._bets = tuple(bet / (1 + margin) for bet in _BETS)
        self._stakes = [0.0] * len(_BETS)
        self._kept = 1.0
        self._pairs = 0
        self._pending = [0, 0, 0, 0]  # of the candidate and of the reference: all, and those that went wrong
        self._least = 1.0
        self.capital: float = 1.0
        self.seen: list[int] = [0, 0, 0, 0]
        """The same, since the capital was last at its least: what the evidence rests on."""

    @property
    def conclusive(self) -> bool:
        """Whether the candidate is worse, as far as can be known."""
        return self.capital >= self._limit

    def candidate(self, bad: bool) -> bool:
        """The next outcome of the candidate. Whether the evidence is conclusive, if that has made a pair of it."""
        pending = self._pending
        pending[0] += 1
        pending[1] += bad
        return pending[2] > 0 and self._bet()

    def reference(self, bad: bool) -> bool:
        """The same of the reference."""
        pending = self._pending
        pending[2] += 1
        pending[3] += bad
        return pending[0] > 0 and self._bet()

    def _bet(self) -> bool:
        count, wrong, others, wrong_others = pending = self._pending
        self._pending = [0, 0, 0, 0]
        won = wrong / count - wrong_others / others - self._margin
        self._pairs += 1
        kept = 1 / (1 + log1p(self._pairs))
        fresh = (self._kept - kept) / len(_BETS)
        self._kept = capital = kept
        stakes, limit = self._stakes, self._limit
        for at, bet in enumerate(self._bets):
            stake = (stakes[at] + fresh) * (1 + bet * won)
            stakes[at] = stake if stake < limit else limit  # more would be of no use, and could become infinite
            capital += stakes[at]
        self.capital = capital
        if capital <= self._least:
            self._least = capital + _ROUNDING
            self.seen = [0, 0, 0, 0]
        else:
            self.seen = [old + new for old, new in zip(self.seen, pending, strict=True)]
        return capital >= self._limit

    def __repr__(self) -> str:
        return f"<Evidence {self.capital:.3g} of {self._limit:g} after {self._pairs} pairs>"
