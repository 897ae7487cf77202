"""Ways of travelling other than on foot: which ways a profile takes, how fast, which way round."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Final, NamedTuple, Protocol

from pydantic import Field

from lifecircle.analysis.policy.cited import Confidence, OwnTitle, Positive
from lifecircle.analysis.policy.fields import Id, Record, Source, TagValues, Text, Values, Words

WALK: Final = "walk"  # the profile of everybody who names none
_FORWARD: Final = frozenset({"yes", "true", "1"})  # what Key:oneway calls its values
_BACKWARD: Final = frozenset({"-1", "reverse"})
_BOTH: Final = frozenset({"no", "false", "0"})
_NEITHER: Final = frozenset({"reversible", "alternating"})
_ANY: Final = ("*",)

_Table = Annotated[Mapping[str, TagValues], Field(default_factory=dict)]


class Tags(Protocol):
    """The tags of an OpenStreetMap object."""

    def get(self, key: str, /) -> str | None:
        """The value of a key, None where it is not set."""


class Speeds(NamedTuple):
    """Speed along a way as it is drawn and against it, km/h; 0 where nobody goes."""

    ahead_km_h: float
    back_km_h: float


NOWHERE: Final = Speeds(0.0, 0.0)


@dataclass(frozen=True, slots=True)
class TravelProfile(Record):
    """Who travels: ways by class with speeds, access, one-ways and barriers.

    `access`: keys in the order they are asked, the most particular first: the first that is set
    decides by `access_yes` and `access_no`; of other words nothing follows. All but the last can
    give the leave of `with_leave`. `tags_no`: what closes a way. `one_way`: keys, the most
    particular first; `one_way_implied`: tags that mean one way where no key says; `contraflow`:
    tags that open the other direction. `barriers_pass`: values of ``barrier`` that let through;
    others bar unless a key of `access` says yes. `joined_at_ends`: classes that nobody joins
    inside their length. `metres` in `seconds`: the speed between a door and the street.
    """

    id: Id
    title: OwnTitle
    source: Source
    clause: Text
    confidence: Confidence
    access: Values
    access_yes: Words
    access_no: Words
    one_way: Values
    barriers_pass: Words
    joined_at_ends: Words
    metres: Positive
    seconds: Positive
    speeds: Annotated[Mapping[str, Positive], Field(min_length=1)]
    with_leave: Annotated[Mapping[str, Positive], Field(default_factory=dict)]
    tags_no: _Table
    one_way_implied: _Table
    contraflow: _Table

    @property
    def leg_m_per_s(self) -> Fraction:
        """Speed between a door and the street, metres per second, exact."""
        metres = Fraction(self.metres.value).limit_denominator(10**6)
        return metres / Fraction(self.seconds.value).limit_denominator(10**6)

    def keys(self) -> frozenset[str]:
        """The keys of a way that decide anything."""
        tables = (self.tags_no, self.one_way_implied, self.contraflow)
        return frozenset({"highway", *self.access, *self.one_way, *(k for t in tables for k in t)})

    def speeds_on(self, tags: Tags) -> Speeds:
        """How fast this profile goes along a way with these tags, and against it."""
        highway = tags.get("highway")
        if highway is None or _holds(tags, self.tags_no):
            return NOWHERE
        said = self._access(tags)
        if said is not None and said[1] in self.access_no:
            return NOWHERE
        leave = said is not None and said[0] != self.access[-1] and said[1] in self.access_yes
        cited = self.with_leave.get(highway) if leave else None
        cited = cited or self.speeds.get(highway)
        if cited is None:
            return NOWHERE
        ahead, back = self._directions(tags)
        return Speeds(cited.value * ahead, cited.value * back)

    def passes(self, tags: Tags) -> bool:
        """Whether this profile gets past a node with these tags."""
        said = self._access(tags)
        if said is not None and said[1] in self.access_no:
            return False
        if said is not None and said[1] in self.access_yes:
            return True
        barrier = tags.get("barrier")
        return barrier is None or barrier in self.barriers_pass

    def _access(self, tags: Tags) -> tuple[str, str] | None:
        """The first key of `access` that is set and known to mean something, and its word."""
        for key in self.access:
            value = tags.get(key)
            if value is not None and (value in self.access_yes or value in self.access_no):
                return key, value
        return None

    def _directions(self, tags: Tags) -> tuple[bool, bool]:
        """Whether a way may be taken as it is drawn, and against it."""
        for key in self.one_way:
            value = tags.get(key)
            if value in _BOTH:
                return True, True
            if value in _NEITHER:
                return False, False
            if value in _FORWARD or value in _BACKWARD:
                if _holds(tags, self.contraflow):
                    return True, True
                return value in _FORWARD, value in _BACKWARD
        if _holds(tags, self.one_way_implied):
            return True, _holds(tags, self.contraflow)
        return True, True


def _holds(tags: Tags, table: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether any tag of a table is set to one of its values."""
    return any(
        (value := tags.get(key)) is not None and (named == _ANY or value in named)
        for key, named in table.items()
    )
