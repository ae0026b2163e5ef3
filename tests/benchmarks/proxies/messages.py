"""This library with a relay of messages in place of the splice of bytes: every message is shown to a function."""

from __future__ import annotations

import argparse

from aiohttp import web

from revproxy import ProxyHandler, Upstream
from revproxy.filters import Passage, WebSocketFilter
from revproxy.filters.websocket import Message

from .serve import serve


def look(passage: Passage, message: Message) -> Message:
    """As one that finds nothing."""
    return message


def application(arguments: argparse.Namespace) -> web.Application:
    app = web.Application()
    ProxyHandler(Upstream(arguments.backend), filters=[WebSocketFilter(look)]).mount(app)
    return app


if __name__ == "__main__":
    serve(application)
