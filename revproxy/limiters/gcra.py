"""The generic cell rate algorithm, for many keys."""

from __future__ import annotations

from collections import deque
from hashlib import blake2b
from heapq import heappop, heappush
from math import inf
from typing import Final

from .debts import Debts
from .limiter import LimiterKey, Verdict

__all__ = ["Gcra"]

_SLACK: Final = 1e-6
"""Of a unit: what rounding may take, so that ``burst`` at once are never one less."""
_MOST: Final = 1e15
"""Units that anybody can owe: beyond, adding one to a float adds nothing."""
_STEPS: Final = 16
"""How finely times are told apart when something has to go: into so many parts of the time that a burst takes."""
_LONGEST: Final = 16
"""Characters of a key that is kept as it is. Of a longer one its digest is: a client's field takes no more memory."""
_DIGEST: Final = 20
_TIDIED: Final = 2
"""Keys that are looked at for each one that is new, in search of those that owe nothing any more."""


class Gcra:
    """Gives each key ``rate`` units a second, and ``burst`` at once to who has not asked for a while: the generic cell
    rate algorithm (ITU-T I.371, virtual scheduling), a leaky bucket that is one number for each key. That number is the
    theoretical arrival time, at which all is paid: ``tat = max(now, tat) + cost / rate``, and a request is allowed if
    ``tat - now <= burst / rate``. One that is refused changes nothing, so who keeps asking gets his rate. ::

        limiter = Gcra(10, 20)
        limiter.hit("alice", now)                # Verdict(allowed=True, remaining=19.0, ...)

    ``rate``
        Units a second; ``1 / 60`` is one a minute.
    ``burst``
        Units at once, at least 1: as many pass that come together, and more only as time goes by.
    ``size``
        Keys that are kept at most. Each takes about 200 bytes, with what is kept of others that had to go.

    In a full table the key goes first whose time has passed, for it owes nothing; then that whose time comes next, to a
    sixteenth of ``burst / rate``: of those that owe the same the least recently used, and last whoever asks for all
    that he can get. What a key owes that had to go is kept in a sketch (``Debts``): it goes on to be refused for as
    long as it would have been. The price is paid by keys that are new: while n that had to go still owe, one of them is
    taken for one that owes, too, with a probability of (1 - exp(-n / w))^4, w being ``size`` rounded up to a power of
    two of at least 1024, and for no more than the least of four of those owes; many times more than w keys, which could
    be an attack, get together no less than what w of them have. So ``size`` should be above the number of keys that ask
    within ``burst / rate`` seconds. (65,536 is how many /64 networks of IPv6 a /48 has.)

    Costs are any numbers; whole ones are added without rounding as long as ``rate`` times the clock's seconds is below
    2⁵³, about 9·10¹⁵: with 10⁹ units a second, bytes for one, for 104 days of the clock. Beyond, costs are rounded to 2
    units, then to 4, and so on, and half of that or less may cost nothing: count in larger units. Somebody may come to
    owe more than ``burst`` (``settle``), up to 10¹⁵ units.

    Raises ``ValueError`` that names the parameter and its value.
    """

    __slots__ = ("_burst", "_debts", "_order", "_period", "_rate", "_size", "_steps", "_table", "_width")

    def __init__(self, rate: float, burst: float, *, size: int = 65536) -> None:
        if not 1 / _MOST <= rate <= _MOST:
            raise ValueError(f"rate must be {1 / _MOST:.0e} to {_MOST:.0e}, got {rate}")
        if not 1 <= burst <= _MOST:
            raise ValueError(f"burst must be 1 to {_MOST:.0e}, got {burst}")
        if type(size) is not int or size < 1:
            raise ValueError(f"size must be an integer of at least 1, got {size!r}")
        self._rate = float(rate)
        self._burst = float(burst)
        self._size = size
        self._period = 1 / rate
        # Times are kept in multiples of the period, the time of one unit: what is added to them then is a cost.
        self._table: dict[LimiterKey, float] = {}
        self._debts = Debts(size)
        # Each key of the table stands once in a list: that of the step in which its time was when it was put there.
        self._width = burst / _STEPS
        self._steps: dict[int, deque[LimiterKey]] = {}
        self._order: list[int] = []

    @property
    def rate(self) -> float:
        return self._rate

    @property
    def burst(self) -> float:
        return self._burst

    @property
    def size(self) -> int:
        """Keys that are kept at most."""
        return self._size

    def __len__(self) -> int:
        """How many are kept now; some of them may owe nothing any more."""
        return len(self._table)

    def hit(self, key: LimiterKey, now: float, cost: float = 1.0) -> Verdict:
        """Take ``cost`` units, of 0 or more, if they are there; all or none. Raises ``ValueError`` for a cost that is
        none, and ``TypeError`` for a key that is neither text nor bytes."""
        if not 0 <= cost <= _MOST:
            raise ValueError(f"cost must be 0 to {_MOST:.0e}, got {cost}")
        try:
            if len(key) > _LONGEST:
                key = _digest(key)
            known = self._table.get(key)
        except TypeError:
            raise _no_key(key) from None
        at = now * self._rate
        tat = self._unknown(key, at) if known is None else known
        owed = tat - at if tat > at else 0.0
        left = self._burst - owed - cost
        if left < -_SLACK:
            return Verdict(
                False,
                max(left + cost, 0.0),
                inf if cost > self._burst + _SLACK else -left * self._period,
                owed * self._period,
            )
        if cost:
            tat = (tat if tat > at else at) + cost
            if known is None:
                self._insert(key, tat, at)
            else:
                self._table[key] = tat
        return Verdict(
            True,
            left if left > 0 else 0.0,
            (cost - left) * self._period if left < cost else 0.0,
            (owed + cost) * self._period,
        )

    def peek(self, key: LimiterKey, now: float, cost: float = 1.0) -> Verdict:
        """What ``hit`` would say. Takes nothing."""
        if not 0 <= cost <= _MOST:
            raise ValueError(f"cost must be 0 to {_MOST:.0e}, got {cost}")
        at, key = now * self._rate, _short(key)
        known = self._table.get(key)
        owed = max(self._unknown(key, at) if known is None else known, at) - at
        left = self._burst - owed - cost
        if left < -_SLACK:
            wait = inf if cost > self._burst + _SLACK else -left
            return Verdict(False, max(left + cost, 0.0), wait * self._period, owed * self._period)
        wait = max(cost - left, 0.0)
        return Verdict(True, max(left, 0.0), wait * self._period, (owed + cost) * self._period)

    def settle(self, key: LimiterKey, now: float, cost: float) -> None:
        """Take ``cost`` units whether or not they are there: who owes more than ``burst`` waits until he does not. A
        cost below 0 gives back, at most all that is owed. Raises as ``hit`` does."""
        if not -_MOST <= cost <= _MOST:
            raise ValueError(f"cost must be -{_MOST:.0e} to {_MOST:.0e}, got {cost}")
        at, key = now * self._rate, _short(key)
        known = self._table.get(key)
        tat = self._unknown(key, at) if known is None else known
        tat = min(max(tat, at) + cost, at + _MOST)
        if known is not None:
            self._table[key] = tat
        elif cost > 0:
            self._insert(key, tat, at)

    # The table.

    def _unknown(self, key: LimiterKey, at: float) -> float:
        """The time of a key that is not in the table."""
        if not isinstance(key, str | bytes):
            raise _no_key(key)
        return self._debts.until(key, at)

    def _insert(self, key: LimiterKey, tat: float, at: float) -> None:
        """Keep a key that is new. For each one two are looked at, so that in the mean it takes the same time however
        many there are: a key is listed anew only if it was hit since."""
        table = self._table
        for _ in range(_TIDIED):
            if not self._look(at, evict=False):
                break
        while len(table) >= self._size:
            self._look(at, evict=True)
        table[key] = tat
        self._list(key, self._step(tat, at))

    def _step(self, tat: float, at: float) -> int:
        """Where to list a key. The further away its time is, the coarser: there are never many lists."""
        step = int(tat / self._width)
        away = step - int(at / self._width)
        return step if away <= 2 * _STEPS else step | (1 << away.bit_length() - 5) - 1

    def _list(self, key: LimiterKey, step: int) -> None:
        listed = self._steps.get(step)
        if listed is None:
            self._steps[step] = deque((key,))
            heappush(self._order, step)
        else:
            listed.append(key)

    def _look(self, at: float, *, evict: bool) -> bool:
        """Look at the key that was listed first for the earliest step: drop it, or list it anew if it was hit since.
        Whether there was one to look at: unless ``evict``, only those are whose step is over."""
        if not self._order or (self._order[0] >= int(at / self._width) and not evict):
            return False
        listed_for = self._order[0]
        listed = self._steps[listed_for]
        key = listed.popleft()
        if not listed:
            del self._steps[listed_for]
            heappop(self._order)
        tat = self._table[key]
        if tat > at:
            step = self._step(tat, at)
            if step > listed_for:
                self._list(key, step)
                return True
            self._debts.add(key, tat)
        del self._table[key]
        return True

    def __repr__(self) -> str:
        return f"<Gcra {self._rate:g}/s, {self._burst:g} at once: {len(self._table)} of {self._size} keys>"


def _short(key: LimiterKey) -> LimiterKey:
    if not isinstance(key, str | bytes):
        raise _no_key(key)
    return key if len(key) <= _LONGEST else _digest(key)


def _digest(key: LimiterKey) -> bytes:
    # Longer than what is kept as it is: nobody can name the digest of another one's key.
    if isinstance(key, str):
        return blake2b(key.encode("utf-8", "surrogatepass"), digest_size=_DIGEST, person=b"text").digest()
    return blake2b(key, digest_size=_DIGEST).digest()


def _no_key(key: object) -> TypeError:
    return TypeError(f"key must be text or bytes, got {key!r}")
