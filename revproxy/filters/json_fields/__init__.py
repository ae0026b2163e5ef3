"""Which members of JSON leave."""

from .json_fields import JsonFields

__all__ = ["JsonFields"]
