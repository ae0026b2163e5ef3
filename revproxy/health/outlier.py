"""Endpoints that fare worse than the others, found by what comes of their attempts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from math import sqrt
from random import Random
from statistics import fmean, median

from ..clock import SYSTEM_CLOCK, Clock
from ..endpoint import Endpoint
from ..exchange import Attempt
from .base import Eject, HealthPolicy, Verdict, Verdicts
from .blame import has_failed, who_asked

__all__ = ["OutlierDetection"]

_GATEWAY = frozenset({502, 503, 504})
_CLIENTS = 1024
"""Clients of an endpoint at most that are told apart in an interval; what others contribute does not count."""


_SAMPLED = 16
"""Attempts, of which one is looked at for who is served."""


class OutlierDetection(HealthPolicy):
    """Ejects endpoints that fail, or are slow, while others do not; as Envoy's outlier detection does, by what attempts
    show, without a probe.

    ``consecutive_5xx``, ``consecutive_gateway``, ``consecutive_local``
        So many in a row eject at once: answers from 500 to 599; 502, 503 and 504 alone; attempts without an answer
        (refused, reset, too slow). Each is counted by itself. 0: never.
    ``success_rate``
        Each ``interval``: an endpoint whose rate of successes is below the mean of all by more than so many standard
        deviations is ejected. Only where at least ``hosts`` endpoints have had at least ``requests`` each. 0: never.
    ``failure_share``
        Each interval: with at least half of ``requests``, an endpoint of whose attempts this share has failed, of 1, is
        ejected, whatever the others do. 0: never.
    ``latency``
        Each interval: an endpoint whose mean time to the response head is more than so many times the median of all
        endpoints' is ejected, under the same conditions as for ``success_rate``. 0: never.
    ``base``, ``most``, ``jitter``
        Seconds of an ejection: ``min(base * k, most)``, with up to a share of ``jitter`` more by chance. ``k`` is how
        often the endpoint was ejected; it falls by one in each interval in which it is not.
    ``max_ejected``
        The share of the endpoints that may be ejected at once, of 1; one always may, all never.
    ``per_client``
        How many failures in an interval may be by one client, beyond which they do not count: lest a client that knows
        how to provoke an error has servers ejected. Nor does a row eject that is one client's alone, where others are
        served.

    What the client did never counts: that it went away is no failure, nor is it a success. Raises ``ValueError`` that
    names the parameter.
    """

    def __init__(
        self,
        *,
        consecutive_5xx: int = 5,
        consecutive_gateway: int = 5,
        consecutive_local: int = 5,
        success_rate: float = 1.9,
        failure_share: float = 0.85,
        latency: float = 0.0,
        interval: float = 10.0,
        hosts: int = 5,
        requests: int = 100,
        base: float = 30.0,
        most: float = 300.0,
        jitter: float = 0.1,
        max_ejected: float = 0.1,
        per_client: int = 10,
        clock: Clock = SYSTEM_CLOCK,
        rng: Random | None = None,
    ) -> None:
        counts = {
            "consecutive_5xx": consecutive_5xx,
            "consecutive_gateway": consecutive_gateway,
            "consecutive_local": consecutive_local,
        }
        for name, count in counts.items():
            if type(count) is not int or count < 0:
                raise ValueError(f"{name} must be an integer of at least 0, got {count!r}")
        for name, number in (("hosts", hosts), ("requests", requests), ("per_client", per_client)):
            if type(number) is not int or number < 1:
                raise ValueError(f"{name} must be an integer of at least 1, got {number!r}")
        if not 0 <= success_rate < float("inf"):
            raise ValueError(f"success_rate must be at least 0 and finite, got {success_rate}")
        if latency and not 1 < latency < float("inf"):
            raise ValueError(f"latency must be a factor above 1, or 0, got {latency}")
        for name, share in (("failure_share", failure_share), ("max_ejected", max_ejected), ("jitter", jitter)):
            if not 0 <= share <= 1:
                raise ValueError(f"{name} must be 0 to 1, got {share}")
        if not 0 < interval < float("inf"):
            raise ValueError(f"interval must be above 0 and finite, got {interval}")
        if not 0 < base <= most < float("inf"):
            raise ValueError(f"base must be above 0 and at most most, got {base} and {most}")
        self.interval: float | None = interval
        self.max_ejected: float = min(max_ejected, 0.999)  # never all
        self._consecutive = counts
        self._deviations = success_rate
        self._failure_share = failure_share
        self._latency = latency
        self._hosts = hosts
        self._requests = requests
        self._base, self._most, self._jitter = base, most, jitter
        self._per_client = per_client
        self._clock = clock
        self._rng = rng or Random()
        self._records: dict[Endpoint, _Record] = {}
        self._judged_at = float("-inf")
        self._serves: Verdicts | None = None

    def bind(self, endpoints: Sequence[Endpoint], verdicts: Verdicts) -> None:
        if self._serves is not None and self._serves is not verdicts:
            raise ValueError("health: an OutlierDetection serves one upstream, whose attempts it compares")
        self._serves = verdicts if endpoints else None
        self._records = {each: self._records.get(each) or _Record() for each in endpoints}

    def settled(self, attempt: Attempt) -> Verdict | None:
        record = self._records.get(attempt.endpoint)
        if record is None:
            return None
        failed = has_failed(attempt)
        if failed is None:
            return None
        if failed:
            client = who_asked(attempt)
            if not record.counts(client, self._per_client):
                return None
            record.failed_for(client)
        elif not record.total % _SAMPLED:
            record.served = who_asked(attempt)
        record.note(attempt, failed)
        for name, kind, row in (
            ("consecutive_5xx", "answers from 500 to 599", record.row_5xx),
            ("consecutive_gateway", "gateway errors", record.row_gateway),
            ("consecutive_local", "attempts without an answer", record.row_local),
        ):
            limit = self._consecutive[name]
            if limit and row >= limit and not record.is_one_clients:
                return self._eject(attempt.endpoint, record, f"{row} {kind} in a row")
        return None

    def judge(self, endpoints: Sequence[Endpoint], now: float) -> Iterable[Verdict]:
        records = {each: self._records[each] for each in endpoints if each in self._records}
        verdicts = list(self._judged(records, now))
        ejected = {each.endpoint for each in verdicts}
        for endpoint, record in records.items():
            if endpoint not in ejected and record.until <= self._judged_at:  # at no time of the interval was it out
                record.times = max(record.times - 1, 0)
            record.begin()
        self._judged_at = now
        return verdicts

    def declined(self, endpoint: Endpoint) -> None:
        record = self._records.get(endpoint)
        if record is not None:
            record.times -= 1
            record.until = self._clock.now()

    def overruled(self, endpoint: Endpoint) -> None:
        record = self._records.get(endpoint)
        if record is not None:
            record.until = self._clock.now()

    def _judged(self, records: dict[Endpoint, _Record], now: float) -> Iterable[Eject]:
        busy = {each: record for each, record in records.items() if record.total >= self._requests}
        enough = len(busy) >= self._hosts
        rates = {each: 1 - record.failed / record.total for each, record in busy.items()}
        floor = -1.0
        if enough and self._deviations:
            mean = fmean(rates.values())
            floor = mean - self._deviations * sqrt(fmean((rate - mean) ** 2 for rate in rates.values()))
        # Who is slow gets less, of a balancer that looks at loads: a quarter of the requests is enough to see it.
        times = {
            each: record.seconds / record.timed
            for each, record in records.items()
            if record.timed and record.total * 4 >= self._requests
        }
        usual = [seconds for each, seconds in times.items() if each in busy]
        ceiling = self._latency * median(usual) if self._latency and usual else float("inf")
        for endpoint, record in records.items():
            if now < record.until:
                continue
            if rates.get(endpoint, 1.0) < floor:
                yield self._eject(endpoint, record, f"{100 * rates[endpoint]:.3g} % succeed, under {100 * floor:.3g} %")
            elif (
                self._failure_share
                and record.total * 2 >= self._requests
                and record.failed >= self._failure_share * record.total
            ):
                yield self._eject(endpoint, record, f"{record.failed} of {record.total} attempts failed")
            elif times.get(endpoint, 0.0) > ceiling and len({*busy, endpoint}) >= self._hosts:
                yield self._eject(
                    endpoint, record, f"{1000 * times[endpoint]:.3g} ms on average, over {1000 * ceiling:.3g} ms"
                )

    def _eject(self, endpoint: Endpoint, record: _Record, why: str) -> Eject:
        record.times += 1
        seconds = min(self._base * record.times, self._most) * (1 + self._rng.random() * self._jitter)
        record.until = self._clock.now() + seconds
        record.row_5xx = record.row_gateway = record.row_local = 0
        return Eject(endpoint, why, seconds)

    def __repr__(self) -> str:
        return "OutlierDetection()"


class _Record:
    """What has come of the attempts at one endpoint: lately, and in a row."""

    __slots__ = (
        "_by",
        "_by_more",
        "_clients",
        "failed",
        "row_5xx",
        "row_gateway",
        "row_local",
        "seconds",
        "served",
        "timed",
        "times",
        "total",
        "until",
    )

    def __init__(self) -> None:
        self.row_5xx = self.row_gateway = self.row_local = 0
        self.times = 0
        """How often it was ejected, less the intervals in which it was well."""
        self.until = float("-inf")
        self.served: object = None
        """A client whose attempt went well lately, one of many."""
        self._by: object = None
        self._by_more = False
        self.begin()

    def begin(self) -> None:
        """A new interval."""
        self.total = self.failed = self.timed = 0
        self.seconds = 0.0
        self._clients: Counter[object] = Counter()

    def counts(self, client: object, limit: int) -> bool:
        """Whether one more failure by ``client`` counts."""
        known = self._clients[client]
        if known >= limit or (not known and len(self._clients) > _CLIENTS):
            return False
        self._clients[client] = known + 1
        return True

    def failed_for(self, client: object) -> None:
        """An attempt of ``client`` has failed, as the next in a row or the first of one."""
        if not (self.row_5xx or self.row_gateway or self.row_local):
            self._by, self._by_more = client, client is None
        elif client != self._by:
            self._by_more = True

    @property
    def is_one_clients(self) -> bool:
        """Whether all of those in the row were the same client's, while others were served."""
        return not self._by_more and self.served is not None and self.served != self._by

    def note(self, attempt: Attempt, failed: bool) -> None:
        self.total += 1
        self.failed += failed
        if attempt.first_byte is not None:
            self.timed += 1
            self.seconds += attempt.first_byte - attempt.started
        status = attempt.status
        if status is None:
            self.row_local += failed
            return
        # A body that breaks off is no answer either, but the head was one.
        self.row_local = self.row_local + 1 if attempt.error is not None else 0
        self.row_5xx = self.row_5xx + 1 if status >= 500 else 0
        self.row_gateway = self.row_gateway + 1 if status in _GATEWAY else 0
