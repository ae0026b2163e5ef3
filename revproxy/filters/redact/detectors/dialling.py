"""Country codes, and how long the numbers behind them are."""

from __future__ import annotations

__all__ = ["NUMBERS"]

_LONG = """225 229 234 237 242 243 244 249 251 252 254 255 256 258 260 261 262 263 264 211 212 213 218 221 233 595 502
240"""
_SHORT = """220 222 226 227 228 230 231 232 235 236 238 241 245 248 253 257 265 266 267 268 269 291 370 371 372 503 504
505 506 507 509 591 592 597 598 599 673 852 853 65 670 680 960 965 968 973 974 975 976 216 223 239 246 250 224"""

_LENGTHS = (
    # Digits behind the country code, at least and at most. That of North America (1) is a case apart.
    (11, 11, "54 55 86 52"),
    (9, 10, _LONG),
    (4, 9, "247 290 500 672 682 683 690 675"),
    (5, 8, "297 298 299 378 501 508 677 678 679 685 686 687 688 689 691 692 674 676 681"),
    (6, 9, "376 385 386 387 389 373 381 382 383 420 421 423 41 45 46 47 352 354 356 357 359 36 40 48"),
    (6, 12, "49 43 39 358 62 60 81 82 86 850 886 855 856 84 66 53 95 94 98"),
    (7, 8, f"{_SHORT} {_LONG}"),
    (8, 10, "20 27 30 31 32 33 34 350 351 353 355 374 375 377 380 44 51 52 54 55 56 57 58 590 593 594 596 61 63 64"),
    (8, 10, "880 90 91 92 93 961 962 963 964 966 967 970 971 972 977 992 993 994 995 996 998"),
    (10, 10, "7"),
    (7, 12, "800 808 870 878 881 882 883 888 979"),  # of no country: freephone, satellites, networks
)

NUMBERS: tuple[tuple[int, int, bytes], ...] = tuple(
    (least, most, b"|".join(code.encode() for code in codes.split())) for least, most, codes in _LENGTHS
)
"""Alternatives, the longer ones first: at least and at most so many digits follow one of these codes (ITU-T E.164, its
list of assigned country codes, and what countries tell the ITU of their plans, E.129)."""
