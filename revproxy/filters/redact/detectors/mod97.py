"""The check digits of international bank accounts."""

from __future__ import annotations

__all__ = ["has_mod97_digits"]


def has_mod97_digits(account: bytes) -> bool:
    """Whether the third and fourth character of ``account``, ASCII letters and digits of either case, check the others
    (ISO/IEC 7064, MOD 97-10, as ISO 13616-1 has it): the first four go last, letters count from 10 on. 98 is written
    where others write 01, and both leave the same remainder: only 02 to 98 are given out."""
    if not b"02" <= account[2:4] <= b"98":
        return False
    return int("".join(str(int(chr(byte), 36)) for byte in account[4:] + account[:4])) % 97 == 1
