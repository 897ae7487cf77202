"""Springcity's files together with what must come out of them, for tests and notebooks."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from lifecircle.analysis.demo.springcity.generate import SpringCityFiles, silent, write_world
from lifecircle.analysis.demo.springcity.residents import People
from lifecircle.analysis.demo.springcity.world import Progress, draw_world
from lifecircle.analysis.demo.springcity.write import write_csv
from lifecircle.analysis.demo.truth.truth import MEASURED, Rules, Truth, tell_truth
from lifecircle.analysis.policy import load_policy


@dataclass(frozen=True, slots=True)
class SpringCityWithTruth(SpringCityFiles):
    """`truth`: what must come out; `truth_cells`: walks per cell in metres."""

    truth: Path = Path("truth.json")
    truth_cells: Path = Path("truth_cells.csv")


def write_springcity_with_truth(
    folder: Path, *, seed: int = 77, scale: float = 1.0, progress: Progress | None = None
) -> SpringCityWithTruth:
    """As `write_springcity`, and the truth table beside it."""
    step = progress or silent
    drawn = draw_world(seed, scale, step)
    files = write_world(folder, drawn, step)
    truth = tell_truth(drawn.now, drawn.past, _rules())
    table, cells = folder / "truth.json", folder / "truth_cells.csv"
    _write(table, cells, truth, drawn.now.people)
    plain = {field.name: getattr(files, field.name) for field in fields(files)}
    return SpringCityWithTruth(**plain, truth=table, truth_cells=cells)


def _rules() -> Rules:
    """What the plan's policy asks of walks; the truth is told for it."""
    policy = load_policy()
    return Rules(
        {service.id: float(service.minutes.value) for service in policy.services.values()},
        {kind: circle.services for kind, circle in policy.circles.items()},
        float(policy.attachment.max_leg_m.value),
    )


def _write(table: Path, cells: Path, truth: Truth, people: People) -> None:
    """truth.json, and per cell the walks in metres (empty where no way leads there)."""
    text = json.dumps(truth.table, ensure_ascii=False, indent=1)
    table.write_text(text + "\n", encoding="utf-8")
    metres = np.column_stack([truth.metres[service] for service in MEASURED])
    rows = (
        (cell, residents, int(unsnapped), *(f"{m:.3f}" if np.isfinite(m) else "" for m in walks))
        for cell, residents, unsnapped, walks in zip(
            people.id, people.residents.tolist(), truth.unsnapped, metres.tolist(), strict=True
        )
    )
    header = ("cell", "residents", "unsnapped", *(f"{service}_m" for service in MEASURED))
    write_csv(cells, header, rows)
