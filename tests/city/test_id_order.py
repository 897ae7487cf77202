"""Ids in the order of texts."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lifecircle.analysis.city.id_order import ids_in_order


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=4), max_size=30))
def test_ids_stand_by_their_code_points(texts: list[str]) -> None:
    ids = np.empty(len(texts), dtype=object)
    ids[:] = texts
    names, place = ids_in_order(ids)
    assert names.tolist() == sorted(set(texts))
    assert [names[i] for i in place] == texts
