"""Which subjects are compared, and what the project means to reach."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from .measure import Results


@dataclass(frozen=True, slots=True)
class Comparison:
    """The processor time of ``subject`` over that of ``against``, both in one case."""

    case: str
    subject: str
    against: str
    limit: float | None = None


COMPARISONS = (
    Comparison("small", "revproxy", "aiohttp", 1.7),
    Comparison("small", "revproxy-rules", "aiohttp", 2.2),
    Comparison("small", "revproxy-resilient", "revproxy", 1.2),
    Comparison("small", "revproxy-100-rules", "revproxy", 1.12),
    Comparison("small", "revproxy-limited", "revproxy", 1.05),
    Comparison("small", "revproxy", "revproxy-unhidden", 1.03),
    Comparison("medium", "revproxy-redact", "revproxy", 1.053),
    Comparison("large", "revproxy-redact", "revproxy", 1.053),
    Comparison("browser", "revproxy-inspect", "revproxy", 1.2),
    Comparison("json", "revproxy-inspect", "revproxy", 5.0),
    Comparison("browser", "revproxy-inspect-words", "revproxy"),
    Comparison("json", "revproxy-inspect-words", "revproxy"),
    Comparison("small", "revproxy", "clientsession", 0.42),
    Comparison("small", "revproxy", "go", 1.0),
    Comparison("small", "revproxy", "node"),
    Comparison("small", "revproxy", "nginx"),
    Comparison("small", "revproxy", "haproxy"),
    Comparison("medium", "revproxy", "aiohttp"),
    Comparison("medium", "revproxy", "clientsession"),
    Comparison("medium", "revproxy", "go"),
    Comparison("large", "revproxy", "clientsession", 0.65),
    Comparison("large", "revproxy", "go"),
    Comparison("upload", "revproxy", "clientsession"),
    Comparison("upload", "revproxy", "go"),
    Comparison("small", "clientsession", "aiohttp"),
    Comparison("echo", "revproxy", "relay", 0.6),
    Comparison("echo", "splice", "relay"),
    Comparison("echo", "messages", "revproxy"),
    Comparison("echo", "messages", "relay"),
    Comparison("up", "revproxy", "relay", 0.5),  # half the processor time: twice the rate
    Comparison("up", "splice", "relay"),
    Comparison("up", "messages", "revproxy"),
    Comparison("up", "messages", "relay"),
    Comparison("down", "revproxy", "relay", 0.5),
    Comparison("down", "splice", "relay"),
    Comparison("down", "messages", "revproxy"),
    Comparison("down", "messages", "relay"),
)


@dataclass(frozen=True, slots=True)
class Ratio:
    value: float
    """Ratio of the medians of all rounds."""
    low: float
    high: float
    """The least and the greatest ratio of any single round: how far the machine lets one trust the value."""


def ratio(results: Results, comparison: Comparison, loop: str) -> Ratio | None:
    """Of the subjects on ``loop``, as far as they have one."""
    above = _cpu(results, comparison.subject, comparison.case, loop)
    below = _cpu(results, comparison.against, comparison.case, loop)
    singles = [above[number] / below[number] for number in above.keys() & below.keys() if below[number]]
    if not singles or not median(below.values()):
        return None
    return Ratio(median(above.values()) / median(below.values()), min(singles), max(singles))


def _cpu(results: Results, name: str, case: str, loop: str) -> dict[int, float]:
    samples = results.samples.get((f"{name}@{loop}", case)) or results.samples.get((name, case)) or []
    return {sample.round: sample.cpu for sample in samples}
