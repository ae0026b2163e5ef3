"""Taking secrets out of what responses say."""

from __future__ import annotations

import logging
from collections.abc import Collection, Coroutine, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args, overload

from ...body import Transform
from ...clock import SYSTEM_CLOCK, Clock
from ...errors import InternalError, ResponseRefused
from ...exchange import Exchange
from ...handler import Handler
from ...media_types import MediaType, media_type
from ...message import Response
from ...security_log import LOGGER, SecurityLog, Severity
from ..content import ContentFilter, Handling
from ..content.handling import SHADOW
from ..prefilter import PrefilterName
from .detector import Detector
from .engine import Engine
from .fields import Fields
from .formats import Types, format_of
from .masks import Mask
from .stream import Noted
from .tally import Tally
from .transform import Redaction, Refusal, Shadow

if TYPE_CHECKING:
    from ..websocket.passage import Message, Passage

__all__ = ["Redact", "RedactAction"]

RedactAction: TypeAlias = Literal["mask", "drop", "shadow"]
"""What becomes of a response with a secret in it."""

_HOLD = 65536
_TRANSFORMS: Mapping[RedactAction, type[Redaction]] = {"mask": Redaction, "drop": Refusal, "shadow": Shadow}
_JSON, _PLAIN = media_type(("application/json",)), media_type(("text/plain",))


class Redact(ContentFilter):
    """Takes secrets out of what responses say, as it streams by. ::

        badge = Detector("badge", rb"\\bB-\\d{6}\\b")
        ProxyHandler(api, filters=[Redact(*detectors.KEYS, badge)])

    ``detectors``
        What is looked for; by default all of ``detectors.ALL``.
    ``action``
        ``"mask"``: each detector's mask takes the place of what it finds. ``"drop"``: the response is refused
        (``ResponseRefused``, 502) for the first one; beyond 64 KiB, and where a client reads it as it comes, the
        connection is cut, before anything of the secret has gone out. ``"shadow"``: only log.
    ``mask``
        One for all detectors, in place of theirs.
    ``types``
        Which media types are looked into; by default those of texts: ``text/*``, JSON, XML, JavaScript, YAML, forms,
        events and the like. Others, ``application/octet-stream`` among them, go on as they came. What has no type, or
        one that cannot be understood, is looked into, whatever ``types`` are.
    ``fields``
        The names of fields of responses whose values are looked into, too, whatever the type, as ``"Location"``.
    ``prefilter``
        ``"hyperscan"`` (extra ``inspect``), ``"words"``, or ``"auto"``: the former if it is installed. It only makes it
        faster: what comes out is the same.
    ``handling``
        What becomes of what cannot simply be edited: codings that nobody knows, parts of something. By default it is
        refused; in shadow it goes on.
    ``severity``, ``logger``, ``fold``, ``clock``
        As of ``Rules``: one line a response that something was found in, with names and numbers, never with what was
        found; of events and lines of JSON one as they are found. ``severity=None``: no line.

    How much is held back of a body is known beforehand (``Detector``): about 1 KiB; less where a line of JSON or an
    event ends, which is handed out at once. Where a detector raises, the response is refused (``InternalError``, 500),
    or cut; in shadow it goes on, not looked into any further.

    Put it outside of a cache, if there is one: then it costs as much for each hit; or inside, if all may see the same.

    Raises ``ValueError`` or ``TypeError`` that names the parameter and its value, ``ImportError`` where hyperscan is
    asked for and is not there.
    """

    def __init__(
        self,
        *detectors: Detector,
        action: RedactAction = "mask",
        mask: Mask | None = None,
        types: Collection[str] | None = None,
        fields: Collection[str] = (),
        prefilter: PrefilterName = "auto",
        handling: Handling | None = None,
        name: str = "redact",
        severity: Severity | None = Severity.WARNING,
        logger: logging.Logger = LOGGER,
        fold: float = 10.0,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        super().__init__(handling=SHADOW if handling is None and action == "shadow" else handling, clock=clock)
        if action not in get_args(RedactAction):
            raise ValueError(f"action must be 'mask', 'drop' or 'shadow', got {action!r}")
        if mask is not None and not isinstance(mask, Mask):
            raise TypeError(f"mask: {mask!r} is not a Mask")
        if severity is not None and not isinstance(severity, Severity):
            raise TypeError(f"severity: {severity!r} is not a Severity")
        if not name:
            raise ValueError("name must not be empty")
        for each in detectors:
            if not isinstance(each, Detector):
                raise TypeError(f"detectors: {each!r} is not a Detector")
        chosen: Iterable[Detector] = detectors
        if not detectors:
            from .detectors import ALL  # here, as elsewhere in this class, for they take 0.1 s to compile

            chosen = ALL
        self._engine = Engine((each.masked(mask) for each in chosen) if mask is not None else chosen, prefilter)
        self._types = Types(types)
        self._fields = Fields(self._engine, fields)
        self._severity = severity
        self._log = SecurityLog(logger, fold=fold, clock=clock)
        self._counts: dict[str, int] = {}
        self.action: RedactAction = action
        self.edits: bool = action == "mask"
        self.name: str = name

    @classmethod
    def cards(
        cls, *, action: RedactAction = "mask", mask: Mask | None = None, types: Collection[str] | None = None
    ) -> Redact:
        """Of payment cards alone."""
        from .detectors import CARDS

        return cls(*CARDS, action=action, mask=mask, types=types, name="redact cards")

    @classmethod
    def everything(
        cls,
        *more: Detector,
        action: RedactAction = "mask",
        mask: Mask | None = None,
        types: Collection[str] | None = None,
    ) -> Redact:
        """With all detectors that there are (``detectors.ALL``), and ``more``."""
        from .detectors import ALL

        return cls(*ALL, *more, action=action, mask=mask, types=types)

    @property
    def keeps_length(self) -> bool:
        return self.action != "mask" or all(each.shown_as.keeps_length for each in self._engine.detectors)

    @property
    def hold(self) -> int:
        return _HOLD if self.action == "drop" else 0

    @property
    def redacted(self) -> int:
        """How many secrets were found, ever."""
        return sum(self._counts.values())

    @property
    def counts(self) -> Mapping[str, int]:
        """How many, by the names of their detectors."""
        return dict(self._counts)

    @property
    def detectors(self) -> tuple[Detector, ...]:
        """What is looked for."""
        return tuple(self._engine.detectors)

    def __call__(self, exchange: Exchange, handler: Handler) -> Coroutine[Any, Any, Response]:
        answer = super().__call__(exchange, handler)
        return self._without_secrets(exchange, answer) if self._fields else answer

    async def _without_secrets(self, exchange: Exchange, answer: Coroutine[Any, Any, Response]) -> Response:
        response = await answer
        try:
            return self._with_fields(exchange, response)
        except BaseException:
            response.body.close()
            raise

    def transform(self, exchange: Exchange, response: Response, kind: MediaType | None) -> Transform | None:
        if kind not in self._types:
            return None
        tally = Tally(lambda found: self._note(exchange, found), "its content")
        exchange.defer(tally.told)
        return self._transform(kind, tally)

    def _transform(self, kind: MediaType | None, tally: Tally) -> Transform:
        return _TRANSFORMS[self.action](self._engine, format_of(kind), self._noted(tally), tally)

    def _noted(self, tally: Tally) -> Noted:
        def noted(detector: Detector) -> None:
            self._counts[detector.name] = self._counts.get(detector.name, 0) + 1
            tally.count(detector)

        return noted

    def _with_fields(self, exchange: Exchange, response: Response) -> Response:
        tally = Tally(lambda found: self._note(exchange, found), "its fields")
        try:
            headers = self._fields.redacted(response.headers, self._noted(tally))
        except InternalError:
            if self.action != "shadow":
                raise
            headers = None
        tally.told()
        if headers is None or self.action == "shadow":
            return response
        if self.action == "drop":
            raise ResponseRefused("a secret in its fields")
        return Response(response.status, headers, response.body, response.reason, response.tunnel)

    def _note(self, exchange: Exchange, found: str) -> None:
        if self._severity is not None:
            action = {"mask": "redact", "drop": "block 502", "shadow": "shadow redact"}[self.action]
            self._log.note(exchange, rule=self.name, severity=self._severity, action=action, detail=found)

    @overload
    def text(self, text: str, *, type: str = ...) -> str: ...
    @overload
    def text(self, text: bytes, *, type: str = ...) -> bytes: ...
    def text(self, text: str | bytes, *, type: str = "text/plain") -> str | bytes:
        """``text`` without its secrets, as a response of this media type would be: for lines of a log, say. Nothing is
        logged.

        Raises ``ResponseRefused`` where the action is ``"drop"`` and there is one, ``InternalError`` where a detector
        raises.
        """
        kind = media_type((type,))
        if kind is None:
            raise ValueError(f"type: {type!r} is no media type")
        raw = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
        transform = self._transform(kind, Tally(_unsaid, "a text"))
        edited = transform.feed(raw) + transform.finish()
        return edited if isinstance(text, bytes) else _characters(edited)

    def message(self, passage: Passage, message: Message) -> Message:
        """What goes on in place of a ``message`` of a WebSocket, for ``WebSocketFilter(redact.message)``: of the text
        that the upstream sends, without its secrets. Binary messages, and what the client sends, are as they were; see
        ``message_of_either``."""
        return self.message_of_either(passage, message) if passage.sender == "upstream" else message

    def message_of_either(self, passage: Passage, message: Message) -> Message:
        """The same for what either side sends: for servers that are to get no secrets from clients either."""
        if isinstance(message, bytes):
            return message
        tally = Tally(lambda found: self._note(passage.exchange, found), "a message")
        kind = _JSON if message.lstrip()[:1] in ("{", "[", '"') else _PLAIN
        transform = self._transform(kind, tally)
        return _characters(transform.feed(message.encode()) + transform.finish())

    async def stop(self) -> None:
        self._log.flush()

    def __repr__(self) -> str:
        names = [each.name for each in self._engine.detectors]
        shown = ", ".join(names) if len(names) <= 4 else f"{len(names)} detectors"
        action = "" if self.action == "mask" else f", action={self.action!r}"
        return f"<Redact: {shown}{action}, {self.redacted} found>"


def _characters(edited: bytes) -> str:
    """What ``edited`` says; a detector, being for bytes, may have left half a character."""
    try:
        return edited.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return edited.decode("utf-8", "replace")


def _unsaid(found: str) -> None:
    """Nobody is told."""
