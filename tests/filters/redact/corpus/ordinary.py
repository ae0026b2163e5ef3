"""What secrets and look-alikes stand in: ordinary fields and sentences without either."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

from .drawing import HEX, text_of, uuid, words

__all__ = ["fields", "log_line", "sentence", "stamp"]


def stamp(rng: Random) -> str:
    at = datetime(2026, 1, 1) + timedelta(milliseconds=rng.randrange(330 * 86_400_000))
    return f"{at.isoformat(timespec='milliseconds')}Z"


def sentence(rng: Random) -> str:
    return " ".join(words(rng, rng.randrange(4, 10))).capitalize() + "."


def fields(rng: Random) -> dict[str, object]:
    """Members of an object as an interface returns it."""
    every: dict[str, object] = {
        "id": rng.choice([rng.randrange(1, 10**6), uuid(rng)]), "name": " ".join(words(rng, 2)).title(),
        "created_at": stamp(rng), "total": round(rng.random() * 1000, 2),
        "status": rng.choice(["active", "pending", "archived"]), "tags": words(rng, 3), "description": sentence(rng),
        "etag": text_of(rng, HEX, 32),
        "url": f"https://www.example.com/{'/'.join(words(rng, 2))}", "enabled": rng.random() < 0.5,
        "count": rng.randrange(10_000), "parent": None,
        "position": {"lat": round(rng.uniform(-90, 90), 6), "lon": round(rng.uniform(-180, 180), 6)},
        "request_id": uuid(rng), "version": f"{rng.randrange(9)}.{rng.randrange(20)}.{rng.randrange(9)}",
    }  # fmt: skip
    picked = rng.sample(list(every), rng.randrange(3, 9))
    return {name: every[name] for name in picked}


def log_line(rng: Random, message: str) -> str:
    level = rng.choice(["INFO", "WARN", "DEBUG", "ERROR"])
    form = rng.randrange(4)
    if form == 0:
        return f"{stamp(rng)} {level} [{rng.choice(words(rng, 1))}-{rng.randrange(99)}] {message}"
    if form == 1:
        return (
            f'level={level.lower()} ts={stamp(rng)} caller={words(rng, 1)[0]}.go:{rng.randrange(999)} msg="{message}"'
        )
    if form == 2:
        return (
            f"Nov {rng.randrange(1, 29)} 12:{rng.randrange(60):02d}:07 web{rng.randrange(9)} "
            f"{words(rng, 1)[0]}[{rng.randrange(9999)}]: {message}"
        )
    return f"{level}:{'.'.join(words(rng, 2))}:{message}"
