"""The table and the pictures of the page "Which balancer" say what the simulator says.

Where one is out of date: ``python docs/plots.py``.
"""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest

DOCS = Path(__file__).parents[1] / "docs"
PAGE = DOCS / "how-to" / "which-balancer.md"
NAMES = ("percentiles", "slow-host", "leaving", "slow-start")
SVG = "{http://www.w3.org/2000/svg}"


def _loaded(name: str) -> ModuleType:
    """A program under ``docs``, which is no package."""
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def programs() -> Iterator[tuple[ModuleType, ModuleType]]:
    """``figures``, which computes, and ``plots``, which draws."""
    yield _loaded("figures"), _loaded("plots")
    for name in ("figures", "plots"):
        del sys.modules[name]


@pytest.mark.soak
def test_the_table(programs: tuple[ModuleType, ModuleType]) -> None:
    """It has the simulator's figures, to the last digit."""
    figures, plots = programs
    assert plots.table_in(PAGE.read_text(encoding="utf-8")) == figures.table()


@pytest.mark.soak
@pytest.mark.parametrize("name", NAMES)
def test_a_picture(programs: tuple[ModuleType, ModuleType], name: str) -> None:
    """It was drawn from the simulator's figures; it is one element that can be read, without a colour that only one
    scheme has."""
    figures, plots = programs
    picture = (plots.PLOTS / f"{name}.svg").read_text(encoding="utf-8")
    assert plots.digest_in(picture) == figures.digest(name)
    assert ElementTree.fromstring(picture).tag == f"{SVG}svg"
    assert "currentColor" in picture
    assert not re.search(r"(?:fill|stroke): (?:#000000|#ffffff|black|white)", picture)


def test_the_page_shows_them(programs: tuple[ModuleType, ModuleType]) -> None:
    """All of them; and built, they are part of it, with their words for those who cannot see them, and nothing that is
    meant for the rest of the page."""
    figures, plots = programs
    shown = re.findall(r"!\[([^\]]+)\]\(plots/([\w-]+)\.svg\)", PAGE.read_text(encoding="utf-8"))
    assert {name for _, name in shown} == set(NAMES) == set(figures.FIGURES)
    html = "".join(f'<p><img alt="{alt}" src="../plots/{name}.svg" /></p>' for alt, name in shown)
    built = ElementTree.fromstring(f"<div>{plots.on_page_content(html)}</div>")
    assert [svg.get("aria-label") for svg in built.iter(f"{SVG}svg")] == [alt for alt, _ in shown]
    identifiers = [each.get("id") for each in built.iter() if each.get("id")]
    assert len(identifiers) == len(set(identifiers)) > 0
    assert not list(built.iter("img"))
    for style in built.iter(f"{SVG}style"):
        assert (style.text or "").startswith("svg[role=img] *{")


def test_what_is_no_picture_of_it(programs: tuple[ModuleType, ModuleType]) -> None:
    """Other images stay as they are."""
    _, plots = programs
    html = '<img alt="x" src="other/leaving.svg"><img alt="x" src="plots/leaving.png">'
    assert plots.on_page_content(html) == html


def test_drawing(programs: tuple[ModuleType, ModuleType]) -> None:
    """It gives the same picture each time."""
    pytest.importorskip("matplotlib", reason="matplotlib, of the extra docs, is not installed")
    figures, plots = programs
    picture = plots.draw("leaving")
    assert picture == plots.draw("leaving")
    assert plots.digest_in(picture) == figures.digest("leaving")
