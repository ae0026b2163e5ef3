"""No proxy: aiohttp answers the same bytes by itself. What a proxy on aiohttp costs above this is the proxy's own."""

from __future__ import annotations

import argparse

from aiohttp import web

from ..cases import CASES, body_of, content_type_of
from .serve import serve


def application(_arguments: argparse.Namespace) -> web.Application:
    bodies = {case.path: (body_of(case), content_type_of(case)) for case in CASES if not case.upload}

    async def download(request: web.Request) -> web.Response:
        body, content_type = bodies[request.path]
        return web.Response(body=body, content_type=content_type)

    async def upload(request: web.Request) -> web.Response:
        received = 0
        async for chunk in request.content.iter_any():
            received += len(chunk)
        return web.Response(text=f"{received}\n")

    app = web.Application()
    for path in bodies:
        app.router.add_get(path, download)
    app.router.add_post("/upload", upload)
    return app


if __name__ == "__main__":
    serve(application)
