"""When two rows are one place, and how sure a spread of residents is (``[quality]``)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lifecircle.analysis.policy.cited import Cited
from lifecircle.analysis.policy.tables import CitedTable, QualityTable


@dataclass(frozen=True, slots=True)
class QualityRules:
    """How rows of facilities are taken for one place, and how a spread is compared.

    `same_name_m`: rows of two sources with the same name and service are one place up to here.
    `like_name_m`: with names alike to at least `likeness` (0-1). `nameless_m`: where a name is
    missing; rows of one file, too, are one place only up to here. `spread_square_m`: squares in
    which two ways of spreading residents are compared. `place_words`, `company_words`: what says
    nothing in a name. `telling`: signs that tell two names apart wherever they stand.
    """

    same_name_m: Cited
    like_name_m: Cited
    nameless_m: Cited
    likeness: Cited
    spread_square_m: Cited
    place_words: tuple[str, ...]
    company_words: tuple[str, ...]
    telling: str


def quality_rules(table: QualityTable, cite: Callable[[CitedTable], Cited]) -> QualityRules:
    """The rules of a policy file's ``[quality]``."""
    return QualityRules(
        same_name_m=cite(table.same_name_m),
        like_name_m=cite(table.like_name_m),
        nameless_m=cite(table.nameless_m),
        likeness=cite(table.likeness),
        spread_square_m=cite(table.spread_square_m),
        place_words=tuple(table.place_words),
        company_words=tuple(table.company_words),
        telling=table.telling,
    )
