"""XML 1.0: names, attributes and text. Nothing is fetched, and no entity is expanded."""

from __future__ import annotations

from xml.parsers.expat import ExpatError, ParserCreate, XMLParserType

from .found import Found

__all__ = ["read_xml"]

_DEPTH = 64


class _Stop(Exception):
    """Nothing more is read."""


def read_xml(data: bytes, found: Found) -> None:
    """Elements, attributes, text, comments and what is said to programs. A declaration of entities ends the reading:
    what they stand for is not known (CWE-776, CWE-611)."""
    reader = _Reader(ParserCreate(), found)
    try:
        reader.parser.Parse(data, True)
    except (ExpatError, ValueError, LookupError):  # the latter of an encoding that Python does not know
        found.trouble("xml", "not well-formed XML")
        found.value("", data.decode("utf-8", "replace"))
    except _Stop:
        found.value("", data.decode("utf-8", "replace"))
    reader.flush()


class _Reader:
    def __init__(self, parser: XMLParserType, found: Found) -> None:
        self.parser = parser
        self._found = found
        self._path: list[str] = []
        self._text: list[str] = []
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text.append
        parser.CommentHandler = lambda text: found.value("comment", text)
        parser.ProcessingInstructionHandler = lambda target, text: found.value(target, text)
        parser.StartDoctypeDeclHandler = self._doctype
        parser.EntityDeclHandler = self._entity

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self.flush()
        if len(self._path) >= _DEPTH:
            self._found.trouble("depth", "XML nested too deeply")
            raise _Stop
        self._path.append(name[:64])
        where = ".".join(self._path[-4:])
        self._found.name(where, name)
        for attribute, value in attributes.items():
            self._found.name(f"{where}@{attribute[:64]}", attribute)
            self._found.value(f"{where}@{attribute[:64]}", value)

    def _end(self, name: str) -> None:
        self.flush()
        self._path.pop()

    def _doctype(self, name: str, system: str | None, public: str | None, internal: bool) -> None:
        self._found.trouble("doctype", "XML with a document type declaration")
        if internal or system is not None:
            raise _Stop

    def _entity(self, *declaration: object) -> None:
        raise _Stop

    def flush(self) -> None:
        text = "".join(self._text).strip()
        self._text.clear()
        self._found.value(".".join(self._path[-4:]), text)
