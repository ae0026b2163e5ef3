"""The back end of every subject: one nginx, with one worker."""

from __future__ import annotations

import shutil
from pathlib import Path

from .cases import CASES, body_of
from .children import Child, free_port, listens
from .templates import fill, user_line


def start_backend(directory: Path) -> tuple[Child, int]:
    """Files for the downloads, and ``/upload``, which answers only when it has read the whole body."""
    nginx = shutil.which("nginx")
    if nginx is None:
        raise SystemExit("the benchmark needs nginx for its back end: it is not present")
    place = directory / "backend"
    files = place / "files"
    files.mkdir(parents=True)
    for case in CASES:
        if not case.upload:
            (files / case.path.lstrip("/").partition("?")[0]).write_bytes(body_of(case))
    port = free_port()
    conf = fill("backend.nginx.conf", place / "nginx.conf", USER=user_line(), DIRECTORY=str(place), PORT=str(port))
    child = Child([nginx, "-p", str(place), "-c", str(conf)], log=place / "output.log")
    try:
        child.until_ready(listens(port))
    except BaseException:
        child.stop()
        raise
    return child, port
