"""Requests that are looked at before a server sees them."""

from .query import BadQuery, QueryReader
from .request import ValidateRequest
from .schema import Schema
from .strict_json import JsonLimits, Malformed, read_json

__all__ = ["BadQuery", "JsonLimits", "Malformed", "QueryReader", "Schema", "ValidateRequest", "read_json"]
