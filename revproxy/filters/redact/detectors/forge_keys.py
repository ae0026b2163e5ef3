"""Tokens of GitHub and others where code is kept."""

from __future__ import annotations

from ..detector import Detector
from .base62 import has_crc32
from .entropy import bits
from .placeholder import is_template

__all__ = ["GITHUB_PAT", "GITHUB_TOKEN", "GITLAB_TOKEN", "NPM_TOKEN", "PYPI_TOKEN"]


def _is_varied(text: bytes) -> bool:
    token = text.partition(b"_" if b"_" in text[:12] else b"-")[2]
    return has_crc32(token) or (bits(token) > 3 and not is_template(token))


GITHUB_TOKEN = Detector(
    "github-token",
    rb"gh[pousr]_[A-Za-z0-9]{36,251}(?:[._][A-Za-z0-9_.-]{0,8})?",
    valid=_is_varied,
    words=(b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_"),
    swallow=rb"A-Za-z0-9_.\-",
)
"""Tokens of GitHub: personal, of OAuth, of users and installations of apps, and those that refresh. One whose checksum
(CRC-32) is wrong counts, too, unless it only shows where one belongs: most of it may be right."""

GITHUB_PAT = Detector(
    "github-pat",
    rb"github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}",
    valid=_is_varied,
    swallow=rb"A-Za-z0-9_",
)
"""Fine-grained personal tokens of GitHub."""

GITLAB_TOKEN = Detector(
    "gitlab-token",
    rb"gl(?:pat|dt|rt|rtr|cbt|ptt|ft|imt|agent|oas|soat|ffct)-(?:t\d_)?"
    rb"[0-9A-Za-z_-]{20,300}(?:\.[0-9a-z]{2}\.[0-9a-z]{7,9})?",
    valid=_is_varied,
    words=(
        b"glpat-",
        b"gldt-",
        b"glrt-",
        b"glrtr-",
        b"glcbt-",
        b"glptt-",
        b"glft-",
        b"glimt-",
        b"glagent-",
        b"gloas-",
        b"glsoat-",
        b"glffct-",
    ),
    swallow=rb"0-9A-Za-z_\-",
)
"""Tokens of GitLab, routable ones, too."""

NPM_TOKEN = Detector("npm-token", rb"npm_[A-Za-z0-9]{36}(?![0-9A-Za-z_])", valid=_is_varied)
"""Tokens of npm."""

PYPI_TOKEN = Detector(
    "pypi-token",
    rb"pypi-Ag(?:EIcHlwaS5vcmc|ENdGVzdC5weXBpLm9yZw)[A-Za-z0-9_-]{50,400}",
    words=(b"pypi-Ag",),
    swallow=rb"A-Za-z0-9_\-",
)
"""API tokens of PyPI and TestPyPI, which are macaroons."""
