"""Services of the rows of a table, by the value of their kind, not row by row."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from lifecircle.analysis.errors import Fault
from lifecircle.analysis.policy import Policy
from lifecircle.analysis.policy.sections.kinds import each_kind, provider_kinds, service_of
from lifecircle.analysis.quantities import BoolArray, ObjectArray
from lifecircle.analysis.readers.records.aliases import fold
from lifecircle.analysis.readers.records.cells import group_rows, is_absent, no_texts, read_texts
from lifecircle.analysis.readers.records.columns import Column
from lifecircle.analysis.readers.records.declarations import SKIP
from lifecircle.analysis.readers.records.findings import LISTED, Findings
from lifecircle.analysis.readers.records.records import Records
from lifecircle.analysis.readers.services.names import NearServices, service_names
from lifecircle.analysis.texts import first_of, listed, say_both, whole

_LEVELS: Final = ("kind_first", "kind_second", "kind_third")  # of a provider's kinds, a column each
KIND_FIELDS: Final = ("service", "provider_kind", *_LEVELS)
_SHORT_CODE: Final = re.compile(r"\d{5}")
_ROWS_NAMED: Final = 10
_KINDS_NAMED: Final = 8
_KINDS_LISTED: Final = 40  # in a build
_KINDS_CHECKED: Final = 1000  # by the checker; the nearest service of each is looked for
_EACH_WITH_MEND: Final = 3  # so few unknown kinds are told one by one, each with its mend


@dataclass(frozen=True, slots=True)
class Served:
    """The service of each row (n,), None where it has none; `left_out` where that is no fault."""

    service: ObjectArray
    left_out: BoolArray

    @property
    def kept(self) -> BoolArray:
        """Rows that are read as facilities, those with a fault among them."""
        kept: BoolArray = ~self.left_out
        return kept


def read_served(
    picked: Mapping[str, Column], records: Records, policy: Policy, found: Findings,
    is_open: BoolArray,
) -> Served:  # fmt: skip
    """The service of every row, by the policy's names, the user's words and map providers' kinds.

    A value that is none of them is a fault, told once with its rows, unless such rows are to be
    left out. Rows that are not open (`is_open`) are never at fault.
    """
    none = np.zeros(len(records), np.bool_)
    names = service_names(policy)
    if records.said.service is not None:
        service = _all_one(records, names, policy, found)
        _tell_ignored(find_kind(picked, policy), service, names, policy, found)
        return Served(service, none)
    column = find_kind(picked, policy)
    if column is None:
        found.add("input_service_missing", columns=records.titles, file=records.file)
        return Served(no_texts(len(records)), none)
    known = _words(records, names, policy, found)
    said = read_texts(column.values)
    titles = read_texts(picked["name"].values) if "name" in picked else no_texts(len(records))
    reading = _Reading(known, titles, policy)
    for word, rows in group_rows(said).items():
        reading.take(word, rows)
    skipped = records.said.other_types == SKIP
    blank = is_absent(said)
    if not skipped:
        found.each("input_service_blank", blank & is_open, column=column.title)
    left_out = reading.passed_over | ((reading.strange | blank) if skipped else none)
    left_out |= ~is_open & is_absent(reading.service)
    _tell_strange(reading, column, records, policy, found, is_open=is_open, skipped=skipped)
    _tell_taken(reading, column, policy, found, is_open)
    if len(records) and not (~is_absent(reading.service)).any() and left_out.all():
        found.add("input_kinds_none", column=column.title, count=len(records))
    return Served(reading.service, left_out)


def find_kind(picked: Mapping[str, Column], policy: Policy) -> Column | None:
    """The column that says what each place is: the first of some that speaks of services."""
    columns = [picked[field] for field in ("service", "provider_kind") if field in picked]
    levels = [picked[field] for field in _LEVELS if field in picked]
    if levels:
        cells = zip(*(read_texts(level.values) for level in levels), strict=True)
        joined = [";".join(filter(None, row)) or None for row in cells]
        title = ", ".join(level.title for level in levels)
        columns.append(Column(title, np.array(joined, dtype=np.object_)))
    speaking = (column for column in columns if is_of_services(column, policy))
    return next(speaking, columns[0] if columns else None)


def is_of_services(column: Column, policy: Policy) -> bool:
    """Whether a column of kinds holds any that is a service's name or a map provider's."""
    names, kinds = service_names(policy), provider_kinds()
    words = {word for word in read_texts(column.values) if word is not None}
    return any(fold(w) in names or any(map(kinds.knows, each_kind(w))) for w in words)


class _Reading:
    """The rows as they are read, value by value."""

    def __init__(self, known: Mapping[str, str], titles: ObjectArray, policy: Policy) -> None:
        size = len(titles)
        self.service = no_texts(size)
        self.strange = np.zeros(size, np.bool_)  # of a kind that nobody knows
        self.passed_over = np.zeros(size, np.bool_)  # of a provider's kind that is no service
        self.by_provider = np.zeros(size, np.bool_)
        self.words: dict[str, list[int]] = {}
        self._known = known
        self._titles = titles
        self._policy = policy

    def take(self, word: str, rows: list[int]) -> None:
        """Read all rows of one value."""
        service = self._known.get(fold(word))
        if service is not None:
            self.service[rows] = service
            return
        self.words[word] = rows
        kinds = provider_kinds()
        parts = tuple(each_kind(word))
        if _SHORT_CODE.fullmatch(word) and kinds.knows("0" + word):
            parts = ("0" + word,)  # a spreadsheet took the zero of 090601 away
        if not any(map(kinds.knows, parts)):
            self.strange[rows] = True
            return
        rules = tuple(
            rule for part in parts for rule in kinds.rules_for(part)
            if rule.service in self._policy.services
        )  # fmt: skip
        for row in rows if rules else ():
            self.service[row] = service_of(rules, self._titles[row])
        without = is_absent(self.service[rows])
        self.passed_over[rows] = without
        self.by_provider[rows] = ~without

    def counted(self, chosen: BoolArray) -> Counter[str]:
        """Rows of each value among some rows."""
        counts = {word: int(np.count_nonzero(chosen[rows])) for word, rows in self.words.items()}
        return Counter({word: count for word, count in counts.items() if count})


def _all_one(
    records: Records, names: Mapping[str, str], policy: Policy, found: Findings
) -> ObjectArray:
    """Every row the service that the user says."""
    said = str(records.said.service)
    service = names.get(fold(said))
    if service is None:
        near = NearServices(policy).told(said)
        known = listed(one.title for one in policy.services.values())
        found.add("input_service_said", value=said, near=known if near is None else near)
    return np.full(len(records), service, dtype=np.object_)


def _tell_ignored(
    column: Column | None, service: ObjectArray, names: Mapping[str, str], policy: Policy,
    found: Findings,
) -> None:  # fmt: skip
    """Warn of kinds that name other services than the one that all rows are said to be."""
    if column is None or not len(service) or service[0] is None:
        return
    others = Counter(
        other
        for word in read_texts(column.values)
        if word is not None and (other := names.get(fold(word), service[0])) != service[0]
    )
    if others:
        told = (say_both("word_kind_count", title=policy.services[one].title, count=count)
                for one, count in others.most_common(_KINDS_NAMED))  # fmt: skip
        found.add("input_kind_ignored", severity="warning", column=column.title,
                  title=policy.services[service[0]].title, others=listed(told))  # fmt: skip


def _words(
    records: Records, names: Mapping[str, str], policy: Policy, found: Findings
) -> dict[str, str]:
    """Folded word → service: the user's words go first."""
    known = dict(names)
    for word, ours in records.words("service").items():
        if fold(ours) in names:
            known[word] = names[fold(ours)]
        else:
            near = NearServices(policy).told(ours)
            offered = listed(one.title for one in policy.services.values())
            found.add("input_mapping_service", value=ours, near=offered if near is None else near)
    return known


def _tell_strange(
    reading: _Reading, column: Column, records: Records, policy: Policy, found: Findings,
    *, is_open: BoolArray, skipped: bool,
) -> None:  # fmt: skip
    """Kinds that are no service: faults, or counted and told where they are left out."""
    passed = reading.passed_over | (reading.strange if skipped else False)
    _tell_left_out(reading.counted(passed & is_open), column, found)
    strange = reading.counted(reading.strange & is_open)
    if skipped or not strange:
        return
    few = len(strange) <= _EACH_WITH_MEND
    if not few:
        found.add("input_services_unknown", column=column.title,
                  kinds=len(strange), count=strange.total())  # fmt: skip
    listed_at_most = _KINDS_CHECKED if records.listed > LISTED else _KINDS_LISTED
    near = NearServices(policy)
    for word, count in strange.most_common(listed_at_most):
        rows = [row for row in reading.words[word] if is_open[row]]
        told = near.told(word)
        key = "input_service_unknown" if few else "input_service_listed"
        shown = first_of([str(row) for row in records.rows[rows].tolist()], _ROWS_NAMED)
        offered = (
            say_both("word_no_near_kind")
            if told is None
            else say_both("word_near_kinds", near=told)
        )
        params = {"value": word, "count": count, "rows": shown, "near": offered}
        every = tuple(records.rows[rows].tolist())
        found.take([Fault(key, records.file, None, column.title, params, "error", every)])
    if len(strange) > listed_at_most:
        found.add("input_services_more", column=column.title,
                  kinds=len(strange) - listed_at_most)  # fmt: skip


def _tell_left_out(counts: Counter[str], column: Column, found: Findings) -> None:
    if counts:
        shown = [f"{word} ({count:,})" for word, count in counts.most_common()]
        found.add("input_kinds_left_out", severity="warning", column=column.title,
                  kinds=len(counts), count=counts.total(),
                  shown=whole(first_of(shown, _KINDS_NAMED)))  # fmt: skip


def _tell_taken(
    reading: _Reading, column: Column, policy: Policy, found: Findings, is_open: BoolArray
) -> None:
    """How many rows the packaged rules of map providers took, by service."""
    taken = Counter(reading.service[reading.by_provider & is_open].tolist())
    if taken:
        shown = listed(
            say_both("word_kind_count", title=policy.services[one].title, count=count)
            for one, count in taken.most_common()
        )
        found.add("input_kinds_taken", severity="warning", column=column.title,
                  count=taken.total(), shown=shown)  # fmt: skip
