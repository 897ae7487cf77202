"""What the blocks between the streets are used for: housing, parks, squares, schools, estates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry import Polygon

from lifecircle.analysis.demo.springcity.ground.mesh import (
    MIXED,
    NEW,
    OLD,
    VILLAGE,
    Mesh,
    street_of,
)
from lifecircle.analysis.demo.springcity.plan import PLANTED_STREETS, TILE_COLUMNS, TILE_ROWS

HOUSING, PARK, SQUARE, SCHOOL, ESTATE, RESETTLEMENT = (
    "housing",
    "park",
    "square",
    "school",
    "estate",
    "resettlement",
)
NEW_ESTATES = 6
_INSET_M = 9.0
_ALONE = 4.0  # times as far where a block is its whole quad, so that it is not the community
_SHARE = {PARK: 0.5, SQUARE: 0.3, SCHOOL: 0.7}


@dataclass(frozen=True, slots=True)
class Block:
    """A square of lattice points (`gi`, `gj`, `size`) inside quad (`column`, `row`), its use."""

    column: int
    row: int
    gi: int
    gj: int
    size: int
    use: str
    outline: Polygon  # city metres, set back from the streets

    @property
    def open_ground(self) -> bool:
        """Whether nobody lives on it."""
        return self.use in {PARK, SQUARE, SCHOOL}


def make_blocks(mesh: Mesh) -> tuple[Block, ...]:
    """Every block of every quad with its use, in the order of the quads."""
    rng = mesh.plan.rng("blocks")
    special = _special_quads(mesh)
    blocks: list[Block] = []
    for column, row in mesh.quads():
        kind = int(mesh.kind[column, row])
        size = _slot(mesh, kind)
        places = [
            (p, q)
            for p in range(0, mesh.plan.fine - size + 1, size)
            for q in range(0, mesh.plan.fine - size + 1, size)
        ]
        uses = _uses(rng, len(places), kind, special.get((column, row)))
        for (p, q), use in zip(places, uses, strict=True):
            gi, gj = column * mesh.plan.fine + p, row * mesh.plan.fine + q
            outline = _outline(mesh, gi, gj, size)
            if not outline.is_empty:
                blocks.append(Block(column, row, gi, gj, size, use, outline))
    return tuple(blocks)


def _slot(mesh: Mesh, kind: int) -> int:
    if kind == NEW:
        return mesh.block[NEW]
    if kind == VILLAGE:
        return mesh.plan.fine // 2
    return 2 * mesh.block[OLD if kind == OLD else MIXED]


def _special_quads(mesh: Mesh) -> dict[tuple[int, int], str]:
    """Quads of the first district that hold a new estate, or the resettlement site."""
    new = [
        (i, j)
        for i, j in mesh.quads()
        if mesh.kind[i, j] == NEW and i < TILE_COLUMNS and j < TILE_ROWS and not _gathered(i, j)
    ]
    chosen = [new[k] for k in np.linspace(3, len(new) - 4, NEW_ESTATES + 1).astype(int)]
    return dict.fromkeys(chosen[:-1], ESTATE) | {chosen[-1]: RESETTLEMENT}


def _gathered(column: int, row: int) -> bool:
    """Whether a quad's street keeps its people around its middle."""
    planted = PLANTED_STREETS.get(street_of(column, row)[2:])
    return planted is not None and planted.concentration_m is not None


def _uses(rng: np.random.Generator, count: int, kind: int, special: str | None) -> list[str]:
    wanted = [use for use, share in _SHARE.items() if rng.random() < share]
    order = rng.permutation(count)
    uses = [HOUSING] * count
    if special is not None:
        wanted.insert(0, special)
    elif kind == VILLAGE or count < 4:
        return uses
    for use, k in zip(wanted, order[: max(1, count - 2)], strict=False):
        uses[k] = use
    return uses


def _outline(mesh: Mesh, gi: int, gj: int, size: int) -> Polygon:
    ring = Polygon(mesh.ring(gi, gj, size, max(1, size // 4)))
    back = _INSET_M * (_ALONE if size == mesh.plan.fine else 1.0) * mesh.plan.shrink
    inset = shapely.buffer(ring, -back, join_style="mitre")
    parts = [part for part in shapely.get_parts(inset) if isinstance(part, Polygon)]
    return max(parts, key=lambda part: part.area, default=Polygon())
