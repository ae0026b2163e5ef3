"""What a secret looks like."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, NamedTuple, TypeAlias

from ...pattern_cost import check_cost
from ...pattern_effort import effort
from ...pattern_tree import parsed
from ...pattern_width import width_of
from ...pattern_words import words_of
from .masks import Fixed, Mask

__all__ = ["LONGEST", "Detector", "Find", "Found"]

LONGEST = 512
"""Bytes at most that a detector looks at from where a secret begins, or before it."""

Find: TypeAlias = Callable[[bytes, int], "tuple[int, int] | None"]
"""Where the first secret is that begins at a place or behind it: its beginning and its end."""

_NAME = re.compile(r"[a-z0-9]+(?:[-_.][a-z0-9]+)*")
_LONGEST_NAME = 40
_FEWEST = 2
_EFFORT = 4096
_FEW = 96


class Found(NamedTuple):
    """A match: where it begins, and where the secret in it begins and ends."""

    begin: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Detector:
    r"""A kind of secret. ::

        badge = Detector("badge", rb"\bB-(?P<secret>\d{6})\b", mask=SameLength())

    ``name``
        What the log calls it, and the mask unless there is another one: lower case, digits, ``-``, ``_``, ``.``.
    ``pattern``
        A regular expression for bytes. What its group ``secret`` matches is masked, or all if there is none. It has a
        bound (512 bytes, and as many that it looks behind or ahead), so that no more than that has to be held back of
        a body; and it takes a time that is in proportion to the length of the text, so that none makes it slow (see
        ``check_cost``; ``costly`` allows it all the same). The text is what it means: escapes are undone.
    ``mask``
        What takes its place; by default the name in brackets.
    ``valid``
        Is given the secret, and says whether it is one, as by its check digits. If not, the search goes on at the next
        byte.
    ``words``
        Of these, one at least is in every match, in whatever case: where none is, the pattern need not be looked for.
        By default taken from the pattern; ``()``: there are none.
    ``swallow``
        What may stand between the brackets of a character class, as ``rb"A-Za-z0-9+/=\s"``. All such bytes that come
        right behind a match are of the secret, too, without a bound, and are masked as they come.

    Matches of one detector do not overlap: it goes on where the secret ends. Use ``of_function`` for what no pattern
    says.

    Raises ``ValueError`` or ``TypeError`` that names the parameter and its value.
    """

    name: str
    pattern: bytes
    _: KW_ONLY
    mask: Mask | None = None
    valid: Callable[[bytes], bool] | None = None
    words: Collection[bytes] | None = None
    swallow: bytes = b""
    costly: bool = False

    longest: int = field(init=False, repr=False, compare=False)
    """Bytes that a match has at most."""
    behind: int = field(init=False, repr=False, compare=False)
    """Bytes before a match that it may depend on."""
    ahead: int = field(init=False, repr=False, compare=False)
    """Bytes behind a match that it may depend on."""
    needed: tuple[bytes, ...] = field(init=False, repr=False, compare=False)
    """The words, in lower case."""
    shown_as: Mask = field(init=False, repr=False, compare=False)
    """The mask, whether or not one was given."""
    regex: re.Pattern[bytes] = field(init=False, repr=False, compare=False)
    run: re.Pattern[bytes] | None = field(init=False, repr=False, compare=False)
    """What is swallowed behind a match."""
    find: Find | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        regex = _compiled("pattern", self.pattern)
        longest, behind, ahead = width_of(self.pattern, multiline=bool(regex.flags & re.MULTILINE))
        for what, wide in (("matches", longest), ("looks behind", behind), ("looks ahead", ahead)):
            if wide > LONGEST:
                how = "without a bound" if wide > 1 << 16 else f"up to {wide} bytes"
                raise ValueError(f"pattern: {self.pattern!r} {what} {how}; {LONGEST} is the most: say {{0,40}} for *")
        if regex.search(b"") is not None:
            raise ValueError(f"pattern: {self.pattern!r} matches nothing at all")
        if _is_behind(parsed(self.pattern), regex.groupindex.get("secret", 0)):
            raise ValueError(f"pattern: {self.pattern!r} has its group secret in what it looks behind at")
        if not self.costly:
            _check_cost(self.pattern.decode("latin-1"), regex.flags & ~re.LOCALE)
        if self.swallow:
            # What it is known by has to be there before any of it is masked.
            ahead = max(ahead, LONGEST - longest)
        if self.words is None:
            needed = _lowered(words_of(self.pattern.decode("latin-1")))
        else:
            needed = _checked_words(self.words)
            object.__setattr__(self, "words", needed)
        self._set(
            regex=regex,
            run=_run(self.swallow),
            longest=longest,
            behind=behind,
            ahead=ahead,
            find=None,
            needed=needed,
        )

    @classmethod
    def of_function(
        cls,
        name: str,
        find: Find,
        *,
        longest: int,
        behind: int = 0,
        ahead: int = 0,
        mask: Mask | None = None,
        valid: Callable[[bytes], bool] | None = None,
        words: Collection[bytes] | None = None,
    ) -> Detector:
        """A detector that is a function: ``find(text, place)`` says where the first secret is that begins at ``place``
        or behind it, as its beginning and its end, or ``None``.

        ``longest``
            Bytes that a secret has at most: 1 to 512.
        ``behind``, ``ahead``
            Bytes before and behind a secret that it may depend on. It is given a part of a text, that has so many; what
            it says must depend on no more than these, or it will depend on how the text is cut.

        The other parameters are those of the class.
        """
        if not callable(find):
            raise TypeError(f"find: {find!r} is not callable")
        for parameter, value, least in (("longest", longest, 1), ("behind", behind, 0), ("ahead", ahead, 0)):
            if type(value) is not int or not least <= value <= LONGEST:
                raise ValueError(f"{parameter} must be {least} to {LONGEST}, got {value!r}")
        self = cls(name, rb"(?!)", mask=mask, valid=valid, words=words)
        self._set(find=find, longest=longest, behind=behind, ahead=ahead)
        return self

    def _set(self, **values: object) -> None:
        if _NAME.fullmatch(self.name) is None or len(self.name) > _LONGEST_NAME:
            raise ValueError(f"name must be lower-case letters and digits joined by - _ or ., got {self.name!r}")
        if self.mask is not None and not isinstance(self.mask, Mask):
            raise TypeError(f"mask: {self.mask!r} is not a Mask")
        if self.valid is not None and not callable(self.valid):
            raise TypeError(f"valid: {self.valid!r} is not callable")
        values["shown_as"] = Fixed(f"[{self.name}]") if self.mask is None else self.mask
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def search(self, text: bytes, start: int, until: int, last: int) -> Found | None:
        """The first match in ``text`` that begins from ``start`` on and before ``last``. It depends on nothing from
        ``until`` on."""
        if self.find is not None:
            return self._called(self.find, text, start, until, last)
        if last - start < _FEW:  # a search would go on to the end
            for begin in range(start, last):
                match = self.regex.match(text, begin, until)
                if match is not None and (found := self._found(match)) is not None:
                    return found
            return None
        while (match := self.regex.search(text, start, until)) is not None and match.start() < last:
            if (found := self._found(match)) is not None:
                return found
            start = match.start() + 1
        return None

    def _found(self, match: re.Match[bytes]) -> Found | None:
        begin, end = match.span()
        start = begin
        if "secret" in self.regex.groupindex:
            start, end = match.span("secret")
            if self.run is not None:
                end = match.end()
        return Found(begin, start, end) if begin <= start < end else None

    def _called(self, find: Find, text: bytes, start: int, until: int, last: int) -> Found | None:
        window = text if until >= len(text) else text[:until]
        span = find(window, start)
        if span is None:
            return None
        begin, end = span
        if not start <= begin < end <= min(begin + self.longest, len(window)):
            raise ValueError(f"{self.name} says that a secret is at {begin} to {end}, asked from {start} on")
        return Found(begin, begin, end) if begin < last else None

    def accepts(self, secret: bytes) -> bool:
        """Whether ``secret`` is one, by its check digits or whatever ``valid`` looks at."""
        return self.valid is None or bool(self.valid(secret))

    def masked(self, mask: Mask) -> Detector:
        """The same detector with another ``mask``."""
        if self.find is not None:
            return Detector.of_function(
                self.name,
                self.find,
                longest=self.longest,
                behind=self.behind,
                ahead=self.ahead,
                mask=mask,
                valid=self.valid,
                words=self.words,
            )
        return Detector(
            self.name,
            self.pattern,
            mask=mask,
            valid=self.valid,
            words=self.words,
            swallow=self.swallow,
            costly=self.costly,
        )


def _check_cost(pattern: str, flags: int) -> None:
    try:
        if effort(pattern) <= _EFFORT:
            return
    except ValueError:
        pass  # a back reference, which the other one speaks of
    check_cost(re.compile(pattern, flags | re.ASCII), linear=True, lines=True)


def _is_behind(tree: Any, group: int, *, behind: bool = False) -> bool:
    """Whether ``group`` stands where a pattern looks behind: that has gone out when the rest is looked for."""
    if not isinstance(tree, Iterable) and not hasattr(tree, "getwidth"):
        return False
    if isinstance(tree, tuple) and len(tree) == 2:
        operation, value = str(tree[0]), tree[1]
        if operation == "SUBPATTERN" and behind and value[0] == group:
            return True
        behind = behind or (operation == "ASSERT" and value[0] < 0)
    return any(_is_behind(each, group, behind=behind) for each in tree)


def _compiled(parameter: str, pattern: object) -> re.Pattern[bytes]:
    if not isinstance(pattern, bytes):
        raise TypeError(f"{parameter} must be bytes, got {pattern!r}")
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{parameter}: {pattern!r} is no regular expression: {error}") from None


def _run(swallow: object) -> re.Pattern[bytes] | None:
    if not isinstance(swallow, bytes):
        raise TypeError(f"swallow must be bytes, got {swallow!r}")
    return _compiled("swallow", b"[" + swallow + b"]*") if swallow else None


def _checked_words(words: object) -> tuple[bytes, ...]:
    if not isinstance(words, Collection) or isinstance(words, bytes | str):
        raise TypeError(f"words: several of them, in a list, got {words!r}")
    checked = tuple(words)
    for word in checked:
        if not isinstance(word, bytes) or not word:
            raise ValueError(f"words must be bytes, and not empty, got {word!r}")
    return tuple(dict.fromkeys(word.lower() for word in checked))


def _lowered(words: Iterable[str]) -> tuple[bytes, ...]:
    """As they are looked for; none where one is so short that it is everywhere."""
    lowered = {word.encode("latin-1").lower() for word in words}
    return tuple(sorted(lowered)) if all(len(word) >= _FEWEST for word in lowered) else ()
