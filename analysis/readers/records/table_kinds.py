"""What a table may hold, and the words people have for it; nothing heavy is imported here."""

from __future__ import annotations

from typing import Literal, cast, get_args

from lifecircle.analysis.readers.records.aliases import table_kinds
from lifecircle.analysis.texts import Title
from lifecircle.analysis.unknown_names import Words, find_id, unknown

Kind = Literal["population", "facilities", "units", "statistics"]


def known_kind(said: str) -> Kind:
    """The kind of table that a word means, in any spelling.

    Raises
    ------
    UnknownNameError : a word that nobody knows.
    """
    words = {kind: Words(Title(kind, kind), tuple(table_kinds()[kind])) for kind in get_args(Kind)}
    found = find_id(said, words)
    if found is None:
        raise unknown("unknown_kind", said, words)
    return cast("Kind", found)
