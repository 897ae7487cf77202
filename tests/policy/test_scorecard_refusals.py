"""What a scorecard of one's own is refused for, how that is said, and how scorecards extend."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from lifecircle.analysis.errors import PolicyError
from lifecircle.analysis.measures.scorecard.card import checked_settings
from lifecircle.analysis.policy import load_policy
from lifecircle.analysis.policy.faults import PolicyFileError
from lifecircle.analysis.policy.scorecard_model import Scorecard
from lifecircle.service.catalog import scorecard_document
from lifecircle.service.report.scorecard import scorecard_page
from tests.worlds.tiny import tiny_run

POLICY = """
id = "own"
extends = "cn-15min"
scorecard = "mine"
[title]
zh = "我的"
en = "Mine"
"""
CARD = """
[sources]
plan = "某区2026年实施方案"
[readings.U]
zh = "单元"
en = "Units"
[rows.R1]
zh = "菜市场"
en = "Markets"
phrases = [{ section = "一(1)", text = "90%的社区有菜市场" }]
numbers = [{ text = "90%", value = 0.9, as = "target" }]
target = { value = 0.9, words = "90%" }
unit = "fraction"
scope = { units = [{ level = "community" }] }
headline = "U"
[rows.R1.readings]
U = { kind = "unit_has", any_of = ["market"] }
"""
RATIO = """
[rows.R2]
zh = "每名工作者服务人口"
en = "Residents per worker"
phrases = [{ section = "一(2)", text = "不超过350人" }]
numbers = [{ text = "350人", value = 350, as = "target" }]
target = { value = 350, words = "不超过350人" }
direction = "at most"
unit = "persons"
scope = { units = [{ level = "community" }] }
headline = "ratio"
[rows.R2.readings]
ratio = { kind = "ratio", zh = "比", en = "Ratio", over = [{ stat = "residents" }], under = [{ stat = "community_workers" }] }
"""  # noqa: E501
SETTING = """
[settings.own]
zh = "x"
en = "x"
default = "a"
choices = { a = { zh = "甲", en = "a" }, b = { zh = "乙", en = "b" } }
"""
AMOUNT = """
[settings.far]
zh = "x"
en = "x"
amount = { value = 10, source = "plan", clause = "x", confidence = "verified" }
"""

Load = Callable[..., Scorecard]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """The scorecard written as `mine`, with others beside it."""

    def written(text: str, **beside: str) -> Scorecard:
        folder = tmp_path / "scorecard"
        folder.mkdir(exist_ok=True)
        for name, one in {"mine": text, **beside}.items():
            (folder / f"{name}.toml").write_text(one, encoding="utf-8")
        (tmp_path / "own.toml").write_text(POLICY, encoding="utf-8")
        found = load_policy(tmp_path / "own.toml").scorecard
        assert found is not None
        return found

    return written


def changed(*changes: tuple[str, str], more: str = "") -> str:
    text = CARD + RATIO + more
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


REFUSED: dict[str, tuple[str, str, str, str | None]] = {
    "a key that the kind does not take": (
        changed(('any_of = ["market"] }', 'any_of = ["market"], minutes = "90%" }')),
        "policy_other_kind_key", "rows.R1.readings.U.minutes", None),
    "a key misspelled": (
        changed(('any_of = ["market"] }', 'any_off = ["market"] }')),
        "policy_unknown_kind_key", "rows.R1.readings.U.any_off", "any_of"),
    "a key of a row misspelled": (
        changed(("headline = \"U\"", "headlin = \"U\"")),
        "policy_unknown_key", "rows.R1.headlin", "headline"),
    "a table misspelled": (
        changed(("[readings.U]", "[reading.U]")), "policy_unknown_key", "reading", "readings"),
    "a kind misspelled": (
        changed(('kind = "unit_has"', 'kind = "unit_haz"')),
        "policy_bad_choice", "rows.R1.readings.U.kind", "unit_has"),
    "no kind": (
        changed(('kind = "unit_has", ', "")),
        "policy_missing_key", "rows.R1.readings.U.kind", None),
    "no key that the kind needs": (
        changed(('kind = "unit_has", any_of = ["market"]',
                 'kind = "residents_within"')),
        "policy_missing_kind_key", "rows.R1.readings.U.any_of", None),
    "a unit that nobody knows": (
        changed(('unit = "persons"', 'unit = "person"')),
        "scorecard_undefined", "rows.R2.unit", "persons"),
    "a share told in minutes": (
        changed(('unit = "fraction"', 'unit = "minutes"')),
        "scorecard_unit_differs", "rows.R1.unit", None),
    "a unit where the kind has its own": (
        changed(('any_of = ["market"] }', 'any_of = ["market"], unit = "minutes" }')),
        "policy_other_kind_key", "rows.R1.readings.U.unit", None),
    "a unit that is shown as nothing": (
        changed(more='[units.x]\nzh = "x"\nen = "x"\nshow = "percents"'),
        "policy_bad_choice", "units.x.show", "percent"),
    "a direction that is none": (
        changed(('direction = "at most"', 'direction = "at_most"')),
        "policy_bad_choice", "rows.R2.direction", "at most"),
    "less is better and all is meant": (
        changed(('target = { value = 350, words = "不超过350人" }', "unquantified = true")),
        "scorecard_unquantified", "rows.R2.unquantified", None),
    "a percent as target": (
        changed(("value = 0.9, as", "value = 90, as"), ("value = 0.9, words", "value = 90, words")),
        "policy_target_range", "rows.R1.target", None),
    "a service that nobody knows": (
        changed(('["market"]', '["markets"]')),
        "policy_unknown_name", "rows.R1.readings.U.any_of.1", "market"),
    "a statistic that nobody knows": (
        changed(('stat = "community_workers"', 'stat = "community_worker"')),
        "policy_unknown_name", "rows.R2.readings.ratio.under.1.stat", "community_workers"),
    "a group that is not there": (
        changed(('headline = "U"', 'headline = "U"\ngroup = "first"')),
        "scorecard_undefined", "rows.R1.group", None),
    "a label that is not there": (
        changed(('headline = "U"', 'headline = "U"\nnature = "约束性"')),
        "scorecard_undefined", "rows.R1.nature", None),
    "a source that is not there": (
        changed(('headline = "U"', 'headline = "U"\nsource = "notice"')),
        "policy_unknown_source", "rows.R1.source", None),
    "an amount that is a number": (
        changed(('any_of = ["market"] }', 'any_of = ["market"], at_least = 2 }')),
        "scorecard_amount", "rows.R1.readings.U.at_least", None),
    "an amount of nothing": (
        changed(('any_of = ["market"] }', 'any_of = ["market"], at_least = "9%" }')),
        "scorecard_amount", "rows.R1.readings.U.at_least", "90%"),
    "an amount of a setting with choices": (
        changed(('any_of = ["market"] }', 'any_of = ["market"], at_least = "$own" }'),
                more=SETTING),
        "scorecard_no_amount", "rows.R1.readings.U.at_least", None),
    "a setting that is not there": (
        changed(('any_of = ["market"] }', 'any_of = ["market"], at_least = "$fat" }'),
                more=AMOUNT),
        "policy_unknown_name", "rows.R1.readings.U.at_least", "$far"),
    "a word of a setting that means nothing": (
        changed(more=SETTING + '[judging]\nmissing = "$own"'),
        "scorecard_setting_words", "judging.missing", None),
    "a way of judging that is none": (
        changed(more='[judging]\nmissing = "ranges"'),
        "policy_bad_choice", "judging.missing", "range"),
    "a setting called like a parameter": (
        changed(more=SETTING.replace("settings.own", "settings.year")),
        "scorecard_setting_reserved", "settings.year", None),
    "a setting that nobody can write": (
        changed(more=SETTING.replace("settings.own", 'settings."a=b"')),
        "policy_bad_id", "settings.a=b", None),
    "a setting that is nothing": (
        changed(more='[settings.own]\nzh = "x"\nen = "x"'),
        "scorecard_setting", "settings.own", None),
    "a default that is no choice": (
        changed(more=SETTING.replace('default = "a"', 'default = "c"')),
        "policy_unknown_name", "settings.own.default", None),
    "an amount above its most": (
        changed(more=AMOUNT + "most = 5"), "scorecard_setting_range", "settings.far.amount", None),
    "an amount without a citation": (
        changed(more='[settings.far]\nzh = "x"\nen = "x"\namount = { value = 1 }'),
        "policy_no_citation", "settings.far.amount", None),
    "a reading without a title": (
        changed(('zh = "比", ', "")),
        "policy_missing_kind_key", "rows.R2.readings.ratio.zh", None),
    "both of two keys": (
        changed(('any_of = ["market"] }', 'any_of = ["market"], all_of = ["park"] }')),
        "scorecard_one_of", "rows.R1.readings.U.all_of", None),
    "a number from two places": (
        changed(('over = [{ stat = "residents" }]',
                 'over = [{ stat = "residents", residents = true }]')),
        "scorecard_operand", "rows.R2.readings.ratio.over.1", None),
    "a column of units": (
        changed(('over = [{ stat = "residents" }]', 'over = [{ column = "places" }]')),
        "scorecard_operand", "rows.R2.readings.ratio.over.1", None),
    "an id in a table": (
        changed(('headline = "U"', 'headline = "U"\nid = "R9"')),
        "policy_unknown_key", "rows.R1.id", None),
    "a limit read as a floor": (
        changed(('direction = "at most"\n', "")),
        "scorecard_direction_words", "rows.R2.direction", None),
    "a floor read as a limit": (
        changed(("不超过350人\"", "不少于350人\""), ("不超过350人\"", "不少于350人\"")),
        "scorecard_direction_words", "rows.R2.direction", None),
    "dropping what is not there": (
        'extends = "base"\n[drop]\nrows = ["R3"]',
        "policy_unknown_name", "drop.rows.1", None),
    "dropping what cannot be dropped": (
        'extends = "base"\n[drop]\nsources = ["plan"]', "policy_unknown_key", "drop.sources", None),
}  # fmt: skip


@pytest.mark.parametrize(("text", "key", "path", "near"), REFUSED.values(), ids=REFUSED)
def test_refusals_name_file_key_and_mend(
    text: str, key: str, path: str, near: str | None, load: Load
) -> None:
    with pytest.raises(PolicyFileError) as caught:
        load(text, base=CARD)
    told = {(fault.key, fault.params["path"]): fault for fault in caught.value.faults}
    assert (key, path) in told, [*told]
    fault = told[key, path]
    assert fault.params["file"] == "mine.toml"
    assert fault.near == near
    for lang in ("en", "zh"):
        sentence = fault.text(lang)  # type: ignore[arg-type]
        assert path in sentence
        assert near is None or near in sentence
        assert not re.search(r"\{[a-z]", sentence)
    assert re.search("[\u4e00-\u9fff]", fault.text("zh"))


def test_a_key_that_a_kind_does_not_take_is_told_with_those_it_takes(load: Load) -> None:
    with pytest.raises(PolicyFileError) as caught:
        load(changed(('any_of = ["market"] }', 'any_off = ["market"] }')))
    assert caught.value.faults[0].text("en") == (
        "mine.toml, rows.R1.readings.U.any_off: a reading of the kind unit_has does not take this "
        "key. It takes: zh, en, units, kind, any_of, all_of, where, at_least, filters. "
        "Did you mean 'any_of'?"
    )
    assert caught.value.faults[0].text("zh") == (
        "mine.toml，rows.R1.readings.U.any_off：unit_has 类口径不用这个键。可用的键：zh、en、"
        "units、kind、any_of、all_of、where、at_least、filters。是否应为“any_of”？"
    )
    with pytest.raises(PolicyFileError) as other:
        load(changed(('any_of = ["market"] }', 'any_of = ["market"], unit = "minutes" }')))
    assert "it goes with ratio, count. unit_has takes" in other.value.text("en")


def test_all_faults_are_told_at_once(load: Load) -> None:
    with pytest.raises(PolicyFileError) as caught:
        load(changed(('["market"]', '["markets"]'), ("value = 0.9, words", "value = 0.8, words")))
    assert {fault.key for fault in caught.value.faults} == {
        "policy_unknown_name", "scorecard_target",
    }  # fmt: skip


# ---- from scratch: nothing of any plan is needed -----------------------------------------------


def test_a_scorecard_from_scratch_needs_no_setting(load: Load, tmp_path: Path) -> None:
    card = load(CARD.replace("market", "pharmacy") + RATIO)
    assert dict(checked_settings(card, {})) == {}
    policy = load_policy(tmp_path / "own.toml")
    run = tiny_run(tmp_path / "workspace", policy=policy)
    document = scorecard_document(run)
    assert [row["id"] for row in document["rows"]] == ["R1", "R2"]
    assert document["rows"][0]["status"] in ("met", "not_met")
    assert document["rows"][1]["status"] == "NOT_ASSESSED"
    for lang in ("zh", "en"):
        page = scorecard_page(run, document, lang)  # type: ignore[arg-type]
        assert "R2" in page
        assert "专栏1" not in page
        assert "年目标" not in page
        assert "Target 2" not in page


def test_words_for_none_are_a_target_where_less_is_better(load: Load) -> None:
    none = changed(
        ('text = "不超过350人"', 'text = "无人超员"'),
        ('numbers = [{ text = "350人", value = 350, as = "target" }]', "numbers = []"),
        ('{ value = 350, words = "不超过350人" }', '{ value = 0.0, words = "无人" }'),
    )
    target = load(none).rows["R2"].target
    assert target is not None
    assert target.value == 0.0


# ---- extending -----------------------------------------------------------------------------------


def test_rows_are_replaced_whole_and_the_rest_joins(load: Load) -> None:
    own = """
extends = "base"
[drop]
rows = ["R2"]
[settings.own]
default = "b"
[units.persons]
decimals = 0
[rows.R1]
zh = "菜市场或药店"
en = "Markets or pharmacies"
phrases = [{ section = "一(1)", text = "每个社区" }]
numbers = []
unit = "fraction"
scope = { units = [{ level = "community" }] }
headline = "U"
readings = { U = { kind = "unit_has", any_of = ["market", "pharmacy"] } }
"""
    base = CARD + RATIO + SETTING
    card = load(own, base=base)
    assert list(card.rows) == ["R1"]
    assert card.rows["R1"].target is None  # nothing of the row of before is left
    assert card.rows["R1"].source == "某区2026年实施方案"
    assert card.settings["own"].default == "b"
    assert list(card.settings["own"].choices) == ["a", "b"]
    assert card.unit("persons").zh == "人"
    assert card.unit("persons").places == 0


def test_a_fault_of_a_base_names_the_base(load: Load) -> None:
    with pytest.raises(PolicyFileError) as caught:
        load('extends = "base"', base=CARD.replace('["market"]', '["markets"]'))
    assert caught.value.params["file"] == "base.toml"


@pytest.mark.parametrize(
    ("head", "key"),
    [
        ('extends = "nowhere"', "policy_extends_unknown"),
        ('extends = "units"', "policy_extends_unknown"),
        ('extends = "other"', "policy_extends_cycle"),
        ("extends = 1", "policy_bad_value"),
        ('drop = "R1"\n' + CARD, "policy_bad_value"),
    ],
)
def test_extends_that_are_refused(head: str, key: str, load: Load) -> None:
    with pytest.raises(PolicyError) as caught:
        load(head, other='extends = "mine"')
    assert caught.value.key == key


def test_the_digest_follows_all_files_of_a_scorecard(load: Load, tmp_path: Path) -> None:
    def digest(own: str, base: str) -> str:
        load(own, base=base)
        return load_policy(tmp_path / "own.toml").digest

    first = digest('extends = "base"', CARD)
    assert digest('# a remark\nextends = "base"', CARD) == first
    assert digest('extends = "base"', CARD + RATIO) != first
    assert digest('extends = "base"\n[drop]\nrows = []', CARD) != first
