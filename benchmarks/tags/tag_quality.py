"""How good are the tag rules? Precision and recall per service from blind labels.

    python -m benchmarks.tags.tag_quality LABELS_FOLDER [--unread porto,granada,...] [--by WHO]

The folder holds what `benchmarks.tags.tag_draw` wrote and ``labels.csv`` (``row,label,why``;
label is ``yes``, ``no`` or ``unclear``). Writes ``analysis/policies/tag_quality.toml``, with who
labelled (`WHO`), and the tables of ``docs/tags.md``.

Precision is the share of *yes* among the labelled called places, unclear ones left out. Recall is
``Nc p / (Nc p + Nn q)``: `Nc`, `Nn` the called and nearly called places there were to draw from,
`p`, `q` the shares of *yes* in both draws. It knows nothing of places that share neither tag nor
word with the rules, or are not on the map. Intervals are Wilson's at 95 %; those of recall take the
far ends of both shares, and are wide.

Source: Wilson E. B. (1927), Probable inference, the law of succession, and statistical inference,
JASA 22: 209-212.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from typing import Any, Final

from benchmarks.tags.tag_draw import rules_digest
from lifecircle.analysis.policy import load_policy

ROOT: Final = Path(__file__).resolve().parents[2]
DATA: Final = ROOT / "analysis" / "policies" / "tag_quality.toml"
PAGE: Final = ROOT / "docs" / "tags.md"
LABELS: Final = ("yes", "no", "unclear")
BLIND: Final = "somebody who did not see the verdict"
_Z: Final = 1.959963984540054  # the normal quantile of 95 %, two-sided


@dataclass(frozen=True, slots=True)
class Share:
    """`yes` of `n` decided labels, with Wilson's interval; `unclear` ones stand beside."""

    yes: int
    n: int
    unclear: int = 0

    @property
    def value(self) -> float | None:
        """The share, None where nothing was decided."""
        return self.yes / self.n if self.n else None

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's interval at 95 %; everything where nothing was decided."""
        if not self.n:
            return 0.0, 1.0
        share, z2 = self.yes / self.n, _Z * _Z
        middle = (share + z2 / (2 * self.n)) / (1 + z2 / self.n)
        half = _Z * sqrt(share * (1 - share) / self.n + z2 / (4 * self.n**2)) / (1 + z2 / self.n)
        return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True, slots=True)
class Quality:
    """Precision and recall of one service's rules; `called`, `nearly`: what there was to draw."""

    service: str
    precision: Share
    missed: Share
    called: int
    nearly: int
    unread: Share

    @property
    def recall(self) -> float | None:
        """The estimated share of true places that are called; None where it cannot be told."""
        p, q = self.precision.value, self.missed.value
        if p is None or (q is None and self.nearly):
            return None
        return _recall(self.called * p, self.nearly * (q or 0.0))

    @property
    def recall_interval(self) -> tuple[float, float]:
        """From the far ends of both intervals."""
        (p_low, p_high), (q_low, q_high) = self.precision.interval, self.missed.interval
        if not self.nearly:
            q_low = q_high = 0.0
        low = _recall(self.called * p_low, self.nearly * q_high)
        high = _recall(self.called * p_high, self.nearly * q_low)
        return low or 0.0, 1.0 if high is None else high


def _recall(found: float, missed: float) -> float | None:
    return found / (found + missed) if found + missed else None


def read_labels(folder: Path) -> list[dict[str, str]]:
    """The rows of the draw with verdict (`called`) and label.

    Raises
    ------
    ValueError : rows without a label, labels without a row, words that are no label.
    """
    rows = {row["row"]: row for row in _rows(folder / "verdict.csv")}
    labels = {
        row["row"].strip(): row["label"].strip().casefold() for row in _rows(folder / "labels.csv")
    }
    strange = {row: label for row, label in labels.items() if label not in LABELS}
    if strange or set(rows) != set(labels):
        missing, extra = sorted(set(rows) - set(labels)), sorted(set(labels) - set(rows))
        raise ValueError(
            f"no label: {missing[:9]}; no such row: {extra[:9]}; no label word: {strange}"
        )
    return [{**row, "label": labels[number]} for number, row in rows.items()]


def _rows(path: Path) -> Iterable[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as handle:
        yield from csv.DictReader(handle)


def share(rows: Iterable[Mapping[str, str]]) -> Share:
    """The share of *yes* among labelled rows."""
    labels = [row["label"] for row in rows]
    yes, no = labels.count("yes"), labels.count("no")
    return Share(yes, yes + no, labels.count("unclear"))


def qualities(
    rows: Sequence[Mapping[str, str]], frame: Mapping[str, Any], unread: Sequence[str] = ()
) -> list[Quality]:
    """The quality of every service that was drawn; `unread`: cities nobody read for the rules."""
    found = []
    for service, sizes in frame["populations"].items():
        mine = [row for row in rows if row["service"] == service]
        called = [row for row in mine if row["called"] == "1"]
        found.append(
            Quality(
                service,
                precision=share(called),
                missed=share(row for row in mine if row["called"] == "0"),
                called=sum(sizes["called"].values()),
                nearly=sum(sizes["nearly"].values()),
                unread=share(row for row in called if row["city"] in unread),
            )
        )
    return found


# ---- written -----------------------------------------------------------------------------------


def as_toml(
    found: Sequence[Quality], frame: Mapping[str, Any], labels: int, by: str = BLIND
) -> str:
    """The figures as policy data, every one with its count and interval."""
    source = (
        f"{labels} places drawn with seed {frame['seed']} from {len(frame['cities'])}"
        f" OpenStreetMap extracts after the rules were frozen, labelled by {by} (docs/tags.md)"
    )
    lines = [
        "# How good the rules of osm-tags.toml are for each service: blind labels, written by",
        "# benchmarks/tags/tag_quality.py. docs/tags.md tells how they were drawn.",
        f"source = {json.dumps(source, ensure_ascii=False)}",
        'confidence = "unverified"',  # nobody has been there
        f'rules = "{frame["rules"]}"',
    ]
    for one in found:
        low, high = one.precision.interval
        lines += [f"\n[services.{one.service}]"]
        lines += [_toml("precision", one.precision.value, low, high, one.precision)]
        lines += [_toml("recall", one.recall, *one.recall_interval, one.missed)]
        lines += [f"places = {{ called = {one.called}, nearly_called = {one.nearly} }}"]
    return "\n".join(lines) + "\n"


def _toml(name: str, value: float | None, low: float, high: float, of: Share) -> str:
    known = "" if value is None else f"value = {value:.4f}, "
    return (
        f"{name} = {{ {known}low = {low:.4f}, high = {high:.4f},"
        f" yes = {of.yes}, n = {of.n}, unclear = {of.unclear} }}"
    )


def as_table(found: Sequence[Quality], titles: Mapping[str, str]) -> str:
    """The table of ``docs/tags.md``: percent cut to whole ones."""
    head = (
        "| service | called, in the draw | precision (95 %) | nearly called, in the draw | of these"
        " true | recall (95 %) | unclear |\n|---|---|---|---|---|---|---|"
    )
    lines = [
        f"| {titles[one.service]} | {one.called}, {one.precision.n + one.precision.unclear}"
        f" | {_percent(one.precision.value, one.precision.interval)}"
        f" | {one.nearly}, {one.missed.n + one.missed.unclear}"
        f" | {one.missed.yes} of {one.missed.n}"
        f" | {_percent(one.recall, one.recall_interval)}"
        f" | {one.precision.unclear} + {one.missed.unclear} |"
        for one in found
    ]
    unread = Share(sum(one.unread.yes for one in found), sum(one.unread.n for one in found))
    told = (
        f"\nIn cities that nobody read while the rules were written: {unread.yes} of {unread.n}"
        f" called places are true, {_percent(unread.value, unread.interval)}."
        if unread.n
        else ""
    )
    return "\n".join([head, *lines]) + "\n" + told


def _percent(value: float | None, interval: tuple[float, float]) -> str:
    if value is None:
        return "–"
    low, high = (int(100 * end + 1e-9) for end in interval)
    return f"{int(100 * value + 1e-9)} % ({low}–{high})"


def put_between(page: str, name: str, text: str) -> str:
    """A page with what stands between ``<!-- name -->`` and ``<!-- end name -->`` replaced."""
    start, end = f"<!-- {name} -->\n", f"\n<!-- end {name} -->"
    before, _, rest = page.partition(start)
    _, mark, after = rest.partition(end)
    if not mark:
        raise ValueError(f"the page has no place for {name}")
    return before + start + text.rstrip() + mark + after


def main() -> int:
    asked = argparse.ArgumentParser(prog="python -m benchmarks.tags.tag_quality")
    asked.add_argument("folder", type=Path)
    asked.add_argument("--unread", default="", help="cities nobody read for the rules, by commas")
    asked.add_argument("--by", default=BLIND, help="who labelled, for the source of the figures")
    given = asked.parse_args()
    frame = json.loads((given.folder / "frame.json").read_text(encoding="utf-8"))
    rows = read_labels(given.folder)
    found = qualities(rows, frame, [one for one in given.unread.split(",") if one])
    services = load_policy().services
    titles = {name: f"{service.title.en} {service.title.zh}" for name, service in services.items()}
    DATA.write_text(as_toml(found, frame, len(rows), given.by), encoding="utf-8")
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(put_between(page, "tag quality", as_table(found, titles)), encoding="utf-8")
    if frame["rules"] != rules_digest():
        print("the rules have changed since the draw: these figures are of the rules drawn")
    print(f"{len(rows)} labels, {len(found)} services: {DATA.name}, {PAGE.name}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
