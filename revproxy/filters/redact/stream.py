"""Taking the secrets out of a text, as it comes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from .detector import Detector
from .engine import Engine, Secret
from .literals import is_number, mask_literals, mask_rest, quotes
from .masks import Mask
from .spelling import Reading, Spelling

__all__ = ["Noted", "Unit"]

Noted: TypeAlias = Callable[[Detector], None]
"""Is called for each secret that is taken out, before anything of it is."""


class Unit:
    """A text, or a part of one that no secret goes beyond: a line, an event. What comes out is the same, joined,
    however what goes in is cut.

    ``json``
        Whether it is JSON. A secret that is a number there, without quotes, becomes another one, and of one that goes
        beyond a string the quotes stay, and what else JSON is made of: what was JSON is JSON.

    Held back are at most as many bytes of what the text means as say whether a secret begins (``Engine.reach``), and
    before a secret of which a part may be shown as many again.
    """

    __slots__ = (
        "_done",
        "_engine",
        "_json",
        "_nexts",
        "_noted",
        "_quoted",
        "_raw",
        "_raw_done",
        "_searched",
        "_secrets",
        "_spelling",
    )

    def __init__(self, engine: Engine, spelling: Spelling, noted: Noted, *, json: bool) -> None:
        self._engine = engine
        self._spelling = spelling
        self._noted = noted
        self._json = json
        self._reset()

    def _reset(self) -> None:
        self._raw = b""
        """What was not handed out, and before it what may be looked back at."""
        self._raw_done = 0
        """Up to where in it everything was handed out; ``_done``: in the view."""
        self._done = 0
        self._searched = 0
        """Where in the view those matches begin that are not certain yet."""
        self._nexts: dict[int, int] = {}
        self._secrets: list[Secret] = []
        self._quoted = 0
        """How many quotes there were up to ``_raw_done``."""

    @property
    def is_fresh(self) -> bool:
        """Whether nothing of it has come yet."""
        return not self._raw

    def feed(self, text: bytes, *, last: bool) -> bytes:
        """Take more of it, and return what is certain by now; all, and be ready for the next unit, if it is the
        ``last`` of this one."""
        raw = self._raw + text if self._raw else text
        reading = self._spelling.read(raw, last=last)
        view = reading.view
        for secret in self._secrets:
            if secret.open:
                self._engine.extend(secret, view, self._nexts, last=last)
        found = self._engine.find(view, self._searched, self._nexts, last=last)
        certain = len(view) if last else max(len(view) - self._engine.reach + 1, self._searched)
        if found or self._secrets:
            self._secrets = sorted(self._secrets + found, key=_order)
            pieces: list[bytes] = []
            certain_to_go = self._mask(raw, reading, certain, pieces, last=last)
            self._pass(raw, reading, certain_to_go, pieces)
            out = b"".join(pieces)
        else:
            out = self._passed(raw, reading, certain)
        if last:
            rest = raw[self._raw_done :]
            self._reset()
            return out + rest if rest else out
        self._searched = certain
        self._forget(raw, reading)
        return out

    def _pass(self, raw: bytes, reading: Reading, place: int, pieces: list[bytes]) -> None:
        passed = self._passed(raw, reading, place)
        if passed:
            pieces.append(passed)

    def _passed(self, raw: bytes, reading: Reading, place: int) -> bytes:
        """What has not been handed out yet before ``place``."""
        if place <= self._done:
            return b""
        self._done = place
        end = reading.start_of(place)
        if end <= self._raw_done:
            return b""
        passed = raw[self._raw_done : end]
        self._raw_done = end
        if self._json:
            self._quoted += quotes(passed)
        return passed

    def _mask(self, raw: bytes, reading: Reading, certain: int, pieces: list[bytes], *, last: bool) -> int:
        """Hand out what comes before ``certain``, up to the last secret there, which may end behind it; up to where the
        rest may be handed out, too."""
        kept: list[Secret] = []
        for place, secret in enumerate(self._secrets):
            if secret.start >= certain:
                kept.append(secret)
                continue
            mask = secret.detector.shown_as
            is_whole = True
            if mask.reveals and not secret.begun:
                if secret.end > certain and secret.detector.run is None:
                    certain = secret.start  # another may overlap with it
                    kept.append(secret)
                    continue
                is_whole = secret.detector.run is None and not self._overlaps(place)
            if secret.end > self._done:
                start = max(secret.start, self._done)
                self._pass(raw, reading, start, pieces)
                begin = max(self._raw_done, reading.start_of(start))
                end = reading.end_of(secret.end)
                if not secret.begun:
                    self._noted(secret.detector)
                    known = max(begin, min(end, reading.end_of(secret.start + len(secret.value))))
                    pieces.append(self._masked(raw, begin, known, end, secret, is_whole=is_whole))
                    secret.begun = True
                else:
                    pieces.append(self._rest(raw[begin:end], secret, self._quoted))
                if self._json:
                    self._quoted += quotes(raw[begin:end])
                self._done, self._raw_done = secret.end, end
            if secret.open:
                kept.append(secret)
        self._secrets = kept
        return certain

    def _overlaps(self, place: int) -> bool:
        secret = self._secrets[place]
        if secret.start < self._done:
            return True
        return place + 1 < len(self._secrets) and self._secrets[place + 1].start < secret.end

    def _masked(self, raw: bytes, begin: int, known: int, end: int, secret: Secret, *, is_whole: bool) -> bytes:
        """What stands for ``raw`` from ``begin`` to ``end``. What there is up to ``known`` says what it is like, which
        does not depend on how the text is cut."""
        mask, found = secret.detector.shown_as, raw[begin:known]
        masked: bytes | None = None
        if self._json:
            is_inside = self._quoted % 2 == 1
            if not is_inside and is_number(raw, begin, known):
                masked = mask.number(found) if is_whole else Mask.number(mask, found)
            elif not is_inside or b'"' in found:
                masked = mask_literals(found, mask, secret.value, is_inside=is_inside)
            secret.bare = masked is not None
        if masked is None:
            masked = mask.of(secret.value if is_whole else b"", known - begin)
        return masked + self._rest(raw[known:end], secret, self._quoted + quotes(found)) if known < end else masked

    def _rest(self, text: bytes, secret: Secret, quoted: int) -> bytes:
        """What stands for what a secret goes on with, before which there were so many quotes."""
        mask, is_inside = secret.detector.shown_as, quoted % 2 == 1
        if self._json and (secret.bare or (is_inside and b'"' in text)):
            secret.bare = True
            return mask_rest(text, mask, is_inside=is_inside)
        return mask.rest(len(text))

    def _forget(self, raw: bytes, reading: Reading) -> None:
        """Keep what is still needed."""
        gone = reading.before(max(min(self._done, self._searched - self._engine.behind), 0))
        cut = reading.start_of(gone)
        self._raw = raw[cut:]
        self._raw_done -= cut
        self._done -= gone
        self._searched -= gone
        if self._nexts:
            self._nexts = {at: place - gone for at, place in self._nexts.items() if place - gone > self._searched}
        for secret in self._secrets:
            secret.start -= gone
            secret.end -= gone

    def __repr__(self) -> str:
        return f"<Unit of {self._spelling.name}: {len(self._raw) - self._raw_done} bytes held>"


def _order(secret: Secret) -> tuple[int, int, int]:
    return secret.order
