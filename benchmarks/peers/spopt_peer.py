"""spopt: which places to add, from a matrix of walks, with the solver that PuLP finds."""

from __future__ import annotations

import json
import sys
import time
import warnings
from typing import Any

import numpy as np

warnings.simplefilter("ignore")


def solve(kind: str, arrays: Any) -> dict[str, Any]:
    """Which places are open in the end, the seconds of model and solver, and its name.

    `walks` (c, s) in centimetres, those of the `standing` places first; `persons` (c,); `added` of
    the others are opened.
    """
    import pulp
    from spopt.locate import MCLP, PMedian

    walks, standing = arrays["walks"], int(arrays["standing"])
    fixed = np.zeros(walks.shape[1], dtype=int)
    fixed[:standing] = 1
    count = standing + int(arrays["added"])
    started = time.perf_counter()
    if kind == "MCLP":
        model = MCLP.from_cost_matrix(
            walks, arrays["persons"], int(arrays["limit_cm"]), count,
            predefined_facilities_arr=fixed,
        )  # fmt: skip
    else:
        model = PMedian.from_cost_matrix(
            walks, arrays["persons"], count, predefined_facilities_arr=fixed
        )
    solvers = (pulp.HiGHS(msg=False), pulp.PULP_CBC_CMD(msg=False))
    solver = next(one for one in solvers if one.available())
    model = model.solve(solver)
    took = time.perf_counter() - started
    opened = [bool(variable.value()) for variable in model.fac_vars]
    return {"opened": opened, "seconds": took, "solver": solver.name}


if __name__ == "__main__":
    print(json.dumps(solve(sys.argv[2], np.load(sys.argv[1]))))
