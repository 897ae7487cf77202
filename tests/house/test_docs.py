"""The documents keep up with the tree: links, commands, settings, services' words, punctuation."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lifecircle.analysis.policy import load_policy
from lifecircle.service.cli import app
from lifecircle.service.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").glob("*.md"),
        *(ROOT / "data").glob("*.md"),
        *(ROOT / "notebooks").glob("*.md"),
        *(ROOT / "benchmarks").glob("*.md"),
    ]
)
READMES = (ROOT / "README.md", ROOT / "README.zh.md")
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"```.*?```|`[^`]*`", re.DOTALL)
CHINESE = "\u4e00-\u9fff"


def words(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def commands() -> list[str]:
    named = [(command.name, command.callback) for command in app.registered_commands]
    return [name or callback.__name__ for name, callback in named if callback is not None]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    targets = [link.split("#")[0] for link in LINK.findall(words(path))]
    local = [link for link in targets if link and "://" not in link]
    missing = [link for link in local if not (path.parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize("path", READMES, ids=lambda path: path.name)
def test_readme_shows_every_command_and_nothing_else(path: Path) -> None:
    shown = set(re.findall(r"^\| `lifecircle ([a-z]+)", words(path), re.MULTILINE))
    assert shown == set(commands())
    assert len(shown) >= 8


def test_both_readmes_have_the_same_parts() -> None:
    english, chinese = (words(path) for path in READMES)
    assert english.count("\n## ") == chinese.count("\n## ")
    assert english.count("\n| ") == chinese.count("\n| ")
    curls = [re.findall(r"^curl .*$", text, re.MULTILINE) for text in (english, chinese)]
    assert [line.replace("&lang=en", "") for line in curls[0]] == curls[1]
    for each in ("scripts/run", "scripts/test", "NOT_ASSESSED", "LIFECIRCLE_PUBLIC_READ=1"):
        assert each in english
        assert each in chinese


def test_chinese_prose_has_full_width_punctuation() -> None:
    prose = CODE.sub("", words(READMES[1]))
    prose = LINK.sub("]", prose)
    assert re.findall(rf"[{CHINESE}][,;:!?()]|[,;:!?()][{CHINESE}]", prose) == []


def test_every_setting_is_documented() -> None:
    text = words(ROOT / "docs" / "http.md")
    assert [name for name in Settings.model_fields if f"`{name}`" not in text] == []


def test_every_number_of_walking_is_the_policy_s() -> None:
    text, policy = words(ROOT / "docs" / "walking.md"), load_policy()
    for value in policy.walk.highway_no | policy.walk.foot_no | policy.walk.foot_yes:
        assert value in text
    assert f"**{policy.attachment.max_leg_m.value:g} m**" in text
    assert f"**{policy.attachment.min_component_m.value / 1000:g} km**" in text
    piece, joining = policy.attachment.min_piece_m, policy.joining
    assert piece is not None
    assert joining is not None
    assert f"**{piece.value:g} m**" in text
    for value in joining.bridge_on_ground | joining.tunnel_on_ground | policy.walk.motorroad_no:
        assert value in text
    assert f"{len(load_policy('cn-15min').services)} services" in words(ROOT / "CHANGELOG.md")


def test_changelog_has_a_heading_for_numbers() -> None:
    text = words(ROOT / "CHANGELOG.md")
    release = text[text.index("## [0.1.0]") :]
    assert "\n### Numbers\n" in release


def test_the_policy_of_the_docs_loads(tmp_path: Path) -> None:
    examples = re.findall(r"```toml\n(.*?)```", words(ROOT / "docs" / "policies.md"), re.DOTALL)
    path = tmp_path / "guandu-2026.toml"
    path.write_text(next(text for text in examples if "extends" in text), encoding="utf-8")
    policy = load_policy(path)
    assert policy.services["market"].minutes.value == 15
    assert policy.services["market"].minutes.confidence == "verified"
