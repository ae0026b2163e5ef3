"""Who asks."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from random import Random
from typing import TypeAlias

from ...exchange import Exchange
from ...message import Response, request_of_lines
from ..exchange import exchange

__all__ = ["Asks", "Client", "clients"]

Asks: TypeAlias = Callable[[Random, float], Exchange]
"""Makes the request that arrives at a time of the simulation; ``testing.exchange`` is what makes one."""


class Client:
    """One client, with the cookies that it was given, so that it can stay with a server by one."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._cookies: dict[str, str] = {}
        self._template = exchange(client=address)

    def ask(self, now: float) -> Exchange:
        """A request of its own, ``GET /``."""
        template = self._template
        request = template.request
        assert request.lines is not None
        draft = request_of_lines(request.method, request.target, request.lines, request.came_declared)
        return Exchange(template.inbound, draft, now)

    def told(self, response: Response) -> None:
        """Keep the cookies of ``response``; one without a value, or with an age of 0, is forgotten."""
        fields = response.headers.getall("Set-Cookie", ())
        for field in fields:
            pair, _, attributes = field.partition(";")
            name, _, value = pair.strip().partition("=")
            if value and "max-age=0" not in attributes.lower().replace(" ", "").split(";"):
                self._cookies[name] = value
            else:
                self._cookies.pop(name, None)
        if fields:
            said = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
            self._template = exchange(client=self._address, headers={"Cookie": said} if said else None)

    def __repr__(self) -> str:
        return f"<Client {self._address} cookies={list(self._cookies)}>"


def clients(keys: Sequence[Hashable]) -> list[Client]:
    """One for each of ``keys``, each with an address of its own."""
    return [Client(f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}") for number in range(len(keys))]
