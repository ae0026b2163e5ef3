"""A streaming request body on its way upstream, beside the response that may come at any time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ..body import Body
from ..errors import BadRequest, ClientTimeout, InternalError, ProxyError, SendTimeout

if TYPE_CHECKING:
    from .connection import Connection

__all__ = ["Upload"]


class Upload:
    """Sends ``head`` and then ``body`` over ``connection`` in a task of its own.

    A response that ends before the body does stops it, and the connection is closed: an unfinished body is never
    ended as if it were whole (RFC 9112 section 8). A response that streams while the body still flows does not stop
    it, so that a server may answer as it reads.
    """

    __slots__ = ("_body", "_connection", "_resumed", "_task", "_told", "finished")

    def __init__(self, connection: Connection, body: Body, head: bytes) -> None:
        self._connection = connection
        self._body = body
        self._resumed: asyncio.Future[None] | None = None
        # Before the head is sent: the answer may be here before the task has begun.
        self._told = asyncio.get_running_loop().create_future() if body.expects else None
        self.finished: bool = False
        """The whole body was handed to the transport."""
        connection.write(head)
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        try:
            await self._send()
        except ProxyError as error:
            self._connection.upload_failed(error)
        except Exception as error:
            failure = InternalError(f"the request body failed: {error!r}")
            failure.__cause__ = error
            self._connection.upload_failed(failure)

    async def _send(self) -> None:
        connection, length = self._connection, self._body.length
        idle = connection.timeouts.idle
        sent = 0
        if self._told is not None:
            await self._permission(self._told)
        connection.watch(idle, ClientTimeout)
        async for chunk in self._body:
            if not chunk:  # as a chunk it would be the end
                continue
            sent += len(chunk)
            if length is None:
                connection.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
            elif sent > length:
                raise BadRequest(f"the request body exceeds its declared {length} bytes")
            else:
                connection.write(chunk)
            if connection.write_paused:
                connection.watch(idle, SendTimeout)
                self._resumed = asyncio.get_running_loop().create_future()
                await self._resumed
            connection.watch(idle, ClientTimeout)
        if length is None:
            connection.write(b"0\r\n\r\n")
        elif sent < length:
            raise BadRequest(f"the request body ended after {sent} of its declared {length} bytes")
        self.finished = True
        connection.uploaded()

    async def _permission(self, told: asyncio.Future[None]) -> None:
        """Until the upstream wants the body, or has said nothing for ``Timeouts.expect`` (RFC 9110 section 10.1.1: not
        for ever). A final response cancels this before."""
        connection = self._connection
        timer = connection.clock.call_later(connection.timeouts.expect, self._not_told)
        try:
            await told
        finally:
            timer.cancel()

    def _not_told(self) -> None:
        self.go_on()

    def go_on(self) -> bool:
        """The upstream wants the body. Whether that was waited for."""
        told = self._told
        if told is None or told.done():
            return False
        told.set_result(None)
        return True

    def resume(self) -> None:
        """The transport takes more."""
        if self._resumed is not None and not self._resumed.done():
            self._resumed.set_result(None)

    def cancel(self) -> None:
        """Stop: nothing more is sent."""
        self._task.cancel()
        self._body.close()
