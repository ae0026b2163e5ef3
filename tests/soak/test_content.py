"""What is held of content that is larger than memory while it is edited or watched: next to nothing."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from revproxy.filters.redact import detectors
from revproxy.filters.redact.engine import Engine

from .content import CASES, ELEMENT, GIB, KEPT, LINE, MAPPED

pytestmark = pytest.mark.soak

MIB = 1 << 20
GROWTH = 4 * MIB


async def streamed(case: str) -> list[int]:
    """What the command prints of ``case``."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.soak.content", case),
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    return [int(figure) for figure in out.split()]


@pytest.mark.parametrize("contents", [("json", "html"), ("line", "key")], ids="-".join)
async def test_redacted(contents: tuple[str, str]) -> None:
    """S-65: of 1 GiB no more is held than what has to be looked back at: JSON, HTML, one line, one key."""
    reach = Engine(detectors.ALL, "words").reach
    for content, (grown, held, gone, came, found) in zip(
        contents, await asyncio.gather(*map(streamed, contents)), strict=True
    ):
        assert grown < GROWTH, content
        assert held < 2 * reach, content
        assert gone == came >= GIB
        if content in ("json", "html"):
            assert found > 0.9 * GIB / 10240
        else:
            assert found == (content == "key")


async def test_edited_and_watched() -> None:
    """S-65: the same of a field that goes from each element of an array, of lines that a function edits, of texts that
    are replaced, and of what is watched for leaks; two at a time."""
    for pair in (("fields", "mapped"), ("replaced", "inspected")):
        for case, (grown, _, gone, came, found) in zip(pair, await asyncio.gather(*map(streamed, pair)), strict=True):
            assert came >= GIB
            assert grown < GROWTH, case
            if case == "fields":
                frame = len(CASES[case].beginning + CASES[case].end)
                assert (gone - frame) * len(ELEMENT) == (came - frame) * len(KEPT)
                assert found == 1
            elif case == "mapped":
                assert gone * len(LINE) == came * len(MAPPED)
            elif case == "inspected":
                assert (gone, found) == (came, 0)
