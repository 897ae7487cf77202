"""Ids in the order of texts: what a gap is named by is the lowest of its cells."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lifecircle.analysis.city.model import StrArray
from lifecircle.analysis.quantities import IntArray


def ids_in_order(ids: StrArray) -> tuple[StrArray, IntArray]:
    """The distinct ids by their code points, and the place of each of them (n,) among these."""
    texts = np.empty(len(ids), dtype=object)
    texts[:] = [str(one) for one in ids]
    order = pc.sort_indices(pa.array(texts, pa.string())).to_numpy()
    texts = texts[order]
    new = np.ones(len(texts), dtype=np.bool_)
    new[1:] = texts[1:] != texts[:-1]
    place = np.empty(len(texts), dtype=np.int64)
    place[order] = np.cumsum(new) - 1
    return texts[new], place
