"""Facts that a table of figures means nothing without."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

_PROGRAMS = (
    ("nginx", ["nginx", "-v"]),
    ("haproxy", ["haproxy", "-v"]),
    ("Go", ["go", "version"]),
    ("node", ["node", "--version"]),
    ("wrk", ["wrk", "--version"]),
)
_VERSION = re.compile(r"\d+\.\d+(\.\d+)?")


def facts() -> dict[str, str]:
    found = {
        "CPU": f"{_cpu_model()}, {os.cpu_count()} cores",
        "kernel": f"{platform.system()} {platform.release()} {platform.machine()}",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
    }
    for name in ("aiohttp", "uvloop", "httptools"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not present"
    for name, argv in _PROGRAMS:
        found[name] = _version(argv)
    return found


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.processor() or "unknown"


def _version(argv: list[str]) -> str:
    if shutil.which(argv[0]) is None:
        return "not present"
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=10)
    found = _VERSION.search(done.stdout + done.stderr)
    return found.group() if found else "unknown version"
