"""What type checkers say to whoever uses the library.

``right`` is checked with everything else, and run. ``wrong`` holds mistakes, and only the tests here have them checked.
Each line that must be rejected says so, with mypy's codes::

    Timeouts(connect="5s")  # E: arg-type

pyright must find something wrong with the same lines. Where only one of the two does, the line says which, with codes
of that one: ``# E: unreachable (mypy alone)``.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import TypeAlias

import pytest

ROOT = Path(__file__).parents[2]
WRONG = sorted(Path(__file__).with_name("wrong").glob("*.py"))

MARK = re.compile(r"# E: (?P<codes>[\w-]+(?:, [\w-]+)*)(?: \((?P<alone>mypy|pyright) alone\))?$")

Found: TypeAlias = dict[str, set[str]]
"""Codes of errors by file and line, ``wrong/filters.py:60``."""


def marked(checker: str) -> Found:
    """What ``checker`` must find."""
    wanted: Found = {}
    for path in WRONG:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            mark = MARK.search(line)
            if mark is not None and mark["alone"] in (None, checker):
                wanted[place(path, number)] = set(mark["codes"].split(", "))
            assert mark is not None or "# E" not in line, f"{place(path, number)} has a mark that says nothing"
    return wanted


def place(path: Path, line: int) -> str:
    return f"wrong/{path.name}:{line}"


def run(*command: str) -> str:
    """The output of a checker that has found something, as all of them must."""
    environment = os.environ | {"PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}  # else it asks for newer versions of itself
    done = subprocess.run(
        [sys.executable, "-m", *command, *map(str, WRONG)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 1, done.stderr + done.stdout
    return done.stdout


def test_mypy_rejects_what_is_wrong(tmp_path: Path) -> None:
    """mypy rejects the lines that are marked, for the reasons that they say, and no others."""
    found: Found = defaultdict(set)
    for line in run("mypy", "--cache-dir", str(tmp_path), "--output", "json").splitlines():
        error = json.loads(line)
        path = ROOT / error["file"]
        if path in WRONG and error["severity"] == "error":
            found[place(path, error["line"])].add(error["code"])
    assert found == marked("mypy")


def test_pyright_rejects_what_is_wrong() -> None:
    """pyright rejects the lines that are marked, and no others."""
    pytest.importorskip("pyright", reason="comes with the extra `types`, and not with `test`: it brings Node.js along")
    report = json.loads(run("pyright", "--pythonpath", sys.executable, "--outputjson"))
    found: Found = defaultdict(set)
    for error in report["generalDiagnostics"]:
        if error["severity"] == "error":
            found[place(Path(error["file"]), error["range"]["start"]["line"] + 1)].add(error.get("rule", "syntax"))
    assert found.keys() == marked("pyright").keys()
