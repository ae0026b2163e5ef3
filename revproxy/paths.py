"""The one reading of a request target: what is sent, what is matched, what is refused.

Nothing else in the library decodes a path. Rules, caches and the upstream therefore never disagree about what a target
means: what no honest client sends is refused, what honest clients send passes byte for byte.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

from .errors import BadRequest

__all__ = ["EmptySegments", "EncodedSlash", "PathPolicy", "Reading", "below", "canonical", "locate"]

EncodedSlash = Literal["auto", "refuse", "keep", "decode"]
EmptySegments = Literal["auto", "refuse", "keep", "merge"]


class Reading(NamedTuple):
    """A target, read.

    ``target``
        What is sent upstream: as received, but for what the policy normalises and an empty path, which is ``/``.
    ``path``
        What is matched: ASCII, every character in its only form (see ``canonical``). ``*`` for the target ``*``.
    ``query``
        What stands after the first ``?``, never touched; ``None`` if there is no ``?``, empty if nothing follows it.
    """

    target: str
    path: str
    query: str | None


_PCHAR = "A-Za-z0-9._~!$&'()*+,;=:@-"
"""RFC 3986 section 3.3: what stands for itself in a path segment."""

# The group is not possessive: before 3.11.5 Python stays where such a group has failed (CPython issue 106052), behind
# the slash of a dot segment.
_PLAIN = re.compile(rf"(?=/)((?:/(?!\.)[{_PCHAR}]++)*/?+)(?:\?([!-\"$-~]*+))?+")
"""A target that reads as it is: nothing encoded, no segment that is empty or begins with a dot."""

_ILLEGAL = re.compile("[\0-\x20\x7f#\ud800-\udc7f\udd00-\udfff]")
"""Nowhere in a target: controls, space, fragment (RFC 9112 section 3.2), surrogates that stand for no byte."""

_BAD_PERCENT = re.compile("%(?![0-9A-Fa-f]{2})")

_OTHERWISE_WRITTEN = rf"%[0-9A-Fa-f]{{2}}|[^%/{_PCHAR}]"
_NOT_CANONICAL = re.compile(_OTHERWISE_WRITTEN.encode())
_NOT_PLAIN = re.compile(_OTHERWISE_WRITTEN)
_FORMS = [
    bytes([byte]) if re.fullmatch(f"[{_PCHAR}]", chr(byte)) else f"%{byte:02X}".encode("ascii") for byte in range(256)
]

_NEVER = re.compile(
    r"""
      (?P<nul> %00 )
    | (?P<backslash> %5C )
    | (?P<overlong> %C[01]%[89AB] | %E0%[89] | %F0%8 | %F8%8[0-7] | %FC%8[0-3] )
    | (?P<dots> (?: / | %2F ) \.\.? (?= / | %2F | ; | \Z ) )
    """,
    re.VERBOSE,
)
"""What no honest client has in a path, found in its canonical form."""

_REASONS: dict[str | None, str] = {
    "nul": "NUL",
    "backslash": "backslash",
    "overlong": "overlong UTF-8",
    "dots": "dot segment",
}

_ENCODED_SLASH = re.compile("%2[Ff]")
_SLASHES = re.compile("//+")


def canonical(raw: str) -> str:
    """``raw``, a path or a piece of one, with every character in its only form: ASCII, and its own canonical form.

    Everything is percent-decoded once and then encoded again with upper-case digits, but for what RFC 3986 section 3.3
    lets stand for itself and the slashes of ``raw``. A slash that was encoded stays ``%2F``, a percent sign ``%25``.
    Bytes from 0x80 up are those that UTF-8 with ``surrogateescape`` makes of ``raw``. Raises ``BadRequest`` for a
    percent sign without two hexadecimal digits.
    """
    if _BAD_PERCENT.search(raw) is not None:
        raise BadRequest("bad percent-encoding in the path")
    return _NOT_CANONICAL.sub(_form, raw.encode("utf-8", "surrogateescape")).decode("ascii")


def _form(match: re.Match[bytes]) -> bytes:
    found = match[0]
    return _FORMS[found[0] if len(found) == 1 else int(found[1:], 16)]


def locate(raw: str) -> Callable[[int], int | None]:
    """What finds a place in ``canonical(raw)`` in ``raw``: so that what is matched in the one can be taken from the
    other, byte for byte. It returns ``None`` for a place within a character that either of them percent-encodes.

    Raises ``BadRequest`` as ``canonical`` does.
    """
    canonical(raw)
    marks: list[tuple[int, int, int]] = []  # of such a character: where its canonical form begins, where both forms end
    shift = 0
    for found in _NOT_PLAIN.finditer(raw):
        start = found.start() + shift
        end = start + len(canonical(found[0]))
        marks.append((start, end, found.end()))
        shift = end - found.end()

    def find(place: int) -> int | None:
        before = bisect_left(marks, (place,)) - 1
        if before < 0:
            return place
        _, end, raw_end = marks[before]
        return None if place < end else raw_end + place - end

    return find


def below(prefix: str, path: str, target: str) -> str | None:
    """What is left of ``target``, whose canonical path is ``path``, without the segments of ``prefix``, byte for byte;
    ``None`` if it is not below it. Of ``prefix`` itself ``/`` is left. Raises ``BadRequest`` if two slashes would begin
    it, by which many take what follows for a host.

    ``prefix`` is canonical, without a slash at its end.
    """
    if path != prefix and not path.startswith(f"{prefix}/"):
        return None
    raw, mark, query = target.partition("?")
    for _ in range(prefix.count("/")):
        cut = raw.find("/", 1)
        raw = "" if cut < 0 else raw[cut:]
    if prefix and raw.startswith("//"):
        raise BadRequest("two slashes at the beginning of the path")
    return f"{raw or '/'}{mark}{query}"


_new = tuple.__new__  # a third of what the constructor of a named tuple costs


@dataclass(frozen=True, slots=True, kw_only=True)
class PathPolicy:
    """What a path means that two servers may read differently.

    ``encoded_slash``
        ``%2F``, as object stores and GitLab use it. ``"keep"``: part of its segment, sent as it came. ``"decode"``:
        a slash, and sent as one. ``"refuse"``: 400.
    ``empty_segments``
        ``//``. A slash at the end of a path makes no empty segment. ``"keep"``: segments like others. ``"merge"``: as
        if there were one slash, and sent so. ``"refuse"``: 400.

    ``"auto"`` keeps where the proxy decides nothing by the path, and refuses where it has a path condition that the
    second reading could slip by.

    Refused always: dot segments, plain, encoded, or with parameters (``..;x``); backslash and NUL, plain or encoded;
    bad percent-encoding; overlong UTF-8. Path parameters (``/admin;x``) are part of their segment: a back end that
    drops them (Tomcat, Jetty) sees ``/admin`` where a rule sees ``/admin;x``. ``PathPolicy`` has no reading for that.

    Raises ``ValueError`` that names the parameter and its value.
    """

    encoded_slash: EncodedSlash = "auto"
    empty_segments: EmptySegments = "auto"

    def __post_init__(self) -> None:
        for name, value, choices in (
            ("encoded_slash", self.encoded_slash, get_args(EncodedSlash)),
            ("empty_segments", self.empty_segments, get_args(EmptySegments)),
        ):
            if value not in choices:
                raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}, got {value!r}")

    def bind(self, *, conditions: bool) -> Callable[[str], Reading]:
        """The reader of targets for a proxy that has path conditions, or has none.

        The reader takes a target in origin form, or ``*`` (RFC 9112 section 3.2), decoded as UTF-8 with
        ``surrogateescape``; whether ``*`` is legal is for the caller to know. It raises ``BadRequest``, whose message
        quotes nothing of the target. Its time is linear in the target's length.
        """
        auto = "refuse" if conditions else "keep"
        encoded_slash = auto if self.encoded_slash == "auto" else self.encoded_slash
        empty_segments = auto if self.empty_segments == "auto" else self.empty_segments

        def read(target: str) -> Reading:
            plain = _PLAIN.fullmatch(target)
            if plain is not None:
                return _new(Reading, plain.group(0, 1, 2))
            if target == "*":
                return _ASTERISK
            if _ILLEGAL.search(target) is not None:
                raise BadRequest("control character, space or fragment in the target")
            raw, mark, query = target.partition("?")
            if not raw:
                raw = "/"
            elif raw[0] != "/":
                raise BadRequest("the target is not in origin form")
            path = canonical(raw)
            never = _NEVER.search(path)
            if never is not None:
                raise BadRequest(f"{_REASONS[never.lastgroup]} in the path")
            if "%2F" in path:
                if encoded_slash == "refuse":
                    raise BadRequest("encoded slash in the path (PathPolicy.encoded_slash)")
                if encoded_slash == "decode":
                    raw, path = _ENCODED_SLASH.sub("/", raw), path.replace("%2F", "/")
            if "//" in path:
                if empty_segments == "refuse":
                    raise BadRequest("empty segment in the path (PathPolicy.empty_segments)")
                if empty_segments == "merge":
                    raw, path = _SLASHES.sub("/", raw), _SLASHES.sub("/", path)
            return Reading(f"{raw}{mark}{query}", path, query if mark else None)

        return read


_ASTERISK = Reading("*", "*", None)
