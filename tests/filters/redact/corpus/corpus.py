"""The labelled corpus: documents with one secret each, and documents with none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from random import Random

from .document import Document, document
from .kinds import KINDS
from .lookalikes import LOOKALIKES, Lookalike
from .places import PLACES, TYPES, Place

__all__ = ["SEED", "lookalikes", "secrets"]

SEED = 20261128


def secrets(
    seed: int = SEED,
    *,
    each: int = 48,
    places: Mapping[str, tuple[str, Place]] = PLACES,
    types: Mapping[str, str] = TYPES,
) -> list[Document]:
    """``each`` documents for every kind of secret, in all ``places`` by turns."""
    documents = []
    for kind, draw in KINDS.items():
        rng = Random(f"{seed} {kind}")
        names = list(places)
        for turn in range(each):
            where = names[turn % len(names)]
            type_, place = places[where]
            documents.append(document(kind, where, types[type_], place(rng, draw(rng))))
    return documents


def lookalikes(
    seed: int = SEED,
    *,
    each: int = 96,
    kinds: Mapping[str, Lookalike] = LOOKALIKES,
    places: Mapping[str, tuple[str, Place]] = PLACES,
    types: Mapping[str, str] = TYPES,
) -> list[Document]:
    """``each`` documents for every kind of what only looks like a secret."""
    documents = []
    for kind, draw in kinds.items():
        rng = Random(f"{seed} {kind}")
        names = list(places)
        for turn in range(each):
            where = names[turn % len(names)]
            type_, place = places[where]
            marked = document(kind, where, types[type_], place(rng, draw(rng)))
            documents.append(replace(marked, start=0, end=0))
    return documents
