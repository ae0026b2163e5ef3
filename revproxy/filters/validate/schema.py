"""JSON Schemas: compiled once, without a network, and silent about what they are asked of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import quote

from .explain import OF_NAMES, OF_VALUES, explainable, is_recursive, keyword_behind

if TYPE_CHECKING:
    import jsonschema_rs

__all__ = ["Document", "Schema", "Violation", "schema_of"]

Document: TypeAlias = Mapping[str, Any] | bool
"""A schema as JSON says it, read."""

Violation: TypeAlias = Mapping[str, str]
"""Where something does not fit (``pointer``), and what it does not fit (``keyword``)."""

_MASK = "what was sent"
MOST = 8
"""Violations that are told of at most."""
_EACH = 128
"""Values of what is looked through for all of its violations; of more only the first is found. Whatever looks for all
finds them before it says the first: of a body of nothing but wrong values that takes seconds."""
_MAY_BE_FALSE = ("additionalProperties", "unevaluatedProperties", "items", "additionalItems", "unevaluatedItems")


class Schema:
    """A JSON Schema (draft 2020-12, or what its ``$schema`` says: 4, 6, 7, 2019-09), compiled where it is made.

    ``document``
        The schema, read: ``Schema(json.loads(path.read_bytes()))``.
    ``formats``
        Whether ``format`` is asserted; or functions that say so of formats of your own, which have to be fast. A format
        that nobody knows is an error.
    ``others``
        Schemas that it refers to (``$ref``), by their absolute URIs. **Nothing is ever fetched**, neither from a
        network nor from a file: a reference to what is not there is an error.

    Patterns are matched in linear time; look-around and back-references, which cannot be, are errors. Needs the extra
    ``schema``. Raises ``ImportError`` without it, ``TypeError`` and ``ValueError`` that name the parameter.
    """

    __slots__ = ("_explaining", "_names", "_validator", "compares", "document")

    def __init__(
        self,
        document: Document,
        *,
        formats: bool | Mapping[str, Callable[[str], bool]] = True,
        others: Mapping[str, Document] = {},
    ) -> None:
        _library()
        if not isinstance(document, Mapping | bool):
            raise TypeError(f"document: {document!r} is no schema: a mapping, or a bool")
        self.document: Document = _plain(document)
        known = {uri: _plain(other) for uri, other in others.items()}
        own = dict(formats) if isinstance(formats, Mapping) else None
        options = {"formats": own, "validate_formats": formats is not False, "ignore_unknown_formats": formats is False}
        try:
            self._validator: jsonschema_rs.Validator = _compiled(self.document, known, options)
        except ValueError as error:
            raise ValueError(f"document: {_why(error)}") from None
        self._explaining = self._explainer(known, options)
        self.compares: bool = any(map(_compares, (self.document, *known.values())))
        """Whether values are compared with one another: it has ``uniqueItems``."""
        self._names = frozenset(name for each in (self.document, *known.values()) for name in _names_in(each))

    def _explainer(self, known: Mapping[str, Document], options: Mapping[str, Any]) -> jsonschema_rs.Validator | None:
        documents = {"": self.document, **known}
        recursive = is_recursive(documents)

        def rewritten(*, keep: bool) -> dict[str, Any]:
            return {uri: explainable(each, recursive=recursive, keep=keep) for uri, each in documents.items()}

        if rewritten(keep=True) == documents:
            return self._validator
        found = rewritten(keep=False)
        try:
            return _compiled(found.pop(""), found, options)
        except ValueError:  # a reference into what has been moved
            return None

    def is_valid(self, value: object) -> bool:
        """Whether ``value`` fits. No deeper than ``JsonLimits`` lets it be."""
        return self._validator.is_valid(value)

    def violations(self, value: object, *, values: int) -> list[Violation]:
        """Where ``value``, of about that many ``values``, does not fit: some of the places, eight at most, of a large
        one the first. Empty if it does fit. Of ``anyOf`` and ``oneOf`` it is said where they are, not what is wrong
        with each branch; where a schema refers to itself, so of all that asks several schemas of one value. Where not
        even that is known, there is a pointer to the whole alone.

        What a pointer (RFC 6901, as a URI fragment) says of names stands in the schema: it ends before the first name
        that does not, which the client has made up. Neither values nor constants are told.
        """
        if self.is_valid(value):
            return []
        told: dict[tuple[str, str], Violation] = {}
        for error in self._errors(value, values):
            pointer, keyword = self._pointer(value, error), _keyword(error)
            told.setdefault((pointer, keyword), {"pointer": pointer, "keyword": keyword})
            if len(told) == MOST:
                break
        return list(told.values()) or [{"pointer": "#"}]

    def _errors(self, value: object, values: int) -> Iterator[jsonschema_rs.ValidationError]:
        if self._explaining is None:
            return
        if values <= _EACH:
            yield from self._explaining.iter_errors(value)
            return
        try:
            self._explaining.validate(value)
        except _library().ValidationError as error:
            yield error

    def _pointer(self, value: object, error: jsonschema_rs.ValidationError) -> str:
        said = ["#"]
        for step in error.instance_path:
            # By what it points into: a name of digits comes as a number, too.
            if isinstance(value, dict):
                name = str(step)
                if name not in self._names or name not in value:
                    return "/".join(said)
                said.append(_escaped(name))
                value = value[name]
            elif isinstance(value, list) and isinstance(step, int) and step < len(value):
                said.append(str(step))
                value = value[step]
            else:
                return "/".join(said)
        missing = getattr(error.kind, "property", None)
        if isinstance(missing, str) and missing in self._names:
            said.append(_escaped(missing))
        return "/".join(said)

    def __repr__(self) -> str:
        title = self.document.get("title") if isinstance(self.document, Mapping) else self.document
        return "<Schema>" if title is None else f"<Schema {title!r}>"


def schema_of(parameter: str, given: object) -> Schema:
    """What is ``given``, compiled. Raises what ``Schema`` does, with the ``parameter``."""
    if isinstance(given, Schema):
        return given
    try:
        return Schema(given)  # type: ignore[arg-type]  # it says itself what is none
    except (TypeError, ValueError) as error:
        raise type(error)(f"{parameter}: {error}") from None


def _library() -> Any:
    try:
        import jsonschema_rs
    except ImportError as error:
        raise ImportError("Schema needs jsonschema-rs: pip install 'aiohttp-revproxy[schema]'") from error
    return jsonschema_rs


def _compiled(
    document: Document, others: Mapping[str, Document], options: Mapping[str, Any]
) -> jsonschema_rs.Validator:
    rs = _library()
    validator: jsonschema_rs.Validator = rs.validator_for(
        document,
        registry=rs.Registry(list(others.items()), draft=rs.Draft202012) if others else None,
        mask=_MASK,
        pattern_options=rs.RegexOptions(),
        offline=True,
        **options,
    )
    return validator


def _why(error: ValueError) -> str:
    """What is wrong with a schema, in a line: that is the developer's, and may be quoted."""
    said = str(error).partition("\n")[0]
    if isinstance(error, _library().ValidationError) and error.instance_path:
        place = "/".join(["#", *(str(step) for step in error.instance_path)])
        said = f"{said.replace(_MASK, repr(error.instance)[:200])}, at {place}"
    return said


def _keyword(error: jsonschema_rs.ValidationError) -> str:
    name = error.kind.name
    if name == "not":
        return keyword_behind(getattr(error.kind, "schema", None)) or name
    if name == "falseSchema" and error.schema_path and error.schema_path[-1] in _MAY_BE_FALSE:
        return str(error.schema_path[-1])
    return name


def _escaped(name: str) -> str:
    return quote(name.replace("~", "~0").replace("/", "~1"), safe="!$&'()*+,;=:@~", errors="replace")


def _plain(document: Any) -> Any:
    """A copy in the types that JSON has."""
    if isinstance(document, Mapping):
        return {name: _plain(value) for name, value in document.items()}
    return [_plain(each) for each in document] if isinstance(document, list | tuple) else document


def _compares(schema: object) -> bool:
    if isinstance(schema, Mapping):
        return schema.get("uniqueItems") not in (None, False) or any(map(_compares, schema.values()))
    return isinstance(schema, list) and any(map(_compares, schema))


def _names_in(schema: object) -> Iterator[str]:
    """The names of properties that a schema knows: no constants, and no names of definitions."""
    if isinstance(schema, list):
        for each in schema:
            yield from _names_in(each)
    if not isinstance(schema, dict):
        return
    for keyword, value in schema.items():
        if keyword == "properties" and isinstance(value, dict):
            yield from value
        if keyword == "required" and isinstance(value, list):
            yield from (each for each in value if isinstance(each, str))
        if keyword in ("dependentRequired", "dependencies") and isinstance(value, dict):
            yield from value
            yield from (name for names in value.values() if isinstance(names, list) for name in names)
        if keyword in OF_NAMES and isinstance(value, dict):
            for each in value.values():
                yield from _names_in(each)
        elif keyword not in OF_VALUES:
            yield from _names_in(value)
