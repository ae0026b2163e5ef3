"""The form in which the content of a response is searched: what hides a sentence in a page or in a string undone.

Lower-case printable ASCII, one space for any run of spaces and controls, ``\\x7f`` for any byte beyond ASCII. Escapes
of JSON and the entities of HTML are what they stand for; tags that only say how letters look (``<b>``, ``<span ...>``)
and empty comments are gone, others stay, as links do that lead elsewhere. ``START`` stands before all of it, ``QUOTE``
and ``UNQUOTE`` around what a document quotes: ``<pre>``, ``<code>`` and the like, and between the fences of Markdown.
"""

from __future__ import annotations

import re
from html import unescape

__all__ = ["QUOTE", "START", "UNQUOTE", "Form"]

START, QUOTE, UNQUOTE = "\x02", "\x03", "\x04"

_FOLDED = bytes(
    0x20 if code < 0x20 or code == 0x7F else 0x7F if code >= 0x80 else ord(chr(code).lower()) for code in range(256)
)
_MARK, _NO_BREAK = "\ufeff".encode(), "\xa0".encode()
_TAG, _ENTITY = 512, 32
_IN_JSON = re.compile(
    r"""\\(?:(\\{0,7}\Z|u[0-9a-f]{0,3}\Z)|\\{0,7}(["'/])|u([0-9a-f]{4})|([nrtbf])|\\)""",
    re.ASCII,
)
_IN_TEXT = re.compile(
    r"""\\(?:(\\{0,7}\Z|u[0-9a-f]{0,3}\Z|x[0-9a-f]?\Z)|\\{0,7}(["'/])|(?:u00|x)([0-9a-f]{2}))""",
    re.ASCII,
)
"""A backslash and an ``n`` are no newline there: they are a directory and a file on Windows."""
_QUOTES = r"pre|code|samp|kbd|textarea|blockquote"
_MARKUP = re.compile(
    rf"<(?:(/?)(?:({_QUOTES})|(br|wbr)|b|i|u|a|s|em|strong|span|font|tt|var|mark|small|abbr|cite|del|ins|sub|sup|nobr)"
    rf"(?:[ /][^<>]{{0,{_TAG}}}+)?>|!--[ ]{{0,8}}+-->)|&(#(?:[0-9]{{1,28}}|x[0-9a-f]{{1,28}})|[a-z][a-z0-9]{{1,30}});"
    r"|`(`{0,14}\Z)|``(?:`{1,14})",
    re.ASCII,
)
_UNFINISHED = re.compile(rf"(?:<[^<>]{{0,{_TAG + 16}}}+|&[#a-z0-9]{{0,{_ENTITY}}}+)\Z", re.ASCII)
_REACH = _TAG + 17
_SPACES = re.compile("  +")
_ENTITIES = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'", "nbsp": " ", "#39": "'", "#34": '"'}
_LIKE_JSON = ("{", "[", '"')


class Form:
    """Brings a content into the form, in pieces: joined they are the same however it is split.

    ``json``: whether its strings have the escapes of JSON; ``None``: if it begins like JSON.
    """

    __slots__ = ("_begun", "_ends_in_space", "_escape", "_escapes", "_fenced", "_is_first", "_json", "_markup")

    def __init__(self, *, json: bool | None = None) -> None:
        self._json = json
        self._escapes = _IN_JSON if json else _IN_TEXT
        self._escape = ""  # what may yet become one
        self._markup = ""
        self._begun = b""  # what may yet become a character
        self._is_first = True
        self._fenced = False
        self._ends_in_space = False

    def feed(self, chunk: bytes) -> str:
        """What is certain by now of the content so far that was not returned before."""
        chunk, self._begun = self._begun + chunk, b""
        if self._is_first:
            if _MARK.startswith(chunk):
                self._begun = chunk
                return ""
            self._is_first = False
            chunk = chunk.removeprefix(_MARK)
        if chunk.endswith(_NO_BREAK[:1]):
            chunk, self._begun = chunk[:-1], chunk[-1:]
        if _NO_BREAK in chunk:
            chunk = chunk.replace(_NO_BREAK, b" ")
        text = chunk.translate(_FOLDED).decode("ascii")
        if self._json is None:
            begun = text.lstrip(" ")
            if begun:
                self._json = begun.startswith(_LIKE_JSON)
                self._escapes = _IN_JSON if self._json else _IN_TEXT
        return self._squeezed(self._without_markup(self._without_escapes(text)))

    def finish(self) -> str:
        """The rest of it: what was begun is what it looks like."""
        text, self._escape = self._escape + self._begun.translate(_FOLDED).decode("ascii"), ""
        self._begun = b""
        rest = self._without_markup(text)
        begun, self._markup = self._markup, ""
        # What has ended with it, as a fence has, is seen as such where something is behind it.
        return self._squeezed(rest + _MARKUP.sub(self._marked, f"{begun} ")[:-1])

    def _without_escapes(self, text: str) -> str:
        if self._escape:
            text, self._escape = self._escape + text, ""
        return self._escapes.sub(self._escaped, text) if "\\" in text else text

    def _escaped(self, found: re.Match[str]) -> str:
        unfinished, same, code, *space = found.groups()
        if unfinished is not None:
            self._escape = found[0]
            return ""
        if same is not None:
            return same
        if code is not None:
            return _folded(int(code, 16))
        return " " if space and space[0] is not None else "\\"

    def _without_markup(self, text: str) -> str:
        if self._markup:
            text, self._markup = self._markup + text, ""
        if "<" not in text and "&" not in text and "`" not in text:
            return text
        unfinished = _UNFINISHED.search(text, max(len(text) - _REACH, 0))
        rest = ""
        if unfinished is not None:
            text, rest = text[: unfinished.start()], unfinished[0]
        text = _MARKUP.sub(self._marked, text)
        self._markup += rest
        return text

    def _marked(self, found: re.Match[str]) -> str:
        closes, quotes, breaks, entity, unfinished = found.groups()
        if closes is not None:
            if quotes is not None:
                return UNQUOTE if closes else QUOTE
            if breaks is None and "://" in found[0]:
                return found[0]  # where a link leads
            return " " if breaks == "br" else ""
        if entity is not None:
            said = _ENTITIES.get(entity)
            return _entity(entity) if said is None else said
        if unfinished is not None:
            self._markup = found[0]
            return ""
        if found[0][0] == "<":
            return ""
        self._fenced = not self._fenced
        return QUOTE if self._fenced else UNQUOTE

    def _squeezed(self, text: str) -> str:
        if not text:
            return ""
        if "  " in text:
            text = _SPACES.sub(" ", text)
        if self._ends_in_space and text[0] == " ":
            text = text[1:]
            if not text:
                return ""
        self._ends_in_space = text[-1] == " "
        return text


def _folded(code: int) -> str:
    if code == 0xA0:
        return " "
    return chr(_FOLDED[code]) if code < 0x100 else "\x7f"


def _entity(name: str) -> str:
    if name[0] == "#":
        return _folded(int(name[2:], 16) if name[1] == "x" else int(name[1:]))
    said = unescape(f"&{name};")
    return _folded(ord(said)) if len(said) == 1 else f"&{name};"
