"""Conditions on the path."""

from __future__ import annotations

import re

from ..errors import BadRequest
from ..exchange import Exchange
from ..path_templates import PathValue, Template
from ..pattern_cost import check_cost, literal_prefix, path_pattern
from . import globs, pieces
from .condition import When, some

__all__ = ["path", "path_regex", "path_template"]


def path(*patterns: str, case_sensitive: bool = True) -> When:
    """The path matches one of ``patterns``, segment by segment, in its canonical form.

    ``/a/b`` is that path, ``/a/*`` is ``/a`` itself and everything below it: what elsewhere is a prefix. As a segment
    in the middle, ``*`` is any one segment, ``**`` any number of them; within a segment, ``*`` is any characters
    (``/img-*.png``). A slash at the end makes no difference. Patterns are read as paths are: ``/café`` and
    ``/caf%C3%A9`` are the same, and a pattern that no request can match (a dot segment, a query) is refused.
    ``case_sensitive=False`` is about ASCII letters.
    """
    try:
        normal = sorted(set(map(globs.normalise, some("patterns", patterns))))
    except ValueError as error:
        raise ValueError(f"patterns: {error}") from None
    matches = globs.matcher(normal, case_sensitive=case_sensitive)
    return When(
        f"when.path({', '.join(map(repr, patterns))}{'' if case_sensitive else ', case_sensitive=False'})",
        lambda exchange: matches(exchange.inbound.path),
        form=("path", (case_sensitive, *normal)),
        reads_path=True,
    )


def path_template(template: str) -> When:
    """The path has the form of ``template``, segment by segment, in its canonical form; handlers and filters within the
    rule find what it captures as ``exchange[PATH_VALUES]`` (``revproxy.path_values``)::

        Rule(when.path_template("/users/{id:int}/files/{name...}"), files)  # exchange[PATH_VALUES]["id"] + 1

    ``{name}``
        One segment, not an empty one: a ``str``, decoded.
    ``{name:int}``
        Decimal digits, at most 19 behind any zeros in front: an ``int``.
    ``{name:uuid}``
        Digits and hyphens in the usual form, in either case: a ``UUID``.
    ``{name:[a-z]{2}}``
        What the regular expression matches in full, in canonical form: a ``str``, decoded. Its cost must be linear.
    ``{name...}``
        At the end: any number of segments, also none. It is a path still, in canonical form, without a slash in front.

    A slash at the end makes no difference. A value is one of the request: what is made of it is for whoever makes it to
    check. A guard is better written with ``when.path``: what is no number to ``{id:int}`` may be one to the back end.
    """
    form = Template(template)
    match, values, prefix = form.match, form.values, form.prefix

    def test(exchange: Exchange) -> bool:
        path = exchange.inbound.path
        return path.startswith(prefix) and match(path) is not None

    def captures(exchange: Exchange) -> dict[str, PathValue]:
        found = match(exchange.inbound.path)
        return {} if found is None else values(found)

    return When(
        f"when.path_template({template!r})",
        test,
        form=("path_template", (pieces.of_template(form), form.names)),
        reads_path=True,
        captures=captures if form.names else None,
        captured=frozenset(form.names),
    )


def path_regex(pattern: str | re.Pattern[str], *, costly: bool = False, limit: int = 2048) -> When:
    """The canonical path (ASCII, every character in its only form) matches ``pattern`` from its beginning to its end;
    handlers and filters within the rule find its named groups as ``exchange[PATH_VALUES]``, as they stand in the
    canonical path. ::

        when.path_regex(r"/v[12]/(?P<tenant>[a-z]+)(/.*)?")

    ``costly``
        Take a pattern whose time may not be linear in the length of the path, as two loops are that may share it. By
        default that is a ``ValueError``: write ``[^/]+`` for a segment, ``++`` for a loop that gives nothing back, or
        use ``when.path`` or ``when.path_template``, whose time is linear.
    ``limit``
        Characters of a path that a costly pattern is matched against. A longer one that begins as the pattern does is
        refused, 400: neither answer would be true.
    """
    if type(limit) is not int or limit < 1:
        raise ValueError(f"limit must be an integer of at least 1, got {limit!r}")
    compiled = path_pattern(pattern)
    if not costly:
        check_cost(compiled, linear=True)
    fullmatch, prefix = compiled.fullmatch, literal_prefix(compiled)
    most = limit if costly else float("inf")

    def test(exchange: Exchange) -> bool:
        path = exchange.inbound.path
        if not path.startswith(prefix):
            return False
        if len(path) > most:
            raise BadRequest(f"a path of {len(path)} characters, of which at most {limit} are matched")
        return fullmatch(path) is not None

    def captures(exchange: Exchange) -> dict[str, PathValue]:
        found = fullmatch(exchange.inbound.path)
        return {} if found is None else {name: text for name, text in found.groupdict().items() if text is not None}

    said = repr(pattern) if isinstance(pattern, str) else repr(compiled)
    said += f", costly=True, limit={limit}" if costly else ""
    names = frozenset(compiled.groupindex)
    return When(
        f"when.path_regex({said})",
        test,
        form=("path_regex", (compiled, prefix, most)),
        reads_path=True,
        captures=captures if names else None,
        captured=names,
    )
