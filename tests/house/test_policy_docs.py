"""The steps of docs/policies.md and docs/scorecard.md work as printed; no key is left out."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

from lifecircle.analysis.policy import load_policy
from lifecircle.analysis.policy.faults import PolicyFileError, kinds_of, written_keys
from lifecircle.analysis.policy.model import Policy
from lifecircle.analysis.policy.readings import Reading
from lifecircle.analysis.policy.scorecard_model import Row, Scorecard

DOCS = Path(__file__).resolve().parents[2] / "docs"
TITLES = {"zh", "en", "kind"}  # every kind has them


def snippets(name: str, heading: str) -> list[str]:
    """The TOML blocks of a section."""
    text = (DOCS / name).read_text("utf-8")
    section = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    blocks = re.findall(r"^( *)```toml\n(.*?)^ *```", section, re.DOTALL | re.MULTILINE)
    return [textwrap.dedent(block) for _, block in blocks]


@pytest.fixture
def policy_file(tmp_path: Path) -> Path:
    """The policy of the steps, naming the scorecard of the other steps."""
    (policy,) = snippets("policies.md", "A new service, step by step")
    path = tmp_path / "mine.toml"
    path.write_text('scorecard = "mine"\n' + policy, encoding="utf-8")
    folder = tmp_path / "scorecard"
    folder.mkdir()
    card = "\n".join(snippets("scorecard.md", "A scorecard of your own"))
    (folder / "mine.toml").write_text(card, encoding="utf-8")
    return path


def test_the_steps_give_a_service_and_a_scorecard(policy_file: Path) -> None:
    policy = load_policy(policy_file)
    assert policy.services["charging_station"].minutes.value == 10
    assert policy.services["charging_station"].osm[0].tags == {"amenity": ("charging_station",)}
    card = policy.scorecard
    assert card is not None
    assert list(card.rows)[-2:] == ["C01", "C02"]
    assert "A04" not in card.rows
    assert card.rows["C02"].direction == "at most"
    assert card.settings["charging_minutes"].most == 30


@pytest.mark.parametrize(
    ("document", "file", "old", "new"),
    [
        ("policies.md", "mine.toml", "minutes =", "minuts ="),
        ("scorecard.md", "scorecard/mine.toml", 'minutes = "10分钟"', 'minuts = "10分钟"'),
    ],
)
def test_the_faults_that_are_printed_are_said(
    policy_file: Path, document: str, file: str, old: str, new: str
) -> None:
    path = policy_file.parent / file
    path.write_text(path.read_text("utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(PolicyFileError) as caught:
        load_policy(policy_file)
    printed = re.search(r"^ *\S+\.toml, (.*Did you mean.*)$", (DOCS / document).read_text("utf-8"),
                        re.MULTILINE)  # fmt: skip
    assert printed is not None
    assert printed[1] in caught.value.text("en")


def test_every_kind_and_key_is_told() -> None:
    text = (DOCS / "scorecard.md").read_text("utf-8").split("\n## Readings\n")[1].split("\n## ")[0]
    told = {
        cells[1].strip().strip("`"): set(re.findall(r"`(\w+)`", line.rsplit("|", 2)[1] + line))
        for line in text.splitlines()
        if len(cells := re.split(r"(?<!\\)\|", line)) > 3
    }
    for kind, record in kinds_of(Reading).items():
        assert kind in told
        assert set(written_keys(record)) - TITLES - told[kind] == set(), kind


def test_every_table_and_key_of_a_scorecard_is_told() -> None:
    text = (DOCS / "scorecard.md").read_text("utf-8")
    tables = text.split("### The tables of a scorecard\n")[1].split("\n## ")[0]
    for name in written_keys(Scorecard):
        assert f"`[{name}" in tables or f"`{name}`" in tables, name
    for name in written_keys(Row):
        assert f"`{name}`" in tables, name


def test_every_table_of_a_policy_is_told() -> None:
    text = (DOCS / "policies.md").read_text("utf-8")
    for name in written_keys(Policy):
        assert f"[{name}" in text or name in ("id", "title"), name
