"""Another path, segment by segment."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..paths import canonical
from .replacement import Replacement
from .rewriting import Otherwise, Rewriting, check_constant

__all__ = ["PathTemplate"]

_NAME = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)(\.\.\.)?\}")


class PathTemplate(Rewriting):
    """Replaces a path that has the form of ``template``::

        PathTemplate("/users/{id}/posts", "/posts/by/{id}")
        PathTemplate("/old/{rest...}", "/new/{rest...}")

    ``template``
        ``{name}`` is one segment that is not empty; ``{name...}``, at the end, any number of them, also none. The other
        segments are matched in canonical form, as rules match. A slash at the end makes no difference, and stays where
        the replacement's path ends in a capture.
    ``replacement``
        The whole new path. ``{name}`` is what stood there, byte for byte as it came, and may be a part of a segment. A
        query in it is put before the request's own, of which the parameters are dropped that it sets; what is captured
        stays one value there (``&`` becomes ``%26``).
    ``keep_query``
        Whether the request's own query stays.
    ``otherwise``
        What becomes of a path of another form: ``"pass"``, or ``"refuse"``, 404.

    Its time is linear in the path's length. What captures make of the path is read like any target: dot segments and
    whatever else has two readings are refused, 400. Raises ``ValueError`` that names the parameter.
    """

    def __init__(
        self, template: str, replacement: str, *, otherwise: Otherwise = "pass", keep_query: bool = True
    ) -> None:
        super().__init__(otherwise)
        for name, text in (("template", template), ("replacement", replacement)):
            if not isinstance(text, str):
                raise TypeError(f"{name} must be a path, got {text!r}")
        self.template = template
        self.replacement = replacement
        self._names: list[str] = []
        self._rest = False
        self._segments = list(self._read_template())
        self._replacement = Replacement(replacement, self._read_replacement(), keep_query=keep_query)

    def _read_template(self) -> Iterator[str | None]:
        """The segments in canonical form; ``None`` for any one."""
        written = self.template
        if "?" in written:
            raise ValueError(f"template must be a path without a query, got {written!r}")
        check_constant("template", _NAME.sub("x", written), written)
        for segment in written.removesuffix("/").split("/")[1:]:
            name = _NAME.fullmatch(segment)
            if self._rest:
                raise ValueError(f"template: {{{self._names[-1]}...}} must be the last segment, got {written!r}")
            if name is None:
                if "{" in segment or "}" in segment:
                    raise ValueError(f"template: {segment!r} is neither text nor one {{name}}, in {written!r}")
                yield canonical(segment)
                continue
            if name[1] in self._names:
                raise ValueError(f"template: {{{name[1]}}} is there twice, got {written!r}")
            self._names.append(name[1])
            self._rest = name[2] is not None
            if not self._rest:
                yield None

    def _read_replacement(self) -> Iterator[str | int]:
        written, at = self.replacement, 0
        for name in _NAME.finditer(written):
            text = self._text(written[at : name.start()])
            at = name.end()
            if name[1] not in self._names:
                raise ValueError(f"replacement: {name[0]} is not in the template, got {written!r}")
            index = self._names.index(name[1])
            if (name[2] is not None) != (self._rest and index == len(self._names) - 1):
                raise ValueError(f"replacement: {name[0]} is written otherwise in the template, got {written!r}")
            if name[2] is not None:
                if not text.endswith("/") or "?" in written[:at] or written[at : at + 1] not in ("", "?"):
                    raise ValueError(f"replacement: {name[0]} must be the last segment, got {written!r}")
                text = text.removesuffix("/")
            yield text
            yield index
        yield self._text(written[at:])

    def _text(self, text: str) -> str:
        if "{" in text or "}" in text:
            raise ValueError(f"replacement: a brace that belongs to no {{name}}, got {self.replacement!r}")
        return text

    def rewrite(self, target: str) -> str | None:
        raw, mark, query = target.partition("?")
        count = len(self._segments)
        parts = raw.split("/", count + 1)
        if len(parts) <= count:
            return None
        rest = f"/{parts[-1]}" if len(parts) > count + 1 else ""
        if not self._rest and rest not in ("", "/"):
            return None
        captures = []
        for wanted, part in zip(self._segments, parts[1:], strict=False):
            if wanted is None:
                if not part:
                    return None
                captures.append(part)
            elif part != wanted and canonical(part) != wanted:
                return None
        captures.append(rest)
        slash = rest == "/" and not self._rest
        return self._replacement.fill(captures, query if mark else None, slash=slash)

    def __repr__(self) -> str:
        otherwise = "" if self.otherwise == "pass" else f", otherwise={self.otherwise!r}"
        return f"PathTemplate({self.template!r}, {self.replacement!r}{otherwise})"
