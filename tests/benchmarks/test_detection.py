"""How many of the attacks of others are stopped: the reading of what others wrote, and the count."""

from __future__ import annotations

import json
from pathlib import Path

from revproxy.filters.inspect import Inspect

from .detection import of_lines, of_requests, run
from .record import shop

ATTACK = "1' OR '1'='1' -- "


def _line(target: str, agent: str = "sqlmap/1.10#pip (https://sqlmap.org)") -> str:
    return json.dumps({"method": "GET", "target": target, "fields": [["User-Agent", agent]], "body": ""})


def test_of_lines(tmp_path: Path) -> None:
    """A line is a parameter's value; what is too short to be an attack is left out."""
    file = tmp_path / "sql.txt"
    file.write_text(f"{ATTACK}\n'\n")
    [attack] = of_lines(file)
    assert (attack.family, attack.name, attack.target) == (
        "sql",
        "sql.txt:1",
        "/?q=1%27%20OR%20%271%27%3D%271%27%20--%20",
    )


def test_of_requests(tmp_path: Path) -> None:
    """Each once; what a scanner asks again and again is ordinary; its own name is a browser's."""
    file = tmp_path / "scanner.requests"
    file.write_text(
        "\n".join([_line("/?id=1")] * 5 + [_line("/?id=2"), _line("/?id=2"), _line("/?id=3", "x' or 1=1--")])
    )
    attacks = list(of_requests(file))
    assert [attack.target for attack in attacks] == ["/?id=2", "/?id=3"]
    assert "Firefox" in dict(attacks[0].fields)["User-Agent"]
    assert dict(attacks[1].fields)["User-Agent"] == "x' or 1=1--"


async def test_count(tmp_path: Path) -> None:
    """By family, and of all."""
    file = tmp_path / "sql.txt"
    file.write_text(f"{ATTACK}\nhello world\n")
    table = await run(list(of_lines(file)), Inspect(prefilter="words"), missed=False)
    assert table.rows == [["sql", "2", "1", "50.0"], ["all", "2", "1", "50.0"]]


async def test_record(tmp_path: Path) -> None:
    """What the shop is asked is written down, whatever it is."""
    from aiohttp.test_utils import TestClient, TestServer

    file = tmp_path / "requests"
    async with TestClient(TestServer(shop(file))) as client, client.post("/comment?id=1", data=b"\xff") as response:
        assert response.status == 200
    [line] = file.read_text().splitlines()
    told = json.loads(line)
    assert (told["method"], told["target"], told["body"]) == ("POST", "/comment?id=1", "\xff")
