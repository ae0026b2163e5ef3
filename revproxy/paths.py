"""The one reading of a request target: what is sent, what is matched, what is refused.

Nothing else in the library reads a target. Rules, caches and the upstream therefore never disagree about what it means:
what no honest client sends is refused, what honest clients send passes byte for byte.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias, get_args

from .canonical import PCHAR, canonical, encoded_twice
from .errors import BadRequest

__all__ = [
    "Backslash",
    "DotSegments",
    "DoubleEncoding",
    "EmptySegments",
    "EncodedDelimiters",
    "EncodedSlash",
    "Parameters",
    "PathPolicy",
    "Reading",
]

EncodedSlash: TypeAlias = Literal["auto", "refuse", "keep", "decode"]
EmptySegments: TypeAlias = Literal["auto", "refuse", "keep", "merge"]
Parameters: TypeAlias = Literal["auto", "refuse", "keep", "strip"]
DoubleEncoding: TypeAlias = Literal["auto", "refuse", "keep", "decode"]
EncodedDelimiters: TypeAlias = Literal["refuse", "keep"]
DotSegments: TypeAlias = Literal["refuse", "normalise"]
Backslash: TypeAlias = Literal["refuse", "normalise"]


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


def _plain(characters: str) -> re.Pattern[str]:
    # The group is not possessive: before 3.11.5 Python stays where such a group has failed (CPython issue 106052),
    # behind the slash of a dot segment.
    return re.compile(rf"(?=/)((?:/(?!\.)[{characters}]++)*/?+)(?:\?([!-\"$-~]*+))?+")


_PLAIN = _plain(PCHAR)
"""A target that reads as it is: nothing encoded, no segment that is empty or begins with a dot."""

_PLAIN_WITHOUT_PARAMETERS = _plain(PCHAR.replace(";", ""))

_ILLEGAL = re.compile("[\0-\x20\x7f#\ud800-\udc7f\udd00-\udfff]")
"""Nowhere in a target: controls, space, fragment (RFC 9112 section 3.2), surrogates that stand for no byte."""

# What follows is found in a path in its canonical form, and put right in that and in the raw one alike.

_NEVER = re.compile(r"(?P<nul>%00)|%C[01]%[89AB]|%E0%[89]|%F0%8|%F8%8[0-7]|%FC%8[0-3]")
"""NUL, and overlong UTF-8."""

_ONCE_MORE = re.compile("%(?:25)+(?=[0-9A-Fa-f]{2})")
_ROUNDS = 4
"""How often what was decoded may be put together so that it has to be decoded again."""

_BACKSLASH = re.compile(r"\\|%5[Cc]")
_ENCODED_SLASH = re.compile("%2[Ff]")
_ENCODED_DELIMITER = re.compile("%3F|%23")
_PARAMETERS = re.compile("(?:;|%3[Bb])[^/]*")
_SLASHES = re.compile("//+")
_DISGUISED_DOTS = re.compile(r"(?:/|%2F)\.\.?(?:%2F|;)|%2F\.\.?(?=/|\Z)")
"""Dot segments with parameters, or between slashes of which one is encoded: nobody knows who takes them for some."""
_DOTS = re.compile(r"/\.\.?(?=/|\Z)")

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
    ``parameters``
        ``;`` in a segment, plain or ``%3B``, with what follows it: ``/a;jsessionid=1``. Tomcat and Jetty take it off
        before they look for what is asked, and some decode first; to nginx and most frameworks it is part of the name.
        ``"keep"``: part of its segment. ``"strip"``: neither matched nor sent. ``"refuse"``: 400.
    ``double_encoding``
        ``%25`` with two hexadecimal digits behind it, ``%252e`` for one, which who decodes twice takes for ``.``.
        ``"keep"``: a percent sign and two digits. ``"decode"``: what it is in the end, however often it was encoded;
        the whole path is sent in canonical form then. ``"refuse"``: 400.
    ``encoded_delimiters``
        ``%3F`` and ``%23``: a question mark and a number sign in a name, and to all that split a target before they
        decode it nothing else. So they are kept, by default. ``"refuse"`` is for a back end that does not: mod_rewrite
        of Apache httpd before 2.4.60 (CVE-2024-38474), whoever makes a URL of a decoded path.
    ``dot_segments``
        ``.`` and ``..``, plain or encoded. ``"refuse"``: 400. ``"normalise"``: resolved as RFC 3986 section 5.2.4 says,
        and sent so; what climbs above the root is refused, and so is what leads out of where the proxy is mounted, for
        aiohttp has chosen a handler by then.
    ``backslash``
        Plain or ``%5C``. ``"refuse"``: 400. ``"normalise"``: a slash, as IIS reads it, and sent as one.

    ``"auto"`` keeps where the proxy decides nothing by the path, and refuses where it has a path condition that the
    second reading could slip by, and where it is mounted below a path, which decides as well. Of a proxy at ``"/"``
    beside one below ``"/admin"`` nobody but the developer knows that it must not be sent ``//admin``: give it a policy
    that says ``"refuse"``.

    Refused always: NUL, plain or encoded; bad percent-encoding (``%zz``, ``%u002e``); overlong UTF-8; controls, spaces
    and fragments; dot segments with parameters (``..;x``), and beside an encoded slash that is kept. What becomes of
    all that is normalised is read by the rest of the policy: ``/%5C`` is an empty segment, ``/%252e%252e`` a dot
    segment.

    Not a matter of a policy: case, and dots and spaces at the end of a name, which Windows drops. ``/Admin``,
    ``/admin.`` and ``/admin%20`` are other paths than ``/admin`` is. For a back end that takes them for it there is
    ``when.path(..., case_sensitive=False)``, and patterns like ``/admin.*`` and ``/admin%20*``.

    Raises ``ValueError`` that names the parameter and its value.
    """

    encoded_slash: EncodedSlash = "auto"
    empty_segments: EmptySegments = "auto"
    parameters: Parameters = "auto"
    double_encoding: DoubleEncoding = "auto"
    encoded_delimiters: EncodedDelimiters = "keep"
    dot_segments: DotSegments = "refuse"
    backslash: Backslash = "refuse"

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            value = getattr(self, name)
            if value not in choices:
                raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}, got {value!r}")

    def bind(self, *, conditions: bool) -> Callable[[str], Reading]:
        """The reader of targets for a proxy that has path conditions, or has none.

        The reader takes a target in origin form, or ``*`` (RFC 9112 section 3.2), decoded as UTF-8 with
        ``surrogateescape``; whether ``*`` is legal is for the caller to know. It raises ``BadRequest``, whose message
        quotes nothing of the target. Its time is linear in the target's length.
        """
        auto = "refuse" if conditions else "keep"
        chosen = {name: auto if getattr(self, name) == "auto" else getattr(self, name) for name in _CHOICES}
        settle = _settler(**chosen)
        is_plain = (_PLAIN if chosen["parameters"] == "keep" else _PLAIN_WITHOUT_PARAMETERS).fullmatch

        def read(target: str) -> Reading:
            plain = is_plain(target)
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
            raw, path = settle(raw, canonical(raw))
            return Reading(f"{raw}{mark}{query}", path, query if mark else None)

        return read


_CHOICES: dict[str, tuple[str, ...]] = {
    "encoded_slash": get_args(EncodedSlash),
    "empty_segments": get_args(EmptySegments),
    "parameters": get_args(Parameters),
    "double_encoding": get_args(DoubleEncoding),
    "encoded_delimiters": get_args(EncodedDelimiters),
    "dot_segments": get_args(DotSegments),
    "backslash": get_args(Backslash),
}
_ASTERISK = Reading("*", "*", None)


def _settler(
    encoded_slash: str,
    empty_segments: str,
    parameters: str,
    double_encoding: str,
    encoded_delimiters: str,
    dot_segments: str,
    backslash: str,
) -> Callable[[str, str], tuple[str, str]]:
    """What makes of a raw path and its canonical form those that have one reading, or raises ``BadRequest``.

    What one step makes is read by those after it; none makes what one before it is for. Each does the same to both
    forms, so that the second stays the canonical form of the first, and all of it done again changes nothing.
    """

    def settle_encoded(raw: str, path: str) -> tuple[str, str]:
        if encoded_twice(path):
            if double_encoding == "refuse":
                raise BadRequest("percent-encoding within percent-encoding in the path (PathPolicy.double_encoding)")
            if double_encoding == "decode":
                raw = path = _decoded(path)
        never = _NEVER.search(path)
        if never is not None:
            raise BadRequest(f"{'overlong UTF-8' if never['nul'] is None else 'NUL'} in the path")
        if "%5C" in path:
            if backslash == "refuse":
                raise BadRequest("backslash in the path (PathPolicy.backslash)")
            raw, path = _BACKSLASH.sub("/", raw), path.replace("%5C", "/")
        if encoded_delimiters == "refuse" and _ENCODED_DELIMITER.search(path) is not None:
            raise BadRequest("encoded delimiter in the path (PathPolicy.encoded_delimiters)")
        if "%2F" in path:
            if encoded_slash == "refuse":
                raise BadRequest("encoded slash in the path (PathPolicy.encoded_slash)")
            if encoded_slash == "decode":
                raw, path = _ENCODED_SLASH.sub("/", raw), path.replace("%2F", "/")
        return raw, path

    def settle(raw: str, path: str) -> tuple[str, str]:
        if "%" in path:
            raw, path = settle_encoded(raw, path)
        dotted = "/." in path or "%2F." in path
        if dotted and _DISGUISED_DOTS.search(path) is not None:
            raise BadRequest("dot segment in disguise in the path")
        if ";" in path:
            if parameters == "refuse":
                raise BadRequest("parameters in the path (PathPolicy.parameters)")
            if parameters == "strip":
                raw, path = _PARAMETERS.sub("", raw), _PARAMETERS.sub("", path)
        if "//" in path:
            if empty_segments == "refuse":
                raise BadRequest("empty segment in the path (PathPolicy.empty_segments)")
            if empty_segments == "merge":
                raw, path = _SLASHES.sub("/", raw), _SLASHES.sub("/", path)
        if dotted and _DOTS.search(path) is not None:
            if dot_segments == "refuse":
                raise BadRequest("dot segment in the path (PathPolicy.dot_segments)")
            raw, path = _resolved(raw, path)
        return raw, path

    return settle


def _decoded(path: str) -> str:
    """A canonical path, decoded as often as it takes, in its canonical form."""
    for _ in range(_ROUNDS):
        path = canonical(_ONCE_MORE.sub("%", path))
        if not encoded_twice(path):
            return path
    raise BadRequest("percent-encoding within percent-encoding in the path, time and again")


def _resolved(raw: str, path: str) -> tuple[str, str]:
    """A path without its dot segments (RFC 3986 section 5.2.4), in both forms."""
    kept: list[tuple[str, str]] = []
    end = ""
    for part, segment in zip(raw.split("/")[1:], path.split("/")[1:], strict=True):
        end = ""
        if segment == "..":
            if not kept:
                raise BadRequest("dot segments above the root in the path")
            kept.pop()
            end = "/"
        elif segment == ".":
            end = "/"
        else:
            kept.append((part, segment))
    return (
        "".join([f"/{part}" for part, _ in kept]) + end,
        "".join([f"/{segment}" for _, segment in kept]) + end,
    )
