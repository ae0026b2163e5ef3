"""The forms in which a value is looked at: what a server may make of it, undone before a pattern sees it.

Every form is lower-case printable ASCII, with one space for any run of spaces and controls. A letter beyond ASCII is
``_``, any other character beyond it ``\\x7f``; compatibility forms (full-width quotes) are what they stand for (NFKC).
Each takes time linear in the length of its value.
"""

from __future__ import annotations

import re
from binascii import Error as NotBase64
from binascii import a2b_base64
from codecs import register_error
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import IntEnum
from functools import lru_cache
from html import unescape
from unicodedata import normalize

__all__ = ["DIVIDE", "ODD", "SHORTEST", "Form", "form", "forms", "has_entities", "hidden"]


class Form(IntEnum):
    """How a value is looked at.

    ``AS_IS``
        Nothing decoded: for what is suspicious because it is encoded.
    ``TEXT``
        Percent-encoding undone, up to three times, ``%uXXXX`` and the escapes ``\\uXXXX`` and ``\\xXX`` too; NUL and
        what has no width removed.
    ``HTML``
        And the entities of HTML, those with names if they end with a semicolon.
    ``COMPACT``
        As ``HTML``, without any space: browsers drop tabs and newlines in ``java\\tscript:``.
    ``SQL``
        As ``TEXT``, comments removed; what is in ``/*!50000 ... */`` is code, and stays.
    ``SHELL``
        As ``TEXT``, without what a shell drops: quotes, backslashes, carets, ``$@``; ``${IFS}`` is a space.
    ``PATH``
        As ``TEXT``, with slashes for backslashes, and without segments of one dot.
    """

    AS_IS = 0
    TEXT = 1
    HTML = 2
    COMPACT = 3
    SQL = 4
    SHELL = 5
    PATH = 6


DIVIDE = "\x1e"
"""What several values are joined by that are brought into a form in one go: no form drops it or looks beyond it, and no
value has one."""
ODD = "\x7f"
"""What stands in a form for what is beyond ASCII and no letter."""

_SPACES = re.compile(r"[\x01-\x1d\x1f][\x01-\x1d\x1f ]*+| [\x01-\x1d\x1f ]++")
_NO_WIDTH = re.compile("[\x00\xad\u200b-\u200f\u2060-\u2064\ufeff]+")
_LETTERS = re.compile(r"[^\W\x00-\x7f]")
_OTHERS = re.compile(r"[^\x00-\x7f]")
_PERCENT = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_UNICODE = re.compile(r"%[Uu]([0-9A-Fa-f]{4})|\\[Uu]\{?([0-9A-Fa-f]{4})\}?|\\[Xx]([0-9A-Fa-f]{2})")
_ENTITY = re.compile(r"&(?:#(?:[0-9]{1,8}|[Xx][0-9A-Fa-f]{1,8});?|[A-Za-z][A-Za-z0-9]{1,31};)")
_CHANGED = re.compile(r"""[%\\'"`^${]|&(?:#|\w+;)|/\*|/\./|  """)
"""Where there is nothing of this, printable ASCII is the same in every form, but for case and spaces."""
_SQL_CODE = re.compile(r"!(?:\d{5,6})?")
_SQL_LINE = re.compile(r"(?:--|#)[^\n\x1e]{0,64}\n")
_SHELL_SPACE = re.compile(r"\$\{?ifs\b\}?(?:\$\d)?|[<>]?\{(?=[a-z/]{1,20},)")
_SHELL_NOTHING = re.compile(r"\$[@*!]|\$\{?\w?[@*]\}")
_DOT_SEGMENT = re.compile(r"/(?:\./)+")


def form(which: Form, text: str) -> str:
    """``text`` in this form."""
    if which is Form.AS_IS:
        return _folded(text)
    decoded = _decoded(text)
    make = _MORE.get(which)
    return _folded(decoded) if make is None else make(decoded, _folded(decoded))


def forms(text: str, wanted: Iterable[Form]) -> Sequence[str]:
    """``text`` in ``Form.TEXT``, and in the forms ``wanted``, but for ``Form.COMPACT``, what they change in it."""
    if _CHANGED.search(text) is None and text.isascii() and text.replace(DIVIDE, "").isprintable():
        return (text.lower(),)
    decoded = _decoded(text)
    folded = _folded(decoded)
    found = {folded: None}
    for which in wanted:
        if which is Form.AS_IS:
            if decoded is not text:
                found[_folded(text)] = None
        elif which in _MORE:
            made = _MORE[which](decoded, folded)
            if made != folded:
                found[_changed(made, folded)] = None
    return tuple(found)


def _changed(made: str, folded: str) -> str:
    """Of several values in a form, those that are not the same as they are folded."""
    if DIVIDE not in made:
        return made
    return DIVIDE.join([new for new, old in zip(made.split(DIVIDE), folded.split(DIVIDE), strict=True) if new != old])


def has_entities(text: str) -> bool:
    """Whether there may be entities of HTML in what ``text`` is the ``Form.TEXT`` of."""
    return "&" in text and _ENTITY.search(text) is not None


def _html(decoded: str, folded: str) -> str:
    if "&" not in decoded:
        return folded
    text = _ENTITY.sub(_entity, decoded)
    return folded if text is decoded else _folded(text)


def _entity(found: re.Match[str]) -> str:
    return unescape(found[0])


def _compact(decoded: str, folded: str) -> str:
    return _html(decoded, folded).replace(" ", "")


def _sql(decoded: str, folded: str) -> str:
    text = decoded
    if "\n" in text and ("--" in text or "#" in text):
        text = _SQL_LINE.sub(" ", text)
    if "/*" in text:
        text = DIVIDE.join([_without_comments(each) for each in text.split(DIVIDE)])
    return folded if text is decoded else _folded(text)


def _without_comments(text: str) -> str:
    kept: list[str] = []
    at = 0
    while (start := text.find("/*", at)) >= 0 and (end := text.find("*/", start + 2)) >= 0:
        kept.append(text[at:start])
        code = _SQL_CODE.match(text, start + 2, end)
        if code is not None:
            kept.append(text[code.end() : end])
        at = end + 2
    kept.append(text[at:])
    return " ".join(kept)


def _shell(decoded: str, folded: str) -> str:
    text = folded
    if "$" in text or "{" in text:
        text = _SHELL_NOTHING.sub("", _SHELL_SPACE.sub(" ", text))
    for nothing in ("'", '"', "\\", "^", "``"):
        text = text.replace(nothing, "")
    return folded if text is folded else _squeezed(text)


def _path(decoded: str, folded: str) -> str:
    text = folded.replace("\\", "/")
    return _DOT_SEGMENT.sub("/", text) if "/./" in text else text


_MORE: Mapping[Form, Callable[[str, str], str]] = {
    Form.HTML: _html,
    Form.COMPACT: _compact,
    Form.SQL: _sql,
    Form.SHELL: _shell,
    Form.PATH: _path,
}


def _decoded(text: str) -> str:
    for _ in range(3):
        if "%" not in text:
            break
        before, text = text, _PERCENT.sub(_bytes_of, text)
        if text == before:
            break
    if "\\" in text or "%" in text:
        text = _UNICODE.sub(_character, text)
    return text


def _bytes_of(found: re.Match[str]) -> str:
    return bytes.fromhex(found[0].replace("%", "")).decode("utf-8", "replace").replace(DIVIDE, " ")


def _character(found: re.Match[str]) -> str:
    return chr(int(found[1] or found[2] or found[3], 16)).replace(DIVIDE, " ")


def _folded(text: str) -> str:
    if not text.isascii():
        text = text.encode("ascii", _FOLD).decode("ascii")
    if "\x00" in text:
        text = text.replace("\x00", "")
    return _squeezed(text).lower()


def _squeezed(text: str) -> str:
    if "  " in text or not text.replace(DIVIDE, "").replace(ODD, "").isprintable():
        text = _SPACES.sub(" ", text)
    return text


@lru_cache(maxsize=1024)
def _beyond(run: str) -> str:
    """What stands for a run of characters beyond ASCII."""
    text = _NO_WIDTH.sub("", normalize("NFKC", run))
    return text if text.isascii() else _OTHERS.sub(ODD, _LETTERS.sub("_", text))


def _fold(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    start, end = error.start, error.end
    if end - start > _RUN:
        end = start + _RUN
    return _beyond(error.object[start:end]), end


_RUN = 64
_FOLD = "revproxy.filters.inspect"
# Twice as fast as to look for such runs with a pattern: what is ASCII is copied by the codec.
register_error(_FOLD, _fold)


_BASE64 = re.compile(r"(?:data:[\w/+.;=-]{0,64},)?([A-Za-z0-9+/_-]{24,}={0,2})")
SHORTEST = 24
"""Characters of Base64 that are looked into."""
_TO_STANDARD = str.maketrans("-_", "+/")


def hidden(text: str) -> str:
    """What ``text`` is the Base64 of, if it is that of printable text; empty for pictures, keys, identifiers."""
    found = _BASE64.fullmatch(text)
    if found is None:
        return ""
    code = found[1].translate(_TO_STANDARD).rstrip("=")
    try:
        data = a2b_base64(code + "=" * (-len(code) % 4))
    except NotBase64:
        return ""
    said = data.decode("ascii", "replace")
    return said if said.isascii() and said.replace("\n", "").replace("\r", "").replace("\t", "").isprintable() else ""
