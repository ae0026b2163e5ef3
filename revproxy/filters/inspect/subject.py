"""A request as inspection sees it: its values, and what is odd about its form."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import KW_ONLY, dataclass

from ...exchange import Exchange
from ...headers import is_token
from ...security_log import Severity
from .forms import DIVIDE
from .signature import checked_id, checked_paranoia
from .value import Value

__all__ = ["Check", "Subject"]


class Subject:
    """What is inspected.

    ``texts``
        All that signatures may look at, values or more, in no order: enough to say that nothing can be found.
    ``lasting``
        The same, of what is said again and again: what is looked for in it once need not be looked for each time.
    ``troubles``
        Why a part of it could not be read as it says it should be: ``"json"``, ``"multipart"``, ``"values"`` (more of
        them than are looked at), each with a few words.
    """

    __slots__ = ("_makers", "_raw", "_values", "exchange", "lasting", "texts", "troubles")

    def __init__(self, exchange: Exchange) -> None:
        self.exchange: Exchange = exchange
        self.texts: list[str] = []
        self.lasting: Sequence[str] = ()
        self.troubles: dict[str, str] = {}
        self._makers: list[Callable[[], Iterable[Value]]] = []
        self._values: list[Value] | None = None
        self._raw: str | None = None

    def add(self, values: Iterable[Value]) -> None:
        """Look at these, too."""
        values = list(values)
        self.later([value.text for value in values], lambda: values)

    def later(self, texts: Iterable[str], make: Callable[[], Iterable[Value]], *, lasting: Sequence[str] = ()) -> None:
        """Look at the values that ``make`` makes, too, if what is in ``texts`` and ``lasting`` gives reason to."""
        self.texts += texts
        if lasting:
            self.lasting = lasting
        self._makers.append(make)
        self._values = self._raw = None

    def trouble(self, kind: str, words: str) -> None:
        """Note why not all of it could be read."""
        self.troubles.setdefault(kind, words)

    @property
    def raw(self) -> str:
        """All ``texts`` as they came, ``DIVIDE`` between them: one look at it may save a look at each."""
        raw = self._raw
        if raw is None:
            raw = self._raw = DIVIDE.join(self.texts)
        return raw

    @property
    def values(self) -> list[Value]:
        """All that signatures look at. Made on first use."""
        values = self._values
        if values is None:
            values = self._values = [value for make in self._makers for value in make()]
        return values


@dataclass(frozen=True, slots=True)
class Check:
    """What shows an attack and is no pattern in a value: a function of the whole request, a plain one. It returns what
    it saw, in a few words that quote nothing of the request, or ``None``.

    ``fields``, ``unusual``, ``troubled``
        It is asked only of requests that have one of these header fields, that have one that browsers do not send with
        every request, or that have troubles; of all, if nothing of that is said.
    """

    id: str
    test: Callable[[Subject], str | None]
    about: str
    _: KW_ONLY
    severity: Severity = Severity.CRITICAL
    paranoia: int = 1
    fields: tuple[str, ...] = ()
    unusual: bool = False
    troubled: bool = False

    def __post_init__(self) -> None:
        checked_id(self.id)
        checked_paranoia(self.paranoia)
        if not callable(self.test):
            raise TypeError(f"test: {self.test!r} is not a function")
        for each in self.fields:
            if not is_token(each):
                raise ValueError(f"fields: {each!r} is not a field name")
