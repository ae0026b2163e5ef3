"""Why a WebSocket ends, and what each side is told: policy, without I/O."""

from __future__ import annotations

from typing import NamedTuple

from ...errors import BadFrame, MessageFailed, MessageRefused, Origin, ProxyError, TunnelLost
from ...handler import name
from .codes import BAD_GATEWAY, GOING_AWAY, INTERNAL_ERROR, POLICY_VIOLATION, TOO_BIG
from .passage import CloseWebSocket, OnMessage, Passage, Sender
from .reader import Broken

__all__ = ["Ending", "of_broken", "of_excess", "of_function"]


class Ending(NamedTuple):
    """``code``, ``reason``: for who has sent what must not go on. ``other``: the code for the other side."""

    error: ProxyError
    code: int
    reason: str
    other: int
    shadowed: bool = False
    """In shadow it is noted alone."""


def of_broken(sender: Sender, broken: Broken) -> Ending:
    """The sender has sent what it must not."""
    what = f"the {sender} sent {broken}"
    if broken.code in (TOO_BIG, POLICY_VIOLATION):
        return Ending(MessageRefused(what), broken.code, "", _gone(sender))
    if sender == "upstream":
        return Ending(TunnelLost(what), broken.code, "", BAD_GATEWAY)
    return Ending(BadFrame(what), broken.code, "", INTERNAL_ERROR if broken.said_code else GOING_AWAY)


def of_excess(sender: Sender, what: str) -> Ending:
    """The sender has sent more than it may in a time."""
    error = MessageRefused(f"the {sender} sent too many {what}")
    return Ending(error, POLICY_VIOLATION, f"too many {what}", _gone(sender), shadowed=True)


def of_function(passage: Passage, function: OnMessage, error: BaseException) -> Ending:
    """A function does not want a message to pass, or has failed. What the message says is in no text."""
    where = f"message {passage.messages} from the {passage.sender}, by {name(function)}"
    code, reason = POLICY_VIOLATION, ""
    if isinstance(error, CloseWebSocket):
        code, reason = error.code, error.reason
    elif not (isinstance(error, ProxyError) and error.origin in (Origin.POLICY, Origin.CLIENT)):
        failure = MessageFailed(f"{where}: {type(error).__name__}")
        failure.__cause__ = error
        return Ending(failure, INTERNAL_ERROR, "", INTERNAL_ERROR)
    return Ending(MessageRefused(where), code, reason, _gone(passage.sender), shadowed=True)


def _gone(sender: Sender) -> int:
    """What the other side is told of a sender that was sent away."""
    return GOING_AWAY if sender == "client" else INTERNAL_ERROR
