"""Requests that are looked at before a server sees them, and responses before a client does."""

from .header_rules import HeaderRules
from .query import BadQuery, QueryReader
from .request import ValidateRequest
from .response import ValidateResponse
from .schema import Schema
from .strict_json import JsonLimits, Malformed, read_json

__all__ = [
    "BadQuery",
    "HeaderRules",
    "JsonLimits",
    "Malformed",
    "QueryReader",
    "Schema",
    "ValidateRequest",
    "ValidateResponse",
    "read_json",
]
