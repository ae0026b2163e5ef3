"""Pictures and table of the page "Which balancer", of what ``docs/figures.py`` says.

python docs/plots.py            draws the pictures, and writes the table into the page (needs the extra ``docs``)

Each picture has a digest of its figures; ``tests/test_plots.py`` fails where that, or the table, is out of date. As
files they follow the reader's colour scheme. The documentation's build puts them into the page instead, where their
lines and words have the colour and the font of the text around them.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DOCS = Path(__file__).parent
PAGE = DOCS / "how-to" / "which-balancer.md"
PLOTS = PAGE.parent / "plots"

_TABLE = re.compile(r"(?<=<!-- figures:begin -->\n).*?(?=<!-- figures:end -->)", re.DOTALL)
_IMAGE = re.compile(r'<img alt="(?P<alt>[^"]*)" src="[^"]*plots/(?P<name>[\w-]+)\.svg"\s*/?>')
_DIGEST = re.compile(r"<!-- figures: (\w+) -->")

# Middle tones, which can be told apart on white and on black, by the colour-blind, too (after Okabe and Ito).
_COLOURS = {"blue": "#2f8fd0", "orange": "#e08a1e", "green": "#1a9c77", "purple": "#b06ab3"}
_TEXT = "#010203"
"""Stands for the colour of the text: it is replaced."""
_EVERYWHERE = "*{"
_OWN_STYLE = "<style>svg{color:#333}@media(prefers-color-scheme:dark){svg{color:#ccc}}</style>"


def digest_in(picture: str) -> str | None:
    """Of the figures that an SVG was drawn from."""
    found = _DIGEST.search(picture)
    return None if found is None else found[1]


def table_in(page: str) -> str | None:
    """The table of the page as it stands there."""
    found = _TABLE.search(page)
    return None if found is None else found[0]


# Drawing.


def _percentiles(figure: Figure, data: Mapping[str, Mapping[str, list[int]]]) -> None:
    panels = figure.subplots(1, len(data), sharey=True, sharex=True)
    for axes, (title, rows) in zip(panels, data.items(), strict=True):
        for at, row in enumerate(rows.values()):
            axes.plot([row[0], row[-1]], [at, at], color=_TEXT, alpha=0.35, linewidth=1, zorder=1)
        for position, (percent, colour) in enumerate(zip((50, 90, 99), ("blue", "green", "orange"), strict=True)):
            values = [row[position] for row in rows.values()]
            axes.plot(values, range(len(rows)), "o", color=_COLOURS[colour], markersize=5, label=f"p{percent}")
        axes.set_title(title)
        axes.set_xscale("log")
        axes.set_xticks([10, 100, 1000], ["10", "100", "1000"])
        axes.grid(axis="x", alpha=0.25)
    panels[0].set_yticks(range(len(rows)), list(rows))
    panels[0].invert_yaxis()
    panels[1].set_xlabel("response time, ms")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper right", ncols=3, handletextpad=0.1)


def _slow_host(figure: Figure, data: Mapping[str, Mapping[str, list[float]]]) -> None:
    import figures

    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    for (name, series), colour in zip(data.items(), ("orange", "blue", "green"), strict=True):
        seconds = range(len(series["p99"]))
        above.plot(seconds, series["p99"], color=_COLOURS[colour], label=name)
        below.plot(seconds, series["share"], color=_COLOURS[colour])
    for axes in (above, below):
        axes.axvspan(*figures.STALL, color=_TEXT, alpha=0.08, linewidth=0)
        axes.grid(axis="y", alpha=0.25)
    above.set_yscale("log")
    above.set_yticks([100, 1000], ["100", "1000"])
    above.set_ylabel("p99, ms")
    above.legend(loc="upper left")
    below.set_ylim(0, None)
    below.set_ylabel("to the slow host, %")
    below.set_xlabel("time, s")


def _leaving(figure: Figure, data: Mapping[str, list[float]]) -> None:
    import figures

    axes = figure.subplots()
    colours = ("orange", "blue", "green", "purple")
    for (name, shares), colour, mark in zip(data.items(), colours, "osv^", strict=True):
        axes.plot(figures.COUNTS, shares, color=_COLOURS[colour], marker=mark, markersize=5, label=name)
    ideal = [100 / count for count in figures.COUNTS]
    axes.plot(figures.COUNTS, ideal, color=_TEXT, linestyle=":", label="one in n", zorder=1)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks(figures.COUNTS, [str(count) for count in figures.COUNTS])
    axes.minorticks_off()
    axes.set_yticks([1, 10, 100], ["1", "10", "100"])
    axes.grid(axis="y", alpha=0.25)
    axes.set_xlabel("endpoints before one leaves")
    axes.set_ylabel("clients that go elsewhere, %")
    axes.legend(loc="lower left")


def _slow_start(figure: Figure, data: Mapping[str, list[float]]) -> None:
    axes = figure.subplots()
    for (name, rates), colour in zip(data.items(), ("orange", "blue", "green"), strict=True):
        axes.step([2 * step for step in range(len(rates))], rates, where="post", color=_COLOURS[colour], label=name)
    axes.set_ylim(0, None)
    axes.grid(axis="y", alpha=0.25)
    axes.set_xlabel("time, s")
    axes.set_ylabel("requests/s to the new endpoint")
    axes.legend(loc="lower right")


_DRAW: Mapping[str, tuple[Callable[[Any, Any], None], tuple[float, float]]] = {
    "percentiles": (_percentiles, (8.4, 3.8)),
    "slow-host": (_slow_host, (7.2, 4.4)),
    "leaving": (_leaving, (7.2, 3.6)),
    "slow-start": (_slow_start, (7.2, 3.2)),
}


def draw(name: str) -> str:
    """One picture, as SVG. The same figures give the same picture, byte for byte, by the same version of matplotlib."""
    import figures
    import matplotlib

    matplotlib.use("svg")
    from matplotlib.figure import Figure

    paint, size = _DRAW[name]
    settings = {
        "axes.edgecolor": _TEXT,
        "axes.labelcolor": _TEXT,
        "axes.spines.right": False,
        "axes.spines.top": False,
        "axes.titlecolor": _TEXT,
        "axes.titlesize": 10,
        "font.size": 10,
        "grid.color": _TEXT,
        "legend.frameon": False,
        "legend.labelcolor": _TEXT,
        "lines.linewidth": 1.6,
        "svg.fonttype": "none",
        "svg.hashsalt": name,  # the identifiers in it: pictures of one page must not share them
        "text.color": _TEXT,
        "xtick.color": _TEXT,
        "ytick.color": _TEXT,
    }
    with matplotlib.rc_context(settings):
        figure = Figure(figsize=size, layout="constrained")
        paint(figure, figures.FIGURES[name]())
        drawn = io.StringIO()
        metadata = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(drawn, format="svg", transparent=True, metadata=metadata)
    return _tidied(drawn.getvalue(), figures.digest(name))


def _tidied(svg: str, digest: str) -> str:
    """One element without a prologue, in the colour of the text, with the digest."""
    svg = svg[svg.index("<svg") :].replace(_TEXT, "currentColor")
    svg = re.sub(r"'DejaVu Sans'[^;\"]*", "sans-serif", svg)
    svg = re.sub(r"\s*<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<g id="[^"]*">', "<g>", svg)  # no page may have them twice, and nothing refers to them
    opening = svg.index(">") + 1
    return f"{svg[:opening]}\n <!-- figures: {digest} -->\n {_OWN_STYLE}{svg[opening:]}".replace("\n\n", "\n")


# Called by MkDocs.


def on_page_content(html: str, **_: object) -> str:
    """Pictures of this program become part of the page, so that they have its colours and its font."""

    def inline(image: re.Match[str]) -> str:
        svg = (PLOTS / f"{image['name']}.svg").read_text(encoding="utf-8").replace(_OWN_STYLE, "")
        svg = re.sub(r"<svg\b", f'<svg role="img" aria-label="{escape(image["alt"])}"', svg, count=1)
        svg = re.sub(r' (?:width|height)="[\d.]+pt"', "", svg, count=2)
        svg = svg.replace(_EVERYWHERE, "svg[role=img] *{", 1)  # else it would be meant for the rest of the page, too
        return svg.replace("sans-serif", "inherit")

    return _IMAGE.sub(inline, html)


def main() -> None:
    import figures

    PLOTS.mkdir(exist_ok=True)
    for name in _DRAW:
        (PLOTS / f"{name}.svg").write_text(draw(name), encoding="utf-8")
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(_TABLE.sub(lambda _: figures.table(), page), encoding="utf-8")


if __name__ == "__main__":
    main()
