"""The search: which signatures and checks are found in a subject."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from ...exchange import Exchange
from ..prefilter import Prefilter, PrefilterName, prefilter
from .exclusion import Exclusion, Left
from .finding import SCORES, Finding, Inspection, redacted
from .forms import DIVIDE, SHORTEST, Form, form, forms, has_entities, hidden
from .pack import Pack
from .signature import Signature
from .subject import Check, Subject
from .value import Value

__all__ = ["NOTHING", "Engine"]

NOTHING = Inspection(0, ())
_NAMES = (
    *("Accept", "Accept-Encoding", "Accept-Language", "Cache-Control", "Connection", "Cookie", "DNT", "Host"),
    *("If-Modified-Since", "If-None-Match", "Origin", "Pragma", "Priority", "Referer", "Sec-Fetch-Dest"),
    *("Sec-Fetch-Mode", "Sec-Fetch-Site", "Sec-Fetch-User", "Upgrade-Insecure-Requests", "User-Agent"),
    *("sec-ch-ua", "sec-ch-ua-mobile", "sec-ch-ua-platform", "Sec-GPC", "X-Requested-With"),
)
_USUAL = frozenset(_NAMES) | frozenset(map(str.lower, _NAMES))
"""Fields that browsers send, as they write them, and as HTTP/2 does."""
_MOST, _LONGEST = 4096, 512
"""Texts that are remembered, and the characters of each."""


class Engine:
    """Signatures and checks up to a level of paranoia, less what is excluded. Pure: it neither waits nor logs.

    ``enough``: a score beyond which no more signatures are looked for: else a request that is full of attacks would
    take longest."""

    def __init__(
        self,
        packs: Iterable[Pack],
        paranoia: int,
        exclusions: Iterable[Exclusion],
        prefilter_name: PrefilterName,
        enough: int = 64,
    ) -> None:
        self._enough = enough
        exclusions = tuple(exclusions)
        self._left: dict[str, tuple[Left, ...]] = {}
        wanted: list[Signature | Check] = []
        packs = tuple(packs)
        for exclusion in exclusions:
            if not any(exclusion.about(each.id) for pack in packs for each in pack):
                raise ValueError(f"exclusions: no signature is called {exclusion.ids!r}")
        for each in (each for pack in packs for each in pack if each.paranoia <= paranoia):
            left = tuple(filter(None, (exclusion.about(each.id) for exclusion in exclusions)))
            if any(one.is_all for one in left):
                continue
            wanted.append(each)
            if left:
                self._left[each.id] = left
        of_forms = [each for each in wanted if isinstance(each, Signature) and each.form is not Form.COMPACT]
        of_compact = [each for each in wanted if isinstance(each, Signature) and each.form is Form.COMPACT]
        self._signatures: Sequence[Signature] = [*of_forms, *of_compact]
        checks = [each for each in wanted if isinstance(each, Check)]
        self._count = len(self._signatures) + len(checks)
        self._checks = tuple(each for each in checks if not (each.fields or each.unusual or each.troubled))
        self._of_troubles = tuple(each for each in checks if each.troubled)
        self._of_unusual = tuple(each for each in checks if each.unusual)
        self._of_fields: dict[str, tuple[Check, ...]] = {}
        for each in checks:
            for field in map(str.lower, each.fields):
                self._of_fields[field] = (*self._of_fields.get(field, ()), each)
        self._usual = frozenset(field for field in _USUAL if field.lower() not in self._of_fields)
        self._forms = frozenset(each.form for each in of_forms) - {Form.TEXT}
        self._prefilter = prefilter(prefilter_name, self._signatures)
        self._compact = prefilter(prefilter_name, of_compact)
        self._first_compact = len(of_forms)
        self._known: dict[str, Sequence[int]] = {}

    def inspect(self, subject: Subject) -> Inspection:
        """What is found in ``subject``."""
        findings: list[Finding] = []
        exchange = subject.exchange
        values: list[Value] = []
        done: set[int] = set()
        score = 0
        for place in chain(self._candidates(subject.texts), *self._of_lasting(subject.lasting)):
            if place in done:
                continue
            done.add(place)
            if not values:
                values = subject.values
                values = values + [Value(each.part, each.name, said) for each in values if (said := _hidden(each.text))]
            finding = self._found(self._signatures[place], values, exchange)
            if finding is not None:
                findings.append(finding)
                score += SCORES[finding.severity]
                if score >= self._enough:
                    break
        for check in self._asked(subject):
            seen = check.test(subject)
            if seen is not None and not self._is_left(check.id, exchange, None):
                findings.append(_finding(check, "", "", seen))
        if not findings:
            return NOTHING
        findings.sort(key=lambda each: -each.severity)
        return Inspection(sum(SCORES[each.severity] for each in findings), tuple(findings))

    def _asked(self, subject: Subject) -> Iterable[Check]:
        """The checks that ``subject`` gives reason to make."""
        asked = self._checks
        usual = self._usual
        unusual = [field for field in subject.exchange.inbound.headers if field not in usual]
        if unusual:
            asked += self._of_unusual
            for field in unusual:
                asked += self._of_fields.get(field.lower(), ())
        if subject.troubles:
            asked += self._of_troubles
        return dict.fromkeys(asked) if len(asked) > len(self._checks) else asked

    def _found(self, signature: Signature, values: Iterable[Value], exchange: Exchange) -> Finding | None:
        for value in values:
            matched = signature.found_in(value)
            if matched is not None and not self._is_left(signature.id, exchange, value):
                return _finding(signature, (value.part.name or "").lower(), value.name, redacted(matched))
        return None

    def _candidates(self, texts: list[str]) -> Iterator[int]:
        """Which signatures are found in one of ``texts`` in any form, be it theirs or not."""
        secrets = [said for text in texts if len(text) >= SHORTEST and (said := _hidden(text))]
        joined = _joined([*texts, *secrets] if secrets else texts)
        made = forms(joined, self._forms)
        yield from self._confirmed(self._prefilter, "\n".join(made), 0)
        if self._first_compact < len(self._signatures):
            entities = has_entities(made[0])
            if entities or " " in made[0]:
                compact = form(Form.COMPACT, joined) if entities else made[0].replace(" ", "")
                yield from self._confirmed(self._compact, compact, self._first_compact)

    def _confirmed(self, prefilter: Prefilter, text: str, first: int) -> Iterator[int]:
        """What ``prefilter``, whose signatures begin at the ``first``, suspects in ``text`` and is found there."""
        for place, lines in prefilter.suspects(text.replace(DIVIDE, "\n")).items():
            if any(map(self._signatures[first + place].search, lines)):
                yield first + place

    def _of_lasting(self, texts: Iterable[str]) -> list[Sequence[int]]:
        """The same of each of ``texts``, remembered."""
        known = self._known
        found: list[Sequence[int]] = []
        for text in texts:
            more = known.get(text)
            if more is None:
                more = tuple(self._candidates([text]))
                if len(text) <= _LONGEST:
                    if len(known) >= _MOST:
                        known.clear()
                    known[text] = more
            if more:
                found.append(more)
        return found

    def _is_left(self, id: str, exchange: Exchange, value: Value | None) -> bool:
        return id in self._left and any(left.covers(exchange, value) for left in self._left[id])

    def __len__(self) -> int:
        return self._count

    def __repr__(self) -> str:
        checks = self._count - len(self._signatures)
        return f"<Engine: {len(self._signatures)} signatures, {checks} checks, {self._prefilter!r}>"


def _joined(texts: list[str]) -> str:
    joined = DIVIDE.join(texts)
    if joined.count(DIVIDE) >= len(texts):
        joined = DIVIDE.join([text.replace(DIVIDE, " ") for text in texts])
    return joined


def _hidden(text: str) -> str:
    return hidden(text) if " " not in text else ""


def _finding(of: Signature | Check, part: str, name: str, matched: str) -> Finding:
    return Finding(of.id, of.about, of.severity, part, name, matched)
