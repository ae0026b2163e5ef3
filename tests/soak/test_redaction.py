"""What is held of content that is larger than memory while secrets are taken out of it: next to nothing."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from revproxy.filters.redact import detectors
from revproxy.filters.redact.engine import Engine

from .redaction import CONTENTS, GIB

pytestmark = pytest.mark.soak

MIB = 1 << 20


@pytest.mark.parametrize("content", CONTENTS)
async def test_held_back(content: str) -> None:
    """S-65: of 1 GiB no more is held than what has to be looked back at: JSON, HTML, one line, one key."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.soak.redaction", content),
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    out, _ = await process.communicate()
    grown, held, lost, found = map(int, out.split())
    assert process.returncode == 0
    assert grown < 4 * MIB
    assert held < 2 * Engine(detectors.ALL, "words").reach + 1024
    assert lost == 0
    if content in ("json", "html"):
        assert found > 0.9 * GIB / 10240
    else:
        assert found == (content == "key")
