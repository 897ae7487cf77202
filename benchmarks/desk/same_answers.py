"""Whether two states of the code give the same answers: runs value by value, HTTP word by word.

    python -m benchmarks.desk.same_answers runs WORKSPACE_A WORKSPACE_B
    python -m benchmarks.desk.same_answers ask http://127.0.0.1:8000 FOLDER AREA...
    python -m benchmarks.desk.same_answers answers FOLDER_A FOLDER_B

Build the same areas with both states into two workspaces, serve each, ask, compare. It reads
files and HTTP only, so that one script serves both states. Exit code 1 where anything differs
that is not listed in `FREE`.
"""

from __future__ import annotations

import json
import re
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

#: What may differ in a manifest or a document: names and times of a run, digests, seconds.
FREE = frozenset({
    "run", "created", "timings_s", "code_version", "policy_digest", "digest", "timeStamp", "runs",
    "policy_format", "format",
})  # fmt: skip

#: Questions asked of every area; `{service}` is a service each of them has.
QUESTIONS = (
    "/areas/{area}",
    "/areas/{area}/coverage",
    "/areas/{area}/coverage?service={service}&lang=zh",
    "/areas/{area}/coverage?service={service}&minutes=10&walker=older&lang=en",
    "/areas/{area}/coverage?service={service}&walker=with_child&group=total",
    "/areas/{area}/coverage?service={service}&at=Sa%2019:00",
    "/areas/{area}/gaps?service={service}&min_residents=200",
    "/areas/{area}/gaps?service={service}&minutes=10&walker=older",
    "/areas/{area}/circles",
    "/areas/{area}/circles?kind=fitness&minutes=10",
    "/areas/{area}/equity?service={service}",
    "/areas/{area}/catchments?service={capacity}",
    "/areas/{area}/catchments?service={capacity}&minutes=none&whole=true",
    "/areas/{area}/point?lon={lon}&lat={lat}",
    "/areas/{area}/point?lon={lon}&lat={lat}&minutes=10&walker=older&lang=en",
    "/areas/{area}/isochrone?lon={lon}&lat={lat}&minutes=5,10,15",
    "/areas/{area}/isochrone?lon={lon}&lat={lat}&direction=to",
    "/areas/{area}/siting?service={capacity}&add=2",
    "/areas/{area}/accessibility?service={capacity}&method=e2sfca",
    "/areas/{area}/scorecard?lang=zh",
    "/areas/{area}/scorecard?lang=en",
    "/areas/{area}/quality",
    "/areas/{area}/report?f=json",
    "/areas/{area}/merges?f=csv",
    "/collections/{area}.cells/items?limit=50",
    "/collections/{area}.facilities/items?limit=50&service={service}",
    "/collections/{area}.units/items?limit=20",
    "/collections/{area}.gaps/items?limit=20&service={service}",
    "/collections/{area}.circles/items?limit=20",
    "/collections/{area}.network/items?limit=20&offset=40",
    "/collections/{area}.cells/items?f=csv&limit=100",
    "/maps/{area}/coverage?service={service}&lang=zh",
    "/maps/{area}/gaps?service={service}&lang=en",
    "/maps/{area}/catchments?lang=zh",
    "/areas",
    "/collections",
    "/collections/{area}.cells",
    "/collections/{area}.cells/queryables",
    "/collections/{area}.facilities/queryables",
    "/areas/{area}/coverage?service={capacity}&minutes=20&lang=zh",
    "/areas/{area}/coverage?service={capacity}&group=older&lang=en",
    "/areas/{area}/coverage?service={capacity}&by=no-such-level",
    "/areas/{area}/coverage?service=no-such-service&lang=zh",
    "/areas/{area}/gaps?service={capacity}&lang=zh",
    "/areas/{area}/circles?kind=convenience&walker=older",
    "/areas/{area}/circles?kind=convenience&at=Su%2022:00",
    "/areas/{area}/equity?service={capacity}&walker=older&minutes=20",
    "/areas/{area}/accessibility?service={capacity}&method=2sfca&by=community",
    "/areas/{area}/accessibility?service={capacity}&method=3sfca&minutes=20",
    "/areas/{area}/catchments?service={capacity}&walker=older&lang=zh",
    "/areas/{area}/catchments?service={capacity}&closed=true",
    "/areas/{area}/isochrone?lon={lon}&lat={lat}&walker=with_child",
    "/areas/{area}/point?lon=0&lat=0&lang=en",
    "/areas/{area}/scorecard?f=csv",
    "/areas/{area}/merges?f=csv&lang=en",
    "/collections/{area}.units/items?f=csv",
    "/collections/{area}.facilities/items?f=csv&limit=200",
    "/collections/{area}.cells/items?limit=20&offset=100",
    "/maps/{area}/circles?lang=zh",
    "/maps/{area}/units?lang=en",
)


def main(words: list[str]) -> int:
    """Run one of the three verbs."""
    if len(words) > 3 and words[0] == "ask":
        ask(words[1], Path(words[2]), words[3:])
        return 0
    verbs = {"runs": differing_runs, "answers": differing_answers}
    if len(words) != 3 or words[0] not in verbs:
        print(__doc__)
        return 2
    told = list(verbs[words[0]](Path(words[1]), Path(words[2])))
    print("\n".join(told) or "no difference")
    return 1 if told else 0


def ask(base: str, folder: Path, areas: list[str]) -> None:
    """Ask every question of every area and keep the bodies."""
    folder.mkdir(parents=True, exist_ok=True)
    for area in areas:
        about = json.loads(_get(f"{base}/areas/{area}")[1])
        west, south, east, north = about["bbox"]
        known = [s for s in ("pharmacy", "health_centre", "market") if s in about["services"]]
        words = {
            "area": area,
            "service": known[0],
            "capacity": "health_centre",
            "lon": f"{(west + east) / 2:.5f}",
            "lat": f"{(south + north) / 2:.5f}",
        }
        for number, question in enumerate(QUESTIONS):
            status, body = _get(base + question.format(**words))
            (folder / f"{area}-{number:02d}.txt").write_text(
                f"{status} {question.format(**words)}\n{body}", encoding="utf-8"
            )
    print(f"{len(areas) * len(QUESTIONS)} answers kept")


def differing_answers(one: Path, other: Path) -> Iterator[str]:
    """Answers that differ, each with the first place where they do."""
    names = sorted({f.name for f in one.iterdir()} | {f.name for f in other.iterdir()})
    for name in names:
        sides = [folder / name for folder in (one, other)]
        if not all(side.is_file() for side in sides):
            yield f"{name}: only one side has it"
            continue
        heads, bodies = zip(
            *(side.read_text(encoding="utf-8").split("\n", 1) for side in sides), strict=True
        )
        if heads[0] != heads[1]:
            yield f"{name}: {heads[0]} | {heads[1]}"
            continue
        try:
            told = list(_unlike(*(json.loads(body) for body in bodies)))
        except ValueError:
            plain = [_masked(body) for body in bodies]
            at = next((i for i, (a, b) in enumerate(zip(*plain, strict=False)) if a != b), -1)
            told = (
                [] if plain[0] == plain[1] else [f"text at {at}: {plain[0][at - 60 : at + 60]!r}"]
            )
        if told:
            yield f"{name} {heads[0]}: {len(told)} differences, first {told[0]}"
    print(f"{len(names)} answers compared")


def differing_runs(one: Path, other: Path) -> Iterator[str]:
    """Files of the current runs of two workspaces that differ."""
    held = [{d.name for d in w.iterdir() if (d / "current").is_file()} for w in (one, other)]
    if held[0] != held[1]:
        print(f"only in one of them, not compared: {', '.join(sorted(held[0] ^ held[1]))}")
    areas = sorted(held[0] & held[1])
    for area in areas:
        runs = [
            w / area / "runs" / (w / area / "current").read_text().strip() for w in (one, other)
        ]
        files = sorted({f.name for run in runs for f in run.iterdir()})
        for file in files:
            sides = [run / file for run in runs]
            if not all(side.is_file() for side in sides):
                yield f"{area}/{file}: only one side has it"
                continue
            yield from (f"{area}/{file}: {told}" for told in _file_unlike(*sides))
        print(f"{area}: {len(files)} files compared")


def _file_unlike(one: Path, other: Path) -> Iterator[str]:
    if one.suffix == ".npy":
        left, right = np.load(one, allow_pickle=False), np.load(other, allow_pickle=False)
        if left.dtype != right.dtype:
            yield f"type {left.dtype} | {right.dtype}"
        if left.shape != right.shape or not np.array_equal(
            left, right, equal_nan=left.dtype.kind == "f"
        ):
            yield "values"
    elif one.suffix == ".parquet":
        yield from _table_unlike(one, other)
    elif one.suffix == ".json":
        yield from _unlike(*(json.loads(f.read_text(encoding="utf-8")) for f in (one, other)))
    elif one.read_bytes() != other.read_bytes():
        yield "bytes"


def _table_unlike(one: Path, other: Path) -> Iterator[str]:
    left, right = pq.read_table(one), pq.read_table(other)
    if left.column_names != right.column_names:
        yield f"columns {sorted(set(left.column_names) ^ set(right.column_names)) or 'order'}"
    for name in left.column_names:
        if name in right.column_names:
            if left[name].type != right[name].type:
                yield f"column {name}: type {left[name].type} | {right[name].type}"
            if left[name].to_pylist() != right[name].to_pylist() and repr(
                left[name].to_pylist()
            ) != repr(right[name].to_pylist()):
                yield f"column {name}: values"


def _unlike(one: Any, other: Any, at: str = "") -> Iterator[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        for key in dict.fromkeys((*one, *other)):
            if key in FREE:
                continue
            if (key in one) != (key in other):
                yield f"{at}/{key}: only one side has it"
            else:
                yield from _unlike(one[key], other[key], f"{at}/{key}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, (a, b) in enumerate(zip(one, other, strict=True)):
            yield from _unlike(a, b, f"{at}[{number}]")
    elif isinstance(one, str) and isinstance(other, str):
        if _masked(one) != _masked(other):
            yield f"{at}: {one[:80]!r} | {other[:80]!r}"
    elif one != other or type(one) is not type(other):
        yield f"{at}: {str(one)[:80]} | {str(other)[:80]}"


def _masked(text: str) -> str:
    """The text without run names, nonces, digests, times and ports."""
    text = re.sub(r"r20\d{12}-[0-9a-f]{8}", "RUN", text)
    text = re.sub(r"nonce(-|=\")[\w+/=-]+", "NONCE", text)
    text = re.sub(r"\b[0-9a-f]{64}\b|\b[0-9a-f]{32}\b|\b[0-9a-f]{16}\b", "DIGEST", text)
    text = re.sub(
        r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ?|20\d\d-\d\d-\d\d \d\d:\d\d(:\d\d)?", "TIME", text
    )
    return re.sub(r"127\.0\.0\.1:\d+", "HOST", text)


def _get(address: str) -> tuple[int, str]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(address, timeout=300) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
