"""What a service that knows who asks has granted, and for how long that is known."""

from __future__ import annotations

import hmac
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from secrets import token_bytes

from ...clock import Clock
from ...facts import Principal

__all__ = ["Granted", "Grants"]

_KEPT = 1024
_LARGEST = 4096


@dataclass(frozen=True, slots=True)
class Granted:
    """Who asks, if that was said; and the fields, in order, that the servers behind are told."""

    principal: Principal | None
    fields: tuple[tuple[str, str], ...]


class Grants:
    """What was granted within the last ``seconds``, by what the service was told: 1,024 of them at most, the one that
    was used last is forgotten last. 0: nothing is kept.

    Of what the service was told, credentials included, only a digest is kept, with a key of this process.
    """

    def __init__(self, seconds: float, clock: Clock) -> None:
        self._seconds = seconds
        self._clock = clock
        self._secret = token_bytes(32)
        self._known: OrderedDict[bytes, tuple[Granted, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def key(self, told: Iterable[tuple[str, str]]) -> bytes | None:
        """By what an answer to a question with these fields is found again; ``None``: it is not."""
        if not self._seconds:
            return None
        # As a list prints itself no two of them are alike, whatever is in the values.
        said = repr([(name.lower(), value) for name, value in told])
        return hmac.digest(self._secret, said.encode("utf-8", "surrogatepass"), "sha256")

    def get(self, key: bytes | None) -> Granted | None:
        known = None if key is None else self._known.get(key)
        if key is None or known is None:
            return None
        if self._clock.now() >= known[1]:
            del self._known[key]
            return None
        self._known.move_to_end(key)
        return known[0]

    def add(self, key: bytes | None, granted: Granted) -> None:
        """Keep ``granted``, unless it is too large for that."""
        if key is None or sum(len(name) + len(value) for name, value in granted.fields) > _LARGEST:
            return
        self._known[key] = granted, self._clock.now() + self._seconds
        self._known.move_to_end(key)
        if len(self._known) > _KEPT:
            self._known.popitem(last=False)

    def clear(self) -> None:
        self._known.clear()

    def __repr__(self) -> str:
        return f"<Grants {len(self._known)} for {self._seconds:g} s>"
