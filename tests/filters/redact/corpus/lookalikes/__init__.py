"""What is no secret, and looks like one: numbers, names, hashes, pictures, placeholders, what is public by design."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import TypeAlias

from ..kinds import Planted
from . import numbers, texts

__all__ = ["LOOKALIKES", "Lookalike"]

Lookalike: TypeAlias = Callable[[Random], Planted]

LOOKALIKES: Mapping[str, Lookalike] = {
    "failing card": numbers.failing_card, "order number": numbers.order_number, "snowflake": numbers.snowflake,
    "time": numbers.time_number,
    "fraction": numbers.fraction, "uuid": numbers.uuid_, "digest": numbers.digest, "integrity": numbers.integrity,
    "picture": numbers.picture,
    "colour": numbers.colour,
    "version": numbers.version, "barcode": numbers.barcode, "tracking": numbers.tracking,
    "phone-like": numbers.phone_like,
    "address-like": texts.address_like, "public address": numbers.public_address, "placeholder": texts.placeholder,
    "not secret by name": texts.not_secret_name, "label": texts.label,
    "public key": texts.public_key, "jwks": texts.jwks, "minified": texts.minified, "docs": texts.docs,
    "identifier": texts.identifiers,
    "cursor": texts.cursor, "failing iban": numbers.failing_iban, "ssn-like": numbers.ssn_like, "prose": texts.prose,
}  # fmt: skip
