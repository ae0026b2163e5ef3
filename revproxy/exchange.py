"""One request and all that was decided about it: the record that filters share and logs and metrics read."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload
from weakref import ref

from .endpoint import Endpoint
from .errors import ProxyError
from .events import Event
from .message import Inbound, Request, Response
from .tunnel import Tunnel

if TYPE_CHECKING:
    from multidict import CIMultiDict

    from .rules import Rule

__all__ = ["NO_HOOKS", "Attempt", "Exchange", "Hooks", "Key"]

T = TypeVar("T")
D = TypeVar("D")


class Key(Generic[T]):
    """A typed place for a value that filters share: ``exchange[COUNTRY] = "CH"``. Compared by identity."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name: str = name

    def __repr__(self) -> str:
        return f"Key({self.name!r})"


@dataclass(frozen=True, slots=True)
class Hooks:
    """What is called as an exchange goes on: the methods of ``Observer`` that somebody overrides."""

    started: tuple[Callable[[Exchange], object], ...] = ()
    attempted: tuple[Callable[[Attempt], object], ...] = ()
    settled: tuple[Callable[[Attempt], object], ...] = ()
    ruled: tuple[Callable[[Exchange, Rule], object], ...] = ()
    failed: tuple[Callable[[Exchange, ProxyError], object], ...] = ()
    finished: tuple[Callable[[Exchange, int | None], object], ...] = ()
    happened: tuple[Callable[[Event], object], ...] = ()


NO_HOOKS = Hooks()


class Exchange:
    """One request on its way, and its answer on the way back.

    ``inbound``
        What the client sent; read-only.
    ``request``
        The draft that goes upstream; filters edit it.
    ``attempts``
        Every try at an endpoint, in order; the last one is that whose answer stands, if any does.
    ``rule``
        The rule that decided, once one has.
    ``started``, ``deadline``
        Monotonic seconds; no deadline is ``None``.
    ``hooks``
        Whom to tell.
    ``interim``
        Takes 1xx responses on their way to the client; ``None`` drops them.
    ``hide``
        Edits what an upstream has answered, interim responses included, before anybody else sees it; see
        ``HideUpstream``.
    """

    __slots__ = (
        "__weakref__",
        "_deferred",
        "_id",
        "_values",
        "attempts",
        "deadline",
        "error",
        "hide",
        "hooks",
        "inbound",
        "interim",
        "paid",
        "request",
        "retried",
        "rule",
        "spent",
        "started",
        "tunnel",
    )

    def __init__(
        self,
        inbound: Inbound,
        request: Request,
        started: float,
        deadline: float | None = None,
        hooks: Hooks = NO_HOOKS,
    ) -> None:
        self.inbound: Inbound = inbound
        self.request: Request = request
        self.hooks: Hooks = hooks
        self.started: float = started
        self.deadline: float | None = deadline
        self.attempts: list[Attempt] = []
        self.rule: Rule | None = None
        self.error: ProxyError | None = None
        """How the exchange failed, if it did."""
        self.tunnel: Tunnel | None = None
        """What it has become after a 101, with the bytes that went through."""
        self.interim: Callable[[int, CIMultiDict[str]], None] | None = None
        self.hide: Callable[[Attempt, Response], object] | None = None
        self.spent: ProxyError | None = None
        """What an upstream raises instead of sending the request, which may have been acted upon already."""
        self.retried: bool = False
        """A retry is at work further out: none further in is needed. Of a fork that is for whoever forks it to say."""
        self.paid: tuple[object, ...] = ()
        """The retry budgets that the request has paid into."""
        self._deferred: list[Callable[[], None]] = []
        # Made when somebody asks for them.
        self._id: str | None = None
        self._values: dict[Key[Any], Any] | None = None

    @property
    def id(self) -> str:
        """The correlation id: in error answers and in log records. Set it to carry one from outside."""
        if self._id is None:
            self._id = secrets.token_hex(8)
        return self._id

    @id.setter
    def id(self, value: str) -> None:
        self._id = value

    def defer(self, release: Callable[[], None]) -> None:
        """Have ``release`` called when the exchange is over, however it ends; last registered, first called."""
        self._deferred.append(release)

    def finish(self) -> None:
        """The exchange is over: run what was deferred. Called by the edge; every release runs even if one raises."""
        deferred = self._deferred
        while deferred:
            release = deferred.pop()
            try:
                release()
            except BaseException:
                self.finish()
                raise

    @property
    def mark(self) -> int:
        """How much is deferred by now: what ``unwind`` goes back to."""
        return len(self._deferred)

    def unwind(self, mark: int) -> None:
        """Run what was deferred since ``mark`` was read: whoever asks another handler gives up what the one before has
        acquired. Every release runs even if one raises."""
        kept, self._deferred = self._deferred[:mark], self._deferred[mark:]
        try:
            self.finish()
        finally:
            self._deferred = kept

    def fork(self, request: Request, started: float, deadline: float | None = None) -> Exchange:
        """Another exchange for what the client sent, with ``request`` for a draft: it knows what filters have found out
        so far, and has attempts and releases of its own, but neither observers nor a client to send 1xx to. Whoever
        forks one finishes it."""
        forked = Exchange(self.inbound, request, started, deadline)
        forked.rule = self.rule
        forked.hide = self.hide
        forked.spent = self.spent
        forked.paid = self.paid
        forked._id = self._id
        if self._values is not None:
            forked._values = dict(self._values)
        return forked

    def pair(self, twin: Exchange) -> None:
        """Have ``twin``, a fork of this one, be a second go at the same, beside this one: observers are told of it, and
        it knows the attempts so far. Its own are listed there alone until ``join``, which whoever pairs it calls."""
        twin.id = self.id
        twin.hooks = self.hooks
        twin.paid = self.paid
        twin.attempts.extend(self.attempts)

    def join(self, twin: Exchange, *, won: bool) -> None:
        """``twin`` has come to its end, and its attempts are listed here. ``won``: its answer stands, and with it its
        draft and its values, and what it has deferred is released when this exchange is over. Else that is released
        now. Of two goes at the same, ``unwind`` is for the other one."""
        known = set(self.attempts)
        brought = [each for each in twin.attempts if each not in known]
        for each in brought:
            each._exchange = ref(self)
        if won:
            self.attempts.extend(brought)
            self.request = twin.request
            self._values = twin._values
            self.defer(twin.finish)
        else:
            at = max(len(self.attempts) - 1, 0)  # before the one that stands
            self.attempts[at:at] = brought
            twin.finish()

    @property
    def values(self) -> Mapping[Key[Any], object]:
        """All that filters share by their keys, as it is now; a copy. Assigned, it replaces what there is: for who has
        to take back what another filter has set."""
        return {} if self._values is None else dict(self._values)

    @values.setter
    def values(self, values: Mapping[Key[Any], object]) -> None:
        self._values = dict(values) if values else None

    def __getitem__(self, key: Key[T]) -> T:
        if self._values is None:
            raise KeyError(key)
        value: T = self._values[key]
        return value

    def __setitem__(self, key: Key[T], value: T) -> None:
        if self._values is None:
            self._values = {key: value}
        else:
            self._values[key] = value

    def __contains__(self, key: Key[Any]) -> bool:
        return self._values is not None and key in self._values

    @overload
    def get(self, key: Key[T]) -> T | None: ...
    @overload
    def get(self, key: Key[T], default: D) -> T | D: ...
    def get(self, key: Key[Any], default: Any = None) -> Any:
        """The value of ``key``, or ``default``."""
        return default if self._values is None else self._values.get(key, default)

    def __repr__(self) -> str:
        tries = f" attempts={len(self.attempts)}" if self.attempts else ""
        return f"<Exchange {self.inbound.method} {self.inbound.target!r} from {self.inbound.client}{tries}>"


class Attempt:
    """One try at one endpoint: what retries, health, balancers, logs and metrics read.

    ``endpoint``, ``request``, ``number``
        What was sent, where, and the how many-th try of the exchange it is, from 1.
    ``started``, ``first_byte``, ``ended``
        Monotonic seconds: when it began; when the response head was there; when the body had ended and the endpoint's
        load was released.
    ``deadline``
        When the response head must be there; ``None``: no such bound but the transport's own.
    ``sent``
        A byte of the request may have reached the endpoint.
    ``released``
        It no longer counts as load.
    ``host``
        What ``Host`` said, if neither the endpoint nor the request does.
    ``status``, ``error``
        How it went: the response's status; how it failed, the middle of a body included.
    ``passed_over``
        Its answer was not taken, whatever it says: what follows goes to another endpoint, if there is any.
    """

    __slots__ = (
        "_exchange",
        "deadline",
        "ended",
        "endpoint",
        "error",
        "first_byte",
        "host",
        "number",
        "passed_over",
        "released",
        "request",
        "sent",
        "started",
        "status",
    )

    def __init__(
        self,
        endpoint: Endpoint,
        exchange: Exchange,
        request: Request,
        number: int,
        started: float,
        deadline: float | None = None,
    ) -> None:
        self.endpoint: Endpoint = endpoint
        # The exchange lists its attempts: were each to hold the other, only the garbage collector could free them.
        self._exchange = ref(exchange)
        self.request: Request = request
        self.number: int = number
        self.host: str = ""
        self.started: float = started
        self.deadline: float | None = deadline
        self.sent: bool = False
        self.released: bool = False
        self.passed_over: bool = False
        self.first_byte: float | None = None
        self.ended: float | None = None
        self.status: int | None = None
        self.error: ProxyError | None = None

    @property
    def exchange(self) -> Exchange:
        """The exchange that it belongs to. Raises ``ReferenceError`` if nobody holds that any more."""
        exchange = self._exchange()
        if exchange is None:
            raise ReferenceError("the exchange of this attempt is gone")
        return exchange

    def __repr__(self) -> str:
        result = self.error or self.status or ("sent" if self.sent else "new")
        return f"<Attempt {self.number} at {self.endpoint.name}: {result!r}>"
