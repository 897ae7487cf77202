"""When two rows are one place, and how sure a spread of residents is (``[quality]``)."""

from dataclasses import dataclass

from lifecircle.analysis.policy.cited import Positive
from lifecircle.analysis.policy.fields import Record, Texts


@dataclass(frozen=True, slots=True)
class QualityRules(Record):
    """How rows of facilities are taken for one place, and how a spread is compared.

    `same_name_m`: rows of two sources with the same name and service are one place up to here.
    `like_name_m`: with names alike to at least `likeness` (0-1). `nameless_m`: where a name is
    missing; rows of one file, too, are one place only up to here. `spread_square_m`: squares in
    which two ways of spreading residents are compared. `place_words`, `company_words`: what says
    nothing in a name. `telling`: signs that tell two names apart wherever they stand.
    """

    same_name_m: Positive
    like_name_m: Positive
    nameless_m: Positive
    likeness: Positive
    spread_square_m: Positive
    place_words: Texts = ()
    company_words: Texts = ()
    telling: str = ""
