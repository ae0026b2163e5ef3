"""What every pack of signatures is held to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from revproxy.filters.inspect.pack import Pack
from revproxy.filters.inspect.signature import Signature
from revproxy.filters.inspect.subject import Check, Subject
from revproxy.filters.inspect.value import Part, Value

Sample: TypeAlias = "str | Value | Subject"
"""A parameter's value; any other value; or, for a check, a whole request."""


@dataclass(frozen=True, slots=True)
class Samples:
    """For one signature: what it is found in, and what looks like that and is no attack."""

    attacks: tuple[Sample, ...]
    look_alikes: tuple[Sample, ...]


def is_found(looked_for: Signature | Check, sample: Sample) -> bool:
    if isinstance(looked_for, Check):
        assert isinstance(sample, Subject)
        return looked_for.test(sample) is not None
    assert not isinstance(sample, Subject)
    value = Value(Part.VALUE, "q", sample) if isinstance(sample, str) else sample
    return looked_for.found_in(value) is not None


def check_pack(pack: Pack, samples: Mapping[str, Samples]) -> None:
    """At least twelve signatures; five different attacks that each is found in, five look-alikes that it is not."""
    assert len(pack) >= 12
    assert [each.id for each in pack] == list(samples)
    for each in pack:
        of = samples[each.id]
        assert len(set(of.attacks)) >= 5, each.id
        assert len(set(of.look_alikes)) >= 5, each.id
        for attack in of.attacks:
            assert is_found(each, attack), f"{each.id} misses {attack!r}"
        for look_alike in of.look_alikes:
            assert not is_found(each, look_alike), f"{each.id} is found in {look_alike!r}"
