"""Charsets that bodies are looked into in."""

from __future__ import annotations

__all__ = ["CHARSETS"]

CHARSETS = frozenset({"utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "latin1", "windows-1252"})
