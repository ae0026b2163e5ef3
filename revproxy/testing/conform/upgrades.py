"""Rows of WebSockets."""

from __future__ import annotations

from collections.abc import Mapping

from ...wire.handshake import accept_key
from ..script import close, echo, switch
from .talk import Bench, Check

__all__ = ["UPGRADES"]

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
HANDSHAKE = [
    *(("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Key", KEY)),
    *(("Sec-WebSocket-Protocol", "chat, v2"), ("Sec-WebSocket-Extensions", "permessage-deflate")),
]
HELLO, MASKED = b"\x81\x05hello", b"\x81\x85\0\0\0\0hello"


async def refusals(bench: Bench) -> None:
    """What an upstream answers to a WebSocket's handshake instead of a 101 comes back as it is."""
    async with bench.talk(bench.respond(403, [("X-Why", "not you")], b"no")) as talk:
        _, answer = await talk.exchange(fields=HANDSHAKE)
        talk.got(answer, 403, b"no")
        talk.returned(answer, "X-Why", ["not you"])


async def switches(bench: Bench) -> None:
    """A WebSocket's handshake reaches the upstream, its 101 comes back, and frames go both ways until both ends have
    ended."""
    chosen = [("Sec-WebSocket-Protocol", "v2")]
    async with bench.talk(switch(headers=chosen), echo(), close()) as talk:
        await talk.ask(fields=HANDSHAKE)
        answer = await talk.client.head()
        request = await talk.asked(0, answer)
        for name, value in HANDSHAKE:
            if name != "Connection":
                talk.arrived(request, name, [value])
        talk.check(answer.status == 101, "the client gets 101", f"{answer.status} {answer.reason}")
        for name, value in [*chosen, ("Upgrade", "websocket"), ("Sec-WebSocket-Accept", accept_key(KEY))]:
            talk.returned(answer, name, [value])
        for piece in (MASKED[:3], MASKED[3:] + MASKED):
            await talk.client.send(piece)
        data = await talk.client.exactly(2 * len(HELLO))
        talk.check(data == 2 * HELLO, f"the client gets {2 * HELLO!r}", repr(data))
        talk.client.end()
        rest = await talk.client.rest()
        talk.check(not rest, "the client gets the end that follows its own, and nothing else", repr(rest))


UPGRADES: Mapping[str, Check] = {"F-92": refusals, "F-94": switches}
