"""Another path, segment by segment."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..canonical import canonical
from ..message import Move
from ..path_templates import Template
from .replacement import Replacement
from .rewriting import Otherwise, Rewriting

__all__ = ["PathTemplate"]

_NAME = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)(\.\.\.)?\}")


class PathTemplate(Rewriting):
    """Replaces a path that has the form of ``template``::

        PathTemplate("/users/{id}/posts", "/posts/by/{id}")
        PathTemplate("/old/{rest...}", "/new/{rest...}")

    ``template``
        ``{name}`` is one segment that is not empty, ``{name:int}``, ``{name:uuid}`` and ``{name:[a-z]{2}}`` one of that
        kind; ``{name...}``, at the end, any number of them, also none. The other segments are matched in canonical
        form, as rules match (``when.path_template`` takes the same). A slash at the end makes no difference, and stays
        where the replacement's path ends in a capture.
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
        if not isinstance(replacement, str):
            raise TypeError(f"replacement must be a path, got {replacement!r}")
        self.template = template
        self.replacement = replacement
        self._template = Template(template)
        self._replacement = Replacement(replacement, self._read_replacement(), keep_query=keep_query)
        self._move: Move | None = None
        fixed, name, rest = replacement.partition(f"/{{{self._template.tail}...}}")
        if name and not rest and "{" not in fixed and "?" not in fixed and len(self._template.names) == 1:
            self._move = self._template.prefix, canonical(fixed)  # all behind a fixed beginning stays

    def _read_replacement(self) -> Iterator[str | int]:
        written, at = self.replacement, 0
        for name in _NAME.finditer(written):
            text = self._text(written[at : name.start()])
            at = name.end()
            names = self._template.names
            if name[1] not in names:
                raise ValueError(f"replacement: {name[0]} is not in the template, got {written!r}")
            index = names.index(name[1])
            if (name[2] is not None) != (name[1] == self._template.tail):
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

    def move(self) -> Move | None:
        return self._move

    def rewrite(self, target: str) -> str | None:
        raw, mark, query = target.partition("?")
        captures = self._template.match(raw, canonical)
        if captures is None:
            return None
        slash = captures[-1] == "/" and self._template.tail is None
        return self._replacement.fill(captures, query if mark else None, slash=slash)

    def __repr__(self) -> str:
        otherwise = "" if self.otherwise == "pass" else f", otherwise={self.otherwise!r}"
        return f"PathTemplate({self.template!r}, {self.replacement!r}{otherwise})"
