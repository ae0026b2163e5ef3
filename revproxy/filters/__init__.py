"""Filters that stand around a handler."""

from .allowed_hosts import AllowedHosts

__all__ = ["AllowedHosts"]
