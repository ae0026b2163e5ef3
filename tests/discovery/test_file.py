"""Endpoints in a file that changes."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from revproxy import Endpoint
from revproxy.discovery import DiscoveryFailed, File, Found
from revproxy.testing import FakeClock

from ..wire import nothing_left as nothing_left
from ..wire import soon, until


def write(path: Path, *urls: str) -> Path:
    """Put a file in its place as a whole."""
    new = path.with_suffix(".new")
    new.write_text(json.dumps({"endpoints": urls}))
    os.replace(new, path)
    return path


class Reading:
    """Takes the sets of a source, by hand."""

    def __init__(self, path: Path, **options: Any) -> None:
        self.clock = FakeClock()
        self.source = File(path, clock=self.clock, **options)
        self.sets = self.source.snapshots()

    async def next(self) -> list[str]:
        """The next set: what is in the file now, looked at once."""
        return urls(await soon(anext(self.sets)))

    async def after(self, seconds: float) -> list[str] | None:
        """What there is after ``seconds``; ``None``: the same as before."""
        task = asyncio.ensure_future(anext(self.sets))
        await self._asleep(task)
        self.clock.advance(seconds)
        await self._asleep(task)
        if task.done():
            return urls(task.result())
        task.cancel()
        await asyncio.wait({task})
        return None

    async def _asleep(self, task: asyncio.Future[Found]) -> None:
        await until(lambda: task.done() or self.clock.waiting > 0)


def urls(found: Found) -> list[str]:
    return [str(each.url) for each in found if isinstance(each, Endpoint)]


async def test_changes(tmp_path: Path) -> None:
    """What is there at first, and what another file has that takes its name."""
    path = write(tmp_path / "api.json", "http://10.0.0.1")
    reading = Reading(path, interval=3)
    assert await reading.next() == ["http://10.0.0.1"]
    write(path, "http://10.0.0.1", "http://10.0.0.2")
    assert await reading.after(3) == ["http://10.0.0.1", "http://10.0.0.2"]
    assert repr(reading.source) == f"File({str(path)!r})"
    assert reading.source.name == "api"


async def test_no_change(tmp_path: Path) -> None:
    """The same content is not told again, whatever was done to the file."""
    path = write(tmp_path / "api.json", "http://10.0.0.1")
    reading = Reading(path)
    await reading.next()
    write(path, "http://10.0.0.1")
    os.utime(path, (1, 1))
    assert await reading.after(2) is None


async def test_a_change_that_no_time_shows(tmp_path: Path) -> None:
    """Another content of the same length, in the same inode and at the same time, is seen: the content is compared."""
    path = write(tmp_path / "api.json", "http://10.0.0.1")
    reading = Reading(path)
    await reading.next()
    before = path.stat()
    path.write_text(path.read_text().replace("10.0.0.1", "10.0.0.2"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = path.stat()
    assert (before.st_ino, before.st_size, before.st_mtime_ns) == (after.st_ino, after.st_size, after.st_mtime_ns)
    assert await reading.after(2) == ["http://10.0.0.2"]


async def test_symbolic_links_as_in_kubernetes(tmp_path: Path) -> None:
    """A ConfigMap's file is a link through a directory that is itself a link, which is replaced by another."""
    for number in (1, 2):
        (tmp_path / f"..{number}").mkdir()
        write(tmp_path / f"..{number}" / "api.json", f"http://10.0.0.{number}")
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "api.json").symlink_to("..data/api.json")
    reading = Reading(tmp_path / "api.json")
    assert await reading.next() == ["http://10.0.0.1"]
    (tmp_path / "..data_tmp").symlink_to("..2")
    os.replace(tmp_path / "..data_tmp", tmp_path / "..data")
    assert await reading.after(2) == ["http://10.0.0.2"]


@pytest.mark.parametrize("name", ["api.toml", "API.TOML"])
async def test_toml(tmp_path: Path, name: str) -> None:
    """The form is what the name says, or what ``format`` does."""
    path = tmp_path / name
    path.write_text('[[endpoints]]\nurl = "http://10.0.0.1"\n')
    assert await Reading(path).next() == ["http://10.0.0.1"]
    path = path.rename(tmp_path / "api")
    assert await Reading(path, format="toml").next() == ["http://10.0.0.1"]


async def failure(path: Path, **options: Any) -> Exception:
    with pytest.raises((DiscoveryFailed, OSError)) as raised:
        await Reading(path, **options).next()
    return raised.value


async def test_what_cannot_be_read(tmp_path: Path) -> None:
    """What is not there, is no file, would never end, or is too large: a failure, at once."""
    assert isinstance(await failure(tmp_path / "none.json"), FileNotFoundError)
    (tmp_path / "directory.json").mkdir()
    assert isinstance(await failure(tmp_path / "directory.json"), DiscoveryFailed | OSError)
    os.mkfifo(tmp_path / "pipe.json")
    assert "is no file" in str(await failure(tmp_path / "pipe.json"))
    (tmp_path / "zero.json").symlink_to("/dev/zero")
    assert "is no file" in str(await failure(tmp_path / "zero.json"))
    path = write(tmp_path / "large.json", "http://10.0.0.1")
    size = path.stat().st_size
    assert f"more than {size - 1} bytes" in str(await failure(path, size=size - 1))
    assert await Reading(path, size=size).next() == ["http://10.0.0.1"]
    assert str(await failure(write(tmp_path / "bad.json", "ftp://a"))).startswith("endpoints[0]: url")


async def test_a_broken_file_is_asked_for_at_its_interval() -> None:
    """A failure costs no more time than a look: there is nobody to be spared."""
    source = File("x.json", interval=3)
    assert (source.backoff.first, source.backoff.most) == (3, 3)


@pytest.mark.parametrize(
    ("path", "bad", "said"),
    [
        ("x.yaml", {}, "format .* got 'yaml' for 'x.yaml'"),
        ("x", {}, "format"),
        ("x.json", {"format": "xml"}, "format"),
        ("x.json", {"interval": 0}, "interval"),
        ("x.json", {"interval": float("nan")}, "interval"),
        ("x.json", {"size": 0}, "size"),
        ("x.json", {"initial": 0}, "initial"),
    ],
)
def test_bad_parameters(path: str, bad: dict[str, Any], said: str) -> None:
    """They are named."""
    with pytest.raises(ValueError, match=said):
        File(path, **bad)


async def test_cancelled(tmp_path: Path) -> None:
    """Cancelled at its first look, it leaves nothing behind."""

    async def take(sets: AsyncIterator[Found]) -> None:
        async for _ in sets:
            pass

    path = write(tmp_path / "api.json", "http://10.0.0.1")
    task = asyncio.create_task(take(File(path).snapshots()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await soon(task)
