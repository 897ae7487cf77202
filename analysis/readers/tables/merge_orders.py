"""What people decided about rows that may be one place: a short TOML list, or the exported table.

::

    same       = [["row/12", "node/345"]]      # one place, however far apart
    keep_apart = [["row/7", "way/89"]]         # two places, however near

A table (CSV, workbook) has the columns ``decision`` (``same``, ``keep_apart``; blank = no order),
``kept`` and ``other``: the list of merges that ``lifecircle quality`` writes is such a table.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lifecircle.analysis.errors import Fault, InputError
from lifecircle.analysis.readers.formats.layers import read_records
from lifecircle.analysis.readers.records.aliases import fold
from lifecircle.analysis.readers.records.cells import read_text
from lifecircle.analysis.readers.records.declarations import SILENT, Declaration, Declarations
from lifecircle.analysis.readers.records.files import refuse
from lifecircle.analysis.readers.records.findings import Findings
from lifecircle.analysis.written_toml import WrittenTomlError, read_written_toml

SHEET: Final = "merges"
DECISION: Final = ("decision", "处理", "处理意见", "决定")
FIRST: Final = ("kept", "保留", "保留编号", "编号1")
SECOND: Final = ("other", "另一", "另一编号", "编号2")
SAME: Final = ("same", "merge", "merged", "合并", "同一处")
APART: Final = ("keep_apart", "apart", "不合并", "分开", "不是同一处")

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class MergeOrders:
    """What people decided: pairs of ids that are one place, and pairs that are not."""

    file: str = ""
    same: Pairs = ()
    keep_apart: Pairs = ()

    @property
    def warnings(self) -> tuple[Fault, ...]:
        """Nothing is remarked on a list of decisions."""
        return ()


def read_merge_orders(path: Path, declared: Declarations = SILENT) -> MergeOrders:
    """Pairs of ids that are the same place, and pairs to keep apart.

    `declared`: what is said of the file (of a workbook its sheet); nothing else of it counts here.

    Raises
    ------
    InputError
        With every fault of the file.
    """
    given = Path(path)
    pairs = _read_toml(given) if given.suffix.lower() == ".toml" else _read_table(given, declared)
    return MergeOrders(given.name, *pairs)


def _read_toml(path: Path) -> tuple[Pairs, Pairs]:
    try:
        content = read_written_toml(path.read_bytes())
    except OSError as error:
        raise refuse(path, "input_os_error", detail=error.strerror or str(error)) from None
    except WrittenTomlError as error:
        raise refuse(path, "merges_not_toml", detail=error.told) from None
    found = Findings(path.name)
    for key in sorted(set(content) - {"same", "keep_apart"}):
        found.add("merges_unknown_key", key_given=key)
    same, apart = (_check_pairs(content.get(key, []), key, found) for key in ("same", "keep_apart"))
    found.stop_on_errors()
    return same, apart


def _check_pairs(given: Any, key: str, found: Findings) -> Pairs:
    sound = []
    for number, pair in enumerate(given if isinstance(given, list) else [given], start=1):
        if (
            isinstance(pair, list)
            and len(pair) == 2
            and all(isinstance(one, str) and one.strip() for one in pair)
            and pair[0] != pair[1]
        ):
            sound.append((pair[0], pair[1]))
        else:
            found.add("merges_not_pair", key_given=key, number=number, given=str(pair))
    return tuple(sound)


def _read_table(path: Path, declared: Declarations) -> tuple[Pairs, Pairs]:
    try:  # the list as we write it has a second sheet that explains the columns
        records = read_records(path, Declarations(Declaration(sheet=SHEET)))
    except InputError:
        records = read_records(path, declared)
    found = records.findings()
    columns = {fold(column.title): column for column in reversed(records.columns)}
    picked = []
    for names in (DECISION, FIRST, SECOND):
        column = next((columns[fold(n)] for n in names if fold(n) in columns), None)
        if column is None:
            found.add("merges_column_missing", names=" / ".join(names))
        else:
            picked.append(column)
    found.stop_on_errors()
    said = {fold(word): 0 for word in SAME} | {fold(word): 1 for word in APART}
    orders: tuple[list[tuple[str, str]], list[tuple[str, str]]] = ([], [])
    for row, *cells in zip(records.rows, *(c.values for c in picked), strict=True):
        decision, first, second = (read_text(cell) for cell in cells)
        if decision is None:
            continue
        which = said.get(fold(decision))
        if which is None:
            found.take([Fault("merges_decision", path.name, int(row), picked[0].title,
                              {"value": decision})])  # fmt: skip
        elif first is None or second is None or first == second:
            found.take([Fault("merges_ids", path.name, int(row))])
        else:
            orders[which].append((first, second))
    found.stop_on_errors()
    return tuple(orders[0]), tuple(orders[1])
