"""How many results in a row it takes to believe them."""

from __future__ import annotations

__all__ = ["Tally"]


class Tally:
    """Whether a server is up, by the results of its probes: ``fall`` failures in a row say that it is not, ``rise``
    successes in a row that it is again. The first success of all is believed at once: until then nothing is known.
    """

    __slots__ = ("_fall", "_rise", "failed", "proven", "row", "up")

    def __init__(self, rise: int, fall: int) -> None:
        self._rise = rise
        self._fall = fall
        self.up: bool | None = None
        """``None``: nobody knows yet."""
        self.proven: bool = False
        """It has been up."""
        self.failed: bool = False
        """So did the last probe."""
        self.row: int = 0
        """Results in a row that were like the last."""

    def note(self, *, failed: bool) -> bool:
        """Take the result of a probe; whether it changes what is known."""
        self.row = self.row + 1 if failed is self.failed else 1
        self.failed = failed
        before = self.up
        if failed:
            if self.row >= self._fall:
                self.up = False
        elif before is None or self.row >= self._rise:
            self.up = self.proven = True
        return self.up is not before

    @property
    def hurries(self) -> bool:
        """Whether the next result is wanted soon: something is wrong, or was so a moment ago."""
        return self.failed or self.up is False

    def __repr__(self) -> str:
        known = "unknown" if self.up is None else "up" if self.up else "down"
        last = f" {'failures' if self.failed else 'successes'}={self.row}" if self.row else ""
        return f"<Tally {known}{last}>"
