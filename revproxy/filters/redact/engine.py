"""Where the secrets are in a part of a text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ...errors import InternalError
from ..prefilter import PrefilterName
from .detector import Detector
from .prefilter import Starts, places
from .spelling import Reading

__all__ = ["Engine", "Secret"]

_LEAST_BEHIND = 64


class Secret:
    """One that was found, by its places in the view, which move with it.

    ``value``
        What it means, of a long one the beginning.
    ``open``
        It goes on with whatever comes next, as far as that may stand in it.
    ``begun``
        Its mask has gone out.
    ``bare``
        It is of JSON, and no part of one string.
    """

    __slots__ = ("at", "bare", "begun", "detector", "end", "open", "start", "value")

    def __init__(self, at: int, detector: Detector, start: int, end: int, value: bytes) -> None:
        self.at: int = at
        self.detector: Detector = detector
        self.start: int = start
        self.end: int = end
        self.value: bytes = value
        self.open: bool = False
        self.begun: bool = False
        self.bare: bool = False

    @property
    def order(self) -> tuple[int, int, int]:
        """The first, then the longest, then that of the first detector."""
        return self.start, -self.end, self.at

    def __repr__(self) -> str:
        return f"<Secret {self.detector.name} at {self.start} to {self.end}>"


class Engine:
    """Looks for all ``detectors``, each on its own.

    ``reach``
        Bytes from where a secret begins that say whether it is one.
    ``behind``
        Bytes before it that are looked at.

    Raises ``ValueError`` for two detectors of the same name, ``TypeError`` for what is none.
    """

    def __init__(self, detectors: Iterable[Detector], prefilter: PrefilterName = "auto") -> None:
        self.detectors: Sequence[Detector] = tuple(detectors)
        if not self.detectors:
            raise ValueError("detectors: there must be one")
        names = set()
        for each in self.detectors:
            if not isinstance(each, Detector):
                raise TypeError(f"detectors: {each!r} is not a Detector")
            if each.name in names:
                raise ValueError(f"detectors: two of the name {each.name!r}")
            names.add(each.name)
        self._places = places(prefilter, self.detectors)
        self.reach: int = max(each.longest + each.ahead for each in self.detectors)
        self.behind: int = max(_LEAST_BEHIND, *(each.behind for each in self.detectors))

    def suspects(self, reading: Reading) -> list[tuple[int, int]] | None:
        """Where in the text that is ``reading`` matches begin, if any do: within one of these; ``None``: anywhere."""
        found: list[tuple[int, int]] = []
        for spans in self._places.starts(reading.view).values():
            if spans is None:
                return None
            found += [(reading.start_of(max(first, 0)), reading.end_of(last)) for first, last in spans if last > 0]
        return sorted(found)

    def find(self, view: bytes, start: int, nexts: dict[int, int], *, last: bool) -> list[Secret]:
        """The secrets in ``view`` whose matches begin at ``start`` or behind it, and are certain: nothing that comes
        behind the view changes them. ``last``: nothing does.

        ``nexts`` has the places where each detector goes on, where that is not ``start``, and is brought up to date.

        Raises ``InternalError`` where a detector fails. What it has failed at is not told.
        """
        secrets: list[Secret] = []
        for at, spans in self._places.starts(view).items():
            detector = self.detectors[at]
            stop = len(view) if last else len(view) - detector.longest - detector.ahead + 1
            place = max(start, nexts.get(at, 0))
            if place < stop:
                try:
                    found = list(_matches(at, detector, view, place, stop, spans))
                except Exception as error:
                    failed = f"detector {detector.name} failed: {type(error).__name__}"
                    raise InternalError(failed) from None
                if found:
                    latest = found[-1]
                    nexts[at] = latest.end
                    latest.open = latest.detector.run is not None and latest.end == len(view) and not last
                    secrets += found
        return secrets

    @staticmethod
    def extend(secret: Secret, view: bytes, nexts: dict[int, int], *, last: bool) -> None:
        """Let ``secret``, which is open, swallow what comes behind it."""
        run = secret.detector.run
        swallowed = None if run is None else run.match(view, secret.end)
        if swallowed is not None:
            nexts[secret.at] = secret.end = swallowed.end()
        secret.open = secret.end == len(view) and not last


def _matches(at: int, detector: Detector, view: bytes, place: int, stop: int, spans: Starts) -> Iterator[Secret]:
    """Each match that begins from ``place`` on and before ``stop``, the next one behind the secret of the last."""
    beyond = detector.longest + detector.ahead
    for first, last in ((place, stop),) if spans is None else spans:
        place, last = max(place, first), min(last, stop)
        until = min(len(view), last + beyond)
        while place < last:
            found = detector.search(view, place, until, last)
            if found is None:
                break
            begin, start, end = found
            if not detector.accepts(view[start:end]):
                place = begin + 1
                continue
            value = view[start:end]
            if detector.run is not None:
                swallowed = detector.run.match(view, end)
                if swallowed is not None:
                    end = swallowed.end()
                    value = view[start : min(end, begin + beyond)]
            place = end
            yield Secret(at, detector, start, end, value)
