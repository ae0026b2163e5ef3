"""A client of raw bytes, which reads nothing before it is asked to, and never waits for ever."""

from __future__ import annotations

import asyncio
import socket
from typing import Literal, TypeAlias

from .transcript import Transcript

__all__ = ["Answer", "Client"]

Framing: TypeAlias = Literal["none", "length", "chunked", "close"]


class Answer:
    """A response. Its content is there as far as it was read."""

    version: str
    reason: str

    def __init__(self, head: bytes, to: str) -> None:
        first, *lines = head[:-4].decode("latin-1").split("\r\n")
        self.head = head
        self.version, _, rest = first.partition(" ")
        code, _, self.reason = rest.partition(" ")
        self.status: int = int(code) if code.isdigit() else 0
        pairs = (line.partition(":") for line in lines)
        self.fields: list[tuple[str, str]] = [(name, value.strip(" \t")) for name, _, value in pairs]
        """In order and case, latin-1."""
        self.trailers = b""
        self.body = b""
        self.whole: bool | None = None
        """Whether it has ended as it said it would; ``None`` before the end."""
        self.left: int = 0
        """Of the length, or of the chunk."""
        codings, lengths = self.getall("Transfer-Encoding"), self.getall("Content-Length")
        self.framing: Framing = "close"
        if to == "HEAD" or self.status < 200 or self.status in (204, 304):
            self.framing = "none"
        elif codings:
            self.framing = "chunked"
        elif lengths:
            self.framing, self.left = "length", int(lengths[0]) if lengths[0].isdigit() else 0

    def getall(self, name: str) -> list[str]:
        """All values of a field, whatever its case."""
        return [value for key, value in self.fields if key.lower() == name.lower()]

    @property
    def closes(self) -> bool:
        """Whether no other response can follow on the connection."""
        return self.framing == "close" or "close" in ",".join(self.getall("Connection")).lower() or not self.whole

    def __str__(self) -> str:
        ended = {None: "not read to its end", True: "whole", False: "cut before its end"}[self.whole]
        return f"{self.status} {self.reason}, {ended}, with the content {self.body[:200]!r}"


class Client:
    """A connection to the proxy. What goes wrong on it is a failure of the row."""

    def __init__(self, sock: socket.socket, name: str, timeout: float, transcript: Transcript) -> None:
        self.sock = sock
        self._name = name
        self._timeout = timeout
        self._transcript = transcript
        self._held = b""
        self._ended: str | None = None

    async def send(self, data: bytes) -> bool:
        """Send ``data``. False: the proxy does not take it, which is for the row to judge."""
        self._transcript.note(f"{self._name} sends", data)
        try:
            async with asyncio.timeout(self._timeout):
                await asyncio.get_running_loop().sock_sendall(self.sock, data)
        except TimeoutError:
            self._transcript.fail(f"the proxy takes what {self._name} sends", f"not within {self._timeout} s")
        except ConnectionError:
            self._transcript.remark(f"{self._name} finds that the proxy takes no more")
            return False
        return True

    def leave(self) -> None:
        """Close the connection."""
        self._transcript.remark(f"{self._name} leaves")
        self.sock.close()

    async def head(self, to: str = "GET") -> Answer:
        """The head of the next response, which answers a request of the method ``to``; a 1xx is one, too."""
        while (end := self._held.find(b"\r\n\r\n")) < 0 and await self._fill("the head of a response"):
            pass
        if end < 0:
            was = f"{self._ended} after {self._held[:200]!r}" if self._held else f"{self._ended}, without a response"
            self._transcript.fail(f"{self._name} gets a response", was)
        head, self._held = self._held[: end + 4], self._held[end + 4 :]
        answer = Answer(head, to)
        if answer.version not in ("HTTP/1.0", "HTTP/1.1") or not answer.status:
            self._transcript.fail("what comes next is a response", repr(head[:200]))
        codings, lengths = answer.getall("Transfer-Encoding"), answer.getall("Content-Length")
        if len(codings) + len(lengths) > 1 or not "".join(lengths or "0").isdigit() or codings not in ([], ["chunked"]):
            self._transcript.fail(
                "a response has one Content-Length, or Transfer-Encoding: chunked, or neither",
                f"Content-Length {lengths}, Transfer-Encoding {codings}",
            )
        return answer

    async def answer(self, to: str = "GET") -> Answer:
        """The next final response, with all of its content that comes; interim ones are passed over."""
        while (answer := await self.head(to)).status < 200:
            pass
        while piece := await self.piece(answer):
            answer.body += piece
        return answer

    async def take(self, answer: Answer, size: int) -> bytes:
        """The next ``size`` bytes of content, fewer at its end."""
        data = b""
        while len(data) < size and (piece := await self.piece(answer, size - len(data))):
            data += piece
        answer.body += data
        return data

    async def piece(self, answer: Answer, size: int = 1 << 18) -> bytes:
        """Some of the content, at most ``size`` bytes; nothing at its end."""
        if answer.whole is not None:
            return b""
        if answer.framing == "chunked" and not answer.left and not await self._chunk(answer):
            return b""
        if answer.framing == "none" or (answer.framing == "length" and not answer.left):
            answer.whole = True
            return b""
        data = await self._some(size if answer.framing == "close" else min(size, answer.left))
        if not data:
            answer.whole = answer.framing == "close" and self._ended == "the connection was closed"
            return b""
        answer.left -= len(data) if answer.framing != "close" else 0
        if answer.framing == "chunked" and not answer.left and await self.exactly(2) != b"\r\n":
            answer.whole = False
        return data

    async def rest(self) -> bytes:
        """Whatever else comes until the connection ends."""
        data = b""
        while piece := await self._some(1 << 18):
            data += piece
        return data

    async def _chunk(self, answer: Answer) -> bool:
        """Read the size of the next chunk. False: there is none."""
        line = await self._line()
        if line is None:
            answer.whole = False
            return False
        try:
            answer.left = int(line.partition(b";")[0], 16)
        except ValueError:
            self._transcript.fail("a chunk begins with its size", repr(line))
        while not answer.left:
            line = await self._line()
            if not line:
                answer.whole = line is not None
                return False
            answer.trailers += line + b"\r\n"
        return True

    async def _line(self) -> bytes | None:
        while (end := self._held.find(b"\r\n")) < 0:
            if not await self._fill("the rest of a response"):
                return None
        line, self._held = self._held[:end], self._held[end + 2 :]
        return line

    def end(self) -> None:
        """Send nothing more."""
        self._transcript.remark(f"{self._name} ends its half of the connection")
        self.sock.shutdown(socket.SHUT_WR)

    async def exactly(self, size: int) -> bytes:
        """The next ``size`` bytes, fewer at the end of the connection."""
        while len(self._held) < size and await self._fill("the rest of a response"):
            pass
        data, self._held = self._held[:size], self._held[size:]
        return data

    async def _some(self, size: int) -> bytes:
        if not self._held:
            await self._fill("the rest of a response, or the end of the connection")
        data, self._held = self._held[:size], self._held[size:]
        return data

    async def _fill(self, awaited: str) -> bool:
        if self._ended:
            return False
        try:
            async with asyncio.timeout(self._timeout):
                data = await asyncio.get_running_loop().sock_recv(self.sock, 1 << 18)
        except TimeoutError:
            self._transcript.fail(f"{self._name} gets {awaited}", f"nothing came for {self._timeout} s")
        except ConnectionError:
            data, self._ended = b"", "the connection was reset"
        if data:
            self._transcript.note(f"{self._name} gets", data)
            self._held += data
            return True
        self._ended = self._ended or "the connection was closed"
        self._transcript.remark(f"{self._name} finds that {self._ended}")
        return False
