"""Where places may join the streets, and when files lack too much (``walk.toml``)."""

from dataclasses import dataclass

from lifecircle.analysis.policy.cited import Confidence, Share
from lifecircle.analysis.policy.fields import Record, Source, Text, Words


@dataclass(frozen=True, slots=True)
class JoiningRules(Record):
    """Values of ``bridge`` and ``tunnel`` that stay on the ground; any other leaves it.

    Then values of ``barrier`` that are `gates` and `fences`, and of ``entrance`` that let nobody
    in. Tables of words, cited as a whole; runs kept from before know no gates.
    """

    source: Source
    clause: Text
    confidence: Confidence
    bridge_on_ground: Words
    tunnel_on_ground: Words
    gates: Words = frozenset()
    fences: Words = frozenset()
    entrance_no: Words = frozenset()

    @property
    def on_ground(self) -> tuple[tuple[str, frozenset[str]], ...]:
        """Tags of ways that leave the ground, and their values that do not."""
        return ("bridge", self.bridge_on_ground), ("tunnel", self.tunnel_on_ground)


@dataclass(frozen=True, slots=True)
class ReadingRules(Record):
    """When a file that lacks parts is refused.

    `missing_refused`: share of the references of walkable ways to nodes that are not there.
    """

    missing_refused: Share
