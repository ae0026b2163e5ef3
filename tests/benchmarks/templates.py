"""Configuration files with ``@NAME@`` in the places that differ from run to run."""

from __future__ import annotations

import os
from pathlib import Path

PROXIES = Path(__file__).with_name("proxies")


def fill(template: str, target: Path, **values: str) -> Path:
    text = (PROXIES / template).read_text()
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    target.write_text(text)
    return target


def user_line() -> str:
    """nginx started by root gives its workers another user, who may not enter our temporary directory."""
    return "user root root;" if os.geteuid() == 0 else ""
