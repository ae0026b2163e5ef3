"""The command ``python -m tests.benchmarks.record FILE``: a shop with forms and links, for scanners to attack, which
writes each request that it gets as a line of JSON. What is in FILE then is for ``tests.benchmarks.detection``.

It listens on the loopback interface only, and runs nothing of what it is sent: it echoes a parameter, and pretends that
a quote breaks its SQL, so that scanners go on.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from aiohttp import web

PAGE = """<html><body><h1>Shop</h1><p>You asked for: {asked}</p>
<a href="/item?id=1&amp;cat=books">item</a> <a href="/search?q=lamp">search</a>
<a href="/file?name=a.txt&amp;url=http://example.com/">file</a>
<form action="/comment" method="post"><input name="text" value="hi"><input name="email" value="a@example.com">
<input type="submit"></form>{broken}</body></html>"""
BROKEN = "<b>You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version</b>"


def shop(file: Path) -> web.Application:
    """The application; it appends to ``file``."""

    async def answer(request: web.Request) -> web.Response:
        body = await request.read()
        fields = [[name, value] for name, value in request.headers.items()]
        said = {"method": request.method, "target": request.raw_path, "fields": fields, "body": body.decode("latin-1")}
        with file.open("a") as lines:
            lines.write(json.dumps(said) + "\n")
        asked = request.query.get("q", request.query.get("id", ""))
        page = PAGE.format(asked=asked, broken=BROKEN if "'" in asked and request.path == "/item" else "")
        return web.Response(text=page, content_type="text/html")

    app = web.Application(client_max_size=1 << 24)
    app.router.add_route("*", "/{path:.*}", answer)
    return app


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.record", description="A shop to be attacked.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--port", type=int, default=8090)
    options = parser.parse_args()
    web.run_app(shop(options.file), host="127.0.0.1", port=options.port)
