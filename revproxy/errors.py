"""Every failure of an exchange: its name, who caused it, when, and what the client is told.

One class a failure. The class says what holds for every instance: the ``origin`` that is to blame, the ``phase`` it
happened in, the ``status`` that the client gets (``None``: nothing can or shall be sent), the RFC 9209 ``token`` and
whether another attempt may help. The message is for the operator's log; it may name addresses, and never reaches a
client.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from math import ceil, inf
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from .message import Response

__all__ = [
    "AddressRefused",
    "AuthenticationUnavailable",
    "BadContent",
    "BadFrame",
    "BadFraming",
    "BadHandshake",
    "BadRequest",
    "BodyTooLarge",
    "BudgetSpent",
    "CircuitOpen",
    "ClientDisconnected",
    "ClientTimeout",
    "CodingNotSupported",
    "ConnectFailed",
    "ConnectTimeout",
    "ConnectionLost",
    "DeadlineExceeded",
    "DnsFailed",
    "Drop",
    "ExpectationFailed",
    "Forbidden",
    "ForbiddenOrigin",
    "HeadTooLarge",
    "InternalError",
    "Interrupted",
    "LastHop",
    "LoopDetected",
    "MessageFailed",
    "MessageRefused",
    "MethodNotAllowed",
    "MisdirectedRequest",
    "NoEndpoint",
    "NoRoute",
    "Origin",
    "Overloaded",
    "Phase",
    "ProtocolError",
    "ProxyError",
    "QueueFull",
    "QueueTimeout",
    "RateLimited",
    "ResponseBodyTooLarge",
    "ResponseHeadTooLarge",
    "ResponseRefused",
    "ResponseTimeout",
    "SendTimeout",
    "SessionLost",
    "StreamTimeout",
    "TlsFailed",
    "Truncated",
    "TunnelIdle",
    "TunnelLost",
    "Unauthorized",
    "UnprocessableContent",
    "UnsupportedMediaType",
    "VersionNotSupported",
]


class Origin(StrEnum):
    """Who caused a failure. What the client did never counts against an endpoint."""

    CLIENT = "client"
    PROXY = "proxy"
    UPSTREAM = "upstream"
    POLICY = "policy"


class Phase(StrEnum):
    """Where in its life an exchange was when it failed."""

    REQUEST = "request"
    """Reading and judging the client's request."""
    SELECT = "select"
    """Choosing an endpoint, waiting for a connection."""
    CONNECT = "connect"
    """Resolving, connecting, TLS handshake."""
    SEND = "send"
    """Sending the request upstream."""
    HEAD = "head"
    """Waiting for and reading the response head."""
    BODY = "body"
    """Reading the response body."""
    DELIVER = "deliver"
    """Writing the response to the client."""
    TUNNEL = "tunnel"
    """Passing on what is HTTP no more, after a 101."""


class ProxyError(Exception):
    """Base of every failure that an exchange can end with.

    The arguments are those of ``Exception``: a message for the operator's log. Subclass it for failures of your own
    filters; set at least ``origin``, ``status`` and ``title``.
    """

    origin: ClassVar[Origin] = Origin.PROXY
    phase: Phase = Phase.REQUEST
    status: ClassVar[int | None] = 500
    """The status that the client is answered with; ``None`` closes the connection without a word."""
    token: ClassVar[str] = "proxy_internal_error"
    """The error type of RFC 9209 section 2.3."""
    title: ClassVar[str] = "Internal error"
    """What the client may know: a short text without a word about the inside."""
    retryable: bool = False
    """Whether another attempt might go better, method and body permitting."""
    fields: Mapping[str, str] = {}
    """Header fields that the answer has to have."""
    members: Mapping[str, object] = {}
    """What the answer's problem document says besides (RFC 9457 section 3.2): JSON values, for the client to read."""
    answer: Response | None = None
    """What the client is answered with in place of the problem document: the status and the body of this, with the
    fields that ``fields`` has, where filters further out may edit them. Whoever sets it sets those, too."""
    closes: ClassVar[bool] = False
    """Whether the client's connection ends with the answer: where the request ends is in doubt, and what follows is no
    request that anybody should read."""


# The client's doing.


class BadRequest(ProxyError):
    """The request cannot be understood or must not be forwarded: 400."""

    origin = Origin.CLIENT
    status: ClassVar[int | None] = 400
    token = "http_request_error"
    title = "The request could not be understood"


class BadFraming(BadRequest):
    """Where the request ends is in doubt (RFC 9112 section 6.3): 400, and the client's connection is closed."""

    closes = True


class BadHandshake(BadRequest):
    """The opening handshake of a WebSocket has no good key, or is of a version that is not 13 (RFC 6455 section 4.2):
    400."""

    title = "This is no handshake that is understood here"
    fields: Mapping[str, str] = {"Sec-WebSocket-Version": "13"}


class MethodNotAllowed(ProxyError):
    """A method that this proxy does not forward (CONNECT): 405."""

    origin = Origin.CLIENT
    status: ClassVar[int | None] = 405
    token = "http_request_error"
    title = "This method is not served here"


class MisdirectedRequest(ProxyError):
    """The request is for a host that is not served here: 421."""

    origin = Origin.CLIENT
    status: ClassVar[int | None] = 421
    token = "http_request_denied"
    title = "This host is not served here"


class ForbiddenOrigin(ProxyError):
    """A page of an origin that is not allowed asks: for a WebSocket, for a change, or whether it may ask: 403."""

    origin = Origin.CLIENT
    status: ClassVar[int | None] = 403
    token = "http_request_denied"
    title = "This origin is not allowed here"


class Unauthorized(ProxyError):
    """Nobody has proved who asks: 401, with the ``challenge`` that says how he may (RFC 9110 section 15.5.2)."""

    origin = Origin.CLIENT
    status: ClassVar[int | None] = 401
    token = "http_request_denied"
    title = "This needs credentials"

    def __init__(self, message: str, *, challenge: str = "") -> None:
        super().__init__(message)
        if challenge:
            self.fields: Mapping[str, str] = {"WWW-Authenticate": challenge}


class Forbidden(ProxyError):
    """It is known who asks, and he may not: 403."""

    origin = Origin.CLIENT
    status: ClassVar[int | None] = 403
    token = "http_request_denied"
    title = "This is not allowed"


class HeadTooLarge(ProxyError):
    """The fields of a request exceed what is forwarded: 431."""

    origin = Origin.CLIENT
    status: ClassVar[int | None] = 431
    token = "http_request_error"
    title = "The request's header fields are too large"


class ExpectationFailed(ProxyError):
    """``Expect`` asks for what this proxy does not know: 417."""

    origin = Origin.CLIENT
    status: ClassVar[int | None] = 417
    token = "http_request_error"
    title = "This expectation is not met here"


class LastHop(ProxyError):
    """Not a failure: an ``OPTIONS`` that asked for this proxy itself, by ``Max-Forwards: 0``: 204."""

    origin = Origin.CLIENT
    status: ClassVar[int | None] = 204
    token = "http_request_denied"
    title = "The request ends here"


class LoopDetected(ProxyError):
    """The request has been here before, or came through too many proxies: 508."""

    origin = Origin.CLIENT
    status: ClassVar[int | None] = 508
    token = "proxy_loop_detected"
    title = "The request goes in circles"


class VersionNotSupported(ProxyError):
    """A request line with a version of HTTP that is neither 1.1 nor 1.0: 505."""

    origin = Origin.CLIENT
    status: ClassVar[int | None] = 505
    closes = True
    token = "http_request_error"
    title = "This version of HTTP is not served here"


class CodingNotSupported(ProxyError):
    """A request body in a transfer coding other than chunked: 501."""

    origin = Origin.CLIENT
    status: ClassVar[int | None] = 501
    closes = True
    token = "http_request_error"
    title = "This transfer coding is not served here"


class BodyTooLarge(ProxyError):
    """The request body exceeds the proxy's limit: 413."""

    origin = Origin.CLIENT
    status: ClassVar[int | None] = 413
    token = "http_request_error"
    title = "The request body is too large"


class UnsupportedMediaType(ProxyError):
    """The request body is of a type, or in a coding, that is not taken here: 415. ``fields`` say what is
    (RFC 9110 section 15.5.16)."""

    origin = Origin.CLIENT
    status: ClassVar[int | None] = 415
    token = "http_request_error"
    title = "This kind of content is not taken here"

    def __init__(self, message: str = "", *, fields: Mapping[str, str] = {}) -> None:
        super().__init__(message)
        if fields:
            self.fields: Mapping[str, str] = fields


class UnprocessableContent(ProxyError):
    """The request can be read, and does not say what it has to: 422. ``members`` say where."""

    origin = Origin.CLIENT
    status: ClassVar[int | None] = 422
    token = "http_request_error"
    title = "The request does not say what it has to"

    def __init__(self, message: str = "", *, members: Mapping[str, object] = {}) -> None:
        super().__init__(message)
        if members:
            self.members: Mapping[str, object] = members


class ClientTimeout(ProxyError):
    """The client stopped sending its request body: 408."""

    origin = Origin.CLIENT
    status: ClassVar[int | None] = 408
    token = "http_request_error"
    title = "The request took too long to arrive"


class BadFrame(ProxyError):
    """The client sent what is no frame of a WebSocket (RFC 6455 section 5.2). Both ends are told, and closed."""

    origin = Origin.CLIENT
    phase = Phase.TUNNEL
    status: ClassVar[int | None] = None
    token = "http_request_error"
    title = "The client broke the protocol"


class ClientDisconnected(ProxyError):
    """The client went away, or stopped reading, before it had its answer; nobody is left to tell."""

    origin = Origin.CLIENT
    phase = Phase.DELIVER
    status: ClassVar[int | None] = None
    token = "http_request_error"
    title = "The client went away"


# The proxy's own.


class InternalError(ProxyError):
    """A filter or handler raised what it should not have: 500. The cause is in ``__cause__``."""


class MessageFailed(InternalError):
    """What looks at the messages of a WebSocket raised what it should not have, or returned what is no message. Both
    ends are told, and closed; the message goes nowhere. The cause is in ``__cause__``."""

    phase = Phase.TUNNEL
    status: ClassVar[int | None] = None
    title = "The connection cannot go on"


class Interrupted(ProxyError):
    """The application cut the exchange short: it shut down, or a timeout of its own ran out. There is no answer, or a
    part of one."""

    phase = Phase.DELIVER
    status: ClassVar[int | None] = None
    token = "proxy_internal_error"
    title = "Interrupted"

    def __init__(self, message: str = "the server stopped, or a timeout of its own ran out") -> None:
        super().__init__(message)


class NoEndpoint(ProxyError):
    """No endpoint of the upstream accepts requests now: 503."""

    phase = Phase.SELECT
    status: ClassVar[int | None] = 503
    token = "destination_unavailable"
    title = "The service is unavailable"


class SessionLost(ProxyError):
    """The endpoint of a session is gone, or takes no requests, and the upstream's affinity refuses another: 503. By
    itself ``Failover`` does not go on: no other endpoint would do."""

    phase = Phase.SELECT
    status: ClassVar[int | None] = 503
    token = "destination_unavailable"
    title = "The session cannot go on"


class AuthenticationUnavailable(ProxyError):
    """Who asks cannot be found out now, for what is needed to do so is not to be had (keys, a service that knows): 503,
    with a ``Retry-After`` of ``retry_after`` seconds, rounded up (RFC 9110 section 10.2.3). Nothing was sent."""

    status: ClassVar[int | None] = 503
    token = "destination_unavailable"
    title = "The service is unavailable"

    def __init__(self, message: str = "", *, retry_after: float = 5.0) -> None:
        super().__init__(message)
        self.fields: Mapping[str, str] = {"Retry-After": str(ceil(retry_after))}


class DeadlineExceeded(ProxyError):
    """The time for the exchange was over before an endpoint was asked: 504."""

    origin = Origin.POLICY
    phase = Phase.SELECT
    status: ClassVar[int | None] = 504
    token = "http_response_timeout"
    title = "The service did not answer in time"


class QueueFull(ProxyError):
    """All connections are busy and the queue for them is full: 503."""

    phase = Phase.SELECT
    status: ClassVar[int | None] = 503
    token = "connection_limit_reached"
    title = "The service is overloaded"
    retryable = True


class QueueTimeout(ProxyError):
    """All connections stayed busy for as long as a request may wait: 503."""

    phase = Phase.SELECT
    status: ClassVar[int | None] = 503
    token = "connection_limit_reached"
    title = "The service is overloaded"
    retryable = True


class Overloaded(ProxyError):
    """More is asked than can be answered in time, and this request was not among those that are: 503, with a
    ``Retry-After`` of ``retry_after`` seconds, rounded up (RFC 9110 section 10.2.3). Nothing was sent; a proxy that
    asked again at once would make it worse."""

    origin = Origin.POLICY
    phase = Phase.SELECT
    status: ClassVar[int | None] = 503
    token = "connection_limit_reached"
    title = "The service is overloaded"

    def __init__(self, message: str = "", *, retry_after: float = 1.0) -> None:
        super().__init__(message)
        self.fields: Mapping[str, str] = {"Retry-After": str(ceil(retry_after))}


class BudgetSpent(Overloaded):
    """Nothing more may be held of bodies: the bytes of a ``BodyBudget`` are all in use: 503."""


class CircuitOpen(ProxyError):
    """A circuit breaker lets nothing through now, for what it stands before has failed, or was too slow: 503, with a
    ``Retry-After`` of ``retry_after`` seconds, rounded up (RFC 9110 section 10.2.3). Nothing was sent."""

    origin = Origin.POLICY
    phase = Phase.SELECT
    status: ClassVar[int | None] = 503
    token = "destination_unavailable"
    title = "The service is unavailable"

    def __init__(self, message: str = "", *, retry_after: float = 1.0) -> None:
        super().__init__(message)
        self.fields: Mapping[str, str] = {"Retry-After": str(ceil(retry_after))}


class RateLimited(ProxyError):
    """The client has asked for more than it may have in a time: 429 (RFC 6585 section 4), with a ``Retry-After`` of
    ``retry_after`` seconds, rounded up; with none if that is infinite. Nothing was sent. ``fields``: more that the
    answer has to say."""

    origin = Origin.POLICY
    phase = Phase.SELECT
    status: ClassVar[int | None] = 429
    token = "http_request_denied"
    title = "Too many requests"

    def __init__(self, message: str = "", *, retry_after: float = 1.0, fields: Mapping[str, str] = {}) -> None:
        super().__init__(message)
        after = {} if retry_after == inf else {"Retry-After": str(ceil(retry_after))}
        self.fields: Mapping[str, str] = {**after, **fields}


# The upstream's.


class ConnectFailed(ProxyError):
    """No connection to the endpoint: refused, unreachable, reset while connecting: 502. Nothing was sent."""

    origin = Origin.UPSTREAM
    phase = Phase.CONNECT
    status: ClassVar[int | None] = 502
    token = "connection_refused"
    title = "The service could not be reached"
    retryable = True


class DnsFailed(ConnectFailed):
    """The endpoint's name does not resolve: 502."""

    token = "dns_error"


class AddressRefused(ConnectFailed):
    """The endpoint is where its ``AddressPolicy`` lets nobody connect to, or its name resolves to nothing else: 502.
    Another attempt may help at another endpoint."""

    token = "destination_ip_prohibited"


class TlsFailed(ConnectFailed):
    """The TLS handshake failed, a certificate that does not verify included: 502."""

    token = "tls_protocol_error"


class ConnectTimeout(ConnectFailed):
    """Connecting, TLS handshake included, took longer than ``Timeouts.connect``: 504."""

    status: ClassVar[int | None] = 504
    token = "connection_timeout"
    title = "The service did not answer in time"


class ConnectionLost(ProxyError):
    """The upstream closed or reset the connection before it had sent a response head: 502."""

    origin = Origin.UPSTREAM
    phase = Phase.HEAD
    status: ClassVar[int | None] = 502
    token = "connection_terminated"
    title = "The service closed the connection"
    retryable = True


class ProtocolError(ProxyError):
    """The upstream sent what is not a well-formed HTTP/1.1 response: 502, the connection is never used again."""

    origin = Origin.UPSTREAM
    phase = Phase.HEAD
    status: ClassVar[int | None] = 502
    token = "http_protocol_error"
    title = "The service sent an invalid response"


class ResponseHeadTooLarge(ProtocolError):
    """The response head exceeds ``Limits.head_bytes`` or ``Limits.head_fields``: 502."""

    token = "http_response_header_section_size"


class ResponseBodyTooLarge(ProtocolError):
    """A filter reads response bodies up to a limit, and this one is longer: 502."""

    phase = Phase.BODY
    token = "http_response_body_size"


class BadContent(ProtocolError):
    """A filter reads what a response says, and its content coding is broken, or blows up into too much: 502."""

    phase = Phase.BODY
    token = "http_response_content_coding"


class SendTimeout(ProxyError):
    """The upstream stopped reading the request: 504."""

    origin = Origin.UPSTREAM
    phase = Phase.SEND
    status: ClassVar[int | None] = 504
    token = "connection_write_timeout"
    title = "The service did not answer in time"


class ResponseTimeout(ProxyError):
    """No response head within ``Timeouts.head``, or within the time left for the whole exchange: 504."""

    origin = Origin.UPSTREAM
    phase = Phase.HEAD
    status: ClassVar[int | None] = 504
    token = "http_response_timeout"
    title = "The service did not answer in time"
    retryable = True


class Truncated(ProxyError):
    """The response body ended before its declared end. The client's connection is cut, never ended cleanly."""

    origin = Origin.UPSTREAM
    phase = Phase.BODY
    status: ClassVar[int | None] = 502
    token = "http_response_incomplete"
    title = "The service sent an incomplete response"


class StreamTimeout(Truncated):
    """The upstream fell silent in the middle of a body for longer than ``Timeouts.idle``."""

    status: ClassVar[int | None] = 504
    token = "connection_read_timeout"
    title = "The service stopped answering"


class TunnelLost(ProxyError):
    """The upstream's end of a tunnel was lost, ended in the middle of a frame, or sent what is none."""

    origin = Origin.UPSTREAM
    phase = Phase.TUNNEL
    status: ClassVar[int | None] = None
    token = "connection_terminated"
    title = "The service closed the connection"


# By decision of the developer.


class NoRoute(ProxyError):
    """No rule matched: 404."""

    origin = Origin.POLICY
    status: ClassVar[int | None] = 404
    token = "destination_not_found"
    title = "Nothing is served here"


class ResponseRefused(ProxyError):
    """A response is not let out: 502. It says what it must not, or cannot be read by who has to know: a filter's
    decision, which is not held against the server."""

    origin = Origin.POLICY
    phase = Phase.BODY
    status: ClassVar[int | None] = 502
    token = "http_request_denied"
    title = "The answer cannot be shown"


class MessageRefused(ProxyError):
    """A message of a WebSocket is not passed on, by a limit or by what looks at messages. Both ends are told, and
    closed."""

    origin = Origin.POLICY
    phase = Phase.TUNNEL
    status: ClassVar[int | None] = None
    token = "http_request_denied"
    title = "A message is not let through"


class TunnelIdle(ProxyError):
    """Nothing went through a tunnel for ``Timeouts.tunnel``. Both ends are told, and closed."""

    origin = Origin.POLICY
    phase = Phase.TUNNEL
    status: ClassVar[int | None] = None
    token = "connection_read_timeout"
    title = "The connection was idle for too long"


class Drop(ProxyError):
    """Close the client's connection without an answer. Raise it from a filter or rule."""

    origin = Origin.POLICY
    status: ClassVar[int | None] = None
    token = "http_request_denied"
    title = "Dropped"
