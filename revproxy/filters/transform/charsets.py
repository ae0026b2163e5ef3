"""Text in the charset that a response is in."""

from __future__ import annotations

import codecs
from typing import Protocol

from ...errors import ResponseRefused

__all__ = ["InCharset", "codec_of"]

_CODECS = {
    **dict.fromkeys(("utf-8", "utf8", "unicode-1-1-utf-8"), "utf-8"),
    # What browsers read where these are said (WHATWG, Encoding, section 4.2).
    **dict.fromkeys(("us-ascii", "ascii", "iso-8859-1", "iso8859-1", "latin1", "windows-1252", "cp1252"), "cp1252"),
    **{f"iso-8859-{part}": f"iso8859-{part}" for part in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)},
    **{f"windows-{page}": f"cp{page}" for page in (1250, 1251, 1253, 1254, 1255, 1256, 1257, 1258)},
    "iso-8859-9": "cp1254",
    "iso-8859-11": "cp874",
    "windows-874": "cp874",
    "koi8-r": "koi8-r",
    "koi8-u": "koi8-u",
    "macintosh": "mac-roman",
    **dict.fromkeys(("shift_jis", "shift-jis", "sjis", "windows-31j"), "cp932"),
    "euc-jp": "euc-jp",
    **dict.fromkeys(("gb18030", "gbk", "gb2312", "x-gbk"), "gb18030"),
    **dict.fromkeys(("big5", "big5-hkscs"), "big5hkscs"),
    **dict.fromkeys(("euc-kr", "ks_c_5601-1987"), "cp949"),
}
_NOT_CERTAIN = frozenset({"cp932", "euc-jp", "gb18030", "big5hkscs", "cp949"})
"""Of which a character may be spelled in several ways."""


def codec_of(charset: str) -> str | None:
    """Python's name of what has the name ``charset``, of those that have ASCII among their characters."""
    return _CODECS.get(charset.lower())


class _Edit(Protocol):
    def feed(self, piece: str, /) -> str: ...

    def finish(self) -> str: ...


class InCharset:
    """A ``Transform`` that has ``edit`` edit the characters of a text. What is none in its charset stays as it is: it
    is handed over as surrogates (PEP 383).

    Raises ``ResponseRefused`` where the charset does not have a character that was put in, or would spell one that was
    there in another way.
    """

    __slots__ = ("_codec", "_decoder", "_edit", "_encoder", "_pending")

    def __init__(self, codec: str, edit: _Edit) -> None:
        self._codec = codec
        self._decoder = codecs.getincrementaldecoder(codec)("surrogateescape")
        self._edit = edit
        self._encoder = codecs.getincrementalencoder(codec)("surrogateescape")  # two may be spelled as one
        self._pending = b""

    def feed(self, chunk: bytes) -> bytes:
        return self._encoded(self._edit.feed(self._decoded(chunk)), final=False)

    def finish(self) -> bytes:
        # Python's decoders of several bytes forget some of what is left when they are told of the end.
        left = self._decoder.getstate()[0].decode(self._codec, "surrogateescape")
        return self._encoded(self._edit.feed(left) + self._edit.finish(), final=True)

    def _decoded(self, chunk: bytes) -> str:
        text = self._decoder.decode(chunk)
        if self._codec in _NOT_CERTAIN:
            came = self._pending + chunk
            self._pending = self._decoder.getstate()[0]
            if text.encode(self._codec, "surrogateescape") != came[: len(came) - len(self._pending)]:
                raise ResponseRefused(f"it has a character that may be spelled in several ways in {self._codec}")
        return text

    def _encoded(self, text: str, *, final: bool) -> bytes:
        try:
            return self._encoder.encode(text, final)
        except UnicodeEncodeError:
            raise ResponseRefused(f"a replacement has a character that {self._codec} has not") from None

    def __repr__(self) -> str:
        return f"<InCharset {self._codec}: {self._edit!r}>"
