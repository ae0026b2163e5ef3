"""The values of a request's body, by its media type."""

from .read import is_read, read_body

__all__ = ["is_read", "read_body"]
