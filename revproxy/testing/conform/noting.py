"""Scripts of an upstream that leave word of what they do."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from ..script import Action
from ..turn import Step, Turn
from .transcript import Transcript

__all__ = ["noted"]


def noted(steps: Iterable[Step], transcript: Transcript) -> list[Step]:
    """``steps``, with what comes and goes in the ``transcript``."""

    async def came(turn: Turn) -> None:
        transcript.note("the upstream gets", turn.request.raw)

    def one(step: Step) -> Action:
        governs = isinstance(step, Action) and step.governs_body
        return Action(repr(step), lambda turn: step(_NotedTurn(turn, transcript)), governs)

    return [came, *map(one, steps)]


class _NotedTurn:
    """A turn that writes down what is said; implements ``Turn``."""

    def __init__(self, turn: Turn, transcript: Transcript) -> None:
        self._turn, self._transcript = turn, transcript
        self.request, self.released = turn.request, turn.released

    async def write(self, data: bytes) -> None:
        self._transcript.note("the upstream sends", data)
        await self._turn.write(data)

    async def read(self, size: int = 65536) -> bytes:
        return await self._turn.read(size)

    async def wait(self, event: asyncio.Event | None = None, *, seconds: float | None = None) -> None:
        await self._turn.wait(event, seconds=seconds)

    async def read_body(self) -> None:
        await self._turn.read_body()

    async def ignore_body(self) -> None:
        await self._turn.ignore_body()

    async def stop_reading(self) -> None:
        await self._turn.stop_reading()

    async def close(self) -> None:
        self._transcript.remark("the upstream closes the connection")
        await self._turn.close()

    async def reset(self) -> None:
        self._transcript.remark("the upstream resets the connection")
        await self._turn.reset()
